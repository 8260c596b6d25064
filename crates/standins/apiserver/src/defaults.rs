//! Defaults that kube-apiserver fills in by code rather than by schema.

mod batch;
mod core;
mod pod;
mod workloads;

use serde_json::{Value, json};

pub(crate) use workloads::TEMPLATE_GENERATION;

use crate::object::{self, list, set_default, text};
use crate::registry::Served;

/// Fills in an object's defaults.
pub(crate) fn apply(served: &Served, object: &mut Value) {
    let resource = &served.resource;
    match (
        resource.group.as_str(),
        resource.version.as_str(),
        resource.kind.as_str(),
    ) {
        ("", _, kind) => core::apply(kind, object),
        ("apps", _, kind) => workloads::apply(kind, object),
        ("batch", _, kind) => batch::apply(kind, object),
        ("autoscaling", version, _) => autoscaler(version, object),
        ("rbac.authorization.k8s.io", _, kind) => rbac(kind, object),
        ("networking.k8s.io", _, "NetworkPolicy") => network_policy(object),
        ("storage.k8s.io", _, "StorageClass") => {
            set_default(object, &["reclaimPolicy"], json!("Delete"));
            set_default(object, &["volumeBindingMode"], json!("Immediate"));
        }
        ("scheduling.k8s.io", _, "PriorityClass") => {
            set_default(object, &["preemptionPolicy"], json!("PreemptLowerPriority"));
        }
        ("discovery.k8s.io", _, "EndpointSlice") => {
            for port in items_mut(object, &["ports"]) {
                set_default(port, &["name"], json!(""));
                set_default(port, &["protocol"], json!("TCP"));
            }
        }
        ("admissionregistration.k8s.io", _, kind) => admission(kind, object),
        ("apiregistration.k8s.io", _, "APIService")
            if object::at(object, &["spec", "service"]).is_some_and(Value::is_object) =>
        {
            set_default(object, &["spec", "service", "port"], json!(443));
        }
        ("apiextensions.k8s.io", _, _) => definition(object),
        _ => {}
    }
}

/// The objects of the list at `path`; none when it is absent.
pub(crate) fn items_mut<'a>(object: &'a mut Value, path: &[&str]) -> impl Iterator<Item = &'a mut Value> {
    let place = path.iter().try_fold(object, |value, name| value.get_mut(*name));
    place
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .filter(|item| item.is_object())
}

/// Sets a text that is absent or empty.
pub(crate) fn set_text(object: &mut Value, path: &[&str], value: &str) {
    if text(object, path).is_empty() {
        object::set(object, path, json!(value));
    }
}

fn autoscaler(version: &str, object: &mut Value) {
    set_default(object, &["spec", "minReplicas"], json!(1));
    if version == "v1" {
        return;
    }
    if list(object, &["spec", "metrics"]).is_empty() {
        let cpu = json!({
            "type": "Resource",
            "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
        });
        object::set(object, &["spec", "metrics"], json!([cpu]));
    }
    let rules = |direction: &str| {
        let percent = json!({"type": "Percent", "value": 100, "periodSeconds": 15});
        if direction == "scaleUp" {
            json!([{"type": "Pods", "value": 4, "periodSeconds": 15}, percent])
        } else {
            json!([percent])
        }
    };
    if object::at(object, &["spec", "behavior"]).is_some_and(Value::is_object) {
        for direction in ["scaleUp", "scaleDown"] {
            if direction == "scaleUp" {
                set_default(
                    object,
                    &["spec", "behavior", direction, "stabilizationWindowSeconds"],
                    json!(0),
                );
            }
            set_default(
                object,
                &["spec", "behavior", direction, "selectPolicy"],
                json!("Max"),
            );
            set_default(
                object,
                &["spec", "behavior", direction, "policies"],
                rules(direction),
            );
        }
    }
}

fn rbac(kind: &str, object: &mut Value) {
    const GROUP: &str = "rbac.authorization.k8s.io";
    if !kind.ends_with("Binding") {
        return;
    }
    set_text(object, &["roleRef", "apiGroup"], GROUP);
    for subject in items_mut(object, &["subjects"]) {
        if matches!(text(subject, &["kind"]), "User" | "Group") {
            set_text(subject, &["apiGroup"], GROUP);
        }
    }
}

fn network_policy(object: &mut Value) {
    for (direction, _) in [("ingress", "from"), ("egress", "to")] {
        for rule in items_mut(object, &["spec", direction]) {
            for port in items_mut(rule, &["ports"]) {
                set_default(port, &["protocol"], json!("TCP"));
            }
        }
    }
    if list(object, &["spec", "policyTypes"]).is_empty() {
        let egress =
            object::at(object, &["spec", "egress"]).is_some_and(|rules| !list(rules, &[]).is_empty());
        let types = if egress {
            json!(["Ingress", "Egress"])
        } else {
            json!(["Ingress"])
        };
        object::set(object, &["spec", "policyTypes"], types);
    }
}

fn admission(kind: &str, object: &mut Value) {
    match kind {
        "ValidatingAdmissionPolicy" => {
            set_default(object, &["spec", "failurePolicy"], json!("Fail"));
            match_resources(object, &["spec", "matchConstraints"]);
        }
        "ValidatingAdmissionPolicyBinding" => match_resources(object, &["spec", "matchResources"]),
        _ => {
            for webhook in items_mut(object, &["webhooks"]) {
                set_default(webhook, &["failurePolicy"], json!("Fail"));
                set_default(webhook, &["matchPolicy"], json!("Equivalent"));
                set_default(webhook, &["namespaceSelector"], json!({}));
                set_default(webhook, &["objectSelector"], json!({}));
                set_default(webhook, &["timeoutSeconds"], json!(10));
                if kind.starts_with("Mutating") {
                    set_default(webhook, &["reinvocationPolicy"], json!("Never"));
                }
                if object::at(webhook, &["clientConfig", "service"]).is_some_and(Value::is_object) {
                    set_default(webhook, &["clientConfig", "service", "port"], json!(443));
                }
                for rule in items_mut(webhook, &["rules"]) {
                    set_default(rule, &["scope"], json!("*"));
                }
            }
        }
    }
}

fn match_resources(object: &mut Value, path: &[&str]) {
    let Some(place) = path.iter().try_fold(object, |value, name| value.get_mut(*name)) else {
        return;
    };
    if !place.is_object() {
        return;
    }
    set_default(place, &["matchPolicy"], json!("Equivalent"));
    set_default(place, &["namespaceSelector"], json!({}));
    set_default(place, &["objectSelector"], json!({}));
    for field in ["resourceRules", "excludeResourceRules"] {
        for rule in items_mut(place, &[field]) {
            set_default(rule, &["scope"], json!("*"));
        }
    }
}

fn definition(object: &mut Value) {
    let kind = text(object, &["spec", "names", "kind"]).to_owned();
    set_text(object, &["spec", "names", "singular"], &kind.to_lowercase());
    set_text(object, &["spec", "names", "listKind"], &format!("{kind}List"));
    set_default(object, &["spec", "conversion"], json!({"strategy": "None"}));
}
