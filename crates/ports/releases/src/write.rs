//! Writes objects of a release, by server-side apply or by the client's own patches.

use std::time::Duration;

use futures::{StreamExt, stream};
use serde_json::{Value, json};
use weir_apis::{GroupVersionKind, Object, ObjectRef};
use weir_cluster::{ApiError, Applied, Propagation, chain};
use weir_helm::ApplyMethod;
use weir_helm::action;
use weir_plan::client_side_to_apply;

use crate::Context;
use crate::error::{Failure, Reason};
use crate::patch::{self, Patch};

/// Objects of one kind that are written at once.
const IN_FLIGHT: usize = 8;
/// How often a write is tried that another one got in the way of.
const ATTEMPTS: usize = 5;
/// Pause before the next try.
const PAUSE: Duration = Duration::from_millis(10);

/// What happened to objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Were not there.
    pub created: Vec<ObjectRef>,
    /// Were there; whether a write changed them is not known.
    pub updated: Vec<ObjectRef>,
    /// Left the manifest, or the release was removed.
    pub deleted: Vec<ObjectRef>,
    /// Stay because their policy says so.
    pub kept: Vec<ObjectRef>,
}

/// How objects are written.
pub(crate) struct Writer<'a> {
    pub(crate) ctx: Context<'a>,
    /// Who merges.
    pub(crate) method: ApplyMethod,
    /// The server takes fields from others. Only where it merges.
    pub(crate) force_conflicts: bool,
    /// Objects are replaced instead of patched. Only where the client merges.
    pub(crate) replace: bool,
    /// The client looks at what is there for custom resources too.
    pub(crate) three_way_for_custom: bool,
    /// What an earlier client-side merge wrote becomes ours before the server merges.
    pub(crate) migrate: bool,
}

impl<'a> Writer<'a> {
    /// Without any of the switches.
    pub(crate) fn new(ctx: Context<'a>, method: ApplyMethod) -> Self {
        Self {
            ctx,
            method,
            force_conflicts: false,
            replace: false,
            three_way_for_custom: false,
            migrate: false,
        }
    }

    /// Creates objects, those of one kind at once, and gives them as they are stored. All are tried. Objects whose name
    /// the server makes up get it.
    pub(crate) async fn create_all(
        &self,
        objects: &mut [Object],
        changes: &mut Changes,
    ) -> Result<Vec<Object>, Failure> {
        self.ctx
            .tell("creating resource(s)", &json!({"resources": objects.len()}));
        let mut all = Vec::with_capacity(objects.len());
        let mut errors = Vec::new();
        for batch in objects.chunk_by_mut(|a, b| a.kind() == b.kind()) {
            self.ctx.check_cancelled()?;
            // The futures are made first: a closure inside the stream would have to be general over lifetimes.
            let writes: Vec<_> = batch.iter().map(|object| self.create(object)).collect();
            let stored: Vec<Result<Object, String>> =
                stream::iter(writes).buffered(IN_FLIGHT).collect().await;
            for (object, stored) in batch.iter_mut().zip(stored) {
                match stored {
                    Ok(stored) => {
                        take_name(object, &stored);
                        changes.created.push(object.reference());
                        all.push(stored);
                    }
                    Err(error) => errors.push(error),
                }
            }
        }
        all_or(errors, "\n")?;
        Ok(all)
    }

    async fn create(&self, object: &Object) -> Result<Object, String> {
        match self.method {
            ApplyMethod::Server => self.apply(object).await.map(|applied| applied.object),
            ApplyMethod::Client => self
                .ctx
                .client
                .create(object, self.ctx.manager)
                .await
                .map_err(|error| chain(&error)),
        }
    }

    /// Applies; a quota that others count up at the same moment is tried again.
    async fn apply(&self, object: &Object) -> Result<Applied, String> {
        if object.name().is_empty() {
            return Err("resource name may not be empty".to_owned());
        }
        let write = weir_cluster::Write {
            manager: self.ctx.manager,
            force: self.force_conflicts,
            dry_run: false,
        };
        let mut attempt = 1;
        loop {
            match self.ctx.client.apply_strictly(object, write).await {
                Ok(stored) => return Ok(stored),
                Err(error) if attempt < ATTEMPTS && is_quota_conflict(&error) => {
                    attempt += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => {
                    let what = if error.is_conflict() {
                        "conflict occurred while applying object"
                    } else {
                        "server-side apply failed for object"
                    };
                    return Err(format!("{what} {}: {}", go_name(object), chain(&error)));
                }
            }
        }
    }

    /// Brings the cluster from the objects of one manifest to those of the next: what is missing is created, what is
    /// there updated, and when all went well, what left is deleted, unless its policy keeps it. Gives the objects as they
    /// are stored.
    ///
    /// `changes` tells what was done or tried, also after a failure.
    pub(crate) async fn update_all(
        &self,
        originals: &[Object],
        targets: &mut [Object],
        changes: &mut Changes,
    ) -> Result<Vec<Object>, Failure> {
        let ctx = &self.ctx;
        ctx.tell(
            "checking resources for changes",
            &json!({"resources": targets.len()}),
        );
        let mut all = Vec::with_capacity(targets.len());
        let mut errors = Vec::new();
        for target in &mut *targets {
            ctx.check_cancelled()?;
            match self.bring(originals, target, changes).await? {
                Ok(stored) => all.push(stored),
                Err(error) => errors.push(error),
            }
        }
        all_or(std::mem::take(&mut errors), " && ")?;
        for gone in action::removed(originals, targets) {
            ctx.check_cancelled()?;
            if let Err(error) = self.remove(&gone.reference(), changes).await {
                errors.push(error);
            }
        }
        all_or(errors, " && ")?;
        Ok(all)
    }

    /// Creates or updates one object. A failed update is the inner error, and does not stop the others.
    async fn bring(
        &self,
        originals: &[Object],
        target: &mut Object,
        changes: &mut Changes,
    ) -> Result<Result<Object, String>, Failure> {
        if self.needs_live() {
            let live = self.live(target).await?;
            return self.bring_from(live.as_ref(), originals, target, changes).await;
        }
        match self.apply(target).await {
            Ok(applied) if applied.is_new => {
                self.created(target, &applied.object, changes);
                Ok(Ok(applied.object))
            }
            Ok(applied) => {
                changes.updated.push(target.reference());
                Ok(Ok(applied.object))
            }
            // Which of the two it would have been decides what follows.
            Err(error) => match self.live(target).await {
                Ok(Some(_)) => {
                    changes.updated.push(target.reference());
                    Ok(Err(error))
                }
                Ok(None) => {
                    changes.created.push(target.reference());
                    Err(not_created(&error))
                }
                Err(_) => Err(Failure::new(Reason::Apply, error)),
            },
        }
    }

    /// Whether what is there decides how it is written. Where the server merges, an apply is the same whether it creates
    /// or updates, and its answer tells which it was.
    fn needs_live(&self) -> bool {
        self.method == ApplyMethod::Client || self.replace || self.migrate
    }

    async fn live(&self, target: &Object) -> Result<Option<Object>, Failure> {
        if target.name().is_empty() {
            return Ok(None);
        }
        self.ctx.client.get(&target.reference()).await.map_err(|error| {
            let message = format!("could not get information about the resource: {}", chain(&error));
            Failure::new(Reason::Apply, message)
        })
    }

    async fn bring_from(
        &self,
        live: Option<&Object>,
        originals: &[Object],
        target: &mut Object,
        changes: &mut Changes,
    ) -> Result<Result<Object, String>, Failure> {
        let Some(live) = live else {
            return match self.create(target).await {
                Ok(stored) => {
                    self.created(target, &stored, changes);
                    Ok(Ok(stored))
                }
                Err(error) => {
                    changes.created.push(target.reference());
                    Err(not_created(&error))
                }
            };
        };
        let original = action::original_of(originals, target).unwrap_or(live);
        let updated = self.update(original, target, live).await;
        changes.updated.push(target.reference());
        Ok(updated)
    }

    fn created(&self, target: &mut Object, stored: &Object, changes: &mut Changes) {
        changes.created.push(target.reference());
        take_name(target, stored);
        self.ctx
            .tell("created a new resource", &named(&stored.reference()));
    }

    /// Deletes an object that left the manifest.
    async fn remove(&self, object: &ObjectRef, changes: &mut Changes) -> Result<(), String> {
        let ctx = &self.ctx;
        ctx.tell("deleting resource", &named(object));
        let live = match ctx.client.get(object).await {
            Ok(Some(live)) => live,
            Ok(None) => return Ok(()),
            Err(error) => {
                ctx.tell("unable to get object", &with_error(object, &error));
                return Ok(());
            }
        };
        if action::is_kept(&live) {
            ctx.tell("skipping delete due to annotation", &named(object));
            changes.kept.push(object.clone());
            return Ok(());
        }
        let deleted = ctx.client.delete(object, Propagation::Background, None).await;
        match deleted {
            Ok(()) => {
                changes.deleted.push(object.clone());
                Ok(())
            }
            Err(error) => {
                ctx.tell("failed to delete resource", &with_error(object, &error));
                Err(format!(
                    "failed to delete resource namespace={}, name={}, kind={}: {}",
                    object.namespace,
                    object.name,
                    object.gvk.kind,
                    chain(&error)
                ))
            }
        }
    }

    async fn update(&self, original: &Object, target: &Object, live: &Object) -> Result<Object, String> {
        if self.replace {
            return self.put(target, live).await;
        }
        if self.method == ApplyMethod::Server {
            if self.migrate {
                self.take_client_side_fields(target, live).await?;
            }
            return self.apply(target).await.map(|applied| applied.object);
        }
        let patch = patch::make(original, target, live, self.three_way_for_custom)
            .map_err(|error| format!("failed to create patch: {error}"))?;
        let (client, manager, reference) = (self.ctx.client, self.ctx.manager, target.reference());
        let patched = match patch {
            Patch::Nothing => {
                self.ctx.tell("no changes detected", &named(&reference));
                return Ok(live.clone());
            }
            Patch::Strategic(patch) => client.strategic_merge(&reference, &patch, manager).await,
            Patch::Merge(patch) => client.merge(&reference, &patch, manager).await,
        };
        patched.map_err(|error| {
            format!(
                "cannot patch {:?} with kind {}: {}",
                target.name(),
                target.kind(),
                chain(&error)
            )
        })
    }

    async fn put(&self, target: &Object, live: &Object) -> Result<Object, String> {
        let mut body = target.clone();
        if body.resource_version().is_empty() {
            body.metadata_mut()
                .insert("resourceVersion".into(), live.resource_version().into());
        }
        let replaced = self.ctx.client.replace_strictly(&body, self.ctx.manager).await;
        replaced.map_err(|error| format!("failed to replace object: {}", chain(&error)))
    }

    /// What our manager wrote by create and update becomes its own by apply, so that what is no longer sent goes away.
    async fn take_client_side_fields(&self, target: &Object, live: &Object) -> Result<(), String> {
        let fail = |error: &ApiError| {
            format!(
                "failed to patch object to upgrade CSA field manager {}: {}",
                go_name(target),
                chain(error)
            )
        };
        let (client, manager, reference) = (self.ctx.client, self.ctx.manager, target.reference());
        let mut live = live.clone();
        for attempt in 1.. {
            let Some(patch) = client_side_to_apply(&live, manager) else {
                return Ok(());
            };
            match client.json_patch(&reference, patch.operations(), manager).await {
                Ok(_) => return Ok(()),
                Err(error) if attempt < ATTEMPTS && error.is_conflict() => {
                    tokio::time::sleep(PAUSE).await;
                    match client.get(&reference).await {
                        Ok(Some(newer)) => live = newer,
                        Ok(None) => return Ok(()),
                        Err(error) => return Err(fail(&error)),
                    }
                }
                Err(error) => return Err(fail(&error)),
            }
        }
        Ok(())
    }
}

impl Context<'_> {
    /// Deletes objects, those of one kind at once. All are tried; what could not be deleted is told, with the reason.
    pub(crate) async fn delete_all(
        &self,
        objects: &[Object],
        propagation: Propagation,
        changes: &mut Changes,
    ) -> Vec<String> {
        let mut errors = Vec::new();
        for batch in objects.chunk_by(|a, b| a.kind() == b.kind()) {
            let references: Vec<ObjectRef> = batch.iter().map(Object::reference).collect();
            let deletions: Vec<_> = references
                .iter()
                .map(|object| {
                    self.tell("starting delete resource", &named(object));
                    self.client.delete(object, propagation, None)
                })
                .collect();
            let deleted: Vec<Result<(), ApiError>> =
                stream::iter(deletions).buffered(IN_FLIGHT).collect().await;
            for (object, deleted) in references.into_iter().zip(deleted) {
                match deleted {
                    Ok(()) => changes.deleted.push(object),
                    Err(error) => errors.push(format!("{object}: {}", chain(&error))),
                }
            }
        }
        errors
    }
}

/// The name that the server made up.
fn take_name(object: &mut Object, stored: &Object) {
    if object.name().is_empty() {
        object.metadata_mut().insert("name".into(), stored.name().into());
    }
}

fn not_created(error: &str) -> Failure {
    Failure::new(Reason::Apply, format!("failed to create resource: {error}"))
}

fn all_or(errors: Vec<String>, separator: &str) -> Result<(), Failure> {
    if errors.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Reason::Apply, errors.join(separator)))
}

/// ResourceQuotas are counted by optimistic writes, which meet when many objects are created.
fn is_quota_conflict(error: &ApiError) -> bool {
    let text = error.to_string();
    error.is_conflict()
        && text.contains("Operation cannot be fulfilled on resourcequotas")
        && text.contains("the object has been modified")
}

/// `apps/web apps/v1, Kind=Deployment`, as Helm's messages have it.
fn go_name(object: &Object) -> String {
    let GroupVersionKind { kind, .. } = object.gvk();
    format!(
        "{}/{} {}, Kind={kind}",
        object.namespace(),
        object.name(),
        object.api_version()
    )
}

fn named(object: &ObjectRef) -> Value {
    json!({"namespace": object.namespace, "name": object.name, "kind": object.gvk.kind})
}

fn with_error(object: &ObjectRef, error: &ApiError) -> Value {
    let mut about = named(object);
    if let Some(about) = about.as_object_mut() {
        about.insert("error".into(), chain(error).into());
    }
    about
}
