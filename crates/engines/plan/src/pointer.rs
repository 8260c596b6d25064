//! JSON pointers (RFC 6901), as far as drift needs them: read, set, remove. Nothing here fails: a pointer
//! that leads nowhere reads as absent and removes nothing.

use serde_json::{Map, Value};

/// The segments of a pointer, unescaped. `None` where it is not empty and does not start with `/`.
pub(crate) fn segments(pointer: &str) -> Option<Vec<String>> {
    if pointer.is_empty() {
        return Some(Vec::new());
    }
    let rest = pointer.strip_prefix('/')?;
    Some(
        rest.split('/')
            .map(|s| s.replace("~1", "/").replace("~0", "~"))
            .collect(),
    )
}

/// One segment as it stands in a pointer.
pub(crate) fn escape(segment: &str) -> String {
    segment.replace('~', "~0").replace('/', "~1")
}

/// `parent` and one more segment.
pub(crate) fn join(parent: &str, segment: &str) -> String {
    format!("{parent}/{}", escape(segment))
}

fn index(segment: &str) -> Option<usize> {
    if segment.len() > 1 && segment.starts_with('0') || segment.starts_with('+') {
        return None;
    }
    segment.parse().ok()
}

fn child<'a>(value: &'a Value, segment: &str) -> Option<&'a Value> {
    match value {
        Value::Object(map) => map.get(segment),
        Value::Array(list) => list.get(index(segment)?),
        _ => None,
    }
}

fn child_mut<'a>(value: &'a mut Value, segment: &str) -> Option<&'a mut Value> {
    match value {
        Value::Object(map) => map.get_mut(segment),
        Value::Array(list) => list.get_mut(index(segment)?),
        _ => None,
    }
}

/// The value at a path below a map.
pub(crate) fn get<'a>(map: &'a Map<String, Value>, path: &[String]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter()
        .try_fold(map.get(first)?, |at, segment| child(at, segment))
}

/// Takes the value at a path away.
pub(crate) fn remove(map: &mut Map<String, Value>, path: &[String]) {
    let Some((last, parents)) = path.split_last() else {
        return;
    };
    let Some((first, parents)) = parents.split_first() else {
        map.remove(last);
        return;
    };
    let parent = parents
        .iter()
        .try_fold(map.get_mut(first), |at, segment| {
            Some(at.and_then(|v| child_mut(v, segment)))
        })
        .flatten();
    match parent {
        Some(Value::Object(map)) => {
            map.remove(last);
        }
        Some(Value::Array(list)) => {
            if let Some(at) = index(last).filter(|at| *at < list.len()) {
                list.remove(at);
            }
        }
        _ => {}
    }
}

/// Sets the value at a path, making the maps on the way. A list is changed only where it has the index.
/// Gives whether the value was set.
pub(crate) fn set(map: &mut Map<String, Value>, path: &[String], value: Value) -> bool {
    let Some((last, parents)) = path.split_last() else {
        return false;
    };
    let Some((first, rest)) = parents.split_first() else {
        map.insert(last.clone(), value);
        return true;
    };
    let mut at = map
        .entry(first.clone())
        .or_insert_with(|| Value::Object(Map::new()));
    for segment in rest {
        let next = match at {
            Value::Object(map) => Some(
                map.entry(segment.clone())
                    .or_insert_with(|| Value::Object(Map::new())),
            ),
            other => child_mut(other, segment),
        };
        match next {
            Some(next) => at = next,
            None => return false,
        }
    }
    match at {
        Value::Object(map) => {
            map.insert(last.clone(), value);
            true
        }
        Value::Array(list) => match index(last).and_then(|i| list.get_mut(i)) {
            Some(slot) => {
                *slot = value;
                true
            }
            None => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn segments_are_unescaped_in_the_right_order() {
        assert_eq!(segments("/a~1b/~01").unwrap(), ["a/b", "~1"]);
        assert_eq!(segments("a"), None);
        assert_eq!(segments("").unwrap(), [""; 0]);
    }

    #[test]
    fn values_are_read_set_and_removed_through_lists() {
        let mut object = map(json!({"a": [{"b": 1}, {"b": 2}]}));
        let path = segments("/a/1/b").unwrap();
        assert_eq!(get(&object, &path), Some(&json!(2)));
        assert!(set(&mut object, &path, json!(3)));
        remove(&mut object, &segments("/a/0").unwrap());
        remove(&mut object, &segments("/a/7").unwrap());
        remove(&mut object, &segments("/x/y/z").unwrap());
        assert_eq!(Value::Object(object.clone()), json!({"a": [{"b": 3}]}));
        assert!(!set(&mut object, &segments("/a/5/b").unwrap(), json!(1)));
        assert!(set(&mut object, &segments("/c/d").unwrap(), json!(1)));
        assert_eq!(object.get("c"), Some(&json!({"d": 1})));
    }
}
