//! Who may do what: Roles, ClusterRoles and their bindings.

use serde_json::Value;

use crate::object::{self, at, list, text};
use crate::options::User;
use crate::state::State;
use crate::store::Key;

const GROUP: &str = "rbac.authorization.k8s.io";

/// What somebody wants to do.
#[derive(Debug, Clone, Default)]
pub(crate) struct Action {
    pub(crate) verb: String,
    pub(crate) group: String,
    /// Plural name; empty for a path that names no resource.
    pub(crate) resource: String,
    pub(crate) subresource: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// The path, when it names no resource.
    pub(crate) path: String,
}

impl Action {
    /// `pods/log`.
    pub(crate) fn full_resource(&self) -> String {
        if self.subresource.is_empty() {
            self.resource.clone()
        } else {
            format!("{}/{}", self.resource, self.subresource)
        }
    }
}

/// Why an action is allowed; `None` when it is not.
pub(crate) fn authorize(state: &State, user: &User, action: &Action) -> Option<String> {
    if user.groups.iter().any(|group| group == "system:masters") {
        return Some(String::new());
    }
    for binding in state.store.all(&Key::new(GROUP, "clusterrolebindings")) {
        let Some(subject) = list(binding, &["subjects"])
            .iter()
            .find(|subject| is_subject(subject, user, ""))
        else {
            continue;
        };
        if role_rules(state, binding, "")
            .iter()
            .any(|rule| covers(rule, action))
        {
            return Some(format!(
                "RBAC: allowed by ClusterRoleBinding {:?} of ClusterRole {:?} to {}",
                object::name(binding),
                text(binding, &["roleRef", "name"]),
                describe(subject)
            ));
        }
    }
    if action.namespace.is_empty() {
        return None;
    }
    let bindings = state.store.all(&Key::new(GROUP, "rolebindings"));
    for binding in bindings.filter(|binding| object::namespace(binding) == action.namespace) {
        let subjects = list(binding, &["subjects"]);
        let Some(subject) = subjects
            .iter()
            .find(|subject| is_subject(subject, user, &action.namespace))
        else {
            continue;
        };
        if role_rules(state, binding, &action.namespace)
            .iter()
            .any(|rule| covers(rule, action))
        {
            return Some(format!(
                "RBAC: allowed by RoleBinding \"{}/{}\" of {} {:?} to {}",
                object::name(binding),
                action.namespace,
                text(binding, &["roleRef", "kind"]),
                text(binding, &["roleRef", "name"]),
                describe(subject)
            ));
        }
    }
    None
}

/// All rules that apply to a user in a namespace.
pub(crate) fn rules_of(state: &State, user: &User, namespace: &str) -> Vec<Value> {
    let mut rules = Vec::new();
    if user.groups.iter().any(|group| group == "system:masters") {
        rules.push(serde_json::json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}));
        rules.push(serde_json::json!({"verbs": ["*"], "nonResourceURLs": ["*"]}));
    }
    for binding in state.store.all(&Key::new(GROUP, "clusterrolebindings")) {
        if list(binding, &["subjects"])
            .iter()
            .any(|subject| is_subject(subject, user, ""))
        {
            rules.extend(role_rules(state, binding, ""));
        }
    }
    let bindings = state.store.all(&Key::new(GROUP, "rolebindings"));
    for binding in bindings.filter(|binding| object::namespace(binding) == namespace) {
        if list(binding, &["subjects"])
            .iter()
            .any(|subject| is_subject(subject, user, namespace))
        {
            rules.extend(role_rules(state, binding, namespace));
        }
    }
    rules
}

fn describe(subject: &Value) -> String {
    match text(subject, &["kind"]) {
        "ServiceAccount" => {
            format!(
                "ServiceAccount \"{}/{}\"",
                text(subject, &["name"]),
                text(subject, &["namespace"])
            )
        }
        kind => format!("{kind} {:?}", text(subject, &["name"])),
    }
}

fn is_subject(subject: &Value, user: &User, namespace: &str) -> bool {
    let name = text(subject, &["name"]);
    match text(subject, &["kind"]) {
        "User" => user.name == name,
        "Group" => user.groups.iter().any(|group| group == name),
        "ServiceAccount" => {
            let own = text(subject, &["namespace"]);
            let home = if own.is_empty() { namespace } else { own };
            user.name == format!("system:serviceaccount:{home}:{name}")
        }
        _ => false,
    }
}

/// The rules of the role that a binding refers to; none when it is not there.
pub(crate) fn role_rules(state: &State, binding: &Value, namespace: &str) -> Vec<Value> {
    let (plural, home) = match text(binding, &["roleRef", "kind"]) {
        "Role" => ("roles", namespace),
        _ => ("clusterroles", ""),
    };
    state
        .store
        .get(
            &Key::new(GROUP, plural),
            home,
            text(binding, &["roleRef", "name"]),
        )
        .map(|role| list(role, &["rules"]).to_vec())
        .unwrap_or_default()
}

fn has(rule: &Value, field: &str, wanted: &str) -> bool {
    list(rule, &[field]).iter().any(|one| one == "*" || one == wanted)
}

/// Whether a rule allows an action.
pub(crate) fn covers(rule: &Value, action: &Action) -> bool {
    if !has(rule, "verbs", &action.verb) {
        return false;
    }
    if action.resource.is_empty() {
        return list(rule, &["nonResourceURLs"])
            .iter()
            .filter_map(Value::as_str)
            .any(|url| {
                url == "*"
                    || url == action.path
                    || url
                        .strip_suffix('*')
                        .is_some_and(|prefix| action.path.starts_with(prefix))
            });
    }
    let resource = action.full_resource();
    let resource_fits = list(rule, &["resources"])
        .iter()
        .filter_map(Value::as_str)
        .any(|known| {
            known == "*"
                || known == resource
                || known
                    .strip_prefix("*/")
                    .is_some_and(|sub| !sub.is_empty() && sub == action.subresource)
        });
    let names = at(rule, &["resourceNames"]).and_then(Value::as_array);
    let name_fits = names
        .is_none_or(|names| names.is_empty() || names.iter().any(|name| name.as_str() == Some(&action.name)));
    resource_fits && has(rule, "apiGroups", &action.group) && name_fits
}
