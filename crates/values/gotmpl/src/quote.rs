//! Go's quoted strings, both ways.

use std::fmt::Write;

use crate::Str;
use crate::unicode::is_print;

/// A text in double quotes as Go's `%q` prints it, for messages in the words of programs in Go.
pub fn quoted(text: &str) -> String {
    quote(text.as_bytes(), false)
}

/// `strconv.Quote`; with `ascii` it is `strconv.QuoteToASCII`.
pub(crate) fn quote(bytes: &[u8], ascii: bool) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push('"');
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            escape(&mut out, c, '"', ascii);
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out.push('"');
    out
}

/// `strconv.QuoteRune`
pub(crate) fn quote_char(c: char, ascii: bool) -> String {
    let mut out = String::from("'");
    escape(&mut out, c, '\'', ascii);
    out.push('\'');
    out
}

fn escape(out: &mut String, c: char, quote: char, ascii: bool) {
    match c {
        c if c == quote || c == '\\' => {
            out.push('\\');
            out.push(c);
        }
        '\u{7}' => out.push_str("\\a"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{b}' => out.push_str("\\v"),
        c if c.is_ascii() || !ascii => {
            if is_print(c) {
                out.push(c);
            } else if c < ' ' || c == '\u{7f}' {
                let _ = write!(out, "\\x{:02x}", c as u32);
            } else {
                wide(out, c);
            }
        }
        c => wide(out, c),
    }
}

fn wide(out: &mut String, c: char) {
    let code = c as u32;
    let _ = if code < 0x1_0000 {
        write!(out, "\\u{code:04x}")
    } else {
        write!(out, "\\U{code:08x}")
    };
}

/// `strconv.CanBackquote`
pub(crate) fn can_backquote(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| {
        text.chars()
            .all(|c| c == '\t' || (c >= ' ' && c != '`' && c != '\u{7f}' && c != '\u{feff}'))
    })
}

/// One piece of a quoted string.
enum Piece {
    Char(char),
    Byte(u8),
}

/// `strconv.Unquote` of a literal in double or back quotes.
pub(crate) fn unquote(literal: &str) -> Option<Vec<u8>> {
    let inner = |quote: char| literal.strip_prefix(quote)?.strip_suffix(quote);
    if literal.len() < 2 {
        return None;
    }
    if let Some(raw) = inner('`') {
        return (!raw.contains('`')).then(|| raw.replace('\r', "").into_bytes());
    }
    let mut rest = inner('"')?;
    let mut out = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        let (piece, tail) = unquote_piece(rest, '"')?;
        match piece {
            Piece::Byte(byte) => out.push(byte),
            Piece::Char(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        rest = tail;
    }
    Some(out)
}

/// The same as a string. Most literals are what stands between their quotes.
pub(crate) fn unquoted(literal: &str) -> Option<Str> {
    let plain = match literal.as_bytes() {
        [b'`', inner @ .., b'`'] => memchr::memchr2(b'`', b'\r', inner).is_none(),
        [b'"', inner @ .., b'"'] => memchr::memchr3(b'"', b'\\', b'\n', inner).is_none(),
        _ => false,
    };
    if plain {
        return literal.get(1..literal.len() - 1).map(Str::from);
    }
    unquote(literal).map(Str::from)
}

/// `strconv.UnquoteChar`: the code of the first character and what follows it.
pub(crate) fn unquote_char(text: &str, quote: char) -> Option<(u32, &str)> {
    let (piece, tail) = unquote_piece(text, quote)?;
    Some(match piece {
        Piece::Char(c) => (c as u32, tail),
        Piece::Byte(byte) => (u32::from(byte), tail),
    })
}

fn unquote_piece(text: &str, quote: char) -> Option<(Piece, &str)> {
    let mut chars = text.chars();
    let first = chars.next()?;
    if first == quote {
        return None;
    }
    if first != '\\' {
        return (first != '\n').then_some((Piece::Char(first), chars.as_str()));
    }
    let escape = chars.next()?;
    let rest = chars.as_str();
    let simple = |c| Some((Piece::Char(c), rest));
    match escape {
        'a' => simple('\u{7}'),
        'b' => simple('\u{8}'),
        'f' => simple('\u{c}'),
        'n' => simple('\n'),
        'r' => simple('\r'),
        't' => simple('\t'),
        'v' => simple('\u{b}'),
        '\\' => simple('\\'),
        '\'' | '"' => (escape == quote).then_some((Piece::Char(escape), rest)),
        'x' | 'u' | 'U' => {
            let digits = match escape {
                'x' => 2,
                'u' => 4,
                _ => 8,
            };
            let (hex, tail) = rest.split_at_checked(digits)?;
            if !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
                return None;
            }
            let code = u32::from_str_radix(hex, 16).ok()?;
            let piece = if escape == 'x' {
                Piece::Byte(u8::try_from(code).ok()?)
            } else {
                Piece::Char(char::from_u32(code)?)
            };
            Some((piece, tail))
        }
        '0'..='7' => {
            let (octal, tail) = text.get(1..)?.split_at_checked(3)?;
            let code = u32::from_str_radix(octal, 8).ok()?;
            Some((Piece::Byte(u8::try_from(code).ok()?), tail))
        }
        _ => None,
    }
}
