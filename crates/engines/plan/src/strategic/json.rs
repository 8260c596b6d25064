//! JSON merge patches (RFC 7386) from three documents.

use serde_json::{Map, Value};

use super::PatchError;

/// The JSON merge patch that brings `current` to `modified` and leaves alone what others added since `original`: for
/// custom resources, whose lists have no declared keys. Lists are replaced as a whole.
pub fn json_three_way(
    original: &Map<String, Value>,
    modified: &Map<String, Value>,
    current: &Map<String, Value>,
) -> Result<Map<String, Value>, PatchError> {
    let additions = filter(&merge_patch(current, modified), false);
    let deletions = filter(&merge_patch(original, modified), true);
    if conflict(&additions, &deletions) {
        return Err(PatchError::Conflict {
            patch: Value::Object(additions).to_string(),
            changed: Value::Object(deletions).to_string(),
        });
    }
    Ok(combine(deletions, additions))
}

/// The JSON merge patch from `old` to `new`, whatever is there now.
pub fn json_two_way(old: &Map<String, Value>, new: &Map<String, Value>) -> Map<String, Value> {
    merge_patch(old, new)
}

/// The merge patch from `old` to `new`.
fn merge_patch(old: &Map<String, Value>, new: &Map<String, Value>) -> Map<String, Value> {
    let mut patch = Map::new();
    for (name, value) in new {
        match (old.get(name), value) {
            (Some(Value::Object(old)), Value::Object(new)) => {
                let inner = merge_patch(old, new);
                if !inner.is_empty() {
                    patch.insert(name.clone(), Value::Object(inner));
                }
            }
            (Some(old), new) if old == new => {}
            _ => {
                patch.insert(name.clone(), value.clone());
            }
        }
    }
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        patch.insert(name.clone(), Value::Null);
    }
    patch
}

/// Only the nulls of a patch, or everything else.
fn filter(patch: &Map<String, Value>, nulls: bool) -> Map<String, Value> {
    let mut kept = Map::new();
    for (name, value) in patch {
        match value {
            Value::Null if nulls => {
                kept.insert(name.clone(), Value::Null);
            }
            Value::Null => {}
            // An empty map is a value of its own, not an empty patch.
            Value::Object(inner) if !inner.is_empty() => {
                let inner = filter(inner, nulls);
                if !inner.is_empty() {
                    kept.insert(name.clone(), Value::Object(inner));
                }
            }
            _ if nulls => {}
            other => {
                kept.insert(name.clone(), other.clone());
            }
        }
    }
    kept
}

/// Whether one patch sets what the other deletes.
fn conflict(a: &Map<String, Value>, b: &Map<String, Value>) -> bool {
    a.iter().any(|(name, left)| match (left, b.get(name)) {
        (_, None) => false,
        (Value::Object(left), Some(Value::Object(right))) => conflict(left, right),
        (left, Some(right)) => left != right,
    })
}

fn combine(mut base: Map<String, Value>, over: Map<String, Value>) -> Map<String, Value> {
    for (name, value) in over {
        match (base.get_mut(&name), value) {
            (Some(Value::Object(old)), Value::Object(new)) => {
                *old = combine(std::mem::take(old), new);
            }
            (_, value) => {
                base.insert(name, value);
            }
        }
    }
    base
}
