//! Releases of a ServiceAccount with a role of its own.

use anyhow::{Result, ensure};
use serde_json::json;
use weir_apis::condition::{READY, RELEASED, Status};
use weir_cluster::Propagation;
use weir_real::{Ground, object};

use super::{change, message};

/// An object that the role of the tenant does not name.
const SCALER: &str = "{{ if .Values.scaler }}\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: scaler}\nspec:\n  maxReplicas: 2\n  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: a}\n{{ end }}\n";

async fn stage(ground: &Ground, ns: &str) -> Result<()> {
    ground
        .chart_stage(ns, &[("templates/scaler.yaml", SCALER)])
        .await?;
    let rbac = "rbac.authorization.k8s.io";
    for value in [
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "tenant", "namespace": ns}}),
        json!({"apiVersion": format!("{rbac}/v1"), "kind": "Role", "metadata": {"name": "tenant", "namespace": ns},
            "rules": [{"apiGroups": ["", "apps"], "resources": ["*"], "verbs": ["*"]}]}),
        json!({"apiVersion": format!("{rbac}/v1"), "kind": "RoleBinding", "metadata": {"name": "tenant", "namespace": ns},
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "tenant"},
            "subjects": [{"kind": "ServiceAccount", "name": "tenant", "namespace": ns}]}),
    ] {
        ground.apply_json(value).await?;
    }
    Ok(())
}

pub(crate) async fn impersonation(ground: &Ground) -> Result<()> {
    let ns = "hr-impersonation";
    stage(ground, ns).await?;
    let web = ground
        .helm_release(ns, json!({"serviceAccountName": "tenant"}))
        .await?;
    ground.until_revision(&web, 1).await?;
    change(ground, &web, json!({"values": {"scaler": true}})).await?;
    let text = ground
        .until_condition(&web, RELEASED, Status::False, "UpgradeFailed")
        .await?;
    ensure!(
        text.contains("forbidden") && text.contains(&format!("system:serviceaccount:{ns}:tenant")),
        "{text}"
    );
    ensure!(message(&ground.get(&web).await?, READY)?.starts_with("False UpgradeFailed"));
    let scaler = object("autoscaling/v2", "HorizontalPodAutoscaler", ns, "scaler");
    ensure!(ground.client.get(&scaler).await?.is_none());
    Ok(())
}

/// With the namespace go the account and its rights, in whatever order; the release does not hold it up.
pub(crate) async fn delete_ns(ground: &Ground) -> Result<()> {
    let ns = "hr-delete-namespace";
    stage(ground, ns).await?;
    let web = ground
        .helm_release(ns, json!({"serviceAccountName": "tenant"}))
        .await?;
    ground.until_revision(&web, 1).await?;
    let namespace = object("v1", "Namespace", "", ns);
    ground
        .client
        .delete(&namespace, Propagation::Background, None)
        .await?;
    ground.until_gone(&namespace).await
}
