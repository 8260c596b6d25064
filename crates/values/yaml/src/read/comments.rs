//! Comments, and the places in which the emitter will put them again.
//!
//! A comment is above a token (head), behind it (line), or below it (foot). Which of these it is depends on blank lines, on
//! indentation, and on what follows it; the rules are those of yaml v3's scanner, so that a manifest with comments is
//! printed as kustomize prints it.

use super::Mark;
use super::cursor::Cursor;
use super::scan::Scanner;
use super::token::Kind;

/// Bytes of blanks and line breaks behind which no comment is looked for.
const SEARCHED: usize = 512;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    Head,
    Line,
    Foot,
}

/// One or more lines that belong together.
#[derive(Debug)]
pub(super) struct Comment {
    /// Where the search that found it began.
    scanned_from: usize,
    /// It belongs to the first token that begins here or later.
    pub(super) token: usize,
    start: Mark,
    /// Where it ended; 0 behind a token.
    end: usize,
    pub(super) position: Position,
    /// With each `#`.
    pub(super) text: String,
}

/// A place in the blank lines that are looked through.
#[derive(Clone, Copy)]
struct Look {
    line: u32,
    /// Counted from 1.
    column: u32,
}

impl Scanner<'_> {
    /// Reads a comment behind the token that was read last.
    pub(super) fn scan_line_comment(&mut self, token: Mark) {
        if self.cursor.newlines > 0 {
            return;
        }
        let blanks = blanks(&self.cursor);
        if blanks >= SEARCHED || self.cursor.byte_at(blanks) != b'#' {
            return;
        }
        self.cursor.take_blanks();
        let start = self.cursor.mark;
        let comment = Comment {
            scanned_from: 0,
            token: token.byte,
            start,
            end: 0,
            position: Position::Line,
            text: self.cursor.take(self.cursor.line_length()).to_owned(),
        };
        self.comments.push_back(comment);
    }

    /// Makes a comment behind a token one that is above what follows, where that is the first item of a list:
    ///
    /// ```yaml
    /// - # this one
    ///   - first
    /// ```
    pub(super) fn raise_line_comment(&mut self) {
        let is_first_dash = matches!(self.last(1), Some((Kind::BlockSequenceStart, _)))
            && matches!(self.last(0), Some((Kind::BlockEntry, _)));
        if !is_first_dash || self.cursor.is_break_at(0) {
            return;
        }
        let mark = self.cursor.mark;
        if let Some(comment) = self.comments.back_mut()
            && comment.position == Position::Line
        {
            comment.position = Position::Head;
            if comment.start.line + 1 == mark.line {
                comment.token = mark.byte;
            }
        }
    }

    /// Reads the comments from here up to the next token.
    pub(super) fn scan_comments(&mut self, scanned_from: Mark) {
        let mut before = self.last(0);
        if let (Some((Kind::FlowEntry, _)), Some(earlier)) = (before, self.last(1)) {
            before = Some(earlier);
        }
        let (kind, start_of_token) = before.unwrap_or((Kind::StreamStart, Mark::default()));
        let indent = u32::try_from(self.indent).unwrap_or(0);
        let mut run = Run {
            scanned_from: scanned_from.byte,
            token: start_of_token.byte,
            start: Mark::default(),
            text: String::new(),
        };
        let newlines = self.cursor.newlines;
        let mut is_first_gap = newlines <= 1;
        let mut is_in_gap = false;
        // A comment that starts on this line, the one below what is there, may be the foot of that.
        let foot_line = (scanned_from.line > 0).then(|| {
            let behind = newlines == 0 && self.cursor.mark.column > 1;
            i64::from(self.cursor.mark.line) - i64::from(newlines) + 1 + i64::from(behind)
        });
        let mut look = Look {
            line: self.cursor.mark.line,
            column: self.cursor.mark.column,
        };
        let mut peek = 0;
        while peek < SEARCHED {
            look.column += 1;
            if self.cursor.is_blank_at(peek) {
                peek += 1;
                continue;
            }
            let byte = self.cursor.byte_at(peek);
            let closes_flow = self.flow > 0 && matches!(byte, b']' | b'}');
            if closes_flow || self.cursor.is_line_end_at(peek) {
                if closes_flow || !is_in_gap {
                    let is_below = foot_line == Some(i64::from(run.start.line)) && kind != Kind::Value;
                    let is_dedented = run.start.column < indent + 1;
                    if closes_flow || is_first_gap && (is_below || is_dedented) {
                        if run.has_text() {
                            if is_dedented {
                                run.token = run.start.byte;
                            }
                            self.end_foot(&mut run, peek);
                        }
                    } else if run.has_text() && byte != 0 {
                        run.text.push('\n');
                    }
                }
                if !self.cursor.is_break_at(peek) {
                    break;
                }
                is_first_gap = false;
                is_in_gap = true;
                look.column = 0;
                look.line += 1;
                peek += 1;
                continue;
            }
            if run.has_text() && look.column < indent + 1 && look.column != run.start.column {
                self.end_foot(&mut run, peek);
            }
            if byte != b'#' {
                break;
            }
            if run.has_text() {
                run.text.push('\n');
            } else {
                run.start = Mark {
                    byte: self.cursor.mark.byte + peek,
                    line: look.line,
                    column: look.column,
                };
            }
            is_in_gap = false;
            self.read_comment(peek, &mut run);
            // The line break behind it ends the comment, and is no gap.
            peek = 1;
            look = Look {
                line: self.cursor.mark.line,
                column: 0,
            };
        }
        if run.has_text() {
            let comment = Comment {
                scanned_from: run.scanned_from,
                token: run.start.byte,
                start: run.start,
                end: (self.cursor.mark.byte + peek).saturating_sub(1),
                position: Position::Head,
                text: run.text,
            };
            self.comments.push_back(comment);
        }
    }

    /// Passes over blank lines up to a comment, and reads it.
    fn read_comment(&mut self, blank: usize, run: &mut Run) {
        let start = self.cursor.mark.byte + blank;
        while self.cursor.mark.byte < start {
            if self.cursor.take_break().is_empty() {
                self.cursor.skip();
            }
        }
        run.text.push_str(self.cursor.take(self.cursor.line_length()));
    }

    /// Ends a comment that is below what was read.
    fn end_foot(&mut self, run: &mut Run, peek: usize) {
        let end = self.cursor.mark.byte + peek;
        let comment = Comment {
            scanned_from: run.scanned_from,
            token: run.token,
            start: run.start,
            end,
            position: Position::Foot,
            text: std::mem::take(&mut run.text),
        };
        self.comments.push_back(comment);
        run.scanned_from = end;
        run.token = end;
    }

    /// Where a block ends that is followed by comments: before those that are not as deep as its members.
    pub(super) fn end_of_block(&self, from: Mark) -> Mark {
        let mut end = from;
        let mut stop = from.byte;
        for comment in self.comments.iter().rev() {
            if comment.end < stop {
                break;
            }
            // The column of a comment is counted from 1.
            if i64::from(comment.start.column) == self.indent + 1 {
                end = comment.start;
            }
            stop = comment.scanned_from;
        }
        end
    }
}

/// Lines that have not come to their end.
struct Run {
    scanned_from: usize,
    token: usize,
    /// Its column is counted from 1.
    start: Mark,
    text: String,
}

impl Run {
    fn has_text(&self) -> bool {
        !self.text.is_empty()
    }
}

fn blanks(cursor: &Cursor<'_>) -> usize {
    let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\t');
    cursor.rest().iter().take(SEARCHED).take_while(is_blank).count()
}
