//! Values with fields and methods of their own.

use std::any::Any;
use std::fmt;

use crate::{CallError, Env, Signature, Str, Type, Value};

/// A Go value that is more than data: a struct, a pointer, a map or list with methods.
///
/// What is looked up with `.Name` is a method first ([`Object::method`]), then what the [`Shape`] says.
pub trait Object: Any {
    /// Its Go type.
    fn ty(&self) -> Type;

    /// What it looks like to `range`, `index`, `len`, printing and the encoders.
    fn shape(&self) -> Shape;

    /// The struct field of that name, or the map's entry. The default looks into the shape; types that are asked
    /// often answer faster by themselves.
    fn field(&self, name: &str) -> Option<Value> {
        match self.shape() {
            Shape::Struct(fields) => fields
                .into_iter()
                .find(|(known, _)| *known == name && is_exported(known))
                .map(|(_, value)| value),
            Shape::Map(entries) => entries
                .into_iter()
                .find(|(key, _)| key.as_str() == Some(name))
                .map(|(_, value)| value),
            Shape::Pointer(Some(Value::Object(target))) => target.field(name),
            Shape::Pointer(_) | Shape::List(_) | Shape::Opaque => None,
        }
    }

    /// The signature of the method of that name.
    fn method(&self, name: &str) -> Option<&'static Signature> {
        let _ = name;
        None
    }

    /// Calls a method that [`Object::method`] knows, with arguments that fit its signature.
    ///
    /// # Errors
    /// What the method says.
    fn call(&self, name: &str, env: &mut Env<'_>, args: &[Value]) -> Result<Value, CallError> {
        let _ = (env, args);
        Err(CallError::new(format!("no method {name}")))
    }

    /// What its `Error` or `String` method says, if it has one: it is what gets printed.
    fn text(&self) -> Option<Str> {
        None
    }

    /// What the `String` method of a pointer to it says, if only a pointer has one: it is what an action prints of it.
    fn pointed_text(&self) -> Option<Str> {
        None
    }

    /// What a function that gives it back hands on: a copy, of which nobody has a pointer. Nothing if that is the same.
    fn copied(&self) -> Option<Value> {
        None
    }

    /// What sprig's `deepCopy` makes of it: fields that are not exported stay behind. Nothing if that is the same.
    fn deep_copied(&self) -> Option<Value> {
        None
    }

    /// The fields under the names that JSON has for them, those left out that JSON leaves out, where tags say so.
    fn json_fields(&self) -> Option<Vec<(&'static str, Value)>> {
        None
    }

    /// What JSON and YAML encoders make of it, where that differs from its shape.
    fn encoded(&self) -> Option<Value> {
        None
    }

    /// Whether Go's `==` holds between two of them; nothing if the type cannot be compared.
    fn equals(&self, other: &dyn Object) -> Option<bool> {
        let _ = other;
        None
    }
}

/// What an [`Object`] is like underneath.
#[derive(Debug)]
pub enum Shape {
    /// A struct with its fields, in order. Those that begin with a small letter are not exported: they are printed, and
    /// neither encoded nor looked up.
    Struct(Vec<(&'static str, Value)>),
    /// A pointer to something, or a nil pointer.
    Pointer(Option<Value>),
    /// A map with keys of any type, in the order in which Go prints them.
    Map(Vec<(Value, Value)>),
    /// A list.
    List(Vec<Value>),
    /// Nothing that can be looked into.
    Opaque,
}

/// Whether a field of a struct is seen from outside its package.
pub(crate) fn is_exported(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_lowercase())
}

impl fmt::Debug for dyn Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.ty().name)
    }
}
