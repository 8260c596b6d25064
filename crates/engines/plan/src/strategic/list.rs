//! What diffs and merges of lists share.

use serde_json::{Map, Value};

use super::{DIRECTIVE, PatchError};

/// A value's type as Go's JSON decoding tells them apart: whole numbers are not floats.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(n) if n.is_f64() => "float",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "map",
    }
}

/// The one type of all items; `None` if there are none.
pub(super) fn item_kind<'a>(
    lists: impl IntoIterator<Item = &'a [Value]> + Clone,
) -> Result<Option<&'static str>, PatchError> {
    let mut first = None;
    for item in lists.clone().into_iter().flatten() {
        let kind = kind(item);
        match first {
            None if kind == "list" => return Err(PatchError::ListOfLists),
            None => first = Some(kind),
            Some(first) if first == kind => {}
            Some(_) => {
                let all: Vec<String> = lists
                    .into_iter()
                    .map(|list| Value::from(list.to_vec()).to_string())
                    .collect();
                return Err(PatchError::MixedList(all.join(" ")));
            }
        }
    }
    Ok(first)
}

/// A scalar as Go prints it with `%v`, which is how upstream orders them.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The item as a map with the list's key.
pub(super) fn keyed<'a>(
    item: &'a Value,
    key: &str,
) -> Result<(&'a Map<String, Value>, &'a Value), PatchError> {
    let Value::Object(map) = item else {
        return Err(PatchError::NotAMap {
            key: key.to_owned(),
            found: kind(item),
        });
    };
    match map.get(key) {
        Some(id) => Ok((map, id)),
        None => Err(PatchError::NoMergeKey {
            item: item.to_string(),
            key: key.to_owned(),
        }),
    }
}

/// What identifies an item: its key, or itself in a list of scalars.
fn id<'a>(item: &'a Value, key: &str) -> Option<&'a Value> {
    if key.is_empty() { Some(item) } else { item.get(key) }
}

/// Where an item stands in `order`.
pub(super) fn position(order: &[Value], item: &Value, key: &str) -> Option<usize> {
    let wanted = id(item, key);
    order.iter().position(|known| id(known, key) == wanted)
}

/// Whether an item of a patch deletes.
pub(super) fn deletes(item: &Value) -> bool {
    item.get(DIRECTIVE).and_then(Value::as_str) == Some("delete")
}

/// Sorts items by `order`; those that delete go to the end. An item that `order` does not name goes to the front, as
/// upstream's comparison has it.
pub(super) fn sort_by(items: Vec<Value>, order: &[Value], key: &str) -> Result<Vec<Value>, PatchError> {
    if !key.is_empty() {
        for item in items.iter().chain(order) {
            keyed(item, key)?;
        }
    }
    let (gone, kept): (Vec<Value>, Vec<Value>) = items
        .into_iter()
        .partition(|item| !key.is_empty() && deletes(item));
    let mut sorted: Vec<(Option<usize>, Value)> = Vec::with_capacity(kept.len());
    for item in kept {
        let place = position(order, &item, key);
        let before = |other: Option<usize>| match (place, other) {
            (Some(place), Some(other)) => place < other,
            _ => true,
        };
        let mut at = sorted.len();
        while let Some((other, _)) = at.checked_sub(1).and_then(|i| sorted.get(i))
            && before(*other)
        {
            at -= 1;
        }
        sorted.insert(at, (place, item));
    }
    let mut all: Vec<Value> = sorted.into_iter().map(|(_, item)| item).collect();
    all.extend(gone);
    Ok(all)
}

/// Merges the items of the patch with those that only the server has; both keep their order, and an item of the server's
/// stands before one of the patch's where it did so in `server_order`.
pub(super) fn interleave(
    patched: Vec<Value>,
    server_only: Vec<Value>,
    server_order: &[Value],
    key: &str,
) -> Vec<Value> {
    let mut all = Vec::with_capacity(patched.len() + server_only.len());
    let mut others = server_only.into_iter().peekable();
    let mut patched = patched.into_iter().peekable();
    while let Some(item) = patched.peek() {
        match others.peek() {
            Some(other)
                if matches!(
                    (position(server_order, other, key), position(server_order, item, key)),
                    (Some(other), Some(item)) if other < item
                ) =>
            {
                all.extend(others.next());
            }
            _ => all.extend(patched.next()),
        }
    }
    all.extend(others);
    all
}

/// Each scalar once. Upstream fills the place of a double with the last item; the order is put right afterwards.
pub(super) fn once(mut items: Vec<Value>) -> Vec<Value> {
    let mut i = 0;
    while i < items.len() {
        let mut j = i + 1;
        while j < items.len() {
            if items.get(i) == items.get(j) {
                items.swap_remove(j);
            } else {
                j += 1;
            }
        }
        i += 1;
    }
    items
}
