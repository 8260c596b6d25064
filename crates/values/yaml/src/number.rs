//! Numbers as Go reads and prints them.

/// An integer as Go's `strconv.ParseInt(text, 0, 64)` and, failing that, `ParseUint` read it:
/// an optional sign, then decimal, or a prefix `0x`, `0o`, `0b` or `0`.
///
/// Underscores must be gone already. The result fits `i64` or `u64`.
pub fn parse_go_int(text: &str) -> Option<i128> {
    let (negative, has_sign, digits) = match text.as_bytes().first()? {
        b'-' => (true, true, text.get(1..)?),
        b'+' => (false, true, text.get(1..)?),
        _ => (false, false, text),
    };
    let bytes = digits.as_bytes();
    let (radix, digits) = match (bytes.first(), bytes.get(1)) {
        (Some(b'0'), Some(b'x' | b'X')) => (16, digits.get(2..)?),
        (Some(b'0'), Some(b'o' | b'O')) => (8, digits.get(2..)?),
        (Some(b'0'), Some(b'b' | b'B')) => (2, digits.get(2..)?),
        (Some(b'0'), Some(_)) => (8, digits.get(1..)?),
        _ => (10, digits),
    };
    parse_radix(digits, radix, negative, has_sign)
}

/// Digits of one radix, within the range of `i64`, or of `u64` when there is no sign.
pub(crate) fn parse_radix(digits: &str, radix: u32, negative: bool, has_sign: bool) -> Option<i128> {
    // from_str_radix would accept a second sign; 70 digits is beyond any 64-bit number.
    if digits.is_empty() || digits.len() > 70 || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let value = i128::from_str_radix(digits.trim_start_matches('0'), radix)
        .or_else(|_| {
            if digits.chars().all(|c| c == '0') {
                Ok(0)
            } else {
                Err(())
            }
        })
        .ok()?;
    let value = if negative { -value } else { value };
    let limit = if has_sign {
        i128::from(i64::MAX)
    } else {
        i128::from(u64::MAX)
    };
    (value >= i128::from(i64::MIN) && value <= limit).then_some(value)
}

/// A float in the form `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, finite.
pub(crate) fn parse_yaml_float(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let mut at = usize::from(matches!(bytes.first(), Some(b'-' | b'+')));
    let digits = |at: usize| {
        bytes
            .get(at..)
            .map_or(0, |rest| rest.iter().take_while(|b| b.is_ascii_digit()).count())
    };
    let whole = digits(at);
    at += whole;
    if bytes.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        if whole == 0 && fraction == 0 {
            return None;
        }
        at += 1 + fraction;
    } else if whole == 0 {
        return None;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1;
        at += usize::from(matches!(bytes.get(at), Some(b'-' | b'+')));
        let exponent = digits(at);
        if exponent == 0 {
            return None;
        }
        at += exponent;
    }
    if at != bytes.len() {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// A float as Go's `strconv.FormatFloat(value, 'g', -1, 64)` prints it.
pub fn go_float(value: f64) -> String {
    go_shortest(value, &format!("{value:e}"), || value.to_string())
}

/// The same with 32 for 64: the digits that tell the value from others of single precision.
pub(crate) fn go_float32(value: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "what Go does")]
    let value = value as f32;
    go_shortest(f64::from(value), &format!("{value:e}"), || value.to_string())
}

/// From Rust's shortest exponential form, which has the digits that Go's has.
fn go_shortest(value: f64, shortest: &str, plain: impl FnOnce() -> String) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.into();
    }
    let Some((mantissa, exponent)) = shortest.split_once('e') else {
        return shortest.to_owned();
    };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    // Go's rule for shortest output: as if the precision were 6.
    if !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    plain()
}

/// A number as Go's `encoding/json` writes it: with all its digits from 1e-6 to 1e21, in exponential form beyond.
pub fn go_json_number(number: &serde_json::Number) -> String {
    if number.is_i64() || number.is_u64() {
        return number.to_string();
    }
    let value = number.as_f64().unwrap_or_default();
    if value == 0.0 || (1e-6..1e21).contains(&value.abs()) {
        return value.to_string();
    }
    // Rust leaves out the sign that Go writes before positive exponents.
    format!("{value:e}").replace('e', if value.abs() < 1.0 { "e" } else { "e+" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_in_json_keep_their_digits_up_to_1e21() {
        let text = |value: f64| go_json_number(&serde_json::Number::from_f64(value).unwrap());
        assert_eq!(text(1e20), "100000000000000000000");
        assert_eq!(text(-1.5e20), "-150000000000000000000");
        assert_eq!(text(1e21), "1e+21");
        assert_eq!(text(0.000_001), "0.000001");
        assert_eq!(text(1.5e-7), "1.5e-7");
        assert_eq!(text(0.25), "0.25");
    }
}
