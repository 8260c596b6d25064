//! One step of a path into an object.

use std::cmp::Ordering;
use std::fmt::Write as _;

use serde_json::Value;

/// A step: into a field, a keyed or valued list item, or an item by position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PathElement {
    Field(String),
    /// Item of an associative list, by its key fields, sorted by name.
    Key(Vec<(String, Value)>),
    /// Item of a set, by its value.
    Value(Value),
    Index(i64),
}

impl PathElement {
    fn rank(&self) -> u8 {
        match self {
            Self::Field(_) => 0,
            Self::Key(_) => 1,
            Self::Value(_) => 2,
            Self::Index(_) => 3,
        }
    }
}

impl Ord for PathElement {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Field(a), Self::Field(b)) => a.cmp(b),
            (Self::Key(a), Self::Key(b)) => {
                for ((name_a, value_a), (name_b, value_b)) in a.iter().zip(b) {
                    let order = name_a.cmp(name_b).then_with(|| compare_values(value_a, value_b));
                    if order != Ordering::Equal {
                        return order;
                    }
                }
                a.len().cmp(&b.len())
            }
            (Self::Value(a), Self::Value(b)) => compare_values(a, b),
            (Self::Index(a), Self::Index(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for PathElement {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A total order of JSON values; only its being total and stable matters.
fn compare_values(a: &Value, b: &Value) -> Ordering {
    fn rank(value: &Value) -> u8 {
        match value {
            Value::Number(_) => 0,
            Value::String(_) => 1,
            Value::Bool(_) => 2,
            Value::Null => 3,
            Value::Array(_) => 4,
            Value::Object(_) => 5,
        }
    }
    match (a, b) {
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Number(a_number), Value::Number(b_number)) => match (a_number.as_i64(), b_number.as_i64()) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => a_number
                .as_f64()
                .unwrap_or(0.0)
                .total_cmp(&b_number.as_f64().unwrap_or(0.0))
                .then_with(|| a_number.to_string().cmp(&b_number.to_string())),
        },
        _ => rank(a)
            .cmp(&rank(b))
            .then_with(|| a.to_string().cmp(&b.to_string())),
    }
}

/// Writes a path as conflict messages do: `.spec.containers[name="a"].image`.
pub(crate) fn write_path(path: &[PathElement]) -> String {
    let mut out = String::new();
    for element in path {
        out.push_str(&write_element(element));
    }
    out
}

/// Writes one step of a path.
pub(crate) fn write_element(element: &PathElement) -> String {
    match element {
        PathElement::Field(name) => format!(".{name}"),
        PathElement::Key(keys) => {
            let mut out = String::from("[");
            for (index, (name, value)) in keys.iter().enumerate() {
                let comma = if index == 0 { "" } else { "," };
                write!(out, "{comma}{name}={value}").ok();
            }
            out.push(']');
            out
        }
        PathElement::Value(value) => format!("[={value}]"),
        PathElement::Index(index) => format!("[{index}]"),
    }
}
