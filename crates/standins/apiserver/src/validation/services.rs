//! Services.

use serde_json::Value;

use super::{invalid, required};
use crate::object::{self, at, list, text};
use crate::registry::Served;
use crate::status::Cause;

/// What is wrong with a Service; nothing for other kinds.
pub(crate) fn validate(served: &Served, object: &Value) -> Vec<Cause> {
    if !served.key.group.is_empty() || served.key.plural != "services" {
        return Vec::new();
    }
    let mut causes = Vec::new();
    let ports = list(object, &["spec", "ports"]);
    let headless = text(object, &["spec", "clusterIP"]) == "None";
    let kind = text(object, &["spec", "type"]);
    if ports.is_empty() && !headless && kind != "ExternalName" {
        causes.push(required("spec.ports", ""));
    }
    let mut names: Vec<&str> = Vec::new();
    for (index, port) in ports.iter().enumerate() {
        let place = format!("spec.ports[{index}]");
        let name = text(port, &["name"]);
        if name.is_empty() && ports.len() > 1 {
            causes.push(required(format!("{place}.name"), ""));
        }
        if !name.is_empty() && names.contains(&name) {
            causes.push(Cause {
                reason: "FieldValueDuplicate",
                message: format!("Duplicate value: {name:?}"),
                field: format!("{place}.name"),
            });
        }
        names.push(name);
        let number = at(port, &["port"]).cloned().unwrap_or_default();
        if !number
            .as_i64()
            .is_some_and(|number| (1..=65_535).contains(&number))
        {
            causes.push(invalid(
                format!("{place}.port"),
                &number,
                "must be between 1 and 65535, inclusive",
            ));
        }
    }
    if kind == "ExternalName" && object::text(object, &["spec", "externalName"]).is_empty() {
        causes.push(required("spec.externalName", ""));
    }
    causes
}
