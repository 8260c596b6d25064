//! JSON as Go's `encoding/json` writes it: `<`, `>` and `&` escaped, whole floats without a point.

use serde_json::Value;

use crate::values::Table;

/// Writes a string.
pub(crate) fn string(text: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push('"');
    let mut start = 0;
    for (at, c) in text.char_indices() {
        let short = match c {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\u{8}' => "\\b",
            '\u{c}' => "\\f",
            '\u{2028}' => "\\u2028",
            '\u{2029}' => "\\u2029",
            '<' => "\\u003c",
            '>' => "\\u003e",
            '&' => "\\u0026",
            c if c < ' ' => "",
            _ => continue,
        };
        out.push_str(text.get(start..at).unwrap_or_default());
        start = at + c.len_utf8();
        if short.is_empty() {
            let code = c as usize;
            out.push_str("\\u00");
            for digit in [code >> 4, code & 15] {
                out.push(HEX.get(digit).copied().unwrap_or(b'0').into());
            }
        } else {
            out.push_str(short);
        }
    }
    out.push_str(text.get(start..).unwrap_or_default());
    out.push('"');
}

/// Writes a float.
pub(crate) fn float(value: f64, out: &mut String) {
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{value:e}");
        match text.split_once('e') {
            Some((mantissa, exponent)) if !exponent.starts_with('-') => {
                out.push_str(mantissa);
                out.push_str("e+");
                out.push_str(exponent);
            }
            _ => out.push_str(&text),
        }
    } else if value == 0.0 && value.is_sign_negative() {
        out.push_str("-0");
    } else {
        out.push_str(&value.to_string());
    }
}

/// Writes a value, the keys of tables sorted.
pub(crate) fn value(json: &Value, out: &mut String) {
    match json {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(number) => float(number, out),
            None => out.push_str(&number.to_string()),
        },
        Value::String(text) => string(text, out),
        Value::Array(items) => list(items, out, value),
        Value::Object(map) => table(map, out),
    }
}

/// Writes a table, its keys sorted.
pub(crate) fn table(table: &Table, out: &mut String) {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| *key);
    let mut object = Object::new(out);
    for (key, entry) in entries {
        value(entry, object.key(key));
    }
    object.end();
}

/// Writes a list.
pub(crate) fn list<T>(items: &[T], out: &mut String, item: impl Fn(&T, &mut String)) {
    out.push('[');
    for (at, one) in items.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        item(one, out);
    }
    out.push(']');
}

/// Compact JSON that comes in pieces, cut anywhere, indented by two blanks a level as Go's `MarshalIndent` does it.
#[derive(Debug, Default)]
pub(crate) struct Indented {
    out: String,
    depth: usize,
    in_text: bool,
    is_escaped: bool,
    /// Whether a collection has just been opened: one that is closed at once stays on its line.
    opened: bool,
}

impl Indented {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self {
            out: String::with_capacity(bytes),
            ..Self::default()
        }
    }

    pub(crate) fn push(&mut self, compact: &str) {
        for c in compact.chars() {
            self.take(c);
        }
    }

    pub(crate) fn finish(self) -> String {
        self.out
    }

    fn take(&mut self, c: char) {
        if self.in_text {
            self.out.push(c);
            (self.in_text, self.is_escaped) = (self.is_escaped || c != '"', !self.is_escaped && c == '\\');
            return;
        }
        match c {
            '}' | ']' => {
                self.depth = self.depth.saturating_sub(1);
                if !self.opened {
                    self.line();
                }
                self.opened = false;
                self.out.push(c);
                return;
            }
            _ if self.opened => {
                self.opened = false;
                self.line();
            }
            _ => {}
        }
        self.out.push(c);
        match c {
            '{' | '[' => {
                self.depth += 1;
                self.opened = true;
            }
            ',' => self.line(),
            ':' => self.out.push(' '),
            '"' => self.in_text = true,
            _ => {}
        }
    }

    fn line(&mut self) {
        self.out.push('\n');
        for _ in 0..self.depth {
            self.out.push_str("  ");
        }
    }
}

/// A struct that is being written.
pub(crate) struct Object<'o> {
    out: &'o mut String,
    is_empty: bool,
}

impl<'o> Object<'o> {
    pub(crate) fn new(out: &'o mut String) -> Self {
        out.push('{');
        Self { out, is_empty: true }
    }

    /// Begins a field; its value is written to what this gives.
    pub(crate) fn key(&mut self, name: &str) -> &mut String {
        if !self.is_empty {
            self.out.push(',');
        }
        self.is_empty = false;
        string(name, self.out);
        self.out.push(':');
        self.out
    }

    /// A text.
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        string(text, self.key(name));
    }

    /// A text, unless it is empty.
    pub(crate) fn some_text(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.text(name, text);
        }
    }

    /// A list of texts, unless it is empty.
    pub(crate) fn some_texts<T: AsRef<str>>(&mut self, name: &str, texts: &[T]) {
        if !texts.is_empty() {
            list(texts, self.key(name), |text, out| string(text.as_ref(), out));
        }
    }

    /// Anything that prints, as a text, unless it is not there.
    pub(crate) fn some(&mut self, name: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.text(name, &value.to_string());
        }
    }

    pub(crate) fn end(self) {
        self.out.push('}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_look_as_gos() {
        for (number, expected) in [
            (3.0, "3"),
            (0.0, "0"),
            (-0.0, "-0"),
            (1.5, "1.5"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.5e-7, "1.5e-7"),
            (0.000_001, "0.000001"),
        ] {
            let mut out = String::new();
            float(number, &mut out);
            assert_eq!(out, expected);
        }
        let mut out = String::new();
        string("a<b>&\"\\\n\t\u{1}\u{8}\u{7f}é\u{2028}", &mut out);
        assert_eq!(
            out,
            "\"a\\u003cb\\u003e\\u0026\\\"\\\\\\n\\t\\u0001\\b\u{7f}é\\u2028\""
        );
    }

    #[test]
    fn indents_as_go() {
        let compact = r#"{"a":{},"b":[],"c":[1,{"d":"x,{\"y"}],"e":"\\"}"#;
        let expected = r#"{
  "a": {},
  "b": [],
  "c": [
    1,
    {
      "d": "x,{\"y"
    }
  ],
  "e": "\\"
}"#;
        let mut whole = Indented::default();
        whole.push(compact);
        assert_eq!(whole.finish(), expected);
        let mut pieces = Indented::default();
        for c in compact.chars() {
            pieces.push(&c.to_string());
        }
        assert_eq!(pieces.finish(), expected);
    }
}
