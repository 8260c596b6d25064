//! Applying a patch to an object, or to another patch.

use serde_json::{Map, Value};

use super::list::{deletes, interleave, item_kind, keyed, kind, once, sort_by};
use super::place::{Field, Place, Strategy};
use super::{DELETE_FROM, DIRECTIVE, PatchError, RETAIN_KEYS, SET_ORDER};

/// What the left side of a merge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// An object: directives do their work, nulls delete.
    Object,
    /// Another patch: directives and nulls are kept for the API server.
    Patches,
}

/// `left` with `patch`.
pub(super) fn merge_maps(
    mut left: Map<String, Value>,
    mut patch: Map<String, Value>,
    place: Place<'_>,
    mode: Mode,
) -> Result<Map<String, Value>, PatchError> {
    match patch.get(DIRECTIVE) {
        None => {}
        Some(Value::String(word)) if word == "replace" => {
            patch.remove(DIRECTIVE);
            return Ok(patch);
        }
        Some(Value::String(word)) if word == "delete" => return Ok(Map::new()),
        Some(other) => return Err(PatchError::Directive(other.to_string())),
    }
    retain_keys(&mut left, &mut patch, mode)?;
    ordered_lists(&mut left, &mut patch, place, mode)?;
    for (name, change) in patch {
        let (name, deletes_items) = match name.strip_prefix(DELETE_FROM) {
            Some(_) if mode == Mode::Patches => {
                left.insert(name, change);
                continue;
            }
            Some(list) => (list.to_owned(), true),
            None => (name, false),
        };
        if change.is_null() {
            left.remove(&name);
            if mode == Mode::Object {
                continue;
            }
        }
        let Some(old) = left.get_mut(&name).filter(|old| kind(old) == kind(&change)) else {
            if !deletes_items {
                match without_directives(change, mode) {
                    Some(value) => left.insert(name, value),
                    None => left.remove(&name),
                };
            }
            continue;
        };
        match (std::mem::take(old), change) {
            (Value::Object(old_map), Value::Object(new)) => {
                let field = place.field(&name)?;
                *old = Value::Object(if field.strategy == Strategy::Replace {
                    new
                } else {
                    merge_maps(old_map, new, field.inner, mode)?
                });
            }
            (Value::Array(old_list), Value::Array(new)) => {
                let field = place.field(&name)?;
                *old = Value::Array(if deletes_items {
                    delete_items(old_list, &new, &field)?
                } else {
                    list_field(old_list, new, &field, mode)?
                });
            }
            (_, change) => *old = change,
        }
    }
    Ok(left)
}

/// `$retainKeys`: fields that it does not name go.
fn retain_keys(
    left: &mut Map<String, Value>,
    patch: &mut Map<String, Value>,
    mode: Mode,
) -> Result<(), PatchError> {
    let Some(keys) = patch.remove(RETAIN_KEYS) else {
        return Ok(());
    };
    if mode == Mode::Patches {
        match left.get(RETAIN_KEYS) {
            Some(other) if *other != keys => return Err(PatchError::RetainKeys),
            Some(_) => {}
            None => {
                left.insert(RETAIN_KEYS.to_owned(), keys);
            }
        }
        return Ok(());
    }
    let Value::Array(keys) = keys else {
        return Err(PatchError::RetainKeys);
    };
    let kept = |name: &str| keys.iter().any(|key| key.as_str() == Some(name));
    let sets = patch.iter().filter(|(name, value)| {
        !(value.is_null() || name.starts_with(DELETE_FROM) || name.starts_with(SET_ORDER))
    });
    for (name, _) in sets {
        if !kept(name) {
            return Err(PatchError::RetainKeys);
        }
    }
    left.retain(|name, _| kept(name));
    Ok(())
}

/// `$setElementOrder`: merges the lists that have one, and puts them in its order. They leave the patch.
fn ordered_lists(
    left: &mut Map<String, Value>,
    patch: &mut Map<String, Value>,
    place: Place<'_>,
    mode: Mode,
) -> Result<(), PatchError> {
    let directives: Vec<String> = patch
        .keys()
        .filter(|name| name.starts_with(SET_ORDER))
        .cloned()
        .collect();
    for directive in directives {
        let Some(order) = patch.remove(&directive) else {
            continue;
        };
        if mode == Mode::Patches {
            match left.get(&directive) {
                Some(other) if *other != order => return Err(PatchError::SetElementOrder(String::new())),
                Some(_) => {}
                None => {
                    left.insert(directive.clone(), order.clone());
                }
            }
        }
        let Value::Array(order) = order else {
            return Err(PatchError::SetElementOrder(String::new()));
        };
        let name = directive.strip_prefix(SET_ORDER).unwrap_or_default();
        let list = |value: Option<&Value>| match value {
            None => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list.clone())),
            Some(other) => Err(PatchError::NotAMap {
                key: name.to_owned(),
                found: kind(other),
            }),
        };
        let (old, new) = (list(left.get(name))?, list(patch.get(name))?);
        let field = place.field(name)?;
        if let Some(new) = &new {
            check_order(new, &order, field.key)?;
        }
        let (merged, before) = match (old, new) {
            (None, None) => continue,
            (Some(old), None) => (old.clone(), old),
            (None, Some(new)) => match without_directives(Value::Array(new), Mode::Patches) {
                Some(Value::Array(new)) => (new, Vec::new()),
                _ => continue,
            },
            (Some(old), Some(new)) => {
                let before = order_after(&old, &new, field.key);
                (list_field(old, new, &field, mode)?, before)
            }
        };
        left.insert(
            name.to_owned(),
            Value::Array(arrange(merged, &order, &before, field.key)?),
        );
        patch.remove(name);
    }
    Ok(())
}

/// The items of the patch must stand in the order that it asks for.
fn check_order(patch: &[Value], order: &[Value], key: &str) -> Result<(), PatchError> {
    if order.is_empty() {
        return Ok(());
    }
    let mut order_left = order.iter();
    for item in patch.iter().filter(|item| item.get(DIRECTIVE).is_none()) {
        let same = |other: &Value| -> Result<bool, PatchError> {
            if key.is_empty() {
                return Ok(other == item);
            }
            Ok(keyed(item, key)?.1 == keyed(other, key)?.1)
        };
        loop {
            match order_left.next() {
                Some(other) if same(other)? => break,
                Some(_) => {}
                None => {
                    return Err(PatchError::SetElementOrder(format!(
                        ": the order in patch list {} doesn't match {}",
                        Value::from(patch.to_vec()),
                        Value::from(order.to_vec())
                    )));
                }
            }
        }
    }
    Ok(())
}

fn list_field(
    old: Vec<Value>,
    new: Vec<Value>,
    field: &Field<'_>,
    mode: Mode,
) -> Result<Vec<Value>, PatchError> {
    if field.strategy != Strategy::Merge {
        return Ok(new);
    }
    if old.is_empty() && new.is_empty() {
        return Ok(old);
    }
    if item_kind([&*old, &*new])? != Some("map") {
        let both: Vec<Value> = old.iter().chain(&new).cloned().collect();
        return arrange(once(both), &new, &old, field.key);
    }
    if field.key.is_empty() {
        return Err(PatchError::NoKeyDeclared(field.inner.name()));
    }
    let (old, new) = directives(old, new, field.key)?;
    let mut merged = old.clone();
    for item in &new {
        let (fields, id) = keyed(item, field.key)?;
        let known = merged.iter_mut().find(|known| known.get(field.key) == Some(id));
        match known {
            Some(Value::Object(map)) => {
                *map = merge_maps(std::mem::take(map), fields.clone(), field.inner, mode)?;
            }
            _ => merged.push(item.clone()),
        }
    }
    arrange(merged, &new, &old, field.key)
}

/// `$patch` among the items of a keyed list: `delete` takes the item with its key away, `replace` puts the patch's items
/// in the place of all others.
fn directives(
    mut old: Vec<Value>,
    new: Vec<Value>,
    key: &str,
) -> Result<(Vec<Value>, Vec<Value>), PatchError> {
    let mut rest = Vec::with_capacity(new.len());
    let mut replace = false;
    for item in new {
        match item.get(DIRECTIVE) {
            None => rest.push(item),
            Some(_) if deletes(&item) => {
                let (_, id) = keyed(&item, key)?;
                old.retain(|known| known.get(key) != Some(id));
            }
            Some(Value::String(word)) if word == "replace" => replace = true,
            Some(other) => return Err(PatchError::Directive(other.to_string())),
        }
    }
    Ok(if replace { (rest, Vec::new()) } else { (old, rest) })
}

/// The order of the old items that decides where those stand that the patch does not order.
///
/// Upstream deletes and appends in the memory of the old list and then reads its order from there: items after a deleted
/// one have moved up, and the first new ones stand in the places that became free. The API server merges with the same
/// code, so the result must be the same.
fn order_after(old: &[Value], new: &[Value], key: &str) -> Vec<Value> {
    let id = |item: &Value| item.get(key).cloned();
    if key.is_empty()
        || new
            .iter()
            .any(|item| item.get(DIRECTIVE).is_some() && !deletes(item))
    {
        return old.to_vec();
    }
    let gone: Vec<_> = new.iter().filter(|item| deletes(item)).map(id).collect();
    let mut order: Vec<Value> = old
        .iter()
        .filter(|item| !gone.contains(&id(item)))
        .cloned()
        .collect();
    let kept: Vec<_> = order.iter().map(id).collect();
    let added = new
        .iter()
        .filter(|item| !deletes(item) && !kept.contains(&id(item)));
    order.extend(added.take(old.len() - order.len()).cloned());
    order
}

/// Deletes scalars from a list.
fn delete_items(old: Vec<Value>, gone: &[Value], field: &Field<'_>) -> Result<Vec<Value>, PatchError> {
    if item_kind([&*old, gone])? == Some("map") {
        return Err(PatchError::NoKeyDeclared(field.inner.name()));
    }
    Ok(old.into_iter().filter(|item| !gone.contains(item)).collect())
}

/// Items that `order` names in its order, the others between them as they stood before.
fn arrange(
    merged: Vec<Value>,
    order: &[Value],
    before: &[Value],
    key: &str,
) -> Result<Vec<Value>, PatchError> {
    let id = |item: &Value| -> Result<Value, PatchError> {
        if key.is_empty() {
            Ok(item.clone())
        } else {
            keyed(item, key).map(|(_, id)| id.clone())
        }
    };
    let named = order.iter().map(id).collect::<Result<Vec<_>, _>>()?;
    let (mut patched, mut server_only) = (Vec::new(), Vec::new());
    for item in merged {
        if named.contains(&id(&item)?) {
            patched.push(item);
        } else {
            server_only.push(item);
        }
    }
    let patched = sort_by(patched, order, key)?;
    let server_only = sort_by(server_only, before, key)?;
    Ok(interleave(patched, server_only, before, key))
}

/// A new value as it stands: what carries a directive is dropped, and nulls too where the left side is an object.
fn without_directives(value: Value, mode: Mode) -> Option<Value> {
    match value {
        Value::Object(map) if map.contains_key(DIRECTIVE) => None,
        Value::Object(map) => Some(Value::Object(
            map.into_iter()
                .filter(|(_, value)| mode == Mode::Patches || !value.is_null())
                .filter_map(|(name, value)| Some((name, without_directives(value, mode)?)))
                .collect(),
        )),
        Value::Array(list) => Some(Value::Array(
            list.into_iter()
                .filter_map(|item| without_directives(item, mode))
                .collect(),
        )),
        other => Some(other),
    }
}
