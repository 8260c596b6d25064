//! Hooks.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use weir_helm::action::Filter;
use weir_helm::{Phase, Release};
use weir_releases::{InstallOptions, Reason, Run, TestOptions, UninstallOptions, UpgradeOptions};

use crate::ground::{Failing as _, Ground, Stage, chart, config, hook, short, template};

fn phases(release: &Release) -> Vec<(&str, &str)> {
    let mut phases: Vec<(&str, &str)> = release
        .hooks
        .iter()
        .map(|hook| (hook.name.as_str(), hook.last_run.phase.as_str()))
        .collect();
    phases.sort_unstable();
    phases
}

/// Writes count up in one place, on both servers.
async fn written(stage: &Stage, name: &str) -> Result<u64> {
    Ok(stage.get(&stage.config(name)).await?.resource_version().parse()?)
}

pub(crate) async fn hooks_run_by_weight_and_go_by_policy(ground: &Ground) -> Result<()> {
    let stage = ground.stage("hooks-order").await?;
    let chart = chart(
        "1.0.0",
        &[
            ("templates/a.yaml", &config("object", "a: b")),
            (
                "templates/b.yaml",
                &hook("late", "pre-install", 5, "before-hook-creation"),
            ),
            (
                "templates/c.yaml",
                &hook("early", "pre-install,pre-upgrade", -5, ""),
            ),
            ("templates/d.yaml", &hook("after", "post-install", 0, "")),
            (
                "templates/e.yaml",
                &hook("brief", "post-install", 1, "hook-succeeded"),
            ),
            ("templates/f.yaml", &hook("leaving", "pre-delete", 0, "")),
            (
                "templates/g.yaml",
                &hook("left", "post-delete", 0, "hook-succeeded"),
            ),
        ],
    );
    let done = stage
        .install(template(&chart, json!({})), &InstallOptions::default())
        .await?;
    ensure!(
        stage.configs().await? == ["after", "early", "late", "object"],
        "{:?}",
        stage.configs().await?
    );
    let mut order = Vec::new();
    for name in ["early", "late", "object", "after"] {
        order.push(written(&stage, name).await?);
    }
    ensure!(order.is_sorted(), "{order:?}");
    ensure!(
        phases(&done.release)
            == [
                ("after", "Succeeded"),
                ("brief", "Succeeded"),
                ("early", "Succeeded"),
                ("late", "Succeeded"),
                ("leaving", ""),
                ("left", ""),
            ],
        "{:?}",
        phases(&done.release)
    );
    // Hooks are no objects of the release.
    let early = stage.get(&stage.config("early")).await?;
    ensure!(early.label("app.kubernetes.io/managed-by").is_none());
    let stored = stage.storage.last("web").await?.expect("a record");
    ensure!(stored.to_json() == done.release.to_json());

    let uid = early.uid().to_owned();
    let done = stage
        .upgrade(template(&chart, json!({})), &UpgradeOptions::default())
        .await?;
    ensure!(
        stage.get(&stage.config("early")).await?.uid() != uid,
        "it was not created again"
    );
    ensure!(done.changes.created.is_empty(), "{:?}", done.changes);
    let quiet = UpgradeOptions {
        run: Run {
            disable_hooks: true,
            ..Run::default()
        },
        ..UpgradeOptions::default()
    };
    let uid = stage.get(&stage.config("early")).await?.uid().to_owned();
    stage.upgrade(template(&chart, json!({})), &quiet).await?;
    ensure!(stage.get(&stage.config("early")).await?.uid() == uid);
    stage.uninstall(&UninstallOptions::default()).await?;
    // What hooks made stays, unless a policy says otherwise.
    ensure!(
        stage.configs().await? == ["after", "early", "late", "leaving"],
        "{:?}",
        stage.configs().await?
    );
    Ok(())
}

fn pod(name: &str, event: &str, policy: &str) -> String {
    hook(name, event, 0, policy).replace("ConfigMap", "Pod")
        + "spec:\n  restartPolicy: Never\n  containers:\n  - {name: a, image: 'example/a:1'}\n"
}

/// Plays a Pod's end.
async fn end(stage: &Stage, name: &str, phase: &str) -> Result<()> {
    let pod = stage.object("v1", "Pod", name);
    stage.until(&pod, |_| true).await?;
    let patch = json!({"status": {"phase": phase}});
    stage.client.merge_status(&pod, &patch, "kubelet").await?;
    Ok(())
}

pub(crate) async fn a_failing_hook_fails_the_release(ground: &Ground) -> Result<()> {
    let stage = ground.stage("hooks-failing").await?;
    let chart = chart(
        "1.0.0",
        &[
            ("templates/a.yaml", &config("object", "a: b")),
            (
                "templates/b.yaml",
                &hook("first", "pre-install", -1, "hook-succeeded"),
            ),
            ("templates/c.yaml", &pod("check", "pre-install", "hook-failed")),
            ("templates/d.yaml", &hook("never", "pre-install", 1, "")),
        ],
    );
    let options = InstallOptions::default();
    let (error, ended) = tokio::join!(
        stage.install(template(&chart, json!({})), &options),
        end(&stage, "check", "Failed"),
    );
    ended?;
    let error = error.failure()?;
    ensure!(error.reason == Reason::Hook, "{error}");
    ensure!(
        error.to_string()
            == "failed pre-install: failed early due to stalled resources: [Pod/hooks-failing/check status: 'Failed']",
        "{error}"
    );
    let record = error.release.expect("a record");
    ensure!(
        phases(&record) == [("check", "Failed"), ("first", "Succeeded"), ("never", "")],
        "{:?}",
        phases(&record)
    );
    let hook = record.hooks.iter().find(|hook| hook.name == "check");
    ensure!(hook.is_some_and(|hook| hook.last_run.started_at.is_some()
        && hook.last_run.completed_at.is_some()
        && hook.last_run.phase == Phase::Failed));
    // Both went by their policies; the object was not applied.
    ensure!(stage.configs().await?.is_empty(), "{:?}", stage.configs().await?);
    ensure!(!stage.exists(&stage.object("v1", "Pod", "check")).await?);
    stage.has_revisions(&[(1, "failed")]).await?;
    let stored = stage.storage.last("web").await?.expect("a record");
    ensure!(stored.to_json() == record.to_json());
    Ok(())
}

pub(crate) async fn jobs_are_waited_for(ground: &Ground) -> Result<()> {
    let stage = ground.stage("hooks-jobs").await?;
    let job = hook("migrate", "pre-install", 0, "hook-succeeded")
        .replace("apiVersion: v1", "apiVersion: batch/v1")
        .replace("ConfigMap", "Job")
        + "spec:\n  template:\n    spec:\n      restartPolicy: Never\n      containers:\n      - {name: a, image: \
           'example/a:1'}\n";
    let chart = chart(
        "1.0.0",
        &[
            ("templates/a.yaml", &job),
            ("templates/b.yaml", &config("object", "a: b")),
        ],
    );
    let done = stage
        .install(template(&chart, json!({})), &InstallOptions::default())
        .await?;
    ensure!(phases(&done.release) == [("migrate", "Succeeded")]);
    ensure!(!stage.exists(&stage.object("batch/v1", "Job", "migrate")).await?);
    Ok(())
}

pub(crate) async fn tests_run_when_they_are_asked_for(ground: &Ground) -> Result<()> {
    let stage = ground.stage("hooks-tests").await?;
    let chart = chart(
        "1.0.0",
        &[
            ("templates/a.yaml", &config("object", "a: b")),
            ("templates/b.yaml", &hook("fine", "test", 0, "")),
            ("templates/c.yaml", &pod("check", "test", "")),
        ],
    );
    stage
        .install(template(&chart, json!({})), &InstallOptions::default())
        .await?;
    ensure!(stage.configs().await? == ["object"]);
    let only = |names: &[&str], not: &[&str]| TestOptions {
        timeout: Duration::from_secs(5),
        filter: Filter {
            only: names.iter().map(|&name| name.to_owned()).collect(),
            not: not.iter().map(|&name| name.to_owned()).collect(),
        },
    };
    let done = stage.test(&only(&[], &["check"])).await?;
    ensure!(phases(&done.release) == [("check", ""), ("fine", "Succeeded")]);
    let options = only(&["check"], &[]);
    let (failed, ended) = tokio::join!(stage.test(&options), end(&stage, "check", "Failed"));
    ended?;
    let failed = failed.failure()?;
    ensure!(failed.reason == Reason::Hook, "{failed}");
    let record = stage.storage.last("web").await?.expect("a record");
    ensure!(
        phases(&record) == [("check", "Failed"), ("fine", "Succeeded")],
        "{:?}",
        phases(&record)
    );
    stage.has_revisions(&[(1, "deployed")]).await?;
    // A hook that outlives its time fails as well.
    let slow = TestOptions {
        timeout: short().timeout,
        ..options
    };
    let (late, ended) = tokio::join!(stage.test(&slow), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        end(&stage, "check", "Pending").await
    });
    ended?;
    let late = late.failure()?;
    ensure!(
        late.to_string() == "timeout waiting for: [Pod/hooks-tests/check status: 'InProgress']",
        "{late}"
    );
    Ok(())
}
