//! From text to tokens.

use std::collections::VecDeque;

use super::comments::Comment;
use super::cursor::{Cursor, first_forbidden};
use super::token::{Kind, Token};
use super::{Mark, error};
use crate::ParseError;

/// Characters behind which a text without `?` before it is no key any more.
const LONGEST_KEY: usize = 1024;
/// Tokens that are read ahead where comments are wanted: one below a token may belong to it, or to what follows.
const AHEAD: usize = 2;
/// Tokens behind which those that were taken are forgotten, but for the last two.
const KEPT: usize = 32;

/// A token that may turn out to be the first one of a key, when a colon follows.
#[derive(Clone, Copy, Debug, Default)]
struct SimpleKey {
    is_possible: bool,
    /// Nothing else than a key may stand here.
    is_required: bool,
    /// Its number, counted from the first token of the text.
    token: usize,
    mark: Mark,
}

/// Takes a text apart.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    pub(super) cursor: Cursor<'a>,
    /// Where the first character stands that no text may have.
    forbidden: usize,
    /// Collections that may lie in each other, those in blocks and in flow counted apart.
    depth: usize,
    /// The last ones that were taken, and those that were not yet.
    tokens: Vec<Token<'a>>,
    /// The first one of these that was not taken.
    head: usize,
    /// How many were taken.
    taken: usize,
    has_started: bool,
    has_ended: bool,
    /// Columns of the block collections around; the first one is -1.
    pub(super) indent: i64,
    indents: Vec<i64>,
    /// Flow collections around.
    pub(super) flow: usize,
    /// Where keys may have begun, one for the block and one for each flow collection around.
    keys: Vec<SimpleKey>,
    /// Whether a key may begin at the next token.
    pub(super) key_may_come: bool,
    /// Whether comments are kept, as v3 does. v2 passes over them, and reads no further than it has to.
    pub(super) keeps_comments: bool,
    /// Those that no token was given yet.
    pub(super) comments: VecDeque<Comment>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str, depth: usize, keeps_comments: bool) -> Self {
        Self {
            cursor: Cursor::new(text),
            forbidden: first_forbidden(text).unwrap_or(usize::MAX),
            depth,
            tokens: Vec::with_capacity(KEPT + 8),
            head: 0,
            taken: 0,
            has_started: false,
            has_ended: false,
            indent: -1,
            indents: Vec::new(),
            flow: 0,
            keys: vec![SimpleKey::default()],
            key_may_come: true,
            keeps_comments,
            comments: VecDeque::new(),
        }
    }

    /// Kind and start of the next token.
    #[inline]
    pub(super) fn peek(&mut self) -> Result<(Kind, Mark), ParseError> {
        self.fill()?;
        match self.tokens.get(self.head) {
            Some(token) => Ok((token.kind, token.start)),
            // There is a last one, and nobody takes it.
            None => Ok((Kind::StreamEnd, self.cursor.mark)),
        }
    }

    /// Takes the next token.
    #[inline]
    pub(super) fn take(&mut self) -> Result<Token<'a>, ParseError> {
        self.fill()?;
        let Some(token) = self.tokens.get_mut(self.head) else {
            return Ok(Token::new(Kind::StreamEnd, self.cursor.mark, self.cursor.mark));
        };
        // What was taken may still be looked at, but for its text.
        let taken = Token {
            kind: token.kind,
            start: token.start,
            end: token.end,
            text: std::mem::take(&mut token.text),
            handle: token.handle,
        };
        self.head += 1;
        self.taken += 1;
        if self.head > KEPT {
            self.tokens.drain(..self.head - 2);
            self.head = 2;
        }
        Ok(taken)
    }

    /// Kind and start of the token that was read last, and so many before it.
    #[inline]
    pub(super) fn last(&self, before: usize) -> Option<(Kind, Mark)> {
        let at = self.tokens.len().checked_sub(before + 1)?;
        self.tokens.get(at).map(|token| (token.kind, token.start))
    }

    /// Reads until what the next token is cannot change any more.
    #[inline]
    fn fill(&mut self) -> Result<(), ParseError> {
        let ahead = if self.keeps_comments { AHEAD } else { 0 };
        while !self.has_ended && (self.tokens.len() <= self.head + ahead || self.head_may_be_key()?) {
            self.fetch()?;
        }
        Ok(())
    }

    /// Whether the next token may still turn out to begin a key.
    fn head_may_be_key(&mut self) -> Result<bool, ParseError> {
        // Their numbers grow.
        let first = self.keys.partition_point(|key| key.token < self.taken);
        for at in first..self.keys.len() {
            match self.keys.get(at) {
                Some(key) if key.token == self.taken => {
                    if key.is_possible {
                        return self.is_key_possible(at);
                    }
                }
                _ => break,
            }
        }
        Ok(false)
    }

    /// Whether what may be a key still may: it stands on one line, and is not too long.
    fn is_key_possible(&mut self, at: usize) -> Result<bool, ParseError> {
        let now = self.cursor.mark;
        let Some(key) = self.keys.get_mut(at).filter(|key| key.is_possible) else {
            return Ok(false);
        };
        let is_too_long = || {
            let bytes = now.byte.saturating_sub(key.mark.byte);
            bytes > LONGEST_KEY
                && (bytes > 4 * LONGEST_KEY
                    || self.cursor.slice(key.mark.byte, now.byte).chars().count() > LONGEST_KEY)
        };
        if key.mark.line < now.line || is_too_long() {
            key.is_possible = false;
            if key.is_required {
                return error(key.mark, "could not find expected ':'");
            }
            return Ok(false);
        }
        Ok(true)
    }

    /// Notes that a key may begin here.
    fn save_key(&mut self) -> Result<(), ParseError> {
        if !self.key_may_come {
            return Ok(());
        }
        self.drop_key()?;
        let key = SimpleKey {
            is_possible: true,
            is_required: self.flow == 0 && self.indent == i64::from(self.cursor.mark.column),
            token: self.next_number(),
            mark: self.cursor.mark,
        };
        if let Some(last) = self.keys.last_mut() {
            *last = key;
        }
        Ok(())
    }

    /// Notes that what may have been a key is none.
    fn drop_key(&mut self) -> Result<(), ParseError> {
        if let Some(key) = self.keys.last_mut().filter(|key| key.is_possible) {
            if key.is_required {
                return error(key.mark, "could not find expected ':'");
            }
            key.is_possible = false;
        }
        Ok(())
    }

    /// The number of the token that comes next.
    fn next_number(&self) -> usize {
        self.taken + self.tokens.len() - self.head
    }

    fn push(&mut self, token: Token<'a>) {
        self.tokens.push(token);
    }

    /// Puts a token before the one with a number, or behind all.
    fn insert(&mut self, number: Option<usize>, token: Token<'a>) {
        let at = number.map_or(self.tokens.len(), |number| {
            self.head + number.saturating_sub(self.taken)
        });
        self.tokens.insert(at.min(self.tokens.len()), token);
    }

    /// A block collection begins at a column, unless the one around does already.
    fn open_block(&mut self, mark: Mark, number: Option<usize>, kind: Kind) -> Result<(), ParseError> {
        let column = i64::from(mark.column);
        if self.flow > 0 || self.indent >= column {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column;
        if self.indents.len() > self.depth {
            return error(
                mark,
                format!("exceeded max depth of {} block collections", self.depth),
            );
        }
        self.insert(number, Token::new(kind, mark, mark));
        Ok(())
    }

    /// Ends the block collections that are indented deeper than a column.
    fn close_blocks(&mut self, column: i64, scanned_from: Mark) {
        if self.flow > 0 || self.indent <= column {
            return;
        }
        let mut end = Mark {
            byte: scanned_from.byte.saturating_sub(1),
            ..scanned_from
        };
        while self.indent > column {
            end = self.end_of_block(end);
            self.push(Token::new(Kind::BlockEnd, end, end));
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    /// Reads one token more, and what has to stand before it.
    fn fetch(&mut self) -> Result<(), ParseError> {
        let fetched = self.fetch_next();
        // Where a token could not be read to its end, the character may be why.
        let reached = self.cursor.mark.byte + usize::from(fetched.is_err());
        if reached > self.forbidden {
            return self.refuse_forbidden();
        }
        fetched
    }

    #[cold]
    fn refuse_forbidden(&self) -> Result<(), ParseError> {
        let text = self.cursor.slice(0, self.forbidden);
        let line = text.rsplit('\n').next().unwrap_or_default();
        let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let mark = Mark {
            byte: self.forbidden,
            line: narrow(text.matches('\n').count()),
            column: narrow(line.chars().count()),
        };
        error(mark, "control characters are not allowed")
    }

    fn fetch_next(&mut self) -> Result<(), ParseError> {
        if !self.has_started {
            self.has_started = true;
            self.push(Token::new(Kind::StreamStart, self.cursor.mark, self.cursor.mark));
            return Ok(());
        }
        let scanned_from = self.cursor.mark;
        self.skip_to_token();
        self.close_blocks(i64::from(self.cursor.mark.column), scanned_from);
        let mark = self.cursor.mark;
        let byte = self.cursor.byte();
        if byte == 0 {
            return self.fetch_end();
        }
        if mark.column == 0 {
            if byte == b'%' {
                self.end_document()?;
                let token = self.scan_directive()?;
                self.push(token);
                return Ok(());
            }
            if self.cursor.is_at_document_mark() {
                self.end_document()?;
                self.cursor.take(3);
                let kind = match byte {
                    b'-' => Kind::DocumentStart,
                    _ => Kind::DocumentEnd,
                };
                self.push(Token::new(kind, mark, self.cursor.mark));
                return Ok(());
            }
        }
        // A comment behind a colon or a comma is that of the token before it.
        let is_behind = byte == b':' && self.flow == 0 || byte == b',' && self.flow > 0;
        let owner = match self.last(0) {
            Some((_, start)) if is_behind => start,
            _ => mark,
        };
        self.fetch_token(byte)?;
        // A dash alone has none: it is above what follows.
        if self.keeps_comments && self.last(0).is_some_and(|(kind, _)| kind != Kind::BlockEntry) {
            self.scan_line_comment(owner);
        }
        Ok(())
    }

    fn fetch_token(&mut self, byte: u8) -> Result<(), ParseError> {
        let is_flow = self.flow > 0;
        let ends = self.cursor.is_word_end_at(1);
        match byte {
            b'[' => self.fetch_flow_start(Kind::FlowSequenceStart),
            b'{' => self.fetch_flow_start(Kind::FlowMappingStart),
            b']' => self.fetch_flow_end(Kind::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(Kind::FlowMappingEnd),
            b',' => {
                self.drop_key()?;
                self.fetch_indicator(Kind::FlowEntry, true);
                Ok(())
            }
            b'-' if ends => {
                let refusal = "block sequence entries are not allowed in this context";
                self.open_block_here(Kind::BlockSequenceStart, refusal)?;
                self.drop_key()?;
                self.fetch_indicator(Kind::BlockEntry, true);
                Ok(())
            }
            b'?' if ends || is_flow => {
                let refusal = "mapping keys are not allowed in this context";
                self.open_block_here(Kind::BlockMappingStart, refusal)?;
                self.drop_key()?;
                self.fetch_indicator(Kind::Key, !is_flow);
                Ok(())
            }
            b':' if ends || is_flow => self.fetch_value(),
            b'*' => self.fetch_word(|this| this.scan_anchor(Kind::Alias)),
            b'&' => self.fetch_word(|this| this.scan_anchor(Kind::Anchor)),
            b'!' => self.fetch_word(Self::scan_tag),
            b'|' | b'>' if !is_flow => {
                self.drop_key()?;
                self.key_may_come = true;
                let token = self.scan_block_scalar(byte == b'|')?;
                self.push(token);
                Ok(())
            }
            b'\'' | b'"' => self.fetch_word(|this| this.scan_quoted(byte == b'\'')),
            b'%' | b'@' | b'`' | b'#' | b'|' | b'>' | b'\t' => error(self.cursor.mark, no_token(byte)),
            _ => self.fetch_word(Self::scan_plain),
        }
    }

    /// A token that may begin a key, and behind which none does.
    fn fetch_word(
        &mut self,
        scan: impl FnOnce(&mut Self) -> Result<Token<'a>, ParseError>,
    ) -> Result<(), ParseError> {
        self.save_key()?;
        self.key_may_come = false;
        let token = scan(self)?;
        self.push(token);
        Ok(())
    }

    /// Outside of flow collections, an indicator begins a block collection, unless the one around does at its column.
    fn open_block_here(&mut self, kind: Kind, refusal: &str) -> Result<(), ParseError> {
        if self.flow > 0 {
            return Ok(());
        }
        if !self.key_may_come {
            return error(self.cursor.mark, refusal);
        }
        self.open_block(self.cursor.mark, None, kind)
    }

    /// A token of one character.
    fn fetch_indicator(&mut self, kind: Kind, key_may_come: bool) {
        self.key_may_come = key_may_come;
        let start = self.cursor.mark;
        self.cursor.skip();
        self.push(Token::new(kind, start, self.cursor.mark));
    }

    fn fetch_end(&mut self) -> Result<(), ParseError> {
        if self.cursor.mark.byte >= self.forbidden {
            return self.refuse_forbidden();
        }
        if self.cursor.mark.column != 0 {
            self.cursor.mark.column = 0;
            self.cursor.mark.line += 1;
        }
        self.end_document()?;
        self.has_ended = true;
        self.push(Token::new(Kind::StreamEnd, self.cursor.mark, self.cursor.mark));
        Ok(())
    }

    /// Ends all blocks.
    fn end_document(&mut self) -> Result<(), ParseError> {
        self.close_blocks(-1, self.cursor.mark);
        self.drop_key()?;
        self.key_may_come = false;
        Ok(())
    }

    fn fetch_flow_start(&mut self, kind: Kind) -> Result<(), ParseError> {
        self.save_key()?;
        self.keys.push(SimpleKey {
            token: self.next_number(),
            ..SimpleKey::default()
        });
        self.flow += 1;
        if self.flow > self.depth {
            return error(
                self.cursor.mark,
                format!("exceeded max depth of {} flow collections", self.depth),
            );
        }
        self.fetch_indicator(kind, true);
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: Kind) -> Result<(), ParseError> {
        self.drop_key()?;
        if self.flow > 0 {
            self.flow -= 1;
            self.keys.pop();
        }
        self.fetch_indicator(kind, false);
        Ok(())
    }

    fn fetch_value(&mut self) -> Result<(), ParseError> {
        let at = self.keys.len().saturating_sub(1);
        if self.is_key_possible(at)? {
            let key = self.keys.get(at).copied().unwrap_or_default();
            self.insert(Some(key.token), Token::new(Kind::Key, key.mark, key.mark));
            self.open_block(key.mark, Some(key.token), Kind::BlockMappingStart)?;
            if let Some(key) = self.keys.last_mut() {
                key.is_possible = false;
            }
            self.fetch_indicator(Kind::Value, false);
            return Ok(());
        }
        let refusal = "mapping values are not allowed in this context";
        self.open_block_here(Kind::BlockMappingStart, refusal)?;
        self.fetch_indicator(Kind::Value, self.flow == 0);
        Ok(())
    }

    /// Passes over blanks, line breaks and comments.
    fn skip_to_token(&mut self) {
        let scanned_from = self.cursor.mark;
        loop {
            loop {
                match self.cursor.byte() {
                    b' ' => {}
                    // Not where a key could stand.
                    b'\t' if self.flow > 0 || !self.key_may_come => {}
                    _ => break,
                }
                self.cursor.mark.byte += 1;
                self.cursor.mark.column += 1;
            }
            if !self.comments.is_empty() {
                self.raise_line_comment();
            }
            if self.cursor.byte() == b'#' {
                if self.keeps_comments {
                    self.scan_comments(scanned_from);
                } else {
                    self.cursor.take(self.cursor.line_length());
                }
            }
            if self.cursor.take_break().is_empty() {
                return;
            }
            if self.flow == 0 {
                self.key_may_come = true;
            }
        }
    }
}

/// What to say of a character that begins nothing.
fn no_token(byte: u8) -> String {
    match byte {
        b'\t' => "found a tab character that cannot start any token: YAML is indented with spaces".to_owned(),
        b'%' | b'@' | b'`' => format!(
            "found character that cannot start any token: `{}` at the start of a text needs quotes around it",
            char::from(byte)
        ),
        _ => format!(
            "found character that cannot start any token: `{}`",
            char::from(byte)
        ),
    }
}
