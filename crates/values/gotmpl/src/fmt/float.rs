//! `strconv.FormatFloat`

use std::fmt::Write;

/// More digits than any float64 has; those after it are zeros. (Rust's own limit for a precision is higher.)
const ALL_DIGITS: usize = 1200;

/// Decimal digits without trailing zeros, and the place of the point: 0.digits × 10^point.
struct Digits {
    digits: Vec<u8>,
    point: i32,
}

impl Digits {
    /// Of `d.ddde±x`.
    fn read(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let mut digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        let point = if digits.is_empty() {
            0
        } else {
            exponent.parse::<i32>().unwrap_or(0) + 1
        };
        Self { digits, point }
    }

    fn shortest(value: f64, bits: u32) -> Self {
        Self::read(&if bits == 32 {
            format!("{:e}", narrow(value))
        } else {
            format!("{value:e}")
        })
    }

    fn fixed(value: f64, count: usize) -> Self {
        Self::read(&format!("{:.*e}", count.saturating_sub(1).min(ALL_DIGITS), value))
    }

    fn at(&self, index: i64) -> char {
        usize::try_from(index)
            .ok()
            .and_then(|index| self.digits.get(index))
            .map_or('0', |b| char::from(*b))
    }

    fn len(&self) -> i32 {
        i32::try_from(self.digits.len()).unwrap_or(i32::MAX)
    }

    /// `d.ddde±xx`
    fn exponential(&self, out: &mut String, precision: usize, letter: char) {
        out.push(self.at(0));
        if precision > 0 {
            out.push('.');
            out.extend((1..=precision).map(|i| self.at(i64::try_from(i).unwrap_or(i64::MAX))));
        }
        let exponent = if self.digits.is_empty() { 0 } else { self.point - 1 };
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(out, "{letter}{sign}{:02}", exponent.abs());
    }

    /// `ddd.ddd`
    fn plain(&self, out: &mut String, precision: usize) {
        if self.point > 0 {
            out.extend((0..self.point).map(|i| self.at(i64::from(i))));
        } else {
            out.push('0');
        }
        if precision > 0 {
            out.push('.');
            let precision = i64::try_from(precision).unwrap_or(i64::MAX);
            out.extend((0..precision).map(|i| {
                let at = i64::from(self.point) + i;
                if at < 0 { '0' } else { self.at(at) }
            }));
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a float32 is stored as float64")]
fn narrow(value: f64) -> f32 {
    value as f32
}

/// `strconv.FormatFloat(value, verb, precision, bits)`; no precision asks for the fewest digits that read back
/// the same. The verb is one of `e E f g G b x X`.
pub(crate) fn format_float(value: f64, verb: char, precision: Option<usize>, bits: u32) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    let mut out = String::new();
    if value.is_sign_negative() {
        out.push('-');
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let value = value.abs();
    match verb {
        'b' => binary(&mut out, value, bits),
        'x' | 'X' => hexadecimal(&mut out, value, precision, verb == 'X'),
        'e' | 'E' => {
            let digits = match precision {
                None => Digits::shortest(value, bits),
                Some(precision) => Digits::fixed(value, precision.saturating_add(1)),
            };
            let precision = precision.unwrap_or_else(|| usize::try_from(digits.len() - 1).unwrap_or(0));
            digits.exponential(&mut out, precision, verb);
        }
        'f' => match precision {
            None => {
                let digits = Digits::shortest(value, bits);
                let precision = usize::try_from(digits.len() - digits.point).unwrap_or(0);
                digits.plain(&mut out, precision);
            }
            Some(precision) => {
                let _ = write!(out, "{value:.*}", precision.min(ALL_DIGITS));
                out.extend((ALL_DIGITS..precision).map(|_| '0'));
            }
        },
        _ => general(
            &mut out,
            value,
            precision,
            bits,
            if verb == 'G' { 'E' } else { 'e' },
        ),
    }
    out
}

/// `%g`
fn general(out: &mut String, value: f64, precision: Option<usize>, bits: u32, letter: char) {
    let (digits, mut precision, limit) = match precision {
        None => {
            let digits = Digits::shortest(value, bits);
            let len = digits.len();
            (digits, len, 6)
        }
        Some(precision) => {
            let precision = precision.max(1);
            let digits = Digits::fixed(value, precision);
            let precision = i32::try_from(precision).unwrap_or(i32::MAX);
            let len = digits.len();
            let limit = if precision > len && len >= digits.point {
                len
            } else {
                precision
            };
            (digits, precision, limit)
        }
    };
    let exponent = digits.point - 1;
    if exponent < -4 || exponent >= limit {
        precision = precision.min(digits.len());
        digits.exponential(out, usize::try_from(precision - 1).unwrap_or(0), letter);
        return;
    }
    if precision > digits.point {
        precision = digits.len();
    }
    digits.plain(out, usize::try_from(precision - digits.point).unwrap_or(0));
}

/// Mantissa and exponent of two: value = mantissa × 2^exponent.
fn parts(value: f64, bits: u32) -> (u64, i32) {
    if bits == 32 {
        let raw = narrow(value).to_bits();
        let exponent = i32::try_from(raw >> 23 & 0xff).unwrap_or(0);
        let fraction = u64::from(raw & 0x7f_ffff);
        return if exponent == 0 {
            (fraction, -149)
        } else {
            (fraction | 1 << 23, exponent - 150)
        };
    }
    let raw = value.to_bits();
    let exponent = i32::try_from(raw >> 52 & 0x7ff).unwrap_or(0);
    let fraction = raw & ((1 << 52) - 1);
    if exponent == 0 {
        (fraction, -1074)
    } else {
        (fraction | 1 << 52, exponent - 1075)
    }
}

/// `4503599627370496p-52`
fn binary(out: &mut String, value: f64, bits: u32) {
    let (mantissa, exponent) = parts(value, bits);
    let _ = write!(out, "{mantissa}p{exponent:+}");
}

/// `0x1.8p+01`
fn hexadecimal(out: &mut String, value: f64, precision: Option<usize>, upper: bool) {
    let (mut mantissa, mut exponent) = parts(value, 64);
    if mantissa == 0 {
        exponent = 0;
    } else {
        // One digit, then the point: the leading bit is bit 60.
        exponent += 60;
        while mantissa >> 60 == 0 {
            mantissa <<= 1;
            exponent -= 1;
        }
    }
    if let Some(precision) = precision
        && precision < 15
    {
        let shift = u32::try_from(precision * 4).unwrap_or(0);
        let extra = mantissa << shift & ((1 << 60) - 1);
        mantissa >>= 60 - shift;
        if extra | (mantissa & 1) > 1 << 59 {
            mantissa += 1;
        }
        mantissa <<= 60 - shift;
        if mantissa >> 61 != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let digit = |value: u64| {
        let digit = char::from_digit(u32::try_from(value & 0xf).unwrap_or(0), 16).unwrap_or('0');
        if upper { digit.to_ascii_uppercase() } else { digit }
    };
    out.push('0');
    out.push(if upper { 'X' } else { 'x' });
    out.push(digit(mantissa >> 60));
    mantissa <<= 4;
    match precision {
        None if mantissa != 0 => {
            out.push('.');
            while mantissa != 0 {
                out.push(digit(mantissa >> 60));
                mantissa <<= 4;
            }
        }
        Some(precision) if precision > 0 => {
            out.push('.');
            for _ in 0..precision {
                out.push(digit(mantissa >> 60));
                mantissa <<= 4;
            }
        }
        _ => {}
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    let _ = write!(
        out,
        "{}{sign}{:02}",
        if upper { 'P' } else { 'p' },
        exponent.abs()
    );
}

/// `strconv.FormatFloat(value, 'g', -1, 64)`
pub(crate) fn go_float(value: f64) -> String {
    format_float(value, 'g', None, 64)
}
