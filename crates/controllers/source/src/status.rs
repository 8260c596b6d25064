//! The conditions that sources have besides Ready (flux-controllers.md §2).

use weir_apis::condition::{
    ARTIFACT_IN_STORAGE, ARTIFACT_OUTDATED, BUILD_FAILED, FETCH_FAILED, SOURCE_VERIFIED,
    STORAGE_OPERATION_FAILED, Status,
};
use weir_apis::time::Time;
use weir_runtime::{Draft, Failure};

/// A failure that has a condition of its own.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) at: At,
    pub(crate) failure: Failure,
}

/// Which step failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    /// Reading the spec, the credentials, or the registry.
    Fetch,
    /// Checking signatures.
    Verify,
    /// Making a chart of what was fetched.
    Build,
    /// Writing to the store.
    Store,
}

impl Failed {
    pub(crate) fn fetch(failure: Failure) -> Self {
        Self {
            at: At::Fetch,
            failure,
        }
    }

    /// Sets the step's own condition.
    pub(crate) fn mark(&self, draft: &mut Draft, now: Time) {
        let (kind, status) = match self.at {
            At::Fetch => (FETCH_FAILED, Status::True),
            At::Verify => (SOURCE_VERIFIED, Status::False),
            At::Build => (BUILD_FAILED, Status::True),
            At::Store => (STORAGE_OPERATION_FAILED, Status::True),
        };
        draft.set(kind, status, self.failure.reason, &self.failure.message, now);
    }
}

/// A new attempt begins: what only this attempt can find out again is forgotten. `SourceVerified` stays, since it
/// speaks of the stored artifact too.
pub(crate) fn begin(draft: &mut Draft) {
    draft.conditions.remove(FETCH_FAILED);
    draft.conditions.remove(STORAGE_OPERATION_FAILED);
    draft.conditions.remove(BUILD_FAILED);
}

/// The newest artifact is stored.
pub(crate) fn stored(draft: &mut Draft, reason: &str, message: &str, now: Time) {
    draft.conditions.remove(ARTIFACT_OUTDATED);
    draft.set(ARTIFACT_IN_STORAGE, Status::True, reason, message, now);
}

/// A newer artifact than the stored one was found.
pub(crate) fn outdated(draft: &mut Draft, reason: &str, message: &str, now: Time) {
    draft.set(ARTIFACT_OUTDATED, Status::True, reason, message, now);
}

/// Flux's text for a stored artifact; dashboards and people grep for it.
pub(crate) fn stored_message(revision: &str) -> String {
    format!("stored artifact for digest '{revision}'")
}
