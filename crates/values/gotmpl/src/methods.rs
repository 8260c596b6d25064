//! Methods of values that are not objects, and of those that are.

use crate::{CallError, Env, Signature, Value, ty};

static NONE: Signature = Signature::new(&[]);

/// The signature of a method, if the value has it.
pub(crate) fn signature(value: &Value, name: &str) -> Option<&'static Signature> {
    match value {
        Value::Object(object) => object.method(name),
        Value::Map(map) if map.ty().name == "common.Values" => matches!(name, "AsMap").then_some(&NONE),
        Value::Number(_) => matches!(name, "String" | "Int64" | "Float64").then_some(&NONE),
        Value::Int(_, ty) if ty::DURATION.same(ty) => matches!(
            name,
            "String" | "Hours" | "Minutes" | "Seconds" | "Milliseconds" | "Microseconds" | "Nanoseconds"
        )
        .then_some(&NONE),
        _ => None,
    }
}

/// Calls a method that [`signature`] knows.
pub(crate) fn call(value: &Value, name: &str, env: &mut Env<'_>, args: &[Value]) -> Result<Value, CallError> {
    match value {
        Value::Object(object) => object.call(name, env, args),
        Value::Map(map) => Ok(if map.is_empty() {
            crate::Map::new()
        } else {
            map.retyped(&ty::MAP_ANY)
        }
        .into()),
        Value::Number(text) => number(&text.to_str(), name),
        Value::Int(nanos, _) => Ok(duration(*nanos, name)),
        _ => Err(CallError::new(format!("no method {name}"))),
    }
}

fn number(text: &str, name: &str) -> Result<Value, CallError> {
    let invalid =
        |function: &str| CallError::new(format!("strconv.{function}: parsing {text:?}: invalid syntax"));
    Ok(match name {
        "Int64" => Value::int64(text.parse().map_err(|_| invalid("ParseInt"))?),
        "Float64" => Value::float(text.parse().map_err(|_| invalid("ParseFloat"))?),
        _ => Value::from(text),
    })
}

#[expect(clippy::cast_precision_loss, reason = "Go's result is a float64")]
fn duration(nanos: i64, name: &str) -> Value {
    let split = |unit: i64| (nanos / unit) as f64 + (nanos % unit) as f64 / unit as f64;
    match name {
        "Hours" => Value::float(split(3_600_000_000_000)),
        "Minutes" => Value::float(split(60_000_000_000)),
        "Seconds" => Value::float(split(1_000_000_000)),
        "Milliseconds" => Value::int64(nanos / 1_000_000),
        "Microseconds" => Value::int64(nanos / 1_000),
        "Nanoseconds" => Value::int64(nanos),
        _ => Value::from(weir_semver::duration::Duration::from_nanos(nanos).to_string()),
    }
}
