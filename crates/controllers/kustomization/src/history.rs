//! `status.history`: what was built and how it went, newest first (flux-controllers.md §3.1).

use std::collections::BTreeMap;
use std::time::Duration;

use weir_apis::artifact::Artifact;
use weir_apis::key;
use weir_apis::kind::HistoryEntry;
use weir_apis::time::Time;

/// Entries that are kept.
const LONGEST: usize = 5;

/// What one reconcile adds.
#[derive(Debug, Clone)]
pub(crate) struct Attempt<'a> {
    /// SHA-256 of the built manifests.
    pub(crate) digest: &'a str,
    /// Reason of the Ready condition that it ended with.
    pub(crate) status: &'a str,
    pub(crate) artifact: &'a Artifact,
    pub(crate) now: Time,
    pub(crate) took: Duration,
}

/// The history with one more attempt. The same build with the same end is one entry that counts.
pub(crate) fn with(history: &[HistoryEntry], attempt: &Attempt<'_>) -> Vec<HistoryEntry> {
    let nanos = i64::try_from(attempt.took.as_nanos()).unwrap_or(i64::MAX);
    let took = weir_semver::duration::Duration::from_nanos(nanos).to_string();
    let same = |e: &HistoryEntry| e.digest == attempt.digest && e.last_reconciled_status == attempt.status;
    let mut metadata = BTreeMap::from([("revision".to_owned(), attempt.artifact.revision.clone())]);
    if let Some(origin) = attempt.artifact.metadata.get(key::OCI_REVISION) {
        metadata.insert("originRevision".into(), origin.clone());
    }
    let mut entry = match history.iter().find(|e| same(e)) {
        Some(known) => known.clone(),
        None => HistoryEntry {
            digest: attempt.digest.into(),
            first_reconciled: attempt.now,
            last_reconciled: attempt.now,
            last_reconciled_duration: String::new(),
            last_reconciled_status: attempt.status.into(),
            metadata: BTreeMap::new(),
            total_reconciliations: 0,
        },
    };
    entry.last_reconciled = attempt.now;
    entry.last_reconciled_duration = took;
    entry.metadata = metadata;
    entry.total_reconciliations += 1;
    let rest = history.iter().filter(|e| !same(e)).take(LONGEST - 1).cloned();
    std::iter::once(entry).chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt<'a>(digest: &'a str, status: &'a str, artifact: &'a Artifact, second: i64) -> Attempt<'a> {
        let now = Time::new(jiff::Timestamp::from_second(second).unwrap());
        Attempt {
            digest,
            status,
            artifact,
            now,
            took: Duration::from_millis(1500),
        }
    }

    #[test]
    fn the_same_end_counts_and_others_follow() {
        let artifact = Artifact {
            digest: String::new(),
            last_update_time: Time::new(jiff::Timestamp::UNIX_EPOCH),
            metadata: BTreeMap::from([(key::OCI_REVISION.to_owned(), "main@sha1:1".to_owned())]),
            path: String::new(),
            revision: "latest@sha256:1".into(),
            size: None,
            url: String::new(),
        };
        let mut history = with(&[], &attempt("a", "Succeeded", &artifact, 1));
        history = with(&history, &attempt("b", "Failed", &artifact, 2));
        history = with(&history, &attempt("a", "Succeeded", &artifact, 3));
        assert_eq!(history.len(), 2);
        assert_eq!(
            (history[0].digest.as_str(), history[0].total_reconciliations),
            ("a", 2)
        );
        assert_eq!(history[0].last_reconciled_duration, "1.5s");
        assert_eq!(history[0].metadata["originRevision"], "main@sha1:1");
        for n in 0..9 {
            history = with(&history, &attempt(&n.to_string(), "Succeeded", &artifact, 4));
        }
        assert_eq!(history.len(), LONGEST);
    }
}
