//! Go's own functions.

#![expect(clippy::unnecessary_wraps, reason = "the functions of a table have one type")]

mod compare;
mod escape;
mod index;

use crate::function::{Entry, Special};
use crate::types::Kind;
use crate::{CallError, Env, Function, Functions, Signature, Str, Type, Value, fmt, ty};

type Result = std::result::Result<Value, CallError>;

static ONE_OR_MORE: Signature = Signature::variadic(&[&ty::REFLECT, &ty::REFLECT]);

static TABLE: &[Entry] = &[
    (
        "eq",
        Signature::variadic(&[&ty::REFLECT, &ty::REFLECT]),
        compare::eq,
    ),
    ("ge", Signature::new(&[&ty::REFLECT, &ty::REFLECT]), compare::ge),
    ("gt", Signature::new(&[&ty::REFLECT, &ty::REFLECT]), compare::gt),
    ("html", Signature::variadic(&[&ty::ANY]), escape::html),
    (
        "index",
        Signature::variadic(&[&ty::REFLECT, &ty::REFLECT]),
        index::index,
    ),
    ("js", Signature::variadic(&[&ty::ANY]), escape::js),
    ("le", Signature::new(&[&ty::REFLECT, &ty::REFLECT]), compare::le),
    ("len", Signature::new(&[&ty::REFLECT]), index::len),
    ("lt", Signature::new(&[&ty::REFLECT, &ty::REFLECT]), compare::lt),
    ("ne", Signature::new(&[&ty::REFLECT, &ty::REFLECT]), compare::ne),
    ("not", Signature::new(&[&ty::REFLECT]), not),
    ("print", Signature::variadic(&[&ty::ANY]), print),
    ("printf", Signature::variadic(&[&ty::STRING, &ty::ANY]), printf),
    ("println", Signature::variadic(&[&ty::ANY]), println),
    ("urlquery", Signature::variadic(&[&ty::ANY]), escape::urlquery),
];

pub(crate) fn register(functions: &mut Functions) {
    for (name, signature, body) in TABLE {
        functions.insert(name, Function::native(signature, *body));
    }
    let by_evaluator: Native = |_, _| Err(CallError::new("not called like this"));
    functions.insert(
        "and",
        Function::native(&ONE_OR_MORE, by_evaluator).special(Special::And),
    );
    functions.insert(
        "or",
        Function::native(&ONE_OR_MORE, by_evaluator).special(Special::Or),
    );
    functions.insert(
        "slice",
        Function::native(&ONE_OR_MORE, index::slice).special(Special::Slice),
    );
    functions.insert(
        "call",
        Function::native(&ONE_OR_MORE, by_evaluator).special(Special::Call),
    );
}

type Native = crate::Native;

fn not(_: &mut Env<'_>, args: &[Value]) -> Result {
    Ok(Value::Bool(!args.first().is_some_and(Value::truth)))
}

fn print(env: &mut Env<'_>, args: &[Value]) -> Result {
    fmt::print(env, args).map(|text| Value::Str(text.into()))
}

fn println(env: &mut Env<'_>, args: &[Value]) -> Result {
    fmt::println(env, args).map(|text| Value::Str(text.into()))
}

fn printf(env: &mut Env<'_>, args: &[Value]) -> Result {
    let Some((Value::Str(format), args)) = args.split_first() else {
        return Ok(Value::from(""));
    };
    fmt::printf(env, format.as_bytes(), args).map(|text| Value::Str(text.into()))
}

/// What is inside, where nil came through an interface.
fn concrete(value: &Value) -> &Value {
    match value {
        Value::TypedNil(ty) if ty.kind == Kind::Interface => &Value::Nil,
        value => value,
    }
}

/// `call`: the function comes as the first value, with the expression that it was written as.
pub(crate) fn call(env: &mut Env<'_>, name: &str, args: &[Value]) -> Result {
    let Some((function, args)) = args.split_first() else {
        return Err(CallError::new("call of nil"));
    };
    let function = match concrete(function) {
        Value::Nil => return Err(CallError::new("call of nil")),
        Value::Func(function) => (**function).clone(),
        other => {
            return Err(CallError::new(format!(
                "non-function {name} of type {}",
                other.type_name()
            )));
        }
    };
    let signature = function.signature;
    let wanted = signature.params.len();
    if signature.variadic {
        if args.len() < wanted - 1 {
            let message = format!(
                "wrong number of args for {name}: got {} want at least {}",
                args.len(),
                wanted - 1
            );
            return Err(CallError::new(message));
        }
    } else if args.len() != wanted {
        let message = format!(
            "wrong number of args for {name}: got {} want {wanted}",
            args.len()
        );
        return Err(CallError::new(message));
    }
    let mut prepared = Vec::with_capacity(args.len());
    for (index, arg) in args.iter().enumerate() {
        let ty = signature
            .params
            .get(index)
            .or(signature.params.last())
            .copied()
            .unwrap_or(&ty::ANY);
        let value = prepare(concrete(arg), ty).map_err(|error| error.wrap(format!("arg {index}: ")))?;
        prepared.push(value);
    }
    function.call(env, &prepared)
}

/// A value as an argument of that type; integers of other sizes are converted.
fn prepare(value: &Value, ty: Type) -> Result {
    let Some(own) = value.ty() else {
        return if ty.kind.can_be_nil() {
            Ok(crate::value::zero(ty))
        } else {
            Err(CallError::new(format!("value is nil; should be of type {ty}")))
        };
    };
    if own.assignable_to(ty) {
        return Ok(value.clone());
    }
    let int_like = |kind: Kind| kind.is_int() || kind.is_uint();
    if int_like(own.kind) && int_like(ty.kind) {
        #[expect(
            clippy::cast_possible_wrap,
            clippy::cast_sign_loss,
            reason = "Go's conversion wraps"
        )]
        return Ok(match (value, ty.kind.is_int()) {
            (Value::Uint(value, _), true) => Value::Int(*value as i64, ty),
            (Value::Int(value, _), true) => Value::Int(*value, ty),
            (Value::Int(value, _), false) => Value::Uint(*value as u64, ty),
            (Value::Uint(value, _), false) => Value::Uint(*value, ty),
            _ => value.clone(),
        });
    }
    Err(CallError::new(format!("value has type {own}; should be {ty}")))
}

/// The text of arguments, as `html` and its kin take them.
fn text_of(env: &mut Env<'_>, args: &[Value]) -> std::result::Result<Str, CallError> {
    if let [Value::Str(text)] = args {
        return Ok(text.clone());
    }
    let printable: Vec<Value> = args.iter().map(fmt::printable).collect();
    fmt::print(env, &printable).map(Str::from)
}
