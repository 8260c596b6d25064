//! Which of several processes does the work: a `coordination.k8s.io/v1` Lease.
//!
//! Flow: [`Leader::acquire`] waits until the Lease is free or has run out, writes its identity into it and renews it
//! in the background. [`Leader::lost`] tells when that failed, [`Leader::release`] gives the Lease back.
//!
//! Guarantees: at most one leader, as long as clocks of different machines *run* at about the same speed; what they
//! show does not matter. A candidate never compares a time in the Lease with its own: it measures how long the Lease
//! has not changed before its eyes, as client-go does. A leader stops counting itself as one
//! [`Timings::renew_deadline`] after it *began* its last successful write, which is before anybody else may take over.
//!
//! Caveat: this says who should write, it does not fence. A write that is under way when the lease is lost may still
//! arrive; server-side apply and resource versions have to cope with it, and do.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use weir_cluster::{Client, Clock};

use candidate::{Candidate, Turn};

mod candidate;
mod record;

/// How long a lease lasts; the defaults are Flux's (flux-controllers.md §1.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timings {
    /// `--leader-election-lease-duration`: how long others leave a lease alone that is not renewed. Whole seconds.
    pub lease: Duration,
    /// `--leader-election-renew-deadline`: how long a leader that cannot renew stays one.
    pub renew_deadline: Duration,
    /// `--leader-election-retry-period`: pause between two tries, and between two renewals.
    pub retry: Duration,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(35),
            renew_deadline: Duration::from_secs(30),
            retry: Duration::from_secs(5),
        }
    }
}

/// What is competed for, and as whom.
#[derive(Debug, Clone)]
pub struct Election {
    /// Namespace of the Lease; it must exist.
    pub namespace: String,
    /// Name of the Lease, `<controller>-leader-election` in Flux.
    pub name: String,
    /// Who this is. It must differ between processes *and* between runs of one: whoever finds its own identity in
    /// the Lease takes it for its own.
    pub identity: String,
    /// How long things last.
    pub timings: Timings,
}

/// An election that can't be held safely.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidElection {
    /// Without an identity every candidate would look like the leader.
    #[error("cannot compete for lease {namespace}/{name}: the identity is empty")]
    NoIdentity {
        /// Namespace of the Lease.
        namespace: String,
        /// Name of the Lease.
        name: String,
    },
    /// A leader must give up before others take over, and must have tried more than once by then.
    #[error(
        "cannot compete for lease {namespace}/{name}: its duration must be whole seconds and longer than the renew \
         deadline, and that longer than twice the retry period"
    )]
    Timings {
        /// Namespace of the Lease.
        namespace: String,
        /// Name of the Lease.
        name: String,
    },
}

impl Election {
    fn check(&self) -> Result<(), InvalidElection> {
        let (namespace, name) = (self.namespace.clone(), self.name.clone());
        if self.identity.is_empty() {
            return Err(InvalidElection::NoIdentity { namespace, name });
        }
        let Timings {
            lease,
            renew_deadline,
            retry,
        } = self.timings;
        let whole = lease.subsec_nanos() == 0 && i32::try_from(lease.as_secs()).is_ok();
        if !whole || lease <= renew_deadline || renew_deadline <= retry.saturating_mul(2) || retry.is_zero() {
            return Err(InvalidElection::Timings { namespace, name });
        }
        Ok(())
    }

    /// Longest wait for one answer: half the deadline, so that one hanging request leaves room for another.
    fn patience(&self) -> Duration {
        self.timings.renew_deadline / 2
    }
}

/// Until when this process leads; `None` once it does not any more.
type Term = Option<Instant>;

/// Being the leader. When it is dropped, renewing stops and the lease runs out by itself; [`Leader::release`] is
/// the polite way.
#[derive(Debug)]
pub struct Leader {
    term: watch::Receiver<Term>,
    release: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Drop for Leader {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Leader {
    /// Waits until this process leads. Failing requests are logged and tried again, however long it takes. May be
    /// dropped at any time; a lease that was just won then runs out by itself.
    pub async fn acquire(
        client: Client,
        clock: Arc<dyn Clock>,
        election: Election,
    ) -> Result<Self, InvalidElection> {
        election.check()?;
        let timings = election.timings;
        let patience = election.patience();
        let mut candidate = Candidate::new(client, clock, election);
        let until = loop {
            let begun = Instant::now();
            match timeout(patience, candidate.attempt()).await {
                Ok(Ok(Turn::Ours)) => break begun + timings.renew_deadline,
                Ok(Ok(Turn::Theirs(holder))) => {
                    tracing::debug!(lease = %candidate.lease(), holder, "another process leads");
                }
                Ok(Err(error)) => {
                    tracing::warn!(lease = %candidate.lease(), %error, "cannot compete for the lease, trying again");
                }
                Err(_elapsed) => {
                    tracing::warn!(lease = %candidate.lease(), "no answer about the lease, trying again");
                }
            }
            sleep(timings.retry).await;
        };
        tracing::info!(lease = %candidate.lease(), "leading");
        let (tell, term) = watch::channel(Some(until));
        let (release, asked) = oneshot::channel();
        let task = tokio::spawn(renew(candidate, until, tell, asked));
        Ok(Self {
            term,
            release: Some(release),
            task,
        })
    }

    /// Whether this process leads right now. True never overlaps with another process's true.
    pub fn is_leading(&self) -> bool {
        self.term.borrow().is_some_and(|until| Instant::now() < until)
    }

    /// Completes when this process leads no more: it could not renew in time, or somebody else has the lease. What
    /// only a leader may do has to stop at once.
    pub async fn lost(&self) {
        let mut term = self.term.clone();
        // An error means that the renewing task is gone, and with it the leadership.
        let _closed = term.wait_for(Option::is_none).await;
    }

    /// Gives the lease back, so that the next process need not wait for its end. Call it when the work has stopped.
    /// A failure is logged: the lease then runs out by itself.
    pub async fn release(mut self) {
        if let Some(release) = self.release.take() {
            // Nobody listens where the lease was lost before: nothing to give back.
            let _unheard = release.send(());
        }
        // A panic in the task is logged by the runtime.
        let _joined = (&mut self.task).await;
    }
}

async fn renew(
    mut candidate: Candidate,
    mut until: Instant,
    tell: watch::Sender<Term>,
    mut asked: oneshot::Receiver<()>,
) {
    let timings = candidate.timings();
    let patience = candidate.patience();
    loop {
        let next = (Instant::now() + timings.retry).min(until);
        tokio::select! {
            _ = &mut asked => {
                tell.send_replace(None);
                match timeout(patience, candidate.release()).await {
                    Ok(Ok(())) => tracing::info!(lease = %candidate.lease(), "gave the lease back"),
                    Ok(Err(error)) => tracing::warn!(lease = %candidate.lease(), %error, "cannot give the lease back"),
                    Err(_elapsed) => tracing::warn!(lease = %candidate.lease(), "no answer to giving the lease back"),
                }
                return;
            }
            () = sleep_until(next) => {}
        }
        let begun = Instant::now();
        if begun < until {
            match timeout_at((begun + patience).min(until), candidate.attempt()).await {
                Ok(Ok(Turn::Ours)) => {
                    until = begun + timings.renew_deadline;
                    tell.send_replace(Some(until));
                }
                Ok(Ok(Turn::Theirs(holder))) => {
                    tracing::warn!(lease = %candidate.lease(), holder, "another process has taken the lease");
                    break;
                }
                Ok(Err(error)) => {
                    tracing::warn!(lease = %candidate.lease(), %error, "cannot renew the lease, trying again");
                }
                Err(_elapsed) => {
                    tracing::warn!(lease = %candidate.lease(), "no answer to renewing the lease");
                }
            }
        }
        if Instant::now() >= until {
            tracing::warn!(lease = %candidate.lease(), "could not renew the lease in time");
            break;
        }
    }
    tell.send_replace(None);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn election(lease: u64, deadline: u64, retry: u64) -> Election {
        Election {
            namespace: "ns".into(),
            name: "l".into(),
            identity: "a".into(),
            timings: Timings {
                lease: Duration::from_secs(lease),
                renew_deadline: Duration::from_secs(deadline),
                retry: Duration::from_secs(retry),
            },
        }
    }

    #[test]
    fn unsafe_timings_and_empty_identities_are_refused() {
        assert!(election(35, 30, 5).check().is_ok());
        for (lease, deadline, retry) in [
            (30, 30, 5),
            (35, 10, 5),
            (35, 30, 0),
            (u64::from(u32::MAX), 30, 5),
        ] {
            assert!(
                election(lease, deadline, retry).check().is_err(),
                "{lease} {deadline} {retry}"
            );
        }
        let mut nobody = election(35, 30, 5);
        nobody.identity.clear();
        assert!(matches!(nobody.check(), Err(InvalidElection::NoIdentity { .. })));
    }
}
