//! Numbers of templates: one text may be read as an integer, a float and a complex number.

use super::lex::Token;
use super::node::Number;
use crate::quote::{quote, unquote_char};

/// Reads a number, or says in Go's words why it is none.
pub(crate) fn read(pos: u32, text: &str, token: Token) -> Result<Number, String> {
    let mut number = Number {
        pos,
        text: text.into(),
        ..Number::default()
    };
    match token {
        Token::CharConstant => {
            let inner = text.get(1..).unwrap_or_default();
            let (code, tail) = unquote_char(inner, '\'').ok_or("invalid syntax")?;
            if tail != "'" {
                return Err(format!("malformed character constant: {text}"));
            }
            number.int = Some(i64::from(code));
            number.uint = Some(u64::from(code));
            number.float = Some(f64::from(code));
            return Ok(number);
        }
        Token::Complex => {
            let complex = complex(text).ok_or("syntax error scanning complex number")?;
            simplify(&mut number, complex);
            return Ok(number);
        }
        _ => {}
    }
    if let Some(imaginary) = text.strip_suffix('i').and_then(float) {
        simplify(&mut number, (0.0, imaginary));
        return Ok(number);
    }
    number.uint = uint(text);
    number.int = int(text);
    if number.int == Some(0) {
        number.uint = Some(0);
    }
    #[expect(clippy::cast_precision_loss, reason = "Go converts so")]
    if let Some(int) = number.int {
        number.float = Some(int as f64);
    } else if let Some(uint) = number.uint {
        number.float = Some(uint as f64);
    } else if let Some(float) = float(text) {
        if !text.contains(['.', 'e', 'E', 'p', 'P']) {
            return Err(format!("integer overflow: {}", quote(text.as_bytes(), false)));
        }
        set_float(&mut number, float);
    }
    if number.float.is_none() {
        return Err(format!(
            "illegal number syntax: {}",
            quote(text.as_bytes(), false)
        ));
    }
    Ok(number)
}

/// Sets the float, and the integers if it is a whole number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "checked by converting back"
)]
fn set_float(number: &mut Number, float: f64) {
    number.float = Some(float);
    if float < 9_223_372_036_854_775_808.0 && (float as i64) as f64 == float {
        number.int = Some(float as i64);
    }
    if float < 18_446_744_073_709_551_616.0 && (float as u64) as f64 == float {
        number.uint = Some(float as u64);
    }
}

fn simplify(number: &mut Number, complex: (f64, f64)) {
    number.complex = Some(complex);
    if complex.1 == 0.0 {
        set_float(number, complex.0);
    }
}

fn complex(text: &str) -> Option<(f64, f64)> {
    let text = text.strip_suffix('i')?;
    let bytes = text.as_bytes();
    let split = (1..bytes.len()).rev().find(|at| {
        matches!(bytes.get(*at), Some(b'+' | b'-'))
            && !matches!(bytes.get(*at - 1), Some(b'e' | b'E' | b'p' | b'P'))
    })?;
    Some((float(text.get(..split)?)?, float(text.get(split..)?)?))
}

/// Whether underscores separate digits only.
fn underscores_fit(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let bytes = text.as_bytes();
    let (digits, hex) = match bytes {
        [b'0', b'b' | b'B' | b'o' | b'O', rest @ ..] => (rest, false),
        [b'0', b'x' | b'X', rest @ ..] => (rest, true),
        _ => (bytes, false),
    };
    // What came before: a digit (or the base's prefix), an underscore, or something else.
    let mut before = if digits.len() < bytes.len() { b'0' } else { b'^' };
    for byte in digits {
        if byte.is_ascii_digit() || (hex && byte.is_ascii_hexdigit()) {
            before = b'0';
        } else if *byte == b'_' {
            if before != b'0' {
                return false;
            }
            before = b'_';
        } else {
            if before == b'_' {
                return false;
            }
            before = b'!';
        }
    }
    before != b'_'
}

/// `strconv.ParseUint(text, 0, 64)`
pub(crate) fn uint(text: &str) -> Option<u64> {
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (text.get(2..)?, 16),
        [b'0', b'b' | b'B', _, ..] => (text.get(2..)?, 2),
        [b'0', b'o' | b'O', _, ..] => (text.get(2..)?, 8),
        [b'0', _, ..] => (text.get(1..)?, 8),
        _ => (text, 10),
    };
    let plain;
    let digits = if digits.contains('_') {
        if !underscores_fit(text) {
            return None;
        }
        plain = digits.replace('_', "");
        plain.as_str()
    } else {
        digits
    };
    if digits.is_empty() || digits.starts_with(['+', '-']) {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

/// `strconv.ParseInt(text, 0, 64)`
pub(crate) fn int(text: &str) -> Option<i64> {
    if let Some(digits) = text.strip_prefix('-') {
        let value = uint(digits)?;
        return if value == 1 << 63 {
            Some(i64::MIN)
        } else {
            i64::try_from(value).ok().map(|v| -v)
        };
    }
    let value = uint(text.strip_prefix('+').unwrap_or(text))?;
    i64::try_from(value).ok()
}

/// `strconv.ParseFloat(text, 64)` of what has digits; too large is nothing.
pub(crate) fn float(text: &str) -> Option<f64> {
    let plain;
    let mut digits = text;
    if text.contains('_') {
        if !underscores_fit(text) {
            return None;
        }
        plain = text.replace('_', "");
        digits = plain.as_str();
    }
    let unsigned = digits.strip_prefix(['+', '-']).unwrap_or(digits);
    let value = if let Some(hex) = unsigned
        .strip_prefix("0x")
        .or_else(|| unsigned.strip_prefix("0X"))
    {
        let value = hex_float(hex)?;
        if digits.starts_with('-') { -value } else { value }
    } else {
        if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return None;
        }
        digits.parse().ok()?
    };
    value.is_finite().then_some(value)
}

/// `1.8p3`, behind the prefix: hexadecimal digits, decimal exponent of two.
fn hex_float(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut exponent: i32 = exponent
        .parse::<i64>()
        .ok()?
        .clamp(-100_000, 100_000)
        .try_into()
        .ok()?;
    let mut bits: u64 = 0;
    let mut rest = false;
    for (index, c) in whole.chars().chain(fraction.chars()).enumerate() {
        let digit = u64::from(c.to_digit(16)?);
        if bits >> 59 == 0 {
            bits = bits << 4 | digit;
            if index >= whole.len() {
                exponent = exponent.saturating_sub(4);
            }
        } else {
            rest |= digit != 0;
            if index < whole.len() {
                exponent = exponent.saturating_add(4);
            }
        }
    }
    // One bit below all that count decides between rounding up and down.
    bits |= u64::from(rest);
    #[expect(clippy::cast_precision_loss, reason = "this is the rounding")]
    let value = bits as f64;
    // In two steps, as 2^exponent alone may be out of range.
    let half = exponent / 2;
    Some(value * 2.0_f64.powi(half) * 2.0_f64.powi(exponent - half))
}
