//! What a set of objects is together: ready, worth waiting for, or lost (flux-controllers.md §3.9).

use std::fmt;

use weir_apis::ObjectRef;

use crate::readiness::{Readiness, Status};

/// One object of a health check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Which object.
    pub object: ObjectRef,
    /// How far it is.
    pub readiness: Readiness,
    /// Whether its absence says that it finished: see [`may_vanish`](crate::may_vanish).
    pub may_vanish: bool,
}

impl Checked {
    /// The status that counts: a finished Job that is gone already is current.
    fn status(&self) -> Status {
        match self.readiness.status {
            Status::NotFound if self.may_vanish => Status::Current,
            status => status,
        }
    }
}

impl fmt::Display for Checked {
    /// As in Flux's messages; what could not be evaluated says why.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} status: '{}'", self.object, self.readiness.status)?;
        if self.readiness.status == Status::Unknown && !self.readiness.message.is_empty() {
            write!(f, ": {}", self.readiness.message)?;
        }
        Ok(())
    }
}

/// What to do about a health check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every object is current.
    Ready,
    /// Look again later.
    Waiting,
    /// More waiting is of no use: see [`HealthReport::failure`].
    Failed,
}

/// What was found of each object of a health check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HealthReport {
    /// The objects, in the order in which messages list them.
    pub objects: Vec<Checked>,
}

/// A health check that did not end well. Its text is Flux's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unhealthy {
    /// Objects have failed.
    #[error("failed early due to stalled resources: [{}]", list(.0))]
    Failed(Vec<Checked>),
    /// The time is over.
    #[error("timeout waiting for: [{}]", list(.0))]
    TimedOut(Vec<Checked>),
}

fn list(objects: &[Checked]) -> String {
    let texts: Vec<String> = objects.iter().map(ToString::to_string).collect();
    texts.join(", ")
}

impl HealthReport {
    /// Whether to go on waiting. With `fail_fast` the first failed object ends it; without, it ends when every
    /// object is either current or failed.
    pub fn verdict(&self, fail_fast: bool) -> Verdict {
        let any = |status| self.objects.iter().any(|o| o.status() == status);
        let settled = |o: &Checked| matches!(o.status(), Status::Current | Status::Failed);
        if self.objects.iter().all(|o| o.status() == Status::Current) {
            Verdict::Ready
        } else if (fail_fast && any(Status::Failed)) || self.objects.iter().all(settled) {
            Verdict::Failed
        } else {
            Verdict::Waiting
        }
    }

    /// The failed objects, as the reason to stop early.
    pub fn failure(&self) -> Unhealthy {
        Unhealthy::Failed(self.those(|o| o.status() == Status::Failed))
    }

    /// The objects that are not current, as the reason why the time was not enough.
    pub fn timeout(&self) -> Unhealthy {
        Unhealthy::TimedOut(self.those(|o| o.status() != Status::Current))
    }

    fn those(&self, which: impl Fn(&Checked) -> bool) -> Vec<Checked> {
        self.objects.iter().filter(|o| which(o)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use weir_apis::GroupVersionKind;

    use super::*;

    fn checked(name: &str, status: Status, may_vanish: bool) -> Checked {
        Checked {
            object: ObjectRef::new(GroupVersionKind::new("apps", "v1", "Deployment"), "apps", name),
            readiness: Readiness::new(status, "", "why"),
            may_vanish,
        }
    }

    fn report(objects: &[Checked]) -> HealthReport {
        HealthReport {
            objects: objects.to_vec(),
        }
    }

    #[test]
    fn the_verdict_depends_on_failing_fast() {
        let current = checked("a", Status::Current, false);
        let failed = checked("b", Status::Failed, false);
        let busy = checked("c", Status::InProgress, false);
        let gone = checked("d", Status::NotFound, true);
        assert_eq!(report(&[]).verdict(true), Verdict::Ready);
        assert_eq!(report(&[current.clone(), gone]).verdict(true), Verdict::Ready);
        assert_eq!(
            report(&[current.clone(), busy.clone()]).verdict(true),
            Verdict::Waiting
        );
        assert_eq!(
            report(&[failed.clone(), busy.clone()]).verdict(true),
            Verdict::Failed
        );
        assert_eq!(report(&[failed.clone(), busy]).verdict(false), Verdict::Waiting);
        assert_eq!(report(&[failed, current]).verdict(false), Verdict::Failed);
    }

    #[test]
    fn messages_are_those_of_flux() {
        let all = report(&[
            checked("a", Status::Current, false),
            checked("b", Status::Failed, false),
            checked("c", Status::NotFound, false),
            checked("d", Status::Unknown, false),
        ]);
        assert_eq!(
            all.failure().to_string(),
            "failed early due to stalled resources: [Deployment/apps/b status: 'Failed']"
        );
        assert_eq!(
            all.timeout().to_string(),
            "timeout waiting for: [Deployment/apps/b status: 'Failed', Deployment/apps/c status: 'NotFound', \
             Deployment/apps/d status: 'Unknown': why]"
        );
    }
}
