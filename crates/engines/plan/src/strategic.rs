//! Strategic merge patches as a client makes and applies them.
//!
//! A client that does not leave the merging to the API server compares three documents: what it wrote last
//! (*original*), what it wants now (*modified*) and what is there (*current*). The patch holds what changed from current
//! to modified, and deletes what left modified since original; what others added stays. For built-in kinds the patch
//! knows which lists have keys (`patchStrategy`, `patchMergeKey`); custom resources have no such facts and take a JSON
//! merge patch ([`json_three_way`]).
//!
//! Behaviour is that of k8s.io/apimachinery v0.34 `pkg/util/strategicpatch` and `jsonmergepatch`, which Helm and kubectl
//! use. One difference: a map whose values are maps is gone into, where upstream fails.

mod diff;
mod json;
mod list;
mod merge;
mod place;

pub use json::{json_three_way, json_two_way};

use serde_json::{Map, Value};
use weir_schema::TypeInfo;

use diff::{Wanted, diff_maps};
use merge::{Mode, merge_maps};
use place::Place;

pub(crate) const DIRECTIVE: &str = "$patch";
pub(crate) const RETAIN_KEYS: &str = "$retainKeys";
pub(crate) const DELETE_FROM: &str = "$deleteFromPrimitiveList/";
pub(crate) const SET_ORDER: &str = "$setElementOrder/";

/// Why a patch can't be made or applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// The type has no such field, and its two values differ.
    #[error("unable to find api field in {type_name} for the json field \"{field}\"")]
    UnknownField {
        /// Name of the type.
        type_name: String,
        /// Name of the field.
        field: String,
    },
    /// An item of a keyed list is not an object.
    #[error("expected a map in a list merged by '{key}', but received a {found}")]
    NotAMap {
        /// The list's merge key.
        key: String,
        /// What was there.
        found: &'static str,
    },
    /// An item of a keyed list does not have the key.
    #[error("map: {item} does not contain declared merge key: {key}")]
    NoMergeKey {
        /// The item.
        item: String,
        /// The list's merge key.
        key: String,
    },
    /// A list of lists, which the API does not know.
    #[error("lists of lists are not supported")]
    ListOfLists,
    /// A list with items of different types can't be merged.
    #[error("list element types are not identical: {0}")]
    MixedList(String),
    /// A list of objects is to be merged, and its type names no key.
    #[error("cannot merge lists without merge key for {0}")]
    NoKeyDeclared(String),
    /// A `$patch` that nobody knows, or one that is not allowed here.
    #[error("unknown patch type found: {0}")]
    Directive(String),
    /// `$retainKeys` is no list, or leaves out a field that the patch sets.
    #[error("invalid patch format of retainKeys list")]
    RetainKeys,
    /// `$setElementOrder` is no list, contradicts the other one, or the patch's own order.
    #[error("invalid patch format of setElementOrder list{0}")]
    SetElementOrder(String),
    /// A list of scalars to delete from is no list.
    #[error("invalid patch format of primitive list")]
    DeleteList,
    /// The object was changed by somebody else in a way that contradicts the change wanted.
    #[error("patch has conflicting changes: {patch} and {changed}")]
    Conflict {
        /// The change wanted.
        patch: String,
        /// The change made by others.
        changed: String,
    },
}

/// The patch that turns `original` into `modified`.
pub fn two_way(
    original: &Map<String, Value>,
    modified: &Map<String, Value>,
    ty: TypeInfo<'_>,
) -> Result<Map<String, Value>, PatchError> {
    diff_maps(original, modified, Place::of(ty), Wanted::everything(), false)
}

/// The patch that brings `current` to `modified` and leaves alone what others added since `original`. Where others
/// changed the same field, `modified` wins.
pub fn three_way(
    original: &Map<String, Value>,
    modified: &Map<String, Value>,
    current: &Map<String, Value>,
    ty: TypeInfo<'_>,
) -> Result<Map<String, Value>, PatchError> {
    let place = Place::of(ty);
    let additions = diff_maps(current, modified, place, Wanted::additions(), false)?;
    let deletions = diff_maps(original, modified, place, Wanted::deletions(), false)?;
    merge_maps(deletions, additions, place, Mode::Patches)
}

/// `live` with `patch` applied.
pub fn apply(
    live: Map<String, Value>,
    patch: Map<String, Value>,
    ty: TypeInfo<'_>,
) -> Result<Map<String, Value>, PatchError> {
    merge_maps(live, patch, Place::of(ty), Mode::Object)
}
