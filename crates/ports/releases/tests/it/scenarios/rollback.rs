//! Rollbacks.

use anyhow::{Result, ensure};
use serde_json::json;
use weir_releases::{InstallOptions, Reason, RollbackOptions, UpgradeOptions};

use crate::ground::{Failing as _, Ground, configs};

pub(crate) async fn a_rollback_brings_an_earlier_revision_back(ground: &Ground) -> Result<()> {
    let stage = ground.stage("rollback").await?;
    stage
        .install(
            configs("1.0.0", &[("a", "w: one"), ("b", "w: one")]),
            &InstallOptions::default(),
        )
        .await?;
    let upgrade = UpgradeOptions::default();
    stage
        .upgrade(configs("2.0.0", &[("a", "w: two"), ("c", "w: two")]), &upgrade)
        .await?;
    let failed = stage
        .upgrade(
            configs("3.0.0", &[("a", "w: three"), ("zbad", "w: [1]")]),
            &upgrade,
        )
        .await;
    ensure!(failed.is_err());
    let options = RollbackOptions {
        version: 1,
        max_history: 3,
        ..RollbackOptions::default()
    };
    let done = stage.rollback(&options).await?;
    ensure!(done.release.version == 4);
    ensure!(
        stage.configs().await? == ["a", "b"],
        "{:?}",
        stage.configs().await?
    );
    let a = stage.get(&stage.config("a")).await?;
    ensure!(a.get(&["data"]) == Some(&json!({"w": "one"})));
    let version = done
        .release
        .chart
        .as_ref()
        .and_then(|chart| chart.metadata.as_ref())
        .map(|metadata| metadata.version.as_str());
    ensure!(version == Some("1.0.0"), "{version:?}");
    let revisions = stage.revisions().await?;
    let short: Vec<(i64, &str, &str)> = revisions
        .iter()
        .filter(|(version, ..)| *version != 3)
        .map(|(version, status, description)| (*version, status.as_str(), description.as_str()))
        .collect();
    ensure!(
        short
            == [
                (2, "superseded", "Upgrade complete"),
                (4, "deployed", "Rollback to 1")
            ],
        "{revisions:?}"
    );
    stage
        .upgrade(configs("4.0.0", &[("a", "w: four")]), &upgrade)
        .await?;
    ensure!(stage.configs().await? == ["a"], "{:?}", stage.configs().await?);
    Ok(())
}

pub(crate) async fn a_rollback_to_nowhere_changes_nothing(ground: &Ground) -> Result<()> {
    let stage = ground.stage("rollback-nowhere").await?;
    let missing = stage.rollback(&RollbackOptions::default()).await.failure()?;
    ensure!(
        missing.reason == Reason::Missing && missing.to_string() == "release: not found",
        "{missing}"
    );
    stage
        .install(configs("1.0.0", &[("a", "w: one")]), &InstallOptions::default())
        .await?;
    let missing = stage.rollback(&RollbackOptions::default()).await.failure()?;
    ensure!(missing.to_string() == "release has no 0 version", "{missing}");
    ensure!(missing.reason == Reason::Missing && missing.release.is_none());
    stage.has_revisions(&[(1, "deployed")]).await
}
