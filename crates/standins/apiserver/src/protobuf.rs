//! Bodies in protobuf, which kubectl's own commands and Go controllers send: read into JSON by the field numbers of
//! the schema. Answers are JSON in any case; clients take both.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value, json};
use weir_schema::{Element, GroupVersionKind, Kind, Schemas, TypeInfo};

use crate::object;

/// What every Kubernetes protobuf body begins with.
const MAGIC: &[u8] = b"k8s\0";

/// More nesting than this is no object of ours.
const DEPTH: usize = 64;

/// Reads a body: an envelope with the type's name, and the object inside. `None` when it is malformed or of a type
/// that is not built in.
pub(crate) fn read(schemas: &Schemas, body: &[u8]) -> Option<Value> {
    let envelope = fields(body.strip_prefix(MAGIC)?)?;
    let meta = fields(bytes_of(&envelope, 1)?)?;
    let api_version = std::str::from_utf8(bytes_of(&meta, 1)?).ok()?;
    let kind = std::str::from_utf8(bytes_of(&meta, 2)?).ok()?;
    let raw = bytes_of(&envelope, 2).unwrap_or_default();
    let info = schemas.lookup(&GroupVersionKind::from_api_version(api_version, kind))?;
    let mut object = message(raw, info, DEPTH)?;
    object::set(&mut object, &["apiVersion"], json!(api_version));
    object::set(&mut object, &["kind"], json!(kind));
    Some(object)
}

/// A field as it stands on the wire.
#[derive(Debug, Clone, Copy)]
enum Wire<'b> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'b [u8]),
    Fixed32(u32),
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// All fields of a message, in order.
fn fields(mut bytes: &[u8]) -> Option<Vec<(u32, Wire<'_>)>> {
    let mut out = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let number = u32::try_from(tag >> 3).ok()?;
        let value = match tag & 7 {
            0 => Wire::Varint(varint(&mut bytes)?),
            1 => {
                let (head, rest) = bytes.split_first_chunk::<8>()?;
                bytes = rest;
                Wire::Fixed64(u64::from_le_bytes(*head))
            }
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                let (head, rest) = bytes.split_at_checked(length)?;
                bytes = rest;
                Wire::Bytes(head)
            }
            5 => {
                let (head, rest) = bytes.split_first_chunk::<4>()?;
                bytes = rest;
                Wire::Fixed32(u32::from_le_bytes(*head))
            }
            _ => return None,
        };
        out.push((number, value));
    }
    Some(out)
}

fn bytes_of<'b>(fields: &[(u32, Wire<'b>)], number: u32) -> Option<&'b [u8]> {
    fields.iter().find_map(|(known, value)| match value {
        Wire::Bytes(bytes) if *known == number => Some(*bytes),
        _ => None,
    })
}

fn int_of(fields: &[(u32, Wire<'_>)], number: u32) -> i64 {
    let found = fields.iter().find_map(|(known, value)| match value {
        // Negative numbers are written as huge ones.
        Wire::Varint(value) if *known == number => Some(value.cast_signed()),
        _ => None,
    });
    found.unwrap_or(0)
}

fn message(bytes: &[u8], info: TypeInfo<'_>, depth: usize) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    if let Some(special) = special(bytes, info) {
        return special.ok();
    }
    let wire = fields(bytes)?;
    let mut out = Map::new();
    for (name, site) in info.fields() {
        let [inner @ .., last] = site.wire_path() else {
            continue;
        };
        let Some(values) = follow(&wire, inner, *last) else {
            continue;
        };
        if let Some(value) = field(&values, site, depth).ok()? {
            out.insert(name.to_owned(), value);
        }
    }
    Some(Value::Object(out))
}

/// The values of a field, through the messages of embedded structs.
fn follow<'b>(wire: &[(u32, Wire<'b>)], inner: &[u32], last: u32) -> Option<Vec<Wire<'b>>> {
    match inner {
        [] => Some(
            wire.iter()
                .filter(|(number, _)| *number == last)
                .map(|(_, value)| *value)
                .collect(),
        ),
        [first, rest @ ..] => follow(&fields(bytes_of(wire, *first)?)?, rest, last),
    }
}

/// What is no message of its type.
struct Malformed;

/// A field's value, when it is there.
fn field(values: &[Wire<'_>], site: TypeInfo<'_>, depth: usize) -> Result<Option<Value>, Malformed> {
    let Some(last) = values.last() else {
        return Ok(None);
    };
    let read = if site.kind() == Kind::Array {
        list(values, site, depth)
    } else if site.kind() == Kind::Object
        && !site.has_fields()
        && let Element::Typed(inner) = site.additional()
    {
        map(values, inner, depth)
    } else {
        single(*last, site, depth)
    };
    read.map(Some).ok_or(Malformed)
}

fn list(values: &[Wire<'_>], site: TypeInfo<'_>, depth: usize) -> Option<Value> {
    let item = site.items()?;
    values.iter().map(|value| single(*value, item, depth)).collect()
}

fn map(values: &[Wire<'_>], inner: TypeInfo<'_>, depth: usize) -> Option<Value> {
    let mut out = Map::new();
    for value in values {
        let Wire::Bytes(entry) = value else { return None };
        let entry = fields(entry)?;
        let key = std::str::from_utf8(bytes_of(&entry, 1).unwrap_or_default()).ok()?;
        let value = entry
            .iter()
            .find(|(number, _)| *number == 2)
            .map_or(Wire::Bytes(&[]), |(_, value)| *value);
        out.insert(key.to_owned(), map_value(value, inner, depth)?);
    }
    Some(Value::Object(out))
}

/// A list as the value of a map is a message around it.
fn map_value(value: Wire<'_>, site: TypeInfo<'_>, depth: usize) -> Option<Value> {
    if site.kind() != Kind::Array {
        return single(value, site, depth);
    }
    let Wire::Bytes(bytes) = value else { return None };
    let item = site.items()?;
    let inner = fields(bytes)?;
    inner
        .iter()
        .filter(|(number, _)| *number == 1)
        .map(|(_, value)| single(*value, item, depth))
        .collect::<Option<_>>()
}

fn single(value: Wire<'_>, site: TypeInfo<'_>, depth: usize) -> Option<Value> {
    match value {
        Wire::Varint(number) if site.kind() == Kind::Boolean => Some(json!(number != 0)),
        Wire::Varint(number) => Some(json!(number.cast_signed())),
        Wire::Fixed64(bits) => Number::from_f64(f64::from_bits(bits)).map(Value::Number),
        Wire::Fixed32(bits) => Number::from_f64(f64::from(f32::from_bits(bits))).map(Value::Number),
        Wire::Bytes(bytes) => match site.type_name() {
            None if site.kind() == Kind::String => text(bytes, site),
            _ => message(bytes, site, depth),
        },
    }
}

fn text(bytes: &[u8], site: TypeInfo<'_>) -> Option<Value> {
    if site.format() == Some("byte") {
        return Some(json!(STANDARD.encode(bytes)));
    }
    std::str::from_utf8(bytes).ok().map(|text| json!(text))
}

/// Types whose JSON is not that of their message; `None` for all others.
fn special(bytes: &[u8], info: TypeInfo<'_>) -> Option<Result<Value, Malformed>> {
    let name = info.type_name()?.rsplit('.').next()?;
    let wire = || fields(bytes);
    let read = match name {
        // No time at all is written as nothing, not as the beginning of 1970.
        "Time" | "MicroTime" if bytes.is_empty() => Some(Value::Null),
        "Time" | "MicroTime" => wire().and_then(|wire| {
            let nanos = i32::try_from(int_of(&wire, 2)).ok()?;
            let time = jiff::Timestamp::new(int_of(&wire, 1), nanos).ok()?;
            Some(json!(if name == "Time" {
                object::write_time(time)
            } else {
                time.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
            }))
        }),
        "Quantity" => wire().and_then(|wire| {
            let text = std::str::from_utf8(bytes_of(&wire, 1).unwrap_or_default()).ok()?;
            Some(json!(text))
        }),
        "IntOrString" => wire().and_then(|wire| {
            if int_of(&wire, 1) == 0 {
                return Some(json!(int_of(&wire, 2)));
            }
            let text = std::str::from_utf8(bytes_of(&wire, 3).unwrap_or_default()).ok()?;
            Some(json!(text))
        }),
        "FieldsV1" | "RawExtension" | "JSON" => {
            wire().and_then(|wire| serde_json::from_slice(bytes_of(&wire, 1).unwrap_or(b"null")).ok())
        }
        _ => return None,
    };
    Some(read.ok_or(Malformed))
}

#[cfg(test)]
mod tests {
    use weir_schema::Schemas;

    use super::read;

    /// An envelope around a ConfigMap called `a` with `x: 1`.
    fn config_map() -> Vec<u8> {
        let field = |number: u8, bytes: &[u8]| {
            let mut out = vec![number << 3 | 2, u8::try_from(bytes.len()).expect("short")];
            out.extend_from_slice(bytes);
            out
        };
        let meta = [field(1, b"v1"), field(2, b"ConfigMap")].concat();
        let entry = [field(1, b"x"), field(2, b"1")].concat();
        let object = [field(1, &field(1, b"a")), field(2, &entry)].concat();
        [b"k8s\0".to_vec(), field(1, &meta), field(2, &object)].concat()
    }

    #[test]
    fn a_body_is_read_by_field_numbers() {
        let object = read(&Schemas::builtin(), &config_map()).expect("well-formed");
        let expected = serde_json::json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "1"},
        });
        assert_eq!(object, expected);
    }

    #[test]
    fn a_body_cut_anywhere_is_refused_or_shorter() {
        let schemas = Schemas::builtin();
        let whole = config_map();
        for end in 0..whole.len() {
            let cut = whole.get(..end).expect("within");
            assert_ne!(read(&schemas, cut), read(&schemas, &whole), "cut at {end}");
        }
    }
}
