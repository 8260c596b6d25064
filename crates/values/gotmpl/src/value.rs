//! Values: what templates compute with.

use std::rc::Rc;
use std::sync::Arc;

use crate::types::Kind;
use crate::{Function, List, Map, Object, Shape, Str, Type, ty};

/// A value. Clones are cheap and share what they hold.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// No value at all: Go's untyped nil. Inside a list or map of `interface {}` it is a nil element.
    #[default]
    Nil,
    /// `true` or `false`.
    Bool(bool),
    /// A signed integer of the type, which is of an integer kind: [`ty::INT`], [`ty::INT64`], [`ty::DURATION`]…
    Int(i64, Type),
    /// An unsigned integer of the type.
    Uint(u64, Type),
    /// A float of the type: [`ty::FLOAT64`] or [`ty::FLOAT32`].
    Float(f64, Type),
    /// A complex128: real and imaginary part.
    Complex(Rc<(f64, f64)>),
    /// A `json.Number`, as it was written. For Go it is a string of another type: it compares with strings and
    /// not with numbers, and functions that take a string refuse it.
    Number(Str),
    /// A string.
    Str(Str),
    /// A `[]byte`.
    Bytes(Arc<[u8]>),
    /// A list.
    List(List),
    /// A map with string keys.
    Map(Map),
    /// Anything with fields or methods of its own.
    Object(Rc<dyn Object>),
    /// A function, for `call`. Behind a pointer: it is larger than all others, which would take as much room.
    Func(Rc<Function>),
    /// A nil that has a type: a nil map, list, pointer or interface.
    TypedNil(Type),
}

impl Value {
    /// An `int`.
    pub fn int(value: i64) -> Self {
        Self::Int(value, &ty::INT)
    }

    /// An `int64`.
    pub fn int64(value: i64) -> Self {
        Self::Int(value, &ty::INT64)
    }

    /// A `float64`.
    pub fn float(value: f64) -> Self {
        Self::Float(value, &ty::FLOAT64)
    }

    /// An object.
    pub fn object(object: impl Object) -> Self {
        Self::Object(Rc::new(object))
    }

    /// A JSON value, numbers as `encoding/json` and sigs.k8s.io/yaml read them into `interface {}`: as float64.
    pub fn from_json(value: &serde_json::Value) -> Self {
        Self::read_json(value, &|number| Self::float(number.as_f64().unwrap_or_default()))
    }

    /// A JSON value, numbers as `json.Number`.
    pub fn from_json_numbers(value: &serde_json::Value) -> Self {
        Self::read_json(value, &|number| Self::Number(number.to_string().into()))
    }

    /// A JSON value, with what becomes of numbers up to the caller.
    pub fn read_json(value: &serde_json::Value, number: &dyn Fn(&serde_json::Number) -> Self) -> Self {
        use serde_json::Value as Json;
        match value {
            Json::Null => Self::Nil,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(value) => number(value),
            Json::String(text) => Self::from(text.as_str()),
            Json::Array(items) => items
                .iter()
                .map(|item| Self::read_json(item, number))
                .collect::<List>()
                .into(),
            Json::Object(map) => Self::Map(
                map.iter()
                    .map(|(k, v)| (k.as_str(), Self::read_json(v, number)))
                    .collect(),
            ),
        }
    }

    /// Its type; nothing for nil.
    pub fn ty(&self) -> Option<Type> {
        Some(match self {
            Self::Nil => return None,
            Self::Bool(_) => &ty::BOOL,
            Self::Int(_, ty) | Self::Uint(_, ty) | Self::Float(_, ty) | Self::TypedNil(ty) => ty,
            Self::Complex(_) => &ty::COMPLEX128,
            Self::Number(_) => &ty::JSON_NUMBER,
            Self::Str(_) => &ty::STRING,
            Self::Bytes(_) => &ty::BYTES,
            Self::List(list) => list.ty(),
            Self::Map(map) => map.ty(),
            Self::Object(object) => object.ty(),
            Self::Func(function) => function.ty(),
        })
    }

    /// The name of its type as Go's `%T` prints it.
    pub fn type_name(&self) -> &'static str {
        self.ty().map_or("<nil>", |ty| ty.name)
    }

    /// The kind of its type.
    pub fn kind(&self) -> Kind {
        self.ty().map_or(Kind::Invalid, |ty| ty.kind)
    }

    /// Whether it is nil, with or without a type.
    pub fn is_nil(&self) -> bool {
        matches!(self, Self::Nil | Self::TypedNil(_))
    }

    /// Whether `if` takes it for true.
    pub fn truth(&self) -> bool {
        match self {
            Self::Nil | Self::TypedNil(_) => false,
            Self::Bool(value) => *value,
            Self::Int(value, _) => *value != 0,
            Self::Uint(value, _) => *value != 0,
            Self::Float(value, _) => *value != 0.0,
            Self::Complex(value) => value.0 != 0.0 || value.1 != 0.0,
            Self::Number(text) | Self::Str(text) => !text.is_empty(),
            Self::Bytes(bytes) => !bytes.is_empty(),
            Self::List(list) => !list.is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::Object(object) => match object.shape() {
                Shape::Map(entries) => !entries.is_empty(),
                Shape::List(items) => !items.is_empty(),
                Shape::Pointer(target) => target.is_some(),
                Shape::Struct(_) | Shape::Opaque => true,
            },
            Self::Func(_) => true,
        }
    }

    /// A copy that shares no list and no map with it; it must not hold itself.
    pub(crate) fn copied(&self) -> Self {
        match self {
            Self::List(list) => List::of(list.ty(), list.items().iter().map(Self::copied).collect()).into(),
            Self::Map(map) => {
                let Ok(copy) = map.map_values(|value| Ok::<_, std::convert::Infallible>(value.copied()));
                copy.into()
            }
            other => other.clone(),
        }
    }

    /// Its text, if it is a string and UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => text.as_str(),
            _ => None,
        }
    }

    /// The map, if it is one.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The object of that Rust type, if it is one.
    pub fn downcast<T: Object>(&self) -> Option<&T> {
        match self {
            Self::Object(object) => (&**object as &dyn std::any::Any).downcast_ref(),
            _ => None,
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(text.into())
    }
}

impl From<Str> for Value {
    fn from(text: Str) -> Self {
        Self::Str(text)
    }
}

impl From<List> for Value {
    fn from(list: List) -> Self {
        Self::List(list)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

/// The zero of a type.
pub(crate) fn zero(ty: Type) -> Value {
    match ty.kind {
        Kind::Bool => Value::Bool(false),
        Kind::String if ty::JSON_NUMBER.same(ty) => Value::Number(Str::default()),
        Kind::String => Value::Str(Str::default()),
        kind if kind.is_int() => Value::Int(0, ty),
        kind if kind.is_uint() => Value::Uint(0, ty),
        Kind::Float32 | Kind::Float64 => Value::Float(0.0, ty),
        Kind::Complex64 | Kind::Complex128 => Value::Complex(Rc::new((0.0, 0.0))),
        Kind::Interface if ty::ANY.same(ty) => Value::Nil,
        _ => Value::TypedNil(ty),
    }
}

/// Whether it may hold other values.
pub(crate) fn is_container(value: &Value) -> bool {
    matches!(value, Value::List(_) | Value::Map(_))
}

/// Drops values, but for those among them that hold containers and that nobody else holds: dropping them would lead on.
pub(crate) fn move_deep(values: impl IntoIterator<Item = Value>, to: &mut Vec<Value>) {
    to.extend(values.into_iter().filter(|value| match value {
        Value::List(list) => list.is_deep(),
        Value::Map(map) => map.is_deep(),
        _ => false,
    }));
}

/// Drops containers and what only they hold, one after the other.
pub(crate) fn drop_flat(containers: &mut Vec<Value>) {
    while let Some(value) = containers.pop() {
        match value {
            Value::List(list) => list.move_deep(containers),
            Value::Map(map) => map.move_deep(containers),
            other => drop(other),
        }
    }
}

/// Whether the map can be reached from itself. Looks at a limited number of values.
pub(crate) fn holds_itself(map: &Map) -> bool {
    const MOST: usize = 100_000;
    let mut seen: Vec<Map> = Vec::new();
    let mut open = map
        .entries()
        .into_iter()
        .map(|(_, value)| value)
        .collect::<Vec<_>>();
    let mut looked = 0;
    while let Some(value) = open.pop() {
        looked += 1;
        if looked > MOST {
            return true;
        }
        match value {
            Value::Map(inner) if inner.is(map) => return true,
            Value::Map(inner) => {
                // Few maps are shared; a long list of them is not worth a table.
                if seen.len() < 256 {
                    if seen.iter().any(|known| known.is(&inner)) {
                        continue;
                    }
                    seen.push(inner.clone());
                }
                open.extend(inner.entries().into_iter().map(|(_, value)| value));
            }
            Value::List(list) => open.extend(list.items().iter().filter(|item| is_container(item)).cloned()),
            _ => {}
        }
    }
    false
}
