//! The suffix that names of generated objects end in.

use std::fmt::Write;

use serde_json::{Map, Number, Value};
use weir_yaml::{Dialect, Node, go_json_number, to_json};

use crate::error::Result;
use crate::resource;

/// The ten-character hash of an object's content, as `kustomize build` and kubectl make it.
pub(crate) fn suffix(node: &Node) -> Result<String> {
    let fields: &[&str] = match resource::kind(node) {
        "ConfigMap" => &["data", "binaryData"],
        "Secret" => &["data", "stringData", "type"],
        // kustomize hashes its own structure of the tree here: styles, comments, and the lines and columns that nodes were
        // read at. Nothing can reproduce that without being kustomize. Only a hand-written annotation of kustomize's
        // internal ones (`needsHashSuffix`) gets any other kind here: generators make these two alone.
        _ => return Ok(encode(&go_json(&to_json(node, Dialect::Kyaml)?))),
    };
    let mut map = Map::new();
    map.insert("kind".into(), resource::kind(node).into());
    // Upstream looks for a field of the name `metadata/name`, which no object has.
    map.insert("name".into(), "".into());
    for field in fields {
        let value = match node.get(field) {
            None => Value::String(String::new()),
            Some(value) => match value.as_str() {
                Some(text) => Value::String(text.to_owned()),
                None => to_json(value, Dialect::Kyaml)?,
            },
        };
        let optional = matches!(*field, "binaryData" | "stringData");
        if !optional || value.is_object() {
            map.insert((*field).into(), value);
        }
    }
    Ok(encode(&go_json(&Value::Object(map))))
}

/// JSON as Go writes it: keys sorted, `<`, `>`, `&` and the two line separators escaped.
fn go_json(value: &Value) -> String {
    let mut out = String::new();
    write_json(value, &mut out);
    out
}

fn write_json(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (number, item) in items.iter().enumerate() {
                if number > 0 {
                    out.push(',');
                }
                write_json(item, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|a, b| a.0.cmp(b.0));
            out.push('{');
            for (number, (key, value)) in entries.into_iter().enumerate() {
                if number > 0 {
                    out.push(',');
                }
                write_text(key, out);
                out.push(':');
                write_json(value, out);
            }
            out.push('}');
        }
        Value::String(text) => write_text(text, out),
        // On kustomize's way here every number becomes a float.
        Value::Number(number) => {
            let float = number.as_f64().and_then(Number::from_f64);
            out.push_str(&go_json_number(float.as_ref().unwrap_or(number)));
        }
        other => out.push_str(&other.to_string()),
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// The first ten hexadecimal digits of the SHA-256, vowels and look-alikes replaced.
fn encode(text: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    let mut hex = String::new();
    for byte in digest.as_ref().iter().take(5) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex.chars()
        .map(|c| match c {
            '0' => 'g',
            '1' => 'h',
            '3' => 'k',
            'a' => 'm',
            'e' => 't',
            c => c,
        })
        .collect()
}
