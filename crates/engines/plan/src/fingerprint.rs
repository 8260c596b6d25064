//! A short stand-in for a whole object.

use std::fmt;

use aws_lc_rs::digest;
use serde_json::Value;
use weir_apis::Object;

/// SHA-256 of an object's canonical JSON: equal fingerprints mean equal objects, whatever the order of their
/// keys. It lets "nothing has changed since the last apply" be known without a dry run, and holds no value
/// of the object itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of an object.
    pub fn of(object: &Object) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        let map = object.as_map();
        write_map(map, &mut context);
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(context.finish().as_ref()) {
            *to = *from;
        }
        Self(bytes)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

fn write_map(map: &serde_json::Map<String, Value>, out: &mut digest::Context) {
    let mut keys: Vec<&String> = map.keys().collect();
    keys.sort_unstable();
    out.update(b"{");
    for key in keys {
        write_text(key, out);
        if let Some(value) = map.get(key) {
            write(value, out);
        }
    }
    out.update(b"}");
}

fn write(value: &Value, out: &mut digest::Context) {
    match value {
        Value::Object(map) => write_map(map, out),
        Value::Array(list) => {
            out.update(b"[");
            for item in list {
                write(item, out);
            }
            out.update(b"]");
        }
        Value::String(text) => write_text(text, out),
        Value::Number(_) | Value::Bool(_) | Value::Null => {
            out.update(value.to_string().as_bytes());
            out.update(b",");
        }
    }
}

/// Text is written behind its length, so that no two sequences of values read the same.
fn write_text(text: &str, out: &mut digest::Context) {
    out.update(format!("\"{}:", text.len()).as_bytes());
    out.update(text.as_bytes());
}
