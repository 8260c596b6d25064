//! How an action fails.

use std::fmt;

use weir_helm::Release;

use crate::log::Log;

/// What went wrong, roughly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The release's name, or a label that was asked for, is none.
    Name,
    /// The name is taken.
    InUse,
    /// There is no such release or revision, or none that is deployed.
    Missing,
    /// Another action is under way, or was broken off: see [`unlock`](crate::unlock).
    Pending,
    /// CustomResourceDefinitions of the chart could not be applied.
    Crds,
    /// The chart does not render.
    Render,
    /// What was rendered are no objects that this cluster knows.
    Objects,
    /// An object belongs to somebody else.
    Ownership,
    /// A record could not be read or written.
    Storage,
    /// The API server could not be asked what it can do.
    Cluster,
    /// An object could not be written or deleted.
    Apply,
    /// Objects did not become ready, or did not go.
    Wait,
    /// A hook failed.
    Hook,
    /// The action was cancelled.
    Cancelled,
}

/// An action that failed. What it says is masked.
#[derive(Debug, Clone)]
pub struct ActionError {
    /// What went wrong, roughly.
    pub reason: Reason,
    message: String,
    /// The record of the revision, as it was last written; `None` where none was. helm-controller counts only a failure
    /// with a record as an attempt.
    pub release: Option<Box<Release>>,
}

impl ActionError {
    pub(crate) fn new(log: &Log, failure: Failure, release: Option<Release>) -> Self {
        Self {
            reason: failure.reason,
            message: log.mask(&failure.message),
            release: release.map(Box::new),
        }
    }
}

impl fmt::Display for ActionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ActionError {}

/// A failure on its way up, not yet masked.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) reason: Reason,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
        }
    }

    /// In Go's words.
    pub(crate) fn cancelled() -> Self {
        Self::new(Reason::Cancelled, "context canceled")
    }

    /// The same with something before its message; a cancellation stays one.
    pub(crate) fn within(self, reason: Reason, before: &str) -> Self {
        Self {
            reason: if self.reason == Reason::Cancelled {
                self.reason
            } else {
                reason
            },
            message: format!("{before}{}", self.message),
        }
    }
}
