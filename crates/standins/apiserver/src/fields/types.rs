//! The type at a place, as the merge rules see it.

use serde_json::Value;
use weir_schema::{Element, Kind, ListType, TypeInfo};

use super::path::PathElement;

/// The type of a value: declared by a schema, or deduced from the value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum FieldType<'a> {
    /// From the schema. `preserve` says that a place above keeps unknown fields.
    Declared { info: TypeInfo<'a>, preserve: bool },
    /// Unknown: objects merge field by field, lists are atomic.
    Deduced,
    /// Unknown and atomic throughout.
    Untyped,
}

/// How the value at a place merges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape<'a> {
    Leaf,
    Map,
    List(ListType<'a>),
}

impl<'a> FieldType<'a> {
    pub(crate) fn root(info: TypeInfo<'a>) -> Self {
        Self::Declared {
            info,
            preserve: info.preserves_unknown(),
        }
    }

    /// The shape for `value`. `None` or null leave it to the schema.
    pub(crate) fn shape(self, value: Option<&Value>) -> Shape<'a> {
        let by_value = |map: Shape<'a>, list: Shape<'a>| match value {
            Some(Value::Object(_)) => map,
            Some(Value::Array(_)) => list,
            _ => Shape::Leaf,
        };
        match self {
            Self::Untyped => Shape::Leaf,
            Self::Deduced => by_value(Shape::Map, Shape::Leaf),
            Self::Declared { info, .. } => {
                let map = if info.is_atomic_map() {
                    Shape::Leaf
                } else {
                    Shape::Map
                };
                let list = match info.list_type() {
                    ListType::Atomic => Shape::Leaf,
                    other => Shape::List(other),
                };
                match info.kind() {
                    Kind::Object => map,
                    Kind::Array => list,
                    Kind::Any => by_value(map, list),
                    Kind::String
                    | Kind::Integer
                    | Kind::Number
                    | Kind::Boolean
                    | Kind::IntOrString
                    | Kind::Scalar => Shape::Leaf,
                }
            }
        }
    }

    /// Whether the schema declares a field called `name` here.
    pub(crate) fn declares(self, name: &str) -> bool {
        matches!(self, Self::Declared { info, .. } if info.field(name).is_some())
    }

    /// The type of the field called `name`; `None` when the schema does not allow it.
    pub(crate) fn field(self, name: &str) -> Option<Self> {
        match self {
            Self::Deduced => Some(Self::Deduced),
            Self::Untyped => Some(Self::Untyped),
            Self::Declared { info, preserve } => {
                let typed = |inner: TypeInfo<'a>| Self::Declared {
                    info: inner,
                    preserve: preserve || inner.preserves_unknown(),
                };
                match info.field(name) {
                    Some(field) => Some(typed(field)),
                    None => match info.additional() {
                        Element::Typed(value) => Some(typed(value)),
                        Element::Free => Some(Self::Deduced),
                        Element::Undeclared if preserve => Some(Self::Deduced),
                        Element::Undeclared => None,
                    },
                }
            }
        }
    }

    /// The type of list items.
    pub(crate) fn item(self) -> Self {
        match self {
            Self::Declared { info, preserve } => info.items().map_or(Self::Untyped, |inner| Self::Declared {
                info: inner,
                preserve: preserve || inner.preserves_unknown(),
            }),
            Self::Deduced | Self::Untyped => Self::Untyped,
        }
    }

    /// The type one step down; deduced where the schema says nothing.
    pub(crate) fn descend(self, element: &PathElement) -> Self {
        match element {
            PathElement::Field(name) => self.field(name).unwrap_or(Self::Deduced),
            PathElement::Key(_) | PathElement::Value(_) | PathElement::Index(_) => self.item(),
        }
    }

    /// The step that leads to `item` of a list of type `list`.
    pub(crate) fn item_path(self, list: ListType<'_>, item: &Value) -> Result<PathElement, String> {
        match list {
            ListType::Atomic => Err("invalid indexing of atomic list".to_owned()),
            ListType::Set => match item {
                Value::Object(_) | Value::Array(_) => {
                    Err("associative list without keys has an element that's a list or map type".to_owned())
                }
                Value::Null => {
                    Err("associative list without keys has an element that's an explicit null".to_owned())
                }
                scalar => Ok(PathElement::Value(scalar.clone())),
            },
            ListType::Map(keys) => {
                let Value::Object(fields) = item else {
                    return Err(if item.is_null() {
                        "associative list with keys may not have a null element".to_owned()
                    } else {
                        "associative list with keys may not have non-map elements".to_owned()
                    });
                };
                let item_type = self.item();
                let mut out = Vec::with_capacity(keys.len());
                let mut missing = Vec::new();
                for key in keys {
                    let default = || match item_type.field(key) {
                        Some(Self::Declared { info, .. }) => info.default().cloned(),
                        _ => None,
                    };
                    match fields.get(key).cloned().or_else(default) {
                        Some(value) => out.push((key.clone(), value)),
                        None => missing.push(format!("{key:?}")),
                    }
                }
                // A key field may be absent when another identifies the item, as `hostIP` in some lists.
                if !missing.is_empty() {
                    return Err(match keys {
                        [only] => format!(
                            "associative list with keys has an element that omits key field {only:?} (and doesn't have default value)"
                        ),
                        _ if out.is_empty() => format!(
                            "associative list with keys has an element that omits all key fields {keys:?} (and doesn't have default values for any key fields)"
                        ),
                        _ => {
                            out.sort_by(|a, b| a.0.cmp(&b.0));
                            return Ok(PathElement::Key(out));
                        }
                    });
                }
                out.sort_by(|a, b| a.0.cmp(&b.0));
                Ok(PathElement::Key(out))
            }
        }
    }
}
