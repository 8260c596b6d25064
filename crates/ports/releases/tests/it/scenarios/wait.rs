//! Waiting for objects.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use weir_releases::{InstallOptions, Reason, Run, UpgradeOptions, WaitStrategy};

use super::watched::stage;
use crate::ground::{Failing as _, Ground, configs, short};

pub(crate) async fn a_wait_that_is_not_over_in_time_fails_the_release(ground: &Ground) -> Result<()> {
    let stage = stage(ground, "wait-timeout").await?;
    let options = InstallOptions {
        run: short(),
        ..InstallOptions::default()
    };
    let error = stage
        .install(
            configs("1.0.0", &[("a", "ready: 'yes'"), ("b", "ready: 'no'")]),
            &options,
        )
        .await
        .failure()?;
    ensure!(error.reason == Reason::Wait, "{error}");
    ensure!(
        error.to_string() == "timeout waiting for: [ConfigMap/wait-timeout/b status: 'InProgress']",
        "{error}"
    );
    let revisions = stage.revisions().await?;
    ensure!(
        revisions == [(1, "failed".to_owned(), format!("Release \"web\" failed: {error}"))],
        "{revisions:?}"
    );
    let b = stage.config("b");
    let getting_there = async {
        stage
            .until(&b, |live| live.get(&["data", "other"]).is_some())
            .await?;
        let patch = json!({"data": {"ready": "yes"}});
        stage.client.merge(&b, &patch, "somebody").await?;
        anyhow::Ok(())
    };
    let options = UpgradeOptions {
        run: Run {
            timeout: Duration::from_secs(20),
            ..Run::default()
        },
        ..UpgradeOptions::default()
    };
    let template = configs("1.0.1", &[("a", "ready: 'yes'"), ("b", "other: x")]);
    let (done, patched) = tokio::join!(stage.upgrade(template, &options), getting_there);
    patched?;
    done?;
    stage.has_revisions(&[(1, "superseded"), (2, "deployed")]).await
}

pub(crate) async fn an_object_that_failed_ends_the_wait_at_once(ground: &Ground) -> Result<()> {
    let stage = stage(ground, "wait-failed").await?;
    let begun = tokio::time::Instant::now();
    let error = stage
        .install(
            configs("1.0.0", &[("a", "ready: 'no'"), ("b", "ready: 'never'")]),
            &InstallOptions::default(),
        )
        .await
        .failure()?;
    ensure!(
        error.to_string()
            == "failed early due to stalled resources: [ConfigMap/wait-failed/b status: 'Failed']",
        "{error}"
    );
    ensure!(begun.elapsed() < Duration::from_mins(1));
    Ok(())
}

pub(crate) async fn a_cancelled_action_is_recorded_as_failed(ground: &Ground) -> Result<()> {
    let stage = stage(ground, "wait-cancelled").await?;
    let cancelling = async {
        stage.until(&stage.config("a"), |_| true).await?;
        stage.cancel.cancel();
        anyhow::Ok(())
    };
    let options = InstallOptions::default();
    let template = configs("1.0.0", &[("a", "ready: 'no'")]);
    let (error, cancelled) = tokio::join!(stage.install(template, &options), cancelling);
    cancelled?;
    let error = error.failure()?;
    ensure!(
        error.reason == Reason::Cancelled && error.release.is_some(),
        "{error}"
    );
    let revisions = stage.revisions().await?;
    let wanted = "Release \"web\" failed: context canceled".to_owned();
    ensure!(revisions == [(1, "failed".to_owned(), wanted)], "{revisions:?}");
    Ok(())
}

pub(crate) async fn nobody_waits_when_it_is_not_wanted(ground: &Ground) -> Result<()> {
    let stage = stage(ground, "wait-none").await?;
    let options = |wait| InstallOptions {
        run: Run { wait, ..short() },
        replace: true,
        ..InstallOptions::default()
    };
    let template = || configs("1.0.0", &[("a", "ready: 'no'")]);
    stage
        .install(template(), &options(WaitStrategy::HooksOnly))
        .await?;
    // Helm 3 knew no such rules.
    let legacy = UpgradeOptions {
        run: Run {
            wait: WaitStrategy::Legacy,
            ..short()
        },
        ..UpgradeOptions::default()
    };
    stage.upgrade(template(), &legacy).await?;
    let polled = UpgradeOptions {
        run: short(),
        ..UpgradeOptions::default()
    };
    let error = stage.upgrade(template(), &polled).await.failure()?;
    ensure!(error.reason == Reason::Wait, "{error}");
    Ok(())
}
