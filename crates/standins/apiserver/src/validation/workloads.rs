//! What runs pods.

use serde_json::Value;

use super::{invalid, required};
use crate::object::{self, at};
use crate::registry::Served;
use crate::selector::Selector;
use crate::status::Cause;

/// What is wrong with a workload; nothing for other kinds.
pub(crate) fn validate(served: &Served, object: &Value, live: Option<&Value>) -> Vec<Cause> {
    let mut causes = Vec::new();
    let group = served.key.group.as_str();
    match (group, served.key.plural.as_str()) {
        ("apps", _) => {
            replicas(object, &mut causes);
            selector(object, &mut causes);
            template(object, &["spec", "template", "spec"], &mut causes);
            if let Some(live) = live
                && let (old, Some(new)) = (at(live, &["spec", "selector"]), at(object, &["spec", "selector"]))
                && old != Some(new)
            {
                causes.push(invalid("spec.selector", new, "field is immutable"));
            }
        }
        ("batch", "jobs") => {
            template(object, &["spec", "template", "spec"], &mut causes);
            restart_policy(object, &["spec", "template", "spec"], &mut causes);
            if let Some(live) = live {
                job_template(live, object, &mut causes);
            }
        }
        ("batch", "cronjobs") => {
            let path = ["spec", "jobTemplate", "spec", "template", "spec"];
            template(object, &path, &mut causes);
            restart_policy(object, &path, &mut causes);
            if object::text(object, &["spec", "schedule"]).is_empty() {
                causes.push(required("spec.schedule", ""));
            }
        }
        ("", "pods") => template(object, &["spec"], &mut causes),
        _ => {}
    }
    causes
}

/// A job's template stays; only where its pods may run can change while it is suspended.
fn job_template(live: &Value, object: &Value, causes: &mut Vec<Cause>) {
    let suspended = at(live, &["spec", "suspend"]) == Some(&Value::Bool(true));
    let strip = |job: &Value| {
        let mut template = at(job, &["spec", "template"]).cloned().unwrap_or_default();
        if suspended {
            for field in ["nodeSelector", "tolerations", "affinity", "schedulingGates"] {
                object::remove(&mut template, &["spec", field]);
            }
            object::remove(&mut template, &["metadata"]);
        }
        template
    };
    if strip(live) != strip(object) {
        let shown = at(object, &["spec", "template"]).unwrap_or(&Value::Null);
        causes.push(invalid("spec.template", shown, "field is immutable"));
    }
}

fn replicas(object: &Value, causes: &mut Vec<Cause>) {
    if let Some(count) = at(object, &["spec", "replicas"])
        && count.as_i64().is_some_and(|count| count < 0)
    {
        causes.push(invalid(
            "spec.replicas",
            count,
            "must be greater than or equal to 0",
        ));
    }
}

fn selector(object: &Value, causes: &mut Vec<Cause>) {
    let selector = at(object, &["spec", "selector"]).filter(|selector| !selector.is_null());
    let Some(selector) = selector else {
        causes.push(required("spec.selector", ""));
        let labels = at(object, &["spec", "template", "metadata", "labels"]).unwrap_or(&Value::Null);
        causes.push(invalid(
            "spec.template.metadata.labels",
            labels,
            "`selector` does not match template `labels`",
        ));
        return;
    };
    let template = at(object, &["spec", "template"]).unwrap_or(&Value::Null);
    let labels = at(template, &["metadata", "labels"]).unwrap_or(&Value::Null);
    if selector.as_object().is_some_and(serde_json::Map::is_empty) {
        causes.push(invalid(
            "spec.selector",
            selector,
            "empty selector is invalid for deployment",
        ));
    } else if !Selector::from_label_selector(selector).matches_labels(template) {
        causes.push(invalid(
            "spec.template.metadata.labels",
            labels,
            "`selector` does not match template `labels`",
        ));
    }
}

fn template(object: &Value, path: &[&str], causes: &mut Vec<Cause>) {
    let prefix = path.join(".");
    let spec = at(object, path).unwrap_or(&Value::Null);
    let containers = object::list(spec, &["containers"]);
    if containers.is_empty() {
        causes.push(required(format!("{prefix}.containers"), ""));
    }
    for field in ["initContainers", "containers"] {
        let mut seen: Vec<&str> = Vec::new();
        for (index, container) in object::list(spec, &[field]).iter().enumerate() {
            let place = format!("{prefix}.{field}[{index}]");
            let name = object::text(container, &["name"]);
            if name.is_empty() {
                causes.push(required(format!("{place}.name"), ""));
            } else if let Some(why) = super::names::label(name) {
                causes.push(invalid(
                    format!("{place}.name"),
                    &Value::String(name.to_owned()),
                    why,
                ));
            } else if seen.contains(&name) {
                causes.push(Cause {
                    reason: "FieldValueDuplicate",
                    message: format!("Duplicate value: {name:?}"),
                    field: format!("{place}.name"),
                });
            }
            seen.push(name);
            if object::text(container, &["image"]).is_empty() && !path.is_empty() {
                causes.push(required(format!("{place}.image"), ""));
            }
            volume_mounts(spec, container, &place, causes);
        }
    }
}

fn volume_mounts(spec: &Value, container: &Value, place: &str, causes: &mut Vec<Cause>) {
    for (index, mount) in object::list(container, &["volumeMounts"]).iter().enumerate() {
        let name = object::text(mount, &["name"]);
        if !object::list(spec, &["volumes"])
            .iter()
            .any(|volume| object::text(volume, &["name"]) == name)
        {
            causes.push(Cause {
                reason: "FieldValueNotFound",
                message: format!("Not found: {name:?}"),
                field: format!("{place}.volumeMounts[{index}].name"),
            });
        }
    }
}

fn restart_policy(object: &Value, path: &[&str], causes: &mut Vec<Cause>) {
    let policy = at(object, path).map_or("", |spec| object::text(spec, &["restartPolicy"]));
    if policy != "OnFailure" && policy != "Never" {
        causes.push(Cause {
            reason: "FieldValueNotSupported",
            message: format!("Unsupported value: {policy:?}: supported values: \"OnFailure\", \"Never\""),
            field: format!("{}.restartPolicy", path.join(".")),
        });
    }
}
