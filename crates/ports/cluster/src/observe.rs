//! What is known of an object before it is decided what to do with it: from the mirror, from memory, or asked for.

use futures::{StreamExt, TryStreamExt, stream};
use weir_apis::{Object, ObjectRef};
use weir_plan::{ApiFailure, Desired, DryRun, Next, Observed};

use crate::carry_out::{ApplyError, IN_FLIGHT, View};
use crate::{ApiError, Client, Lookup, Write, chain};

/// One object after a look that asks the API server nothing that the mirror knows.
pub(crate) struct Seen {
    desired: Desired,
    /// In the API server's scope.
    object: ObjectRef,
    live: Option<Object>,
    /// What makes a dry-run unnecessary, if anything does.
    settled: Option<DryRun>,
}

impl Seen {
    /// Whether it takes a dry-run, or a write, to know what applying it does.
    pub(crate) fn is_open(&self) -> bool {
        self.settled.is_none()
    }

    /// Whether a write may stand for its dry-run: nothing is there, as far as a mirror of labelled objects can tell,
    /// and its manifest makes no condition of its own.
    pub(crate) fn can_be_created(&self) -> bool {
        let object = self.desired.object();
        self.live.is_none() && object.resource_version().is_empty() && object.uid().is_empty()
    }

    /// An object of which nothing is known.
    pub(crate) fn absent(desired: Desired, object: ObjectRef) -> Self {
        Self {
            desired,
            object,
            live: None,
            settled: None,
        }
    }

    /// Leaves the answer to the write itself.
    pub(crate) fn left_to_the_write(self) -> (Desired, Observed) {
        let observed = Observed {
            live: None,
            dry_run: DryRun::LeftToWrite(self.object),
        };
        (self.desired, observed)
    }
}

/// Looks at one object: mirror and memory, and the API server only where there is no mirror yet.
pub(crate) async fn look(client: &Client, view: &dyn View, desired: Desired) -> Result<Seen, ApplyError> {
    let object = scoped(client, desired.reference()).await;
    let (live, mut settled) = match view.look(&object) {
        Lookup::Known(live) => (Some(Object::clone(&live)), None),
        Lookup::Absent => (None, None),
        Lookup::Unsynced => match client.get(&object).await {
            Ok(live) => (live, None),
            // The dry-run will say that nothing serves this kind, and for which object.
            Err(ApiError::UnknownKind(_)) => (None, None),
            Err(error) if error.is_forbidden() => (None, Some(failed(error))),
            Err(source) => {
                return Err(ApplyError::Read {
                    object: Box::new(object),
                    source,
                });
            }
        },
    };
    if settled.is_none() {
        settled = spared(view, &desired, live.as_ref()).or_else(|| skipped(&desired, live.as_ref()));
    }
    Ok(Seen {
        desired,
        object,
        live,
        settled,
    })
}

/// Dry-runs of all that are open but the one that a write stands for, in the order of the stage.
pub(crate) async fn ask_all(
    client: &Client,
    seen: Vec<Seen>,
    manager: &str,
) -> Result<Vec<(Desired, Observed)>, ApplyError> {
    let first = seen.iter().position(Seen::is_open);
    let mut left_out = None;
    let mut asks = Vec::with_capacity(seen.len());
    for (at, seen) in seen.into_iter().enumerate() {
        if Some(at) == first && seen.can_be_created() {
            left_out = Some((at, seen));
        } else {
            asks.push(ask(client, seen, manager));
        }
    }
    let mut observed: Vec<_> = stream::iter(asks).buffered(IN_FLIGHT).try_collect().await?;
    if let Some((at, seen)) = left_out {
        let fails = observed
            .iter()
            .any(|(_, seen): &(_, Observed)| matches!(seen.dry_run, DryRun::Failed(_)));
        // All that fail are named together; one that was not asked about may be among them.
        let one = if fails {
            ask(client, seen, manager).await?
        } else {
            seen.left_to_the_write()
        };
        observed.insert(at, one);
    }
    Ok(observed)
}

/// Asks for a dry-run where the look did not settle what applying the object does.
pub(crate) async fn ask(
    client: &Client,
    seen: Seen,
    manager: &str,
) -> Result<(Desired, Observed), ApplyError> {
    let Seen {
        desired,
        object,
        live,
        settled,
    } = seen;
    if let Some(dry_run) = settled {
        return Ok((desired, Observed { live, dry_run }));
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
            let dry_run = failed(error);
            return Ok((desired, Observed { live, dry_run }));
        }
    };
    // It exists, but not with our labels, so the mirror did not show it: what it says about itself counts.
    let live = match live {
        None if !answer.resource_version().is_empty() => {
            client.get(&object).await.map_err(|source| ApplyError::Read {
                object: Box::new(object),
                source,
            })?
        }
        other => other,
    };
    let dry_run = skipped(&desired, live.as_ref()).unwrap_or(DryRun::Applied(answer));
    Ok((desired, Observed { live, dry_run }))
}

/// Neither side has changed since the last apply.
fn spared(view: &dyn View, desired: &Desired, live: Option<&Object>) -> Option<DryRun> {
    let proof = view.memory().is_unchanged(desired, live?)?;
    Some(DryRun::Spared(proof))
}

/// Someone asked for it to be left alone.
fn skipped(desired: &Desired, live: Option<&Object>) -> Option<DryRun> {
    (desired.next(live) != Next::DryRun).then_some(DryRun::NotAsked)
}

/// The object as the API server names it; as the manifest does where the API server knows no such kind.
async fn scoped(client: &Client, object: &ObjectRef) -> ObjectRef {
    client.scoped(object).await.unwrap_or_else(|_| object.clone())
}

fn failed(error: ApiError) -> DryRun {
    DryRun::Failed(match error {
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
    })
}
