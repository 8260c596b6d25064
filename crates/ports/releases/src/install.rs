//! The first revision of a release.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use weir_apis::Object;
use weir_cluster::chain;
use weir_helm::action::{self, Filter, Start};
use weir_helm::{ApplyMethod, Event, Options, Release, Rendered, validate_name};

use crate::context::{Context, Done, Run};
use crate::error::{ActionError, Failure, Reason};
use crate::write::Writer;
use crate::{Changes, Crds, Template};

/// How a release is installed.
#[derive(Debug, Clone, Default)]
pub struct InstallOptions {
    /// Timeout, waits, hooks.
    pub run: Run,
    /// The client merges instead of the API server.
    pub client_side: bool,
    /// Objects that are there are taken over, whosever they are. Otherwise they must have the release's marks.
    pub take_ownership: bool,
    /// The name may be that of a release that failed or was removed.
    pub replace: bool,
    /// The release's namespace is created if it is missing.
    pub create_namespace: bool,
    /// What is done with the chart's CustomResourceDefinitions.
    pub crds: Crds,
    /// Labels of the record.
    pub labels: BTreeMap<String, String>,
}

/// Installs a release.
///
/// Flow: the name is checked, definitions are applied, the chart is rendered, existing objects are checked, the revision
/// is recorded as pending; hooks, objects, wait, hooks; it is recorded as deployed, or as failed.
///
/// An error without a release means that nothing was recorded; definitions and the namespace may have been created.
pub async fn install(
    ctx: &Context<'_>,
    template: Template,
    options: &InstallOptions,
) -> Result<Done, ActionError> {
    let mut prepared = prepare(ctx, template, options)
        .await
        .map_err(|failure| ctx.unrecorded(failure))?;
    match perform(ctx, &mut prepared, options).await {
        Ok(changes) => {
            let mut release = prepared.release;
            let pending = release.clone();
            action::deploy(&mut release, Some("Install complete"));
            match ctx.storage.update(&release, ctx.now()).await {
                Ok(()) => Ok(Done { release, changes }),
                Err(error) => {
                    let failure = Failure::new(Reason::Storage, error.to_string());
                    Err(ActionError::new(ctx.log, failure, Some(pending)))
                }
            }
        }
        Err(failure) => {
            let description = format!("Release {:?} failed: {}", ctx.name, failure.message);
            Err(ctx.failed(prepared.release, failure, &description).await)
        }
    }
}

/// An installation that is recorded and not begun.
struct Prepared {
    release: Release,
    objects: Vec<Object>,
    adopted: Vec<Object>,
    method: ApplyMethod,
}

async fn prepare(
    ctx: &Context<'_>,
    template: Template,
    options: &InstallOptions,
) -> Result<Prepared, Failure> {
    let method = if options.client_side {
        ApplyMethod::Client
    } else {
        ApplyMethod::Server
    };
    check_labels(&options.labels)?;
    let history = free_name(ctx, options.replace).await.map_err(|failure| Failure {
        message: format!("release name check failed: {}", failure.message),
        ..failure
    })?;
    let (chart, values) = (Arc::clone(&template.chart), Arc::clone(&template.values));
    ctx.apply_crds(&chart, &values, &options.crds, method).await?;
    let rendered = render(ctx, template, 1, false).await?;
    let mut objects = ctx.build(&rendered.manifest()).await.map_err(|failure| {
        failure.within(
            Reason::Objects,
            "unable to build kubernetes objects from release manifest: ",
        )
    })?;
    for object in &mut objects {
        action::own(object, ctx.name, ctx.namespace);
    }
    let all: Vec<&Object> = objects.iter().collect();
    let adopted = ctx
        .existing(&all, options.take_ownership, ctx.namespace)
        .await
        .map_err(|failure| {
            let reason = failure.reason;
            failure.within(reason, "unable to continue with install: ")
        })?;
    if options.create_namespace {
        create_namespace(ctx, method).await?;
    }
    let last = history.last();
    let start = Start {
        name: ctx.name,
        namespace: ctx.namespace,
        rendered: &rendered,
        values: &values,
        labels: &options.labels,
        method,
        now: ctx.time(),
    };
    let release = action::install(start, last);
    if let Some(last) = last.filter(|last| last.status() != weir_helm::Status::Failed) {
        let mut last = last.clone();
        action::supersede(&mut last, Some("superseded by new release"));
        ctx.storage.update(&last, ctx.now()).await.map_err(storage)?;
    }
    ctx.storage
        .create(&release, 0, ctx.now())
        .await
        .map_err(storage)?;
    Ok(Prepared {
        release,
        objects,
        adopted,
        method,
    })
}

async fn free_name(ctx: &Context<'_>, replace: bool) -> Result<Vec<Release>, Failure> {
    validate_name(ctx.name)
        .map_err(|error| Failure::new(Reason::Name, format!("release name {:?}: {error}", ctx.name)))?;
    let history = ctx.storage.history(ctx.name).await.map_err(storage)?;
    if !action::is_free(&history, replace) {
        let message = "cannot reuse a name that is still in use";
        return Err(Failure::new(Reason::InUse, message));
    }
    Ok(history)
}

/// Namespaces get the label that Helm gives them.
async fn create_namespace(ctx: &Context<'_>, method: ApplyMethod) -> Result<(), Failure> {
    let namespace = json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": ctx.namespace, "labels": {"name": ctx.namespace}},
    });
    let namespace =
        Object::from_value(namespace).map_err(|error| Failure::new(Reason::Objects, error.to_string()))?;
    if method == ApplyMethod::Server {
        return Writer::new(*ctx, method)
            .create_all(&mut [namespace], &mut Changes::default())
            .await
            .map(drop);
    }
    match ctx.client.create(&namespace, ctx.manager).await {
        Ok(_) => Ok(()),
        Err(error) if error.reason() == "AlreadyExists" => Ok(()),
        Err(error) => Err(Failure::new(Reason::Apply, chain(&error))),
    }
}

async fn perform(
    ctx: &Context<'_>,
    prepared: &mut Prepared,
    options: &InstallOptions,
) -> Result<Changes, Failure> {
    let Prepared {
        release,
        objects,
        adopted,
        method,
    } = prepared;
    let method = *method;
    let run = &options.run;
    let all = Filter::default();
    ctx.run_hooks(run, release, Event::PreInstall, &all, method)
        .await
        .map_err(|failure| failure.within(Reason::Hook, "failed pre-install: "))?;
    let mut changes = Changes::default();
    let mut writer = Writer::new(*ctx, method);
    let stored = if adopted.is_empty() {
        if objects.is_empty() {
            Vec::new()
        } else {
            writer.create_all(objects, &mut changes).await?
        }
    } else {
        writer.force_conflicts = method == ApplyMethod::Server;
        writer.migrate = true;
        writer.three_way_for_custom = options.take_ownership;
        writer.update_all(adopted, objects, &mut changes).await?
    };
    ctx.wait_until_ready(run, &stored).await?;
    ctx.run_hooks(run, release, Event::PostInstall, &all, method)
        .await
        .map_err(|failure| failure.within(Reason::Hook, "failed post-install: "))?;
    Ok(changes)
}

/// Renders for this cluster, as it is now.
pub(crate) async fn render(
    ctx: &Context<'_>,
    template: Template,
    revision: i64,
    is_upgrade: bool,
) -> Result<Rendered, Failure> {
    let asked = match ctx.discovery {
        Some(discovery) => discovery.capabilities(ctx.client).await,
        None => crate::capabilities(ctx.client).await,
    };
    let capabilities = asked.map_err(|error| {
        let message = format!("could not get server version from Kubernetes: {}", chain(&error));
        Failure::new(Reason::Cluster, message)
    })?;
    let options = Options {
        revision,
        is_upgrade,
        capabilities,
        ..Options::new(ctx.name, ctx.namespace)
    };
    let rendered = template.render(ctx.client, options).await?;
    for warning in &rendered.warnings {
        ctx.tell("warning", &json!(warning));
    }
    Ok(rendered)
}

/// Nobody may ask for labels that Helm needs for itself.
pub(crate) fn check_labels(labels: &BTreeMap<String, String>) -> Result<(), Failure> {
    let system = weir_helm::SYSTEM_LABELS;
    if labels.keys().any(|key| system.contains(&key.as_str())) {
        let message =
            format!("user supplied labels contains system reserved label name. System labels: {system:?}");
        return Err(Failure::new(Reason::Name, message));
    }
    Ok(())
}

pub(crate) fn storage(error: crate::StorageError) -> Failure {
    Failure::new(Reason::Storage, error.to_string())
}
