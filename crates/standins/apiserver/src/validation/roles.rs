//! Roles and bindings.

use serde_json::{Value, json};

use super::{invalid, required};
use crate::object::{at, list, text};
use crate::registry::Served;
use crate::status::Cause;

/// What is wrong with an object of the RBAC group; nothing for others.
pub(crate) fn validate(served: &Served, object: &Value, live: Option<&Value>) -> Vec<Cause> {
    if served.key.group != "rbac.authorization.k8s.io" {
        return Vec::new();
    }
    let mut causes = Vec::new();
    if served.key.plural.ends_with("bindings") {
        if text(object, &["roleRef", "name"]).is_empty() {
            causes.push(required("roleRef.name", ""));
        }
        if let Some(live) = live
            && at(live, &["roleRef"]) != at(object, &["roleRef"])
        {
            // Printed as the server's own type has it.
            let part = |name: &str| text(object, &["roleRef", name]);
            let shown = json!({"APIGroup": part("apiGroup"), "Kind": part("kind"), "Name": part("name")});
            causes.push(invalid("roleRef", &shown, "cannot change roleRef"));
        }
    } else {
        for (index, rule) in list(object, &["rules"]).iter().enumerate() {
            if list(rule, &["verbs"]).is_empty() {
                causes.push(required(
                    format!("rules[{index}].verbs"),
                    "verbs must contain at least one value",
                ));
            }
        }
    }
    causes
}
