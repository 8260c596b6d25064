//! One schema node, read from OpenAPI v3 or from a structural schema.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The JSON type a node asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// No type given: anything goes.
    #[default]
    Any,
    /// `object`.
    Object,
    /// `array`.
    Array,
    /// `string`.
    String,
    /// `integer`.
    Integer,
    /// `number`.
    Number,
    /// `boolean`.
    Boolean,
    /// An integer or a string.
    IntOrString,
    /// A quantity or another scalar without one type.
    Scalar,
}

/// What a field is in the Go types that kube-apiserver decodes built-in objects into: it decides what is printed of an
/// empty value. Custom resources have no Go types; their fields are all [`GoField::Pointer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GoField {
    /// A pointer: there or not there.
    #[default]
    Pointer,
    /// A struct in place: always printed.
    Struct,
    /// A time in place: printed as null when it is not set.
    Time,
    /// A value printed even when it is zero.
    Zero,
    /// A scalar left out when it is zero.
    OmitZero,
    /// A list or map left out when it is empty.
    OmitEmpty,
}

/// What an object schema says of fields it does not name.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Additional {
    /// Nothing said.
    #[default]
    Unsaid,
    /// `additionalProperties: true` or `false`.
    Allowed(bool),
    /// `additionalProperties` with a schema.
    Schema(Box<Node>),
}

/// A schema node. References keep their target's name and are resolved by [`crate::Schemas`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Node {
    pub(crate) kind: Kind,
    pub(crate) reference: Option<String>,
    pub(crate) properties: BTreeMap<String, Self>,
    pub(crate) required: Vec<String>,
    pub(crate) additional: Additional,
    pub(crate) items: Option<Box<Self>>,
    pub(crate) default: Option<Value>,
    pub(crate) enumeration: Vec<Value>,
    pub(crate) format: Option<String>,
    pub(crate) list_type: Option<String>,
    pub(crate) list_map_keys: Vec<String>,
    pub(crate) map_type: Option<String>,
    pub(crate) patch_strategy: Vec<String>,
    pub(crate) patch_merge_key: Option<String>,
    pub(crate) preserve_unknown: bool,
    pub(crate) embedded: bool,
    pub(crate) nullable: bool,
    pub(crate) go: GoField,
    pub(crate) wire: Vec<u32>,
}

impl Node {
    /// Reads a schema object. Parts that say nothing about shape or merging (descriptions, bounds, rules) are passed
    /// over, and so is anything of an unexpected form: a schema that was admitted is well-formed.
    pub fn read(schema: &Value) -> Self {
        schema.as_object().map_or_else(Self::default, Self::read_object)
    }

    fn read_object(schema: &Map<String, Value>) -> Self {
        let text = |key: &str| schema.get(key).and_then(Value::as_str).map(str::to_owned);
        let flag = |key: &str| schema.get(key).and_then(Value::as_bool).unwrap_or(false);
        let mut node = Self {
            kind: read_kind(schema),
            reference: read_reference(schema),
            properties: schema
                .get("properties")
                .and_then(Value::as_object)
                .map(|fields| {
                    fields
                        .iter()
                        .map(|(name, field)| (name.clone(), Self::read(field)))
                        .collect()
                })
                .unwrap_or_default(),
            required: strings(schema.get("required")),
            items: schema.get("items").map(|items| Box::new(Self::read(items))),
            default: schema.get("default").cloned(),
            enumeration: schema
                .get("enum")
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default(),
            format: text("format"),
            list_type: text("x-kubernetes-list-type"),
            list_map_keys: strings(schema.get("x-kubernetes-list-map-keys")),
            map_type: text("x-kubernetes-map-type"),
            patch_strategy: text("x-kubernetes-patch-strategy")
                .map(|all| all.split(',').map(str::to_owned).collect())
                .unwrap_or_default(),
            patch_merge_key: text("x-kubernetes-patch-merge-key"),
            preserve_unknown: flag("x-kubernetes-preserve-unknown-fields"),
            embedded: flag("x-kubernetes-embedded-resource"),
            nullable: flag("nullable"),
            additional: Additional::Unsaid,
            wire: schema
                .get("pb")
                .and_then(Value::as_array)
                .map(|path| {
                    path.iter()
                        .filter_map(|number| u32::try_from(number.as_u64()?).ok())
                        .collect()
                })
                .unwrap_or_default(),
            go: match schema.get("go").and_then(Value::as_str) {
                Some("s") => GoField::Struct,
                Some("t") => GoField::Time,
                Some("z") => GoField::Zero,
                Some("o") => GoField::OmitZero,
                Some("l") => GoField::OmitEmpty,
                _ => GoField::Pointer,
            },
        };
        node.additional = match schema.get("additionalProperties") {
            None => Additional::Unsaid,
            Some(Value::Bool(allowed)) => Additional::Allowed(*allowed),
            Some(inner) => Additional::Schema(Box::new(Self::read(inner))),
        };
        node
    }

    /// A node that only refers to the type called `name`.
    pub(crate) fn reference_to(name: &str) -> Self {
        Self {
            reference: Some(name.to_owned()),
            ..Self::default()
        }
    }
}

fn read_kind(schema: &Map<String, Value>) -> Kind {
    if schema.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true))
        || schema.get("format").and_then(Value::as_str) == Some("int-or-string")
    {
        return Kind::IntOrString;
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("object") => Kind::Object,
        Some("array") => Kind::Array,
        Some("string") => Kind::String,
        Some("integer") => Kind::Integer,
        Some("number") => Kind::Number,
        Some("boolean") => Kind::Boolean,
        // Quantity is published as one of string and number, without a type of its own.
        _ if schema.contains_key("oneOf") => Kind::Scalar,
        _ => Kind::Any,
    }
}

/// A reference stands bare, or alone in an `allOf` when the site adds a default or a description.
fn read_reference(schema: &Map<String, Value>) -> Option<String> {
    let direct = schema.get("$ref").and_then(Value::as_str);
    let wrapped = || match schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
        Some([only]) => only.get("$ref").and_then(Value::as_str),
        _ => None,
    };
    let full = direct.or_else(wrapped)?;
    Some(full.rsplit('/').next().unwrap_or(full).to_owned())
}

fn strings(list: Option<&Value>) -> Vec<String> {
    list.and_then(Value::as_array)
        .map(|items| {
            items
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect()
        })
        .unwrap_or_default()
}
