//! Failures as kube-apiserver reports them: `Status` objects.

use serde_json::{Map, Value, json};

/// A refused request: what becomes of it on the wire.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) code: u16,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    pub(crate) details: Option<Value>,
}

/// One thing wrong with one field.
#[derive(Debug, Clone)]
pub(crate) struct Cause {
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    pub(crate) field: String,
}

/// Group and plural name, as messages write them: `deployments.apps`, `pods`.
pub(crate) fn qualified(group: &str, plural: &str) -> String {
    if group.is_empty() {
        plural.to_owned()
    } else {
        format!("{plural}.{group}")
    }
}

impl Failure {
    pub(crate) fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            details: None,
        }
    }

    fn about(mut self, group: &str, kind: &str, name: &str) -> Self {
        self.details = Some(details(group, kind, name, None));
        self
    }

    pub(crate) fn not_found(group: &str, plural: &str, name: &str) -> Self {
        Self::new(
            404,
            "NotFound",
            format!("{} {name:?} not found", qualified(group, plural)),
        )
        .about(group, plural, name)
    }

    /// The answer to a path under a known version that serves no such resource.
    pub(crate) fn no_such_resource() -> Self {
        Self {
            details: Some(json!({})),
            ..Self::new(
                404,
                "NotFound",
                "the server could not find the requested resource",
            )
        }
    }

    pub(crate) fn already_exists(group: &str, plural: &str, name: &str) -> Self {
        Self::new(
            409,
            "AlreadyExists",
            format!("{} {name:?} already exists", qualified(group, plural)),
        )
        .about(group, plural, name)
    }

    pub(crate) fn conflict(group: &str, plural: &str, name: &str, why: &str) -> Self {
        Self::new(
            409,
            "Conflict",
            format!(
                "Operation cannot be fulfilled on {} {name:?}: {why}",
                qualified(group, plural)
            ),
        )
        .about(group, plural, name)
    }

    pub(crate) fn modified(group: &str, plural: &str, name: &str) -> Self {
        Self::conflict(
            group,
            plural,
            name,
            "the object has been modified; please apply your changes to the latest version and try again",
        )
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        let message = message.into();
        let details = json!({"causes": [{"message": message}]});
        Self {
            details: Some(details),
            ..Self::new(
                500,
                "InternalError",
                format!("Internal error occurred: {message}"),
            )
        }
    }

    /// A failure without a reason of its own, as an error that is no `Status` becomes: 500 and the bare text.
    pub(crate) fn unclassified(message: impl Into<String>) -> Self {
        Self::new(500, "", message)
    }

    pub(crate) fn forbidden(group: &str, plural: &str, name: &str, why: &str) -> Self {
        let object = match (plural, name) {
            ("", _) => "forbidden".to_owned(),
            (_, "") => format!("{} is forbidden", qualified(group, plural)),
            _ => format!("{} {name:?} is forbidden", qualified(group, plural)),
        };
        Self::new(403, "Forbidden", format!("{object}: {why}")).about(group, plural, name)
    }

    pub(crate) fn invalid(group: &str, kind: &str, name: &str, causes: &[Cause]) -> Self {
        let lines: Vec<String> = causes
            .iter()
            .map(|cause| format!("{}: {}", cause.field, cause.message))
            .collect();
        let message = match lines.as_slice() {
            [only] => only.clone(),
            many => {
                // The aggregate prints each line once.
                let mut seen = Vec::new();
                for line in many {
                    if !seen.contains(line) {
                        seen.push(line.clone());
                    }
                }
                if let [only] = seen.as_slice() {
                    only.clone()
                } else {
                    format!("[{}]", seen.join(", "))
                }
            }
        };
        let message = format!("{} {name:?} is invalid: {message}", qualified(group, kind));
        let causes: Vec<Value> = causes
            .iter()
            .map(|cause| json!({"reason": cause.reason, "message": cause.message, "field": cause.field}))
            .collect();
        Self {
            details: Some(details(group, kind, name, Some(causes))),
            ..Self::new(422, "Invalid", message)
        }
    }

    pub(crate) fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self {
            details: Some(json!({})),
            ..Self::new(
                405,
                "MethodNotAllowed",
                "the server does not allow this method on the requested resource",
            )
        }
    }

    pub(crate) fn unsupported_media(message: impl Into<String>) -> Self {
        Self::new(415, "UnsupportedMediaType", message)
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    pub(crate) fn with_details(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }

    /// The `Status` object.
    pub(crate) fn status(&self) -> Value {
        let mut out = Map::new();
        out.insert("kind".into(), json!("Status"));
        out.insert("apiVersion".into(), json!("v1"));
        out.insert("metadata".into(), json!({}));
        out.insert("status".into(), json!("Failure"));
        out.insert("message".into(), json!(self.message));
        if !self.reason.is_empty() {
            out.insert("reason".into(), json!(self.reason));
        }
        if let Some(details) = &self.details {
            out.insert("details".into(), details.clone());
        }
        out.insert("code".into(), json!(self.code));
        Value::Object(out)
    }
}

fn details(group: &str, kind: &str, name: &str, causes: Option<Vec<Value>>) -> Value {
    let mut out = Map::new();
    for (key, value) in [("name", name), ("group", group), ("kind", kind)] {
        if !value.is_empty() {
            out.insert(key.into(), json!(value));
        }
    }
    if let Some(causes) = causes {
        out.insert("causes".into(), json!(causes));
    }
    Value::Object(out)
}

/// The `Status` of a deletion that is done.
pub(crate) fn deleted(group: &str, plural: &str, name: &str, uid: &str) -> Value {
    let mut details = details(group, plural, name, None);
    if let Some(details) = details.as_object_mut() {
        details.insert("uid".into(), json!(uid));
    }
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}
