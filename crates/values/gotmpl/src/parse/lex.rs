//! Tokens.

use crate::quote::quote;
use crate::unicode::{is_digit, is_letter, is_print};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Error,
    Bool,
    Char,
    CharConstant,
    Comment,
    Complex,
    Assign,
    Declare,
    Eof,
    Field,
    Identifier,
    LeftDelim,
    LeftParen,
    Number,
    Pipe,
    RawString,
    RightDelim,
    RightParen,
    Space,
    String,
    Text,
    Variable,
    Block,
    Break,
    Continue,
    Dot,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

impl Token {
    pub(crate) fn is_keyword(self) -> bool {
        matches!(
            self,
            Self::Block
                | Self::Break
                | Self::Continue
                | Self::Dot
                | Self::Define
                | Self::Else
                | Self::End
                | Self::If
                | Self::Nil
                | Self::Range
                | Self::Template
                | Self::With
        )
    }
}

/// A token with its text. What an error says, the lexer keeps: it is the last token but the end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item<'t> {
    pub(crate) token: Token,
    pub(crate) pos: usize,
    pub(crate) text: &'t str,
    /// The line it starts on, from 1.
    pub(crate) line: usize,
}

impl Item<'_> {
    /// How Go's messages print it.
    pub(crate) fn describe(&self) -> String {
        match self.token {
            Token::Eof => "EOF".to_owned(),
            token if token.is_keyword() => format!("<{}>", self.text),
            _ if self.text.len() > 10 => {
                let cut: String = self.text.chars().take(10).collect();
                format!("{}...", quote(cut.as_bytes(), false))
            }
            _ => quote(self.text.as_bytes(), false),
        }
    }
}

/// What the lexer is asked to do besides.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LexOptions {
    pub(crate) emit_comments: bool,
    /// `break` is a keyword, not a function.
    pub(crate) break_is_keyword: bool,
    pub(crate) continue_is_keyword: bool,
}

pub(crate) struct Lexer<'t> {
    input: &'t str,
    left: &'t str,
    right: &'t str,
    /// The right delimiter begins as words or space do.
    odd_right: bool,
    pos: usize,
    start: usize,
    line: usize,
    start_line: usize,
    parens: usize,
    inside: bool,
    pub(crate) options: LexOptions,
    /// What is wrong, once there was [`Token::Error`].
    pub(crate) message: String,
}

/// What an ASCII byte is for the lexer: one look instead of several comparisons.
mod class {
    pub(super) const SPACE: u8 = 1;
    /// What a word may begin with, other than a digit.
    pub(super) const LETTER: u8 = 2;
    pub(super) const WORD: u8 = 4;
    /// What may follow a word, besides a delimiter.
    pub(super) const TERMINATOR: u8 = 8;

    static CLASSES: [u8; 256] = classes();

    const fn classes() -> [u8; 256] {
        let mut classes = [0; 256];
        let mut at = 0;
        while at < 128 {
            #[expect(clippy::cast_possible_truncation, reason = "below 128")]
            let byte = at as u8;
            let class = match byte {
                b' ' | b'\t' | b'\r' | b'\n' => SPACE | TERMINATOR,
                b'_' | b'a'..=b'z' | b'A'..=b'Z' => LETTER | WORD,
                b'0'..=b'9' => WORD,
                b'.' | b',' | b'|' | b':' | b')' | b'(' => TERMINATOR,
                _ => 0,
            };
            classes[at] = class;
            at += 1;
        }
        classes
    }

    pub(super) fn is(byte: u8, class: u8) -> bool {
        CLASSES[usize::from(byte)] & class != 0
    }
}

const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

fn is_space(c: char) -> bool {
    SPACES.contains(&c)
}

fn is_alphanumeric(c: char) -> bool {
    c == '_' || is_letter(c) || is_digit(c)
}

fn has_left_trim(text: &str) -> bool {
    matches!(text.as_bytes(), [b'-', space, ..] if is_space(char::from(*space)))
}

fn has_right_trim(text: &[u8]) -> bool {
    matches!(text, [space, b'-', ..] if is_space(char::from(*space)))
}

impl<'t> Lexer<'t> {
    pub(crate) fn new(input: &'t str, left: &'t str, right: &'t str) -> Self {
        let right = if right.is_empty() { "}}" } else { right };
        let begins_as = |class| right.bytes().next().is_some_and(|byte| class::is(byte, class));
        Self {
            input,
            left: if left.is_empty() { "{{" } else { left },
            right,
            odd_right: begins_as(class::SPACE | class::LETTER),
            pos: 0,
            start: 0,
            line: 1,
            start_line: 1,
            parens: 0,
            inside: false,
            options: LexOptions::default(),
            message: String::new(),
        }
    }

    /// The next token. After the end, or an error, it is the end for ever.
    pub(crate) fn next(&mut self) -> Item<'t> {
        if self.inside { self.action() } else { self.text() }
    }

    fn rest(&self) -> &'t str {
        self.input.get(self.pos..).unwrap_or_default()
    }

    /// The next byte: enough where only ASCII is looked for.
    fn byte(&self) -> Option<u8> {
        self.input.as_bytes().get(self.pos).copied()
    }

    fn peek(&self) -> Option<char> {
        match self.byte()? {
            ascii if ascii.is_ascii() => Some(char::from(ascii)),
            _ => self.rest().chars().next(),
        }
    }

    /// Goes to the end of a word.
    fn alphanumerics(&mut self) {
        loop {
            let rest = self.input.as_bytes().get(self.pos..).unwrap_or_default();
            self.pos += rest
                .iter()
                .position(|byte| !class::is(*byte, class::WORD))
                .unwrap_or(rest.len());
            match self.byte() {
                Some(byte) if !byte.is_ascii() => match self.peek().filter(|c| is_alphanumeric(*c)) {
                    Some(c) => self.pos += c.len_utf8(),
                    None => return,
                },
                _ => return,
            }
        }
    }

    /// Goes to the end of space.
    fn spaces(&mut self) {
        while let Some(space @ (b' ' | b'\t' | b'\r' | b'\n')) = self.byte() {
            self.pos += 1;
            self.line += usize::from(space == b'\n');
        }
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.pos += c.len_utf8();
        if c == '\n' {
            self.line += 1;
        }
        Some(c)
    }

    fn emit(&mut self, token: Token) -> Item<'t> {
        let item = Item {
            token,
            pos: self.start,
            text: self.input.get(self.start..self.pos).unwrap_or_default(),
            line: self.start_line,
        };
        self.start = self.pos;
        self.start_line = self.line;
        item
    }

    fn error(&mut self, message: String) -> Item<'t> {
        let item = Item {
            token: Token::Error,
            pos: self.start,
            text: "",
            line: self.start_line,
        };
        self.message = message;
        self.start = 0;
        self.pos = 0;
        self.input = "";
        item
    }

    /// Counts the lines between the start and here: for text that was skipped without `bump`.
    fn count_lines(&mut self) {
        let skipped = self
            .input
            .as_bytes()
            .get(self.start..self.pos)
            .unwrap_or_default();
        self.line += count_lines(skipped);
    }

    fn ignore(&mut self) {
        self.count_lines();
        self.start = self.pos;
        self.start_line = self.line;
    }

    fn text(&mut self) -> Item<'t> {
        loop {
            let Some(at) = find(self.rest(), self.left) else {
                self.pos = self.input.len();
                if self.pos > self.start {
                    self.count_lines();
                    return self.emit(Token::Text);
                }
                return self.emit(Token::Eof);
            };
            if at > 0 {
                self.pos += at;
                let mut trimmed = 0;
                let after = self.input.get(self.pos + self.left.len()..).unwrap_or_default();
                if has_left_trim(after) {
                    let text = self.input.get(self.start..self.pos).unwrap_or_default();
                    trimmed = text.len() - text.trim_end_matches(SPACES).len();
                }
                self.pos -= trimmed;
                self.count_lines();
                let item = self.emit(Token::Text);
                self.pos += trimmed;
                self.ignore();
                if !item.text.is_empty() {
                    return item;
                }
            }
            // At the left delimiter.
            self.pos += self.left.len();
            let trim = has_left_trim(self.rest());
            let after_marker = if trim { 2 } else { 0 };
            let body = self.rest().get(after_marker..).unwrap_or_default();
            if !body.starts_with("/*") {
                let item = self.emit(Token::LeftDelim);
                self.inside = true;
                self.pos += after_marker;
                self.ignore();
                self.parens = 0;
                return item;
            }
            self.pos += after_marker;
            self.ignore();
            let item = self.comment();
            if item.token == Token::Error || self.options.emit_comments {
                return item;
            }
        }
    }

    fn comment(&mut self) -> Item<'t> {
        self.pos += 2;
        let Some(end) = self.rest().find("*/") else {
            return self.error("unclosed comment".to_owned());
        };
        self.pos += end + 2;
        let (at_delim, trim) = self.at_right_delim();
        if !at_delim {
            return self.error("comment ends before closing delimiter".to_owned());
        }
        self.count_lines();
        let item = self.emit(Token::Comment);
        self.skip_right_delim(trim);
        self.ignore();
        item
    }

    fn at_right_delim(&self) -> (bool, bool) {
        let rest = self.input.as_bytes().get(self.pos..).unwrap_or_default();
        let right = self.right.as_bytes();
        match rest {
            // Nearly everywhere one byte or two tell that there is none.
            [first, second, ..] if *second != b'-' || !class::is(*first, class::SPACE) => {
                return (self.at_right(*first), false);
            }
            _ => {}
        }
        if has_right_trim(rest) && rest.get(2..).is_some_and(|rest| rest.starts_with(right)) {
            return (true, true);
        }
        (rest.starts_with(right), false)
    }

    /// Whether the right delimiter is here, where this byte is.
    fn at_right(&self, byte: u8) -> bool {
        let input = self.input.as_bytes();
        match self.right.as_bytes() {
            // As nearly all have it.
            [first, second] => *first == byte && input.get(self.pos + 1) == Some(second),
            right => {
                right.first() == Some(&byte)
                    && input.get(self.pos..).is_some_and(|rest| rest.starts_with(right))
            }
        }
    }

    fn skip_right_delim(&mut self, trim: bool) {
        self.pos += if trim { 2 } else { 0 } + self.right.len();
        if trim {
            let rest = self.rest();
            self.pos += rest.len() - rest.trim_start_matches(SPACES).len();
        }
    }

    fn right_delim(&mut self) -> Item<'t> {
        let (_, trim) = self.at_right_delim();
        if trim {
            self.pos += 2;
            self.ignore();
        }
        self.pos += self.right.len();
        let item = self.emit(Token::RightDelim);
        if trim {
            let rest = self.rest();
            self.pos += rest.len() - rest.trim_start_matches(SPACES).len();
            self.ignore();
        }
        self.inside = false;
        item
    }

    fn action(&mut self) -> Item<'t> {
        let bytes = self.input.as_bytes();
        // Most of what there is, without a look at characters or for the delimiter.
        if !self.odd_right {
            match bytes.get(self.pos..) {
                Some([byte, ..]) if class::is(*byte, class::LETTER) => return self.identifier(),
                Some([byte, next, ..]) if class::is(*byte, class::SPACE) && *next != b'-' => {
                    return self.space();
                }
                _ => {}
            }
        }
        if self.at_right_delim().0 {
            if self.parens == 0 {
                return self.right_delim();
            }
            return self.error("unclosed left paren".to_owned());
        }
        if self.byte().is_some_and(|byte| class::is(byte, class::SPACE)) {
            return self.space();
        }
        let Some(c) = self.bump() else {
            return self.error("unclosed action".to_owned());
        };
        match c {
            '=' => self.emit(Token::Assign),
            ':' => {
                if self.bump() == Some('=') {
                    self.emit(Token::Declare)
                } else {
                    self.error("expected :=".to_owned())
                }
            }
            '|' => self.emit(Token::Pipe),
            '"' => self.quoted(b'"', Token::String, "unterminated quoted string"),
            '`' => self.raw(),
            '$' => {
                if self.at_terminator() {
                    self.emit(Token::Variable)
                } else {
                    self.field_or_variable(Token::Variable)
                }
            }
            '\'' => self.quoted(b'\'', Token::CharConstant, "unterminated character constant"),
            '.' if !self.rest().starts_with(|c: char| c.is_ascii_digit()) && !self.rest().is_empty() => {
                self.field_or_variable(Token::Field)
            }
            '.' | '+' | '-' | '0'..='9' => {
                self.back(c);
                self.number()
            }
            c if is_alphanumeric(c) => {
                self.back(c);
                self.identifier()
            }
            '(' => {
                self.parens += 1;
                self.emit(Token::LeftParen)
            }
            ')' => {
                if self.parens == 0 {
                    return self.error("unexpected right paren".to_owned());
                }
                self.parens -= 1;
                self.emit(Token::RightParen)
            }
            c if c.is_ascii() && is_print(c) => self.emit(Token::Char),
            c => self.error(format!("unrecognized character in action: {}", code_point(c))),
        }
    }

    fn back(&mut self, c: char) {
        self.pos -= c.len_utf8();
        if c == '\n' {
            self.line -= 1;
        }
    }

    fn space(&mut self) -> Item<'t> {
        self.spaces();
        if self.byte() == Some(b'-') {
            // The last space may belong to the delimiter.
            let last = self
                .input
                .as_bytes()
                .get(self.pos - 1)
                .copied()
                .map_or(' ', char::from);
            self.back(last);
            if self.at_right_delim() != (true, true) {
                self.bump();
            } else if self.pos == self.start {
                return self.right_delim();
            }
        }
        self.emit(Token::Space)
    }

    fn identifier(&mut self) -> Item<'t> {
        self.alphanumerics();
        if !self.at_terminator() {
            return self.bad_character();
        }
        let token = match self.input.get(self.start..self.pos).unwrap_or_default() {
            "block" => Token::Block,
            "break" if self.options.break_is_keyword => Token::Break,
            "continue" if self.options.continue_is_keyword => Token::Continue,
            "define" => Token::Define,
            "else" => Token::Else,
            "end" => Token::End,
            "if" => Token::If,
            "nil" => Token::Nil,
            "range" => Token::Range,
            "template" => Token::Template,
            "with" => Token::With,
            "true" | "false" => Token::Bool,
            _ => Token::Identifier,
        };
        self.emit(token)
    }

    fn bad_character(&mut self) -> Item<'t> {
        let message = self.peek().map_or_else(
            || "bad character U+FFFFFFFFFFFFFFFF".to_owned(),
            |c| format!("bad character {}", code_point(c)),
        );
        self.error(message)
    }

    fn field_or_variable(&mut self, token: Token) -> Item<'t> {
        if self.at_terminator() {
            return self.emit(if token == Token::Variable {
                token
            } else {
                Token::Dot
            });
        }
        self.alphanumerics();
        if !self.at_terminator() {
            return self.bad_character();
        }
        self.emit(token)
    }

    fn at_terminator(&self) -> bool {
        match self.byte() {
            None => true,
            Some(byte) => class::is(byte, class::TERMINATOR) || self.at_right(byte),
        }
    }

    fn quoted(&mut self, quote: u8, token: Token, unterminated: &str) -> Item<'t> {
        // Bytes above ASCII are none of those that matter, so that characters are passed whole.
        loop {
            let mut byte = self.byte();
            self.pos += 1;
            if byte == Some(b'\\') {
                byte = self.byte();
                self.pos += 1;
                if !matches!(byte, None | Some(b'\n')) {
                    continue;
                }
            }
            match byte {
                None | Some(b'\n') => return self.error(unterminated.to_owned()),
                Some(byte) if byte == quote => return self.emit(token),
                Some(_) => {}
            }
        }
    }

    fn raw(&mut self) -> Item<'t> {
        let Some(end) = memchr::memchr(b'`', self.rest().as_bytes()) else {
            return self.error("unterminated raw quoted string".to_owned());
        };
        self.pos += end + 1;
        self.count_lines();
        self.emit(Token::RawString)
    }

    fn number(&mut self) -> Item<'t> {
        // Digits alone are what most numbers are.
        let rest = self.input.as_bytes().get(self.pos..).unwrap_or_default();
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 1 || (digits > 1 && rest.first() != Some(&b'0')) {
            let after = rest.get(digits).copied().unwrap_or_default();
            if class::is(after, class::TERMINATOR) && after != b'.' {
                self.pos += digits;
                return self.emit(Token::Number);
            }
        }
        if !self.scan_number() {
            return self.bad_number();
        }
        if matches!(self.peek(), Some('+' | '-')) {
            let ends_in_i =
                self.scan_number() && self.input.get(..self.pos).is_some_and(|text| text.ends_with('i'));
            return if ends_in_i {
                self.emit(Token::Complex)
            } else {
                self.bad_number()
            };
        }
        self.emit(Token::Number)
    }

    fn bad_number(&mut self) -> Item<'t> {
        let text = self.input.get(self.start..self.pos).unwrap_or_default();
        let message = format!("bad number syntax: {}", quote(text.as_bytes(), false));
        self.error(message)
    }

    fn accept(&mut self, valid: &str) -> bool {
        let found = self.peek().is_some_and(|c| valid.contains(c));
        if found {
            self.bump();
        }
        found
    }

    fn scan_number(&mut self) -> bool {
        self.accept("+-");
        let mut digits = "0123456789_";
        if self.accept("0") {
            if self.accept("xX") {
                digits = "0123456789abcdefABCDEF_";
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        while self.accept(digits) {}
        if self.accept(".") {
            while self.accept(digits) {}
        }
        let exponent = match digits.len() {
            11 => "eE",
            23 => "pP",
            _ => "",
        };
        if !exponent.is_empty() && self.accept(exponent) {
            self.accept("+-");
            while self.accept("0123456789_") {}
        }
        self.accept("i");
        if self.peek().is_some_and(is_alphanumeric) {
            self.bump();
            return false;
        }
        true
    }
}

/// Where a delimiter is. They are short, and a search of its own for each would have to be set up each time.
fn find(text: &str, delimiter: &str) -> Option<usize> {
    let (bytes, delimiter) = (text.as_bytes(), delimiter.as_bytes());
    let first = delimiter.first()?;
    let mut from = 0;
    loop {
        let at = from + memchr::memchr(*first, bytes.get(from..)?)?;
        if bytes.get(at..)?.starts_with(delimiter) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// How many line feeds there are, a word at a time: the iterator is vectorised when it sums bytes.
pub(crate) fn count_lines(text: &[u8]) -> usize {
    text.chunks(192)
        .map(|chunk| usize::from(chunk.iter().map(|b| u8::from(*b == b'\n')).sum::<u8>()))
        .sum()
}

/// Go's `%#U`.
pub(crate) fn code_point(c: char) -> String {
    let code = c as u32;
    if is_print(c) {
        format!("U+{code:04X} '{c}'")
    } else {
        format!("U+{code:04X}")
    }
}
