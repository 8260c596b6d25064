//! Does the live object differ from what an apply would make of it? (flux-controllers.md §3.6)

use serde_json::{Map, Value};
use weir_apis::Object;

use crate::change::{Change, diff_maps, same};

/// What an apply would change, from the live object and the dry run's answer.
///
/// Compared are labels, annotations, and everything but `metadata` and `status`. An empty list means that a
/// real apply would change nothing but bookkeeping, so that it must not be made.
pub fn compare(live: &Object, dry_run: &Object) -> Vec<Change> {
    let mut changes = Vec::new();
    // Absent and empty are the same.
    let empty = Map::new();
    for field in ["labels", "annotations"] {
        let from = meta_map(live, field).unwrap_or(&empty);
        let to = meta_map(dry_run, field).unwrap_or(&empty);
        diff_maps(&format!("/metadata/{field}"), from, to, &mut changes);
    }
    // The common case is "no difference": find that out without copying.
    if !same_body(live.as_map(), dry_run.as_map()) {
        diff_maps("", &body(live.as_map()), &body(dry_run.as_map()), &mut changes);
    }
    changes
}

fn meta_map<'a>(object: &'a Object, field: &str) -> Option<&'a Map<String, Value>> {
    object.metadata()?.get(field)?.as_object()
}

fn is_compared(key: &str) -> bool {
    !matches!(key, "metadata" | "status")
}

fn body(map: &Map<String, Value>) -> Map<String, Value> {
    map.iter()
        .filter(|(key, _)| is_compared(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn same_body(a: &Map<String, Value>, b: &Map<String, Value>) -> bool {
    let count = |map: &Map<String, Value>| map.keys().filter(|k| is_compared(k)).count();
    count(a) == count(b)
        && a.iter()
            .filter(|(key, _)| is_compared(key))
            .all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
}
