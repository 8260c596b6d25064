//! Installations and upgrades.

use anyhow::{Result, ensure};
use serde_json::json;
use weir_helm::storage_name;
use weir_releases::{InstallOptions, Reason, Storage, StorageError, UpgradeOptions};

use crate::ground::{Failing as _, Ground, MANAGER, NAME, chart, config, configs, managers, short, template};

pub(crate) async fn an_installation_leaves_objects_and_a_record(ground: &Ground) -> Result<()> {
    let stage = ground.stage("upgrade-install").await?;
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-{{ .Values.colour }}\ndata:\n  \
                revision: {{ .Release.Revision | quote }}\n  install: {{ .Release.IsInstall | quote }}\n  apis: {{ \
                .Capabilities.APIVersions.Has \"apps/v1/Deployment\" | quote }}\n";
    let chart = chart(
        "1.2.3",
        &[
            ("templates/a.yaml", text),
            ("templates/NOTES.txt", "welcome"),
            ("values.yaml", "colour: red\n"),
        ],
    );
    let done = stage
        .install(
            template(&chart, json!({"colour": "blue"})),
            &InstallOptions::default(),
        )
        .await?;
    let object = stage.config("web-blue");
    ensure!(done.changes.created == [object.clone()], "{:?}", done.changes);
    let live = stage.get(&object).await?;
    ensure!(
        live.get(&["data"]) == Some(&json!({"revision": "1", "install": "true", "apis": "true"})),
        "{live:?}"
    );
    ensure!(live.label("app.kubernetes.io/managed-by") == Some("Helm"));
    ensure!(live.annotation("meta.helm.sh/release-name") == Some(NAME));
    ensure!(live.annotation("meta.helm.sh/release-namespace") == Some(stage.namespace.as_str()));
    ensure!(
        managers(&live) == [(MANAGER.to_owned(), vec!["Apply".to_owned()])].into(),
        "{:?}",
        managers(&live)
    );
    let secret = stage
        .get(&stage.object("v1", "Secret", &storage_name(NAME, 1)))
        .await?;
    ensure!(secret.get(&["type"]) == Some(&json!("helm.sh/release.v1")));
    for (key, value) in [
        ("owner", "helm"),
        ("name", NAME),
        ("status", "deployed"),
        ("version", "1"),
    ] {
        ensure!(secret.label(key) == Some(value), "{key}: {:?}", secret.label(key));
    }
    ensure!(secret.label("modifiedAt").is_some() && secret.label("createdAt").is_none());
    let record = stage.storage.get(NAME, 1).await?.expect("a record");
    ensure!(record == done.release, "{record:?}");
    ensure!(record.apply_method == "ssa");
    let info = record.info.unwrap_or_default();
    ensure!(
        (info.description.as_str(), info.notes.as_str()) == ("Install complete", "welcome"),
        "{info:?}"
    );
    Ok(())
}

pub(crate) async fn an_upgrade_creates_changes_deletes_and_keeps(ground: &Ground) -> Result<()> {
    let stage = ground.stage("upgrade-changes").await?;
    let kept =
        config("kept", "a: b").replace("\ndata", "\n  annotations: {helm.sh/resource-policy: keep}\ndata");
    let first = chart(
        "1.0.0",
        &[
            (
                "templates/changed.yaml",
                &config("changed", "colour: blue, gone: x"),
            ),
            ("templates/same.yaml", &config("same", "a: b")),
            ("templates/gone.yaml", &config("gone", "a: b")),
            ("templates/kept.yaml", &kept),
        ],
    );
    stage
        .install(template(&first, json!({})), &InstallOptions::default())
        .await?;
    let before = stage.get(&stage.config("same")).await?;
    let second = configs(
        "1.1.0",
        &[("changed", "colour: red"), ("same", "a: b"), ("new", "c: d")],
    );
    let done = stage.upgrade(second, &UpgradeOptions::default()).await?;
    ensure!(done.release.version == 2);
    let names = |refs: &[weir_apis::ObjectRef]| -> Vec<String> {
        refs.iter().map(|object| object.name.clone()).collect()
    };
    ensure!(names(&done.changes.created) == ["new"], "{:?}", done.changes);
    ensure!(
        names(&done.changes.updated) == ["changed", "same"],
        "{:?}",
        done.changes
    );
    ensure!(names(&done.changes.deleted) == ["gone"], "{:?}", done.changes);
    ensure!(names(&done.changes.kept) == ["kept"], "{:?}", done.changes);
    ensure!(stage.configs().await? == ["changed", "kept", "new", "same"]);
    let changed = stage.get(&stage.config("changed")).await?;
    ensure!(
        changed.get(&["data"]) == Some(&json!({"colour": "red"})),
        "{changed:?}"
    );
    let same = stage.get(&stage.config("same")).await?;
    ensure!(same.resource_version() == before.resource_version());
    let revisions = stage.revisions().await?;
    let wanted = [
        (1, "superseded".to_owned(), "Install complete".to_owned()),
        (2, "deployed".to_owned(), "Upgrade complete".to_owned()),
    ];
    ensure!(revisions == wanted, "{revisions:?}");
    let history = stage.storage.history(NAME).await?;
    let days = |at: usize| {
        history
            .get(at)
            .and_then(|one| one.info.clone())
            .unwrap_or_default()
    };
    ensure!(days(0).first_deployed == days(1).first_deployed);
    ensure!(days(0).last_deployed != days(1).last_deployed);
    Ok(())
}

pub(crate) async fn history_is_pruned_and_what_is_deployed_stays(ground: &Ground) -> Result<()> {
    let stage = ground.stage("upgrade-history").await?;
    stage
        .install(configs("1.0.0", &[("a", "w: \"1\"")]), &InstallOptions::default())
        .await?;
    let options = UpgradeOptions {
        max_history: 2,
        ..UpgradeOptions::default()
    };
    for n in 2..=3 {
        stage
            .upgrade(configs("1.0.0", &[("a", &format!("w: \"{n}\""))]), &options)
            .await?;
    }
    stage.has_revisions(&[(2, "superseded"), (3, "deployed")]).await?;
    let failing = UpgradeOptions {
        run: short(),
        ..options.clone()
    };
    for _ in 0..2 {
        let bad = configs("1.0.0", &[("a", "w: [1]")]);
        let error = stage.upgrade(bad, &failing).await.failure()?;
        ensure!(error.reason == Reason::Apply, "{error}");
    }
    stage.has_revisions(&[(3, "deployed"), (5, "failed")]).await
}

pub(crate) async fn a_failed_upgrade_is_recorded_and_cleaned_up(ground: &Ground) -> Result<()> {
    let stage = ground.stage("upgrade-failed").await?;
    stage
        .install(configs("1.0.0", &[("old", "a: b")]), &InstallOptions::default())
        .await?;
    let options = UpgradeOptions {
        cleanup_on_fail: true,
        ..UpgradeOptions::default()
    };
    let bad = configs("1.1.0", &[("new", "a: b"), ("old", "a: b"), ("zbad", "a: [1]")]);
    let error = stage.upgrade(bad, &options).await.failure()?;
    ensure!(error.reason == Reason::Apply, "{error}");
    let record = error.release.as_ref().expect("a record was written");
    ensure!(record.version == 2);
    ensure!(
        error.to_string().starts_with(
            "failed to create resource: server-side apply failed for object upgrade-failed/zbad v1, Kind=ConfigMap: "
        ),
        "{error}"
    );
    let revisions = stage.revisions().await?;
    ensure!(
        revisions
            .get(1)
            .is_some_and(|(_, status, description)| status == "failed"
                && *description == format!("Upgrade \"web\" failed: {error}")),
        "{revisions:?}"
    );
    ensure!(stage.configs().await? == ["old"], "{:?}", stage.configs().await?);
    // The next one goes on from what is deployed.
    stage
        .upgrade(configs("1.2.0", &[("other", "a: b")]), &UpgradeOptions::default())
        .await?;
    ensure!(stage.configs().await? == ["other"]);
    stage
        .has_revisions(&[(1, "superseded"), (2, "failed"), (3, "deployed")])
        .await
}

pub(crate) async fn a_name_is_taken_unless_it_may_be_replaced(ground: &Ground) -> Result<()> {
    let stage = ground.stage("upgrade-replace").await?;
    let missing = stage
        .upgrade(configs("1.0.0", &[("a", "a: b")]), &UpgradeOptions::default())
        .await
        .failure()?;
    ensure!(missing.reason == Reason::Missing && missing.release.is_none());
    ensure!(
        missing.to_string() == "\"web\" has no deployed releases",
        "{missing}"
    );
    let failed = stage
        .install(configs("1.0.0", &[("a", "a: [1]")]), &InstallOptions::default())
        .await
        .failure()?;
    ensure!(failed.release.is_some(), "{failed}");
    let revisions = stage.revisions().await?;
    ensure!(
        revisions
            == [(
                1,
                "failed".to_owned(),
                format!("Release \"web\" failed: {failed}")
            )],
        "{revisions:?}"
    );
    let good = || configs("1.0.0", &[("a", "a: b")]);
    let taken = stage
        .install(good(), &InstallOptions::default())
        .await
        .failure()?;
    ensure!(taken.reason == Reason::InUse && taken.release.is_none());
    ensure!(
        taken.to_string() == "release name check failed: cannot reuse a name that is still in use",
        "{taken}"
    );
    let options = InstallOptions {
        replace: true,
        ..InstallOptions::default()
    };
    stage.install(good(), &options).await?;
    stage.has_revisions(&[(1, "failed"), (2, "deployed")]).await?;
    let taken = stage.install(good(), &options).await.failure()?;
    ensure!(taken.reason == Reason::InUse);
    Ok(())
}

pub(crate) async fn an_interrupted_release_is_unlocked(ground: &Ground) -> Result<()> {
    let stage = ground.stage("upgrade-unlock").await?;
    ensure!(stage.unlock().await?.is_none());
    let done = stage
        .install(configs("1.0.0", &[("a", "a: b")]), &InstallOptions::default())
        .await?;
    ensure!(stage.unlock().await?.is_none());
    // As a process that died leaves it.
    let mut pending = done.release;
    pending.version = 2;
    pending.info.get_or_insert_default().status = weir_helm::Status::PendingUpgrade;
    stage.storage.create(&pending, 0, jiff::Timestamp::now()).await?;
    let next = || configs("1.0.1", &[("a", "a: c")]);
    let locked = stage
        .upgrade(next(), &UpgradeOptions::default())
        .await
        .failure()?;
    ensure!(locked.reason == Reason::Pending, "{locked}");
    ensure!(
        locked.to_string() == "another operation (install/upgrade/rollback) is in progress",
        "{locked}"
    );
    let unlocked = stage.unlock().await?.expect("it was pending");
    ensure!(
        unlocked
            .info
            .is_some_and(|info| info.description == "Release unlocked from stale 'pending-upgrade' state")
    );
    stage.upgrade(next(), &UpgradeOptions::default()).await?;
    stage
        .has_revisions(&[(1, "superseded"), (2, "failed"), (3, "deployed")])
        .await
}

pub(crate) async fn of_two_who_write_one_record_one_fails(ground: &Ground) -> Result<()> {
    let stage = ground.stage("upgrade-two").await?;
    let now = jiff::Timestamp::now();
    stage
        .install(configs("1.0.0", &[("a", "a: b")]), &InstallOptions::default())
        .await?;
    let storage = || Storage::new(stage.client.clone(), &stage.namespace, "helm");
    let (one, other, late) = (storage(), storage(), storage());
    let mut ours = one.last(NAME).await?.expect("a record");
    let mut theirs = other.last(NAME).await?.expect("a record");
    late.last(NAME).await?;
    weir_helm::action::supersede(&mut theirs, Some("theirs"));
    other.update(&theirs, now).await?;
    weir_helm::action::fail(&mut ours, "ours");
    let refused = one.update(&ours, now).await.expect_err("they were first");
    ensure!(refused.to_string().contains("modified"), "{refused}");
    // A write whose answer was lost is made again, and meets itself.
    late.update(&theirs, now).await?;
    // They may go on, and so may we when we have read what they wrote.
    other.update(&theirs, now).await?;
    one.last(NAME).await?;
    // A label that somebody puts on the Secret makes it no other record.
    let secret = stage.object("v1", "Secret", &storage_name(NAME, 1));
    let label = json!({"metadata": {"labels": {"seen": "yes"}}});
    stage.client.merge(&secret, &label, "somebody").await?;
    one.update(&ours, now).await?;
    stage.has_revisions(&[(1, "failed")]).await?;
    let taken = other.create(&ours, 0, now).await.expect_err("it is there");
    ensure!(matches!(taken, StorageError::Exists(_)), "{taken}");
    Ok(())
}
