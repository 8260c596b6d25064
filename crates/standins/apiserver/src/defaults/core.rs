//! Defaults of the core group.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{items_mut, pod, set_text, workloads};
use crate::object::{self, at, set_default, text};

/// Fills in an object of the core group.
pub(crate) fn apply(kind: &str, object: &mut Value) {
    match kind {
        "Pod" => {
            set_default(object, &["spec"], json!({}));
            if let Some(spec) = object.get_mut("spec") {
                set_default(spec, &["enableServiceLinks"], json!(true));
                pod::spec(spec);
                pod::requests(spec);
            }
        }
        "PodTemplate" => workloads::template(object, &["template"]),
        "ReplicationController" => {
            workloads::template(object, &["spec", "template"]);
            set_default(object, &["spec", "replicas"], json!(1));
            let labels = at(object, &["spec", "template", "metadata", "labels"]).cloned();
            if let Some(labels) = labels {
                set_default(object, &["spec", "selector"], labels);
            }
        }
        "Secret" => secret(object),
        "Service" => service(object),
        "PersistentVolumeClaim" => claim(object),
        "PersistentVolume" => {
            set_text(object, &["spec", "persistentVolumeReclaimPolicy"], "Retain");
            set_default(object, &["spec", "volumeMode"], json!("Filesystem"));
            if at(object, &["spec", "hostPath"]).is_some_and(Value::is_object) {
                set_default(object, &["spec", "hostPath", "type"], json!(""));
            }
        }
        "Namespace" => {
            let name = object::name(object).to_owned();
            if !name.is_empty() {
                object::object_at(object, &["metadata", "labels"])
                    .entry("kubernetes.io/metadata.name")
                    .or_insert_with(|| json!(name));
            }
        }
        "Endpoints" => {
            for subset in items_mut(object, &["subsets"]) {
                for port in items_mut(subset, &["ports"]) {
                    set_text(port, &["protocol"], "TCP");
                }
            }
        }
        "LimitRange" => {
            for item in items_mut(object, &["spec", "limits"]) {
                limits(item);
            }
        }
        _ => {}
    }
}

/// A secret's `stringData` is a way of writing its data.
fn secret(object: &mut Value) {
    if let Some(Value::Object(texts)) = object::remove(object, &["stringData"]) {
        for (name, value) in texts {
            let encoded = STANDARD.encode(value.as_str().unwrap_or_default());
            object::set(object, &["data", &name], json!(encoded));
        }
    }
    set_text(object, &["type"], "Opaque");
}

fn service(object: &mut Value) {
    set_text(object, &["spec", "sessionAffinity"], "None");
    set_text(object, &["spec", "type"], "ClusterIP");
    if text(object, &["spec", "sessionAffinity"]) == "ClientIP" {
        set_default(
            object,
            &["spec", "sessionAffinityConfig", "clientIP", "timeoutSeconds"],
            json!(10800),
        );
    }
    for port in items_mut(object, &["spec", "ports"]) {
        set_text(port, &["protocol"], "TCP");
        let unset = match at(port, &["targetPort"]) {
            None | Some(Value::Null) => true,
            Some(Value::String(text)) => text.is_empty(),
            Some(value) => value.as_i64() == Some(0),
        };
        if unset && let Some(number) = at(port, &["port"]).cloned() {
            object::set(port, &["targetPort"], number);
        }
    }
    let kind = text(object, &["spec", "type"]).to_owned();
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer") {
        set_text(object, &["spec", "externalTrafficPolicy"], "Cluster");
    }
    if kind == "LoadBalancer" {
        set_default(object, &["spec", "allocateLoadBalancerNodePorts"], json!(true));
    }
    if kind != "ExternalName" {
        set_default(object, &["spec", "internalTrafficPolicy"], json!("Cluster"));
    }
}

/// Fills in a claim, or the template of one.
pub(crate) fn claim(claim: &mut Value) {
    set_default(claim, &["spec", "volumeMode"], json!("Filesystem"));
    if text(claim, &["status", "phase"]).is_empty() {
        object::set(claim, &["status", "phase"], json!("Pending"));
    }
    for field in ["dataSource", "dataSourceRef"] {
        let other = if field == "dataSource" {
            "dataSourceRef"
        } else {
            "dataSource"
        };
        if let (Some(source), None) = (at(claim, &["spec", field]).cloned(), at(claim, &["spec", other])) {
            object::set(claim, &["spec", other], source);
        }
    }
}

/// Limits follow from each other: max gives the default limit, that the default request, and min the rest.
fn limits(item: &mut Value) {
    if text(item, &["type"]) != "Container" {
        return;
    }
    let copy = |item: &mut Value, from: &str, to: &str| {
        let values = at(item, &[from])
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        for (name, value) in values {
            set_default(item, &[to, &name], value);
        }
    };
    copy(item, "max", "default");
    copy(item, "default", "defaultRequest");
    copy(item, "min", "defaultRequest");
}
