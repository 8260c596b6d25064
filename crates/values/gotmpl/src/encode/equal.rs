//! `reflect.DeepEqual`

use crate::fmt::MAX_NESTING;
use crate::{CallError, Env, Shape, Value};

pub(crate) fn deep_equal(env: &mut Env<'_>, a: &Value, b: &Value) -> Result<bool, CallError> {
    equal(env, a, b, 0)
}

fn same_type(a: &Value, b: &Value) -> bool {
    match (a.ty(), b.ty()) {
        (Some(a), Some(b)) => a.same(b),
        (None, None) => true,
        _ => false,
    }
}

fn equal(env: &mut Env<'_>, a: &Value, b: &Value, depth: usize) -> Result<bool, CallError> {
    env.spend(1)?;
    if depth > MAX_NESTING {
        return Err(CallError::limit("values nest too deeply to be compared"));
    }
    if !same_type(a, b) {
        return Ok(false);
    }
    #[expect(clippy::float_cmp, reason = "Go's equality")]
    Ok(match (a, b) {
        (Value::Nil, Value::Nil) | (Value::TypedNil(_), Value::TypedNil(_)) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a, _), Value::Int(b, _)) => a == b,
        (Value::Uint(a, _), Value::Uint(b, _)) => a == b,
        (Value::Float(a, _), Value::Float(b, _)) => a == b,
        (Value::Complex(a), Value::Complex(b)) => a == b,
        (Value::Number(a), Value::Number(b)) | (Value::Str(a), Value::Str(b)) => a == b,
        (Value::Bytes(a), Value::Bytes(b)) => a == b,
        (Value::List(a), Value::List(b)) => a.is(b) || lists(env, a.items(), b.items(), depth)?,
        (Value::Map(a), Value::Map(b)) => {
            if a.is(b) {
                return Ok(true);
            }
            let (a, b) = (a.entries(), b.entries());
            if a.len() != b.len() {
                return Ok(false);
            }
            for ((key_a, a), (key_b, b)) in a.iter().zip(&b) {
                if key_a != key_b || !equal(env, a, b, depth + 1)? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Object(a), Value::Object(b)) => {
            if let Some(equal) = a.equals(&**b) {
                return Ok(equal);
            }
            match (a.shape(), b.shape()) {
                (Shape::Struct(a), Shape::Struct(b)) => {
                    let a: Vec<Value> = a.into_iter().map(|(_, value)| value).collect();
                    let b: Vec<Value> = b.into_iter().map(|(_, value)| value).collect();
                    lists(env, &a, &b, depth)?
                }
                (Shape::List(a), Shape::List(b)) => lists(env, &a, &b, depth)?,
                (Shape::Pointer(a), Shape::Pointer(b)) => match (a, b) {
                    (Some(a), Some(b)) => equal(env, &a, &b, depth + 1)?,
                    (None, None) => true,
                    _ => false,
                },
                (Shape::Map(a), Shape::Map(b)) => {
                    let flat = |entries: Vec<(Value, Value)>| -> Vec<Value> {
                        entries
                            .into_iter()
                            .flat_map(|(key, value)| [key, value])
                            .collect()
                    };
                    lists(env, &flat(a), &flat(b), depth)?
                }
                _ => false,
            }
        }
        _ => false,
    })
}

fn lists(env: &mut Env<'_>, a: &[Value], b: &[Value], depth: usize) -> Result<bool, CallError> {
    if a.len() != b.len() {
        return Ok(false);
    }
    for (a, b) in a.iter().zip(b) {
        if !equal(env, a, b, depth + 1)? {
            return Ok(false);
        }
    }
    Ok(true)
}
