//! Strategic merge patches: merges that know which lists have keys.

use serde_json::{Map, Value};
use weir_schema::{Element, TypeInfo};

use crate::status::Failure;

const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";
const SET_ORDER: &str = "$setElementOrder/";

/// `live` with `patch`, by the strategies of its type.
pub(crate) fn merge(live: &Value, patch: &Value, ty: Option<TypeInfo<'_>>) -> Result<Value, Failure> {
    match (live, patch) {
        (Value::Object(live), Value::Object(patch)) => {
            Ok(merge_maps(live, patch, ty)?.map_or_else(|| Value::Object(Map::new()), Value::Object))
        }
        _ => Err(Failure::bad_request(
            "error decoding patch: a strategic merge patch is an object",
        )),
    }
}

fn field_type<'a>(ty: Option<TypeInfo<'a>>, name: &str) -> Option<TypeInfo<'a>> {
    let ty = ty?;
    ty.field(name).or_else(|| match ty.additional() {
        Element::Typed(value) => Some(value),
        Element::Free | Element::Undeclared => None,
    })
}

fn has_strategy(ty: Option<TypeInfo<'_>>, strategy: &str) -> bool {
    ty.is_some_and(|ty| ty.patch_strategies().iter().any(|known| known == strategy))
}

/// `None` when the patch deletes the object.
fn merge_maps(
    live: &Map<String, Value>,
    patch: &Map<String, Value>,
    ty: Option<TypeInfo<'_>>,
) -> Result<Option<Map<String, Value>>, Failure> {
    match patch.get(DIRECTIVE).and_then(Value::as_str) {
        Some("replace") => {
            let mut out = patch.clone();
            out.remove(DIRECTIVE);
            return Ok(Some(out));
        }
        Some("delete") => return Ok(None),
        Some("merge") | None => {}
        Some(other) => {
            return Err(Failure::bad_request(format!("unknown patch type found: {other}")));
        }
    }
    let mut out = live.clone();
    if let Some(Value::Array(keep)) = patch.get(RETAIN_KEYS) {
        out.retain(|name, _| keep.iter().any(|kept| kept.as_str() == Some(name)));
    }
    for (name, change) in patch {
        if name == DIRECTIVE || name == RETAIN_KEYS || name.starts_with(SET_ORDER) {
            continue;
        }
        if let Some(target) = name.strip_prefix(DELETE_FROM) {
            if let (Some(Value::Array(items)), Value::Array(gone)) = (out.get_mut(target), change) {
                items.retain(|item| !gone.contains(item));
            }
            continue;
        }
        if change.is_null() {
            out.remove(name);
            continue;
        }
        let inner_type = field_type(ty, name);
        let merged = match (out.get(name), change) {
            (Some(Value::Object(old)), Value::Object(new)) if !has_strategy(inner_type, "replace") => {
                merge_maps(old, new, inner_type)?.map(Value::Object)
            }
            (Some(Value::Array(old)), Value::Array(new)) if has_strategy(inner_type, "merge") => {
                let order = patch.get(&format!("{SET_ORDER}{name}")).and_then(Value::as_array);
                Some(Value::Array(merge_lists(old, new, inner_type, order)?))
            }
            (None, Value::Object(new)) => {
                // Directives inside a new object do their work and go.
                merge_maps(&Map::new(), new, inner_type)?.map(Value::Object)
            }
            (None, Value::Array(new)) if has_strategy(inner_type, "merge") => {
                let order = patch.get(&format!("{SET_ORDER}{name}")).and_then(Value::as_array);
                Some(Value::Array(merge_lists(&[], new, inner_type, order)?))
            }
            _ => Some(change.clone()),
        };
        match merged {
            Some(merged) => out.insert(name.clone(), merged),
            None => out.remove(name),
        };
    }
    // An order may come without a change of the list itself.
    for (name, order) in patch {
        let Some(target) = name.strip_prefix(SET_ORDER) else {
            continue;
        };
        if patch.contains_key(target) {
            continue;
        }
        let inner_type = field_type(ty, target);
        if let (Some(Value::Array(items)), Some(order)) = (out.get_mut(target), order.as_array()) {
            let key = inner_type.and_then(TypeInfo::patch_merge_key);
            let id = |item: &Value| match key {
                Some(key) => item.get(key).cloned().unwrap_or_default(),
                None => item.clone(),
            };
            let (wanted, before): (Vec<Value>, Vec<Value>) =
                (order.iter().map(id).collect(), items.iter().map(id).collect());
            *items = arrange(std::mem::take(items), &wanted, &before, id);
        }
    }
    Ok(Some(out))
}

fn merge_lists(
    live: &[Value],
    patch: &[Value],
    ty: Option<TypeInfo<'_>>,
    order: Option<&Vec<Value>>,
) -> Result<Vec<Value>, Failure> {
    let key = ty.and_then(TypeInfo::patch_merge_key);
    let item_type = ty.and_then(TypeInfo::items);
    let mut out = live.to_vec();
    let Some(key) = key else {
        // A list of scalars is a set.
        for item in patch {
            if !out.contains(item) {
                out.push(item.clone());
            }
        }
        if let Some(order) = order {
            let before = out.clone();
            out = arrange(out, order, &before, Value::clone);
        }
        return Ok(out);
    };
    let directive = |item: &Value| item.get(DIRECTIVE).and_then(Value::as_str).map(str::to_owned);
    if patch
        .iter()
        .any(|item| directive(item).as_deref() == Some("replace"))
    {
        return Ok(patch
            .iter()
            .filter(|item| directive(item).is_none())
            .cloned()
            .collect());
    }
    for item in patch {
        let Some(fields) = item.as_object() else {
            return Err(Failure::bad_request(
                "error decoding patch: a keyed list has objects for items",
            ));
        };
        let Some(id) = fields.get(key) else {
            return Err(Failure::unclassified(format!(
                "map: {item} does not contain declared merge key: {key}"
            )));
        };
        let position = out.iter().position(|known| known.get(key) == Some(id));
        if directive(item).as_deref() == Some("delete") {
            out.retain(|known| known.get(key) != Some(id));
            continue;
        }
        if let Some(known) = position.and_then(|position| out.get_mut(position)) {
            let old = known.as_object().cloned().unwrap_or_default();
            *known = Value::Object(merge_maps(&old, fields, item_type)?.unwrap_or_default());
        } else {
            let fresh = merge_maps(&Map::new(), fields, item_type)?.unwrap_or_default();
            out.push(Value::Object(fresh));
        }
    }
    let ids =
        |items: &[Value]| -> Vec<Value> { items.iter().filter_map(|item| item.get(key).cloned()).collect() };
    let wanted = order.map_or_else(|| ids(patch), |order| ids(order));
    Ok(arrange(out, &wanted, &ids(live), |item| {
        item.get(key).cloned().unwrap_or_default()
    }))
}

/// Orders merged items: those of the patch in its order, the others where they stood before a patched one.
fn arrange(
    items: Vec<Value>,
    wanted: &[Value],
    before: &[Value],
    id: impl Fn(&Value) -> Value,
) -> Vec<Value> {
    let position = |order: &[Value], item: &Value| order.iter().position(|known| *known == id(item));
    let (mut patched, rest): (Vec<Value>, Vec<Value>) = items
        .into_iter()
        .partition(|item| position(wanted, item).is_some());
    patched.sort_by_key(|item| position(wanted, item));
    let mut out = Vec::with_capacity(patched.len() + rest.len());
    let mut rest = rest.into_iter().peekable();
    for item in patched {
        while let Some(other) = rest.peek() {
            match (position(before, other), position(before, &item)) {
                (Some(left), Some(right)) if left < right => out.extend(rest.next()),
                _ => break,
            }
        }
        out.push(item);
    }
    out.extend(rest);
    out
}
