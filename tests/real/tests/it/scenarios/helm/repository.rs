//! HelmRelease, HelmChart and HelmRepository together: from a new version in the repository to the cluster.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use weir_apis::condition::{Conditions, READY, Status};
use weir_apis::{GroupVersionKind, Object, ObjectRef};
use weir_cluster::Propagation;
use weir_real::{ChartServer, Ground, object};
use weir_standin_registry::{Effect, Fault};

use super::sources::chart;
use super::{change, reconciled};

pub(crate) async fn repository(ground: &Ground, ns: &str, spec: Value) -> Result<ObjectRef> {
    let value = json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmRepository",
        "metadata": {"name": "charts", "namespace": ns}, "spec": spec});
    Ok(ground.apply_json(value).await?.reference())
}

/// A release of the chart `web` of the repository `charts`, in this range of versions.
pub(crate) async fn release(ground: &Ground, ns: &str, range: &str) -> Result<ObjectRef> {
    let template = json!({"spec": {"chart": "web", "version": range,
        "sourceRef": {"kind": "HelmRepository", "name": "charts"}}});
    ground
        .helm_release(ns, json!({"chartRef": null, "chart": template}))
        .await
}

/// Waits until a revision is released, and checks which version of the chart it is and what it looks like.
async fn is_at(ground: &Ground, web: &ObjectRef, revision: i64, version: &str, colour: &str) -> Result<()> {
    let live = ground.until_revision(web, revision).await?;
    let snapshot = live.get(&["status", "history"]).and_then(|h| h.get(0)).cloned();
    let snapshot = snapshot.unwrap_or_default();
    ensure!(snapshot["chartVersion"] == version, "{snapshot}");
    ensure!(
        live.get(&["status", "lastAttemptedRevision"]) == Some(&json!(version)),
        "{live:?}"
    );
    let ns = &web.namespace;
    ensure!(ground.setting(ns, "version").await? == Some(json!(version)));
    ensure!(ground.setting(ns, "colour").await? == Some(json!(colour)));
    Ok(())
}

fn is_ready(live: &Object) -> bool {
    Conditions::of(live).is(READY, Status::True)
}

/// Deletes the release, and checks that nothing of it is left but the repository.
async fn nothing_is_left(ground: &Ground, web: &ObjectRef) -> Result<()> {
    let ns = &web.namespace;
    ground.client.delete(web, Propagation::Background, None).await?;
    ground.until_gone(web).await?;
    ground.until_gone(&chart(ns, &format!("{ns}-web"))).await?;
    ground.has_records(ns, &[]).await?;
    let settings = object("v1", "ConfigMap", ns, "web-settings");
    ensure!(ground.client.get(&settings).await?.is_none());
    let gvk = GroupVersionKind::new("source.toolkit.fluxcd.io", "v1", "HelmRepository");
    ground.get(&ObjectRef::new(gvk, &**ns, "charts")).await?;
    Ok(())
}

pub(crate) async fn versions_of_an_index_are_released(ground: &Ground) -> Result<()> {
    let ns = "hr-index";
    ground.namespace(ns).await?;
    let server = ChartServer::start().await?;
    server.publish(&["1.0.0", "2.0.0"])?;
    let charts = repository(ground, ns, json!({"interval": "1h", "url": server.url})).await?;
    let web = release(ground, ns, "1.x").await?;
    is_at(ground, &web, 1, "1.0.0", "blue").await?;
    let made = chart(ns, &format!("{ns}-web"));
    ground.until_ready(&made).await?;

    // A new version in the index goes all the way by itself.
    server.publish(&["1.0.0", "1.1.0", "2.0.0"])?;
    ground.reconcile(&charts).await?;
    is_at(ground, &web, 2, "1.1.0", "blue").await?;

    // Without its index the last good chart stays in use, also for new values.
    server.remove("/index.yaml");
    ground.reconcile(&charts).await?;
    ground.until(&charts, |live| !is_ready(live)).await?;
    change(ground, &web, json!({"values": {"colour": "green"}})).await?;
    is_at(ground, &web, 3, "1.1.0", "green").await?;

    // So it does where the index promises a chart that is not there.
    server.publish(&["1.1.0", "1.2.0"])?;
    server.remove("/web-1.2.0.tgz");
    ground.reconcile(&charts).await?;
    let message = ground
        .until_condition(&made, READY, Status::False, "ChartPullError")
        .await?;
    ensure!(message.contains("web-1.2.0.tgz"), "{message}");
    let live = reconciled(ground, &web).await?;
    ensure!(is_ready(&live), "{live:?}");
    is_at(ground, &web, 3, "1.1.0", "green").await?;

    // A HelmChart that somebody deletes is made anew, and the release stays as it is.
    server.publish(&["1.1.0"])?;
    ground.reconcile(&charts).await?;
    ground.until(&made, is_ready).await?;
    let uid = ground.get(&made).await?.uid().to_owned();
    ground.client.delete(&made, Propagation::Background, None).await?;
    ground.reconcile(&web).await?;
    ground
        .until(&made, |live| live.uid() != uid && is_ready(live))
        .await?;
    reconciled(ground, &web).await?;
    is_at(ground, &web, 3, "1.1.0", "green").await?;

    nothing_is_left(ground, &web).await
}

pub(crate) async fn versions_of_a_registry_are_released(ground: &Ground) -> Result<()> {
    let ns = "hr-registry";
    ground.namespace(ns).await?;
    ground.push_web(ns, "1.0.0").await?;
    ground.push_web(ns, "2.0.0").await?;
    let url = format!("oci://registry.example/{ns}");
    repository(ground, ns, json!({"type": "oci", "url": url})).await?;
    let web = release(ground, ns, ">=1.0.0 <2.0.0").await?;
    is_at(ground, &web, 1, "1.0.0", "blue").await?;

    // A registry tells nobody of new versions: the HelmChart asks at its interval, or now.
    ground.push_web(ns, "1.1.0").await?;
    let made = chart(ns, &format!("{ns}-web"));
    ground.reconcile(&made).await?;
    is_at(ground, &web, 2, "1.1.0", "blue").await?;

    // Without the registry the last good chart stays in use.
    ground.owner.inject(
        Fault::new(Effect::Status(http::StatusCode::SERVICE_UNAVAILABLE))
            .at(format!("{ns}/web"))
            .always(),
    );
    ground.reconcile(&made).await?;
    ground.until(&made, |live| !is_ready(live)).await?;
    change(ground, &web, json!({"values": {"colour": "green"}})).await?;
    is_at(ground, &web, 3, "1.1.0", "green").await?;
    ground.owner.clear_faults();
    ground.reconcile(&made).await?;
    ground.until_ready(&made).await?;
    reconciled(ground, &web).await?;
    is_at(ground, &web, 3, "1.1.0", "green").await?;

    nothing_is_left(ground, &web).await
}
