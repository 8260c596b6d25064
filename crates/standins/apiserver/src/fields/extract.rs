//! From an object to the set of its fields, and an object without some of them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::path::PathElement;
use super::set::FieldSet;
use super::types::{FieldType, Shape};

/// The set of fields that `value` holds.
pub(crate) fn to_field_set(value: &Value, ty: FieldType<'_>) -> FieldSet {
    let mut set = FieldSet::default();
    walk(value, ty, &mut Vec::new(), &mut set);
    set
}

fn walk(value: &Value, ty: FieldType<'_>, path: &mut Vec<PathElement>, set: &mut FieldSet) {
    match (ty.shape(Some(value)), value) {
        (Shape::Leaf, _) => set.insert(path),
        (Shape::Map, Value::Object(fields)) => {
            for (name, inner) in fields {
                path.push(PathElement::Field(name.clone()));
                walk(inner, ty.field(name).unwrap_or(FieldType::Deduced), path, set);
                let empty = inner.is_null() || inner.as_object().is_some_and(Map::is_empty);
                if empty || !ty.declares(name) {
                    set.insert(path);
                }
                path.pop();
            }
        }
        (Shape::List(list), Value::Array(items)) => {
            let elements: Vec<Option<PathElement>> =
                items.iter().map(|item| ty.item_path(list, item).ok()).collect();
            let mut seen = BTreeSet::new();
            let mut duplicated = BTreeSet::new();
            for element in elements.iter().flatten() {
                if !seen.insert(element) {
                    duplicated.insert(element);
                }
            }
            for (item, element) in items.iter().zip(&elements) {
                let Some(element) = element else { continue };
                path.push(element.clone());
                if !duplicated.contains(element) {
                    walk(item, ty.item(), path, set);
                }
                set.insert(path);
                path.pop();
            }
        }
        (Shape::Map | Shape::List(_), _) => {}
    }
}

/// `value` without the fields of `remove`; `None` when nothing is left.
pub(crate) fn remove_items(value: &Value, remove: &FieldSet, ty: FieldType<'_>) -> Option<Value> {
    match (ty.shape(Some(value)), value) {
        (Shape::Map, Value::Object(fields)) => {
            let mut kept = Map::new();
            for (name, inner) in fields {
                let element = PathElement::Field(name.clone());
                if remove.members.contains(&element) {
                    continue;
                }
                let inner = match remove.children.get(&element) {
                    Some(below) if !below.is_empty() => {
                        remove_items(inner, below, ty.descend(&element)).unwrap_or(Value::Null)
                    }
                    _ => inner.clone(),
                };
                kept.insert(name.clone(), inner);
            }
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        (Shape::List(list), Value::Array(items)) => {
            let mut kept = Vec::with_capacity(items.len());
            for item in items {
                let Ok(element) = ty.item_path(list, item) else {
                    kept.push(item.clone());
                    continue;
                };
                if remove.members.contains(&element) {
                    continue;
                }
                kept.push(match remove.children.get(&element) {
                    Some(below) if !below.is_empty() => {
                        remove_items(item, below, ty.item()).unwrap_or(Value::Null)
                    }
                    _ => item.clone(),
                });
            }
            (!kept.is_empty()).then_some(Value::Array(kept))
        }
        // An atomic object or list that a path leads into goes as a whole; scalars stay.
        (Shape::Leaf, Value::Object(_) | Value::Array(_)) => None,
        _ => Some(value.clone()),
    }
}
