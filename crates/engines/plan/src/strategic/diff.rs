//! Making a patch from two documents.

use serde_json::{Map, Value, json};

use super::list::{item_kind, keyed, kind, once, sort_by, text};
use super::place::{Field, Place, Strategy};
use super::{DELETE_FROM, DIRECTIVE, PatchError, RETAIN_KEYS, SET_ORDER};

/// What a patch is to hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    additions: bool,
    deletions: bool,
    order: bool,
}

impl Wanted {
    pub(super) fn everything() -> Self {
        Self {
            additions: true,
            deletions: true,
            order: true,
        }
    }

    /// Additions and changes.
    pub(super) fn additions() -> Self {
        Self {
            deletions: false,
            ..Self::everything()
        }
    }

    pub(super) fn deletions() -> Self {
        Self {
            additions: false,
            ..Self::everything()
        }
    }
}

/// The patch from `original` to `modified`. `retain` asks for `$retainKeys`.
pub(super) fn diff_maps(
    original: &Map<String, Value>,
    modified: &Map<String, Value>,
    place: Place<'_>,
    wanted: Wanted,
    retain: bool,
) -> Result<Map<String, Value>, PatchError> {
    let mut patch = Map::new();
    for (name, new) in modified {
        let Some(old) = original.get(name) else {
            if wanted.additions {
                patch.insert(name.clone(), new.clone());
            }
            continue;
        };
        if name == DIRECTIVE {
            match (old, new) {
                (Value::String(old), Value::String(new)) if old == new => {}
                (Value::String(_), Value::String(_)) => {
                    patch.insert(name.clone(), new.clone());
                }
                _ => return Err(PatchError::Directive(new.to_string())),
            }
            continue;
        }
        if old == new && kind(old) != "map" && kind(old) != "list" {
            continue;
        }
        match (old, new) {
            (Value::Object(old_map), Value::Object(new_map)) => {
                if let Some(field) = look(place, name, old, new)? {
                    diff_map_field(name, old_map, new_map, &field, wanted, &mut patch)?;
                }
            }
            (Value::Array(old_list), Value::Array(new_list)) => {
                if let Some(field) = look(place, name, old, new)? {
                    diff_list_field(name, old_list, new_list, &field, wanted, &mut patch)?;
                }
            }
            _ if wanted.additions => {
                patch.insert(name.clone(), new.clone());
            }
            _ => {}
        }
    }
    if wanted.deletions {
        for name in original.keys().filter(|name| !modified.contains_key(*name)) {
            patch.insert(name.clone(), Value::Null);
        }
    }
    if retain {
        let mut kept: Vec<&String> = modified
            .iter()
            .filter(|(_, v)| !v.is_null())
            .map(|(k, _)| k)
            .collect();
        kept.sort();
        let loses = original
            .iter()
            .any(|(name, value)| !value.is_null() && !modified.contains_key(name));
        if !kept.is_empty() && (!patch.is_empty() || loses) {
            patch.insert(RETAIN_KEYS.to_owned(), json!(kept));
        }
    }
    Ok(patch)
}

/// The field, or `None` where nothing is known of it and nothing changed either.
fn look<'a>(place: Place<'a>, name: &str, old: &Value, new: &Value) -> Result<Option<Field<'a>>, PatchError> {
    match place.field(name) {
        Ok(field) => Ok(Some(field)),
        Err(_) if old == new => Ok(None),
        Err(error) => Err(error),
    }
}

fn diff_map_field(
    name: &str,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    field: &Field<'_>,
    wanted: Wanted,
    patch: &mut Map<String, Value>,
) -> Result<(), PatchError> {
    if field.strategy == Strategy::Replace {
        // Even where nothing changed: upstream does not compare here.
        if wanted.additions {
            patch.insert(name.to_owned(), Value::Object(new.clone()));
        }
        return Ok(());
    }
    let inner = diff_maps(old, new, field.inner, wanted, field.retain_keys)?;
    if !inner.is_empty() {
        patch.insert(name.to_owned(), Value::Object(inner));
    }
    Ok(())
}

fn diff_list_field(
    name: &str,
    old: &[Value],
    new: &[Value],
    field: &Field<'_>,
    wanted: Wanted,
    patch: &mut Map<String, Value>,
) -> Result<(), PatchError> {
    if field.strategy != Strategy::Merge {
        if wanted.additions && old != new {
            patch.insert(name.to_owned(), Value::from(new.to_vec()));
        }
        return Ok(());
    }
    let lists = diff_lists(old, new, field, wanted)?;
    let mut put = |name: String, list: Vec<Value>| {
        if !list.is_empty() {
            patch.insert(name, Value::from(list));
        }
    };
    put(name.to_owned(), lists.items);
    put(format!("{DELETE_FROM}{name}"), lists.deleted);
    put(format!("{SET_ORDER}{name}"), lists.order);
    Ok(())
}

/// What a patch says of a merged list.
#[derive(Default)]
struct Lists {
    items: Vec<Value>,
    deleted: Vec<Value>,
    order: Vec<Value>,
}

fn diff_lists(old: &[Value], new: &[Value], field: &Field<'_>, wanted: Wanted) -> Result<Lists, PatchError> {
    if old.is_empty() {
        return Ok(if new.is_empty() || !wanted.additions {
            Lists::default()
        } else {
            Lists {
                items: new.to_vec(),
                ..Lists::default()
            }
        });
    }
    if item_kind([old, new])? == Some("map") {
        diff_keyed(old, new, field, wanted)
    } else {
        diff_scalars(old, new, wanted)
    }
}

fn diff_keyed(old: &[Value], new: &[Value], field: &Field<'_>, wanted: Wanted) -> Result<Lists, PatchError> {
    let key = field.key;
    let (old_sorted, new_sorted) = (by_key(old, key)?, by_key(new, key)?);
    let (mut items, mut deleted) = (Vec::new(), Vec::new());
    let (mut olds, mut news) = (old_sorted.iter().peekable(), new_sorted.iter().peekable());
    loop {
        let order = match (olds.peek(), news.peek()) {
            (None, None) => break,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(old), Some(new)) => old.text.cmp(&new.text),
        };
        match order {
            std::cmp::Ordering::Equal => {
                if let (Some(old), Some(new)) = (olds.next(), news.next()) {
                    let mut change = diff_maps(old.map, new.map, field.inner, wanted, field.retain_keys)?;
                    if !change.is_empty() {
                        change.insert(key.to_owned(), new.id.clone());
                        items.push(Value::Object(change));
                    }
                }
            }
            std::cmp::Ordering::Greater => {
                if let (Some(new), true) = (news.next(), wanted.additions) {
                    items.push(Value::Object(new.map.clone()));
                }
            }
            std::cmp::Ordering::Less => {
                if let (Some(old), true) = (olds.next(), wanted.deletions) {
                    deleted.push(json!({key: old.id, DIRECTIVE: "delete"}));
                }
            }
        }
    }
    let mut items = sort_by(items, new, key)?;
    let same_order =
        old.len() == new.len() && old.iter().zip(new).all(|(old, new)| old.get(key) == new.get(key));
    items.extend(deleted);
    let told = !items.is_empty();
    let order = if wanted.order && ((wanted.additions && (told || !same_order)) || (wanted.deletions && told))
    {
        new.iter().map(|item| json!({key: item.get(key)})).collect()
    } else {
        Vec::new()
    };
    Ok(Lists {
        items,
        deleted: Vec::new(),
        order,
    })
}

struct Keyed<'a> {
    text: String,
    id: &'a Value,
    map: &'a Map<String, Value>,
}

fn by_key<'a>(list: &'a [Value], key: &str) -> Result<Vec<Keyed<'a>>, PatchError> {
    let mut all = list
        .iter()
        .map(|item| {
            keyed(item, key).map(|(map, id)| Keyed {
                text: text(id),
                id,
                map,
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    all.sort_by(|a, b| a.text.cmp(&b.text));
    Ok(all)
}

fn diff_scalars(old: &[Value], new: &[Value], wanted: Wanted) -> Result<Lists, PatchError> {
    let sorted = |list: &[Value]| {
        let mut list = list.to_vec();
        list.sort_by_cached_key(text);
        list
    };
    let (old, sorted_new) = (sorted(old), sorted(new));
    let (mut added, mut deleted) = (Vec::new(), Vec::new());
    let (mut olds, mut news) = (old.iter().peekable(), sorted_new.iter().peekable());
    loop {
        let order = match (olds.peek(), news.peek()) {
            (None, None) => break,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(old), Some(new)) => text(old).cmp(&text(new)),
        };
        match order {
            std::cmp::Ordering::Equal => {
                olds.next();
                news.next();
            }
            std::cmp::Ordering::Less => {
                if let (Some(item), true) = (olds.next(), wanted.deletions) {
                    deleted.push(item.clone());
                }
            }
            std::cmp::Ordering::Greater => {
                if let (Some(item), true) = (news.next(), wanted.additions) {
                    added.push(item.clone());
                }
            }
        }
    }
    let deleted = once(deleted);
    let items = sort_by(added, new, "")?;
    // Upstream compares the sorted list of what was with the unsorted one of what is wanted.
    let order =
        if wanted.order && ((wanted.deletions && !deleted.is_empty()) || (wanted.additions && old != new)) {
            new.to_vec()
        } else {
            Vec::new()
        };
    Ok(Lists {
        items,
        deleted,
        order,
    })
}
