//! `eq`, `lt` and their kin.

use std::cmp::Ordering;

use super::{Result, concrete};
use crate::types::Kind;
use crate::{CallError, Env, Value, fmt};

/// What can be compared with what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Basic {
    None,
    Bool,
    Complex,
    Int,
    Float,
    String,
    Uint,
}

fn basic(value: &Value) -> Basic {
    match value {
        Value::Bool(_) => Basic::Bool,
        Value::Complex(_) => Basic::Complex,
        Value::Int(..) => Basic::Int,
        Value::Float(..) => Basic::Float,
        Value::Str(_) | Value::Number(_) => Basic::String,
        Value::Uint(..) => Basic::Uint,
        _ => Basic::None,
    }
}

fn incompatible(a: &Value, b: &Value) -> CallError {
    CallError::new(format!(
        "incompatible types for comparison: {} and {}",
        a.type_name(),
        b.type_name()
    ))
}

fn bad_type() -> CallError {
    CallError::new("invalid type for comparison")
}

#[expect(clippy::float_cmp, reason = "Go's equality")]
fn equal(env: &mut Env<'_>, a: &Value, b: &Value) -> std::result::Result<bool, CallError> {
    Ok(match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Complex(a), Value::Complex(b)) => a == b,
        (Value::Int(a, _), Value::Int(b, _)) => a == b,
        (Value::Uint(a, _), Value::Uint(b, _)) => a == b,
        (Value::Float(a, _), Value::Float(b, _)) => a == b,
        (Value::Int(int, _), Value::Uint(uint, _)) | (Value::Uint(uint, _), Value::Int(int, _)) => {
            u64::try_from(*int).is_ok_and(|int| int == *uint)
        }
        (Value::Str(a) | Value::Number(a), Value::Str(b) | Value::Number(b)) => a == b,
        (Value::Nil, _) | (_, Value::Nil) if basic(a) != basic(b) => false,
        _ if basic(a) != basic(b) => return Err(incompatible(a, b)),
        _ => return others(env, a, b),
    })
}

/// Neither is of a basic kind.
fn others(env: &mut Env<'_>, a: &Value, b: &Value) -> std::result::Result<bool, CallError> {
    let (kind_a, kind_b) = (a.kind(), b.kind());
    if kind_a != kind_b && kind_a != Kind::Invalid && kind_b != Kind::Invalid {
        let first = fmt::printf(env, b"%s", std::slice::from_ref(a))?;
        let second = fmt::reflected(env, b)?;
        return Err(CallError::new(format!(
            "non-comparable types {}: {}, {}: {}",
            String::from_utf8_lossy(&first),
            a.type_name(),
            b.type_name(),
            String::from_utf8_lossy(&second)
        )));
    }
    if a.is_nil() || b.is_nil() {
        return Ok(a.is_nil() == b.is_nil());
    }
    if let (Value::Object(a), Value::Object(b)) = (a, b)
        && let Some(equal) = a.equals(&**b)
    {
        return Ok(equal);
    }
    let printed = fmt::printf(env, b"%s", std::slice::from_ref(b))?;
    let printed = String::from_utf8_lossy(&printed).into_owned();
    Err(CallError::new(format!(
        "non-comparable type {printed}: {}",
        b.type_name()
    )))
}

pub(super) fn eq(env: &mut Env<'_>, args: &[Value]) -> Result {
    let Some((first, rest)) = args.split_first() else {
        return Err(bad_type());
    };
    if rest.is_empty() {
        return Err(CallError::new("missing argument for comparison"));
    }
    for other in rest {
        if equal(env, concrete(first), concrete(other))? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

pub(super) fn ne(env: &mut Env<'_>, args: &[Value]) -> Result {
    let [a, b] = args else { return Err(bad_type()) };
    Ok(Value::Bool(!equal(env, concrete(a), concrete(b))?))
}

fn less(a: &Value, b: &Value) -> std::result::Result<bool, CallError> {
    let (a, b) = (concrete(a), concrete(b));
    if basic(a) == Basic::None || basic(b) == Basic::None {
        return Err(bad_type());
    }
    Ok(match (a, b) {
        (Value::Int(a, _), Value::Int(b, _)) => a < b,
        (Value::Uint(a, _), Value::Uint(b, _)) => a < b,
        (Value::Float(a, _), Value::Float(b, _)) => a < b,
        (Value::Int(int, _), Value::Uint(uint, _)) => {
            u64::try_from(*int).is_ok_and(|int| int < *uint) || *int < 0
        }
        (Value::Uint(uint, _), Value::Int(int, _)) => u64::try_from(*int).is_ok_and(|int| *uint < int),
        (Value::Str(a) | Value::Number(a), Value::Str(b) | Value::Number(b)) => a.cmp(b) == Ordering::Less,
        _ if basic(a) == basic(b) => return Err(bad_type()),
        _ => return Err(incompatible(a, b)),
    })
}

fn less_or_equal(env: &mut Env<'_>, a: &Value, b: &Value) -> std::result::Result<bool, CallError> {
    Ok(less(a, b)? || equal(env, concrete(a), concrete(b))?)
}

pub(super) fn lt(_: &mut Env<'_>, args: &[Value]) -> Result {
    let [a, b] = args else { return Err(bad_type()) };
    less(a, b).map(Value::Bool)
}

pub(super) fn le(env: &mut Env<'_>, args: &[Value]) -> Result {
    let [a, b] = args else { return Err(bad_type()) };
    less_or_equal(env, a, b).map(Value::Bool)
}

pub(super) fn gt(env: &mut Env<'_>, args: &[Value]) -> Result {
    let [a, b] = args else { return Err(bad_type()) };
    less_or_equal(env, a, b).map(|truth| Value::Bool(!truth))
}

pub(super) fn ge(_: &mut Env<'_>, args: &[Value]) -> Result {
    let [a, b] = args else { return Err(bad_type()) };
    less(a, b).map(|truth| Value::Bool(!truth))
}
