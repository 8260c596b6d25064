//! What differs from kind to kind when objects are written.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::object;
use crate::registry::Served;
use crate::status::Failure;
use crate::write::{Cx, DeleteOptions};

/// Built-in resources whose objects count generations: group and plural name.
const COUNTED: [(&str, &str); 24] = [
    ("", "pods"),
    ("", "podtemplates"),
    ("", "replicationcontrollers"),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
    ("admissionregistration.k8s.io", "validatingadmissionpolicies"),
    (
        "admissionregistration.k8s.io",
        "validatingadmissionpolicybindings",
    ),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
    ("apiextensions.k8s.io", "customresourcedefinitions"),
    ("apps", "daemonsets"),
    ("apps", "deployments"),
    ("apps", "replicasets"),
    ("apps", "statefulsets"),
    ("batch", "cronjobs"),
    ("batch", "jobs"),
    ("discovery.k8s.io", "endpointslices"),
    ("flowcontrol.apiserver.k8s.io", "flowschemas"),
    ("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations"),
    ("networking.k8s.io", "ingresses"),
    ("networking.k8s.io", "ingressclasses"),
    ("networking.k8s.io", "networkpolicies"),
    ("policy", "poddisruptionbudgets"),
    ("resource.k8s.io", "deviceclasses"),
    ("resource.k8s.io", "resourceslices"),
    ("scheduling.k8s.io", "priorityclasses"),
];

/// Where a DaemonSet counts its templates.
const TEMPLATE_GENERATION: [&str; 3] = ["metadata", "annotations", crate::defaults::TEMPLATE_GENERATION];

fn is(served: &Served, group: &str, plural: &str) -> bool {
    served.key.group == group && served.key.plural == plural
}

fn counts_generations(served: &Served) -> bool {
    served.custom.is_some() || COUNTED.iter().any(|(group, plural)| is(served, group, plural))
}

/// Whether a creation drops the status that is sent along. Nodes come with theirs.
pub(crate) fn resets_status(served: &Served) -> bool {
    !is(served, "", "nodes") && !is(served, "apiregistration.k8s.io", "apiservices")
}

/// Brings a new object into its first state.
pub(crate) fn prepare_create(cx: &mut Cx<'_>, served: &Served, object: &mut Value) -> Result<(), Failure> {
    if served.has_status() && resets_status(served) {
        object::remove(object, &["status"]);
    }
    if counts_generations(served) {
        object::metadata_mut(object).insert("generation".into(), json!(1));
    }
    match (served.key.group.as_str(), served.key.plural.as_str()) {
        ("", "namespaces") => {
            object::set(object, &["status", "phase"], json!("Active"));
            object::set_default(object, &["spec", "finalizers"], json!(["kubernetes"]));
            let name = object::name(object).to_owned();
            object::object_at(object, &["metadata", "labels"])
                .insert("kubernetes.io/metadata.name".into(), json!(name));
        }
        ("", "persistentvolumeclaims" | "persistentvolumes") => {
            object::set(object, &["status", "phase"], json!("Pending"));
            let protection = crate::workloads::protection_finalizer(&served.key.plural);
            let mut finalizers: Vec<String> = object::finalizers(object)
                .into_iter()
                .map(str::to_owned)
                .collect();
            if !finalizers.iter().any(|name| name == protection) {
                finalizers.push(protection.to_owned());
                object::set(object, &["metadata", "finalizers"], json!(finalizers));
            }
        }
        ("apps", "daemonsets") => object::set(object, &TEMPLATE_GENERATION, json!("1")),
        ("", "services") => crate::services::allocate(cx, object)?,
        ("", "pods") => crate::workloads::prepare_pod(object),
        ("batch", "jobs") => crate::workloads::prepare_job(object),
        ("apiextensions.k8s.io", "customresourcedefinitions") => crate::crd::prepare_create(object),
        _ => {}
    }
    Ok(())
}

/// Brings a changed object into line with what it was.
pub(crate) fn prepare_update(
    cx: &mut Cx<'_>,
    served: &Served,
    subresource: &str,
    live: &Arc<Value>,
    new: &mut Value,
) -> Result<(), Failure> {
    match subresource {
        "status" => keep_all_but_status(served, live, new),
        _ if served.has_status() && resets_status(served) => match live.get("status") {
            Some(status) => object::set(new, &["status"], status.clone()),
            None => {
                object::remove(new, &["status"]);
            }
        },
        _ => {}
    }
    match (served.key.group.as_str(), served.key.plural.as_str()) {
        ("", "namespaces") => {
            let name = object::name(new).to_owned();
            object::object_at(new, &["metadata", "labels"])
                .insert("kubernetes.io/metadata.name".into(), json!(name));
            if subresource != "finalize"
                && let Some(finalizers) = object::at(live, &["spec", "finalizers"])
            {
                object::set(new, &["spec", "finalizers"], finalizers.clone());
            }
        }
        ("", "services") => crate::services::keep_allocation(cx, live, new)?,
        ("apps", "daemonsets") => {
            let count: i64 = object::text(live, &TEMPLATE_GENERATION).parse().unwrap_or(1);
            let changed = object::at(live, &["spec", "template"]) != object::at(new, &["spec", "template"]);
            object::set(
                new,
                &TEMPLATE_GENERATION,
                json!((count + i64::from(changed)).to_string()),
            );
        }
        ("apiextensions.k8s.io", "customresourcedefinitions") if subresource.is_empty() => {
            crate::crd::prepare_update(new);
        }
        _ => {}
    }
    if counts_generations(served) && subresource != "status" && changes_spec(served, live, new) {
        let next = object::generation(live) + 1;
        object::metadata_mut(new).insert("generation".into(), json!(next));
    }
    Ok(())
}

fn keep_all_but_status(served: &Served, live: &Value, new: &mut Value) {
    let status = object::remove(new, &["status"]);
    let metadata = object::remove(new, &["metadata"]).unwrap_or_default();
    let mut out = live.clone();
    match status {
        Some(status) => object::set(&mut out, &["status"], status),
        None => {
            object::remove(&mut out, &["status"]);
        }
    }
    // A custom resource's status request changes no metadata; built-in ones let annotations and finalizers through.
    let fields: &[&str] = if served.custom.is_some() {
        &["managedFields"]
    } else {
        &["managedFields", "annotations", "finalizers", "ownerReferences"]
    };
    for field in fields {
        match metadata.get(field) {
            Some(value) => object::set(&mut out, &["metadata", field], value.clone()),
            None => {
                object::remove(&mut out, &["metadata", field]);
            }
        }
    }
    *new = out;
}

/// Whether what an object asks for has changed. Custom resources count all but metadata and status; built-in ones
/// their spec, or everything when they have none.
fn changes_spec(served: &Served, live: &Value, new: &Value) -> bool {
    let strip = |object: &Value| {
        let mut out = object.clone();
        for field in ["metadata", "status", "apiVersion", "kind"] {
            object::remove(&mut out, &[field]);
        }
        out
    };
    // A deployment's annotations are part of what it asks for.
    let annotations_count = is(served, "apps", "deployments");
    let annotations = |object: &Value| object::at(object, &["metadata", "annotations"]).cloned();
    !crate::fields::same_value(&strip(live), &strip(new))
        || annotations_count && annotations(live) != annotations(new)
}

/// Whether a terminating object is gone for good.
pub(crate) fn may_vanish(served: &Served, object: &Value) -> bool {
    object::finalizers(object).is_empty()
        && !has_spec_finalizers(served, object)
        && object::at(object, &["metadata", "deletionGracePeriodSeconds"])
            .and_then(Value::as_i64)
            .unwrap_or(0)
            == 0
}

/// Namespaces have finalizers in their spec, too.
pub(crate) fn has_spec_finalizers(served: &Served, object: &Value) -> bool {
    is(served, "", "namespaces") && !object::list(object, &["spec", "finalizers"]).is_empty()
}

/// No grace period is longer: as long as a number of 32 bits lets it be.
const MOST_SECONDS: i64 = i32::MAX as i64;

/// How long a deletion waits: pods that run on a node get time to stop.
pub(crate) fn grace_seconds(served: &Served, object: &Value, options: &DeleteOptions) -> i64 {
    if !is(served, "", "pods") || object::text(object, &["spec", "nodeName"]).is_empty() {
        return 0;
    }
    let own = object::at(object, &["spec", "terminationGracePeriodSeconds"]).and_then(Value::as_i64);
    options.grace_seconds.or(own).unwrap_or(30).clamp(0, MOST_SECONDS)
}

/// Namespaces that cannot be deleted.
pub(crate) fn check_delete(served: &Served, object: &Value) -> Result<(), Failure> {
    let name = object::name(object);
    if is(served, "", "namespaces") && matches!(name, "default" | "kube-system" | "kube-public") {
        return Err(Failure::forbidden(
            "",
            "namespaces",
            name,
            "this namespace may not be deleted",
        ));
    }
    Ok(())
}

/// The phase of an object that began to go away.
pub(crate) fn mark_deleted(served: &Served, object: &mut Value) {
    if is(served, "", "namespaces") {
        object::set(object, &["status", "phase"], json!("Terminating"));
    }
}

/// Resources whose deletion answers with the object rather than a `Status`.
pub(crate) fn returns_deleted_object(served: &Served) -> bool {
    match served.key.group.as_str() {
        "" => matches!(
            served.key.plural.as_str(),
            "namespaces"
                | "persistentvolumeclaims"
                | "persistentvolumes"
                | "pods"
                | "podtemplates"
                | "resourcequotas"
                | "serviceaccounts"
                | "services"
        ),
        "resource.k8s.io" => true,
        "storage.k8s.io" => served.key.plural != "csistoragecapacities",
        _ => false,
    }
}

/// Resources that a PUT creates when they are not there.
pub(crate) fn creates_on_update(served: &Served) -> bool {
    matches!(
        (served.key.group.as_str(), served.key.plural.as_str()),
        ("", "endpoints" | "events" | "limitranges" | "services")
            | ("coordination.k8s.io", "leases")
            | ("node.k8s.io", "runtimeclasses")
            | ("rbac.authorization.k8s.io", _)
    )
}

/// Resources whose replacement must name the version it replaces.
pub(crate) fn needs_version(served: &Served) -> bool {
    served.custom.is_some()
        || matches!(
            (served.key.group.as_str(), served.key.plural.as_str()),
            ("coordination.k8s.io", "leases")
                | ("node.k8s.io", "runtimeclasses")
                | ("policy", "poddisruptionbudgets")
                | (
                    "admissionregistration.k8s.io" | "apiextensions.k8s.io" | "apiregistration.k8s.io",
                    _
                )
                | (
                    "storage.k8s.io",
                    "csidrivers" | "csinodes" | "csistoragecapacities" | "volumeattachments"
                )
        )
}
