//! Nobody grants what they do not have.

use serde_json::Value;

use crate::object::{self, list, text};
use crate::options::User;
use crate::rbac::{self, Action};
use crate::registry::Served;
use crate::status::Failure;
use crate::write::Cx;

const GROUP: &str = "rbac.authorization.k8s.io";

/// Checks roles and bindings being written.
pub(crate) fn check(
    cx: &Cx<'_>,
    served: &Served,
    user: &User,
    object: &Value,
    old: Option<&Value>,
) -> Result<(), Failure> {
    if served.key.group != GROUP {
        return Ok(());
    }
    let is_binding = served.key.plural.ends_with("bindings");
    let namespace = object::namespace(object);
    let same = |field: &str| old.is_some_and(|old| old.get(field) == object.get(field));
    let (unchanged, verb, resource, name) = if is_binding {
        let kind = text(object, &["roleRef", "kind"]);
        let resource = if kind == "Role" { "roles" } else { "clusterroles" };
        (
            same("subjects") && same("roleRef"),
            "bind",
            resource,
            text(object, &["roleRef", "name"]),
        )
    } else {
        (
            same("rules") && same("aggregationRule"),
            "escalate",
            served.plural(),
            object::name(object),
        )
    };
    let action = Action {
        verb: verb.to_owned(),
        group: GROUP.to_owned(),
        resource: resource.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        ..Action::default()
    };
    if unchanged || rbac::authorize(cx.state, user, &action).is_some() {
        return Ok(());
    }
    let granted = if is_binding {
        rbac::role_rules(cx.state, object, namespace)
    } else {
        list(object, &["rules"]).to_vec()
    };
    let own = rbac::rules_of(cx.state, user, namespace);
    let missing: Vec<String> = granted
        .iter()
        .flat_map(break_down)
        .filter(|one| !own.iter().any(|rule| includes(rule, one)))
        .map(|one| show(&one))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let groups: Vec<String> = user.groups.iter().map(|group| format!("{group:?}")).collect();
    let why = format!(
        "user {:?} (groups=[{}]) is attempting to grant RBAC permissions not currently held:\n{}",
        user.name,
        groups.join(" "),
        missing.join("\n")
    );
    Err(Failure::forbidden(
        GROUP,
        served.plural(),
        object::name(object),
        &why,
    ))
}

/// One permission: a verb on one resource of one group, or on one path.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Permission {
    verb: String,
    group: String,
    resource: String,
    name: String,
    path: String,
}

fn texts(rule: &Value, field: &str) -> Vec<String> {
    list(rule, &[field])
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn break_down(rule: &Value) -> Vec<Permission> {
    let mut out = Vec::new();
    let names = match texts(rule, "resourceNames") {
        names if names.is_empty() => vec![String::new()],
        names => names,
    };
    for verb in texts(rule, "verbs") {
        for group in texts(rule, "apiGroups") {
            for resource in texts(rule, "resources") {
                for name in &names {
                    out.push(Permission {
                        verb: verb.clone(),
                        group: group.clone(),
                        resource: resource.clone(),
                        name: name.clone(),
                        path: String::new(),
                    });
                }
            }
        }
        for path in texts(rule, "nonResourceURLs") {
            out.push(Permission {
                verb: verb.clone(),
                group: String::new(),
                resource: String::new(),
                name: String::new(),
                path,
            });
        }
    }
    out
}

/// Whether a rule holds a permission. A `*` that is granted must be held as a `*`.
fn includes(rule: &Value, one: &Permission) -> bool {
    let has = |field: &str, wanted: &str| {
        list(rule, &[field])
            .iter()
            .any(|known| known == "*" || known == wanted)
    };
    if !has("verbs", &one.verb) {
        return false;
    }
    if one.resource.is_empty() {
        return texts(rule, "nonResourceURLs").iter().any(|known| {
            known == "*"
                || *known == one.path
                || known
                    .strip_suffix('*')
                    .is_some_and(|prefix| one.path.starts_with(prefix))
        });
    }
    let subresource = one.resource.split_once('/').map(|(_, sub)| format!("*/{sub}"));
    let resource =
        has("resources", &one.resource) || subresource.is_some_and(|wanted| has("resources", &wanted));
    let names = texts(rule, "resourceNames");
    resource
        && has("apiGroups", &one.group)
        && (names.is_empty() || !one.name.is_empty() && names.contains(&one.name))
}

/// A permission as the reference prints it.
fn show(one: &Permission) -> String {
    if one.resource.is_empty() {
        return format!("{{NonResourceURLs:[{:?}], Verbs:[{:?}]}}", one.path, one.verb);
    }
    let names = if one.name.is_empty() {
        String::new()
    } else {
        format!(", ResourceNames:[{:?}]", one.name)
    };
    format!(
        "{{APIGroups:[{:?}], Resources:[{:?}]{names}, Verbs:[{:?}]}}",
        one.group, one.resource, one.verb
    )
}
