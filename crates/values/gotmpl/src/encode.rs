//! JSON, YAML and TOML of values, and `reflect.DeepEqual`.

mod equal;
mod order;
mod read;
mod toml;
mod toml_read;
mod yaml_read;

use std::fmt::Write;

use base64::Engine;
use serde_json::{Map as JsonMap, Number, Value as Json};
use weir_yaml::Node;

use crate::fmt::{MAX_NESTING, format_float, indirect};
use crate::object::is_exported;
use crate::types::Kind;
use crate::{CallError, Env, Object, Shape, Str, Type, Value};

pub(crate) use equal::deep_equal;
pub(crate) use read::parse_json;
pub(crate) use toml::to_toml;
pub(crate) use toml_read::from_toml;
pub(crate) use yaml_read::value_of;

/// How JSON is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// `<`, `>` and `&` escaped, as `json.Marshal` does.
    Html,
    /// The same, indented by two spaces.
    Pretty,
    /// Nothing escaped that need not be.
    Raw,
}

/// Why a value that nests so deeply cannot be encoded: Go notices when it holds itself.
fn too_deep(root: &Value) -> CallError {
    let mut path = Vec::new();
    match cycle(root, &mut path) {
        Some(ty) => CallError::new(format!("json: unsupported value: encountered a cycle via {ty}")),
        None => CallError::limit("a value nests too deeply to be encoded"),
    }
}

/// The type of a container that is found inside itself, on the way down to the first value that is too deep.
fn cycle(value: &Value, path: &mut Vec<Value>) -> Option<Type> {
    let same = |known: &Value| match (known, value) {
        (Value::Map(a), Value::Map(b)) => a.is(b),
        (Value::List(a), Value::List(b)) => a.is(b),
        _ => false,
    };
    let children: Vec<Value> = match value {
        Value::Map(map) => map.entries().into_iter().map(|(_, value)| value).collect(),
        Value::List(list) => list.items().to_vec(),
        _ => return None,
    };
    if path.iter().any(same) {
        return value.ty();
    }
    if path.len() > MAX_NESTING {
        return None;
    }
    path.push(value.clone());
    let mut found = None;
    for child in children {
        found = cycle(&child, path);
        // One way to the bottom is enough: what is there is too deep or a cycle.
        if found.is_some() || path.len() > MAX_NESTING {
            break;
        }
    }
    if found.is_none() && path.len() <= MAX_NESTING {
        path.pop();
    }
    found
}

/// Marks the error of a value that nests too deeply, until it is known why.
const TOO_DEEP: &str = "nests too deeply";

fn explained(error: CallError, value: &Value) -> CallError {
    if error.is_limit() && error.to_string() == TOO_DEEP {
        too_deep(value)
    } else {
        error
    }
}

/// `json.Marshal`
pub(crate) fn json(env: &mut Env<'_>, value: &Value, style: Style) -> Result<String, CallError> {
    let mut out = String::new();
    write_json(env, &mut out, value, style, 0).map_err(|error| explained(error, value))?;
    env.reserve(out.len())?;
    Ok(out)
}

fn line(out: &mut String, style: Style, depth: usize) {
    if style == Style::Pretty {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    }
}

/// A float as `encoding/json` writes it.
fn json_float(value: f64, bits: u32) -> Result<String, CallError> {
    if !value.is_finite() {
        return Err(CallError::new(format!(
            "json: unsupported value: {}",
            crate::fmt::go_float(value)
        )));
    }
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format_float(value, 'e', None, bits);
        // e-09 is written e-9.
        return Ok(match text.split_once("e-0") {
            Some((mantissa, exponent)) => format!("{mantissa}e-{exponent}"),
            None => text,
        });
    }
    Ok(format_float(value, 'f', None, bits))
}

/// A JSON number as Go checks a `json.Number`.
fn is_json_number(text: &str) -> bool {
    let mut rest = text.strip_prefix('-').unwrap_or(text);
    let digits = |rest: &mut &str| {
        let count = rest.bytes().take_while(u8::is_ascii_digit).count();
        *rest = rest.get(count..).unwrap_or_default();
        count
    };
    match rest.strip_prefix('0') {
        Some(after) => rest = after,
        None if digits(&mut rest) == 0 => return false,
        None => {}
    }
    if let Some(after) = rest.strip_prefix('.') {
        rest = after;
        if digits(&mut rest) == 0 {
            return false;
        }
    }
    if let Some(after) = rest.strip_prefix(['e', 'E']) {
        rest = after.strip_prefix(['+', '-']).unwrap_or(after);
        if digits(&mut rest) == 0 {
            return false;
        }
    }
    rest.is_empty()
}

fn json_number(text: &Str) -> Result<String, CallError> {
    let text = text.to_str();
    if text.is_empty() {
        // Go takes it for zero.
        return Ok("0".to_owned());
    }
    if is_json_number(&text) {
        return Ok(text.into_owned());
    }
    let quoted = crate::quote::quote(text.as_bytes(), false);
    Err(CallError::new(format!("json: invalid number literal {quoted}")))
}

pub(crate) fn write_json_string(out: &mut String, text: &str, html: bool) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '<' | '>' | '&' if html => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            '\0'..'\u{20}' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Text for JSON: a bad byte becomes `\ufffd`, written out.
fn write_str(out: &mut String, text: &Str, style: Style) {
    if let Some(text) = text.as_str() {
        write_json_string(out, text, style != Style::Raw);
    } else {
        let mut good = String::new();
        write_json_string(&mut good, &text.to_str(), style != Style::Raw);
        out.push_str(&good.replace('\u{fffd}', "\\ufffd"));
    }
}

fn write_json(
    env: &mut Env<'_>,
    out: &mut String,
    value: &Value,
    style: Style,
    depth: usize,
) -> Result<(), CallError> {
    env.spend(1)?;
    if depth > MAX_NESTING {
        return Err(CallError::limit(TOO_DEEP));
    }
    if out.len() > env.limits.output {
        return env.reserve(out.len());
    }
    match value {
        Value::Nil | Value::TypedNil(_) => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Int(value, _) => {
            let _ = write!(out, "{value}");
        }
        Value::Uint(value, _) => {
            let _ = write!(out, "{value}");
        }
        Value::Float(value, ty) => out.push_str(&json_float(
            *value,
            if ty.kind == Kind::Float32 { 32 } else { 64 },
        )?),
        Value::Complex(_) | Value::Func(_) => {
            return Err(CallError::new(format!(
                "json: unsupported type: {}",
                value.type_name()
            )));
        }
        Value::Number(text) => out.push_str(&json_number(text)?),
        Value::Str(text) => write_str(out, text, style),
        Value::Bytes(bytes) => {
            let text = base64::engine::general_purpose::STANDARD.encode(bytes);
            write_json_string(out, &text, false);
        }
        Value::List(list) => write_items(env, out, list.items(), style, depth)?,
        Value::Map(map) => {
            let entries = map.entries();
            write_entries(
                env,
                out,
                entries.iter().map(|(key, value)| (key, value)),
                style,
                depth,
            )?;
        }
        Value::Object(object) => {
            if let Some(encoded) = object.encoded() {
                return write_json(env, out, &encoded, style, depth);
            }
            match object.shape() {
                Shape::Struct(fields) => {
                    let fields: Vec<(Str, Value)> = json_fields(&**object, fields)
                        .map(|(name, value)| (Str::from(name), value))
                        .collect();
                    write_entries(
                        env,
                        out,
                        fields.iter().map(|(key, value)| (key, value)),
                        style,
                        depth,
                    )?;
                }
                Shape::Pointer(Some(target)) => match indirect(target) {
                    Value::Object(pointer) if matches!(pointer.shape(), Shape::Pointer(Some(_))) => {
                        return Err(CallError::limit("a pointer leads nowhere"));
                    }
                    target => write_json(env, out, &target, style, depth)?,
                },
                Shape::Pointer(None) => out.push_str("null"),
                Shape::Map(entries) => {
                    let mut named = Vec::with_capacity(entries.len());
                    for (key, value) in entries {
                        named.push((crate::families::args::strval(env, &key)?, value));
                    }
                    named.sort_by(|a, b| a.0.cmp(&b.0));
                    write_entries(
                        env,
                        out,
                        named.iter().map(|(key, value)| (key, value)),
                        style,
                        depth,
                    )?;
                }
                Shape::List(items) => write_items(env, out, &items, style, depth)?,
                Shape::Opaque => out.push_str("{}"),
            }
        }
    }
    Ok(())
}

/// The fields of a struct that JSON has, by its names.
fn json_fields(
    object: &dyn Object,
    fields: Vec<(&'static str, Value)>,
) -> impl Iterator<Item = (&'static str, Value)> {
    let renamed = object.json_fields();
    let is_renamed = renamed.is_some();
    let fields = renamed.unwrap_or(fields).into_iter();
    fields.filter(move |(name, _)| is_renamed || is_exported(name))
}

fn write_items(
    env: &mut Env<'_>,
    out: &mut String,
    items: &[Value],
    style: Style,
    depth: usize,
) -> Result<(), CallError> {
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        line(out, style, depth + 1);
        write_json(env, out, item, style, depth + 1)?;
    }
    if !items.is_empty() {
        line(out, style, depth);
    }
    out.push(']');
    Ok(())
}

fn write_entries<'v>(
    env: &mut Env<'_>,
    out: &mut String,
    entries: impl Iterator<Item = (&'v Str, &'v Value)>,
    style: Style,
    depth: usize,
) -> Result<(), CallError> {
    out.push('{');
    let mut any = false;
    for (key, value) in entries {
        if std::mem::replace(&mut any, true) {
            out.push(',');
        }
        line(out, style, depth + 1);
        write_str(out, key, style);
        out.push(':');
        if style == Style::Pretty {
            out.push(' ');
        }
        write_json(env, out, value, style, depth + 1)?;
    }
    if any {
        line(out, style, depth);
    }
    out.push('}');
    Ok(())
}

/// The value as JSON data, for the YAML emitters; what JSON cannot hold is an error.
pub(crate) fn to_json(env: &mut Env<'_>, value: &Value, depth: usize) -> Result<Json, CallError> {
    env.spend(1)?;
    if depth > MAX_NESTING {
        return Err(CallError::limit(TOO_DEEP));
    }
    Ok(match value {
        Value::Nil | Value::TypedNil(_) => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(value, _) => Json::Number((*value).into()),
        Value::Uint(value, _) => Json::Number((*value).into()),
        Value::Float(value, ty) if ty.kind == Kind::Float32 => number(&json_float(*value, 32)?),
        Value::Float(value, _) => match Number::from_f64(*value) {
            Some(number) => Json::Number(number),
            None => return json_float(*value, 64).map(Json::String),
        },
        Value::Number(text) => number(&json_number(text)?),
        Value::Str(text) => {
            env.reserve(text.len())?;
            Json::String(text.to_str().into_owned())
        }
        Value::List(list) => {
            let items: Result<Vec<_>, _> = list
                .items()
                .iter()
                .map(|item| to_json(env, item, depth + 1))
                .collect();
            Json::Array(items?)
        }
        Value::Map(map) => {
            let mut out = JsonMap::new();
            map.visit(|key, value| {
                env.reserve(key.len())?;
                out.insert(key.to_str().into_owned(), to_json(env, value, depth + 1)?);
                Ok::<_, CallError>(())
            })?;
            Json::Object(out)
        }
        Value::Object(object) => match (object.encoded(), object.shape()) {
            (Some(encoded), _) => to_json(env, &encoded, depth + 1)?,
            (None, Shape::Pointer(Some(target))) => to_json(env, &target, depth + 1)?,
            (None, Shape::Pointer(None)) => Json::Null,
            (None, Shape::Opaque) => Json::Object(JsonMap::new()),
            (None, Shape::List(items)) => {
                let items: Result<Vec<_>, _> =
                    items.iter().map(|item| to_json(env, item, depth + 1)).collect();
                Json::Array(items?)
            }
            (None, Shape::Struct(fields)) => {
                let mut out = JsonMap::new();
                for (name, value) in json_fields(&**object, fields) {
                    out.insert(name.to_owned(), to_json(env, &value, depth + 1)?);
                }
                Json::Object(out)
            }
            (None, Shape::Map(entries)) => {
                let mut out = JsonMap::new();
                for (key, value) in entries {
                    let key = crate::families::args::strval(env, &key)?;
                    out.insert(key.to_str().into_owned(), to_json(env, &value, depth + 1)?);
                }
                Json::Object(out)
            }
        },
        Value::Bytes(bytes) => Json::String(base64::engine::general_purpose::STANDARD.encode(bytes)),
        Value::Complex(_) | Value::Func(_) => {
            return Err(CallError::new(format!(
                "json: unsupported type: {}",
                value.type_name()
            )));
        }
    })
}

/// A JSON number of any notation.
fn number(text: &str) -> Json {
    if let Ok(int) = text.parse::<i64>() {
        return Json::Number(int.into());
    }
    if let Ok(uint) = text.parse::<u64>() {
        return Json::Number(uint.into());
    }
    text.parse::<f64>()
        .ok()
        .and_then(Number::from_f64)
        .map_or(Json::Null, Json::Number)
}

/// `yaml.Marshal` of sigs.k8s.io/yaml, without the line feed at the end.
pub(crate) fn yaml(env: &mut Env<'_>, value: &Value) -> Result<String, CallError> {
    let json = to_json(env, value, 0).map_err(|error| explained(error, value))?;
    let mut text = weir_yaml::emit::sigs(&json);
    env.reserve(text.len())?;
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}

/// What goyaml.v3 makes of a value. Unlike the others it knows no JSON: structs keep the order of their fields, whose
/// names it writes small, and bytes are numbers.
fn pretty_node(env: &mut Env<'_>, value: &Value, depth: usize) -> Result<Node, CallError> {
    if depth > MAX_NESTING {
        return Err(CallError::limit(TOO_DEEP));
    }
    env.spend(1)?;
    let numbers = |bytes: &[u8]| {
        let items = bytes.iter().map(|byte| weir_yaml::from_json(&Json::from(*byte)));
        Node::sequence(items.collect())
    };
    match value {
        Value::List(list) => sequence(env, list.items(), depth),
        Value::Map(map) => mapping(env, map.entries(), depth),
        Value::Bytes(bytes) => Ok(numbers(bytes)),
        Value::Float(value, _) if !value.is_finite() => {
            let text = match value {
                value if value.is_nan() => ".nan",
                value if value.is_sign_negative() => "-.inf",
                _ => ".inf",
            };
            Ok(Node::scalar(text, weir_yaml::Tag::Float))
        }
        // The encoder panics, and the template says so.
        Value::Complex(_) | Value::Func(_) => Err(CallError::new(format!(
            "cannot marshal type: {}",
            value.type_name()
        ))),
        Value::TypedNil(ty) if ty.kind == Kind::Map => Ok(Node::mapping(Vec::new())),
        Value::TypedNil(ty) if ty.kind == Kind::Slice => Ok(Node::sequence(Vec::new())),
        // It knows times, which to the others are texts.
        Value::Object(object) if crate::ty::TIME.same(object.ty()) => match object.encoded() {
            Some(Value::Str(text)) => Ok(Node::plain(text.to_str().into_owned())),
            _ => to_json(env, value, depth).map(|json| order::node(&json)),
        },
        Value::Object(object) if object.encoded().is_none() => match object.shape() {
            Shape::Pointer(Some(target)) => pretty_node(env, &target, depth + 1),
            Shape::List(items) => sequence(env, &items, depth),
            Shape::Map(entries) if entries.iter().all(|(key, _)| matches!(key, Value::Str(_))) => {
                let entries = entries.into_iter().filter_map(|(key, value)| match key {
                    Value::Str(key) => Some((key, value)),
                    _ => None,
                });
                mapping(env, entries.collect(), depth)
            }
            Shape::Struct(fields) => {
                let mut entries = Vec::with_capacity(fields.len());
                for (name, value) in fields.into_iter().filter(|(name, _)| is_exported(name)) {
                    let key = Node::string(name.to_ascii_lowercase());
                    entries.push((key, pretty_node(env, &value, depth + 1)?));
                }
                Ok(Node::mapping(entries))
            }
            _ => to_json(env, value, depth).map(|json| order::node(&json)),
        },
        _ => to_json(env, value, depth).map(|json| order::node(&json)),
    }
}

fn sequence(env: &mut Env<'_>, items: &[Value], depth: usize) -> Result<Node, CallError> {
    let items: Result<Vec<Node>, CallError> = items
        .iter()
        .map(|item| pretty_node(env, item, depth + 1))
        .collect();
    items.map(Node::sequence)
}

fn mapping(env: &mut Env<'_>, entries: Vec<(Str, Value)>, depth: usize) -> Result<Node, CallError> {
    let mut keyed = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        env.reserve(key.len())?;
        keyed.push((key.to_str().into_owned(), pretty_node(env, &value, depth + 1)?));
    }
    Ok(order::mapping(keyed))
}

/// What goyaml.v3's encoder prints with an indent of two, without the line feed at the end.
pub(crate) fn pretty_yaml(env: &mut Env<'_>, value: &Value) -> Result<String, CallError> {
    let node = pretty_node(env, value, 0).map_err(|error| explained(error, value))?;
    let mut text = weir_yaml::emit::kyaml_with(&node, weir_yaml::emit::SequenceIndent::Wide);
    env.reserve(text.len())?;
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}
