//! What a write's query parameters ask for.

use crate::request::ApiRequest;
use crate::status::{Cause, Failure};

/// What to do about fields a type does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldValidation {
    Ignore,
    Warn,
    Strict,
}

/// The parameters of a write.
#[derive(Debug, Clone)]
pub(crate) struct WriteOptions {
    pub(crate) dry_run: bool,
    pub(crate) manager: String,
    pub(crate) force: bool,
    pub(crate) validation: FieldValidation,
}

impl WriteOptions {
    /// Reads and checks them. `kind` is the options type that messages name, such as `CreateOptions`.
    pub(crate) fn read(request: &ApiRequest, kind: &str) -> Result<Self, Failure> {
        let invalid = |field: &str, reason, message: String| {
            Err(Failure::invalid(
                "meta.k8s.io",
                kind,
                "",
                &[Cause {
                    reason,
                    message,
                    field: field.to_owned(),
                }],
            ))
        };
        let dry_run = request
            .query
            .iter()
            .filter(|(key, _)| key == "dryRun")
            .map(|(_, value)| value.as_str());
        let dry_run: Vec<&str> = dry_run.collect();
        if dry_run.iter().any(|value| *value != "All") {
            return invalid(
                "dryRun",
                "FieldValueNotSupported",
                format!(
                    "Unsupported value: {}: supported values: \"All\"",
                    serde_json::Value::from(dry_run.clone())
                ),
            );
        }
        let validation = match request.param("fieldValidation") {
            "Ignore" => FieldValidation::Ignore,
            "Strict" => FieldValidation::Strict,
            "" | "Warn" => FieldValidation::Warn,
            other => {
                return invalid(
                    "fieldValidation",
                    "FieldValueNotSupported",
                    format!(
                        "Unsupported value: {other:?}: supported values: \"\", \"Ignore\", \"Strict\", \"Warn\""
                    ),
                );
            }
        };
        let named = request.param("fieldManager");
        if named.len() > 128 {
            return invalid(
                "fieldManager",
                "FieldValueTooLong",
                "Too long: may not be more than 128 bytes".to_owned(),
            );
        }
        Ok(Self {
            dry_run: !dry_run.is_empty(),
            manager: if named.is_empty() {
                manager_of_agent(request.header("user-agent"))
            } else {
                named.to_owned()
            },
            force: request.flag("force"),
            validation,
        })
    }

    /// Writes of the server itself.
    pub(crate) fn internal(manager: &str) -> Self {
        Self {
            dry_run: false,
            manager: manager.to_owned(),
            force: false,
            validation: FieldValidation::Ignore,
        }
    }
}

/// The part of a user agent that names the program.
fn manager_of_agent(agent: &str) -> String {
    let name = agent.split('/').next().unwrap_or_default();
    let printable: String = name
        .chars()
        .filter(|letter| !letter.is_control())
        .take(128)
        .collect();
    if printable.is_empty() {
        "unknown".to_owned()
    } else {
        printable
    }
}
