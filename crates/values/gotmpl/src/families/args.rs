//! Arguments, which have been checked against the signature, and Go's words for what goes wrong inside a function.

use std::borrow::Cow;

use crate::types::Kind;
use crate::{CallError, Env, Map, Shape, Str, Value, fmt};

pub(crate) type Result<T = Value> = std::result::Result<T, CallError>;

pub(crate) fn fail(message: impl Into<String>) -> CallError {
    CallError::new(message)
}

/// What Go says when something is looked up in nil.
pub(crate) fn nil_dereference() -> CallError {
    fail("runtime error: invalid memory address or nil pointer dereference")
}

pub(crate) fn value(args: &[Value], index: usize) -> Value {
    args.get(index).cloned().unwrap_or_default()
}

pub(crate) fn text(args: &[Value], index: usize) -> Str {
    match args.get(index) {
        Some(Value::Str(text)) => text.clone(),
        _ => Str::default(),
    }
}

pub(crate) fn string(args: &[Value], index: usize) -> String {
    text(args, index).to_str().into_owned()
}

pub(crate) fn int(args: &[Value], index: usize) -> i64 {
    match args.get(index) {
        Some(Value::Int(value, _)) => *value,
        _ => 0,
    }
}

pub(crate) fn boolean(args: &[Value], index: usize) -> bool {
    matches!(args.get(index), Some(Value::Bool(true)))
}

/// A map; nothing for a nil map.
pub(crate) fn map(args: &[Value], index: usize) -> Option<&Map> {
    args.get(index).and_then(Value::as_map)
}

/// sprig's `strval`: how a value is taken for text.
pub(crate) fn strval(env: &mut Env<'_>, value: &Value) -> Result<Str> {
    match value {
        Value::Str(text) | Value::Number(text) => Ok(text.clone()),
        Value::Bytes(bytes) => Ok(Str::from_bytes(bytes)),
        Value::TypedNil(ty) if crate::ty::BYTES.same(ty) => Ok(Str::default()),
        value => fmt::print(env, std::slice::from_ref(value)).map(Str::from),
    }
}

/// The items of what Go's reflection calls a slice or array; otherwise its kind.
pub(crate) fn items(value: &Value) -> std::result::Result<Cow<'_, [Value]>, Kind> {
    match value {
        Value::List(list) => Ok(Cow::Borrowed(list.items())),
        Value::Bytes(bytes) => Ok(bytes
            .iter()
            .map(|b| Value::Uint(u64::from(*b), &crate::ty::UINT8))
            .collect()),
        Value::TypedNil(ty) if ty.kind == Kind::Slice => Ok(Cow::Borrowed(&[])),
        Value::Object(object) => match object.shape() {
            Shape::List(items) => Ok(Cow::Owned(items)),
            _ => Err(object.ty().kind),
        },
        other => Err(other.kind()),
    }
}

/// sprig's `strslice`: a list of texts of any value.
pub(crate) fn strslice(env: &mut Env<'_>, value: &Value) -> Result<Vec<Str>> {
    match items(value) {
        Ok(items) => {
            env.spend(items.len())?;
            items
                .iter()
                .filter(|item| !matches!(item, Value::Nil))
                .map(|item| strval(env, item))
                .collect()
        }
        Err(Kind::Invalid) => Ok(Vec::new()),
        Err(_) => Ok(vec![strval(env, value)?]),
    }
}

/// sprig's `empty`
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(object) if object.ty().kind == Kind::Struct => false,
        value => !value.truth(),
    }
}

/// `strconv.ParseInt(text, 0, 64)`
fn parse_int(text: &str) -> Option<i64> {
    crate::parse::int(text)
}

/// `cast`'s rule: zeros behind the point do not count.
fn trim_zero_decimal(text: &str) -> &str {
    let digits = text.trim_end_matches('0');
    if digits.len() < text.len() {
        digits.strip_suffix('.').unwrap_or(text)
    } else {
        text
    }
}

/// `cast.ToInt64`
#[expect(clippy::cast_possible_wrap, reason = "Go's conversions wrap")]
pub(crate) fn to_int64(value: &Value) -> i64 {
    match value {
        Value::Int(value, ty) if !ty.named || ty.name.starts_with("int") || ty.name == "time.Month" => *value,
        Value::Uint(value, ty) if ty.kind != Kind::Uintptr => *value as i64,
        Value::Float(value, _) => float_to_int(*value),
        Value::Str(text) | Value::Number(text) => text
            .as_str()
            .and_then(|text| parse_int(trim_zero_decimal(text)))
            .unwrap_or(0),
        Value::Bool(true) => 1,
        _ => 0,
    }
}

/// How amd64 converts: what does not fit becomes the lowest number.
#[expect(clippy::cast_possible_truncation, reason = "within range")]
pub(crate) fn float_to_int(value: f64) -> i64 {
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value) {
        value as i64
    } else {
        i64::MIN
    }
}

/// `cast.ToFloat64`
#[expect(clippy::cast_precision_loss, reason = "Go converts so")]
pub(crate) fn to_float64(value: &Value) -> f64 {
    match value {
        Value::Int(value, ty) if !ty.named || ty.name.starts_with("int") => *value as f64,
        Value::Uint(value, ty) if ty.kind != Kind::Uintptr => *value as f64,
        Value::Float(value, _) => *value,
        Value::Str(text) | Value::Number(text) => text.as_str().and_then(parse_float).unwrap_or(0.0),
        Value::Bool(true) => 1.0,
        _ => 0.0,
    }
}

/// `strconv.ParseFloat(text, 64)`; nothing where it gives an error.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text).to_ascii_lowercase();
    let special = match unsigned.as_str() {
        "inf" | "infinity" => Some(f64::INFINITY),
        "nan" if unsigned.len() == text.len() => Some(f64::NAN),
        _ => None,
    };
    match special {
        Some(value) if text.starts_with('-') => Some(-value),
        Some(value) => Some(value),
        None => crate::parse::float(text),
    }
}

/// `text[start:end]` with Go's panics as errors; either bound may be absent.
pub(crate) fn slice(text: &Str, start: Option<i64>, end: Option<i64>) -> Result<Str> {
    let bytes = text.as_bytes();
    let len = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    let out_of_range = |what: String| fail(format!("runtime error: slice bounds out of range {what}"));
    let to = end.unwrap_or(len);
    let from = start.unwrap_or(0);
    if to < 0 {
        return Err(out_of_range(format!("[:{to}]")));
    }
    if to > len {
        return Err(out_of_range(format!("[:{to}] with length {len}")));
    }
    if from < 0 {
        return Err(out_of_range(format!("[{from}:]")));
    }
    if from > to {
        return Err(out_of_range(format!("[{from}:{to}]")));
    }
    let range = usize::try_from(from).unwrap_or(0)..usize::try_from(to).unwrap_or(0);
    Ok(Str::from_bytes(bytes.get(range).unwrap_or_default()))
}
