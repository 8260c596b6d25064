//! The scale of an object: how many replicas it has, and is to have.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::decode::read_body;
use crate::object::{self, at, text};
use crate::patch;
use crate::read;
use crate::registry::Served;
use crate::reply::Reply;
use crate::request::{ApiRequest, ResourcePath};
use crate::status::Failure;
use crate::write::{Cx, Update, WriteOptions, Written};

/// Where an object keeps its replicas.
struct Paths {
    spec: Vec<String>,
    status: Vec<String>,
    selector: Option<Vec<String>>,
}

impl Paths {
    fn of(served: &Served) -> Self {
        let read = |path: &str| -> Vec<String> {
            path.trim_start_matches('.')
                .split('.')
                .map(str::to_owned)
                .collect()
        };
        match served.custom.as_ref().and_then(|custom| custom.scale()) {
            Some(scale) => Self {
                spec: read(text(scale, &["specReplicasPath"])),
                status: read(text(scale, &["statusReplicasPath"])),
                selector: Some(text(scale, &["labelSelectorPath"]))
                    .filter(|path| !path.is_empty())
                    .map(read),
            },
            None => Self {
                spec: read("spec.replicas"),
                status: read("status.replicas"),
                selector: None,
            },
        }
    }
}

fn refs(path: &[String]) -> Vec<&str> {
    path.iter().map(String::as_str).collect()
}

fn scale_of(served: &Served, object: &Value) -> Result<Value, Failure> {
    let paths = Paths::of(served);
    let replicas = at(object, &refs(&paths.spec)).and_then(Value::as_i64);
    if served.custom.is_some() && replicas.is_none() {
        return Err(Failure::internal(format!(
            "the spec replicas field \".{}\" does not exist",
            paths.spec.join(".")
        )));
    }
    let current = at(object, &refs(&paths.status))
        .and_then(Value::as_i64)
        .unwrap_or(0);
    let selector = match &paths.selector {
        Some(path) => at(object, &refs(path))
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        None => write_selector(at(object, &["spec", "selector"]).unwrap_or(&Value::Null)),
    };
    let mut metadata = json!({});
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(value) = at(object, &["metadata", field]) {
            object::set(&mut metadata, &[field], value.clone());
        }
    }
    let mut spec = json!({});
    if let Some(replicas) = replicas.filter(|replicas| *replicas != 0) {
        spec["replicas"] = json!(replicas);
    }
    let mut status = json!({"replicas": current});
    if !selector.is_empty() {
        status["selector"] = json!(selector);
    }
    Ok(
        json!({"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status}),
    )
}

/// A label selector as text.
fn write_selector(selector: &Value) -> String {
    let labels = at(selector, &["matchLabels"]).unwrap_or(selector).as_object();
    let mut parts: Vec<String> = labels
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| value.as_str().map(|value| format!("{name}={value}")))
        .collect();
    for expression in object::list(selector, &["matchExpressions"]) {
        let key = text(expression, &["key"]);
        let values: Vec<&str> = object::list(expression, &["values"])
            .iter()
            .filter_map(Value::as_str)
            .collect();
        parts.push(match text(expression, &["operator"]) {
            "In" => format!("{key} in ({})", values.join(",")),
            "NotIn" => format!("{key} notin ({})", values.join(",")),
            "DoesNotExist" => format!("!{key}"),
            _ => key.to_owned(),
        });
    }
    parts.join(",")
}

/// Replicas that somebody owns pass to whoever scales; the entry has no time. Replicas that nobody owns stay so.
fn track(cx: &Cx<'_>, served: &Served, live: &Value, new: &mut Value, manager: &str) {
    let path = Paths::of(served).spec;
    let fields: Vec<String> = path.iter().map(|name| format!("f:{name}")).collect();
    let owns =
        |entry: &Value| at(entry, &["fieldsV1"]).is_some_and(|owned| at(owned, &refs(&fields)).is_some());
    if !object::list(live, &["metadata", "managedFields"])
        .iter()
        .any(owns)
    {
        return;
    }
    cx.track(served, "scale", Some(live), new, manager);
    for entry in crate::defaults::items_mut(new, &["metadata", "managedFields"]) {
        if text(entry, &["subresource"]) == "scale" {
            object::remove(entry, &["time"]);
        }
    }
}

/// Answers a request to `…/scale`.
pub(crate) fn answer(
    cx: &mut Cx<'_>,
    served: &Served,
    path: &ResourcePath,
    verb: &str,
    request: &ApiRequest,
) -> Result<Reply, Failure> {
    let live = read::get(cx.state, served, path)?;
    if verb == "get" {
        return Ok(Reply::json(200, scale_of(served, &live)?));
    }
    let options = WriteOptions::read(
        request,
        if verb == "patch" {
            "PatchOptions"
        } else {
            "UpdateOptions"
        },
    )?;
    let body = read_body(request.content_type(), &request.body)?;
    let wanted = if verb == "patch" {
        // A custom resource may not have a number yet; the patch brings it.
        let current = scale_of(served, &live).unwrap_or_else(|_| json!({"metadata": {}, "spec": {}}));
        match patch::Kind::of(served, request.content_type())? {
            patch::Kind::Apply | patch::Kind::Strategic => {
                let mut merged = current;
                json_patch::merge(&mut merged, &body);
                merged
            }
            kind => patch::apply(kind, served, &current, &body)?,
        }
    } else {
        body
    };
    let replicas = at(&wanted, &["spec", "replicas"])
        .and_then(Value::as_i64)
        .unwrap_or(0);
    let mut new = live.as_ref().clone();
    object::set(&mut new, &refs(&Paths::of(served).spec), json!(replicas));
    track(cx, served, &live, &mut new, &options.manager);
    let version = object::resource_version(&wanted);
    object::set(&mut new, &["metadata", "resourceVersion"], json!(version));
    let update = Update {
        served,
        subresource: "scale",
        live,
        new,
        tracked: true,
        needs_version: false,
        is_patch: true,
    };
    let written: Arc<Value> = match cx.update(update, &options)? {
        Written::Created(value)
        | Written::Updated(value)
        | Written::Deleted(value)
        | Written::Deleting(value) => value,
    };
    Ok(Reply::json(200, scale_of(served, &written)?))
}
