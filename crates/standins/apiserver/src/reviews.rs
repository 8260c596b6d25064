//! Requests that store nothing: access reviews and who-am-I.

use serde_json::{Map, Value, json};

use crate::auth::user_of_token;
use crate::object::{self, list, text};
use crate::options::User;
use crate::rbac::{self, Action};
use crate::registry::Served;
use crate::request::{ApiRequest, ResourcePath};
use crate::status::Failure;
use crate::write::Cx;

/// Answers a creation that stores nothing; `None` for all others.
pub(crate) fn create(
    cx: &mut Cx<'_>,
    served: &Served,
    path: &ResourcePath,
    body: &Value,
    request: &ApiRequest,
) -> Result<Option<Value>, Failure> {
    let status = match (served.group(), served.resource.kind.as_str()) {
        ("authorization.k8s.io", "SelfSubjectAccessReview") => access(cx, &request.user, body, ""),
        ("authorization.k8s.io", "SubjectAccessReview") => access(cx, &subject(body), body, ""),
        ("authorization.k8s.io", "LocalSubjectAccessReview") => {
            access(cx, &subject(body), body, &path.namespace)
        }
        ("authorization.k8s.io", "SelfSubjectRulesReview") => rules(&rbac::rules_of(
            cx.state,
            &request.user,
            text(body, &["spec", "namespace"]),
        )),
        ("authentication.k8s.io", "SelfSubjectReview") => json!({"userInfo": user_info(&request.user)}),
        ("authentication.k8s.io", "TokenReview") => token(cx, body),
        _ => return Ok(None),
    };
    let mut out = cx.decode(served, body.clone(), crate::write::FieldValidation::Ignore)?;
    if text(&out, &["metadata", "creationTimestamp"]).is_empty() && served.group() == "authentication.k8s.io"
    {
        let time = cx.time();
        if served.resource.kind == "SelfSubjectReview" {
            object::set(&mut out, &["metadata", "creationTimestamp"], json!(time));
        }
    }
    if !served.resource.kind.starts_with("Token") {
        cx.track(
            served,
            "",
            None,
            &mut out,
            &crate::write::WriteOptions::read(request, "CreateOptions")?.manager,
        );
        if served.group() == "authentication.k8s.io" {
            object::remove(&mut out, &["metadata", "managedFields"]);
        }
    }
    object::set(&mut out, &["status"], status);
    crate::typed::normalize(served, &mut out);
    Ok(Some(out))
}

fn subject(body: &Value) -> User {
    let groups = list(body, &["spec", "groups"])
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    User {
        name: text(body, &["spec", "user"]).to_owned(),
        groups,
        ..User::default()
    }
}

fn access(cx: &Cx<'_>, user: &User, body: &Value, namespace: &str) -> Value {
    let attribute = |name: &str| text(body, &["spec", "resourceAttributes", name]).to_owned();
    let action = if object::at(body, &["spec", "resourceAttributes"]).is_some_and(Value::is_object) {
        Action {
            verb: attribute("verb"),
            group: attribute("group"),
            resource: attribute("resource"),
            subresource: attribute("subresource"),
            namespace: if namespace.is_empty() {
                attribute("namespace")
            } else {
                namespace.to_owned()
            },
            name: attribute("name"),
            path: String::new(),
        }
    } else {
        Action {
            verb: text(body, &["spec", "nonResourceAttributes", "verb"]).to_owned(),
            path: text(body, &["spec", "nonResourceAttributes", "path"]).to_owned(),
            ..Action::default()
        }
    };
    match rbac::authorize(cx.state, user, &action) {
        Some(reason) => json!({"allowed": true, "reason": reason}),
        None => json!({"allowed": false}),
    }
}

/// A user's rules, in the two lists of a rules review.
fn rules(rules: &[Value]) -> Value {
    let mut resource_rules = Vec::new();
    let mut path_rules = Vec::new();
    for rule in rules {
        if list(rule, &["nonResourceURLs"]).is_empty() {
            resource_rules.push(rule.clone());
        } else {
            path_rules.push(rule.clone());
        }
    }
    json!({"resourceRules": resource_rules, "nonResourceRules": path_rules, "incomplete": false})
}

fn user_info(user: &User) -> Value {
    let mut out = Map::new();
    out.insert("username".into(), json!(user.name));
    if !user.uid.is_empty() {
        out.insert("uid".into(), json!(user.uid));
    }
    out.insert("groups".into(), json!(user.groups));
    if !user.extra.is_empty() {
        out.insert("extra".into(), json!(user.extra));
    }
    Value::Object(out)
}

fn token(cx: &Cx<'_>, body: &Value) -> Value {
    match user_of_token(cx.state, text(body, &["spec", "token"])) {
        Some(mut user) => {
            if !user.groups.iter().any(|group| group == "system:authenticated") {
                user.groups.push("system:authenticated".to_owned());
            }
            json!({
                "authenticated": true,
                "user": user_info(&user),
                "audiences": ["https://kubernetes.default.svc.cluster.local"],
            })
        }
        None => json!({"authenticated": false, "user": {}, "error": "invalid bearer token"}),
    }
}
