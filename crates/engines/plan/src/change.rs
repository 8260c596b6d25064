//! The difference between two JSON values, as operations of a JSON patch.

use std::fmt;

use serde_json::{Map, Value};

use crate::pointer;

/// One difference. Applied in order, a list of them makes the first value the second.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Where, as a JSON pointer from the object's root.
    pub path: String,
    /// What differs there.
    pub kind: ChangeKind,
}

/// What differs at a path.
#[derive(Clone, PartialEq)]
pub enum ChangeKind {
    /// The value is new.
    Add {
        /// The new value.
        value: Value,
    },
    /// The value goes away.
    Remove {
        /// The value that was.
        old: Value,
    },
    /// The value becomes another.
    Replace {
        /// The value that was.
        old: Value,
        /// The new value.
        value: Value,
    },
}

impl fmt::Debug for ChangeKind {
    /// Says which kind it is and never the value: it may be a Secret's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.op())
    }
}

impl ChangeKind {
    /// The JSON patch operation: `add`, `remove` or `replace`.
    pub fn op(&self) -> &'static str {
        match self {
            Self::Add { .. } => "add",
            Self::Remove { .. } => "remove",
            Self::Replace { .. } => "replace",
        }
    }

    /// The value that was, if any.
    pub fn old(&self) -> Option<&Value> {
        match self {
            Self::Add { .. } => None,
            Self::Remove { old } | Self::Replace { old, .. } => Some(old),
        }
    }

    /// The value that will be, if any.
    pub fn value(&self) -> Option<&Value> {
        match self {
            Self::Remove { .. } => None,
            Self::Add { value } | Self::Replace { value, .. } => Some(value),
        }
    }
}

/// Whether two values are equal, numbers by value: `1` and `1.0` are the same number to the API server.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| same(v, w)))
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(v, w)| same(v, w)),
        (Value::Number(a), Value::Number(b)) => {
            a == b || (a.is_f64() != b.is_f64() && a.as_f64() == b.as_f64())
        }
        _ => a == b,
    }
}

/// Adds the differences between two maps at `path`, keys in order.
pub(crate) fn diff_maps(
    path: &str,
    from: &Map<String, Value>,
    to: &Map<String, Value>,
    out: &mut Vec<Change>,
) {
    let mut keys: Vec<&String> = from
        .keys()
        .chain(to.keys().filter(|k| !from.contains_key(*k)))
        .collect();
    keys.sort_unstable();
    for key in keys {
        let path = pointer::join(path, key);
        match (from.get(key), to.get(key)) {
            (Some(old), Some(value)) => diff(&path, old, value, out),
            (Some(old), None) => out.push(Change {
                path,
                kind: ChangeKind::Remove { old: old.clone() },
            }),
            (None, Some(value)) => out.push(Change {
                path,
                kind: ChangeKind::Add { value: value.clone() },
            }),
            (None, None) => {}
        }
    }
}

fn diff(path: &str, from: &Value, to: &Value, out: &mut Vec<Change>) {
    match (from, to) {
        (Value::Object(from), Value::Object(to)) => diff_maps(path, from, to, out),
        (Value::Array(from), Value::Array(to)) => diff_lists(path, from, to, out),
        _ if same(from, to) => {}
        _ => out.push(Change {
            path: path.to_owned(),
            kind: ChangeKind::Replace {
                old: from.clone(),
                value: to.clone(),
            },
        }),
    }
}

/// Lists are compared item by item; what is left over at the end is added or, from the back, removed.
fn diff_lists(path: &str, from: &[Value], to: &[Value], out: &mut Vec<Change>) {
    for (at, (old, value)) in from.iter().zip(to).enumerate() {
        diff(&format!("{path}/{at}"), old, value, out);
    }
    for value in to.iter().skip(from.len()) {
        out.push(Change {
            path: format!("{path}/-"),
            kind: ChangeKind::Add { value: value.clone() },
        });
    }
    for (at, old) in from.iter().enumerate().skip(to.len()).rev() {
        out.push(Change {
            path: format!("{path}/{at}"),
            kind: ChangeKind::Remove { old: old.clone() },
        });
    }
}
