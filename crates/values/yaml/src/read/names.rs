//! Anchors, aliases, tags and directives.

use std::borrow::Cow;

use super::scan::Scanner;
use super::token::{Kind, Token};
use super::{Mark, error};
use crate::ParseError;

const NO_URI: &str = "did not find expected tag URI";

/// Characters that the name of a tag's handle may have.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

impl<'a> Scanner<'a> {
    /// Reads `&name` or `*name`. YAML 1.1 and the Go libraries allow letters, digits, `-` and `_`; other names, which
    /// they refuse, are read as YAML 1.2 has them.
    pub(super) fn scan_anchor(&mut self, kind: Kind) -> Result<Token<'a>, ParseError> {
        let start = self.cursor.mark;
        self.cursor.skip();
        let rest = self.cursor.rest();
        let mut length = rest.iter().take_while(|byte| is_word(**byte)).count();
        let ends = |byte: u8| matches!(byte, b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`');
        if length == 0 || !self.cursor.is_word_end_at(length) && !ends(self.cursor.byte_at(length)) {
            let is_flow_indicator = |byte: u8| matches!(byte, b',' | b'[' | b']' | b'{' | b'}');
            while !self.cursor.is_word_end_at(length) && !is_flow_indicator(self.cursor.byte_at(length)) {
                length += 1;
            }
        }
        let name = self.cursor.take(length);
        if name.is_empty() {
            return error(start, "did not find expected alphabetic or numeric character");
        }
        Ok(Token::with(kind, start, self.cursor.mark, Cow::Borrowed(name)))
    }

    /// Reads `!`, `!suffix`, `!handle!suffix` or `!<whole>`.
    pub(super) fn scan_tag(&mut self) -> Result<Token<'a>, ParseError> {
        let start = self.cursor.mark;
        let token = if self.cursor.byte_at(1) == b'<' {
            self.cursor.take(2);
            let text = self.scan_uri(start)?;
            if text.is_empty() {
                return error(start, NO_URI);
            }
            if self.cursor.byte() != b'>' {
                return error(start, "did not find the expected '>' of a tag");
            }
            self.cursor.skip();
            Token::with(Kind::Tag, start, self.cursor.mark, text)
        } else {
            let handle = self.length_of_handle();
            let is_named = handle > 1 && self.cursor.byte_at(handle - 1) == b'!';
            // What looks like the beginning of a handle, and is none, belongs to the suffix.
            let handle = self.cursor.take(if is_named { handle } else { 1 });
            let suffix = self.scan_uri(start)?;
            if is_named && suffix.is_empty() {
                return error(start, NO_URI);
            }
            let text = match suffix {
                Cow::Borrowed(suffix) => Cow::Borrowed(
                    self.cursor
                        .slice(start.byte, start.byte + handle.len() + suffix.len()),
                ),
                Cow::Owned(suffix) => Cow::Owned(format!("{handle}{suffix}")),
            };
            // `!` alone is no handle.
            let is_alone = text == "!";
            let mut token = Token::with(Kind::Tag, start, self.cursor.mark, text);
            token.handle = if is_alone { 0 } else { handle.len() };
            token
        };
        if !self.cursor.is_word_end_at(0) {
            return error(
                start,
                "did not find expected whitespace or line break behind a tag",
            );
        }
        Ok(token)
    }

    /// Bytes of `!`, letters and digits behind it, and one `!` more.
    fn length_of_handle(&self) -> usize {
        let words = self
            .cursor
            .rest()
            .iter()
            .skip(1)
            .take_while(|byte| is_word(**byte))
            .count();
        1 + words + usize::from(self.cursor.byte_at(1 + words) == b'!')
    }

    /// Reads the characters that a URI may have, and resolves what is escaped with `%`.
    fn scan_uri(&mut self, start: Mark) -> Result<Cow<'a, str>, ParseError> {
        let from = self.cursor.mark.byte;
        let mut resolved: Option<Vec<u8>> = None;
        loop {
            let byte = self.cursor.byte();
            if !is_uri(byte) {
                break;
            }
            if byte == b'%' {
                let digit = |offset| char::from(self.cursor.byte_at(offset)).to_digit(16);
                let octet = match (digit(1), digit(2)) {
                    (Some(high), Some(low)) => u8::try_from(high << 4 | low).unwrap_or_default(),
                    _ => return error(start, "did not find URI escaped octet in a tag"),
                };
                let read = self.cursor.since(from);
                resolved
                    .get_or_insert_with(|| read.as_bytes().to_vec())
                    .push(octet);
                self.cursor.take(3);
            } else {
                if let Some(resolved) = &mut resolved {
                    resolved.push(byte);
                }
                self.cursor.skip();
            }
        }
        let text = self.cursor.since(from);
        match resolved.map(String::from_utf8) {
            None => Ok(Cow::Borrowed(text)),
            Some(Ok(resolved)) => Ok(Cow::Owned(resolved)),
            Some(Err(_)) => error(start, "found an incorrect UTF-8 octet in a tag"),
        }
    }

    /// Reads a line that begins with `%`.
    pub(super) fn scan_directive(&mut self) -> Result<Token<'a>, ParseError> {
        let start = self.cursor.mark;
        self.cursor.skip();
        let name = self.cursor.take(
            self.cursor
                .rest()
                .iter()
                .take_while(|byte| is_word(**byte))
                .count(),
        );
        let token = match name {
            "YAML" => {
                self.scan_version(start)?;
                Token::with(Kind::Directive, start, self.cursor.mark, Cow::Borrowed(name))
            }
            "TAG" => self.scan_tag_directive(start)?,
            _ => {
                // Of other tools, and nothing to us.
                self.cursor.take(self.cursor.line_length());
                Token::new(Kind::Directive, start, self.cursor.mark)
            }
        };
        self.cursor.take_blanks();
        if self.cursor.byte() == b'#' {
            self.cursor.take(self.cursor.line_length());
        }
        if !self.cursor.is_line_end_at(0) {
            return error(
                self.cursor.mark,
                "did not find expected comment or line break behind a directive",
            );
        }
        self.cursor.take_break();
        Ok(token)
    }

    /// Reads the version of `%YAML 1.1`.
    fn scan_version(&mut self, start: Mark) -> Result<(), ParseError> {
        self.cursor.take_blanks();
        let digits = |this: &mut Self| {
            let is_digit = |byte: &&u8| byte.is_ascii_digit();
            let length = this.cursor.rest().iter().take_while(is_digit).count();
            this.cursor.take(length)
        };
        let major = digits(self);
        let has_dot = self.cursor.byte() == b'.';
        if has_dot {
            self.cursor.skip();
        }
        let minor = digits(self);
        if major.is_empty() || !has_dot || minor.is_empty() {
            return error(start, "did not find expected version number in a %YAML directive");
        }
        if major != "1" {
            return error(start, "found incompatible YAML document: its version is not 1.x");
        }
        Ok(())
    }

    /// Reads handle and prefix of `%TAG !handle! prefix`.
    fn scan_tag_directive(&mut self, start: Mark) -> Result<Token<'a>, ParseError> {
        self.cursor.take_blanks();
        let length = self.length_of_handle();
        if self.cursor.byte() != b'!' || length > 1 && self.cursor.byte_at(length - 1) != b'!' {
            return error(start, "did not find expected '!' in a %TAG directive");
        }
        let handle = self.cursor.take(length);
        if self.cursor.take_blanks().is_empty() {
            return error(start, "did not find expected whitespace in a %TAG directive");
        }
        let prefix = self.scan_uri(start)?;
        if prefix.is_empty() {
            return error(start, NO_URI);
        }
        if !self.cursor.is_word_end_at(0) {
            return error(
                start,
                "did not find expected whitespace or line break in a %TAG directive",
            );
        }
        let text = Cow::Owned(format!("{handle}{prefix}"));
        let mut token = Token::with(Kind::TagDirective, start, self.cursor.mark, text);
        token.handle = handle.len();
        Ok(token)
    }
}

/// Characters of a URI, as libyaml has them.
fn is_uri(byte: u8) -> bool {
    is_word(byte)
        || matches!(
            byte,
            b';' | b'/'
                | b'?'
                | b':'
                | b'@'
                | b'&'
                | b'='
                | b'+'
                | b'$'
                | b','
                | b'.'
                | b'!'
                | b'~'
                | b'*'
                | b'\''
                | b'('
                | b')'
                | b'['
                | b']'
                | b'%'
        )
}
