//! What `weir install` puts into a cluster.

use serde_json::{Value, json};
use weir_apis::Object;

use crate::run::Result;
use crate::{CommandError, Kind};

/// Where the controllers run.
pub(crate) const NAMESPACE: &str = "weir-system";
/// Name of everything else.
const NAME: &str = "weir";

/// Selects the controllers' pods.
pub(crate) const SELECTOR: &str = "app.kubernetes.io/name=weir";

/// Every object, definitions first.
pub(crate) fn all(image: &str) -> Result<Vec<Object>> {
    let mut values = weir_apis::crd::all();
    values.extend([
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE,
            "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME, "namespace": NAMESPACE}}),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": NAME},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
        }),
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME, "namespace": NAMESPACE},
            "spec": {"selector": {"app.kubernetes.io/name": NAME},
                "ports": [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": "http"}]},
        }),
        deployment(image),
    ]);
    values
        .into_iter()
        .map(|v| Object::from_value(v).map_err(|e| CommandError::of(Kind::Internal, &e)))
        .collect()
}

fn deployment(image: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": NAME, "namespace": NAMESPACE, "labels": {"app.kubernetes.io/name": NAME}},
        "spec": {
            // Two at a time would write the same objects; the old one goes before the new one comes.
            "replicas": 1, "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": {"app.kubernetes.io/name": NAME}},
            "template": {
                "metadata": {"labels": {"app.kubernetes.io/name": NAME}},
                "spec": {
                    "serviceAccountName": NAME,
                    "securityContext": {"runAsNonRoot": true, "runAsUser": 65532, "fsGroup": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
                    "containers": [{
                        "name": "controller", "image": image,
                        "args": ["controller", "--storage-path=/data", "--enable-leader-election", "--log-encoding=json", format!("--namespace={NAMESPACE}")],
                        "ports": [
                            {"name": "http", "containerPort": 9090, "protocol": "TCP"},
                            {"name": "http-prom", "containerPort": 8080, "protocol": "TCP"},
                            {"name": "healthz", "containerPort": 9440, "protocol": "TCP"},
                        ],
                        "livenessProbe": {"httpGet": {"path": "/healthz", "port": "healthz"}},
                        "readinessProbe": {"httpGet": {"path": "/readyz", "port": "healthz"}},
                        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}},
                        "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}},
                        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                    }],
                    "volumes": [{"name": "data", "emptyDir": {}}],
                },
            },
        },
    })
}
