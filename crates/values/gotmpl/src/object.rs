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
                .find(|(known, _)| *known == name)
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
    /// A struct with its exported fields, in order.
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

impl fmt::Debug for dyn Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.ty().name)
    }
}
