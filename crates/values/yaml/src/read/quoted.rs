//! Scalars in quotes.

use std::borrow::Cow;

use super::plain::Gap;
use super::scan::Scanner;
use super::token::{Kind, ScalarStyle, Token};
use super::{Mark, error};
use crate::ParseError;

impl<'a> Scanner<'a> {
    /// Reads a scalar in single or double quotes.
    pub(super) fn scan_quoted(&mut self, is_single: bool) -> Result<Token<'a>, ParseError> {
        let start = self.cursor.mark;
        self.cursor.skip();
        let text = match self.length_up_to_quote(is_single) {
            Some(length) => Cow::Borrowed(self.cursor.take(length)),
            None => Cow::Owned(self.fold_quoted(is_single, start)?),
        };
        self.cursor.skip();
        let style = if is_single {
            ScalarStyle::SingleQuoted
        } else {
            ScalarStyle::DoubleQuoted
        };
        Ok(Token::with(Kind::Scalar(style), start, self.cursor.mark, text))
    }

    /// Bytes up to the closing quote, if nothing before it is other than it stands there.
    fn length_up_to_quote(&self, is_single: bool) -> Option<usize> {
        for (length, byte) in self.cursor.rest().iter().enumerate() {
            match byte {
                b'\'' if is_single => return (self.cursor.byte_at(length + 1) != b'\'').then_some(length),
                b'"' if !is_single => return Some(length),
                b'\\' if !is_single => return None,
                0 | b'\n' | b'\r' => return None,
                0xC2 | 0xE2 if self.cursor.is_break_at(length) => return None,
                _ => {}
            }
        }
        None
    }

    /// The text up to the closing quote, with lines folded and escapes resolved.
    fn fold_quoted(&mut self, is_single: bool, start: Mark) -> Result<String, ParseError> {
        let mut text = String::new();
        loop {
            if self.cursor.is_at_document_mark() {
                return error(start, "found unexpected document indicator within a quoted text");
            }
            if self.cursor.is_end_at(0) {
                return error(
                    start,
                    "found unexpected end of stream: this quoted text has no end",
                );
            }
            let mut gap = Gap::default();
            loop {
                let length = self.length_of_quoted_word(is_single);
                text.push_str(self.cursor.take(length));
                match self.cursor.byte() {
                    b'\'' if is_single && self.cursor.byte_at(1) == b'\'' => {
                        self.cursor.take(2);
                        text.push('\'');
                    }
                    b'\\' if !is_single => {
                        if self.cursor.is_break_at(1) {
                            self.cursor.skip();
                            self.cursor.take_break();
                            gap.add_escaped_break();
                            break;
                        }
                        text.push(self.scan_escape()?);
                    }
                    _ => break,
                }
            }
            if self.cursor.byte() == (if is_single { b'\'' } else { b'"' }) {
                return Ok(text);
            }
            // Within quotes a tab may stand anywhere.
            self.scan_gap(&mut gap, -1)?;
            gap.join(&mut text);
        }
    }

    /// Bytes up to a blank, a line break, a quote or an escape.
    fn length_of_quoted_word(&self, is_single: bool) -> usize {
        let mut length = 0;
        for byte in self.cursor.rest() {
            match byte {
                0 | b' ' | b'\t' | b'\n' | b'\r' => break,
                b'\'' if is_single => break,
                b'"' | b'\\' if !is_single => break,
                0xC2 | 0xE2 if self.cursor.is_break_at(length) => break,
                _ => length += 1,
            }
        }
        length
    }

    /// Reads a backslash and what it stands for with what follows.
    fn scan_escape(&mut self) -> Result<char, ParseError> {
        let start = self.cursor.mark;
        let digits = match self.cursor.byte_at(1) {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            byte => {
                let character = simple_escape(byte);
                let Some(character) = character else {
                    return error(start, "found unknown escape character in double quotes");
                };
                self.cursor.take(2);
                return Ok(character);
            }
        };
        self.cursor.take(2);
        let mut value: u32 = 0;
        for offset in 0..digits {
            let Some(digit) = char::from(self.cursor.byte_at(offset)).to_digit(16) else {
                return error(
                    start,
                    format!("did not find expected hexadecimal number of {digits} digits"),
                );
            };
            value = value << 4 | digit;
        }
        let Some(character) = char::from_u32(value) else {
            return error(start, "found invalid Unicode character escape code");
        };
        self.cursor.take(digits);
        Ok(character)
    }
}

fn simple_escape(byte: u8) -> Option<char> {
    Some(match byte {
        b'0' => '\0',
        b'a' => '\x07',
        b'b' => '\x08',
        b't' | b'\t' => '\t',
        b'n' => '\n',
        b'v' => '\x0B',
        b'f' => '\x0C',
        b'r' => '\r',
        b'e' => '\x1B',
        b' ' => ' ',
        b'"' => '"',
        b'\'' => '\'',
        // YAML 1.2 has it, for the sake of JSON.
        b'/' => '/',
        b'\\' => '\\',
        b'N' => '\u{85}',
        b'_' => '\u{A0}',
        b'L' => '\u{2028}',
        b'P' => '\u{2029}',
        _ => return None,
    })
}
