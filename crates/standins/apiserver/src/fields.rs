//! Field ownership: paths, sets of paths, and the typed operations on objects that server-side apply is made of.
//!
//! The rules are those of structured-merge-diff, version 6, with the types of `weir-schema`.

mod codec;
mod compare;
mod extract;
mod merge;
mod path;
mod set;
mod types;
mod validate;

pub(crate) use codec::{read_fields, write_fields};
pub(crate) use compare::{Comparison, compare, same as same_value};
pub(crate) use extract::{remove_items, to_field_set};
pub(crate) use merge::merge;
pub(crate) use path::{PathElement, write_path};
pub(crate) use set::FieldSet;
pub(crate) use types::FieldType;
pub(crate) use validate::validate;
