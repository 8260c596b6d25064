//! Where the chart comes from.

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use weir_apis::condition::{READY, Status};
use weir_apis::{GroupVersionKind, ObjectRef};
use weir_real::{Ground, source};

use super::change;

pub(crate) fn chart(namespace: &str, name: &str) -> ObjectRef {
    let gvk = GroupVersionKind::new("source.toolkit.fluxcd.io", "v1", "HelmChart");
    ObjectRef::new(gvk, namespace, name)
}

pub(crate) async fn install_from_hc_source(ground: &Ground) -> Result<()> {
    let ns = "hr-chart-ref";
    ground.chart_stage(ns, &[]).await?;
    // Suspended, so that its status is what is written here.
    let spec = json!({"interval": "1h", "chart": "web", "suspend": true, "sourceRef": {"kind": "HelmRepository", "name": ns}});
    let value = json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmChart",
        "metadata": {"name": "stored", "namespace": ns}, "spec": spec});
    let stored = ground.apply_json(value).await?;
    let web = ground
        .helm_release(ns, json!({"chartRef": {"kind": "HelmChart", "name": "stored"}}))
        .await?;
    let made = ground.until_ready(&source(ns, ns)).await?;
    let mut artifact = made
        .get(&["status", "artifact"])
        .cloned()
        .context("an artifact")?;
    artifact["revision"] = json!("1.0.0");
    let status = json!({"status": {"artifact": artifact, "observedGeneration": stored.generation()}});
    ground
        .client
        .merge_status(&stored.reference(), &status, "administrator")
        .await?;
    let live = ground.until_revision(&web, 1).await?;
    // The version of a HelmChart is what it is, and there is no digest to follow.
    let status = live.get(&["status"]).cloned().unwrap_or_default();
    ensure!(status["lastAttemptedRevision"] == "1.0.0", "{status}");
    ensure!(status.get("lastAttemptedRevisionDigest").is_none(), "{status}");
    Ok(())
}

pub(crate) async fn a_template_becomes_a_helm_chart(ground: &Ground) -> Result<()> {
    let ns = "hr-template";
    ground.chart_stage(ns, &[]).await?;
    let template = json!({
        "metadata": {"labels": {"a": "b"}},
        "spec": {"chart": "web", "version": "1.x", "sourceRef": {"kind": "HelmRepository", "name": "charts"}},
    });
    let web = ground
        .helm_release(ns, json!({"chartRef": null, "chart": template}))
        .await?;
    let made = chart(ns, &format!("{ns}-web"));
    let live = ground.until(&made, |_| true).await?;
    ensure!(live.label("helm.toolkit.fluxcd.io/name") == Some("web") && live.label("a") == Some("b"));
    ensure!(live.get(&["spec", "interval"]) == Some(&json!("1h")));
    ground
        .until(&web, |live| {
            live.get(&["status", "helmChart"]) == Some(&json!(format!("{ns}/{ns}-web")))
        })
        .await?;
    change(ground, &web, json!({"chart": {"spec": {"version": "2.x"}}})).await?;
    ground
        .until(&made, |live| {
            live.get(&["spec", "version"]) == Some(&json!("2.x"))
        })
        .await?;
    // Another source, and it is nobody's any more.
    change(
        ground,
        &web,
        json!({"chart": null, "chartRef": {"kind": "OCIRepository", "name": ns}}),
    )
    .await?;
    let live = ground.until_revision(&web, 1).await?;
    ensure!(live.get(&["status", "helmChart"]).is_none());
    ground.until_gone(&made).await
}

pub(crate) async fn a_source_that_is_not_there_or_not_ready_is_told(ground: &Ground) -> Result<()> {
    let ns = "hr-no-source";
    ground.namespace(ns).await?;
    let web = ground.helm_release(ns, json!({})).await?;
    let text = ground
        .until_condition(&web, READY, Status::False, "ArtifactFailed")
        .await?;
    ensure!(
        text == format!("could not get Source object: OCIRepository '{ns}/{ns}' not found"),
        "{text}"
    );
    ground.source(ns, ns).await?;
    ground
        .until_condition(&web, READY, Status::False, "SourceNotReady")
        .await?;
    ground.publish_chart(ns, "1.0.0", &[]).await?;
    ground.reconcile(&source(ns, ns)).await?;
    ground.until_revision(&web, 1).await?;
    Ok(())
}

pub(crate) async fn a_tag_must_be_the_chart_s_version(ground: &Ground) -> Result<()> {
    let ns = "hr-tag";
    ground.namespace(ns).await?;
    let digest = ground.publish_chart(ns, "1.0.0", &[]).await?;
    ground.tag(ns, digest, "2.0.0").await?;
    let spec =
        json!({"interval": "1h", "url": format!("oci://registry.example/{ns}"), "ref": {"tag": "2.0.0"}});
    ground.source_with(ns, ns, spec).await?;
    let web = ground.helm_release(ns, json!({})).await?;
    let text = ground
        .until_condition(&web, READY, Status::False, "ChartMutateError")
        .await?;
    ensure!(
        text == "artifact revision 2.0.0 does not match chart version 1.0.0",
        "{text}"
    );
    Ok(())
}
