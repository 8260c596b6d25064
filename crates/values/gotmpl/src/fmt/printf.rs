//! `fmt.Sprintf`

use super::value::{Flags, Printer};
use crate::{CallError, Env, Value};

/// The largest width, precision or argument number that counts.
const LARGEST: i64 = 1_000_000;

/// `fmt.Sprintf`
pub(crate) fn printf(env: &mut Env<'_>, format: &[u8], args: &[Value]) -> Result<Vec<u8>, CallError> {
    let printer = Printer::new(env);
    let mut run = Run {
        printer,
        format,
        args,
        at: 0,
        arg: 0,
        reordered: false,
        good: true,
        after_index: false,
    };
    run.all()?;
    run.printer.finish()
}

struct Run<'f, 'p, 'r> {
    printer: Printer<'p, 'r>,
    format: &'f [u8],
    args: &'f [Value],
    /// Where in the format.
    at: usize,
    /// The next argument.
    arg: usize,
    /// Whether `[n]` was used anywhere.
    reordered: bool,
    /// Whether the current verb's `[n]` makes sense.
    good: bool,
    /// Whether the last thing read was `[n]`.
    after_index: bool,
}

impl Run<'_, '_, '_> {
    fn peek(&self) -> Option<u8> {
        self.format.get(self.at).copied()
    }

    fn all(&mut self) -> Result<(), CallError> {
        while self.at < self.format.len() {
            self.good = true;
            let rest = self.format.get(self.at..).unwrap_or_default();
            let plain = rest.iter().position(|b| *b == b'%').unwrap_or(rest.len());
            self.printer
                .out
                .extend_from_slice(rest.get(..plain).unwrap_or_default());
            self.at += plain;
            if self.at >= self.format.len() {
                break;
            }
            self.at += 1;
            if !self.verb()? {
                break;
            }
        }
        if !self.reordered && self.arg < self.args.len() {
            self.printer.flags = Flags::default();
            self.printer.text("%!(EXTRA ");
            for (index, arg) in self.args.iter().skip(self.arg).enumerate() {
                if index > 0 {
                    self.printer.text(", ");
                }
                if matches!(arg, Value::Nil) {
                    self.printer.text("<nil>");
                } else {
                    self.printer.text(arg.type_name());
                    self.printer.out.push(b'=');
                    self.printer.arg(arg, 'v')?;
                }
            }
            self.printer.out.push(b')');
        }
        Ok(())
    }

    /// One verb; says whether there is more.
    fn verb(&mut self) -> Result<bool, CallError> {
        self.printer.flags = Flags::default();
        self.after_index = false;
        while let Some(byte) = self.peek() {
            let flags = &mut self.printer.flags;
            match byte {
                b'#' => flags.sharp = true,
                b'0' => flags.zero = true,
                b'+' => flags.plus = true,
                b'-' => flags.minus = true,
                b' ' => flags.space = true,
                _ => break,
            }
            self.at += 1;
        }
        self.argument_number();
        self.width();
        self.precision();
        if !self.after_index {
            self.argument_number();
        }
        let rest = self.format.get(self.at..).unwrap_or_default();
        let Some((verb, size)) = first_char(rest) else {
            self.printer.text("%!(NOVERB)");
            return Ok(false);
        };
        self.at += size;
        if verb == '%' {
            self.printer.out.push(b'%');
        } else if !self.good {
            self.complain(verb, "(BADINDEX)");
        } else if let Some(arg) = self.args.get(self.arg) {
            if matches!(verb, 'v' | 'w') {
                let flags = &mut self.printer.flags;
                flags.sharp_v = std::mem::take(&mut flags.sharp);
                flags.plus_v = std::mem::take(&mut flags.plus);
            }
            self.printer.arg(arg, verb)?;
            self.arg += 1;
        } else {
            self.complain(verb, "(MISSING)");
        }
        Ok(true)
    }

    fn complain(&mut self, verb: char, what: &str) {
        self.printer.text("%!");
        self.printer
            .out
            .extend_from_slice(verb.encode_utf8(&mut [0; 4]).as_bytes());
        self.printer.text(what);
    }

    fn width(&mut self) {
        if self.peek() == Some(b'*') {
            self.at += 1;
            let width = self.int_argument();
            if width.is_none() {
                self.printer.text("%!(BADWIDTH)");
            }
            let width = width.unwrap_or(0);
            if width < 0 {
                self.printer.flags.minus = true;
                self.printer.flags.zero = false;
            }
            self.printer.flags.width = usize::try_from(width.unsigned_abs()).ok();
            self.after_index = false;
        } else {
            self.printer.flags.width = self.number();
            if self.after_index && self.printer.flags.width.is_some() {
                self.good = false;
            }
        }
    }

    fn precision(&mut self) {
        if self.peek() != Some(b'.') || self.at + 1 >= self.format.len() {
            return;
        }
        self.at += 1;
        if self.after_index {
            self.good = false;
        }
        self.argument_number();
        if self.peek() == Some(b'*') {
            self.at += 1;
            let precision = self
                .int_argument()
                .and_then(|precision| usize::try_from(precision).ok());
            if precision.is_none() {
                self.printer.text("%!(BADPREC)");
            }
            self.printer.flags.precision = precision;
            self.after_index = false;
        } else {
            self.printer.flags.precision = Some(self.number().unwrap_or(0));
        }
    }

    /// Digits, if there are any; a number that is too large ends the reading.
    fn number(&mut self) -> Option<usize> {
        let mut number: i64 = 0;
        let mut found = false;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            if number > LARGEST {
                self.at = self.format.len();
                return None;
            }
            number = number * 10 + i64::from(digit - b'0');
            found = true;
            self.at += 1;
        }
        if !found {
            return None;
        }
        usize::try_from(number).ok()
    }

    fn int_argument(&mut self) -> Option<i64> {
        let value = self.args.get(self.arg)?;
        self.arg += 1;
        let number = match value {
            Value::Int(number, _) => *number,
            Value::Uint(number, _) => i64::try_from(*number).ok()?,
            _ => return None,
        };
        (-LARGEST..=LARGEST).contains(&number).then_some(number)
    }

    /// `[3]`
    fn argument_number(&mut self) {
        self.after_index = false;
        if self.peek() != Some(b'[') {
            return;
        }
        self.reordered = true;
        let rest = self.format.get(self.at..).unwrap_or_default();
        let Some(end) = rest.iter().position(|b| *b == b']') else {
            self.good = false;
            self.at += 1;
            return;
        };
        let digits = rest.get(1..end).unwrap_or_default();
        let number = std::str::from_utf8(digits)
            .ok()
            .filter(|text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|text| text.parse::<usize>().ok())
            .filter(|number| *number <= 1_000_000);
        self.at += end + 1;
        let Some(number) = number else {
            self.good = false;
            return;
        };
        self.after_index = true;
        match number.checked_sub(1).filter(|index| *index < self.args.len()) {
            Some(index) => self.arg = index,
            None => self.good = false,
        }
    }
}

/// The first character, U+FFFD for a byte that belongs to none.
fn first_char(text: &[u8]) -> Option<(char, usize)> {
    let chunk = text.utf8_chunks().next()?;
    Some(match chunk.valid().chars().next() {
        Some(c) => (c, c.len_utf8()),
        None => (char::REPLACEMENT_CHARACTER, 1),
    })
}
