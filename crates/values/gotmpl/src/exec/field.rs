//! `.Field`: methods, struct fields, map entries.

use super::call::Callee;
use super::{Result, Seen, State};
use crate::object::is_exported;
use crate::parse::{Arg, Part, Place};
use crate::quote::quote;
use crate::types::Kind;
use crate::value::zero;
use crate::{MissingKey, Shape, Type, Value, methods, ty};

impl<'t> State<'_, '_, 't> {
    /// `.X.Y.Z`, of which the last may be a method with arguments.
    pub(super) fn fields(
        &mut self,
        dot: &Seen,
        receiver: &Seen,
        path: Part,
        node: &'t Arg,
        args: &'t [Arg],
        last: Option<Value>,
    ) -> Result<Seen> {
        // Each name has its dot before it. They are a few bytes long: what looks for a character in long texts takes longer.
        let tree = self.tree;
        let mut names = path.of(&tree.text).get(1..).unwrap_or_default();
        let mut here;
        let mut receiver = receiver;
        while let Some((name, rest)) = names
            .bytes()
            .position(|byte| byte == b'.')
            .and_then(|dot| Some((names.get(..dot)?, names.get(dot + 1..)?)))
        {
            here = self.field(dot, name, node, &[], None, receiver)?;
            receiver = &here;
            names = rest;
        }
        self.field(dot, names, node, args, last, receiver)
    }

    fn field(
        &mut self,
        dot: &Seen,
        name: &'t str,
        node: &'t Arg,
        args: &'t [Arg],
        last: Option<Value>,
        receiver: &Seen,
    ) -> Result<Seen> {
        let has_args = args.len() > 1 || last.is_some();
        match &receiver.value {
            Value::Map(map) => {
                if map.ty().named
                    && let Some(signature) = methods::signature(&receiver.value, name)
                {
                    let method = Callee::Method(receiver.value.clone(), name, signature);
                    return self.call(dot, &method, Place::Arg(node), name, args, last);
                }
                if has_args {
                    return self.fail(format!("{name} is not a method but has arguments"));
                }
                match map.get(name) {
                    Some(value) => Ok(Seen::element(value, map.elem())),
                    None => self.missing(name, map.elem()),
                }
            }
            Value::Nil => {
                if self.env.set.options().missing_key == MissingKey::Error {
                    return self.fail(format!(
                        "nil data; no entry for key {}",
                        quote(name.as_bytes(), false)
                    ));
                }
                Ok(Seen::plain(Value::Nil))
            }
            Value::TypedNil(ty) if ty.kind == Kind::Map => {
                if has_args {
                    return self.fail(format!("{name} is not a method but has arguments"));
                }
                self.missing(name, ty.elem.unwrap_or(&ty::ANY))
            }
            Value::TypedNil(ty) if matches!(ty.kind, Kind::Interface | Kind::Ptr) => {
                self.fail(format!("nil pointer evaluating {ty}.{name}"))
            }
            value => {
                if let Some(signature) = methods::signature(value, name) {
                    let method = Callee::Method(value.clone(), name, signature);
                    return self.call(dot, &method, Place::Arg(node), name, args, last);
                }
                self.object_field(value, name, has_args, receiver)
            }
        }
    }

    fn missing(&self, name: &str, elem: Type) -> Result<Seen> {
        match self.env.set.options().missing_key {
            MissingKey::Default => Ok(Seen::plain(Value::Nil)),
            MissingKey::Zero => Ok(Seen::element(zero(elem), elem)),
            MissingKey::Error => self.fail(format!(
                "map has no entry for key {}",
                quote(name.as_bytes(), false)
            )),
        }
    }

    fn object_field(&self, value: &Value, name: &str, has_args: bool, receiver: &Seen) -> Result<Seen> {
        if let Value::Object(object) = value {
            let found = object.field(name);
            match object.shape() {
                Shape::Map(_) if has_args => {
                    return self.fail(format!("{name} is not a method but has arguments"));
                }
                Shape::Map(_) => {
                    let elem = object.ty().elem.unwrap_or(&ty::ANY);
                    return match found {
                        Some(value) => Ok(Seen::element(value, elem)),
                        None => self.missing(name, elem),
                    };
                }
                Shape::Pointer(None) => {
                    return self.fail(format!("nil pointer evaluating {}.{name}", receiver.type_name()));
                }
                // A pointer to a map, say.
                Shape::Pointer(Some(Value::Map(map))) => {
                    return match map.get(name) {
                        Some(value) => Ok(Seen::element(value, map.elem())),
                        None => self.missing(name, map.elem()),
                    };
                }
                _ => {}
            }
            if let Shape::Struct(fields) = object.shape()
                && fields
                    .iter()
                    .any(|(known, _)| *known == name && !is_exported(known))
            {
                return self.fail(format!(
                    "{name} is an unexported field of struct type {}",
                    receiver.type_name()
                ));
            }
            if let Some(found) = found {
                if has_args {
                    return self.fail(format!("{name} has arguments but cannot be invoked as function"));
                }
                return Ok(Seen::plain(found));
            }
        }
        self.fail(format!(
            "can't evaluate field {name} in type {}",
            receiver.type_name()
        ))
    }
}
