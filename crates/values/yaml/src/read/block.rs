//! Scalars in blocks: `|` and `>`.

use std::borrow::Cow;

use super::scan::Scanner;
use super::token::{Kind, ScalarStyle, Token};
use super::{Mark, error};
use crate::ParseError;

/// What happens to line breaks at the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomping {
    /// One stays.
    Clip,
    /// `-`: none stays.
    Strip,
    /// `+`: all stay.
    Keep,
}

impl<'a> Scanner<'a> {
    /// Reads a block scalar.
    pub(super) fn scan_block_scalar(&mut self, is_literal: bool) -> Result<Token<'a>, ParseError> {
        let start = self.cursor.mark;
        self.cursor.skip();
        let (chomping, deeper) = self.scan_block_header(start)?;
        self.cursor.take_break();

        let around = u32::try_from(self.indent).ok();
        let mut indent = deeper.map(|deeper| around.unwrap_or(0) + deeper);
        let mut end = self.cursor.mark;
        let mut text = String::new();
        let mut breaks = String::new();
        let mut last_break = "";
        let mut was_blank = false;
        self.scan_breaks(&mut indent, &mut breaks, &mut end)?;
        while Some(self.cursor.mark.column) == indent
            && !self.cursor.is_end_at(0)
            // At the margin, the document may end.
            && !self.cursor.is_at_document_mark()
        {
            let is_blank = self.cursor.is_blank_at(0);
            if !is_literal && !was_blank && !is_blank && last_break == "\n" {
                if breaks.is_empty() {
                    text.push(' ');
                }
            } else {
                text.push_str(last_break);
            }
            text.push_str(&breaks);
            breaks.clear();
            was_blank = is_blank;
            text.push_str(self.cursor.take(self.cursor.line_length()));
            last_break = self.cursor.take_break();
            self.scan_breaks(&mut indent, &mut breaks, &mut end)?;
        }
        if chomping != Chomping::Strip {
            text.push_str(last_break);
        }
        if chomping == Chomping::Keep {
            text.push_str(&breaks);
        }
        let style = if is_literal {
            ScalarStyle::Literal
        } else {
            ScalarStyle::Folded
        };
        Ok(Token::with(Kind::Scalar(style), start, end, Cow::Owned(text)))
    }

    /// Reads the rest of the line behind `|` or `>`: what happens to line breaks at the end, and by how much deeper the
    /// text is indented than what is around, where that is said.
    fn scan_block_header(&mut self, start: Mark) -> Result<(Chomping, Option<u32>), ParseError> {
        let mut chomping = None;
        let mut deeper = None;
        loop {
            match self.cursor.byte() {
                b'+' if chomping.is_none() => chomping = Some(Chomping::Keep),
                b'-' if chomping.is_none() => chomping = Some(Chomping::Strip),
                b'0' if deeper.is_none() => {
                    return error(start, "found an indentation indicator equal to 0");
                }
                digit @ b'1'..=b'9' if deeper.is_none() => deeper = Some(u32::from(digit - b'0')),
                _ => break,
            }
            self.cursor.skip();
        }
        self.cursor.take_blanks();
        if self.cursor.byte() == b'#' {
            if self.keeps_comments {
                self.scan_line_comment(start);
            } else {
                self.cursor.take(self.cursor.line_length());
            }
        }
        if !self.cursor.is_line_end_at(0) {
            return error(
                self.cursor.mark,
                "did not find expected comment or line break behind the indicator of a block scalar",
            );
        }
        Ok((chomping.unwrap_or(Chomping::Clip), deeper))
    }

    /// Reads empty lines and the indentation of the line behind them; finds out how deep the text is, where nothing said so.
    fn scan_breaks(
        &mut self,
        indent: &mut Option<u32>,
        breaks: &mut String,
        end: &mut Mark,
    ) -> Result<(), ParseError> {
        *end = self.cursor.mark;
        let mut deepest = 0;
        loop {
            let is_before_text = |column: u32| indent.is_none_or(|indent| column < indent);
            while self.cursor.byte() == b' ' && is_before_text(self.cursor.mark.column) {
                self.cursor.mark.byte += 1;
                self.cursor.mark.column += 1;
            }
            deepest = deepest.max(self.cursor.mark.column);
            if self.cursor.byte() == b'\t' && is_before_text(self.cursor.mark.column) {
                return error(
                    self.cursor.mark,
                    "found a tab character where an indentation space is expected",
                );
            }
            let line_break = self.cursor.take_break();
            if line_break.is_empty() {
                break;
            }
            breaks.push_str(line_break);
            *end = self.cursor.mark;
        }
        if indent.is_none() {
            // The margin is allowed to what is the whole document, which has nothing around it. A comment there is one to the
            // Go libraries, for which the text has ended.
            let is_comment = self.cursor.byte() == b'#' && self.cursor.mark.column == 0;
            let least = u32::try_from(self.indent + 1)
                .unwrap_or(0)
                .max(u32::from(is_comment));
            *indent = Some(deepest.max(least));
        }
        Ok(())
    }
}
