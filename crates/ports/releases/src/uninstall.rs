//! Takes a release away.

use serde_json::json;
use weir_apis::Object;
use weir_cluster::Propagation;
use weir_helm::action::{self, Fate, Filter};
use weir_helm::{ApplyMethod, Event, Manifest, Order, Release, Status, validate_name};

use crate::Changes;
use crate::context::{Context, Done, Run, WaitStrategy};
use crate::error::{ActionError, Failure, Reason};
use crate::install::storage;

/// How a release is removed.
#[derive(Debug, Clone)]
pub struct UninstallOptions {
    /// Timeout, waits, hooks.
    pub run: Run,
    /// The revisions are remembered.
    pub keep_history: bool,
    /// What happens to what the objects own.
    pub propagation: Propagation,
}

impl Default for UninstallOptions {
    /// Nothing is remembered; owned objects go in the background.
    fn default() -> Self {
        Self {
            run: Run::default(),
            keep_history: false,
            propagation: Propagation::Background,
        }
    }
}

/// Removes a release.
///
/// Flow: hooks, the revision is recorded as being removed, objects are deleted (webhooks first, then the reverse of how
/// they came), what is to be waited for is, hooks; the records go, or the last one says that it is removed.
///
/// A removal that was broken off is begun again. What fails after the objects are deleted does not stop the rest.
pub async fn uninstall(ctx: &Context<'_>, options: &UninstallOptions) -> Result<Done, ActionError> {
    let (mut release, history) = match begin(ctx, options).await {
        Ok(Begun::Now(release, history)) => (release, history),
        Ok(Begun::Before(release)) => {
            let changes = Changes::default();
            return Ok(Done { release, changes });
        }
        Err(failure) => return Err(ctx.unrecorded(failure)),
    };
    let namespace = release.namespace.clone();
    let ctx = &Context {
        namespace: &namespace,
        ..*ctx
    };
    let run = &options.run;
    let all = Filter::default();
    let method = ApplyMethod::Server;
    if let Err(failure) = ctx
        .run_hooks(run, &mut release, Event::PreDelete, &all, method)
        .await
    {
        return Err(ActionError::new(ctx.log, failure, Some(release)));
    }
    ctx.record(&release).await;
    let mut changes = Changes::default();
    if let Err(failure) = delete(ctx, &release, options, &mut changes).await {
        return Err(ActionError::new(ctx.log, failure, Some(release)));
    }
    let mut errors = Vec::new();
    if run.wait != WaitStrategy::HooksOnly {
        let gone = ctx.wait_until_gone(run.timeout, &changes.deleted).await;
        errors.extend(gone.err());
    }
    let ran = ctx
        .run_hooks(run, &mut release, Event::PostDelete, &all, method)
        .await;
    errors.extend(ran.err());
    if let Some(cancelled) = errors.iter().find(|failure| failure.reason == Reason::Cancelled) {
        return Err(ActionError::new(ctx.log, cancelled.clone(), Some(release)));
    }
    let info = release.info.get_or_insert_default();
    info.status = Status::Uninstalled;
    "Uninstallation complete".clone_into(&mut info.description);
    errors.extend(
        conclude(ctx, &release, &history, options.keep_history)
            .await
            .err(),
    );
    let Some(first) = errors.first() else {
        return Ok(Done { release, changes });
    };
    let texts: Vec<&str> = errors.iter().map(|failure| failure.message.as_str()).collect();
    let message = format!(
        "uninstallation completed with {} error(s): {}",
        errors.len(),
        texts.join("; ")
    );
    Err(ActionError::new(
        ctx.log,
        Failure::new(first.reason, message),
        Some(release),
    ))
}

/// Whether there is anything to do.
enum Begun {
    /// There is: the last revision, marked as being removed, and all revisions.
    Now(Release, Vec<Release>),
    /// It was done before; only records were left.
    Before(Release),
}

async fn begin(ctx: &Context<'_>, options: &UninstallOptions) -> Result<Begun, Failure> {
    validate_name(ctx.name).map_err(|_| {
        Failure::new(
            Reason::Name,
            format!("uninstall: Release name is invalid: {}", ctx.name),
        )
    })?;
    let history = ctx.storage.history(ctx.name).await.map_err(storage)?;
    let Some(last) = history.last() else {
        let message = format!("uninstall: Release not loaded: {}: release: not found", ctx.name);
        return Err(Failure::new(Reason::Missing, message));
    };
    let mut last = last.clone();
    if last.status() == Status::Uninstalled {
        if options.keep_history {
            let message = format!("the release named {:?} is already deleted", ctx.name);
            return Err(Failure::new(Reason::Missing, message));
        }
        purge(ctx, &history).await?;
        return Ok(Begun::Before(last));
    }
    ctx.tell("uninstall: deleting release", &json!({"name": ctx.name}));
    let info = last.info.get_or_insert_default();
    info.status = Status::Uninstalling;
    info.deleted = Some(ctx.time());
    "Deletion in progress (or silently failed)".clone_into(&mut info.description);
    Ok(Begun::Now(last, history))
}

async fn delete(
    ctx: &Context<'_>,
    release: &Release,
    options: &UninstallOptions,
    changes: &mut Changes,
) -> Result<(), Failure> {
    ctx.check_cancelled()?;
    let mut objects = Vec::new();
    for manifest in in_order(&release.manifest)? {
        let fate = action::fate_of(&manifest.head);
        if fate == Fate::Leave {
            continue;
        }
        let built = ctx.build_document(&manifest.content).await.map_err(|failure| {
            failure.within(Reason::Objects, "unable to build kubernetes objects for delete: ")
        })?;
        if fate == Fate::Keep {
            changes.kept.extend(built.iter().map(Object::reference));
        } else {
            objects.extend(built);
        }
    }
    let errors = ctx.delete_all(&objects, options.propagation, changes).await;
    if errors.is_empty() {
        return Ok(());
    }
    let message = format!("failed to delete release: {}: {}", ctx.name, errors.join("; "));
    Err(Failure::new(Reason::Apply, message))
}

/// The documents in the order in which they go.
fn in_order(manifest: &str) -> Result<Vec<Manifest>, Failure> {
    let documents: Vec<(String, &str)> = weir_helm::split(manifest)
        .into_iter()
        .enumerate()
        .map(|(at, document)| (format!("manifest-{at}"), document))
        .collect();
    let documents = documents
        .iter()
        .map(|(name, document)| (name.as_str(), *document));
    weir_helm::sort(documents, Order::Uninstall)
        .map(|sorted| sorted.manifests)
        .map_err(|error| {
            let message =
                format!("corrupted release record. You must manually delete the resources: {error}");
            Failure::new(Reason::Objects, message)
        })
}

/// Forgets the release, or records that it is removed.
async fn conclude(
    ctx: &Context<'_>,
    release: &Release,
    history: &[Release],
    keep_history: bool,
) -> Result<(), Failure> {
    if !keep_history {
        return purge(ctx, history).await;
    }
    ctx.storage.update(release, ctx.now()).await.map_err(storage)?;
    let others = action::deployed(history).filter(|other| other.version != release.version);
    for other in others {
        let mut other = other.clone();
        action::supersede(&mut other, None);
        ctx.record(&other).await;
    }
    Ok(())
}

/// The newest record goes last, so that a removal that is broken off can be begun again.
async fn purge(ctx: &Context<'_>, history: &[Release]) -> Result<(), Failure> {
    for release in history {
        ctx.storage
            .delete(&release.name, release.version)
            .await
            .map_err(|error| {
                Failure::new(
                    Reason::Storage,
                    format!("uninstall: Failed to purge the release: {error}"),
                )
            })?;
    }
    Ok(())
}
