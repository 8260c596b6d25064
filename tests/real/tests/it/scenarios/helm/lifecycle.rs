//! What helm-controller's own cases of failed installations and upgrades ask for where waiting is what fails.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use weir_apis::condition::{Conditions, READY, RELEASED, REMEDIATED, STALLED, Status, TEST_SUCCESS};
use weir_apis::{Object, ObjectRef};
use weir_cluster::Propagation;
use weir_real::{Ground, object, source};

use super::{change, message, test_hook, until_exhausted};

/// A ConfigMap that says whether it is ready.
const SLOW: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: slow}\ndata: {ready: \"{{ .Values.ready }}\", colour: \"{{ .Values.colour }}\"}\n";

/// A release that waits for that ConfigMap, for a second.
async fn release(ground: &Ground, ns: &str, ready: &str, fields: Value) -> Result<ObjectRef> {
    ground.chart_stage(ns, &[("templates/slow.yaml", SLOW)]).await?;
    let rules = json!([{"apiVersion": "v1", "kind": "ConfigMap", "current": "!has(data.ready) || data.ready == 'yes'"}]);
    let mut all = json!({"healthCheckExprs": rules, "timeout": "1s", "values": {"ready": ready}});
    for (field, value) in fields.as_object().context("fields")? {
        all[field] = value.clone();
    }
    ground.helm_release(ns, all).await
}

fn failures(live: &Object, of: &str) -> i64 {
    let found = live.get(&["status", of]).and_then(Value::as_i64);
    found.unwrap_or_default()
}

async fn until_remediated(ground: &Ground, web: &ObjectRef) -> Result<Object> {
    ground
        .until(web, |live| {
            let conditions = Conditions::of(live);
            conditions.is(REMEDIATED, Status::True) && conditions.is(STALLED, Status::True)
        })
        .await
}

/// The description of the newest revision.
async fn newest(ground: &Ground, ns: &str) -> Result<String> {
    let records = ground.records(ns).await?;
    let last = records.last().context("a record")?;
    Ok(last.info.clone().unwrap_or_default().description)
}

pub(crate) async fn install_fail_while_waiting(ground: &Ground) -> Result<()> {
    let ns = "hr-wait-install";
    let web = release(ground, ns, "no", json!({})).await?;
    let ready = until_exhausted(ground, &web, READY).await?;
    let expected = format!("timeout waiting for: [ConfigMap/{ns}/slow status: 'InProgress']");
    ensure!(
        ready.starts_with("False InstallFailed") && ready.contains(&expected),
        "{ready}"
    );
    ensure!(message(&ground.get(&web).await?, RELEASED)? == ready);
    ground.has_records(ns, &[(1, "failed")]).await?;
    // Nobody waits where that is not wanted.
    change(
        ground,
        &web,
        json!({"install": {"disableWait": true}, "upgrade": {"disableWait": true}}),
    )
    .await?;
    ground.until_revision(&web, 2).await?;
    Ok(())
}

pub(crate) async fn install_fail_remediate_keep_history(ground: &Ground) -> Result<()> {
    let ns = "hr-wait-remediate";
    let fields = json!({"install": {"remediation": {"remediateLastFailure": true}}, "uninstall": {"keepHistory": true}});
    let web = release(ground, ns, "no", fields).await?;
    let live = until_remediated(ground, &web).await?;
    ensure!(message(&live, RELEASED)?.starts_with("False InstallFailed"));
    ensure!(message(&live, READY)?.starts_with("False"));
    ground.has_records(ns, &[(1, "uninstalled")]).await?;
    ensure!(ground.setting(ns, "colour").await?.is_none());
    ground.client.delete(&web, Propagation::Background, None).await?;
    ground.until_gone(&web).await?;
    ground.has_records(ns, &[(1, "uninstalled")]).await
}

pub(crate) async fn install_fail_retries(ground: &Ground) -> Result<()> {
    let ns = "hr-wait-install-retries";
    let fields = json!({"install": {"remediation": {"retries": 1}}});
    let web = release(ground, ns, "no", fields).await?;
    let released = until_exhausted(ground, &web, RELEASED).await?;
    ensure!(released.starts_with("False InstallFailed"), "{released}");
    let live = ground.get(&web).await?;
    ensure!(failures(&live, "installFailures") == 2, "{live:?}");
    ensure!(message(&live, READY)?.starts_with("False"));
    // The first was removed, the last stays.
    ground.has_records(ns, &[(1, "failed")]).await
}

pub(crate) async fn upgrade_test_fail_stays(ground: &Ground) -> Result<()> {
    let ns = "hr-upgrade-test-stays";
    let good = test_hook("check", false);
    ground.chart_stage(ns, &[("templates/test.yaml", &good)]).await?;
    let web = ground.helm_release(ns, json!({"test": {"enable": true}})).await?;
    ground.until_revision(&web, 1).await?;
    let broken = test_hook("check", true);
    ground
        .publish_chart(ns, "1.0.0", &[("templates/test.yaml", &broken)])
        .await?;
    ground.reconcile(&source(ns, ns)).await?;
    let stalled = |live: &Object| Conditions::of(live).is(STALLED, Status::True);
    let live = ground.until(&web, stalled).await?;
    let conditions = Conditions::of(&live);
    ensure!(
        conditions.is(RELEASED, Status::True)
            && conditions.is(TEST_SUCCESS, Status::False)
            && conditions.is(READY, Status::False),
        "{:?}",
        conditions.sorted()
    );
    ground
        .has_records(ns, &[(1, "superseded"), (2, "deployed")])
        .await
}

pub(crate) async fn upgrade_fail_remediate_last(ground: &Ground) -> Result<()> {
    let ns = "hr-wait-upgrade-last";
    let fields = json!({"upgrade": {"remediation": {"remediateLastFailure": true}}});
    let web = release(ground, ns, "yes", fields).await?;
    ground.until_revision(&web, 1).await?;
    change(ground, &web, json!({"values": {"ready": "no", "colour": "red"}})).await?;
    let live = until_remediated(ground, &web).await?;
    ensure!(message(&live, RELEASED)?.starts_with("False UpgradeFailed"));
    ground
        .has_records(ns, &[(1, "superseded"), (2, "failed"), (3, "deployed")])
        .await?;
    ensure!(newest(ground, ns).await? == "Rollback to 1");
    let slow = ground.get(&object("v1", "ConfigMap", ns, "slow")).await?;
    ensure!(slow.get(&["data", "ready"]) == Some(&json!("yes")));
    Ok(())
}

pub(crate) async fn upgrade_fail_retries(ground: &Ground) -> Result<()> {
    let ns = "hr-wait-upgrade-retries";
    let fields = json!({"upgrade": {"remediation": {"retries": 1}}});
    let web = release(ground, ns, "yes", fields).await?;
    ground.until_revision(&web, 1).await?;
    change(ground, &web, json!({"values": {"ready": "no"}})).await?;
    let live = until_remediated(ground, &web).await?;
    ensure!(failures(&live, "upgradeFailures") == 2, "{live:?}");
    ground
        .has_records(
            ns,
            &[
                (1, "superseded"),
                (2, "failed"),
                (3, "superseded"),
                (4, "failed"),
                (5, "deployed"),
            ],
        )
        .await?;
    ensure!(newest(ground, ns).await? == "Rollback to 3");
    Ok(())
}

pub(crate) async fn upgrade_fail_remediate_by_uninstall(ground: &Ground) -> Result<()> {
    let ns = "hr-wait-upgrade-uninstall";
    let fields = json!({"upgrade": {"remediation": {"remediateLastFailure": true, "strategy": "uninstall"}}});
    let web = release(ground, ns, "yes", fields).await?;
    ground.until_revision(&web, 1).await?;
    change(ground, &web, json!({"values": {"ready": "no"}})).await?;
    let live = ground
        .until(&web, |live| {
            failures(live, "upgradeFailures") == 1
                && failures(live, "installFailures") == 1
                && Conditions::of(live).is(READY, Status::False)
        })
        .await?;
    ensure!(message(&live, RELEASED)?.starts_with("False InstallFailed"));
    ground.has_records(ns, &[(1, "failed")]).await
}

/// A Job of a hook that is gone as soon as it has finished has finished.
pub(crate) async fn job_ttl(ground: &Ground) -> Result<()> {
    let ns = "hr-job-ttl";
    let job = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: after\n  annotations: {helm.sh/hook: post-install}\nspec:\n  ttlSecondsAfterFinished: 0\n  template:\n    spec:\n      restartPolicy: Never\n      containers: [{name: a, image: example/a}]\n";
    ground.chart_stage(ns, &[("templates/job.yaml", job)]).await?;
    let web = ground.helm_release(ns, json!({})).await?;
    // What the controller of such Jobs does, which does not run here.
    let after = object("batch/v1", "Job", ns, "after");
    ground
        .until(&after, |live| live.get(&["status", "completionTime"]).is_some())
        .await?;
    ground
        .client
        .delete(&after, Propagation::Background, None)
        .await?;
    ground.until_revision(&web, 1).await?;
    Ok(())
}
