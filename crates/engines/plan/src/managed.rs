//! `metadata.managedFields`: who has set which field.

use serde_json::{Map, Value};
use weir_apis::Object;

/// How a manager wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Server-side apply: fields that are no longer sent go away.
    Apply,
    /// Create, update or another patch: fields stay.
    Update,
}

impl Operation {
    fn text(self) -> &'static str {
        match self {
            Self::Apply => "Apply",
            Self::Update => "Update",
        }
    }
}

/// One entry. What it holds beyond the fields below is kept as it is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ManagedEntry {
    pub(crate) manager: String,
    pub(crate) operation: Operation,
    pub(crate) subresource: String,
    pub(crate) fields: Option<Map<String, Value>>,
    raw: Map<String, Value>,
}

impl ManagedEntry {
    fn read(value: &Value) -> Option<Self> {
        let raw = value.as_object()?.clone();
        let text = |key: &str| {
            raw.get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        Some(Self {
            manager: text("manager"),
            operation: match raw.get("operation")?.as_str()? {
                "Apply" => Operation::Apply,
                "Update" => Operation::Update,
                _ => return None,
            },
            subresource: text("subresource"),
            fields: raw.get("fieldsV1").and_then(Value::as_object).cloned(),
            raw,
        })
    }

    pub(crate) fn into_value(self) -> Value {
        let mut raw = self.raw;
        raw.insert("manager".into(), self.manager.into());
        raw.insert("operation".into(), self.operation.text().into());
        match self.fields {
            Some(fields) => raw.insert("fieldsV1".into(), Value::Object(fields)),
            None => raw.remove("fieldsV1"),
        };
        Value::Object(raw)
    }
}

/// The entries of an object. Empty where one can't be read: nothing must be rewritten then.
pub(crate) fn entries(object: &Object) -> Vec<ManagedEntry> {
    object
        .metadata()
        .and_then(|m| m.get("managedFields"))
        .and_then(Value::as_array)
        .and_then(|list| list.iter().map(ManagedEntry::read).collect())
        .unwrap_or_default()
}

/// The union of two sets of fields in their `fieldsV1` form.
///
/// The form is a tree: an empty map is a field that is held itself, `.` inside a map says the same of the
/// field the map belongs to, and everything else is below it.
pub(crate) fn union(into: &mut Map<String, Value>, other: &Map<String, Value>) {
    for (key, theirs) in other {
        let (Some(Value::Object(ours)), Value::Object(theirs)) = (into.get_mut(key), theirs) else {
            into.entry(key.clone()).or_insert_with(|| theirs.clone());
            continue;
        };
        let held_itself = ours.is_empty() || theirs.is_empty();
        union(ours, theirs);
        if held_itself && !ours.is_empty() {
            ours.entry(".").or_insert_with(|| Value::Object(Map::new()));
        }
    }
}
