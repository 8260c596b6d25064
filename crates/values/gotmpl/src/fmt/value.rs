//! One value under one verb.

use super::MAX_NESTING;
use crate::quote::{can_backquote, quote};
use crate::types::Kind;
use crate::{CallError, Env, Object, Shape, Str, Value, ty};

type Result = std::result::Result<(), CallError>;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flags {
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
    pub(super) minus: bool,
    pub(super) plus: bool,
    pub(super) sharp: bool,
    pub(super) space: bool,
    pub(super) zero: bool,
    /// `%+v`
    pub(super) plus_v: bool,
    /// `%#v`
    pub(super) sharp_v: bool,
}

pub(super) struct Printer<'p, 'r> {
    pub(super) env: &'p mut Env<'r>,
    pub(super) out: Vec<u8>,
    pub(super) flags: Flags,
    /// What is being printed, for a verb that does not fit it.
    current: Value,
    /// Printing such a value: its methods are not asked again.
    erroring: bool,
    /// How much of `out` is taken from the budget.
    paid: usize,
}

impl<'p, 'r> Printer<'p, 'r> {
    pub(super) fn new(env: &'p mut Env<'r>) -> Self {
        Self {
            env,
            out: Vec::new(),
            flags: Flags::default(),
            current: Value::Nil,
            erroring: false,
            paid: 0,
        }
    }

    pub(super) fn finish(mut self) -> std::result::Result<Vec<u8>, CallError> {
        self.pay()?;
        Ok(self.out)
    }

    fn pay(&mut self) -> Result {
        let grown = self.out.len().saturating_sub(self.paid);
        self.paid = self.out.len();
        self.env.reserve(grown)
    }

    pub(super) fn text(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    pub(super) fn padding(&mut self, count: usize) -> Result {
        if count > 64 {
            self.env.reserve(count)?;
        }
        let byte = if self.flags.zero && !self.flags.minus {
            b'0'
        } else {
            b' '
        };
        self.out.resize(self.out.len() + count, byte);
        Ok(())
    }

    pub(super) fn pad(&mut self, text: &[u8]) -> Result {
        let missing = match self.flags.width {
            None | Some(0) => 0,
            Some(width) => width.saturating_sub(rune_count(text)),
        };
        if !self.flags.minus {
            self.padding(missing)?;
        }
        self.out.extend_from_slice(text);
        if self.flags.minus {
            self.padding(missing)?;
        }
        Ok(())
    }

    fn truncate<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        let Some(precision) = self.flags.precision else {
            return text;
        };
        let end = rune_starts(text).nth(precision).unwrap_or(text.len());
        text.get(..end).unwrap_or(text)
    }

    fn quoted(&mut self, text: &[u8]) -> Result {
        let text = self.truncate(text);
        if self.flags.sharp && can_backquote(text) {
            let raw = [b"`", text, b"`"].concat();
            return self.pad(&raw);
        }
        let quoted = quote(text, self.flags.plus);
        self.pad(quoted.as_bytes())
    }

    fn string(&mut self, text: &[u8], verb: char) -> Result {
        match verb {
            'v' if self.flags.sharp_v => self.quoted(text),
            'v' | 's' => self.pad(self.truncate(text)),
            'x' | 'X' => self.hex(text, verb == 'X'),
            'q' => self.quoted(text),
            _ => self.bad_verb(verb),
        }
    }

    fn hex(&mut self, text: &[u8], upper: bool) -> Result {
        let flags = self.flags;
        let text = flags
            .precision
            .and_then(|precision| text.get(..precision))
            .unwrap_or(text);
        if text.is_empty() {
            return self.padding(flags.width.unwrap_or(0));
        }
        let mut hex = String::with_capacity(text.len() * 2);
        let prefix = match (flags.sharp, upper) {
            (false, _) => "",
            (true, false) => "0x",
            (true, true) => "0X",
        };
        hex.push_str(prefix);
        for (index, byte) in text.iter().enumerate() {
            if flags.space && index > 0 {
                hex.push(' ');
                hex.push_str(prefix);
            }
            let digits = if upper {
                b"0123456789ABCDEF"
            } else {
                b"0123456789abcdef"
            };
            for nibble in [byte >> 4, byte & 15] {
                hex.extend(digits.get(usize::from(nibble)).map(|digit| char::from(*digit)));
            }
        }
        let missing = flags.width.unwrap_or(0).saturating_sub(hex.len());
        if !flags.minus {
            self.padding(missing)?;
        }
        self.text(&hex);
        if flags.minus {
            self.padding(missing)?;
        }
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8], verb: char, type_name: &str) -> Result {
        match verb {
            'v' | 'd' if self.flags.sharp_v => {
                self.text(type_name);
                self.out.push(b'{');
                for (index, byte) in bytes.iter().enumerate() {
                    if index > 0 {
                        self.text(", ");
                    }
                    self.integer(u64::from(*byte), false, false, 'v')?;
                }
                self.out.push(b'}');
            }
            's' => return self.pad(self.truncate(bytes)),
            'x' | 'X' => return self.hex(bytes, verb == 'X'),
            'q' => return self.quoted(bytes),
            _ => {
                self.out.push(b'[');
                for (index, byte) in bytes.iter().enumerate() {
                    if index > 0 {
                        self.out.push(b' ');
                    }
                    self.current = Value::Uint(u64::from(*byte), &ty::UINT8);
                    self.integer(u64::from(*byte), false, false, verb)?;
                }
                self.out.push(b']');
            }
        }
        Ok(())
    }

    /// `%!d(string=hi)`
    pub(super) fn bad_verb(&mut self, verb: char) -> Result {
        let before = std::mem::replace(&mut self.erroring, true);
        if before {
            // A value that does not even fit `%v`.
            self.text(self.current.type_name());
            return Ok(());
        }
        self.text("%!");
        self.out
            .extend_from_slice(verb.encode_utf8(&mut [0; 4]).as_bytes());
        self.out.push(b'(');
        match std::mem::take(&mut self.current) {
            Value::Nil => self.text("<nil>"),
            value => {
                self.text(value.type_name());
                self.out.push(b'=');
                self.arg(&value, 'v')?;
            }
        }
        self.out.push(b')');
        self.erroring = before;
        Ok(())
    }

    /// A value that was given to a function.
    pub(super) fn arg(&mut self, value: &Value, verb: char) -> Result {
        self.current = value.clone();
        match (value, verb) {
            (Value::Nil, 'T' | 'v') => self.pad(b"<nil>"),
            (Value::Nil, _) => self.bad_verb(verb),
            (_, 'T') => self.pad(self.truncate(value.type_name().as_bytes())),
            (_, 'p') => self.pointer(value, verb),
            (Value::Bytes(bytes), _) => self.bytes(bytes, verb, "[]byte"),
            _ => self.value(value, verb, 0),
        }
    }

    /// What the value's `Error` or `String` method says, if it has one that this verb asks.
    fn own_text(&self, value: &Value, verb: char) -> Option<Str> {
        if self.erroring || self.flags.sharp_v || !matches!(verb, 'v' | 's' | 'x' | 'X' | 'q') {
            return None;
        }
        match value {
            Value::Object(object) => object.text(),
            Value::Int(nanos, ty) if ty::DURATION.same(ty) => Some(
                weir_semver::duration::Duration::from_nanos(*nanos)
                    .to_string()
                    .into(),
            ),
            _ => None,
        }
    }

    fn value(&mut self, value: &Value, verb: char, depth: usize) -> Result {
        self.env.spend(1)?;
        self.pay()?;
        if depth > MAX_NESTING {
            return Err(CallError::limit("a value nests too deeply to be printed"));
        }
        if let Some(text) = self.own_text(value, verb) {
            return self.string(text.as_bytes(), verb);
        }
        self.current = value.clone();
        match value {
            Value::Nil => {
                // A nil element of `interface {}`.
                self.text(if self.flags.sharp_v {
                    "interface {}(nil)"
                } else {
                    "<nil>"
                });
                Ok(())
            }
            Value::Bool(value) => match verb {
                't' | 'v' => self.pad(if *value { b"true" } else { b"false" }),
                _ => self.bad_verb(verb),
            },
            Value::Int(value, _) => self.integer(value.unsigned_abs(), *value < 0, true, verb),
            Value::Uint(value, _) => self.integer(*value, false, false, verb),
            Value::Float(value, ty) => {
                self.float(*value, if ty.kind == Kind::Float32 { 32 } else { 64 }, verb)
            }
            Value::Complex(value) => self.complex(value.0, value.1, verb),
            Value::Str(text) | Value::Number(text) => self.string(text.as_bytes(), verb),
            Value::Bytes(bytes) => self.bytes(bytes, verb, "[]uint8"),
            Value::List(list) => self.list(list.ty().name, list.items(), verb, depth),
            Value::Map(map) => {
                let entries: Vec<_> = map
                    .entries()
                    .into_iter()
                    .map(|(key, value)| (Value::Str(key), value))
                    .collect();
                self.map(map.ty().name, &entries, verb, depth)
            }
            Value::Object(object) => self.object(&**object, value, verb, depth),
            Value::Func(_) => self.pointer(value, verb),
            Value::TypedNil(ty) => match ty.kind {
                Kind::Map | Kind::Slice if self.flags.sharp_v => {
                    self.text(ty.name);
                    self.text("(nil)");
                    Ok(())
                }
                // No bytes are an empty text to the verbs of texts.
                Kind::Slice if crate::ty::BYTES.same(ty) => self.bytes(&[], verb, "[]uint8"),
                Kind::Map => {
                    self.text("map[]");
                    Ok(())
                }
                Kind::Slice => {
                    self.text("[]");
                    Ok(())
                }
                Kind::Interface => {
                    self.text("<nil>");
                    Ok(())
                }
                _ => self.pointer(value, verb),
            },
        }
    }

    fn list(&mut self, type_name: &str, items: &[Value], verb: char, depth: usize) -> Result {
        let sharp = self.flags.sharp_v;
        if sharp {
            self.text(type_name);
        }
        self.out.push(if sharp { b'{' } else { b'[' });
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.text(if sharp { ", " } else { " " });
            }
            self.value(item, verb, depth + 1)?;
        }
        self.out.push(if sharp { b'}' } else { b']' });
        Ok(())
    }

    fn map(&mut self, type_name: &str, entries: &[(Value, Value)], verb: char, depth: usize) -> Result {
        let sharp = self.flags.sharp_v;
        if sharp {
            self.text(type_name);
            self.out.push(b'{');
        } else {
            self.text("map[");
        }
        for (index, (key, value)) in entries.iter().enumerate() {
            if index > 0 {
                self.text(if sharp { ", " } else { " " });
            }
            self.value(key, verb, depth + 1)?;
            self.out.push(b':');
            self.value(value, verb, depth + 1)?;
        }
        self.out.push(if sharp { b'}' } else { b']' });
        Ok(())
    }

    fn object(&mut self, object: &dyn Object, value: &Value, verb: char, depth: usize) -> Result {
        match object.shape() {
            Shape::Struct(fields) => {
                let sharp = self.flags.sharp_v;
                if sharp {
                    self.text(object.ty().name);
                }
                self.out.push(b'{');
                for (index, (name, value)) in fields.iter().enumerate() {
                    if index > 0 {
                        self.text(if sharp { ", " } else { " " });
                    }
                    if sharp || self.flags.plus_v {
                        self.text(name);
                        self.out.push(b':');
                    }
                    self.value(value, verb, depth + 1)?;
                }
                self.out.push(b'}');
                Ok(())
            }
            Shape::Map(entries) => self.map(object.ty().name, &entries, verb, depth),
            Shape::List(items) => self.list(object.ty().name, &items, verb, depth),
            Shape::Pointer(Some(target))
                if depth == 0
                    && matches!(
                        target.kind(),
                        Kind::Slice | Kind::Array | Kind::Struct | Kind::Map
                    ) =>
            {
                self.out.push(b'&');
                self.value(&target, verb, depth + 1)
            }
            Shape::Pointer(_) => self.pointer(value, verb),
            // What it is made of is known to its encoder, if to anybody.
            Shape::Opaque => match object.encoded() {
                Some(encoded @ (Value::Int(..) | Value::Uint(..) | Value::Str(_)))
                    if depth <= MAX_NESTING =>
                {
                    self.value(&encoded, verb, depth + 1)
                }
                _ => {
                    self.text(object.ty().name);
                    Ok(())
                }
            },
        }
    }

    /// An address. Go's differ from run to run, so nobody can depend on them; ours is always the same.
    fn pointer(&mut self, value: &Value, verb: char) -> Result {
        let is_pointer = matches!(value.kind(), Kind::Func | Kind::Map | Kind::Ptr | Kind::Slice);
        let address: u64 = match value {
            Value::TypedNil(_) => 0,
            Value::Object(object) if matches!(object.shape(), Shape::Pointer(None)) => 0,
            _ => 0xc000_0000_0000,
        };
        match verb {
            _ if !is_pointer => self.bad_verb(verb),
            'v' if self.flags.sharp_v => {
                let name = value.type_name();
                let address = if address == 0 {
                    "nil".to_owned()
                } else {
                    let sign = if self.flags.space { " " } else { "" };
                    format!("{sign}{address:#x}")
                };
                self.text(&format!("({name})({address})"));
                Ok(())
            }
            'v' if address == 0 => self.pad(b"<nil>"),
            'v' | 'p' => {
                let sharp = self.flags.sharp;
                self.flags.sharp = verb == 'v' || !sharp;
                let result = self.integer(address, false, false, 'x');
                self.flags.sharp = sharp;
                result
            }
            'b' | 'o' | 'd' | 'x' | 'X' => self.integer(address, false, false, verb),
            _ => self.bad_verb(verb),
        }
    }
}

/// Where each character of the text begins; a byte that belongs to none counts as one.
pub(crate) fn rune_starts(text: &[u8]) -> impl Iterator<Item = usize> + '_ {
    let mut at = 0;
    text.utf8_chunks().flat_map(move |chunk| {
        let start = at;
        at += chunk.valid().len() + chunk.invalid().len();
        let bad = start + chunk.valid().len();
        let good = chunk
            .valid()
            .char_indices()
            .map(move |(offset, _)| start + offset);
        good.chain((0..chunk.invalid().len()).map(move |offset| bad + offset))
    })
}

/// `utf8.RuneCount`
fn rune_count(text: &[u8]) -> usize {
    rune_starts(text).count()
}
