//! The entries of `managedFields` on the wire.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::fields::{FieldSet, read_fields, write_fields};
use crate::object;

/// More entries of operation Update than this are merged into one, oldest first.
const MAX_UPDATE_MANAGERS: usize = 10;

/// Who an entry belongs to. The order of fields is the order of JSON keys in the reference's identifiers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Manager {
    pub(super) name: String,
    pub(super) applied: bool,
    /// Empty for appliers, who have one entry whatever the version.
    pub(super) api_version: String,
    pub(super) subresource: String,
}

#[derive(Debug, Clone)]
pub(super) struct Owned {
    pub(super) api_version: String,
    pub(super) time: Option<String>,
    pub(super) set: FieldSet,
}

pub(super) type Managers = BTreeMap<Manager, Owned>;

pub(super) fn read_managers(object: &Value) -> Option<Managers> {
    decode_managers(object::list(object, &["metadata", "managedFields"]))
}

pub(super) fn decode_managers(entries: &[Value]) -> Option<Managers> {
    let mut out = Managers::new();
    for entry in entries {
        let applied = match object::text(entry, &["operation"]) {
            "Apply" => true,
            "Update" => false,
            _ => return None,
        };
        let api_version = object::text(entry, &["apiVersion"]).to_owned();
        if api_version.is_empty() || object::text(entry, &["fieldsType"]) != "FieldsV1" {
            return None;
        }
        let manager = Manager {
            name: object::text(entry, &["manager"]).to_owned(),
            applied,
            api_version: if applied {
                String::new()
            } else {
                api_version.clone()
            },
            subresource: object::text(entry, &["subresource"]).to_owned(),
        };
        let set = read_fields(entry.get("fieldsV1").unwrap_or(&json!({})))?;
        let time = entry.get("time").and_then(Value::as_str).map(str::to_owned);
        out.insert(
            manager,
            Owned {
                api_version,
                time,
                set,
            },
        );
    }
    Some(out)
}

pub(super) fn write_managers(object: &mut Value, managers: &Managers) {
    let metadata = object::metadata_mut(object);
    if managers.is_empty() {
        metadata.remove("managedFields");
        return;
    }
    let mut sorted: Vec<(&Manager, &Owned)> = managers.iter().collect();
    sorted.sort_by(|(a, a_owned), (b, b_owned)| {
        // `Apply` sorts before `Update`.
        b.applied
            .cmp(&a.applied)
            .then_with(|| a_owned.time.cmp(&b_owned.time))
            .then_with(|| a.name.cmp(&b.name))
            .then_with(|| a_owned.api_version.cmp(&b_owned.api_version))
            .then_with(|| a.subresource.cmp(&b.subresource))
    });
    let entries: Vec<Value> = sorted
        .into_iter()
        .map(|(manager, owned)| {
            let mut entry = Map::new();
            entry.insert("manager".into(), json!(manager.name));
            entry.insert(
                "operation".into(),
                json!(if manager.applied { "Apply" } else { "Update" }),
            );
            entry.insert("apiVersion".into(), json!(owned.api_version));
            if let Some(time) = &owned.time {
                entry.insert("time".into(), json!(time));
            }
            entry.insert("fieldsType".into(), json!("FieldsV1"));
            entry.insert("fieldsV1".into(), write_fields(&owned.set));
            if !manager.subresource.is_empty() {
                entry.insert("subresource".into(), json!(manager.subresource));
            }
            Value::Object(entry)
        })
        .collect();
    metadata.insert("managedFields".into(), Value::Array(entries));
}

/// Merges the oldest updaters into a bucket a version, until few enough are left.
pub(super) fn cap_updaters(managers: &mut Managers) {
    let mut updaters: Vec<(Option<String>, Manager)> = managers
        .iter()
        .filter(|(manager, _)| !manager.applied)
        .map(|(manager, owned)| (owned.time.clone(), manager.clone()))
        .collect();
    let mut count = updaters.len();
    if count <= MAX_UPDATE_MANAGERS {
        return;
    }
    updaters.sort();
    let mut first_of: BTreeMap<String, Manager> = BTreeMap::new();
    for (time, manager) in updaters {
        if count <= MAX_UPDATE_MANAGERS {
            break;
        }
        let Some(owned) = managers.get(&manager).cloned() else {
            continue;
        };
        let bucket = Manager {
            name: "ancient-changes".to_owned(),
            applied: false,
            api_version: owned.api_version.clone(),
            subresource: String::new(),
        };
        match first_of.get(&owned.api_version) {
            Some(first) => {
                if !managers.contains_key(&bucket)
                    && let Some(oldest) = managers.remove(first)
                {
                    managers.insert(bucket.clone(), oldest);
                }
                managers.remove(&manager);
                if let Some(target) = managers.get_mut(&bucket) {
                    target.set = target.set.union(&owned.set);
                    target.time = time;
                }
                count -= 1;
            }
            None => {
                first_of.insert(owned.api_version.clone(), manager);
            }
        }
    }
}
