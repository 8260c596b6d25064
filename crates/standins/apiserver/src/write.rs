//! Creating, changing and deleting objects.

mod create;
mod delete;
mod options;
mod update;

pub(crate) use delete::{DeleteOptions, Propagation};
pub(crate) use options::{FieldValidation, WriteOptions};
pub(crate) use update::Update;

use std::sync::Arc;

use jiff::Timestamp;
use rand::Rng as _;
use serde_json::{Value, json};

use crate::fields::FieldSet;
use crate::managed::Tracker;
use crate::object;
use crate::options::User;
use crate::registry::Served;
use crate::state::State;

/// One request's hold on the state: everything happens at one time, by one user.
pub(crate) struct Cx<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) now: Timestamp,
    /// Who asks; `None` for the server's own controllers, whom no admission stops.
    pub(crate) user: Option<User>,
    /// Warnings for the answer's headers.
    pub(crate) warnings: Vec<String>,
}

/// What became of a write.
pub(crate) enum Written {
    Created(Arc<Value>),
    Updated(Arc<Value>),
    /// A deletion that is done.
    Deleted(Arc<Value>),
    /// A deletion that waits for finalizers or time.
    Deleting(Arc<Value>),
}

/// Letters of generated names: no vowels, so no words.
const NAME_LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

impl Cx<'_> {
    pub(crate) fn time(&self) -> String {
        object::write_time(self.now)
    }

    /// A version 4 UUID from the seeded generator.
    pub(crate) fn new_uid(&mut self) -> String {
        let mut bytes: [u8; 16] = self.state.rng.random();
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let hex = format!("{:032x}", u128::from_be_bytes(bytes));
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        format!(
            "{}-{}-{}-{}-{}",
            part(0, 8),
            part(8, 12),
            part(12, 16),
            part(16, 20),
            part(20, 32)
        )
    }

    /// Five letters that make a generated name unique.
    pub(crate) fn new_suffix(&mut self) -> String {
        (0..5)
            .filter_map(|_| {
                let index = self.state.rng.random_range(0..NAME_LETTERS.len());
                NAME_LETTERS.get(index).copied().map(char::from)
            })
            .collect()
    }

    /// The object as it is stored: a custom resource in the version that its definition stores.
    pub(crate) fn to_storage(&self, served: &Served, object: Value) -> Value {
        let Some(custom) = &served.custom else {
            return object;
        };
        if custom.version.get("storage") == Some(&json!(true)) {
            return object;
        }
        let is_storage = |known: &&Arc<Served>| {
            known
                .custom
                .as_ref()
                .is_some_and(|custom| custom.version.get("storage") == Some(&json!(true)))
        };
        match self.state.registry.versions_of(&served.key).find(is_storage) {
            Some(storage) => crate::convert::to_version(storage, &object),
            None => object,
        }
    }

    /// Records field ownership of an ordinary write.
    pub(crate) fn track(
        &self,
        served: &Served,
        subresource: &str,
        live: Option<&Value>,
        new: &mut Value,
        manager: &str,
    ) {
        let time = self.time();
        self.with_tracker(served, subresource, &time, |tracker| {
            tracker.update(live, new, manager);
        });
    }

    /// Runs `with` on a tracker for requests to `served`.
    pub(crate) fn with_tracker<T>(
        &self,
        served: &Served,
        subresource: &str,
        time: &str,
        with: impl FnOnce(&Tracker<'_>) -> T,
    ) -> T {
        let api_version = served.api_version();
        let versions: Vec<&Arc<Served>> = self.state.registry.versions_of(&served.key).collect();
        let type_of = |version: &str| {
            versions
                .iter()
                .find(|known| known.api_version() == version)
                .map(|known| known.field_type())
        };
        with(&Tracker {
            api_version: &api_version,
            subresource,
            type_of: &type_of,
            ignored: reset_fields(served, subresource),
            now: time,
            empty: crate::typed::empty_object(served),
        })
    }
}

/// Fields that a request to this subresource cannot set.
fn reset_fields(served: &Served, subresource: &str) -> FieldSet {
    match subresource {
        "" if served.has_status() && crate::strategy::resets_status(served) => {
            FieldSet::of_fields(&[&["status"]])
        }
        "status" if served.custom.is_some() => FieldSet::of_fields(&[&["spec"]]),
        "status" => FieldSet::of_fields(&[&["spec"], &["metadata", "labels"]]),
        _ => FieldSet::default(),
    }
}

/// Whether two states of an object differ only in the times of their managers.
pub(crate) fn is_same_but_times(a: &Value, b: &Value) -> bool {
    let strip = |object: &Value| {
        let mut out = object.clone();
        if let Some(entries) = out
            .get_mut("metadata")
            .and_then(|meta| meta.get_mut("managedFields"))
            .and_then(Value::as_array_mut)
        {
            for entry in entries {
                object::remove(entry, &["time"]);
            }
            // Their order depends on time.
            let entries = out["metadata"]["managedFields"].as_array_mut();
            if let Some(entries) = entries {
                entries.sort_by_key(Value::to_string);
            }
        }
        object::metadata_mut(&mut out).insert("resourceVersion".into(), json!(""));
        out
    };
    crate::fields::same_value(&strip(a), &strip(b))
}
