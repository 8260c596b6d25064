//! What a fresh cluster has.

use serde_json::{Value, json};

use crate::object;
use crate::write::{Cx, WriteOptions};

/// The roles and bindings that kube-apiserver v1.34.2 makes at its start, one a line.
const ROLES: &str = include_str!("../data/rbac.json");

/// Fills a new server's memory.
pub(crate) fn fill(cx: &mut Cx<'_>) {
    for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
        create(
            cx,
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}),
        );
    }
    let roles: Vec<Value> = serde_json::from_str(ROLES).unwrap_or_default();
    for role in roles {
        create(cx, role);
    }
    for (name, value, description) in [
        (
            "system-cluster-critical",
            2_000_000_000,
            "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
        ),
        (
            "system-node-critical",
            2_000_001_000,
            "Used for system critical pods that must not be moved from their current node.",
        ),
    ] {
        create(
            cx,
            json!({
                "apiVersion": "scheduling.k8s.io/v1",
                "kind": "PriorityClass",
                "metadata": {"name": name},
                "value": value,
                "description": description,
            }),
        );
    }
    create(
        cx,
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {
                "name": "kubernetes",
                "namespace": "default",
                "labels": {"component": "apiserver", "provider": "kubernetes"},
            },
            "spec": {
                "clusterIP": "10.96.0.1",
                "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
            },
        }),
    );
}

/// A fresh store refuses nothing.
fn create(cx: &mut Cx<'_>, value: Value) {
    let kind = cx.state.registry.by_kind(
        object::text(&value, &["apiVersion"]),
        object::text(&value, &["kind"]),
    );
    let Some(served) = kind.map(std::sync::Arc::clone) else {
        return;
    };
    let namespace = object::namespace(&value).to_owned();
    let options = WriteOptions::internal("kube-apiserver");
    if let Ok(value) = cx.decode(&served, value, crate::write::FieldValidation::Ignore) {
        cx.create(&served, &namespace, value, &options, false).ok();
    }
}
