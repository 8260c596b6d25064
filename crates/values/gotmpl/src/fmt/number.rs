//! Numbers with flags, width and precision.

use super::float::format_float;
use super::value::Printer;
use crate::CallError;
use crate::quote::quote_char;
use crate::unicode::is_print;

type Result = std::result::Result<(), CallError>;

impl Printer<'_, '_> {
    /// An integer: its magnitude and whether it is below zero.
    pub(super) fn integer(&mut self, magnitude: u64, negative: bool, signed: bool, verb: char) -> Result {
        // What Go's code sees: the bits of the number.
        let bits = if negative {
            magnitude.wrapping_neg()
        } else {
            magnitude
        };
        match verb {
            'v' if self.flags.sharp_v && !signed => {
                let sharp = std::mem::replace(&mut self.flags.sharp, true);
                let result = self.digits(magnitude, negative, 16, verb);
                self.flags.sharp = sharp;
                result
            }
            'v' | 'd' => self.digits(magnitude, negative, 10, verb),
            'b' => self.digits(magnitude, negative, 2, verb),
            'o' | 'O' => self.digits(magnitude, negative, 8, verb),
            'x' | 'X' => self.digits(magnitude, negative, 16, verb),
            'c' => {
                let c = char_of(bits);
                self.pad(c.encode_utf8(&mut [0; 4]).as_bytes())
            }
            'q' => {
                let quoted = quote_char(char_of(bits), self.flags.plus);
                self.pad(quoted.as_bytes())
            }
            'U' => self.unicode(bits),
            _ => self.bad_verb(verb),
        }
    }

    fn digits(&mut self, magnitude: u64, negative: bool, base: u32, verb: char) -> Result {
        let flags = self.flags;
        let mut precision = 0;
        if let Some(asked) = flags.precision {
            precision = asked;
            if asked == 0 && magnitude == 0 {
                // Nothing but padding.
                return self.spaces(flags.width.unwrap_or(0));
            }
        } else if flags.zero
            && !flags.minus
            && let Some(width) = flags.width
        {
            precision = width;
            if negative || flags.plus || flags.space {
                precision = precision.saturating_sub(1);
            }
        }
        let digits = match base {
            2 => format!("{magnitude:b}"),
            8 => format!("{magnitude:o}"),
            16 if verb == 'X' => format!("{magnitude:X}"),
            16 => format!("{magnitude:x}"),
            _ => magnitude.to_string(),
        };
        self.env.reserve(precision)?;
        let mut number = "0".repeat(precision.saturating_sub(digits.len()));
        number.push_str(&digits);
        if flags.sharp {
            match base {
                2 => number.insert_str(0, "0b"),
                8 if !number.starts_with('0') => number.insert(0, '0'),
                16 => number.insert_str(0, if verb == 'X' { "0X" } else { "0x" }),
                _ => {}
            }
        }
        if verb == 'O' {
            number.insert_str(0, "0o");
        }
        if negative {
            number.insert(0, '-');
        } else if flags.plus {
            number.insert(0, '+');
        } else if flags.space {
            number.insert(0, ' ');
        }
        self.pad_with_spaces(number.as_bytes())
    }

    fn pad_with_spaces(&mut self, text: &[u8]) -> Result {
        let zero = std::mem::replace(&mut self.flags.zero, false);
        let result = self.pad(text);
        self.flags.zero = zero;
        result
    }

    fn spaces(&mut self, count: usize) -> Result {
        let zero = std::mem::replace(&mut self.flags.zero, false);
        let result = self.padding(count);
        self.flags.zero = zero;
        result
    }

    /// `U+0078`, or with `#` also the character.
    fn unicode(&mut self, code: u64) -> Result {
        let precision = self.flags.precision.unwrap_or(4).max(4);
        self.env.reserve(precision)?;
        let digits = format!("{code:X}");
        let mut text = format!("U+{}{digits}", "0".repeat(precision.saturating_sub(digits.len())));
        if self.flags.sharp
            && let Some(c) = u32::try_from(code).ok().and_then(char::from_u32)
            && is_print(c)
        {
            text.extend([' ', '\'', c, '\'']);
        }
        self.pad_with_spaces(text.as_bytes())
    }

    pub(super) fn float(&mut self, value: f64, bits: u32, verb: char) -> Result {
        match verb {
            'v' => self.float_as(value, bits, 'g', None),
            'b' | 'g' | 'G' | 'x' | 'X' => self.float_as(value, bits, verb, None),
            'f' | 'e' | 'E' => self.float_as(value, bits, verb, Some(6)),
            'F' => self.float_as(value, bits, 'f', Some(6)),
            _ => self.bad_verb(verb),
        }
    }

    fn float_as(&mut self, value: f64, bits: u32, verb: char, precision: Option<usize>) -> Result {
        let flags = self.flags;
        let precision = flags.precision.or(precision);
        self.env.reserve(precision.unwrap_or(0))?;
        let mut number = format_float(value, verb, precision, bits);
        if !number.starts_with(['-', '+']) {
            number.insert(0, '+');
        }
        if flags.space && number.starts_with('+') && !flags.plus {
            number.replace_range(..1, " ");
        }
        if value.is_nan() || value.is_infinite() {
            let text = if value.is_nan() && !flags.space && !flags.plus {
                number.get(1..).unwrap_or_default()
            } else {
                &number
            };
            // Go leaves the plus of an infinity.
            return self.pad_with_spaces(text.as_bytes());
        }
        if flags.sharp && verb != 'b' {
            number = with_point(&number, verb, precision);
        }
        if flags.plus || !number.starts_with('+') {
            if flags.zero
                && !flags.minus
                && let Some(width) = flags.width
                && width > number.len()
            {
                let (sign, rest) = number.split_at(1);
                self.out.extend_from_slice(sign.as_bytes());
                self.padding(width - number.len())?;
                self.out.extend_from_slice(rest.as_bytes());
                return Ok(());
            }
            return self.pad(number.as_bytes());
        }
        self.pad(number.get(1..).unwrap_or_default().as_bytes())
    }

    pub(super) fn complex(&mut self, real: f64, imaginary: f64, verb: char) -> Result {
        if !matches!(verb, 'v' | 'b' | 'g' | 'G' | 'x' | 'X' | 'f' | 'F' | 'e' | 'E') {
            return self.bad_verb(verb);
        }
        let plus = self.flags.plus;
        self.out.push(b'(');
        self.float(real, 64, verb)?;
        self.flags.plus = true;
        self.float(imaginary, 64, verb)?;
        self.out.extend_from_slice(b"i)");
        self.flags.plus = plus;
        Ok(())
    }
}

fn char_of(bits: u64) -> char {
    u32::try_from(bits)
        .ok()
        .and_then(char::from_u32)
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// What `#` does to a float: always a point, and trailing zeros are kept.
fn with_point(number: &str, verb: char, precision: Option<usize>) -> String {
    let mut missing = 0_i64;
    if matches!(verb, 'v' | 'g' | 'G' | 'x') {
        missing = precision.map_or(6, |p| i64::try_from(p).unwrap_or(i64::MAX));
    }
    let exponent = match verb {
        'x' | 'X' => number.find(['p', 'P']),
        _ => number.find(['e', 'E']),
    };
    let (head, tail) = number.split_at(exponent.unwrap_or(number.len()));
    let mut has_point = false;
    let mut significant = false;
    for byte in head.bytes().skip(1) {
        if byte == b'.' {
            has_point = true;
        } else {
            significant |= byte != b'0';
            if significant {
                missing -= 1;
            }
        }
    }
    let mut out = head.to_owned();
    if !has_point {
        if head.len() == 2 && head.ends_with('0') {
            missing -= 1;
        }
        out.push('.');
    }
    out.extend((0..missing).map(|_| '0'));
    out.push_str(tail);
    out
}
