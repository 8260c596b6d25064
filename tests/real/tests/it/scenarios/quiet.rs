//! No request is made that could be left out.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use weir_apis::{Object, key};
use weir_real::{Ground, files, object};

use super::text::config;

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

/// Writing the first object of a stage answers what its dry-run would.
pub(crate) async fn what_is_new_is_asked_about_once_less(ground: &Ground) -> Result<()> {
    let ns = "quiet-new";
    ground.namespace(ns).await?;
    let tree = files([
        ("one.yaml", &config(ns, "one", "blue")),
        ("two.yaml", &config(ns, "two", "blue")),
        ("three.yaml", &config(ns, "three", "blue")),
    ]);
    let digest = ground.publish(ns, "latest", &tree).await?;
    let created = || {
        let counts = ground.weirs.counter().counts();
        counts
            .get(&("PATCH".to_owned(), 201))
            .copied()
            .unwrap_or_default()
    };
    let before = created();
    ground.source(ns, ns).await?;
    let applied = ground.kustomization(ns, ns, json!({})).await?;
    ground.until_applied(&applied, digest).await?;
    // Two dry-runs and three writes.
    let made = created() - before;
    ensure!(made == 5, "{made} requests to create three objects");
    Ok(())
}

/// An object that is there without our labels is not known until it is asked for; what it says about itself holds.
pub(crate) async fn what_is_there_unseen_is_looked_at_first(ground: &Ground) -> Result<()> {
    let ns = "quiet-unseen";
    ground.namespace(ns).await?;
    let theirs = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "alone", "namespace": ns, "annotations": {key::RECONCILE: "disabled"}},
        "data": {"colour": "black"}});
    ground
        .client
        .create(&Object::from_value(theirs)?, "kubectl")
        .await?;
    let tree = files([("alone.yaml", &config(ns, "alone", "blue"))]);
    let digest = ground.publish(ns, "latest", &tree).await?;
    ground.source(ns, ns).await?;
    let applied = ground.kustomization(ns, ns, json!({})).await?;
    ground.until_applied(&applied, digest).await?;
    let live = ground.get(&object("v1", "ConfigMap", ns, "alone")).await?;
    ensure!(live.get(&["data", "colour"]) == Some(&json!("black")));
    Ok(())
}
