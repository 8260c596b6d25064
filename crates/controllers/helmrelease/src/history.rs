//! `status.history`: the revisions of the release as this controller left them, newest first (flux-controllers.md §4.8).

use std::collections::BTreeMap;

use jiff::Timestamp;
use weir_apis::kind::helm_release::{Filter, Snapshot, TestHookStatus};
use weir_apis::time::Time;
use weir_helm::{Hook, Release, SnapshotDigest, config_digest};

/// What `digest` is taken of. Snapshots of other versions are not checked.
pub(crate) const SNAPSHOT_VERSION: &str = "v2";

/// Entries that are kept where none of them is a good one to go back to.
const LONGEST: usize = 5;

/// What made a snapshot, as `action` writes it.
pub(crate) mod action {
    pub(crate) const INSTALL: &str = "install";
    pub(crate) const UPGRADE: &str = "upgrade";
    pub(crate) const ROLLBACK: &str = "rollback";
    pub(crate) const UNINSTALL: &str = "uninstall";
    pub(crate) const UNINSTALL_REMEDIATION: &str = "uninstall-remediation";
}

/// Why a record is not the one that a snapshot was taken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Mismatch {
    /// The snapshot's digest cannot be read.
    #[error("release digest verification error")]
    Digest,
    /// The record has been changed since.
    #[error("release not observed to be made for object")]
    NotObserved,
}

/// The snapshot of a record.
pub(crate) fn snapshot(release: &Release, action: Option<&str>, oci_digest: Option<&str>) -> Snapshot {
    let info = release.info.clone().unwrap_or_default();
    let metadata = release
        .chart
        .as_ref()
        .and_then(|chart| chart.metadata.as_ref())
        .cloned()
        .unwrap_or_default();
    let config = release.config.clone().unwrap_or_default();
    let digest = SnapshotDigest {
        release,
        oci_digest: oci_digest.unwrap_or_default(),
    };
    let filled = |text: String| (!text.is_empty()).then_some(text);
    Snapshot {
        action: action.map(str::to_owned),
        api_version: Some(SNAPSHOT_VERSION.to_owned()),
        app_version: filled(metadata.app_version),
        chart_name: metadata.name,
        chart_version: metadata.version,
        config_digest: config_digest(&config),
        deleted: info.deleted.map(time),
        digest: digest.compute(),
        // A record without times was not written by Helm; the field may not be left out.
        first_deployed: info.first_deployed.map_or(Time::new(Timestamp::UNIX_EPOCH), time),
        last_deployed: info.last_deployed.map_or(Time::new(Timestamp::UNIX_EPOCH), time),
        name: release.name.clone(),
        namespace: release.namespace.clone(),
        oci_digest: oci_digest.filter(|d| !d.is_empty()).map(str::to_owned),
        status: info.status.as_str().to_owned(),
        test_hooks: None,
        version: release.version,
    }
}

/// Whether a record is the one that a snapshot was taken of.
pub(crate) fn verify(snapshot: &Snapshot, release: &Release) -> Result<(), Mismatch> {
    if snapshot.api_version.as_deref() != Some(SNAPSHOT_VERSION) {
        return Ok(());
    }
    if !snapshot.digest.starts_with("sha256:") {
        return Err(Mismatch::Digest);
    }
    let computed = SnapshotDigest {
        release,
        oci_digest: snapshot.oci_digest.as_deref().unwrap_or_default(),
    };
    if computed.compute() == snapshot.digest {
        Ok(())
    } else {
        Err(Mismatch::NotObserved)
    }
}

/// The newest one.
pub(crate) fn latest(history: &[Snapshot]) -> Option<&Snapshot> {
    history.iter().max_by_key(|snapshot| snapshot.version)
}

/// The newest good one before the latest. Those with failed tests are no good, unless `ignore_tests`.
pub(crate) fn previous(history: &[Snapshot], ignore_tests: bool) -> Option<&Snapshot> {
    let newest = latest(history)?.version;
    history
        .iter()
        .filter(|snapshot| snapshot.version != newest && is_good(snapshot, ignore_tests))
        .max_by_key(|snapshot| snapshot.version)
}

fn is_good(snapshot: &Snapshot, ignore_tests: bool) -> bool {
    matches!(snapshot.status.as_str(), "deployed" | "superseded")
        && (ignore_tests || !has_failed_test(snapshot))
}

/// Forgets what came before the good one that a rollback would go to; without one, all but the newest few.
pub(crate) fn truncate(history: &mut Vec<Snapshot>, ignore_tests: bool) {
    sort(history);
    let good = history
        .iter()
        .skip(1)
        .position(|snapshot| is_good(snapshot, ignore_tests));
    history.truncate(good.map_or(LONGEST, |at| at + 2));
}

/// Forgets all but the newest few: for `RetryOnFailure`, which never goes back.
pub(crate) fn truncate_to_newest(history: &mut Vec<Snapshot>) {
    sort(history);
    history.truncate(LONGEST);
}

fn sort(history: &mut [Snapshot]) {
    history.sort_by_key(|snapshot| std::cmp::Reverse(snapshot.version));
}

/// Takes in the records that an action wrote: the newest is a new entry, or takes the place of the entry of the same
/// revision; an older one that is known gets its new state and keeps the rest.
pub(crate) fn record(
    history: &mut Vec<Snapshot>,
    written: &[Release],
    action: &str,
    oci_digest: Option<&str>,
) {
    let newest = written.iter().map(|release| release.version).max();
    for release in written {
        let known = history.iter_mut().find(|snapshot| is_of(snapshot, release));
        match known {
            Some(known) => {
                let is_newest = Some(release.version) == newest;
                let by = if is_newest {
                    Some(action)
                } else {
                    known.action.as_deref()
                };
                let mut new = snapshot(release, by, known.oci_digest.as_deref());
                new.test_hooks.clone_from(&known.test_hooks);
                *known = new;
            }
            None if Some(release.version) == newest => {
                history.push(snapshot(release, Some(action), oci_digest));
            }
            None => {}
        }
    }
    sort(history);
}

/// Whether a snapshot was taken of this revision.
pub(crate) fn is_of(snapshot: &Snapshot, release: &Release) -> bool {
    snapshot.name == release.name
        && snapshot.namespace == release.namespace
        && snapshot.version == release.version
}

/// `<namespace>/<name>.v<revision>`.
pub(crate) fn release_name(snapshot: &Snapshot) -> String {
    format!("{}/{}.v{}", snapshot.namespace, snapshot.name, snapshot.version)
}

/// `<chart>@<version>`.
pub(crate) fn chart_name(snapshot: &Snapshot) -> String {
    format!("{}@{}", snapshot.chart_name, snapshot.chart_version)
}

/// Whether the tests have run: all of them have succeeded, or one has failed, or there were none.
pub(crate) fn was_tested(snapshot: &Snapshot) -> bool {
    let Some(hooks) = &snapshot.test_hooks else {
        return false;
    };
    has_failed_test(snapshot)
        || hooks
            .values()
            .all(|hook| hook.phase.as_deref() == Some("Succeeded"))
}

/// Whether a test has failed.
pub(crate) fn has_failed_test(snapshot: &Snapshot) -> bool {
    snapshot
        .test_hooks
        .iter()
        .flat_map(BTreeMap::values)
        .any(|hook| hook.phase.as_deref() == Some("Failed"))
}

/// The results of the chart's tests that the filters let through, by name.
pub(crate) fn test_hooks(release: &Release, filters: &[Filter]) -> BTreeMap<String, TestHookStatus> {
    let chosen = |hook: &&Hook| hook.is_test() && is_chosen(&hook.name, filters);
    release
        .hooks
        .iter()
        .filter(chosen)
        .map(|hook| {
            let run = &hook.last_run;
            let phase = run.phase.as_str();
            let status = TestHookStatus {
                last_completed: run.completed_at.map(time),
                last_started: run.started_at.map(time),
                phase: (!phase.is_empty()).then(|| phase.to_owned()),
            };
            (hook.name.clone(), status)
        })
        .collect()
}

/// Filters that leave out win; with others, only what they name is chosen.
fn is_chosen(name: &str, filters: &[Filter]) -> bool {
    let mut only = filters.iter().filter(|filter| !filter.exclude).peekable();
    let excluded = filters.iter().any(|filter| filter.exclude && filter.name == name);
    !excluded && (only.peek().is_none() || only.any(|filter| filter.name == name))
}

fn time(time: weir_helm::Time) -> Time {
    Time::new(time.timestamp())
}

#[cfg(test)]
mod tests;
