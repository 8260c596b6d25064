//! Defaults of pod templates.

use serde_json::{Value, json};

use super::{items_mut, set_text};
use crate::object::{self, at, set_default, text};

/// Fills in a `PodSpec`.
pub(crate) fn spec(spec: &mut Value) {
    set_text(spec, &["dnsPolicy"], "ClusterFirst");
    set_text(spec, &["restartPolicy"], "Always");
    set_text(spec, &["schedulerName"], "default-scheduler");
    set_default(spec, &["securityContext"], json!({}));
    set_default(spec, &["terminationGracePeriodSeconds"], json!(30));
    // The two names of one field follow each other.
    let account = [
        text(spec, &["serviceAccountName"]),
        text(spec, &["serviceAccount"]),
    ]
    .into_iter()
    .find(|name| !name.is_empty())
    .map(str::to_owned);
    if let Some(account) = account {
        set_text(spec, &["serviceAccountName"], &account);
        let named = text(spec, &["serviceAccountName"]).to_owned();
        object::set(spec, &["serviceAccount"], json!(named));
    }
    let host_network = at(spec, &["hostNetwork"]) == Some(&Value::Bool(true));
    for field in ["initContainers", "containers", "ephemeralContainers"] {
        for item in items_mut(spec, &[field]) {
            container(item, host_network && field != "ephemeralContainers");
        }
    }
    for volume in items_mut(spec, &["volumes"]) {
        volume_source(volume);
    }
}

fn container(item: &mut Value, host_network: bool) {
    let image = text(item, &["image"]).to_owned();
    let policy = if has_latest_tag(&image) {
        "Always"
    } else {
        "IfNotPresent"
    };
    set_text(item, &["imagePullPolicy"], policy);
    set_text(item, &["terminationMessagePath"], "/dev/termination-log");
    set_text(item, &["terminationMessagePolicy"], "File");
    for port in items_mut(item, &["ports"]) {
        set_text(port, &["protocol"], "TCP");
        if host_network && let Some(number) = at(port, &["containerPort"]).cloned() {
            set_default(port, &["hostPort"], number);
        }
    }
    for variable in items_mut(item, &["env"]) {
        if at(variable, &["valueFrom", "fieldRef"]).is_some_and(Value::is_object) {
            set_text(variable, &["valueFrom", "fieldRef", "apiVersion"], "v1");
        }
        if at(variable, &["valueFrom", "resourceFieldRef"]).is_some_and(Value::is_object) {
            set_default(
                variable,
                &["valueFrom", "resourceFieldRef", "divisor"],
                json!("0"),
            );
        }
    }
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(inner) = item.get_mut(name).filter(|inner| inner.is_object()) {
            probe(inner);
        }
    }
    for name in ["postStart", "preStop"] {
        if at(item, &["lifecycle", name, "httpGet"]).is_some_and(Value::is_object) {
            set_text(item, &["lifecycle", name, "httpGet", "path"], "/");
            set_text(item, &["lifecycle", name, "httpGet", "scheme"], "HTTP");
        }
    }
}

/// Fills in what pods have and their templates have not: a limit without a request asks for as much.
pub(crate) fn requests(spec: &mut Value) {
    for field in ["initContainers", "containers"] {
        for item in items_mut(spec, &[field]) {
            let limits = at(item, &["resources", "limits"])
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default();
            for (name, limit) in limits {
                set_default(item, &["resources", "requests", &name], limit);
            }
        }
    }
}

fn probe(probe: &mut Value) {
    for (field, value) in [
        ("timeoutSeconds", 1),
        ("periodSeconds", 10),
        ("successThreshold", 1),
        ("failureThreshold", 3),
    ] {
        if at(probe, &[field]).and_then(Value::as_i64).unwrap_or(0) == 0 {
            object::set(probe, &[field], json!(value));
        }
    }
    if at(probe, &["httpGet"]).is_some_and(Value::is_object) {
        set_text(probe, &["httpGet", "path"], "/");
        set_text(probe, &["httpGet", "scheme"], "HTTP");
    }
    if at(probe, &["grpc"]).is_some_and(Value::is_object) {
        set_default(probe, &["grpc", "service"], json!(""));
    }
}

fn volume_source(volume: &mut Value) {
    let has_source = volume.as_object().is_some_and(|fields| {
        fields
            .iter()
            .any(|(name, value)| name != "name" && !value.is_null())
    });
    if !has_source {
        object::set(volume, &["emptyDir"], json!({}));
    }
    for (source, field, value) in [
        ("configMap", "defaultMode", json!(420)),
        ("secret", "defaultMode", json!(420)),
        ("downwardAPI", "defaultMode", json!(420)),
        ("projected", "defaultMode", json!(420)),
        ("hostPath", "type", json!("")),
        ("iscsi", "iscsiInterface", json!("default")),
    ] {
        if at(volume, &[source]).is_some_and(Value::is_object) {
            set_default(volume, &[source, field], value);
        }
    }
    for source in items_mut(volume, &["projected", "sources"]) {
        if at(source, &["serviceAccountToken"]).is_some_and(Value::is_object) {
            set_default(source, &["serviceAccountToken", "expirationSeconds"], json!(3600));
        }
        for item in items_mut(source, &["downwardAPI", "items"]) {
            field_version(item);
        }
    }
    for item in items_mut(volume, &["downwardAPI", "items"]) {
        field_version(item);
    }
    if let Some(claim) = volume
        .get_mut("ephemeral")
        .and_then(|source| source.get_mut("volumeClaimTemplate"))
        .filter(|claim| claim.is_object())
    {
        set_default(claim, &["spec", "volumeMode"], json!("Filesystem"));
    }
}

fn field_version(item: &mut Value) {
    if at(item, &["fieldRef"]).is_some_and(Value::is_object) {
        set_text(item, &["fieldRef", "apiVersion"], "v1");
    }
}

/// Whether an image reference names the tag `latest`, or no tag and no digest.
fn has_latest_tag(image: &str) -> bool {
    if image.contains('@') {
        return false;
    }
    let last = image.rsplit('/').next().unwrap_or(image);
    match last.split_once(':') {
        Some((_, tag)) => tag == "latest",
        None => true,
    }
}
