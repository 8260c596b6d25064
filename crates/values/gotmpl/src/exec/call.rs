//! Calls: arguments are evaluated and checked against the signature, then the function runs.

use super::{Result, Seen, State};
use crate::function::Special;
use crate::parse::{Arg, Part, Place};
use crate::quote::quote;
use crate::types::Kind;
use crate::{Function, Shape, Signature, Type, Value, builtins, methods, ty};

/// What is called.
pub(super) enum Callee<'c> {
    Function(Function),
    Method(Value, &'c str, &'static Signature),
}

/// Arguments of a call, without an allocation for the usual number of them.
#[derive(Default)]
struct Arguments {
    few: [Value; 4],
    many: Vec<Value>,
    len: usize,
}

impl Arguments {
    fn push(&mut self, value: Value) {
        if let Some(slot) = self.few.get_mut(self.len) {
            *slot = value;
        } else {
            if self.many.is_empty() {
                self.many.extend(self.few.iter_mut().map(std::mem::take));
            }
            self.many.push(value);
        }
        self.len += 1;
    }

    fn as_slice(&self) -> &[Value] {
        if self.many.is_empty() {
            self.few.get(..self.len).unwrap_or_default()
        } else {
            &self.many
        }
    }
}

impl<'t> State<'_, '_, 't> {
    pub(super) fn function(
        &mut self,
        dot: &Seen,
        index: u32,
        name: Part,
        node: Place<'t>,
        args: &'t [Arg],
        last: Option<Value>,
    ) -> Result<Seen> {
        let tree = self.tree;
        let name = name.of(&tree.text);
        let Some(function) = self.env.set.functions().at(index).cloned() else {
            return self.fail(format!(
                "{} is not a defined function",
                quote(name.as_bytes(), false)
            ));
        };
        self.call(dot, &Callee::Function(function), node, name, args, last)
    }

    /// `args` holds the function itself first, if it holds anything.
    pub(super) fn call(
        &mut self,
        dot: &Seen,
        callee: &Callee<'_>,
        node: Place<'t>,
        name: &str,
        args: &'t [Arg],
        last: Option<Value>,
    ) -> Result<Seen> {
        let (signature, special) = match callee {
            Callee::Function(function) => (function.signature, function.special),
            Callee::Method(_, _, signature) => (*signature, None),
        };
        let args = args.get(1..).unwrap_or_default();
        let given = args.len() + usize::from(last.is_some());
        let wanted = signature.params.len();
        if signature.variadic {
            if given < wanted - 1 {
                let message = format!(
                    "wrong number of args for {name}: want at least {} got {}",
                    wanted - 1,
                    args.len()
                );
                return self.fail(message);
            }
        } else if given != wanted {
            return self.fail(format!(
                "wrong number of args for {name}: want {wanted} got {given}"
            ));
        }
        let param = |index: usize| -> Type {
            signature
                .params
                .get(index)
                .or(signature.params.last())
                .copied()
                .unwrap_or(&ty::ANY)
        };
        if matches!(special, Some(Special::And | Special::Or)) {
            return self.short_circuit(dot, special == Some(Special::Or), args, last);
        }
        let mut values = Arguments::default();
        for (index, arg) in args.iter().enumerate() {
            let value = if special == Some(Special::Slice) && index > 0 {
                self.slice_index(dot, arg)?
            } else {
                self.arg(dot, param(index), arg)?
            };
            values.push(value);
        }
        if let Some(last) = last {
            let value = self.validate(Seen::plain(last), param(given - 1))?;
            values.push(value);
        }
        self.spend(1)?;
        let result = match callee {
            Callee::Function(_) if special == Some(Special::Call) => {
                let called = match (args.first(), values.as_slice().last()) {
                    (Some(arg), _) => Place::Arg(arg).print(&self.tree.text),
                    (None, Some(Value::Str(text) | Value::Number(text))) => text.to_string(),
                    (None, value) => format!("<{} Value>", value.map_or("invalid", Value::type_name)),
                };
                builtins::call(self.env, &called, values.as_slice())
            }
            Callee::Function(function) => function.call(self.env, values.as_slice()),
            Callee::Method(value, method, _) => methods::call(value, method, self.env, values.as_slice()),
        };
        match result {
            Ok(Value::Object(object)) if matches!(callee, Callee::Function(_)) => {
                let copy = object.copied();
                Ok(Seen::plain(copy.unwrap_or(Value::Object(object))))
            }
            Ok(value) => Ok(Seen::plain(value)),
            Err(error) => {
                self.at = node;
                Err(self.wrap(error, &format!("error calling {name}: ")))
            }
        }
    }

    fn short_circuit(
        &mut self,
        dot: &Seen,
        is_or: bool,
        args: &'t [Arg],
        last: Option<Value>,
    ) -> Result<Seen> {
        let mut value = Value::Nil;
        for arg in args {
            value = self.arg(dot, &ty::REFLECT, arg)?;
            if value.truth() == is_or {
                return Ok(Seen::plain(value));
            }
        }
        Ok(Seen::plain(last.unwrap_or(value)))
    }

    // Arguments.

    /// An argument of which no type is asked: the base of a chain.
    pub(super) fn arg_seen(&mut self, dot: &Seen, arg: &'t Arg) -> Result<Seen> {
        self.at = Place::Arg(arg);
        match arg {
            Arg::Dot { .. } => Ok(dot.clone()),
            Arg::Field { path, .. } => self.fields(dot, dot, *path, arg, &[], None),
            Arg::Variable { .. } => self.variable_fields(dot, arg, &[], None),
            Arg::Pipe(pipe) => self.pipeline(dot, pipe).map(Seen::plain),
            Arg::Identifier { name, function, .. } => {
                self.function(dot, *function, *name, Place::Arg(arg), &[], None)
            }
            Arg::Chain { .. } => self.chain(dot, arg, &[], None),
            Arg::Bool { value, .. } => Ok(Seen::plain(Value::Bool(*value))),
            Arg::Number(number) => self.constant(arg, number).map(Seen::plain),
            Arg::Text { value, .. } => Ok(Seen::plain(Value::Str(value.clone()))),
            Arg::Nil { .. } => Ok(Seen::plain(Value::Nil)),
        }
    }

    fn arg(&mut self, dot: &Seen, ty: Type, arg: &'t Arg) -> Result<Value> {
        match arg {
            Arg::Bool { .. } | Arg::Number(_) | Arg::Text { .. } => self.literal(ty, arg),
            Arg::Nil { .. } => {
                self.at = Place::Arg(arg);
                if ty::REFLECT.same(ty) || ty.kind.can_be_nil() {
                    Ok(typed_nil(ty))
                } else {
                    self.fail(format!("cannot assign nil to {ty}"))
                }
            }
            _ => {
                let seen = self.arg_seen(dot, arg)?;
                self.validate(seen, ty)
            }
        }
    }

    /// An index for `slice`; one that comes through an interface is marked.
    fn slice_index(&mut self, dot: &Seen, arg: &'t Arg) -> Result<Value> {
        if matches!(arg, Arg::Nil { .. }) {
            return self.arg(dot, &ty::REFLECT, arg);
        }
        let seen = self.arg_seen(dot, arg)?;
        Ok(if seen.interface {
            Value::TypedNil(&ty::ANY)
        } else {
            seen.value
        })
    }

    fn literal(&mut self, ty: Type, arg: &'t Arg) -> Result<Value> {
        self.at = Place::Arg(arg);
        let expected = |state: &Self, what: &str| {
            let printed = Place::Arg(arg).print(&state.tree.text);
            state.fail(format!("expected {what}; found {printed}"))
        };
        if ty::REFLECT.same(ty) || ty::ANY.same(ty) {
            return self
                .arg_seen(&Seen::plain(Value::Nil), arg)
                .map(|seen| seen.value);
        }
        let number = match arg {
            Arg::Number(number) => Some(&**number),
            _ => None,
        };
        match ty.kind {
            Kind::Bool => match arg {
                Arg::Bool { value, .. } => Ok(Value::Bool(*value)),
                _ => expected(self, "bool"),
            },
            Kind::String => match arg {
                Arg::Text { value, .. } if ty::JSON_NUMBER.same(ty) => Ok(Value::Number(value.clone())),
                Arg::Text { value, .. } => Ok(Value::Str(value.clone())),
                _ => expected(self, "string"),
            },
            kind if kind.is_int() => match number.and_then(|number| number.int) {
                Some(int) => Ok(Value::Int(int, ty)),
                None => expected(self, "integer"),
            },
            kind if kind.is_uint() => match number.and_then(|number| number.uint) {
                Some(uint) => Ok(Value::Uint(uint, ty)),
                None => expected(self, "unsigned integer"),
            },
            Kind::Float32 | Kind::Float64 => match number.and_then(|number| number.float) {
                Some(float) => Ok(Value::Float(float, ty)),
                None => expected(self, "float"),
            },
            Kind::Complex64 | Kind::Complex128 => match number.and_then(|number| number.complex) {
                Some(complex) => Ok(Value::Complex(std::rc::Rc::new(complex))),
                None => expected(self, "complex"),
            },
            _ => {
                let printed = Place::Arg(arg).print(&self.tree.text);
                self.fail(format!("can't handle {printed} for arg of type {ty}"))
            }
        }
    }

    /// Whether the value can be given where the type is asked for; as what the function sees.
    fn validate(&self, seen: Seen, ty: Type) -> Result<Value> {
        let value = seen.value;
        if ty::REFLECT.same(ty) {
            return Ok(value);
        }
        match value {
            Value::Nil if ty.kind.can_be_nil() => return Ok(typed_nil(ty)),
            Value::Nil => return self.fail(format!("invalid value; expected {ty}")),
            Value::TypedNil(own) if ty::ANY.same(own) && ty::ANY.same(ty) => return Ok(Value::Nil),
            _ => {}
        }
        let own = value.ty().unwrap_or(&ty::ANY);
        if own.assignable_to(ty) {
            return Ok(match value {
                _ if ty.kind == Kind::Interface => value,
                Value::Map(map) => Value::Map(map.retyped(ty)),
                Value::List(list) => Value::List(list.retyped(ty)),
                Value::TypedNil(_) => Value::TypedNil(ty),
                value => value,
            });
        }
        if let Value::Object(object) = &value
            && let Shape::Pointer(Some(target)) = object.shape()
            && target.ty().is_some_and(|own| own.assignable_to(ty))
        {
            return Ok(target);
        }
        self.fail(format!("wrong type for value; expected {ty}; got {own}"))
    }
}

fn typed_nil(ty: Type) -> Value {
    if ty::ANY.same(ty) || ty::REFLECT.same(ty) {
        Value::Nil
    } else {
        Value::TypedNil(ty)
    }
}
