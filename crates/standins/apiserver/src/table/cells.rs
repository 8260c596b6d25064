//! What stands in the cells.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::columns::Column;
use super::jsonpath;
use crate::object::{self, at, list, text};
use crate::registry::Served;

/// The cells of one object's row.
pub(crate) fn of(served: &Served, columns: &[Column], item: &Value, now: Timestamp) -> Vec<Value> {
    columns
        .iter()
        .map(|column| match (&served.custom, column.name.as_str()) {
            (Some(_), "Name") if column.path.is_empty() => json!(object::name(item)),
            (Some(_), _) => custom(column, item, now),
            (None, name) => builtin(served, name, item, now),
        })
        .collect()
}

fn custom(column: &Column, item: &Value, now: Timestamp) -> Value {
    let found = jsonpath::find(&column.path, item);
    let Some(first) = found.first().copied() else {
        return if column.kind == "date" {
            json!("<unknown>")
        } else {
            Value::Null
        };
    };
    match column.kind.as_str() {
        "date" => json!(age(first.as_str().unwrap_or_default(), now)),
        "integer" => first.as_i64().map_or(Value::Null, |number| json!(number)),
        "number" => first.as_f64().map_or(Value::Null, |number| json!(number)),
        "boolean" => first.as_bool().map_or(Value::Null, |flag| json!(flag)),
        _ => {
            let texts: Vec<String> = found
                .iter()
                .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                .collect();
            json!(texts.join(","))
        }
    }
}

/// Time since `then`, as kubectl writes ages.
pub(crate) fn age(then: &str, now: Timestamp) -> String {
    then.parse::<Timestamp>().map_or_else(
        |_| "<unknown>".to_owned(),
        |then| duration(now.as_second() - then.as_second()),
    )
}

fn duration(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let pair = |big: i64, big_unit: &str, small: i64, small_unit: &str| {
        if small == 0 {
            format!("{big}{big_unit}")
        } else {
            format!("{big}{big_unit}{small}{small_unit}")
        }
    };
    match seconds {
        ..0 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        120..600 => pair(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => pair(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => pair(days, "d", hours % 24, "h"),
        691_200..63_072_000 => format!("{days}d"),
        _ => pair(days / 365, "y", days % 365, "d"),
    }
}

fn number(item: &Value, path: &[&str]) -> i64 {
    at(item, path).and_then(Value::as_i64).unwrap_or(0)
}

fn or_none(text: &str) -> Value {
    json!(if text.is_empty() { "<none>" } else { text })
}

fn builtin(served: &Served, column: &str, item: &Value, now: Timestamp) -> Value {
    let spec = ["spec", "template", "spec", "containers"];
    let containers = if served.plural() == "pods" {
        list(item, &["spec", "containers"])
    } else {
        list(item, &spec)
    };
    let names = |field: &str| -> Value {
        let all: Vec<&str> = containers
            .iter()
            .map(|container| text(container, &[field]))
            .collect();
        json!(all.join(","))
    };
    match (served.plural(), column) {
        ("events" | _, "Name") => json!(object::name(item)),
        (_, "Age") => json!(age(text(item, &["metadata", "creationTimestamp"]), now)),
        (_, "Created At") => json!(text(item, &["metadata", "creationTimestamp"])),
        (_, "Containers") => names("name"),
        (_, "Images") => names("image"),
        (_, "Selector") => or_none(&selector(at(item, &["spec", "selector"]).unwrap_or(&Value::Null))),
        ("pods", "Ready") => {
            let statuses = list(item, &["status", "containerStatuses"]);
            let ready = statuses
                .iter()
                .filter(|one| one.get("ready") == Some(&Value::Bool(true)))
                .count();
            json!(format!("{ready}/{}", containers.len()))
        }
        ("pods", "Restarts") => json!("0"),
        ("pods", "IP") => or_none(text(item, &["status", "podIP"])),
        ("pods", "Node") => or_none(text(item, &["spec", "nodeName"])),
        ("pods", "Nominated Node") => or_none(text(item, &["status", "nominatedNodeName"])),
        ("pods", "Readiness Gates") => json!("<none>"),
        ("pods" | "namespaces", "Status") => {
            let terminating = served.plural() == "pods" && object::is_terminating(item);
            json!(if terminating {
                "Terminating"
            } else {
                text(item, &["status", "phase"])
            })
        }
        ("persistentvolumeclaims", "Status") => {
            json!(if object::is_terminating(item) {
                "Terminating"
            } else {
                text(item, &["status", "phase"])
            })
        }
        ("configmaps", "Data") => json!(count(item, "data") + count(item, "binaryData")),
        ("secrets", "Data") => json!(count(item, "data")),
        ("secrets", "Type") => json!(text(item, &["type"])),
        ("serviceaccounts", "Secrets") => json!(list(item, &["secrets"]).len()),
        ("services", _) => service(column, item),
        ("persistentvolumeclaims", _) => claim(column, item),
        ("events", _) => event(column, item, now),
        ("deployments" | "statefulsets", "Ready") => {
            json!(format!(
                "{}/{}",
                number(item, &["status", "readyReplicas"]),
                number(item, &["spec", "replicas"])
            ))
        }
        ("deployments", "Up-to-date") => json!(number(item, &["status", "updatedReplicas"])),
        ("deployments", "Available") => json!(number(item, &["status", "availableReplicas"])),
        ("replicasets", "Desired") => json!(number(item, &["spec", "replicas"])),
        ("replicasets", "Current") => json!(number(item, &["status", "replicas"])),
        ("replicasets", "Ready") => json!(number(item, &["status", "readyReplicas"])),
        ("daemonsets", "Desired") => json!(number(item, &["status", "desiredNumberScheduled"])),
        ("daemonsets", "Current") => json!(number(item, &["status", "currentNumberScheduled"])),
        ("daemonsets", "Ready") => json!(number(item, &["status", "numberReady"])),
        ("daemonsets", "Up-to-date") => json!(number(item, &["status", "updatedNumberScheduled"])),
        ("daemonsets", "Available") => json!(number(item, &["status", "numberAvailable"])),
        ("daemonsets", "Node Selector") => or_none(&selector(
            at(item, &["spec", "template", "spec", "nodeSelector"]).unwrap_or(&Value::Null),
        )),
        ("jobs", _) => job(column, item, now),
        ("rolebindings" | "clusterrolebindings", _) => binding(column, item),
        ("ingresses", _) => ingress(column, item),
        ("networkpolicies", _) => or_none(&selector(
            at(item, &["spec", "podSelector"]).unwrap_or(&Value::Null),
        )),
        ("leases", _) => json!(text(item, &["spec", "holderIdentity"])),
        _ => json!(""),
    }
}

fn count(item: &Value, field: &str) -> usize {
    at(item, &[field])
        .and_then(Value::as_object)
        .map_or(0, serde_json::Map::len)
}

fn selector(selector: &Value) -> String {
    let labels = at(selector, &["matchLabels"]).unwrap_or(selector).as_object();
    labels
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| value.as_str().map(|value| format!("{name}={value}")))
        .collect::<Vec<_>>()
        .join(",")
}

fn service(column: &str, item: &Value) -> Value {
    match column {
        "Type" => json!(text(item, &["spec", "type"])),
        "Cluster-IP" => or_none(text(item, &["spec", "clusterIP"])),
        "External-IP" => {
            let ingress = list(item, &["status", "loadBalancer", "ingress"]);
            let ips: Vec<&str> = ingress.iter().map(|one| text(one, &["ip"])).collect();
            match text(item, &["spec", "type"]) {
                "LoadBalancer" if ips.is_empty() => json!("<pending>"),
                "LoadBalancer" => json!(ips.join(",")),
                "ExternalName" => json!(text(item, &["spec", "externalName"])),
                _ => json!("<none>"),
            }
        }
        _ => {
            let ports: Vec<String> = list(item, &["spec", "ports"])
                .iter()
                .map(|port| {
                    let (number, protocol) = (number(port, &["port"]), text(port, &["protocol"]));
                    match at(port, &["nodePort"]).and_then(Value::as_i64) {
                        Some(node) if node > 0 => format!("{number}:{node}/{protocol}"),
                        _ => format!("{number}/{protocol}"),
                    }
                })
                .collect();
            or_none(&ports.join(","))
        }
    }
}

fn claim(column: &str, item: &Value) -> Value {
    match column {
        "Volume" => json!(text(item, &["spec", "volumeName"])),
        "Capacity" => json!(text(item, &["status", "capacity", "storage"])),
        "Access Modes" => {
            let short: Vec<&str> = list(item, &["status", "accessModes"])
                .iter()
                .map(|mode| match mode.as_str() {
                    Some("ReadWriteOnce") => "RWO",
                    Some("ReadOnlyMany") => "ROX",
                    Some("ReadWriteMany") => "RWX",
                    _ => "RWOP",
                })
                .collect();
            json!(short.join(","))
        }
        "StorageClass" => json!(text(item, &["spec", "storageClassName"])),
        "VolumeAttributesClass" => json!("<unset>"),
        _ => json!(text(item, &["spec", "volumeMode"])),
    }
}

fn event(column: &str, item: &Value, now: Timestamp) -> Value {
    let about =
        |field: &str| text(item, &["involvedObject", field]).to_owned() + text(item, &["regarding", field]);
    let when = |names: &[&str]| {
        let then = names
            .iter()
            .map(|name| text(item, &[name]))
            .find(|then| !then.is_empty())
            .unwrap_or_default();
        json!(age(then, now))
    };
    match column {
        "Last Seen" => when(&["lastTimestamp", "deprecatedLastTimestamp", "eventTime"]),
        "First Seen" => when(&["firstTimestamp", "deprecatedFirstTimestamp", "eventTime"]),
        "Type" => json!(text(item, &["type"])),
        "Reason" => json!(text(item, &["reason"])),
        "Object" => json!(format!("{}/{}", about("kind").to_lowercase(), about("name"))),
        "Subobject" => json!(about("fieldPath")),
        "Source" => {
            let source = text(item, &["source", "component"]).to_owned();
            json!(if source.is_empty() {
                text(item, &["reportingComponent"]).to_owned()
            } else {
                source
            })
        }
        "Message" => json!(format!("{}{}", text(item, &["message"]), text(item, &["note"])).trim()),
        _ => json!(number(item, &["count"]).max(1)),
    }
}

fn job(column: &str, item: &Value, now: Timestamp) -> Value {
    let done = |kind: &str| {
        list(item, &["status", "conditions"])
            .iter()
            .any(|one| text(one, &["type"]) == kind && text(one, &["status"]) == "True")
    };
    match column {
        "Status" => json!(if done("Complete") {
            "Complete"
        } else if done("Failed") {
            "Failed"
        } else if at(item, &["spec", "suspend"]) == Some(&Value::Bool(true)) {
            "Suspended"
        } else {
            "Running"
        }),
        "Completions" => {
            json!(format!(
                "{}/{}",
                number(item, &["status", "succeeded"]),
                number(item, &["spec", "completions"])
            ))
        }
        _ => {
            let start = text(item, &["status", "startTime"]);
            let end = text(item, &["status", "completionTime"])
                .parse::<Timestamp>()
                .unwrap_or(now);
            json!(if start.is_empty() {
                String::new()
            } else {
                age(start, end)
            })
        }
    }
}

fn binding(column: &str, item: &Value) -> Value {
    let subjects = |kind: &str| {
        let names: Vec<String> = list(item, &["subjects"])
            .iter()
            .filter(|subject| text(subject, &["kind"]) == kind)
            .map(|subject| match text(subject, &["namespace"]) {
                "" => text(subject, &["name"]).to_owned(),
                namespace => format!("{namespace}/{}", text(subject, &["name"])),
            })
            .collect();
        json!(names.join(", "))
    };
    match column {
        "Role" => json!(format!(
            "{}/{}",
            text(item, &["roleRef", "kind"]),
            text(item, &["roleRef", "name"])
        )),
        "Users" => subjects("User"),
        "Groups" => subjects("Group"),
        _ => subjects("ServiceAccount"),
    }
}

fn ingress(column: &str, item: &Value) -> Value {
    match column {
        "Class" => or_none(text(item, &["spec", "ingressClassName"])),
        "Hosts" => {
            let hosts: Vec<&str> = list(item, &["spec", "rules"])
                .iter()
                .map(|rule| text(rule, &["host"]))
                .filter(|host| !host.is_empty())
                .collect();
            json!(if hosts.is_empty() {
                "*".to_owned()
            } else {
                hosts.join(",")
            })
        }
        "Address" => {
            let addresses: Vec<&str> = list(item, &["status", "loadBalancer", "ingress"])
                .iter()
                .map(|one| text(one, &["ip"]))
                .collect();
            json!(addresses.join(","))
        }
        _ => json!(if list(item, &["spec", "tls"]).is_empty() {
            "80"
        } else {
            "80, 443"
        }),
    }
}
