//! `html`, `js`, `urlquery`.

use std::fmt::Write;

use super::{Result, text_of};
use crate::unicode::is_print;
use crate::{Env, Value};

pub(super) fn html(env: &mut Env<'_>, args: &[Value]) -> Result {
    let text = text_of(env, args)?;
    let mut out = Vec::with_capacity(text.len());
    for byte in text.as_bytes() {
        match byte {
            0 => out.extend_from_slice("\u{fffd}".as_bytes()),
            b'"' => out.extend_from_slice(b"&#34;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            byte => out.push(*byte),
        }
    }
    env.reserve(out.len())?;
    Ok(Value::Str(out.into()))
}

pub(super) fn js(env: &mut Env<'_>, args: &[Value]) -> Result {
    let text = text_of(env, args)?;
    let mut out = String::with_capacity(text.len());
    for chunk in text.as_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => out.push_str("\\\\"),
                '\'' => out.push_str("\\'"),
                '"' => out.push_str("\\\""),
                '<' | '>' | '&' | '=' | '\0'..'\u{20}' => {
                    let _ = write!(out, "\\u{:04X}", c as u32);
                }
                c if c.is_ascii() || is_print(c) => out.push(c),
                c => {
                    let _ = write!(out, "\\u{:04X}", c as u32);
                }
            }
        }
        // A byte that belongs to no character is taken for U+FFFD, which can be printed.
        out.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    env.reserve(out.len())?;
    Ok(Value::from(out))
}

pub(super) fn urlquery(env: &mut Env<'_>, args: &[Value]) -> Result {
    let text = text_of(env, args)?;
    let escaped = query_escape(text.as_bytes());
    env.reserve(escaped.len())?;
    Ok(Value::from(escaped))
}

/// `url.QueryEscape`
fn query_escape(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(*byte));
            }
            b' ' => out.push('+'),
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}
