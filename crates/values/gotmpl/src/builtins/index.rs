//! `index`, `slice`, `len`.

use super::{Result, concrete, prepare};
use crate::types::Kind;
use crate::value::zero;
use crate::{CallError, Env, List, Shape, Str, Value, fmt, ty};

fn fail(message: impl Into<String>) -> CallError {
    CallError::new(message)
}

/// A number as an index; up to the length itself, as Go's check is for slices too.
fn index_of(index: &Value, len: usize) -> std::result::Result<usize, CallError> {
    let number = match index {
        Value::Int(number, _) => *number,
        #[expect(clippy::cast_possible_wrap, reason = "Go's conversion wraps")]
        Value::Uint(number, _) => *number as i64,
        Value::Nil => return Err(fail("cannot index slice/array with nil")),
        other => {
            return Err(fail(format!(
                "cannot index slice/array with type {}",
                other.type_name()
            )));
        }
    };
    usize::try_from(number)
        .ok()
        .filter(|number| *number <= len)
        .ok_or_else(|| fail(format!("index out of range: {number}")))
}

/// An element; a nil one is a nil interface, which is another thing than nothing.
fn element(value: Value, elem: crate::Type) -> Value {
    if matches!(value, Value::Nil) && elem.kind == Kind::Interface {
        Value::TypedNil(elem)
    } else {
        value
    }
}

pub(super) fn index(_: &mut Env<'_>, args: &[Value]) -> Result {
    let Some((item, indexes)) = args.split_first() else {
        return Err(fail("index of untyped nil"));
    };
    let mut item = concrete(item).clone();
    if matches!(item, Value::Nil) {
        return Err(fail("index of untyped nil"));
    }
    let out_of_range = |what: &str| fail(format!("reflect: {what} index out of range"));
    for index in indexes {
        let index = concrete(index);
        item = fmt::indirect(item);
        item = match &item {
            Value::TypedNil(ty) if matches!(ty.kind, Kind::Interface | Kind::Ptr) => {
                return Err(fail("index of nil pointer"));
            }
            Value::Str(text) | Value::Number(text) => {
                let at = index_of(index, text.len())?;
                let byte = text.as_bytes().get(at).ok_or_else(|| out_of_range("string"))?;
                Value::Uint(u64::from(*byte), &ty::UINT8)
            }
            Value::Bytes(bytes) => {
                let at = index_of(index, bytes.len())?;
                let byte = bytes.get(at).ok_or_else(|| out_of_range("slice"))?;
                Value::Uint(u64::from(*byte), &ty::UINT8)
            }
            Value::List(list) => {
                let at = index_of(index, list.len())?;
                let found = list.items().get(at).ok_or_else(|| out_of_range("slice"))?;
                element(found.clone(), list.elem())
            }
            Value::Map(map) => {
                let elem = map.elem();
                match prepare(index, &ty::STRING)? {
                    Value::Str(key) => element(map.get(&key).unwrap_or_else(|| zero(elem)), elem),
                    _ => zero(elem),
                }
            }
            Value::TypedNil(ty) if ty.kind == Kind::Slice => {
                index_of(index, 0)?;
                return Err(out_of_range("slice"));
            }
            Value::TypedNil(ty) if ty.kind == Kind::Map => {
                prepare(index, &ty::STRING)?;
                let elem = ty.elem.unwrap_or(&ty::ANY);
                element(zero(elem), elem)
            }
            Value::Object(object) => {
                let elem = object.ty().elem.unwrap_or(&ty::ANY);
                match object.shape() {
                    Shape::List(items) => {
                        let at = index_of(index, items.len())?;
                        let found = items.get(at).ok_or_else(|| out_of_range("slice"))?;
                        element(found.clone(), elem)
                    }
                    Shape::Map(entries) => in_entries(&entries, index, elem)?,
                    Shape::Pointer(None) => return Err(fail("index of nil pointer")),
                    _ => return Err(fail(format!("can't index item of type {}", object.ty()))),
                }
            }
            other => return Err(fail(format!("can't index item of type {}", other.type_name()))),
        };
    }
    Ok(item)
}

fn in_entries(entries: &[(Value, Value)], index: &Value, elem: crate::Type) -> Result {
    let key_type = entries
        .first()
        .and_then(|(key, _)| key.ty())
        .unwrap_or(&ty::STRING);
    let index = prepare(index, key_type)?;
    let same = |key: &Value| match (key, &index) {
        (Value::Str(a), Value::Str(b)) => a == b,
        (Value::Int(a, _), Value::Int(b, _)) => a == b,
        (Value::Uint(a, _), Value::Uint(b, _)) => a == b,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        _ => false,
    };
    let found = entries.iter().find(|(key, _)| same(key));
    Ok(element(
        found.map_or_else(|| zero(elem), |(_, value)| value.clone()),
        elem,
    ))
}

pub(super) fn slice(_: &mut Env<'_>, args: &[Value]) -> Result {
    let Some((item, indexes)) = args.split_first() else {
        return Err(fail("slice of untyped nil"));
    };
    let item = fmt::indirect(concrete(item).clone());
    let is_string = matches!(item, Value::Str(_) | Value::Number(_));
    let len = match &item {
        Value::Nil => return Err(fail("slice of untyped nil")),
        Value::TypedNil(ty) if ty.kind == Kind::Slice => 0,
        Value::TypedNil(ty) if ty.kind == Kind::Ptr => return Err(fail("slice of nil pointer")),
        Value::Str(text) | Value::Number(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(list) => list.len(),
        Value::Object(object) => match object.shape() {
            Shape::List(items) => items.len(),
            _ => return Err(fail(format!("can't slice item of type {}", object.ty()))),
        },
        _ if indexes.len() > 3 => return Err(fail(format!("too many slice indexes: {}", indexes.len()))),
        other => return Err(fail(format!("can't slice item of type {}", other.type_name()))),
    };
    if indexes.len() > 3 {
        return Err(fail(format!("too many slice indexes: {}", indexes.len())));
    }
    if is_string && indexes.len() == 3 {
        return Err(fail("cannot 3-index slice a string"));
    }
    let mut bounds = [0, len, len];
    for (bound, index) in bounds.iter_mut().zip(indexes) {
        *bound = index_of(index, len)?;
    }
    let [start, end, capacity] = bounds;
    if start > end {
        return Err(fail(format!("invalid slice index: {start} > {end}")));
    }
    if end > capacity {
        return Err(fail(format!("invalid slice index: {end} > {capacity}")));
    }
    let part = |bytes: &[u8]| Str::from_bytes(bytes.get(start..end).unwrap_or_default());
    Ok(match &item {
        Value::Str(text) => Value::Str(part(text.as_bytes())),
        Value::Number(text) => Value::Number(part(text.as_bytes())),
        Value::Bytes(bytes) => Value::Bytes(bytes.get(start..end).unwrap_or_default().into()),
        Value::List(list) => Value::List(List::of(
            list.ty(),
            list.items().get(start..end).unwrap_or_default().to_vec(),
        )),
        Value::Object(object) => match object.shape() {
            Shape::List(items) => Value::List(List::of(
                object.ty(),
                items.get(start..end).unwrap_or_default().to_vec(),
            )),
            _ => item.clone(),
        },
        _ => item.clone(),
    })
}

pub(super) fn len(_: &mut Env<'_>, args: &[Value]) -> Result {
    let item = fmt::indirect(args.first().cloned().unwrap_or_default());
    let len = match &item {
        Value::Nil => return Err(fail("reflect: call of reflect.Value.Type on zero Value")),
        Value::TypedNil(ty) if matches!(ty.kind, Kind::Map | Kind::Slice) => 0,
        Value::TypedNil(_) => return Err(fail("len of nil pointer")),
        Value::Str(text) | Value::Number(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        Value::Object(object) => match object.shape() {
            Shape::List(items) => items.len(),
            Shape::Map(entries) => entries.len(),
            Shape::Pointer(None) => return Err(fail("len of nil pointer")),
            _ => return Err(fail(format!("len of type {}", object.ty()))),
        },
        other => return Err(fail(format!("len of type {}", other.type_name()))),
    };
    Ok(Value::int(i64::try_from(len).unwrap_or(i64::MAX)))
}
