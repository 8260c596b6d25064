//! What to do about where the release stands (flux-controllers.md §4.5).

use weir_apis::kind::helm_release::HelmReleaseStatus;
use weir_helm::Release;

use crate::history;
use crate::state::State;
use crate::strategy::{Attempt, Strategies};

/// What is done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing: the release is in sync.
    Done,
    /// Nothing: what has drifted is only told.
    Warned,
    Install,
    Upgrade,
    Unlock,
    Test,
    Correct,
    /// Back to this revision.
    Rollback(i64),
    Uninstall,
    /// Nothing, until something changes: the retries of this action are used up.
    Exhausted(Attempt),
    /// Nothing, until something changes: there is no revision to go back to.
    NoTarget,
}

/// What an action does. Each is done at most once in a reconcile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    Release,
    Remediate,
    Test,
    Unlock,
    Drift,
}

impl Next {
    /// The class of an action; `None` where there is nothing to do.
    pub(crate) fn class(self) -> Option<Class> {
        Some(match self {
            Self::Install | Self::Upgrade => Class::Release,
            Self::Rollback(_) | Self::Uninstall => Class::Remediate,
            Self::Test => Class::Test,
            Self::Unlock => Class::Unlock,
            Self::Correct => Class::Drift,
            Self::Done | Self::Warned | Self::Exhausted(_) | Self::NoTarget => return None,
        })
    }

    /// As conditions name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Upgrade => "upgrade",
            Self::Unlock => "unlock",
            Self::Test => "test",
            Self::Correct => "correct cluster drift",
            Self::Rollback(_) => "rollback",
            Self::Uninstall => "uninstall",
            Self::Done | Self::Warned | Self::Exhausted(_) | Self::NoTarget => "",
        }
    }
}

/// What besides the state the choice depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Circumstances<'a> {
    pub(crate) strategies: &'a Strategies,
    /// `spec.test.ignoreFailures`
    pub(crate) ignore_tests: bool,
    /// Somebody asks for a release now, whatever the counters say.
    pub(crate) force: bool,
    /// Drift is put back; else it is told.
    pub(crate) correct: bool,
    /// The records in storage.
    pub(crate) records: &'a [Release],
}

/// Chooses, and forgets what of the history is of no use any more.
pub(crate) fn choose(state: &State, status: &mut HelmReleaseStatus, with: &Circumstances<'_>) -> Next {
    match state {
        State::InSync => {
            let active = with.strategies.active(status);
            if active.is_some_and(|strategy| strategy.retry.is_some()) {
                history::truncate_to_newest(&mut status.history);
            } else {
                let ignore = active.map_or(with.ignore_tests, |s| s.remediation.ignore_tests);
                history::truncate(&mut status.history, ignore);
            }
            if with.force { Next::Upgrade } else { Next::Done }
        }
        State::Locked => Next::Unlock,
        State::Absent => unless_exhausted(Attempt::Install, status, with),
        State::Unmanaged => {
            status.history.clear();
            Next::Upgrade
        }
        State::OutOfSync => unless_exhausted(Attempt::Upgrade, status, with),
        State::Drifted if with.correct => Next::Correct,
        State::Drifted => Next::Warned,
        State::Untested => Next::Test,
        State::Failed => failed(status, with),
    }
}

fn unless_exhausted(attempt: Attempt, status: &HelmReleaseStatus, with: &Circumstances<'_>) -> Next {
    if with.strategies.of(attempt).remediation.is_exhausted(status) && !with.force {
        return Next::Exhausted(attempt);
    }
    match attempt {
        Attempt::Install => Next::Install,
        Attempt::Upgrade => Next::Upgrade,
    }
}

fn failed(status: &mut HelmReleaseStatus, with: &Circumstances<'_>) -> Next {
    // Nothing was tried by us: only an upgrade can mend it.
    let Some(strategy) = with.strategies.active(status).copied() else {
        return Next::Upgrade;
    };
    if strategy.retry.is_some() {
        history::truncate_to_newest(&mut status.history);
        return Next::Upgrade;
    }
    let remediation = strategy.remediation;
    // Without a counted failure what it failed of has changed since.
    if remediation.failures(status) <= 0 || with.force {
        return Next::Upgrade;
    }
    if remediation.is_exhausted(status) && !remediation.last_too {
        return Next::Exhausted(remediation.of);
    }
    history::truncate(&mut status.history, remediation.ignore_tests);
    if remediation.uninstalls {
        return Next::Uninstall;
    }
    let Some(target) = history::previous(&status.history, remediation.ignore_tests) else {
        return Next::NoTarget;
    };
    let record = with
        .records
        .iter()
        .find(|release| release.name == target.name && release.version == target.version);
    // What is no longer what it was is not gone back to; another upgrade is the best that can be done.
    match record {
        Some(record) if history::verify(target, record).is_ok() => Next::Rollback(target.version),
        _ => Next::Upgrade,
    }
}

#[cfg(test)]
mod tests;
