//! Where the release stands, compared with what the object asks for (flux-controllers.md §4.4).

use weir_apis::kind::helm_release::Snapshot;
use weir_helm::{Release, Status};

use crate::history;

/// Where the release stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// There is none.
    Absent,
    /// An action is under way, or was broken off.
    Locked,
    /// Somebody else made or changed it.
    Unmanaged,
    /// It is another chart, or has other values.
    OutOfSync,
    /// It failed, or a test did.
    Failed,
    /// Its tests have not run.
    Untested,
    /// Live objects differ from it.
    Drifted,
    /// It is what the object asks for.
    InSync,
}

/// A state, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) state: State,
    pub(crate) why: String,
}

impl Found {
    pub(crate) fn new(state: State, why: impl Into<String>) -> Self {
        Self {
            state,
            why: why.into(),
        }
    }
}

/// The status of the last record says nothing that can be acted on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unable to determine state for release with status '{0}'")]
pub(crate) struct UnknownStatus(String);

/// What the object asks for.
#[derive(Debug, Clone)]
pub(crate) struct Wanted<'a> {
    /// Name and version of the chart, with its digest in it.
    pub(crate) chart: (&'a str, &'a str),
    /// Digest of the values.
    pub(crate) config_digest: &'a str,
    /// Post-renderers and common metadata have changed with a generation that was not acted on yet: which of them.
    pub(crate) rendered_otherwise: Option<&'static str>,
    /// Tests are to run.
    pub(crate) test: bool,
    /// A failed test is a failed release.
    pub(crate) test_failures_count: bool,
}

/// Where the release stands, as far as it can be told without the live objects. `last` is the newest record.
pub(crate) fn determine(
    last: Option<&Release>,
    history: &[Snapshot],
    wanted: &Wanted<'_>,
) -> Result<Found, UnknownStatus> {
    let Some(last) = last else {
        return Ok(Found::new(State::Absent, "no release in storage for object"));
    };
    let status = last.status();
    if status.is_pending() {
        return Ok(Found::new(
            State::Locked,
            format!("release with status '{}'", status.as_str()),
        ));
    }
    let Some(current) = history::latest(history) else {
        return Ok(match status {
            Status::Uninstalled => Found::new(State::Absent, "found uninstalled release in storage"),
            _ => Found::new(State::Unmanaged, "found existing release in storage"),
        });
    };
    if let Err(mismatch) = history::verify(current, last) {
        return Ok(Found::new(State::Unmanaged, mismatch.to_string()));
    }
    match status {
        Status::Failed => Ok(Found::new(State::Failed, "")),
        Status::Uninstalled => Ok(Found::new(State::Absent, "found uninstalled release in storage")),
        Status::Deployed => Ok(compare(last, current, wanted)),
        other => Err(UnknownStatus(other.as_str().to_owned())),
    }
}

fn compare(last: &Release, current: &Snapshot, wanted: &Wanted<'_>) -> Found {
    let metadata = last.chart.as_ref().and_then(|chart| chart.metadata.as_ref());
    let chart = metadata.map(|metadata| (metadata.name.as_str(), metadata.version.as_str()));
    if chart != Some(wanted.chart) {
        return Found::new(State::OutOfSync, "release chart changed");
    }
    if current.config_digest != wanted.config_digest {
        return Found::new(State::OutOfSync, "release config values changed");
    }
    if let Some(what) = wanted.rendered_otherwise {
        return Found::new(State::OutOfSync, format!("{what} digest has changed"));
    }
    if wanted.test && !history::was_tested(current) {
        return Found::new(State::Untested, "");
    }
    if wanted.test && wanted.test_failures_count && history::has_failed_test(current) {
        return Found::new(State::Failed, "release has test in failed phase");
    }
    Found::new(State::InSync, "")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use weir_apis::kind::helm_release::TestHookStatus;
    use weir_helm::{ChartRecord, Info, Metadata, Table, config_digest};

    use super::*;

    fn record(status: Status) -> Release {
        Release {
            name: "web".into(),
            namespace: "apps".into(),
            version: 3,
            info: Some(Info {
                status,
                ..Info::default()
            }),
            chart: Some(ChartRecord {
                metadata: Some(Metadata {
                    name: "podinfo".into(),
                    version: "6.0.0+abc".into(),
                    ..Metadata::default()
                }),
                ..ChartRecord::default()
            }),
            ..Release::default()
        }
    }

    fn phase(phase: &str) -> BTreeMap<String, TestHookStatus> {
        let status = TestHookStatus {
            phase: Some(phase.into()),
            ..TestHookStatus::default()
        };
        BTreeMap::from([("test".to_owned(), status)])
    }

    #[test]
    fn every_row_of_the_table() {
        let empty = config_digest(&Table::new());
        let plain = Wanted {
            chart: ("podinfo", "6.0.0+abc"),
            config_digest: &empty,
            rendered_otherwise: None,
            test: false,
            test_failures_count: true,
        };
        let tests = Wanted {
            test: true,
            ..plain.clone()
        };
        let deployed = record(Status::Deployed);
        let own = |record: &Release| vec![history::snapshot(record, None, None)];
        let with = |hooks: BTreeMap<String, TestHookStatus>| {
            let mut history = own(&deployed);
            history[0].test_hooks = Some(hooks);
            history
        };
        let check = |last: Option<&Release>, history: &[Snapshot], wanted: &Wanted<'_>| {
            determine(last, history, wanted).unwrap().state
        };
        assert_eq!(check(None, &own(&deployed), &plain), State::Absent);
        for status in [
            Status::PendingInstall,
            Status::PendingUpgrade,
            Status::PendingRollback,
        ] {
            assert_eq!(check(Some(&record(status)), &[], &plain), State::Locked);
        }
        let uninstalled = record(Status::Uninstalled);
        assert_eq!(check(Some(&uninstalled), &[], &plain), State::Absent);
        for status in [Status::Deployed, Status::Failed, Status::Superseded] {
            assert_eq!(check(Some(&record(status)), &[], &plain), State::Unmanaged);
        }
        let mut changed = deployed.clone();
        changed.manifest = "changed".into();
        assert_eq!(check(Some(&changed), &own(&deployed), &plain), State::Unmanaged);
        let failed = record(Status::Failed);
        assert_eq!(check(Some(&failed), &own(&failed), &plain), State::Failed);
        assert_eq!(
            check(Some(&uninstalled), &own(&uninstalled), &plain),
            State::Absent
        );
        for wanted in [
            Wanted {
                chart: ("podinfo", "6.0.0+abd"),
                ..plain.clone()
            },
            Wanted {
                chart: ("other", "6.0.0+abc"),
                ..plain.clone()
            },
            Wanted {
                config_digest: "sha256:1",
                ..plain.clone()
            },
            Wanted {
                rendered_otherwise: Some("postrenderers"),
                ..plain.clone()
            },
        ] {
            assert_eq!(check(Some(&deployed), &own(&deployed), &wanted), State::OutOfSync);
        }
        assert_eq!(check(Some(&deployed), &own(&deployed), &tests), State::Untested);
        assert_eq!(
            check(Some(&deployed), &with(phase("Running")), &tests),
            State::Untested
        );
        assert_eq!(
            check(Some(&deployed), &with(phase("Failed")), &tests),
            State::Failed
        );
        let ignored = Wanted {
            test_failures_count: false,
            ..tests.clone()
        };
        assert_eq!(
            check(Some(&deployed), &with(phase("Failed")), &ignored),
            State::InSync
        );
        assert_eq!(
            check(Some(&deployed), &with(phase("Failed")), &plain),
            State::InSync
        );
        assert_eq!(
            check(Some(&deployed), &with(phase("Succeeded")), &tests),
            State::InSync
        );
        assert_eq!(
            check(Some(&deployed), &with(BTreeMap::new()), &tests),
            State::InSync
        );
        assert_eq!(check(Some(&deployed), &own(&deployed), &plain), State::InSync);
        let odd = record(Status::Uninstalling);
        let error = determine(Some(&odd), &own(&odd), &plain).unwrap_err();
        assert_eq!(
            error.to_string(),
            "unable to determine state for release with status 'uninstalling'"
        );
    }
}
