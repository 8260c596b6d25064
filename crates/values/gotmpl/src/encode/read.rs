//! JSON as `encoding/json` reads it, with its messages.

use crate::families::args::parse_float;
use crate::fmt::MAX_NESTING;
use crate::{CallError, Env, List, Map, Str, Value};

struct Reader<'t, 'e, 'r> {
    text: &'t [u8],
    at: usize,
    env: &'e mut Env<'r>,
    /// A number that is out of range does not end the reading.
    refused: Option<String>,
}

enum Stop {
    Syntax(String),
    Limit(CallError),
}

type Result<T> = std::result::Result<T, Stop>;

impl From<CallError> for Stop {
    fn from(error: CallError) -> Self {
        Self::Limit(error)
    }
}

/// Reads a JSON text, numbers as float64. The inner error is what Go says of a text that is none.
pub(crate) fn parse_json(
    env: &mut Env<'_>,
    text: &Str,
) -> std::result::Result<std::result::Result<Value, String>, CallError> {
    env.reserve(text.len())?;
    let mut reader = Reader {
        text: text.as_bytes(),
        at: 0,
        env,
        refused: None,
    };
    match reader.whole() {
        Ok(value) => Ok(reader.refused.map_or(Ok(value), Err)),
        Err(Stop::Syntax(message)) => Ok(Err(message)),
        Err(Stop::Limit(error)) => Err(error),
    }
}

fn shown(byte: u8) -> String {
    match byte {
        b'\'' => r"'\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        byte => crate::quote::quote_char(char::from(byte), false),
    }
}

impl Reader<'_, '_, '_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn invalid<T>(&self, context: &str) -> Result<T> {
        Err(Stop::Syntax(match self.peek() {
            None => "unexpected end of JSON input".to_owned(),
            Some(byte) => format!("invalid character {} {context}", shown(byte)),
        }))
    }

    fn whole(&mut self) -> Result<Value> {
        let value = self.value(0)?;
        self.space();
        if self.peek().is_some() {
            return self.invalid("after top-level value");
        }
        Ok(value)
    }

    fn value(&mut self, depth: usize) -> Result<Value> {
        self.env.spend(1)?;
        if depth > MAX_NESTING {
            return Err(Stop::Syntax("exceeded max depth".to_owned()));
        }
        self.space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Value::Str),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Nil),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.invalid("looking for beginning of value"),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value> {
        for (index, byte) in word.bytes().enumerate() {
            if index > 0 && self.peek() != Some(byte) {
                let expected = char::from(byte);
                return self.invalid(&format!("in literal {word} (expecting '{expected}')"));
            }
            self.at += 1;
        }
        Ok(value)
    }

    fn object(&mut self, depth: usize) -> Result<Value> {
        self.at += 1;
        let map = Map::new();
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(map.into());
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return self.invalid("looking for beginning of object key string");
            }
            let key = self.string()?;
            self.space();
            if self.peek() != Some(b':') {
                return self.invalid("after object key");
            }
            self.at += 1;
            let value = self.value(depth + 1)?;
            map.insert(key, value);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(map.into());
                }
                _ => return self.invalid("after object key:value pair"),
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(List::new(items).into());
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(List::new(items).into());
                }
                _ => return self.invalid("after array element"),
            }
        }
    }

    fn number(&mut self) -> Result<Value> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let digits = |reader: &mut Self| {
            while matches!(reader.peek(), Some(b'0'..=b'9')) {
                reader.at += 1;
            }
        };
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => digits(self),
            _ => return self.invalid("in numeric literal"),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if !matches!(self.peek(), Some(b'0'..=b'9')) {
                return self.invalid("after decimal point in numeric literal");
            }
            digits(self);
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if !matches!(self.peek(), Some(b'0'..=b'9')) {
                return self.invalid("in exponent of numeric literal");
            }
            digits(self);
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        let text = std::str::from_utf8(text).unwrap_or_default();
        if let Some(number) = parse_float(text) {
            Ok(Value::float(number))
        } else {
            let message = format!("json: cannot unmarshal number {text} into Go value of type float64");
            self.refused.get_or_insert(message);
            Ok(Value::Nil)
        }
    }

    fn hex(&mut self) -> Result<u32> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return self.invalid("in \\u hexadecimal character escape");
            };
            code = code << 4 | digit;
            self.at += 1;
        }
        Ok(code)
    }

    fn string(&mut self) -> Result<Str> {
        self.at += 1;
        let mut out: Vec<u8> = Vec::new();
        loop {
            match self.peek() {
                None => return self.invalid(""),
                Some(b'"') => {
                    self.at += 1;
                    // Bad bytes become U+FFFD.
                    return Ok(Str::from(Str::from(out).to_str()));
                }
                Some(b'\\') => {
                    self.at += 1;
                    self.escape(&mut out)?;
                }
                Some(0..0x20) => return self.invalid("in string literal"),
                Some(byte) => {
                    out.push(byte);
                    self.at += 1;
                }
            }
        }
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let Some(byte) = self.peek() else {
            return self.invalid("");
        };
        let simple = match byte {
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'"' | b'\\' | b'/' => byte,
            b'u' => {
                self.at += 1;
                let mut code = self.hex()?;
                if (0xd800..0xdc00).contains(&code) && self.text.get(self.at..self.at + 2) == Some(b"\\u") {
                    let before = self.at;
                    self.at += 2;
                    let low = self.hex()?;
                    if (0xdc00..0xe000).contains(&low) {
                        code = 0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                    } else {
                        self.at = before;
                    }
                }
                let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            _ => return self.invalid("in string escape code"),
        };
        out.push(simple);
        self.at += 1;
        Ok(())
    }
}
