//! Fields within text that is itself JSON or YAML, such as a file in a ConfigMap.

use serde_json::Value;
use weir_yaml::{Data, Dialect, Node, emit, parse_all, to_json};

use super::put;
use super::visit::fields;
use crate::ops::{self, Kind};

/// Sets fields within the first scalar on the path, if it holds structured text that has them.
/// Returns whether it did; if not, nothing is changed.
pub(super) fn set(node: &mut Node, parts: &[String], value: &Node, create: Option<Kind>) -> bool {
    for end in 1..parts.len() {
        let (Some(outer), Some(inner)) = (parts.get(..end), parts.get(end..)) else {
            return false;
        };
        let Ok(Some(found)) = ops::lookup(node, outer) else {
            continue;
        };
        let Some(text) = found.as_str() else {
            continue;
        };
        if parse_all(text).is_err() {
            continue;
        }
        let Some(changed) = change(text, inner, value, create) else {
            return false;
        };
        // The path leads to a scalar, as the lookup above has shown.
        let mut done = false;
        let found = fields(node, outer, None, &mut |field| {
            if !done && let Data::Scalar(text) = field.data_mut() {
                *text = changed.as_str().into();
                done = true;
            }
            Ok(())
        });
        return found.is_ok() && done;
    }
    false
}

fn change(text: &str, parts: &[String], value: &Node, create: Option<Kind>) -> Option<String> {
    let mut document = parse_all(text).ok()?.into_iter().next()?;
    let root = document.root.as_mut()?;
    let count = fields(root, parts, create, &mut |field| {
        put(field, value.clone());
        Ok(())
    })
    .ok()?;
    if count == 0 {
        return None;
    }
    if text.trim_start().starts_with(['{', '[']) {
        let value = to_json(document.root.as_ref()?, Dialect::Kyaml).ok()?;
        let value = sorted(value);
        let pretty = text.contains('\n') && text.contains("  ");
        let json = if pretty {
            serde_json::to_string_pretty(&value)
        } else {
            serde_json::to_string(&value)
        };
        return json.ok().map(|json| escape_html(&json));
    }
    let printed = emit::document(&document, emit::SequenceIndent::Compact);
    Some(printed.trim().to_owned())
}

/// Keys in order, whatever map serde_json was built with.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.into_iter().collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(
                entries
                    .into_iter()
                    .map(|(key, value)| (key, sorted(value)))
                    .collect(),
            )
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

/// Go's JSON escapes what HTML would read.
fn escape_html(json: &str) -> String {
    json.replace('&', "\\u0026")
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}
