//! A new revision that is an earlier one again.

use weir_apis::Object;
use weir_helm::action::{self, Filter, Method};
use weir_helm::{ApplyMethod, Event, Release, Status, validate_name};

use crate::Changes;
use crate::context::{Context, Done, Run};
use crate::error::{ActionError, Failure, Reason};
use crate::install::storage;
use crate::upgrade::clean_up;
use crate::write::Writer;

/// How a release is rolled back.
#[derive(Debug, Clone, Default)]
pub struct RollbackOptions {
    /// Timeout, waits, hooks.
    pub run: Run,
    /// The revision to go back to; 0 for the one before the last.
    pub version: i64,
    /// Who merges; `auto` as the revision that is gone back to was.
    pub method: Method,
    /// Objects are replaced instead of patched. Without effect where the API server merges.
    pub force: bool,
    /// Objects that were created go again if the rollback fails.
    pub cleanup_on_fail: bool,
    /// How many revisions are remembered; 0 for all.
    pub max_history: usize,
}

/// Rolls a release back. Nothing is rendered: the earlier record has it all.
///
/// Two differences from Helm: a hook that fails leaves the revision failed, where Helm leaves it pending; and objects of
/// the deployed revision go also where a failed one came after it, so that a rollback that was broken off is completed by
/// the next one.
pub async fn rollback(ctx: &Context<'_>, options: &RollbackOptions) -> Result<Done, ActionError> {
    let mut prepared = prepare(ctx, options)
        .await
        .map_err(|failure| ctx.unrecorded(failure))?;
    let mut changes = Changes::default();
    if let Err(failed) = perform(ctx, &mut prepared, options, &mut changes).await {
        return Err(fail(ctx, prepared, options, &changes, failed).await);
    }
    let mut release = prepared.release;
    let history = match ctx.storage.history(ctx.name).await {
        Ok(history) => history,
        Err(error) => return Err(ActionError::new(ctx.log, storage(error), Some(release))),
    };
    for deployed in action::deployed(&history) {
        let mut deployed = deployed.clone();
        action::supersede(&mut deployed, None);
        ctx.record(&deployed).await;
    }
    let pending = release.clone();
    action::deploy(&mut release, None);
    match ctx.storage.update(&release, ctx.now()).await {
        Ok(()) => Ok(Done { release, changes }),
        Err(error) => Err(ActionError::new(ctx.log, storage(error), Some(pending))),
    }
}

/// A rollback that is recorded and not begun.
struct Prepared {
    release: Release,
    last: Release,
    originals: Vec<Object>,
    targets: Vec<Object>,
    method: ApplyMethod,
}

async fn prepare(ctx: &Context<'_>, options: &RollbackOptions) -> Result<Prepared, Failure> {
    validate_name(ctx.name).map_err(|_| {
        Failure::new(
            Reason::Name,
            format!("prepareRollback: Release name is invalid: {}", ctx.name),
        )
    })?;
    let history = ctx.storage.history(ctx.name).await.map_err(storage)?;
    let last = history
        .last()
        .ok_or_else(|| Failure::new(Reason::Missing, "release: not found"))?;
    let target = action::rollback_target(&history, options.version)
        .map_err(|version| Failure::new(Reason::Missing, format!("release has no {version} version")))?;
    let method = options.method.decide(target);
    let release = action::rollback(last, target, method, ctx.time());
    let at_home = &Context {
        namespace: &release.namespace,
        ..*ctx
    };
    let mut originals: Vec<Object> = Vec::new();
    for revision in action::present(&history) {
        let objects = at_home.build(&revision.manifest).await.map_err(|failure| {
            failure.within(
                Reason::Objects,
                "unable to build kubernetes objects from current release manifest: ",
            )
        })?;
        for object in objects {
            if action::original_of(&originals, &object).is_none() {
                originals.push(object);
            }
        }
    }
    let mut targets = at_home.build(&release.manifest).await.map_err(|failure| {
        failure.within(
            Reason::Objects,
            "unable to build kubernetes objects from new release manifest: ",
        )
    })?;
    for target in &mut targets {
        action::own(target, ctx.name, &release.namespace);
    }
    ctx.storage
        .create(&release, options.max_history, ctx.now())
        .await
        .map_err(storage)?;
    Ok(Prepared {
        release,
        last: last.clone(),
        originals,
        targets,
        method,
    })
}

/// Where a rollback failed: what Helm then writes differs.
enum Failed {
    /// While objects were written.
    Write(Failure),
    /// In a hook or a wait.
    Other(Failure),
}

async fn perform(
    ctx: &Context<'_>,
    prepared: &mut Prepared,
    options: &RollbackOptions,
    changes: &mut Changes,
) -> Result<(), Failed> {
    let Prepared {
        release,
        originals,
        targets,
        method,
        ..
    } = prepared;
    let method = *method;
    let namespace = release.namespace.clone();
    let ctx = &Context {
        namespace: &namespace,
        ..*ctx
    };
    let run = &options.run;
    let all = Filter::default();
    ctx.run_hooks(run, release, Event::PreRollback, &all, method)
        .await
        .map_err(Failed::Other)?;
    let mut writer = Writer::new(*ctx, method);
    writer.force_conflicts = method == ApplyMethod::Server;
    writer.replace = options.force && method == ApplyMethod::Client;
    writer.migrate = true;
    let stored = writer
        .update_all(originals, targets, changes)
        .await
        .map_err(Failed::Write)?;
    ctx.wait_until_ready(run, &stored).await.map_err(Failed::Other)?;
    ctx.run_hooks(run, release, Event::PostRollback, &all, method)
        .await
        .map_err(Failed::Other)?;
    Ok(())
}

async fn fail(
    ctx: &Context<'_>,
    prepared: Prepared,
    options: &RollbackOptions,
    changes: &Changes,
    failed: Failed,
) -> ActionError {
    let name = ctx.name;
    match failed {
        Failed::Write(mut failure) => {
            let description = format!("Rollback {name:?} failed: {}", failure.message);
            if prepared.last.status() != Status::Superseded {
                let mut last = prepared.last;
                action::supersede(&mut last, None);
                ctx.record(&last).await;
            }
            let cleaned = clean_up(ctx, &prepared.targets, options.cleanup_on_fail, changes).await;
            if let Err(message) = cleaned {
                failure.message = format!(
                    "an error occurred while cleaning up resources. original rollback error: {}: {message}",
                    failure.message
                );
            }
            ctx.failed(prepared.release, failure, &description).await
        }
        Failed::Other(failure) => {
            let description = format!("Release {name:?} failed: {}", failure.message);
            let reason = failure.reason;
            let failure = failure.within(reason, &format!("release {name} failed: "));
            ctx.failed(prepared.release, failure, &description).await
        }
    }
}
