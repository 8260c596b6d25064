//! TOML as BurntSushi's encoder writes it.

use std::fmt::Write;

use crate::fmt::{MAX_NESTING, format_float};
use crate::object::is_exported;
use crate::types::Kind;
use crate::{CallError, Env, Shape, Str, Value};

/// `toml.Encode`
pub(crate) fn to_toml(env: &mut Env<'_>, value: &Value) -> Result<String, CallError> {
    let mut writer = Writer {
        env,
        out: String::new(),
        key: String::new(),
    };
    match table(value) {
        Some(entries) => writer.table(&[], entries)?,
        None if tables(value).is_some() => {
            return Err(CallError::new(
                "toml: top-level values must be Go maps or structs",
            ));
        }
        // Go writes a bare value for it.
        None => writer.element(value, 0)?,
    }
    writer.env.reserve(writer.out.len())?;
    Ok(writer.out)
}

struct Writer<'e, 'r> {
    env: &'e mut Env<'r>,
    out: String,
    /// Of the value that is being written, for messages.
    key: String,
}

type Entries = Vec<(Str, Value)>;

/// The entries, if it is a table.
fn table(value: &Value) -> Option<Entries> {
    match value {
        Value::Map(map) => Some(map.entries()),
        Value::TypedNil(ty) if ty.kind == Kind::Map => Some(Vec::new()),
        Value::Object(object) if object.encoded().is_none() => match object.shape() {
            Shape::Struct(fields) => Some(
                fields
                    .into_iter()
                    .filter(|(name, _)| is_exported(name))
                    .map(|(name, value)| (name.into(), value))
                    .collect(),
            ),
            Shape::Pointer(Some(target)) => table(&target),
            Shape::Map(entries) => entries
                .into_iter()
                .map(|(key, value)| match key {
                    Value::Str(key) => Some((key, value)),
                    _ => None,
                })
                .collect(),
            _ => None,
        },
        _ => None,
    }
}

/// The items, if it is a list of tables and nothing else.
fn tables(value: &Value) -> Option<Vec<Entries>> {
    match value {
        Value::List(list) if !list.is_empty() => list.items().iter().map(table).collect(),
        _ => None,
    }
}

fn is_table(value: &Value) -> bool {
    table(value).is_some() || tables(value).is_some()
}

pub(super) fn key_text(key: &Str) -> String {
    let text = key.to_str();
    let is_bare = !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if is_bare { text.into_owned() } else { quoted(&text) }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..'\u{20}' | '\u{7f}' => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

impl Writer<'_, '_> {
    fn indent(&mut self, depth: usize) {
        self.out
            .extend(std::iter::repeat_n("  ", depth.saturating_sub(1)));
    }

    fn table(&mut self, path: &[Str], entries: Entries) -> Result<(), CallError> {
        self.env.spend(1 + entries.len())?;
        if path.len() > MAX_NESTING {
            return Err(CallError::limit("a value nests too deeply to be encoded"));
        }
        let (tables, plain): (Entries, Entries) = entries.into_iter().partition(|(_, value)| is_table(value));
        for (key, value) in plain {
            if value.is_nil() {
                continue;
            }
            self.indent(path.len() + 1);
            let _ = write!(self.out, "{} = ", key_text(&key));
            self.key = path
                .iter()
                .chain([&key])
                .map(key_text)
                .collect::<Vec<_>>()
                .join(".");
            self.element(&value, path.len())?;
            self.out.push('\n');
        }
        for (key, value) in tables {
            if value.is_nil() {
                continue;
            }
            let mut path = path.to_vec();
            path.push(key);
            let name = path.iter().map(key_text).collect::<Vec<_>>().join(".");
            if let Some(items) = self::tables(&value) {
                for entries in items {
                    self.gap();
                    self.indent(path.len());
                    let _ = writeln!(self.out, "[[{name}]]");
                    self.table(&path, entries)?;
                }
            } else if let Some(entries) = self::table(&value) {
                if path.len() == 1 {
                    self.gap();
                }
                self.indent(path.len());
                let _ = writeln!(self.out, "[{name}]");
                self.table(&path, entries)?;
            }
        }
        Ok(())
    }

    fn unsupported(&self, type_name: &str) -> CallError {
        CallError::new(format!("unsupported type for key '{}': {type_name}", self.key))
    }

    fn gap(&mut self) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
    }

    fn element(&mut self, value: &Value, depth: usize) -> Result<(), CallError> {
        self.env.spend(1)?;
        if depth > MAX_NESTING {
            return Err(CallError::limit("a value nests too deeply to be encoded"));
        }
        if let Some(entries) = table(value) {
            self.out.push('{');
            let (tables, plain): (Entries, Entries) =
                entries.into_iter().partition(|(_, value)| is_table(value));
            self.inline(&plain, !tables.is_empty(), depth)?;
            self.inline(&tables, false, depth)?;
            self.out.push('}');
            return Ok(());
        }
        match value {
            Value::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Value::Int(value, _) => {
                let _ = write!(self.out, "{value}");
            }
            Value::Uint(value, _) => {
                let _ = write!(self.out, "{value}");
            }
            Value::Float(value, _) if value.is_nan() => self.out.push_str("nan"),
            Value::Float(value, _) if value.is_infinite() => {
                self.out.push_str(if *value > 0.0 { "+inf" } else { "-inf" });
            }
            Value::Float(value, _) => {
                let text = format_float(*value, 'g', None, 64);
                self.out.push_str(&text);
                if !text.contains(['.', 'e']) {
                    self.out.push_str(".0");
                }
            }
            Value::Number(text) => self.out.push_str(&text.to_str()),
            Value::Str(text) => {
                let text = quoted(&text.to_str());
                self.out.push_str(&text);
            }
            Value::List(list) => self.array(list.items(), depth)?,
            Value::Bytes(bytes) => {
                let items: Vec<Value> = bytes
                    .iter()
                    .map(|byte| Value::Uint(u64::from(*byte), &crate::ty::UINT8))
                    .collect();
                self.array(&items, depth)?;
            }
            Value::Object(object) => match (object.encoded(), object.shape()) {
                (Some(Value::Str(text)), _) if crate::ty::TIME.same(object.ty()) => {
                    self.out.push_str(&text.to_str());
                }
                (Some(encoded), _) => self.element(&encoded, depth + 1)?,
                (None, Shape::List(items)) => self.array(&items, depth)?,
                _ => return Err(self.unsupported(object.ty().name)),
            },
            other => {
                return Err(self.unsupported(other.type_name()));
            }
        }
        Ok(())
    }

    /// Entries on one line. As Go writes them, a comma follows each but the last, also where the last is nil and not
    /// written.
    fn inline(&mut self, entries: &[(Str, Value)], more: bool, depth: usize) -> Result<(), CallError> {
        for (index, (key, value)) in entries.iter().enumerate() {
            if value.is_nil() {
                continue;
            }
            let _ = write!(self.out, "{} = ", key_text(key));
            self.element(value, depth + 1)?;
            if more || index + 1 < entries.len() {
                self.out.push_str(", ");
            }
        }
        Ok(())
    }

    fn array(&mut self, items: &[Value], depth: usize) -> Result<(), CallError> {
        self.out.push('[');
        for (index, item) in items.iter().enumerate() {
            if item.is_nil() {
                return Err(CallError::new("toml: cannot encode array with nil element"));
            }
            if index > 0 {
                self.out.push_str(", ");
            }
            self.element(item, depth + 1)?;
        }
        self.out.push(']');
        Ok(())
    }
}
