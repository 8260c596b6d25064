//! Text: cutting, joining, quoting, encoding.

#![expect(clippy::unnecessary_wraps, reason = "the functions of a table have one type")]

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::families::args::{Result, fail, int, slice, strslice, strval, text, value};
use crate::parse::count_lines;
use crate::quote::quote as go_quote;
use crate::unicode::{lower as to_lower, upper as to_upper};
use crate::{Entry, Env, List, Map, Signature, Str, Value, fmt, ty};

pub(super) static STRINGS: &[Entry] = &[
    ("hello", Signature::new(&[]), |_, _| Ok(Value::from("Hello!"))),
    ("trim", ONE, |_, args| {
        Ok(Value::Str(on_text(&text(args, 0), str::trim)))
    }),
    ("upper", ONE, |_, args| {
        Ok(Value::from(to_upper(&text(args, 0).to_str())))
    }),
    ("lower", ONE, |_, args| {
        Ok(Value::from(to_lower(&text(args, 0).to_str())))
    }),
    ("trimall", TWO, trim_all),
    ("trimAll", TWO, trim_all),
    ("trimSuffix", TWO, trim_suffix),
    ("trimPrefix", TWO, trim_prefix),
    ("contains", TWO, |_, args| {
        Ok(Value::Bool(
            find(text(args, 1).as_bytes(), text(args, 0).as_bytes()).is_some(),
        ))
    }),
    ("hasPrefix", TWO, |_, args| {
        Ok(Value::Bool(
            text(args, 1).as_bytes().starts_with(text(args, 0).as_bytes()),
        ))
    }),
    ("hasSuffix", TWO, |_, args| {
        Ok(Value::Bool(
            text(args, 1).as_bytes().ends_with(text(args, 0).as_bytes()),
        ))
    }),
    ("repeat", Signature::new(&[&ty::INT, &ty::STRING]), repeat),
    (
        "substr",
        Signature::new(&[&ty::INT, &ty::INT, &ty::STRING]),
        substr,
    ),
    ("trunc", Signature::new(&[&ty::INT, &ty::STRING]), trunc),
    ("quote", Signature::variadic(&[&ty::ANY]), quote),
    ("squote", Signature::variadic(&[&ty::ANY]), squote),
    ("cat", Signature::variadic(&[&ty::ANY]), cat),
    ("indent", Signature::new(&[&ty::INT, &ty::STRING]), indent),
    ("nindent", Signature::new(&[&ty::INT, &ty::STRING]), nindent),
    (
        "replace",
        Signature::new(&[&ty::STRING, &ty::STRING, &ty::STRING]),
        replace,
    ),
    (
        "plural",
        Signature::new(&[&ty::STRING, &ty::STRING, &ty::INT]),
        plural,
    ),
    ("toString", Signature::new(&[&ty::ANY]), |env, args| {
        strval(env, &value(args, 0)).map(Value::Str)
    }),
    ("toStrings", Signature::new(&[&ty::ANY]), to_strings),
    ("join", Signature::new(&[&ty::STRING, &ty::ANY]), join),
    ("sortAlpha", Signature::new(&[&ty::ANY]), sort_alpha),
    ("split", TWO, |env, args| {
        split_map(env, &text(args, 0), -1, &text(args, 1))
    }),
    (
        "splitn",
        Signature::new(&[&ty::STRING, &ty::INT, &ty::STRING]),
        |env, args| split_map(env, &text(args, 0), int(args, 1), &text(args, 2)),
    ),
    ("splitList", TWO, |env, args| {
        Ok(List::strings(split_n(env, &text(args, 1), &text(args, 0), -1)?).into())
    }),
    ("b64enc", ONE, |env, args| {
        let encoded = base64::engine::general_purpose::STANDARD.encode(text(args, 0).as_bytes());
        env.reserve(encoded.len())?;
        Ok(Value::from(encoded))
    }),
    ("b64dec", ONE, |_, args| {
        Ok(Value::Str(
            decode_base64(&text(args, 0)).unwrap_or_else(Str::from),
        ))
    }),
    ("b32enc", ONE, |_, args| {
        Ok(Value::from(encode_base32(text(args, 0).as_bytes())))
    }),
    ("b32dec", ONE, |_, args| {
        Ok(Value::Str(
            decode_base32(&text(args, 0)).unwrap_or_else(Str::from),
        ))
    }),
];

const ONE: Signature = Signature {
    params: &[&ty::STRING],
    variadic: false,
};
const TWO: Signature = Signature {
    params: &[&ty::STRING, &ty::STRING],
    variadic: false,
};

/// Cuts text; what is no UTF-8 is cut as if each bad byte were a character of its own.
fn on_text(text: &Str, cut: impl Fn(&str) -> &str) -> Str {
    match text.as_str() {
        Some(whole) => {
            let part = cut(whole);
            if part.len() == whole.len() {
                text.clone()
            } else {
                part.into()
            }
        }
        None => cut_bytes(text, cut),
    }
}

/// Bad bytes stand as U+FFFD while cutting; what is left is looked up by its place.
fn cut_bytes(text: &Str, cut: impl Fn(&str) -> &str) -> Str {
    let lossy = text.to_str();
    let part = cut(&lossy);
    let before = part.as_ptr().addr().saturating_sub(lossy.as_ptr().addr());
    let chars_before = lossy.get(..before).unwrap_or_default().chars().count();
    let chars = part.chars().count();
    let mut starts: Vec<usize> = fmt::rune_starts(text.as_bytes()).collect();
    starts.push(text.len());
    let from = starts.get(chars_before).copied().unwrap_or(text.len());
    let to = starts.get(chars_before + chars).copied().unwrap_or(text.len());
    Str::from_bytes(text.as_bytes().get(from..to).unwrap_or_default())
}

/// Where the needle is.
pub(crate) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    if let (Ok(haystack), Ok(needle)) = (std::str::from_utf8(haystack), std::str::from_utf8(needle)) {
        return haystack.find(needle);
    }
    if needle.is_empty() {
        return Some(0);
    }
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn trim_all(_: &mut Env<'_>, args: &[Value]) -> Result {
    let cutset: Vec<char> = text(args, 0).to_str().chars().collect();
    Ok(Value::Str(on_text(&text(args, 1), |text| {
        text.trim_matches(cutset.as_slice())
    })))
}

fn trim_suffix(_: &mut Env<'_>, args: &[Value]) -> Result {
    let (suffix, whole) = (text(args, 0), text(args, 1));
    Ok(Value::Str(
        whole
            .as_bytes()
            .strip_suffix(suffix.as_bytes())
            .map_or(whole.clone(), Str::from_bytes),
    ))
}

fn trim_prefix(_: &mut Env<'_>, args: &[Value]) -> Result {
    let (prefix, whole) = (text(args, 0), text(args, 1));
    Ok(Value::Str(
        whole
            .as_bytes()
            .strip_prefix(prefix.as_bytes())
            .map_or(whole.clone(), Str::from_bytes),
    ))
}

fn repeat(env: &mut Env<'_>, args: &[Value]) -> Result {
    let Ok(count) = usize::try_from(int(args, 0)) else {
        return Err(fail("strings: negative Repeat count"));
    };
    let text = text(args, 1);
    let Some(len) = text
        .len()
        .checked_mul(count)
        .filter(|len| i64::try_from(*len).is_ok())
    else {
        return Err(fail("strings: Repeat output length overflow"));
    };
    env.reserve(len)?;
    Ok(Value::Str(text.as_bytes().repeat(count).into()))
}

fn substr(_: &mut Env<'_>, args: &[Value]) -> Result {
    let (start, end, text) = (int(args, 0), int(args, 1), text(args, 2));
    let len = i64::try_from(text.len()).unwrap_or(i64::MAX);
    let part = if start < 0 {
        slice(&text, None, Some(end))
    } else if end < 0 || end > len {
        slice(&text, Some(start), None)
    } else {
        slice(&text, Some(start), Some(end))
    };
    part.map(Value::Str)
}

fn trunc(_: &mut Env<'_>, args: &[Value]) -> Result {
    let (count, text) = (int(args, 0), text(args, 1));
    let len = i64::try_from(text.len()).unwrap_or(i64::MAX);
    if count < 0 && len + count > 0 {
        return slice(&text, Some(len + count), None).map(Value::Str);
    }
    if count >= 0 && len > count {
        return slice(&text, None, Some(count)).map(Value::Str);
    }
    Ok(Value::Str(text))
}

fn quote(env: &mut Env<'_>, args: &[Value]) -> Result {
    let mut out = String::new();
    for arg in args.iter().filter(|arg| !matches!(arg, Value::Nil)) {
        if !out.is_empty() {
            out.push(' ');
        }
        let text = strval(env, arg)?;
        out.push_str(&go_quote(text.as_bytes(), false));
    }
    env.reserve(out.len())?;
    Ok(Value::from(out))
}

fn squote(env: &mut Env<'_>, args: &[Value]) -> Result {
    let mut out: Vec<u8> = Vec::new();
    for arg in args.iter().filter(|arg| !matches!(arg, Value::Nil)) {
        if !out.is_empty() {
            out.push(b' ');
        }
        out.push(b'\'');
        out.extend(fmt::print(env, std::slice::from_ref(arg))?);
        out.push(b'\'');
    }
    Ok(Value::Str(out.into()))
}

fn cat(env: &mut Env<'_>, args: &[Value]) -> Result {
    let mut out: Vec<u8> = Vec::new();
    for (index, arg) in args.iter().filter(|arg| !matches!(arg, Value::Nil)).enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        out.extend(fmt::print(env, std::slice::from_ref(arg))?);
    }
    Ok(Value::Str(out.into()))
}

fn indented(env: &mut Env<'_>, before: &[u8], spaces: i64, text: &Str) -> Result {
    let Ok(spaces) = usize::try_from(spaces) else {
        return Err(fail("strings: negative Repeat count"));
    };
    let lines = count_lines(text.as_bytes()) + 1;
    let len = spaces.saturating_mul(lines).saturating_add(text.len());
    env.reserve(len)?;
    let pad = vec![b' '; spaces];
    let mut out = Vec::with_capacity(len + before.len());
    out.extend_from_slice(before);
    for (index, line) in text.as_bytes().split(|b| *b == b'\n').enumerate() {
        if index > 0 {
            out.push(b'\n');
        }
        out.extend_from_slice(&pad);
        out.extend_from_slice(line);
    }
    Ok(Value::Str(out.into()))
}

fn indent(env: &mut Env<'_>, args: &[Value]) -> Result {
    indented(env, b"", int(args, 0), &text(args, 1))
}

fn nindent(env: &mut Env<'_>, args: &[Value]) -> Result {
    indented(env, b"\n", int(args, 0), &text(args, 1))
}

fn replace(env: &mut Env<'_>, args: &[Value]) -> Result {
    let (old, new, source) = (text(args, 0), text(args, 1), text(args, 2));
    if old == new {
        return Ok(Value::Str(source));
    }
    let parts = split_n(env, &source, &old, -1)?;
    let growth = new.len().saturating_mul(parts.len() + 1);
    env.reserve(source.len().saturating_add(growth))?;
    let mut out = Vec::with_capacity(source.len());
    if old.is_empty() {
        // Before every character and at the end.
        for part in &parts {
            out.extend_from_slice(new.as_bytes());
            out.extend_from_slice(part.as_bytes());
        }
        out.extend_from_slice(new.as_bytes());
    } else {
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                out.extend_from_slice(new.as_bytes());
            }
            out.extend_from_slice(part.as_bytes());
        }
    }
    Ok(Value::Str(out.into()))
}

fn plural(_: &mut Env<'_>, args: &[Value]) -> Result {
    Ok(Value::Str(text(args, usize::from(int(args, 2) != 1))))
}

fn to_strings(env: &mut Env<'_>, args: &[Value]) -> Result {
    if let Some(Value::List(list)) = args.first()
        && ty::LIST_STRING.same(list.ty())
    {
        return Ok(Value::List(list.clone()));
    }
    let texts = strslice(env, &value(args, 0))?;
    Ok(List::strings(texts).into())
}

fn join(env: &mut Env<'_>, args: &[Value]) -> Result {
    let separator = text(args, 0);
    let texts = strslice(env, &value(args, 1))?;
    let bytes: Vec<&[u8]> = texts.iter().map(Str::as_bytes).collect();
    let joined = bytes.join(separator.as_bytes());
    env.reserve(joined.len())?;
    Ok(Value::Str(joined.into()))
}

fn sort_alpha(env: &mut Env<'_>, args: &[Value]) -> Result {
    let list = value(args, 0);
    if let Value::List(list) = &list
        && ty::LIST_STRING.same(list.ty())
    {
        env.spend(list.len())?;
        list.sort_strings();
        return Ok(Value::List(list.clone()));
    }
    if matches!(list, Value::Nil) {
        let text = strval(env, &list)?;
        return Ok(List::strings([text]).into());
    }
    let mut texts = strslice(env, &list)?;
    texts.sort();
    Ok(List::strings(texts).into())
}

/// `strings.SplitN`
pub(crate) fn split_n(env: &mut Env<'_>, whole: &Str, separator: &Str, count: i64) -> Result<Vec<Str>> {
    env.spend(whole.len() / 8)?;
    if count == 0 {
        return Ok(Vec::new());
    }
    let most = usize::try_from(count).unwrap_or(usize::MAX);
    let mut parts = Vec::new();
    let bytes = whole.as_bytes();
    if separator.is_empty() {
        let mut starts: Vec<usize> = fmt::rune_starts(bytes).collect();
        starts.truncate(most);
        env.spend(starts.len())?;
        for (index, start) in starts.iter().enumerate() {
            let end = starts.get(index + 1).copied().unwrap_or(bytes.len());
            parts.push(Str::from_bytes(bytes.get(*start..end).unwrap_or_default()));
        }
        return Ok(parts);
    }
    let mut rest = bytes;
    while parts.len() + 1 < most
        && let Some(at) = find(rest, separator.as_bytes())
    {
        parts.push(Str::from_bytes(rest.get(..at).unwrap_or_default()));
        rest = rest.get(at + separator.len()..).unwrap_or_default();
        env.spend(1)?;
    }
    parts.push(Str::from_bytes(rest));
    Ok(parts)
}

fn split_map(env: &mut Env<'_>, separator: &Str, count: i64, whole: &Str) -> Result {
    let parts = split_n(env, whole, separator, count)?;
    let entries = parts
        .into_iter()
        .enumerate()
        .map(|(index, part)| (format!("_{index}").into(), Value::Str(part)));
    Ok(Map::with(&ty::MAP_STRING, entries).into())
}

/// `base64.StdEncoding.DecodeString`; an error is its text.
pub(crate) fn decode_base64(text: &Str) -> std::result::Result<Str, String> {
    // Go skips line breaks and does not mind bits that are left over.
    const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical);
    const ENGINE: GeneralPurpose = GeneralPurpose::new(&STANDARD, CONFIG);
    let clean: Vec<u8> = text
        .as_bytes()
        .iter()
        .copied()
        .filter(|b| !matches!(b, b'\r' | b'\n'))
        .collect();
    match ENGINE.decode(&clean) {
        Ok(bytes) => Ok(bytes.into()),
        Err(_) => Err(format!(
            "illegal base64 data at input byte {}",
            bad_base64(text.as_bytes())
        )),
    }
}

/// Where Go's decoder says that base64 goes wrong.
fn bad_base64(source: &[u8]) -> usize {
    let is_digit = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    let mut at = 0;
    loop {
        // One group of four.
        let mut digits = 0;
        while digits < 4 {
            let Some(&byte) = source.get(at) else {
                return if digits == 0 { at } else { at - digits };
            };
            at += 1;
            if matches!(byte, b'\r' | b'\n') {
                continue;
            }
            if is_digit(byte) {
                digits += 1;
                continue;
            }
            if byte != b'=' || digits < 2 {
                return at - 1;
            }
            let skip = |mut at: usize| {
                while matches!(source.get(at), Some(b'\r' | b'\n')) {
                    at += 1;
                }
                at
            };
            at = skip(at);
            if digits == 2 {
                match source.get(at) {
                    None => return source.len(),
                    Some(b'=') => at = skip(at + 1),
                    Some(_) => return at - 1,
                }
            }
            return at;
        }
    }
}

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn encode_base32(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for group in bytes.chunks(5) {
        let mut bits: u64 = 0;
        for index in 0..5 {
            bits = bits << 8 | u64::from(group.get(index).copied().unwrap_or(0));
        }
        let used = (group.len() * 8).div_ceil(5);
        for index in 0..8 {
            let digit = usize::try_from(bits >> (35 - 5 * index) & 31).unwrap_or(0);
            out.push(if index < used {
                BASE32.get(digit).map_or('=', |b| char::from(*b))
            } else {
                '='
            });
        }
    }
    out
}

/// `base32.StdEncoding.DecodeString`; an error is its text.
fn decode_base32(text: &Str) -> std::result::Result<Str, String> {
    let bad = |at: usize| Err(format!("illegal base32 data at input byte {at}"));
    let clean: Vec<u8> = text
        .as_bytes()
        .iter()
        .copied()
        .filter(|b| !matches!(b, b'\r' | b'\n'))
        .collect();
    let mut out = Vec::with_capacity(clean.len() / 8 * 5);
    let mut at = 0;
    while at < clean.len() {
        let mut bits: u64 = 0;
        let mut digits: usize = 0;
        let mut ended = false;
        while digits < 8 {
            let Some(&byte) = clean.get(at) else {
                return bad(clean.len());
            };
            at += 1;
            if byte == b'=' && digits >= 2 && clean.len() - at < 8 {
                let missing = 8 - digits - 1;
                if clean.len() - at < missing {
                    return bad(clean.len());
                }
                for offset in 0..missing {
                    if clean.get(at + offset) != Some(&b'=') {
                        return bad(at + offset - 1);
                    }
                }
                if matches!(digits, 1 | 3 | 6) {
                    return bad(at + missing - 1);
                }
                ended = true;
                break;
            }
            let Some(digit) = BASE32.iter().position(|b| *b == byte) else {
                return bad(at - 1);
            };
            bits = bits << 5 | digit as u64;
            digits += 1;
        }
        let bytes = digits * 5 / 8;
        bits <<= 5 * (8 - digits);
        for index in 0..bytes {
            out.push(u8::try_from(bits >> (32 - 8 * index) & 0xff).unwrap_or(0));
        }
        if ended {
            break;
        }
    }
    Ok(out.into())
}
