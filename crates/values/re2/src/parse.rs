//! Go's pattern syntax, read and written again in the `regex` crate's.
//!
//! The order of checks follows Go's parser, because it decides which error a doubtful pattern gets.

mod atoms;
mod counts;
mod limits;

use regex_syntax::hir::ClassUnicode;

use self::counts::{Counted, counts};
use self::limits::Node;
use crate::class;
use crate::error::{ErrorCode, PatternError};

/// The largest number in `{n,m}`, and the largest product of nested ones.
const MAX_REPEAT: u32 = 1000;

/// A read pattern.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// The same pattern in the `regex` crate's syntax.
    pub(crate) translated: String,
    /// The names of the groups; the first is the whole match.
    pub(crate) names: Vec<Option<String>>,
}

/// Reads `source`.
pub(crate) fn parse(source: &str) -> Result<Parsed, PatternError> {
    let mut parser = Parser {
        source,
        at: 0,
        flags: Flags::default(),
        frames: Vec::new(),
        open: Frame::default(),
        names: vec![None],
        last_repeat: None,
    };
    while let Some(c) = parser.peek() {
        let at = parser.at;
        let repeated = parser.step(c)?;
        parser.last_repeat = repeated.then_some(at);
    }
    let Parser {
        frames, open, names, ..
    } = parser;
    if !frames.is_empty() {
        return Err(PatternError::new(ErrorCode::MissingParen, source));
    }
    let node = open.close(source)?;
    Ok(Parsed {
        translated: node.text,
        names,
    })
}

#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    fold: bool,
    multi_line: bool,
    dot_newline: bool,
    swap_greed: bool,
}

/// A group being read, or the whole pattern.
#[derive(Default)]
struct Frame {
    /// The alternatives before the last `|`.
    alternatives: Vec<Node>,
    /// What stands after it.
    sequence: Vec<Node>,
    /// Whether it is a numbered group, and not for grouping only.
    captures: bool,
    /// The flags to go back to at its end.
    outer_flags: Flags,
}

impl Frame {
    fn bar(&mut self, source: &str) -> Result<(), PatternError> {
        let sequence = std::mem::take(&mut self.sequence);
        self.alternatives
            .push(Node::concat(sequence).within_limits(source)?);
        Ok(())
    }

    fn close(mut self, source: &str) -> Result<Node, PatternError> {
        self.bar(source)?;
        Node::alternation(self.alternatives).within_limits(source)
    }
}

struct Parser<'p> {
    source: &'p str,
    at: usize,
    flags: Flags,
    /// The groups around the one being read.
    frames: Vec<Frame>,
    open: Frame,
    names: Vec<Option<String>>,
    /// Where the repetition directly before the current place began, if there is one.
    last_repeat: Option<usize>,
}

impl Parser<'_> {
    /// Reads one element, starting with `c`, and says whether it was a repetition.
    fn step(&mut self, c: char) -> Result<bool, PatternError> {
        match c {
            '(' if self.rest().starts_with("(?") => self.group_with_flags()?,
            '(' => {
                self.at += 1;
                self.capture(None);
            }
            '|' => {
                self.at += 1;
                self.open.bar(self.source)?;
            }
            ')' => {
                self.at += 1;
                self.close_group()?;
            }
            '^' => self.assertion(1, if self.flags.multi_line { "(?m:^)" } else { r"\A" }),
            '$' => self.assertion(1, if self.flags.multi_line { "(?m:$)" } else { r"\z" }),
            '.' => {
                self.at += 1;
                let mut newline = class::range(0x0A, 0x0A);
                newline.negate();
                let any = class::range(0, 0x0010_FFFF);
                self.push_class(&if self.flags.dot_newline { any } else { newline });
            }
            '[' => {
                let class = self.class()?;
                self.push_class(&class);
            }
            '*' => return self.repeat(1, 0, None).map(|()| true),
            '+' => return self.repeat(1, 1, None).map(|()| true),
            '?' => return self.repeat(1, 0, Some(1)).map(|()| true),
            '{' => match counts(self.rest()) {
                // What is no repetition is a brace.
                None => self.literal_char(c),
                Some((length, min, max)) => return self.counted(length, min, max).map(|()| true),
            },
            '\\' => self.escape()?,
            _ => self.literal_char(c),
        }
        Ok(false)
    }

    fn literal_char(&mut self, c: char) {
        self.at += c.len_utf8();
        self.literal(u32::from(c));
    }

    fn literal(&mut self, code_point: u32) {
        let mut class = class::range(code_point, code_point);
        if self.flags.fold {
            class.case_fold_simple();
        }
        self.push_class(&class);
    }

    fn push_class(&mut self, class: &ClassUnicode) {
        self.open.sequence.push(Node::leaf(class::written(class)));
    }

    fn assertion(&mut self, length: usize, translated: &str) {
        self.at += length;
        self.open.sequence.push(Node::leaf(translated.to_owned()));
    }

    fn counted(&mut self, length: usize, min: Option<u32>, max: Counted) -> Result<(), PatternError> {
        let (min, max) = match (min, max) {
            (Some(min), Counted::Same) => (min, Some(min)),
            (Some(min), Counted::Unbounded) => (min, None),
            (Some(min), Counted::To(Some(max))) => (min, Some(max)),
            _ => return Err(self.refuse(ErrorCode::InvalidRepeatSize, self.at, self.at + length)),
        };
        if min > MAX_REPEAT || max.is_some_and(|max| max > MAX_REPEAT || min > max) {
            return Err(self.refuse(ErrorCode::InvalidRepeatSize, self.at, self.at + length));
        }
        let before = self.at;
        self.repeat(length, min, max)?;
        let node = self.open.sequence.last();
        if (min >= 2 || max.is_some_and(|max| max >= 2)) && node.is_some_and(|node| node.copies > MAX_REPEAT)
        {
            return Err(self.refuse(ErrorCode::InvalidRepeatSize, before, self.at));
        }
        Ok(())
    }

    fn repeat(&mut self, length: usize, min: u32, max: Option<u32>) -> Result<(), PatternError> {
        let before = self.at;
        self.at += length;
        let lazy = self.rest().starts_with('?');
        self.at += usize::from(lazy);
        if let Some(last) = self.last_repeat {
            return Err(self.refuse(ErrorCode::InvalidRepeatOp, last, self.at));
        }
        let Some(node) = self.open.sequence.pop() else {
            return Err(self.refuse(ErrorCode::MissingRepeatArgument, before, self.at));
        };
        let greedy = lazy == self.flags.swap_greed;
        let node = node.repeated(min, max, greedy).within_limits(self.source)?;
        self.open.sequence.push(node);
        Ok(())
    }

    fn escape(&mut self) -> Result<(), PatternError> {
        let letter = self.rest().chars().nth(1);
        match letter {
            Some('A') => self.assertion(2, r"\A"),
            Some('z') => self.assertion(2, r"\z"),
            Some('b') => self.assertion(2, r"(?-u:\b)"),
            Some('B') => self.assertion(2, r"(?-u:\B)"),
            Some('C') => return Err(self.refuse(ErrorCode::InvalidEscape, self.at, self.at + 2)),
            Some('Q') => {
                let quoted = self.rest().get(2..).unwrap_or_default();
                let (text, end) = match quoted.split_once("\\E") {
                    Some((text, _)) => (text.to_owned(), 4),
                    None => (quoted.to_owned(), 2),
                };
                self.at += text.len() + end;
                for c in text.chars() {
                    self.literal(u32::from(c));
                }
            }
            _ => {
                if let Some(class) = self.named_class()? {
                    self.push_class(&class);
                } else {
                    let code_point = self.escaped_char()?;
                    self.literal(code_point);
                }
            }
        }
        Ok(())
    }

    /// `(?…`: a named group, flags, or a group that only groups.
    fn group_with_flags(&mut self) -> Result<(), PatternError> {
        let start = self.at;
        let named = ["(?P<", "(?<"]
            .into_iter()
            .find(|sign| self.rest().starts_with(sign));
        // Go wants one more character before it takes the sign for a named group.
        if let Some(sign) = named.filter(|sign| self.rest().len() > sign.len()) {
            let Some(end) = self.rest().find('>') else {
                return Err(self.refuse(ErrorCode::InvalidNamedCapture, start, self.source.len()));
            };
            let name = self.rest().get(sign.len()..end).unwrap_or_default().to_owned();
            self.at += end + 1;
            if name.is_empty() || !name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric()) {
                return Err(self.refuse(ErrorCode::InvalidNamedCapture, start, self.at));
            }
            self.capture(Some(name));
            return Ok(());
        }
        self.at += 2;
        let mut flags = self.flags;
        let (mut on, mut seen) = (true, false);
        while let Some(c) = self.next() {
            match c {
                'i' => flags.fold = on,
                'm' => flags.multi_line = on,
                's' => flags.dot_newline = on,
                'U' => flags.swap_greed = on,
                '-' if on => {
                    (on, seen) = (false, false);
                    continue;
                }
                ':' | ')' if on || seen => {
                    if c == ':' {
                        self.group(false);
                    }
                    self.flags = flags;
                    return Ok(());
                }
                _ => break,
            }
            seen = true;
        }
        Err(self.refuse(ErrorCode::InvalidPerlOp, start, self.at))
    }

    fn capture(&mut self, name: Option<String>) {
        // Names stay here: Go takes the same name twice, the `regex` crate does not.
        self.names.push(name);
        self.group(true);
    }

    fn group(&mut self, captures: bool) {
        let frame = Frame {
            captures,
            outer_flags: self.flags,
            ..Frame::default()
        };
        self.frames.push(std::mem::replace(&mut self.open, frame));
    }

    fn close_group(&mut self) -> Result<(), PatternError> {
        let Some(outer) = self.frames.pop() else {
            return Err(PatternError::new(ErrorCode::UnexpectedParen, self.source));
        };
        let frame = std::mem::replace(&mut self.open, outer);
        self.flags = frame.outer_flags;
        let captures = frame.captures;
        let node = frame.close(self.source)?;
        let node = if captures {
            node.captured().within_limits(self.source)?
        } else {
            node
        };
        self.open.sequence.push(node);
        Ok(())
    }

    fn refuse(&self, code: ErrorCode, from: usize, to: usize) -> PatternError {
        PatternError::new(code, self.source.get(from..to).unwrap_or(self.source))
    }

    fn rest(&self) -> &str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn skip(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        self.at += if found { c.len_utf8() } else { 0 };
        found
    }
}
