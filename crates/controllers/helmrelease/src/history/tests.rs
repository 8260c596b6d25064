use weir_helm::{Event, Info, Phase, Status};

use super::*;

fn release(version: i64, status: Status) -> Release {
    Release {
        name: "web".to_owned(),
        namespace: "apps".to_owned(),
        version,
        info: Some(Info {
            status,
            ..Info::default()
        }),
        ..Release::default()
    }
}

fn hook(name: &str, phase: Phase) -> Hook {
    let mut hook = Hook {
        name: name.to_owned(),
        events: vec![Event::Test],
        ..Hook::default()
    };
    hook.last_run.phase = phase;
    hook
}

fn of(entries: &[(i64, Status)]) -> Vec<Snapshot> {
    entries
        .iter()
        .map(|(version, status)| snapshot(&release(*version, status.clone()), None, None))
        .collect()
}

fn versions(history: &[Snapshot]) -> Vec<i64> {
    history.iter().map(|snapshot| snapshot.version).collect()
}

#[test]
fn a_snapshot_is_of_one_record_only() {
    let mut record = release(2, Status::Deployed);
    let taken = snapshot(&record, Some(action::UPGRADE), Some("sha256:abc"));
    assert_eq!(verify(&taken, &record), Ok(()));
    assert_eq!(release_name(&taken), "apps/web.v2");
    let other = Snapshot {
        oci_digest: None,
        ..taken.clone()
    };
    assert_eq!(verify(&other, &record), Err(Mismatch::NotObserved));
    record.manifest = "changed".into();
    assert_eq!(verify(&taken, &record), Err(Mismatch::NotObserved));
    // Old controllers took digests of something else.
    let old = Snapshot {
        api_version: None,
        ..taken.clone()
    };
    assert_eq!(verify(&old, &record), Ok(()));
    let broken = Snapshot {
        digest: "?".into(),
        ..taken
    };
    assert_eq!(verify(&broken, &record), Err(Mismatch::Digest));
}

#[test]
fn the_good_one_before_the_latest_is_gone_back_to() {
    use Status::{Deployed, Failed, Superseded};
    let history = of(&[(4, Failed), (3, Failed), (2, Superseded), (1, Superseded)]);
    assert_eq!(latest(&history).map(|s| s.version), Some(4));
    assert_eq!(previous(&history, false).map(|s| s.version), Some(2));
    assert!(previous(&of(&[(1, Deployed)]), false).is_none());
    let mut tested = history;
    let mut failed = release(2, Superseded);
    failed.hooks = vec![hook("t", Phase::Failed)];
    tested[2].test_hooks = Some(test_hooks(&failed, &[]));
    assert_eq!(previous(&tested, false).map(|s| s.version), Some(1));
    assert_eq!(previous(&tested, true).map(|s| s.version), Some(2));
}

#[test]
fn old_entries_are_forgotten_behind_a_good_one() {
    use Status::{Deployed, Failed, Superseded};
    for (entries, wanted) in [
        (vec![(3, Failed), (2, Superseded), (1, Superseded)], vec![3, 2]),
        (vec![(1, Failed), (2, Deployed)], vec![2, 1]),
        (
            (1..8).map(|version| (version, Failed)).collect(),
            vec![7, 6, 5, 4, 3],
        ),
        (vec![(1, Deployed)], vec![1]),
    ] {
        let mut history = of(&entries);
        truncate(&mut history, false);
        assert_eq!(versions(&history), wanted);
    }
    let mut history = of(&(1..8).map(|version| (version, Superseded)).collect::<Vec<_>>());
    truncate_to_newest(&mut history);
    assert_eq!(versions(&history), [7, 6, 5, 4, 3]);
}

#[test]
fn what_an_action_wrote_is_recorded() {
    let mut history = Vec::new();
    record(
        &mut history,
        &[release(1, Status::Deployed)],
        action::INSTALL,
        Some("sha256:1"),
    );
    history[0].test_hooks = Some(BTreeMap::new());
    let written = [release(1, Status::Superseded), release(2, Status::Deployed)];
    record(&mut history, &written, action::UPGRADE, Some("sha256:2"));
    assert_eq!(versions(&history), [2, 1]);
    let seen: Vec<_> = history
        .iter()
        .map(|s| {
            (
                s.action.as_deref(),
                s.status.as_str(),
                s.oci_digest.as_deref(),
                s.test_hooks.is_some(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (Some("upgrade"), "deployed", Some("sha256:2"), false),
            (Some("install"), "superseded", Some("sha256:1"), true),
        ]
    );
    record(
        &mut history,
        &[release(2, Status::Uninstalled)],
        action::UNINSTALL,
        None,
    );
    assert_eq!(
        (
            history[0].status.as_str(),
            history[0].action.as_deref(),
            history[0].oci_digest.as_deref()
        ),
        ("uninstalled", Some("uninstall"), Some("sha256:2"))
    );
}

#[test]
fn tests_are_told_from_their_hooks() {
    let with = |hooks: Vec<Hook>, filters: &[Filter]| {
        let mut record = release(1, Status::Deployed);
        record.hooks = hooks;
        let mut taken = snapshot(&record, None, None);
        assert!(!was_tested(&taken));
        taken.test_hooks = Some(test_hooks(&record, filters));
        taken
    };
    assert!(was_tested(&with(vec![], &[])));
    assert!(was_tested(&with(vec![hook("a", Phase::Succeeded)], &[])));
    let failed = with(vec![hook("a", Phase::Failed), hook("b", Phase::None)], &[]);
    assert!(was_tested(&failed) && has_failed_test(&failed));
    assert!(!was_tested(&with(vec![hook("a", Phase::Running)], &[])));
    let filter = |name: &str, exclude: bool| Filter {
        name: name.into(),
        exclude,
    };
    let names = |filters: &[Filter]| -> Vec<String> {
        let taken = with(vec![hook("a", Phase::None), hook("b", Phase::None)], filters);
        taken.test_hooks.unwrap().into_keys().collect()
    };
    assert_eq!(names(&[filter("a", false)]), ["a"]);
    assert_eq!(names(&[filter("a", true)]), ["b"]);
    assert_eq!(
        names(&[filter("a", true), filter("a", false)]),
        Vec::<String>::new()
    );
}
