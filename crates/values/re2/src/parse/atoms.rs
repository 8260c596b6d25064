//! Escapes and classes: what stands for one character.

use regex_syntax::hir::ClassUnicode;

use super::Parser;
use crate::class;
use crate::error::{ErrorCode, PatternError};

impl Parser<'_> {
    /// `\pL`, `\p{Greek}`, `\d` and their kin, inside or outside brackets.
    pub(super) fn named_class(&mut self) -> Result<Option<ClassUnicode>, PatternError> {
        let fold = self.flags.fold;
        let mut letters = self.rest().chars();
        let (Some('\\'), Some(letter)) = (letters.next(), letters.next()) else {
            return Ok(None);
        };
        if !matches!(letter, 'p' | 'P') {
            let class = class::perl(letter, fold);
            self.at += if class.is_some() { 2 } else { 0 };
            return Ok(class);
        }
        let after = letters.as_str();
        let (name, length) = if let Some(braced) = after.strip_prefix('{') {
            let Some(end) = braced.find('}') else {
                return Err(self.refuse(ErrorCode::InvalidCharRange, self.at, self.source.len()));
            };
            (braced.get(..end).unwrap_or_default(), end + 4)
        } else {
            let end = after.chars().next().map_or(0, char::len_utf8);
            (after.get(..end).unwrap_or_default(), end + 2)
        };
        let (name, inverted) = match name.strip_prefix('^') {
            Some(name) => (name, true),
            None => (name, false),
        };
        let Some(class) = class::unicode(name, fold, (letter == 'P') != inverted) else {
            return Err(self.refuse(ErrorCode::InvalidCharRange, self.at, self.at + length));
        };
        self.at += length;
        Ok(Some(class))
    }

    /// The code point of an escape, inside or outside brackets.
    pub(super) fn escaped_char(&mut self) -> Result<u32, PatternError> {
        let start = self.at;
        self.at += 1;
        let Some(c) = self.next() else {
            return Err(PatternError::new(ErrorCode::TrailingBackslash, ""));
        };
        let value = match c {
            '1'..='7' if !self.peek().is_some_and(|next| next.is_digit(8)) => None,
            '0'..='7' => {
                let mut value = c.to_digit(8).unwrap_or_default();
                for _ in 0..2 {
                    let Some(digit) = self.peek().and_then(|next| next.to_digit(8)) else {
                        break;
                    };
                    value = value * 8 + digit;
                    self.at += 1;
                }
                Some(value)
            }
            'x' => self.hexadecimal(),
            'a' => Some(0x07),
            'f' => Some(0x0C),
            'n' => Some(0x0A),
            'r' => Some(0x0D),
            't' => Some(0x09),
            'v' => Some(0x0B),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => Some(u32::from(c)),
            _ => None,
        };
        value.ok_or_else(|| self.refuse(ErrorCode::InvalidEscape, start, self.at))
    }

    /// What follows `\x`: two digits, or any number of them in braces.
    fn hexadecimal(&mut self) -> Option<u32> {
        let first = self.next()?;
        if first != '{' {
            let second = self.next();
            return Some(first.to_digit(16)? * 16 + second?.to_digit(16)?);
        }
        let (mut value, mut digits) = (0_u32, 0_usize);
        loop {
            match self.next()? {
                '}' => return (digits > 0).then_some(value),
                digit => {
                    value = value * 16 + digit.to_digit(16)?;
                    if value > 0x0010_FFFF {
                        return None;
                    }
                    digits += 1;
                }
            }
        }
    }

    /// A class in brackets.
    pub(super) fn class(&mut self) -> Result<ClassUnicode, PatternError> {
        let start = self.at;
        self.at += 1;
        let negated = self.skip('^');
        let mut class = ClassUnicode::empty();
        let mut first = true;
        while first || self.peek() != Some(']') {
            first = false;
            if let Some(named) = self.posix_class()? {
                class.union(&named);
                continue;
            }
            if let Some(named) = self.named_class()? {
                class.union(&named);
                continue;
            }
            let range_start = self.at;
            let low = self.class_char(start)?;
            let mut following = self.rest().chars();
            let mut high = low;
            if following.next() == Some('-') && following.next().is_some_and(|c| c != ']') {
                self.at += 1;
                high = self.class_char(start)?;
                if high < low {
                    return Err(self.refuse(ErrorCode::InvalidCharRange, range_start, self.at));
                }
            }
            let mut range = class::range(low, high);
            if self.flags.fold {
                range.case_fold_simple();
            }
            class.union(&range);
        }
        self.at += 1;
        if negated {
            class.negate();
        }
        Ok(class)
    }

    fn class_char(&mut self, class_start: usize) -> Result<u32, PatternError> {
        match self.peek() {
            None => Err(self.refuse(ErrorCode::MissingBracket, class_start, self.source.len())),
            Some('\\') => self.escaped_char(),
            Some(c) => {
                self.at += c.len_utf8();
                Ok(u32::from(c))
            }
        }
    }

    /// `[:name:]` inside brackets.
    fn posix_class(&mut self) -> Result<Option<ClassUnicode>, PatternError> {
        let Some(inner) = self.rest().strip_prefix("[:") else {
            return Ok(None);
        };
        let Some(end) = inner.find(":]") else {
            return Ok(None);
        };
        let length = end + 4;
        let class = class::posix(inner.get(..end).unwrap_or_default(), self.flags.fold);
        if class.is_none() {
            return Err(self.refuse(ErrorCode::InvalidCharRange, self.at, self.at + length));
        }
        self.at += length;
        Ok(class)
    }
}
