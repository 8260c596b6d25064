//! The next revision of a release.

use std::collections::BTreeMap;
use std::sync::Arc;

use weir_apis::Object;
use weir_cluster::Propagation;
use weir_helm::action::{self, BaseError, Filter, Method, Start};
use weir_helm::{ApplyMethod, Event, Release, validate_name};

use crate::context::{Context, Done, Run};
use crate::error::{ActionError, Failure, Reason};
use crate::install::{check_labels, render, storage};
use crate::write::Writer;
use crate::{Changes, Crds, Template};

/// How a release is upgraded.
#[derive(Debug, Clone, Default)]
pub struct UpgradeOptions {
    /// Timeout, waits, hooks.
    pub run: Run,
    /// Who merges.
    pub method: Method,
    /// Objects are replaced instead of patched. Without effect where the API server merges.
    pub force: bool,
    /// Objects that are there and were not part of the release are taken over, whosever they are. Otherwise they must
    /// have the release's marks.
    pub take_ownership: bool,
    /// Objects that were created go again if the upgrade fails.
    pub cleanup_on_fail: bool,
    /// The values of the revision before stay under the new ones, and its chart's defaults in the place of the new
    /// chart's: Helm's `--reuse-values`.
    pub reuse_values: bool,
    /// How many revisions are remembered; 0 for all.
    pub max_history: usize,
    /// What is done with the chart's CustomResourceDefinitions.
    pub crds: Crds,
    /// Labels of the record, over those of the last one; `null` takes one away.
    pub labels: BTreeMap<String, String>,
}

/// Upgrades a release.
///
/// Flow: the last revision is looked at, definitions are applied, the chart is rendered, objects that are new to the
/// release are checked, room is made in the history and the revision recorded as pending; hooks, objects, wait, hooks;
/// the revision before is recorded as superseded and this one as deployed, or as failed.
///
/// An error without a release means that nothing was recorded; definitions may have been applied, and old revisions
/// forgotten.
pub async fn upgrade(
    ctx: &Context<'_>,
    template: Template,
    options: &UpgradeOptions,
) -> Result<Done, ActionError> {
    let mut prepared = prepare(ctx, template, options)
        .await
        .map_err(|failure| ctx.unrecorded(failure))?;
    let mut changes = Changes::default();
    if let Err(failure) = perform(ctx, &mut prepared, options, &mut changes).await {
        let description = format!("Upgrade {:?} failed: {}", ctx.name, failure.message);
        let cleaned = clean_up(ctx, &prepared.targets, options.cleanup_on_fail, &changes).await;
        let failure = match cleaned {
            Ok(()) => failure,
            Err(message) => Failure {
                message: format!(
                    "an error occurred while cleaning up resources. original upgrade error: {}: {message}",
                    failure.message
                ),
                ..failure
            },
        };
        return Err(ctx.failed(prepared.release, failure, &description).await);
    }
    let Prepared {
        mut release,
        mut original,
        ..
    } = prepared;
    action::supersede(&mut original, None);
    ctx.record(&original).await;
    let pending = release.clone();
    action::deploy(&mut release, Some("Upgrade complete"));
    match ctx.storage.update(&release, ctx.now()).await {
        Ok(()) => Ok(Done { release, changes }),
        Err(error) => Err(ActionError::new(ctx.log, storage(error), Some(pending))),
    }
}

/// An upgrade that is recorded and not begun.
struct Prepared {
    release: Release,
    original: Release,
    originals: Vec<Object>,
    targets: Vec<Object>,
    method: ApplyMethod,
}

async fn prepare(
    ctx: &Context<'_>,
    mut template: Template,
    options: &UpgradeOptions,
) -> Result<Prepared, Failure> {
    validate_name(ctx.name)
        .map_err(|_| Failure::new(Reason::Name, format!("release name is invalid: {}", ctx.name)))?;
    check_labels(&options.labels)?;
    let history = ctx.storage.history(ctx.name).await.map_err(storage)?;
    let bases = action::bases(ctx.name, &history).map_err(|error| {
        let reason = match error {
            BaseError::NotDeployed(_) => Reason::Missing,
            BaseError::Pending => Reason::Pending,
        };
        Failure::new(reason, error.to_string())
    })?;
    let method = options.method.decide(bases.last);
    if options.reuse_values {
        reuse(&mut template, bases.current)?;
    }
    let (chart, values) = (Arc::clone(&template.chart), Arc::clone(&template.values));
    ctx.apply_crds(&chart, &values, &options.crds, method).await?;
    // The release stays where it is, whatever namespace is asked for.
    let ctx = &Context {
        namespace: &bases.current.namespace,
        ..*ctx
    };
    let rendered = render(ctx, template, bases.last.version + 1, true).await?;
    let mut targets = ctx.build(&rendered.manifest()).await.map_err(|failure| {
        failure.within(
            Reason::Objects,
            "unable to build kubernetes objects from new release manifest: ",
        )
    })?;
    let mut originals = ctx.build(&bases.current.manifest).await.map_err(|failure| {
        failure.within(
            Reason::Objects,
            "unable to build kubernetes objects from current release manifest: ",
        )
    })?;
    for target in &mut targets {
        action::own(target, ctx.name, ctx.namespace);
    }
    let newcomers = action::newcomers(&originals, &targets);
    let adopted = ctx
        .existing(&newcomers, options.take_ownership, ctx.namespace)
        .await
        .map_err(|failure| {
            let reason = failure.reason;
            failure.within(reason, "unable to continue with update: ")
        })?;
    originals.extend(adopted);
    let start = Start {
        name: ctx.name,
        namespace: ctx.namespace,
        rendered: &rendered,
        values: &values,
        labels: &action::merge_labels(&bases.last.labels, &options.labels),
        method,
        now: ctx.time(),
    };
    let release = action::upgrade(start, bases.last, bases.current);
    ctx.storage
        .create(&release, options.max_history, ctx.now())
        .await
        .map_err(storage)?;
    Ok(Prepared {
        release,
        original: bases.current.clone(),
        originals,
        targets,
        method,
    })
}

fn reuse(template: &mut Template, current: &Release) -> Result<(), Failure> {
    let chart = action::with_values_of(&template.chart, current)
        .map_err(|error| Failure::new(Reason::Render, format!("failed to rebuild old values: {error}")))?;
    template.chart = Arc::new(chart);
    template.values = Arc::new(action::reused(&template.values, current));
    let kept = current.config.clone().unwrap_or_default();
    let name = format!("the values of revision {}, which are kept", current.version);
    template.origins.push_below(name, kept);
    Ok(())
}

async fn perform(
    ctx: &Context<'_>,
    prepared: &mut Prepared,
    options: &UpgradeOptions,
    changes: &mut Changes,
) -> Result<(), Failure> {
    let Prepared {
        release,
        original,
        originals,
        targets,
        method,
    } = prepared;
    let method = *method;
    let namespace = release.namespace.clone();
    let ctx = &Context {
        namespace: &namespace,
        ..*ctx
    };
    let run = &options.run;
    let all = Filter::default();
    ctx.run_hooks(run, release, Event::PreUpgrade, &all, method)
        .await
        .map_err(|failure| failure.within(Reason::Hook, "pre-upgrade hooks failed: "))?;
    let mut writer = Writer::new(*ctx, method);
    writer.force_conflicts = method == ApplyMethod::Server;
    writer.replace = options.force && method == ApplyMethod::Client;
    writer.migrate = original.apply_method() == ApplyMethod::Client;
    let stored = writer.update_all(originals, targets, changes).await?;
    ctx.wait_until_ready(run, &stored).await?;
    ctx.run_hooks(run, release, Event::PostUpgrade, &all, method)
        .await
        .map_err(|failure| failure.within(Reason::Hook, "post-upgrade hooks failed: "))?;
    Ok(())
}

/// Deletes what a failed action created.
pub(crate) async fn clean_up(
    ctx: &Context<'_>,
    targets: &[Object],
    wanted: bool,
    changes: &Changes,
) -> Result<(), String> {
    if !wanted || changes.created.is_empty() {
        return Ok(());
    }
    let created: Vec<Object> = targets
        .iter()
        .filter(|target| changes.created.contains(&target.reference()))
        .cloned()
        .collect();
    let errors = ctx
        .delete_all(&created, Propagation::Background, &mut Changes::default())
        .await;
    if errors.is_empty() {
        return Ok(());
    }
    Err(format!("unable to cleanup resources: {}", errors.join(", ")))
}
