//! The paths of printer columns: fields, positions and simple filters.

use serde_json::Value;

/// What a path such as `.status.conditions[?(@.type=="Ready")].status` leads to.
pub(crate) fn find<'a>(path: &str, value: &'a Value) -> Vec<&'a Value> {
    let mut places = vec![value];
    let mut rest = path.trim();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (name, tail) = split(after, end);
            rest = tail;
            if !name.is_empty() {
                places = places
                    .into_iter()
                    .flat_map(|place| match (name, place) {
                        ("*", place) => children(place),
                        (name, place) => place.get(name.replace('\\', "")).into_iter().collect(),
                    })
                    .collect();
            }
        } else if let Some(after) = rest.strip_prefix('[') {
            let Some(end) = closing(after) else {
                return Vec::new();
            };
            let (inner, tail) = split(after, end);
            rest = tail.strip_prefix(']').unwrap_or_default();
            places = places
                .into_iter()
                .flat_map(|place| step(inner.trim(), place))
                .collect();
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (name, tail) = split(rest, end);
            rest = tail;
            places = places.into_iter().filter_map(|place| place.get(name)).collect();
        }
    }
    places
}

fn split(text: &str, at: usize) -> (&str, &str) {
    (text.get(..at).unwrap_or(text), text.get(at..).unwrap_or_default())
}

fn children(place: &Value) -> Vec<&Value> {
    match place {
        Value::Array(items) => items.iter().collect(),
        Value::Object(fields) => fields.values().collect(),
        _ => Vec::new(),
    }
}

/// The bracket that closes one that was just opened.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_u32;
    let mut quote = None;
    for (index, letter) in text.char_indices() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (None, '"' | '\'') => quote = Some(letter),
            (None, '[') => depth += 1,
            (None, ']') if depth == 0 => return Some(index),
            (None, ']') => depth -= 1,
            (Some(_) | None, _) => {}
        }
    }
    None
}

fn step<'a>(inner: &str, place: &'a Value) -> Vec<&'a Value> {
    if inner == "*" {
        return children(place);
    }
    if let Some(filter) = inner.strip_prefix("?(").and_then(|inner| inner.strip_suffix(')')) {
        return children(place)
            .into_iter()
            .filter(|child| holds(filter, child))
            .collect();
    }
    let bare = inner.trim_matches(['"', '\'']);
    if bare != inner {
        return place.get(bare).into_iter().collect();
    }
    match inner.parse::<i64>() {
        Ok(index) => {
            let items = place.as_array().map_or(&[][..], Vec::as_slice);
            let index = if index < 0 {
                items
                    .len()
                    .checked_sub(usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX))
            } else {
                usize::try_from(index).ok()
            };
            index.and_then(|index| items.get(index)).into_iter().collect()
        }
        Err(_) => Vec::new(),
    }
}

/// Whether `@.type=="Ready"` holds; a filter without a comparison asks for presence.
fn holds(filter: &str, value: &Value) -> bool {
    let (path, wanted, equal) = match (filter.split_once("=="), filter.split_once("!=")) {
        (Some((path, wanted)), _) => (path, wanted, true),
        (None, Some((path, wanted))) => (path, wanted, false),
        (None, None) => return !find(filter.trim().trim_start_matches('@'), value).is_empty(),
    };
    let wanted = wanted.trim().trim_matches(['"', '\'']);
    let found = find(path.trim().trim_start_matches('@'), value);
    let is = found.iter().any(|found| match found {
        Value::String(text) => text == wanted,
        other => *other == wanted,
    });
    is == equal
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::find;

    fn check(path: &str, expected: &Value) {
        let object = json!({
            "status": {
                "conditions": [{"type": "Ready", "status": "True"}, {"type": "Other", "status": "False"}],
                "names": ["a", "b"],
            },
            "metadata": {"labels": {"a.b/c": "x"}},
        });
        let found: Vec<&Value> = find(path, &object);
        assert_eq!(json!(found), *expected, "{path}");
    }

    #[test]
    fn printer_column_paths_are_followed() {
        check(
            ".status.conditions[?(@.type==\"Ready\")].status",
            &json!(["True"]),
        );
        check(".status.conditions[?(@.type!='Ready')].status", &json!(["False"]));
        check(".status.names[0]", &json!(["a"]));
        check(".status.names[-1]", &json!(["b"]));
        check(".status.names[*]", &json!(["a", "b"]));
        check(".metadata.labels['a.b/c']", &json!(["x"]));
        check(".nothing.here", &json!([]));
        check(".status.names[9]", &json!([]));
        check(".status.names[", &json!([]));
    }
}
