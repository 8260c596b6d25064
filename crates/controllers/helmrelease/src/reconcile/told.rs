//! The sentences that conditions and events say of actions, in helm-controller's words (flux-controllers.md §4.5).

use weir_apis::kind::helm_release::Snapshot;
use weir_releases::Log;
use weir_runtime::Event;

use crate::history::{chart_name, release_name};

/// What was tried, where there is no snapshot of it.
pub(super) fn failed_release(verb: &str, release: (&str, &str), chart: (&str, &str), error: &str) -> String {
    format!(
        "Helm {verb} failed for release {}/{} with chart {}@{}: {}",
        release.0,
        release.1,
        chart.0,
        chart.1,
        error.trim()
    )
}

/// An installation, upgrade or removal that went well.
pub(super) fn succeeded(verb: &str, current: &Snapshot) -> String {
    format!(
        "Helm {verb} succeeded for release {} with chart {}",
        release_name(current),
        chart_name(current)
    )
}

/// A removal or a test that failed.
pub(super) fn failed(verb: &str, current: &Snapshot, error: &str) -> String {
    format!(
        "Helm {verb} failed for release {} with chart {}: {}",
        release_name(current),
        chart_name(current),
        error.trim()
    )
}

/// The tests went well.
pub(super) fn tested(current: &Snapshot) -> String {
    let hooks = match current
        .test_hooks
        .as_ref()
        .map_or(0, std::collections::BTreeMap::len)
    {
        0 => "no test hooks".to_owned(),
        1 => "1 test hook completed successfully".to_owned(),
        count => format!("{count} test hooks completed successfully"),
    };
    format!("{}: {hooks}", succeeded("test", current))
}

/// A release whose tests have not run.
pub(super) fn untested(current: &Snapshot) -> String {
    format!(
        "Helm release {} with chart {} is awaiting tests",
        release_name(current),
        chart_name(current)
    )
}

/// Going back to an earlier revision, or why that failed.
pub(super) fn rolled_back(target: &Snapshot, error: Option<&str>) -> String {
    let what = format!(
        "Helm rollback to previous release {} with chart {}",
        release_name(target),
        chart_name(target)
    );
    match error {
        None => format!("{what} succeeded"),
        Some(error) => format!("{what} failed: {}", error.trim()),
    }
}

/// Removing a failed release, or why that failed.
pub(super) fn remediated(current: &Snapshot, error: Option<&str>) -> String {
    let what = format!(
        "Helm uninstall remediation for release {} with chart {}",
        release_name(current),
        chart_name(current)
    );
    match error {
        None => format!("{what} succeeded"),
        Some(error) => format!("{what} failed: {}", error.trim()),
    }
}

/// Ending an action that was broken off.
pub(super) fn unlocked(current: &Snapshot, status: &str, error: Option<&str>) -> String {
    let what = format!(
        "Helm release {} with chart {} in {status} state",
        release_name(current),
        chart_name(current)
    );
    match error {
        None => format!("Unlocked {what}"),
        Some(error) => format!("Unlock of {what} failed: {}", error.trim()),
    }
}

/// The facts of an event about a revision.
pub(super) fn about(event: Event, current: &Snapshot) -> Event {
    facts(
        event,
        &current.chart_version,
        &current.config_digest,
        current.app_version.as_deref().unwrap_or_default(),
        current.oci_digest.as_deref().unwrap_or_default(),
    )
}

/// The facts of an event: which chart with which values.
pub(super) fn facts(event: Event, revision: &str, token: &str, app_version: &str, oci_digest: &str) -> Event {
    let facts = [
        ("revision", revision),
        ("token", token),
        ("app-version", app_version),
        ("oci-digest", oci_digest),
    ];
    facts
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .fold(event, |event, (key, value)| event.with(key, value))
}

/// A message with the last lines that the action told, for events.
pub(super) fn with_log(message: &str, log: &Log) -> String {
    let lines: Vec<String> = log.lines().iter().map(ToString::to_string).collect();
    if lines.is_empty() {
        return message.to_owned();
    }
    format!("{message}\n\nLast Helm logs:\n\n{}", lines.join("\n"))
}
