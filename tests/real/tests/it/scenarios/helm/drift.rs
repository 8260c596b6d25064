//! Live objects that differ from the release.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use weir_apis::condition::{DRIFTED, READY, Status};
use weir_cluster::Propagation;
use weir_real::{Ground, object};

use super::{change, message};

pub(crate) async fn drift_is_told_and_left(ground: &Ground) -> Result<()> {
    let ns = "hr-drift-warn";
    ground.chart_stage(ns, &[]).await?;
    let web = ground
        .helm_release(ns, json!({"driftDetection": {"mode": "warn"}}))
        .await?;
    let live = ground.until_revision(&web, 1).await?;
    ensure!(message(&live, DRIFTED)? == "False NoDriftDetected: No drift detected against the cluster state");
    let settings = object("v1", "ConfigMap", ns, "web-settings");
    let edit = json!({"data": {"colour": "red", "more": "x"}, "metadata": {"labels": {"theirs": "1"}}});
    ground.client.merge(&settings, &edit, "kubectl-edit").await?;
    ground.reconcile(&web).await?;
    let text = ground
        .until_condition(&web, DRIFTED, Status::True, "DriftDetected")
        .await?;
    ensure!(
        text == format!(
            "Cluster state of release {ns}/web.v1 has drifted from the desired state:\nConfigMap/{ns}/web-settings changed (0 additions, 1 changes, 0 removals)"
        ),
        "{text}"
    );
    let live = ground.get(&web).await?;
    ensure!(message(&live, READY)?.starts_with("True InstallSucceeded"));
    ensure!(ground.setting(ns, "colour").await? == Some(json!("red")));
    Ok(())
}

pub(crate) async fn drift_is_put_back(ground: &Ground) -> Result<()> {
    let ns = "hr-drift-correct";
    let more = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\ndata: {a: b}\n";
    ground.chart_stage(ns, &[("templates/more.yaml", more)]).await?;
    let web = ground
        .helm_release(ns, json!({"driftDetection": {"mode": "enabled"}}))
        .await?;
    ground.until_revision(&web, 1).await?;
    let settings = object("v1", "ConfigMap", ns, "web-settings");
    let edit = json!({"data": {"colour": "red"}, "metadata": {"labels": null}});
    ground.client.merge(&settings, &edit, "kubectl-edit").await?;
    let more = object("v1", "ConfigMap", ns, "more");
    ground.client.delete(&more, Propagation::Background, None).await?;
    ground.reconcile(&web).await?;
    ground.until(&more, |_| true).await?;
    let live = ground
        .until(&settings, |live| {
            live.get(&["data", "colour"]) == Some(&json!("blue"))
        })
        .await?;
    ensure!(live.label("app.kubernetes.io/managed-by") == Some("Helm"));
    ground
        .until_condition(&web, DRIFTED, Status::False, "NoDriftDetected")
        .await?;
    // It makes no revision.
    ground.has_records(ns, &[(1, "deployed")]).await
}

pub(crate) async fn what_is_ignored_is_no_drift(ground: &Ground) -> Result<()> {
    let ns = "hr-drift-ignore";
    let maps = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: whole}\ndata: {a: b}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: exempt\n  annotations: {helm.toolkit.fluxcd.io/driftDetection: disabled}\ndata: {a: b}\n";
    ground.chart_stage(ns, &[("templates/maps.yaml", maps)]).await?;
    let ignore = json!([
        {"paths": ["/data/colour"], "target": {"kind": "ConfigMap", "name": "web-.*"}},
        {"paths": [""], "target": {"name": "whole"}},
    ]);
    let web = ground
        .helm_release(
            ns,
            json!({"driftDetection": {"mode": "enabled", "ignore": ignore}}),
        )
        .await?;
    ground.until_revision(&web, 1).await?;
    for (name, edit) in [
        ("web-settings", json!({"data": {"colour": "red"}})),
        ("whole", json!({"data": {"a": "c"}})),
        ("exempt", json!({"data": {"a": "c"}})),
    ] {
        let reference = object("v1", "ConfigMap", ns, name);
        ground.client.merge(&reference, &edit, "kubectl-edit").await?;
    }
    ground.reconcile(&web).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let live = ground.get(&web).await?;
    ensure!(message(&live, DRIFTED)?.starts_with("False NoDriftDetected"));
    ensure!(ground.setting(ns, "colour").await? == Some(json!("red")));
    // Without the rules all but the exempt one are put back.
    change(ground, &web, json!({"driftDetection": {"ignore": null}})).await?;
    ground
        .until(&object("v1", "ConfigMap", ns, "whole"), |live| {
            live.get(&["data", "a"]) == Some(&json!("b"))
        })
        .await?;
    let exempt = ground.get(&object("v1", "ConfigMap", ns, "exempt")).await?;
    ensure!(exempt.get(&["data", "a"]) == Some(&json!("c")));
    Ok(())
}
