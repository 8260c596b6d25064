//! The hands: look at what is there, let the plan engine decide, do what it says.
//!
//! Flow: for each object of a stage, what the mirror shows is compared with what was applied last; only where that
//! does not settle it the API server is asked, by a server-side dry-run. If one dry-run fails nothing of the stage is
//! written. Then the plan's steps are carried out one by one, in its order.
//!
//! One dry-run of a stage is left out: where the first object to be written does not exist, writing it answers the
//! same question, and nothing else is written yet should the answer be no. It is written on the condition that it still
//! does not exist. Where that fails, for this or any other reason, it is dry-run as all others are.
//!
//! Guarantees: an unchanged object costs no write, and no request at all where the memory settles it. Every step is
//! safe to repeat, so a process that dies in between leaves nothing that the next one would not finish.

use std::collections::HashMap;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use weir_apis::{Object, ObjectRef};
use weir_plan::{
    Action, ChangeSet, Delete, Deletion, Desired, DryRun, Fingerprint, LastApplied, Observed, Options,
    Outcome, Owner, PrunePlan, SkipReason, Stage, StageError, StageKind, StagePlan, Step,
};

use crate::observe::{Seen, ask, ask_all, look};
use crate::{ApiError, Client, Lookup, Memory, Propagation, Write};

/// Objects of one stage that are looked at at once.
pub(crate) const IN_FLIGHT: usize = 8;
/// A `resourceVersion` that no object has. An apply that carries it creates the object if there is none, and is a
/// conflict if there is one (kube-apiserver v1.34, for built-in types and custom resources alike).
const NO_VERSION: &str = "9223372036854775807";
/// How often to look whether a deleted object is gone.
const GONE_POLL: Duration = Duration::from_millis(250);
/// How long an object that is recreated may take to go.
const GONE_LONGEST: Duration = Duration::from_mins(1);

/// What is known of live objects without asking, and where to put what was learned.
pub trait View: Sync {
    /// What is known of an object.
    fn look(&self, object: &ObjectRef) -> Lookup;
    /// Takes in an object that a write returned.
    fn note(&self, object: &Object);
    /// What was applied last.
    fn memory(&self) -> &Memory;
}

/// Why a stage was not, or not wholly, applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// Nothing was written: the plan could not be made.
    #[error(transparent)]
    Plan(#[from] StageError),
    /// An object can't be read.
    #[error("cannot read {object}")]
    Read {
        /// Which one.
        object: Box<ObjectRef>,
        /// Why not.
        #[source]
        source: ApiError,
    },
    /// An object can't be written.
    #[error("{object} apply failed")]
    Write {
        /// Which one.
        object: Box<ObjectRef>,
        /// Why not.
        #[source]
        source: ApiError,
    },
    /// An object that is to be recreated does not go away.
    #[error("{object} was deleted to be created again, but is still there after {} s; its finalizers may hold it", GONE_LONGEST.as_secs())]
    StillThere {
        /// Which one.
        object: Box<ObjectRef>,
    },
}

/// Applies one stage. `done` collects what happened to each object, also when it fails half way.
pub async fn apply_stage(
    client: &Client,
    view: &dyn View,
    stage: Stage,
    options: &Options,
    done: &mut ChangeSet,
) -> Result<(), ApplyError> {
    let manager = options.takeover.manager.as_str();
    // The futures are made first: a closure inside the stream would have to be general over lifetimes.
    let looks: Vec<_> = stage
        .desired
        .into_iter()
        .map(|desired| look(client, view, desired))
        .collect();
    let seen: Vec<Seen> = stream::iter(looks).buffered(IN_FLIGHT).try_collect().await?;
    let observed = ask_all(client, seen, manager).await?;
    let (plan, mut unchanged) = decide(stage.kind, observed, options)?;
    for step in plan.into_steps() {
        let first = match step.action() {
            Action::CreateFirst { desired } => Some((Desired::clone(desired), step.reference().clone())),
            _ => None,
        };
        match (
            first,
            carry_out(client, view, step, &mut unchanged, manager, done).await,
        ) {
            (Some((desired, object)), Err(ApplyError::Write { source, .. })) if is_answer(&source) => {
                let observed = ask(client, Seen::absent(desired, object), manager).await?;
                let (plan, mut unchanged) = decide(stage.kind, vec![observed], options)?;
                for step in plan.into_steps() {
                    carry_out(client, view, step, &mut unchanged, manager, done).await?;
                }
            }
            (_, result) => result?,
        }
    }
    Ok(())
}

/// Objects whose dry-run says that nothing differs: they need no question next time.
type Unchanged = HashMap<ObjectRef, LastApplied>;

fn decide(
    kind: StageKind,
    observed: Vec<(Desired, Observed)>,
    options: &Options,
) -> Result<(StagePlan, Unchanged), StageError> {
    let unchanged = observed
        .iter()
        .filter_map(|(desired, seen)| match (&seen.live, &seen.dry_run) {
            (Some(live), DryRun::Applied(_)) => {
                Some((desired.reference().clone(), LastApplied::new(desired, live)))
            }
            _ => None,
        })
        .collect();
    Ok((StagePlan::new(kind, observed, options)?, unchanged))
}

/// Whether the API server, or what it said about itself, refused: then nothing was written.
fn is_answer(error: &ApiError) -> bool {
    matches!(error, ApiError::Status { .. } | ApiError::UnknownKind(_))
}

async fn carry_out(
    client: &Client,
    view: &dyn View,
    step: Step,
    unchanged: &mut Unchanged,
    manager: &str,
    done: &mut ChangeSet,
) -> Result<(), ApplyError> {
    let (object, outcome) = (step.reference().clone(), step.action().outcome());
    let known = unchanged.remove(step.desired_reference());
    let fingerprint = step.fingerprint();
    let body = match step.into_action() {
        Action::Skip { .. } => None,
        Action::Unchanged => {
            if let Some(known) = known {
                view.memory().remember(&object, known);
            }
            None
        }
        Action::Create { body } => Some(body),
        Action::CreateFirst { desired } => {
            let mut body = desired.into_object();
            body.metadata_mut()
                .insert("resourceVersion".into(), json!(NO_VERSION));
            Some(body)
        }
        Action::Apply { cleanup, body, .. } => {
            if let Some(cleanup) = cleanup {
                tidy_up(client, &object, cleanup.operations(), manager).await?;
            }
            Some(body)
        }
        Action::Recreate { uid, body, .. } => {
            recreate(client, view, &object, &uid).await?;
            Some(body)
        }
    };
    if let Some(body) = body {
        write(client, view, &object, &body, fingerprint, manager).await?;
    }
    done.push(object, outcome);
    Ok(())
}

/// Applies an object, and remembers what was applied.
async fn write(
    client: &Client,
    view: &dyn View,
    object: &ObjectRef,
    body: &Object,
    fingerprint: Fingerprint,
    manager: &str,
) -> Result<(), ApplyError> {
    view.memory().begin(object);
    let result = client
        .apply(
            body,
            Write {
                manager,
                force: true,
                dry_run: false,
            },
        )
        .await;
    let applied = result.as_ref().ok().map(|stored| LastApplied {
        fingerprint,
        uid: stored.uid().into(),
        resource_version: stored.resource_version().into(),
    });
    view.memory().finish(object, applied);
    match result {
        Ok(stored) => {
            view.note(&stored);
            Ok(())
        }
        Err(source) => Err(ApplyError::Write {
            object: Box::new(object.clone()),
            source,
        }),
    }
}

/// Takes over fields and removes what earlier tools left. The object may have changed since it was looked at; then the
/// patch's test fails, and the next reconcile does it.
async fn tidy_up(
    client: &Client,
    object: &ObjectRef,
    operations: &Value,
    manager: &str,
) -> Result<(), ApplyError> {
    match client.json_patch(object, operations, manager).await {
        Ok(_) => Ok(()),
        Err(source) => Err(ApplyError::Write {
            object: Box::new(object.clone()),
            source,
        }),
    }
}

async fn recreate(client: &Client, view: &dyn View, object: &ObjectRef, uid: &str) -> Result<(), ApplyError> {
    let failed = |source| ApplyError::Write {
        object: Box::new(object.clone()),
        source,
    };
    view.memory().forget(object);
    client
        .delete(object, Propagation::Background, Some(uid))
        .await
        .map_err(failed)?;
    let mut waited = Duration::ZERO;
    while waited < GONE_LONGEST {
        match client.get(object).await.map_err(failed)? {
            Some(live) if live.uid() == uid => {}
            _ => return Ok(()),
        }
        tokio::time::sleep(GONE_POLL).await;
        waited += GONE_POLL;
    }
    Err(ApplyError::StillThere {
        object: Box::new(object.clone()),
    })
}

/// What a prune did.
#[derive(Debug, Default)]
pub struct Pruned {
    /// What happened to each object.
    pub changes: ChangeSet,
    /// Objects that should go and could not be deleted; they stay in the inventory.
    pub failed: Vec<(ObjectRef, ApiError)>,
    /// Objects whose deletion was asked for, with their uids.
    pub deleted: Vec<Delete>,
}

/// Deletes what a plan names, each after a look whether it is still ours. One failure does not stop the others.
pub async fn prune(client: &Client, view: &dyn View, plan: &PrunePlan, owner: &Owner) -> Pruned {
    let mut pruned = Pruned::default();
    for object in plan.objects() {
        match prune_one(client, view, object, owner).await {
            Ok(Deletion::Delete(delete)) => {
                pruned.changes.push(object.clone(), Outcome::Deleted);
                pruned.deleted.push(delete);
            }
            Ok(Deletion::Gone | Deletion::Skip(SkipReason::NotOwned)) => {}
            Ok(Deletion::Skip(_)) => pruned.changes.push(object.clone(), Outcome::Skipped),
            Err(error) => pruned.failed.push((object.clone(), error)),
        }
    }
    pruned
}

async fn prune_one(
    client: &Client,
    view: &dyn View,
    object: &ObjectRef,
    owner: &Owner,
) -> Result<Deletion, ApiError> {
    let live = match client.get(object).await {
        Ok(live) => live,
        // The kind itself is gone, and its objects with it.
        Err(ApiError::UnknownKind(_)) => None,
        Err(error) => return Err(error),
    };
    let deletion = Deletion::decide(object, live.as_ref(), owner);
    if let Deletion::Delete(delete) = &deletion {
        view.memory().forget(object);
        client
            .delete(object, Propagation::Background, Some(delete.uid()))
            .await?;
    }
    Ok(deletion)
}
