//! A view of one place in a type: what is there and how it merges.

use serde_json::Value;

use crate::Schemas;
use crate::node::{Additional, GoField, Kind, Node};

/// How a list merges under server-side apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListType<'a> {
    /// Replaced as a whole.
    Atomic,
    /// A set of scalars.
    Set,
    /// Items are matched by these fields.
    Map(&'a [String]),
}

/// The type of what a map holds under names its schema does not list.
#[derive(Debug, Clone, Copy)]
pub enum Element<'a> {
    /// Other names are not declared.
    Undeclared,
    /// Other names are allowed, of any type.
    Free,
    /// Other names have this type.
    Typed(TypeInfo<'a>),
}

/// A place in a type. Cheap to copy; borrowed from [`Schemas`].
///
/// A place is where a field is declared (its *site*: default, merge key) together with the type it refers to.
#[derive(Debug, Clone, Copy)]
pub struct TypeInfo<'a> {
    schemas: &'a Schemas,
    site: &'a Node,
    node: &'a Node,
}

impl<'a> TypeInfo<'a> {
    pub(crate) fn new(schemas: &'a Schemas, site: &'a Node) -> Self {
        Self {
            schemas,
            site,
            node: schemas.resolve(site),
        }
    }

    /// The JSON type.
    pub fn kind(self) -> Kind {
        self.node.kind
    }

    /// The name of the type this place refers to (`io.k8s.api.core.v1.PodSpec`), when it is a named one.
    pub fn type_name(self) -> Option<&'a str> {
        self.site.reference.as_deref()
    }

    /// The declared field called `name`.
    pub fn field(self, name: &str) -> Option<Self> {
        self.node
            .properties
            .get(name)
            .map(|site| Self::new(self.schemas, site))
    }

    /// All declared fields, by name.
    pub fn fields(self) -> impl Iterator<Item = (&'a str, Self)> {
        self.node
            .properties
            .iter()
            .map(move |(name, site)| (name.as_str(), Self::new(self.schemas, site)))
    }

    /// Whether the type declares any field.
    pub fn has_fields(self) -> bool {
        !self.node.properties.is_empty()
    }

    /// What fields other than the declared ones may hold.
    pub fn additional(self) -> Element<'a> {
        match &self.node.additional {
            Additional::Schema(site) => Element::Typed(Self::new(self.schemas, site)),
            Additional::Allowed(true) => Element::Free,
            Additional::Unsaid if self.node.properties.is_empty() || self.preserves_unknown() => {
                Element::Free
            }
            Additional::Allowed(_) | Additional::Unsaid => Element::Undeclared,
        }
    }

    /// The type of a list's items.
    pub fn items(self) -> Option<Self> {
        self.node
            .items
            .as_deref()
            .map(|site| Self::new(self.schemas, site))
    }

    /// Follows field names; passes through lists to their items and through maps to their values (`*` or any key).
    pub fn at(self, path: &[&str]) -> Option<Self> {
        path.iter().try_fold(self, |place, name| {
            let place = place.items().unwrap_or(place);
            place.field(name).or_else(|| match place.additional() {
                Element::Typed(value) => Some(value),
                Element::Free | Element::Undeclared => None,
            })
        })
    }

    /// How a list here merges under server-side apply; atomic when nothing is said.
    pub fn list_type(self) -> ListType<'a> {
        let list_type = self.site.list_type.as_deref().or(self.node.list_type.as_deref());
        let keys = if self.site.list_map_keys.is_empty() {
            &self.node.list_map_keys
        } else {
            &self.site.list_map_keys
        };
        match list_type {
            Some("set") => ListType::Set,
            Some("map") if !keys.is_empty() => ListType::Map(keys),
            _ => ListType::Atomic,
        }
    }

    /// Whether an object here is replaced as a whole under server-side apply.
    pub fn is_atomic_map(self) -> bool {
        self.site.map_type.as_deref().or(self.node.map_type.as_deref()) == Some("atomic")
    }

    /// Strategic merge strategies: `merge`, `replace`, `retainKeys`; empty when nothing is said.
    pub fn patch_strategies(self) -> &'a [String] {
        if self.site.patch_strategy.is_empty() {
            &self.node.patch_strategy
        } else {
            &self.site.patch_strategy
        }
    }

    /// The field that identifies an item in a strategic merge.
    pub fn patch_merge_key(self) -> Option<&'a str> {
        self.site
            .patch_merge_key
            .as_deref()
            .or(self.node.patch_merge_key.as_deref())
    }

    /// The default the schema gives.
    pub fn default(self) -> Option<&'a Value> {
        self.site.default.as_ref().or(self.node.default.as_ref())
    }

    /// The values allowed here; empty when any is.
    pub fn enumeration(self) -> &'a [Value] {
        &self.node.enumeration
    }

    /// The fields that must be there.
    pub fn required(self) -> &'a [String] {
        &self.node.required
    }

    /// OpenAPI `format`, such as `int32` or `date-time`.
    pub fn format(self) -> Option<&'a str> {
        self.node.format.as_deref()
    }

    /// Whether unknown fields are kept here (`x-kubernetes-preserve-unknown-fields`).
    pub fn preserves_unknown(self) -> bool {
        self.node.preserve_unknown || self.site.preserve_unknown
    }

    /// Whether an object with `apiVersion`, `kind` and `metadata` stands here (`x-kubernetes-embedded-resource`).
    pub fn is_embedded_resource(self) -> bool {
        self.node.embedded
    }

    /// What the field is in Go.
    pub fn go_field(self) -> GoField {
        self.site.go
    }

    /// The protobuf field numbers that lead from the type around to this field; empty for a custom resource's. There
    /// is more than one where Go embeds a struct.
    pub fn wire_path(self) -> &'a [u32] {
        &self.site.wire
    }

    /// Whether `null` is a value here.
    pub fn is_nullable(self) -> bool {
        self.node.nullable || self.site.nullable
    }
}
