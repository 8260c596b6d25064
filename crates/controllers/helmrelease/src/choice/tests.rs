use serde_json::{Value, json};
use weir_helm::{Info, Status};

use super::*;

fn record(version: i64, status: Status) -> Release {
    Release {
        name: "web".into(),
        namespace: "apps".into(),
        version,
        info: Some(Info {
            status,
            ..Info::default()
        }),
        ..Release::default()
    }
}

/// A case: the spec, the status, and what is asked for.
struct Case {
    strategies: Strategies,
    status: HelmReleaseStatus,
    records: Vec<Release>,
    force: bool,
    correct: bool,
}

fn case(spec: Value, last: Option<&str>, failures: i64) -> Case {
    let mut full = json!({"interval": "1m"});
    for (field, value) in spec.as_object().unwrap() {
        full[field] = value.clone();
    }
    let records = vec![record(1, Status::Superseded), record(2, Status::Failed)];
    let history = records
        .iter()
        .rev()
        .map(|r| history::snapshot(r, None, None))
        .collect();
    Case {
        strategies: Strategies::read(&serde_json::from_value(full).unwrap()).unwrap(),
        status: HelmReleaseStatus {
            last_attempted_release_action: last.map(str::to_owned),
            install_failures: if last == Some("install") { failures } else { 0 },
            upgrade_failures: if last == Some("upgrade") { failures } else { 0 },
            history,
            ..HelmReleaseStatus::default()
        },
        records,
        force: false,
        correct: false,
    }
}

impl Case {
    fn forced(mut self) -> Self {
        self.force = true;
        self
    }

    fn chooses(mut self, state: &State) -> (Next, HelmReleaseStatus) {
        let with = Circumstances {
            strategies: &self.strategies,
            ignore_tests: false,
            force: self.force,
            correct: self.correct,
            records: &self.records,
        };
        let next = choose(state, &mut self.status, &with);
        (next, self.status)
    }

    fn next(self, state: &State) -> Next {
        self.chooses(state).0
    }
}

fn upgrade(remediation: Value) -> Value {
    json!({"upgrade": {"remediation": remediation}})
}

#[test]
fn what_is_absent_is_installed_while_there_are_retries() {
    let absent = State::Absent;
    assert_eq!(case(json!({}), None, 0).next(&absent), Next::Install);
    assert_eq!(
        case(json!({}), Some("install"), 1).next(&absent),
        Next::Exhausted(Attempt::Install)
    );
    assert_eq!(
        case(json!({}), Some("install"), 1).forced().next(&absent),
        Next::Install
    );
    let retries = json!({"install": {"remediation": {"retries": -1}}});
    assert_eq!(case(retries, Some("install"), 9).next(&absent), Next::Install);
}

#[test]
fn what_is_out_of_sync_is_upgraded_while_there_are_retries() {
    let state = State::OutOfSync;
    assert_eq!(case(json!({}), None, 0).next(&state), Next::Upgrade);
    assert_eq!(
        case(json!({}), Some("upgrade"), 1).next(&state),
        Next::Exhausted(Attempt::Upgrade)
    );
    assert_eq!(
        case(json!({}), Some("upgrade"), 1).forced().next(&state),
        Next::Upgrade
    );
}

#[test]
fn what_others_made_is_adopted_by_an_upgrade() {
    let (next, status) = case(json!({}), Some("upgrade"), 5).chooses(&State::Unmanaged);
    assert_eq!(next, Next::Upgrade);
    assert!(status.history.is_empty());
}

#[test]
fn a_broken_off_action_is_unlocked_and_tests_are_run() {
    assert_eq!(case(json!({}), None, 0).next(&State::Locked), Next::Unlock);
    assert_eq!(case(json!({}), None, 0).next(&State::Untested), Next::Test);
}

#[test]
fn drift_is_told_or_put_back() {
    let mut correcting = case(json!({}), None, 0);
    correcting.correct = true;
    assert_eq!(correcting.next(&State::Drifted), Next::Correct);
    assert_eq!(case(json!({}), None, 0).next(&State::Drifted), Next::Warned);
}

#[test]
fn what_is_in_sync_is_upgraded_by_force_only() {
    assert_eq!(case(json!({}), None, 0).next(&State::InSync), Next::Done);
    assert_eq!(
        case(json!({}), None, 0).forced().next(&State::InSync),
        Next::Upgrade
    );
}

#[test]
fn a_failure_is_answered_as_the_spec_says() {
    let failed = State::Failed;
    let check = |spec: Value, last: Option<&str>, failures, wanted: Next| {
        assert_eq!(
            case(spec.clone(), last, failures).next(&failed),
            wanted,
            "{spec} {last:?}"
        );
    };
    let retry = json!({"install": {"strategy": {"name": "RetryOnFailure"}}});
    check(retry, Some("install"), 3, Next::Upgrade);
    // Nothing was tried by us, or what failed has changed since.
    check(json!({}), None, 0, Next::Upgrade);
    check(json!({}), Some("upgrade"), 0, Next::Upgrade);
    assert_eq!(
        case(json!({}), Some("upgrade"), 1).forced().next(&failed),
        Next::Upgrade
    );
    check(json!({}), Some("install"), 1, Next::Exhausted(Attempt::Install));
    check(json!({}), Some("upgrade"), 1, Next::Exhausted(Attempt::Upgrade));
    let install = json!({"install": {"remediation": {"retries": 1}}});
    check(install.clone(), Some("install"), 1, Next::Uninstall);
    check(install, Some("install"), 2, Next::Exhausted(Attempt::Install));
    let last = json!({"install": {"remediation": {"remediateLastFailure": true}}});
    check(last, Some("install"), 1, Next::Uninstall);
    check(
        upgrade(json!({"retries": 1})),
        Some("upgrade"),
        1,
        Next::Rollback(1),
    );
    // Retries make the last failure be answered too.
    check(
        upgrade(json!({"retries": 1})),
        Some("upgrade"),
        2,
        Next::Rollback(1),
    );
    check(
        upgrade(json!({"retries": 1, "remediateLastFailure": false})),
        Some("upgrade"),
        2,
        Next::Exhausted(Attempt::Upgrade),
    );
    check(
        upgrade(json!({"retries": 1, "strategy": "uninstall"})),
        Some("upgrade"),
        1,
        Next::Uninstall,
    );
}

#[test]
fn a_rollback_goes_to_what_is_still_what_it_was() {
    let spec = upgrade(json!({"retries": 1}));
    let mut alone = case(spec.clone(), Some("upgrade"), 1);
    alone.status.history.truncate(1);
    assert_eq!(alone.next(&State::Failed), Next::NoTarget);
    let mut gone = case(spec.clone(), Some("upgrade"), 1);
    gone.records.remove(0);
    assert_eq!(gone.next(&State::Failed), Next::Upgrade);
    let mut changed = case(spec, Some("upgrade"), 1);
    changed.records[0].manifest = "changed".into();
    assert_eq!(changed.next(&State::Failed), Next::Upgrade);
}

#[test]
fn the_history_is_cut_where_it_is_of_no_use() {
    let long = |mut case: Case| {
        case.status.history = (1..9)
            .map(|version| history::snapshot(&record(version, Status::Failed), None, None))
            .collect();
        case
    };
    let retry = json!({"upgrade": {"strategy": {"name": "RetryOnFailure"}}});
    for state in [State::Failed, State::InSync] {
        let (_, status) = long(case(retry.clone(), Some("upgrade"), 1)).chooses(&state);
        assert_eq!(status.history.len(), 5);
    }
    let (_, status) = case(json!({}), Some("upgrade"), 0).chooses(&State::InSync);
    assert_eq!(status.history.len(), 2);
}

#[test]
fn actions_have_names_and_classes() {
    for (next, name, class) in [
        (Next::Install, "install", Some(Class::Release)),
        (Next::Upgrade, "upgrade", Some(Class::Release)),
        (Next::Rollback(1), "rollback", Some(Class::Remediate)),
        (Next::Uninstall, "uninstall", Some(Class::Remediate)),
        (Next::Test, "test", Some(Class::Test)),
        (Next::Unlock, "unlock", Some(Class::Unlock)),
        (Next::Correct, "correct cluster drift", Some(Class::Drift)),
        (Next::Done, "", None),
    ] {
        assert_eq!((next.name(), next.class()), (name, class));
    }
}
