//! `dependsOn`.

use anyhow::{Result, ensure};
use serde_json::json;
use weir_apis::condition::{READY, Status};
use weir_real::{Ground, files, kustomization, object};

pub(crate) async fn order_is_kept(ground: &Ground) -> Result<()> {
    let ns = "dependencies";
    ground.namespace(ns).await?;
    let config = |name: &str| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: {ns}\n")
    };
    let tree = files([
        ("first/a.yaml", &config("first")),
        ("second/a.yaml", &config("second")),
    ]);
    let digest = ground.publish(ns, "latest", &tree).await?;
    ground.source(ns, ns).await?;
    let source = json!({"kind": "OCIRepository", "name": ns});
    let second = ground
        .kustomization(
            ns,
            "second",
            json!({"sourceRef": source, "path": "./second", "dependsOn": [{"name": "first"}]}),
        )
        .await?;
    let message = ground
        .until_condition(&second, READY, Status::False, "DependencyNotReady")
        .await?;
    ensure!(message.contains("not found"), "{message}");
    ensure!(
        ground
            .client
            .get(&object("v1", "ConfigMap", ns, "second"))
            .await?
            .is_none()
    );
    ground
        .kustomization(ns, "first", json!({"sourceRef": source, "path": "./first"}))
        .await?;
    ground.until_applied(&kustomization(ns, "first"), digest).await?;
    ground.until_applied(&second, digest).await?;
    Ok(())
}
