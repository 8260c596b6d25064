//! Values: what a chart is rendered with.
//!
//! They are JSON. A number from YAML or JSON text is a float, one from `--set` an integer, because that is what they
//! are to Go, and templates show the difference.

mod flux;
mod load;
mod options;
mod origin;
mod set;
mod shared;

pub use flux::{
    Found, Layered, Reference, ReferenceError, ReferenceProblem, from_references, set_literal, set_path,
};
pub use load::{ValuesError, from_json, parse};
pub(crate) use load::{convert, parse_first};
pub use options::{FileReader, Sources, SourcesError};
pub use origin::Origins;
pub use set::{SetError, Setter, set_index};

use serde_json::Value;

/// A table of values.
pub type Table = serde_json::Map<String, Value>;

/// Lays one table over another: tables merge, everything else replaces, null included.
pub fn overlay(base: &mut Table, over: Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Object(base)), Value::Object(over)) => overlay(base, over),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}
