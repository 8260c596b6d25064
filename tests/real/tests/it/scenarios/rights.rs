//! Impersonation.

use anyhow::{Result, ensure};
use serde_json::json;
use weir_apis::condition::{READY, Status};
use weir_real::{Ground, files, object};

pub(crate) async fn n50_a_tenant_cannot_leave_its_namespace(ground: &Ground) -> Result<()> {
    let (ns, other) = ("rights-tenant", "rights-other");
    ground.namespace(ns).await?;
    ground.namespace(other).await?;
    ground.tenant(ns, "admin").await?;
    let config = |namespace: &str| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  namespace: {namespace}\n")
    };
    let digest = ground
        .publish(ns, "latest", &files([("a.yaml", &config(ns))]))
        .await?;
    let source = ground.source(ns, ns).await?;
    let applied = ground
        .kustomization(ns, ns, json!({"serviceAccountName": "tenant"}))
        .await?;
    ground.until_applied(&applied, digest).await?;

    let role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: rights-tenant-all\nrules: []\n";
    for (file, kind) in [(config(other), "ConfigMap"), (role.to_owned(), "ClusterRole")] {
        ground
            .publish(ns, "latest", &files([("a.yaml", &config(ns)), ("b.yaml", &file)]))
            .await?;
        ground.reconcile(&source).await?;
        let refused = |live: &weir_apis::Object| {
            weir_apis::condition::Conditions::of(live)
                .get(READY)
                .is_some_and(|c| {
                    c.status == Status::False
                        && c.message.contains("forbidden")
                        && c.message.contains(&kind.to_lowercase())
                })
        };
        let live = ground.until(&applied, refused).await?;
        let message = weir_apis::condition::Conditions::of(&live)
            .get(READY)
            .map(|c| c.message.clone())
            .unwrap_or_default();
        ensure!(
            message.contains(&format!("system:serviceaccount:{ns}:tenant")),
            "{message}"
        );
    }
    ensure!(
        ground
            .client
            .get(&object("v1", "ConfigMap", other, "settings"))
            .await?
            .is_none()
    );
    ensure!(
        ground
            .client
            .get(&object(
                "rbac.authorization.k8s.io/v1",
                "ClusterRole",
                "",
                "rights-tenant-all"
            ))
            .await?
            .is_none()
    );
    Ok(())
}
