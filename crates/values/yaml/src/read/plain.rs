//! Scalars without quotes.

use std::borrow::Cow;

use super::error;
use super::scan::Scanner;
use super::token::{Kind, ScalarStyle, Token};
use crate::ParseError;

impl<'a> Scanner<'a> {
    /// Reads a plain scalar: it ends before `: `, before ` #`, at a line that is not indented deeper than the block
    /// around it, and in flow collections before their indicators.
    pub(super) fn scan_plain(&mut self) -> Result<Token<'a>, ParseError> {
        let start = self.cursor.mark;
        let mut end = start;
        // Nothing as long as the text is a part of the source.
        let mut folded: Option<String> = None;
        let mut gap = Gap::default();
        loop {
            if self.cursor.byte() == b'#' || self.cursor.is_at_document_mark() {
                break;
            }
            let length = self.length_of_word();
            if length > 0 {
                if gap.has_break && folded.is_none() {
                    folded = Some(self.cursor.slice(start.byte, end.byte).to_owned());
                }
                let word = self.cursor.take(length);
                if let Some(text) = &mut folded {
                    gap.join(text);
                    text.push_str(word);
                }
                end = self.cursor.mark;
            }
            if !self.cursor.is_blank_at(0) && !self.cursor.is_break_at(0) {
                break;
            }
            self.scan_gap(&mut gap, self.indent)?;
            if self.flow == 0 && i64::from(self.cursor.mark.column) <= self.indent {
                break;
            }
        }
        if gap.has_break {
            self.key_may_come = true;
        }
        let text = folded.map_or_else(
            || Cow::Borrowed(self.cursor.slice(start.byte, end.byte)),
            Cow::Owned,
        );
        let kind = Kind::Scalar(ScalarStyle::Plain);
        Ok(Token::with(kind, start, end, text))
    }

    /// Reads blanks and line breaks. A tab behind a line break may stand deeper than a column alone.
    pub(super) fn scan_gap(&mut self, gap: &mut Gap<'a>, around: i64) -> Result<(), ParseError> {
        loop {
            if !self.cursor.is_blank_at(0) {
                let line_break = self.cursor.take_break();
                if line_break.is_empty() {
                    return Ok(());
                }
                gap.add_break(line_break);
            } else if gap.has_break {
                if self.cursor.byte() == b'\t' && i64::from(self.cursor.mark.column) <= around {
                    return error(
                        self.cursor.mark,
                        "found a tab character that violates indentation",
                    );
                }
                self.cursor.skip();
            } else {
                gap.blanks = self.cursor.take_blanks();
            }
        }
    }

    /// Bytes up to a blank, or to what ends a plain scalar.
    fn length_of_word(&self) -> usize {
        let is_flow = self.flow > 0;
        let mut length = 0;
        for byte in self.cursor.rest() {
            match byte {
                0 | b' ' | b'\t' | b'\n' | b'\r' => break,
                b':' if self.cursor.is_word_end_at(length + 1) => break,
                b',' | b'?' | b'[' | b']' | b'{' | b'}' if is_flow => break,
                0xC2 | 0xE2 if self.cursor.is_break_at(length) => break,
                _ => {}
            }
            length += 1;
        }
        length
    }
}

/// Blanks and line breaks between two words of a scalar.
#[derive(Default)]
pub(super) struct Gap<'a> {
    /// Before the first line break; nothing where there is one.
    blanks: &'a str,
    has_break: bool,
    /// The first line break, and those behind it.
    first: &'a str,
    others: String,
}

impl<'a> Gap<'a> {
    fn add_break(&mut self, line_break: &'a str) {
        if self.has_break {
            self.others.push_str(line_break);
        } else {
            self.blanks = "";
            self.has_break = true;
            self.first = line_break;
        }
    }

    /// A line break that was escaped: it is nothing, and so are the blanks behind it.
    pub(super) fn add_escaped_break(&mut self) {
        self.has_break = true;
    }

    /// Gives a scalar what it gets for the gap: a line break is a space, more of them are one less.
    pub(super) fn join(&mut self, text: &mut String) {
        if !self.has_break {
            text.push_str(std::mem::take(&mut self.blanks));
            return;
        }
        match self.first {
            "\n" if self.others.is_empty() => text.push(' '),
            "\n" => text.push_str(&self.others),
            first => {
                text.push_str(first);
                text.push_str(&self.others);
            }
        }
        *self = Self::default();
    }
}
