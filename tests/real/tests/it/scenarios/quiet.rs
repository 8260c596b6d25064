//! A reconcile that changes nothing writes nothing.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use weir_real::{Ground, files};

pub(crate) async fn nothing_changed_writes_nothing(ground: &Ground) -> Result<()> {
    let ns = "quiet";
    ground.namespace(ns).await?;
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n  namespace: quiet\ndata: {a: b}\n---\napiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: two\n  namespace: quiet\n";
    let digest = ground.publish(ns, "latest", &files([("a.yaml", text)])).await?;
    ground
        .source_with(
            ns,
            ns,
            json!({"interval": "1s", "url": "oci://registry.example/quiet"}),
        )
        .await?;
    let applied = ground
        .kustomization(ns, ns, json!({"interval": "1s", "wait": true}))
        .await?;
    ground.until_applied(&applied, digest).await?;
    // Let echoes and events of the first reconcile pass.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let before = ground.get(&applied).await?.resource_version().to_owned();
    let (writes, total) = (ground.weirs.counter().writes(), ground.weirs.counter().total());
    tokio::time::sleep(Duration::from_secs(4)).await;
    let wrote = ground.weirs.counter().writes() - writes;
    ensure!(
        wrote == 0,
        "{wrote} writes in four idle seconds: {:?}",
        ground.weirs.counter().counts()
    );
    let asked = ground.weirs.counter().total() - total;
    ensure!(asked <= 2, "{asked} requests in four idle seconds");
    ensure!(ground.get(&applied).await?.resource_version() == before);
    // Out of the way of later measurements.
    ground
        .client
        .merge(&applied, &json!({"spec": {"suspend": true}}), "administrator")
        .await?;
    ground
        .client
        .merge(
            &weir_real::source(ns, ns),
            &json!({"spec": {"suspend": true}}),
            "administrator",
        )
        .await?;
    Ok(())
}
