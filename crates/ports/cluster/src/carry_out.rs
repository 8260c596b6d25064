//! The hands: look at what is there, let the plan engine decide, do what it says.
//!
//! Flow: for each object of a stage, what the mirror shows is compared with what was applied last; only where that
//! does not settle it the API server is asked, by a server-side dry-run. If one dry-run fails nothing of the stage is
//! written. Then the plan's steps are carried out one by one, in its order.
//!
//! Guarantees: an unchanged object costs no write, and no request at all where the memory settles it. Every step is
//! safe to repeat, so a process that dies in between leaves nothing that the next one would not finish.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;
use weir_apis::{Object, ObjectRef};
use weir_plan::{
    Action, ApiFailure, ChangeSet, Delete, Deletion, Desired, DryRun, LastApplied, Next, Observed, Options,
    Outcome, Owner, PrunePlan, SkipReason, Stage, StageError, StagePlan, Step,
};

use crate::{ApiError, Client, Lookup, Memory, Propagation, Write, chain};

/// Objects of one stage that are looked at at once.
const IN_FLIGHT: usize = 8;
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
        .map(|desired| observe(client, view, desired, manager))
        .collect();
    let observed: Vec<(Desired, Observed)> = stream::iter(looks).buffered(IN_FLIGHT).try_collect().await?;
    // An object that is as desired now needs no question next time.
    let mut unchanged = std::collections::HashMap::new();
    for (desired, seen) in &observed {
        if let (Some(live), DryRun::Applied(_)) = (&seen.live, &seen.dry_run) {
            unchanged.insert(desired.reference().clone(), LastApplied::new(desired, live));
        }
    }
    let plan = StagePlan::new(stage.kind, observed, options)?;
    for step in plan.into_steps() {
        let (reference, outcome) = (step.reference().clone(), step.action().outcome());
        let known = unchanged.remove(step.desired_reference());
        carry_out(client, view, step, known, manager).await?;
        done.push(reference, outcome);
    }
    Ok(())
}

/// Looks at one object: mirror, memory, and only then the API server.
async fn observe(
    client: &Client,
    view: &dyn View,
    desired: Desired,
    manager: &str,
) -> Result<(Desired, Observed), ApplyError> {
    let object = scoped(client, desired.reference()).await;
    let read_failed = |source| ApplyError::Read {
        object: Box::new(object.clone()),
        source,
    };
    let live = match view.look(&object) {
        Lookup::Known(live) => Some(Object::clone(&live)),
        Lookup::Absent => None,
        Lookup::Unsynced => match client.get(&object).await {
            Ok(live) => live,
            // The dry-run will say that nothing serves this kind, and for which object.
            Err(ApiError::UnknownKind(_)) => None,
            Err(error) if error.is_forbidden() => return Ok((desired, failed(None, error))),
            Err(error) => return Err(read_failed(error)),
        },
    };
    if let Some(proof) = live
        .as_ref()
        .and_then(|live| view.memory().is_unchanged(&desired, live))
    {
        return Ok((
            desired,
            Observed {
                live,
                dry_run: DryRun::Spared(proof),
            },
        ));
    }
    if desired.next(live.as_ref()) != Next::DryRun {
        return Ok((
            desired,
            Observed {
                live,
                dry_run: DryRun::NotAsked,
            },
        ));
    }
    let write = Write {
        manager,
        force: true,
        dry_run: true,
    };
    let answer = match client.apply(desired.object(), write).await {
        Ok(answer) => answer,
        Err(error) => {
            // Whether force may help depends on the live object, which the mirror does not show if it lacks our labels.
            let live = match live {
                Some(live) => Some(live),
                None => client.get(&object).await.unwrap_or_default(),
            };
            return Ok((desired, failed(live, error)));
        }
    };
    // It exists, but not with our labels, so the mirror did not show it: what it says about itself counts.
    let live = match live {
        None if !answer.resource_version().is_empty() => client.get(&object).await.map_err(read_failed)?,
        other => other,
    };
    if desired.next(live.as_ref()) != Next::DryRun {
        return Ok((
            desired,
            Observed {
                live,
                dry_run: DryRun::NotAsked,
            },
        ));
    }
    Ok((
        desired,
        Observed {
            live,
            dry_run: DryRun::Applied(answer),
        },
    ))
}

/// The object as the API server names it; as the manifest does where the API server knows no such kind.
async fn scoped(client: &Client, object: &ObjectRef) -> ObjectRef {
    client.scoped(object).await.unwrap_or_else(|_| object.clone())
}

fn failed(live: Option<Object>, error: ApiError) -> Observed {
    let failure = match error {
        ApiError::Status {
            code,
            reason,
            message,
        } => ApiFailure {
            code,
            reason,
            message,
        },
        other => ApiFailure {
            code: 0,
            reason: String::new(),
            message: chain(&other),
        },
    };
    Observed {
        live,
        dry_run: DryRun::Failed(failure),
    }
}

async fn carry_out(
    client: &Client,
    view: &dyn View,
    step: Step,
    known: Option<LastApplied>,
    manager: &str,
) -> Result<(), ApplyError> {
    let object = step.reference().clone();
    let fingerprint = step.fingerprint();
    let body = match step.into_action() {
        Action::Skip { .. } => return Ok(()),
        Action::Unchanged => {
            if let Some(known) = known {
                view.memory().remember(&object, known);
            }
            return Ok(());
        }
        Action::Create { body } => body,
        Action::Apply { cleanup, body, .. } => {
            if let Some(cleanup) = cleanup {
                tidy_up(client, &object, cleanup.operations(), manager).await?;
            }
            body
        }
        Action::Recreate { uid, body, .. } => {
            recreate(client, view, &object, &uid).await?;
            body
        }
    };
    view.memory().begin(&object);
    let result = client
        .apply(
            &body,
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
    view.memory().finish(&object, applied);
    match result {
        Ok(stored) => {
            view.note(&stored);
            Ok(())
        }
        Err(source) => Err(ApplyError::Write {
            object: Box::new(object),
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
