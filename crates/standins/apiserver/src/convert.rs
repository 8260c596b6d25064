//! The same object in another version.

use serde_json::{Value, json};

use crate::object;
use crate::registry::Served;

/// `stored` as `served` shows it: renamed, and reshaped for the two built-in kinds whose versions differ.
pub(crate) fn to_version(served: &Served, stored: &Value) -> Value {
    let mut out = stored.clone();
    let from = object::text(stored, &["apiVersion"]).to_owned();
    let to = served.api_version();
    object::set(&mut out, &["apiVersion"], json!(to));
    object::set(&mut out, &["kind"], json!(served.resource.kind));
    match (from.as_str(), to.as_str()) {
        ("v1", "events.k8s.io/v1") => core_event_to_events(&mut out),
        ("events.k8s.io/v1", "v1") => events_to_core_event(&mut out),
        ("autoscaling/v2", "autoscaling/v1") => autoscaler_to_v1(&mut out),
        ("autoscaling/v1", "autoscaling/v2") => autoscaler_to_v2(&mut out),
        _ => {}
    }
    match &served.custom {
        // What the version does not know is not shown.
        Some(custom) => {
            crate::crd::prune(custom, &mut out);
        }
        None => crate::typed::normalize(served, &mut out),
    }
    out
}

/// Field names that differ between the two Event kinds: core name, events.k8s.io name.
const EVENT_FIELDS: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

fn core_event_to_events(event: &mut Value) {
    for (core, events) in EVENT_FIELDS {
        rename(event, core, events);
    }
}

fn events_to_core_event(event: &mut Value) {
    for (core, events) in EVENT_FIELDS {
        rename(event, events, core);
    }
}

fn rename(object: &mut Value, from: &str, to: &str) {
    if let Some(value) = object::remove(object, &[from]) {
        object::set(object, &[to], value);
    }
}

/// v1 knows one metric only, the CPU's utilisation.
fn autoscaler_to_v1(scaler: &mut Value) {
    let metrics = object::remove(scaler, &["spec", "metrics"]);
    let cpu = metrics
        .iter()
        .filter_map(Value::as_array)
        .flatten()
        .find(|metric| {
            object::text(metric, &["type"]) == "Resource"
                && object::text(metric, &["resource", "name"]) == "cpu"
        });
    if let Some(target) =
        cpu.and_then(|metric| object::at(metric, &["resource", "target", "averageUtilization"]))
    {
        object::set(
            scaler,
            &["spec", "targetCPUUtilizationPercentage"],
            target.clone(),
        );
    }
    object::remove(scaler, &["spec", "behavior"]);
    object::remove(scaler, &["status", "conditions"]);
    object::remove(scaler, &["status", "currentMetrics"]);
}

fn autoscaler_to_v2(scaler: &mut Value) {
    if let Some(target) = object::remove(scaler, &["spec", "targetCPUUtilizationPercentage"]) {
        let metric = json!({
            "type": "Resource",
            "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": target}},
        });
        object::set(scaler, &["spec", "metrics"], json!([metric]));
    }
}
