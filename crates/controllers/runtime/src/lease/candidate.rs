//! One try to get or keep the lease.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use weir_apis::{GroupVersionKind, Object, ObjectRef};
use weir_cluster::{ApiError, Client, Clock};

use super::record::{Record, free, held};
use super::{Election, Timings};

/// Field manager of the Lease.
const MANAGER: &str = "weir-leader-election";

/// Who has the lease after a try.
#[derive(Debug)]
pub(super) enum Turn {
    /// This process.
    Ours,
    /// Somebody else.
    Theirs(String),
}

/// A process that wants the lease, or has it.
#[derive(Debug)]
pub(super) struct Candidate {
    client: Client,
    clock: Arc<dyn Clock>,
    election: Election,
    reference: ObjectRef,
    seen: Option<Seen>,
}

/// What the Lease said, and since when it has said so before our eyes.
#[derive(Debug)]
struct Seen {
    record: Record,
    since: Instant,
}

impl Candidate {
    pub(super) fn new(client: Client, clock: Arc<dyn Clock>, election: Election) -> Self {
        let gvk = GroupVersionKind::new("coordination.k8s.io", "v1", "Lease");
        let reference = ObjectRef::new(gvk, &*election.namespace, &*election.name);
        Self {
            client,
            clock,
            election,
            reference,
            seen: None,
        }
    }

    pub(super) fn lease(&self) -> &ObjectRef {
        &self.reference
    }

    pub(super) fn timings(&self) -> Timings {
        self.election.timings
    }

    pub(super) fn patience(&self) -> Duration {
        self.election.patience()
    }

    /// Takes or renews the lease if it may. Every write names the version it replaces, so of two candidates that
    /// try at once one fails with a conflict. Safe to cut at any point.
    pub(super) async fn attempt(&mut self) -> Result<Turn, ApiError> {
        if let Some(seen) = &self.seen
            && seen.record.holder == self.election.identity
        {
            match self.take(&seen.record).await {
                Ok(lease) => return Ok(self.ours(&lease)),
                // Somebody else wrote, or our own last write arrived without us hearing of it: look.
                Err(error) if error.is_conflict() || error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        let Some(lease) = self.client.get(&self.reference).await? else {
            let lease = self.create().await?;
            return Ok(self.ours(&lease));
        };
        self.notice(&lease);
        if let Some(holder) = self.holder() {
            return Ok(Turn::Theirs(holder));
        }
        let lease = self.take(&Record::of(&lease)).await?;
        Ok(self.ours(&lease))
    }

    /// Gives the lease back, if it is still ours.
    pub(super) async fn release(&mut self) -> Result<(), ApiError> {
        let Some(lease) = self.client.get(&self.reference).await? else {
            return Ok(());
        };
        let record = Record::of(&lease);
        if record.holder != self.election.identity {
            return Ok(());
        }
        self.write(&record.version, &free(&*self.clock)).await.map(drop)
    }

    /// Who else has the lease for a while yet.
    fn holder(&self) -> Option<String> {
        let seen = self.seen.as_ref()?;
        let holder = &seen.record.holder;
        if holder.is_empty() || *holder == self.election.identity {
            return None;
        }
        let lasts = seen.record.lasts.unwrap_or(self.election.timings.lease);
        (seen.since.elapsed() < lasts).then(|| holder.clone())
    }

    fn ours(&mut self, lease: &Object) -> Turn {
        self.notice(lease);
        Turn::Ours
    }

    /// Notes what the Lease says. The time starts anew only if it says something new, and only after the answer has
    /// arrived: too late is safe, too early is not.
    fn notice(&mut self, lease: &Object) {
        let record = Record::of(lease);
        match &mut self.seen {
            Some(seen) if seen.record.spec == record.spec => seen.record = record,
            seen => {
                *seen = Some(Seen {
                    record,
                    since: Instant::now(),
                });
            }
        }
    }

    fn spec(&self, old: Option<&Record>) -> Value {
        held(
            old,
            &self.election.identity,
            self.election.timings.lease,
            &*self.clock,
        )
    }

    async fn create(&self) -> Result<Object, ApiError> {
        let mut lease = Object::new(&self.reference);
        lease.as_map_mut().insert("spec".into(), self.spec(None));
        self.client.create(&lease, MANAGER).await
    }

    async fn take(&self, old: &Record) -> Result<Object, ApiError> {
        self.write(&old.version, &self.spec(Some(old))).await
    }

    async fn write(&self, version: &str, spec: &Value) -> Result<Object, ApiError> {
        let patch = json!({"metadata": {"resourceVersion": version}, "spec": spec});
        self.client.merge(&self.reference, &patch, MANAGER).await
    }
}
