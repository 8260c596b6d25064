//! Removals.

use anyhow::{Result, ensure};
use weir_releases::{InstallOptions, Reason, UninstallOptions, UpgradeOptions};

use crate::ground::{Failing as _, Ground, chart, config, configs, template};

pub(crate) async fn a_removal_keeps_what_asks_for_it_and_forgets_the_release(ground: &Ground) -> Result<()> {
    let stage = ground.stage("uninstall").await?;
    let policy = |name: &str, policy: &str| {
        config(name, "a: b").replace(
            "\ndata",
            &format!("\n  annotations: {{helm.sh/resource-policy: {policy}}}\ndata"),
        )
    };
    let chart = chart(
        "1.0.0",
        &[
            ("templates/a.yaml", &config("gone", "a: b")),
            ("templates/b.yaml", &policy("kept", "Keep")),
            ("templates/c.yaml", &policy("left", "other")),
            (
                "templates/d.yaml",
                "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: uninstall-role\nrules: []\n",
            ),
        ],
    );
    stage
        .install(
            template(&chart, serde_json::json!({})),
            &InstallOptions::default(),
        )
        .await?;
    stage
        .upgrade(
            template(&chart, serde_json::json!({})),
            &UpgradeOptions::default(),
        )
        .await?;
    let done = stage.uninstall(&UninstallOptions::default()).await?;
    let names = |refs: &[weir_apis::ObjectRef]| -> Vec<String> {
        refs.iter().map(|object| object.name.clone()).collect()
    };
    ensure!(
        names(&done.changes.deleted) == ["uninstall-role", "gone"],
        "{:?}",
        done.changes
    );
    ensure!(names(&done.changes.kept) == ["kept"], "{:?}", done.changes);
    ensure!(stage.configs().await? == ["kept", "left"]);
    ensure!(stage.revisions().await?.is_empty());
    let missing = stage.uninstall(&UninstallOptions::default()).await.failure()?;
    ensure!(missing.reason == Reason::Missing, "{missing}");
    ensure!(
        missing.to_string() == "uninstall: Release not loaded: web: release: not found",
        "{missing}"
    );
    Ok(())
}

pub(crate) async fn a_removal_may_be_remembered(ground: &Ground) -> Result<()> {
    let stage = ground.stage("uninstall-history").await?;
    let first = || configs("1.0.0", &[("a", "a: b")]);
    stage.install(first(), &InstallOptions::default()).await?;
    stage.upgrade(first(), &UpgradeOptions::default()).await?;
    let options = UninstallOptions {
        keep_history: true,
        ..UninstallOptions::default()
    };
    stage.uninstall(&options).await?;
    ensure!(stage.configs().await?.is_empty());
    stage
        .has_revisions(&[(1, "superseded"), (2, "uninstalled")])
        .await?;
    let record = stage.storage.last("web").await?.expect("a record");
    let info = record.info.unwrap_or_default();
    ensure!(info.description == "Uninstallation complete" && info.deleted.is_some());
    let again = stage.uninstall(&options).await.failure()?;
    ensure!(
        again.to_string() == "the release named \"web\" is already deleted",
        "{again}"
    );
    let replacing = InstallOptions {
        replace: true,
        ..InstallOptions::default()
    };
    stage.install(first(), &replacing).await?;
    stage
        .has_revisions(&[(1, "superseded"), (2, "superseded"), (3, "deployed")])
        .await?;
    stage.uninstall(&options).await?;
    stage.uninstall(&UninstallOptions::default()).await?;
    ensure!(stage.revisions().await?.is_empty());
    Ok(())
}
