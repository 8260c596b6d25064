//! Keeping the values of Secrets out of what people read (security case N56).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use weir_apis::Object;
use weir_redact::Mask;

use crate::change::{Change, ChangeKind};
use crate::normalize::is_secret;

/// Stands for a value that is the same on both sides, or on one side only.
const HIDDEN: &str = "***";
/// Stands for the old one of two values.
const BEFORE: &str = "*** (before)";
/// Stands for the new one of two values.
const AFTER: &str = "*** (after)";

/// The fields of a Secret that hold values.
const FIELDS: [&str; 2] = ["data", "stringData"];

/// Adds every value of a Secret to a mask, encoded and plain. Other kinds add nothing.
pub fn add_secret_values(object: &Object, mask: &mut Mask) {
    if !is_secret(&object.gvk()) {
        return;
    }
    for field in FIELDS {
        match object.as_map().get(field) {
            Some(Value::Object(map)) => map.values().for_each(|value| add(value, mask)),
            Some(other) => add(other, mask),
            None => {}
        }
    }
}

/// A value of the wrong type is a secret all the same.
fn add(value: &Value, mask: &mut Mask) {
    match value {
        Value::String(text) => {
            mask.add(text);
            if let Ok(plain) = STANDARD.decode(text.trim()) {
                mask.add_bytes(&plain);
            }
        }
        Value::Number(_) => mask.add(&value.to_string()),
        Value::Array(list) => list.iter().for_each(|v| add(v, mask)),
        Value::Object(map) => map.values().for_each(|v| add(v, mask)),
        Value::Null | Value::Bool(_) => {}
    }
}

/// Hides the values of two versions of a Secret, showing only whether they differ. Keys stay readable.
pub fn mask_secret_pair(old: Option<&mut Object>, new: Option<&mut Object>) {
    let mut old = old.map(Object::as_map_mut);
    let mut new = new.map(Object::as_map_mut);
    for field in FIELDS {
        let from = old.as_mut().and_then(|o| o.get_mut(field));
        let to = new.as_mut().and_then(|o| o.get_mut(field));
        mask_values(from, to);
    }
}

/// Hides the values that changes to a Secret carry.
pub fn mask_secret_changes(changes: &mut [Change]) {
    for change in changes {
        let Some(rest) = FIELDS
            .iter()
            .find_map(|field| change.path.strip_prefix('/')?.strip_prefix(field))
        else {
            continue;
        };
        let whole = rest.is_empty();
        if !whole && !rest.starts_with('/') {
            continue;
        }
        match &mut change.kind {
            ChangeKind::Add { value } if whole => mask_values(None, Some(value)),
            ChangeKind::Remove { old } if whole => mask_values(Some(old), None),
            ChangeKind::Replace { old, value } if whole => mask_values(Some(old), Some(value)),
            ChangeKind::Add { value: one } | ChangeKind::Remove { old: one } => *one = HIDDEN.into(),
            ChangeKind::Replace { old, value } => {
                *old = BEFORE.into();
                *value = AFTER.into();
            }
        }
    }
}

/// Hides the values of two maps, key by key. What is no map is hidden as a whole.
fn mask_values(old: Option<&mut Value>, new: Option<&mut Value>) {
    match (old, new) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            for (key, from) in old.iter_mut() {
                match new.get_mut(key) {
                    Some(to) if from != to => {
                        *from = BEFORE.into();
                        *to = AFTER.into();
                    }
                    _ => *from = HIDDEN.into(),
                }
            }
            for (key, to) in new.iter_mut() {
                if old.get(key) != Some(&Value::from(BEFORE)) {
                    *to = HIDDEN.into();
                }
            }
        }
        (Some(Value::Null), Some(Value::Null)) => {}
        (Some(old), Some(new)) if !old.is_object() && !new.is_object() && old != new => {
            *old = BEFORE.into();
            *new = AFTER.into();
        }
        (old, new) => {
            for value in [old, new].into_iter().flatten() {
                match value {
                    Value::Object(map) => hide_all(map),
                    Value::Null => {}
                    other => *other = HIDDEN.into(),
                }
            }
        }
    }
}

fn hide_all(map: &mut Map<String, Value>) {
    for value in map.values_mut() {
        *value = HIDDEN.into();
    }
}
