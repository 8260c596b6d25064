//! What others change is put back.

use anyhow::Result;
use serde_json::json;
use weir_cluster::Propagation;
use weir_real::{Ground, files, object};

const CONFIG: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  namespace: NS\ndata:\n  colour: blue\n";

pub(crate) async fn an_edited_object_is_put_back(ground: &Ground) -> Result<()> {
    let ns = "drift-edit";
    ground.namespace(ns).await?;
    let digest = ground
        .publish(ns, "latest", &files([("a.yaml", &CONFIG.replace("NS", ns))]))
        .await?;
    ground.source(ns, ns).await?;
    let applied = ground.kustomization(ns, ns, json!({})).await?;
    ground.until_applied(&applied, digest).await?;
    let settings = object("v1", "ConfigMap", ns, "settings");
    let edit = json!({"data": {"colour": "red"}, "metadata": {"labels": {"mine": "too"}}});
    ground.client.merge(&settings, &edit, "kubectl-edit").await?;
    // The interval is an hour: only the watch can have told.
    ground
        .until(&settings, |live| {
            live.get(&["data", "colour"]) == Some(&json!("blue"))
        })
        .await?;
    Ok(())
}

pub(crate) async fn a_deleted_object_comes_back(ground: &Ground) -> Result<()> {
    let ns = "drift-delete";
    ground.namespace(ns).await?;
    let digest = ground
        .publish(ns, "latest", &files([("a.yaml", &CONFIG.replace("NS", ns))]))
        .await?;
    ground.source(ns, ns).await?;
    let applied = ground.kustomization(ns, ns, json!({})).await?;
    ground.until_applied(&applied, digest).await?;
    let settings = object("v1", "ConfigMap", ns, "settings");
    let before = ground.get(&settings).await?;
    ground
        .client
        .delete(&settings, Propagation::Background, None)
        .await?;
    let uid = before.uid().to_owned();
    ground.until(&settings, |live| live.uid() != uid).await?;
    Ok(())
}
