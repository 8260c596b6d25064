//! The merge of an applied configuration into the live object.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use weir_schema::ListType;

use super::path::{PathElement, write_element};
use super::types::{FieldType, Shape};

/// `live` with `config` laid over it. Fails on duplicate items in `config`, with the path and reason.
pub(crate) fn merge(live: &Value, config: &Value, ty: FieldType<'_>) -> Result<Option<Value>, String> {
    visit(Some(live), Some(config), ty)
}

fn visit(live: Option<&Value>, config: Option<&Value>, ty: FieldType<'_>) -> Result<Option<Value>, String> {
    let (live_shape, config_shape) = (ty.shape(live), ty.shape(config));
    match (live, config) {
        (_, None) => descend(live, None, ty, live_shape),
        (None, _) => descend(None, config, ty, config_shape),
        _ if live_shape == config_shape => descend(live, config, ty, config_shape),
        // The value changes its shape: the configuration's wins.
        _ => descend(None, config, ty, config_shape),
    }
}

fn descend(
    live: Option<&Value>,
    config: Option<&Value>,
    ty: FieldType<'_>,
    shape: Shape<'_>,
) -> Result<Option<Value>, String> {
    let leaf = || Ok(config.or(live).cloned());
    match shape {
        Shape::Leaf => leaf(),
        Shape::Map => {
            let live_fields = live.and_then(Value::as_object);
            let config_fields = config.and_then(Value::as_object);
            if live_fields.is_none_or(Map::is_empty) && config_fields.is_none_or(Map::is_empty) {
                return leaf();
            }
            let mut out = Map::new();
            for (name, inner) in live_fields.into_iter().flatten() {
                let field_type = ty.field(name).unwrap_or(FieldType::Deduced);
                let theirs = config_fields.and_then(|fields| fields.get(name));
                let merged = visit(Some(inner), theirs, field_type)
                    .map_err(|err| format!(".{name}{}", separate(&err)))?;
                if let Some(merged) = merged {
                    out.insert(name.clone(), merged);
                }
            }
            for (name, inner) in config_fields.into_iter().flatten() {
                if live_fields.is_some_and(|fields| fields.contains_key(name)) {
                    continue;
                }
                let field_type = ty.field(name).unwrap_or(FieldType::Deduced);
                let merged = visit(None, Some(inner), field_type)
                    .map_err(|err| format!(".{name}{}", separate(&err)))?;
                if let Some(merged) = merged {
                    out.insert(name.clone(), merged);
                }
            }
            Ok((!out.is_empty()).then_some(Value::Object(out)))
        }
        Shape::List(list) => {
            let live_items = live.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            let config_items = config.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            if live_items.is_empty() && config_items.is_empty() {
                return leaf();
            }
            merge_lists(live_items, config_items, ty, list)
        }
    }
}

/// A nested message starts with a path of its own or needs a separator.
fn separate(message: &str) -> String {
    if message.starts_with('.') || message.starts_with('[') {
        message.to_owned()
    } else {
        format!(": {message}")
    }
}

/// Indexed items: in order, and by element (`None` for an element that occurs twice).
type Indexed<'v> = (
    Vec<(PathElement, &'v Value)>,
    BTreeMap<PathElement, Option<&'v Value>>,
);

fn index<'v>(
    items: &'v [Value],
    ty: FieldType<'_>,
    list: ListType<'_>,
    allow_duplicates: bool,
) -> Result<Indexed<'v>, String> {
    let mut order = Vec::with_capacity(items.len());
    let mut found: BTreeMap<PathElement, Option<&Value>> = BTreeMap::new();
    for (position, item) in items.iter().enumerate() {
        let element = ty
            .item_path(list, item)
            .map_err(|err| format!("element {position}: {err}"))?;
        if found.contains_key(&element) {
            if !allow_duplicates {
                return Err(format!("duplicate entries for key {}", write_element(&element)));
            }
            found.insert(element.clone(), None);
        } else {
            found.insert(element.clone(), Some(item));
        }
        order.push((element, item));
    }
    Ok((order, found))
}

/// Merges item by item. The configuration's order wins among its items; live-only items keep their place before
/// the shared item they preceded.
fn merge_lists(
    live: &[Value],
    config: &[Value],
    ty: FieldType<'_>,
    list: ListType<'_>,
) -> Result<Option<Value>, String> {
    let (config_order, config_by) = index(config, ty, list, false)?;
    let (live_order, live_by) = index(live, ty, list, true)?;
    let mut shared = config_order
        .iter()
        .map(|(element, _)| element)
        .filter(|element| live_by.contains_key(*element));
    let mut next_shared = shared.next();
    let mut merged = BTreeSet::new();
    let mut out = Vec::with_capacity(live.len().max(config.len()));
    let mut push =
        |element: &PathElement, live: Option<&Value>, config: Option<&Value>| -> Result<(), String> {
            let value = visit(live, config, ty.item())
                .map_err(|err| format!("{}{}", write_element(element), separate(&err)))?;
            out.extend(value);
            Ok(())
        };
    let (mut l, mut r) = (0, 0);
    while l < live_order.len() || r < config_order.len() {
        if let (Some((left, _)), Some((right, item))) = (live_order.get(l), config_order.get(r)) {
            if left == right {
                merged.insert(left.clone());
                push(left, live_by.get(left).copied().flatten(), Some(item))?;
                l += 1;
                r += 1;
                next_shared = shared.next();
                continue;
            }
            if config_by.contains_key(left) && next_shared.is_some_and(|next| next != left) {
                l += 1;
                continue;
            }
        }
        if let Some((left, item)) = live_order.get(l) {
            if !config_by.contains_key(left) {
                push(left, Some(item), None)?;
                l += 1;
                continue;
            } else if merged.contains(left) {
                l += 1;
            }
        }
        if let Some((right, item)) = config_order.get(r) {
            merged.insert(right.clone());
            push(right, live_by.get(right).copied().flatten(), Some(item))?;
            r += 1;
            if next_shared == Some(right) {
                next_shared = shared.next();
            }
        }
    }
    Ok((!out.is_empty()).then_some(Value::Array(out)))
}
