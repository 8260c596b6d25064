//! What is known of a place in a type: how what stands there merges.

use weir_schema::{Element, TypeInfo};

use super::PatchError;

/// A place in a type, or one of which nothing is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a>(Option<TypeInfo<'a>>);

/// How a field merges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strategy {
    /// Lists are merged item by item.
    Merge,
    /// The new value takes the place of the old.
    Replace,
    /// Maps are merged, lists replaced.
    Unsaid,
}

/// A field of a place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    /// What stands there: a map's own type, or that of a list's items.
    pub(super) inner: Place<'a>,
    pub(super) strategy: Strategy,
    /// Fields that the patch does not name are cleared.
    pub(super) retain_keys: bool,
    /// Key of a list's items; empty where they have none.
    pub(super) key: &'a str,
}

impl<'a> Place<'a> {
    pub(super) fn of(ty: TypeInfo<'a>) -> Self {
        Self(Some(ty))
    }

    /// Name of the type, for messages.
    pub(super) fn name(self) -> String {
        let named = self.0.and_then(TypeInfo::type_name);
        named.unwrap_or("an unnamed type").to_owned()
    }

    /// The field `name`, whose value is a map or a list.
    pub(super) fn field(self, name: &str) -> Result<Field<'a>, PatchError> {
        let Some(ty) = self.0 else {
            return Ok(Field::unknown());
        };
        let site = match ty.field(name) {
            Some(site) => site,
            None => match ty.additional() {
                Element::Typed(value) => value,
                Element::Free => return Ok(Field::unknown()),
                Element::Undeclared => {
                    return Err(PatchError::UnknownField {
                        type_name: self.name(),
                        field: name.to_owned(),
                    });
                }
            },
        };
        let said = |word: &str| site.patch_strategies().iter().any(|s| s == word);
        Ok(Field {
            inner: Self(Some(site.items().unwrap_or(site))),
            strategy: if said("merge") {
                Strategy::Merge
            } else if said("replace") {
                Strategy::Replace
            } else {
                Strategy::Unsaid
            },
            retain_keys: said("retainKeys"),
            key: site.patch_merge_key().unwrap_or_default(),
        })
    }
}

impl Field<'_> {
    fn unknown() -> Self {
        Self {
            inner: Place(None),
            strategy: Strategy::Unsaid,
            retain_keys: false,
            key: "",
        }
    }
}
