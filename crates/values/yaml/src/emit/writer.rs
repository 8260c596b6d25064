//! The writer under both emitters: columns, indentation, indicators.

use super::scalar::{is_break, is_printable};

/// Which library is being followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavor {
    /// yaml v2 under sigs.k8s.io/yaml: folds behind column 80.
    V2,
    /// yaml v3 as kyaml sets it up: never folds.
    V3,
}

/// Spaces of one level, in both libraries as they are used here.
pub(super) const INDENT: i32 = 2;

pub(super) struct Writer {
    pub(super) out: String,
    pub(super) flavor: Flavor,
    /// Column in characters, from 0.
    column: usize,
    /// Current indentation; -1 before the root.
    pub(super) indent: i32,
    /// The last thing written was white space or asks for none before the next.
    whitespace: bool,
    /// Only indentation and `-`, `?`, `:` so far on this line.
    pub(super) indention: bool,
    pub(super) flow_level: u32,
    /// Indentation at which a foot comment was just written, which asks for a blank line.
    foot_indent: i32,
    width: usize,
}

impl Writer {
    pub(super) fn new(flavor: Flavor) -> Self {
        Self {
            out: String::new(),
            flavor,
            column: 0,
            indent: -1,
            whitespace: true,
            indention: true,
            flow_level: 0,
            foot_indent: -1,
            width: if flavor == Flavor::V2 { 80 } else { usize::MAX },
        }
    }

    /// Whether nothing stands on the line yet.
    pub(super) fn at_line_start(&self) -> bool {
        self.column == 0
    }

    pub(super) fn too_wide(&self) -> bool {
        self.column > self.width
    }

    fn put(&mut self, c: char) {
        self.out.push(c);
        self.column += 1;
    }

    fn put_str(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    fn put_break(&mut self) {
        self.write_break('\n');
    }

    /// Writes a line break character of the text itself.
    fn write_break(&mut self, c: char) {
        self.out.push(c);
        self.column = 0;
        self.indention = true;
    }

    /// Goes to the current indentation, on a new line if this one is in use.
    pub(super) fn write_indent(&mut self) {
        let indent = self.indent.max(0);
        let target = usize::try_from(indent).unwrap_or_default();
        if !self.indention || self.column > target || (self.column == target && !self.whitespace) {
            self.put_break();
        }
        if self.foot_indent == indent {
            self.put_break();
        }
        while self.column < target {
            self.put(' ');
        }
        self.whitespace = true;
        self.indention = true;
        self.foot_indent = -1;
    }

    pub(super) fn indicator(&mut self, text: &str, space_before: bool, space: bool, indention: bool) {
        if space_before && !self.whitespace {
            self.put(' ');
        }
        self.put_str(text);
        self.whitespace = space;
        self.indention = self.indention && indention;
    }

    /// Anchors, aliases, tags.
    pub(super) fn property(&mut self, text: &str) {
        self.indicator(text, true, false, false);
    }

    pub(super) fn plain(&mut self, text: &str, allow_breaks: bool) {
        if !text.is_empty() && !self.whitespace {
            self.put(' ');
        }
        // Most text needs no folding and holds no breaks.
        if (!allow_breaks || text.len() < self.width.saturating_sub(self.column)) && !text.contains(is_break)
        {
            self.put_str(text);
        } else {
            self.folded_text(text, allow_breaks, false);
        }
        if !text.is_empty() {
            self.whitespace = false;
        }
        self.indention = false;
    }

    pub(super) fn single_quoted(&mut self, text: &str, allow_breaks: bool) {
        self.indicator("'", true, false, false);
        self.folded_text(text, allow_breaks, true);
        self.indicator("'", false, false, false);
        self.whitespace = false;
        self.indention = false;
    }

    /// The body of a plain or single-quoted scalar.
    fn folded_text(&mut self, text: &str, allow_breaks: bool, quoted: bool) {
        let mut spaces = false;
        let mut breaks = false;
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let next = chars.peek().map(|(_, next)| *next);
            if c == ' ' {
                let inner = !quoted || (at > 0 && next.is_some());
                if allow_breaks && !spaces && self.too_wide() && inner && next != Some(' ') {
                    self.write_indent();
                } else {
                    self.put(c);
                }
                spaces = true;
            } else if is_break(c) {
                if !breaks && c == '\n' {
                    self.put_break();
                }
                self.write_break(c);
                breaks = true;
            } else {
                if breaks {
                    self.write_indent();
                }
                if quoted && c == '\'' {
                    self.put('\'');
                }
                self.put(c);
                self.indention = false;
                spaces = false;
                breaks = false;
            }
        }
    }

    pub(super) fn double_quoted(&mut self, text: &str, allow_breaks: bool) {
        self.indicator("\"", true, false, false);
        let mut spaces = false;
        // The library looks for the mark at the start of the text, whatever character it is at.
        let marked = text.starts_with('\u{feff}');
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            if marked || !is_printable(c) || is_break(c) || c == '"' || c == '\\' {
                self.escape(c);
                spaces = false;
            } else if c == ' ' {
                let next = chars.peek().map(|(_, next)| *next);
                if allow_breaks && !spaces && self.too_wide() && at > 0 && next.is_some() {
                    self.write_indent();
                    if next == Some(' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(c);
                }
                spaces = true;
            } else {
                self.put(c);
                spaces = false;
            }
        }
        self.indicator("\"", false, false, false);
        self.whitespace = false;
        self.indention = false;
    }

    fn escape(&mut self, c: char) {
        self.put('\\');
        let short = match c {
            '\0' => '0',
            '\u{7}' => 'a',
            '\u{8}' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\u{b}' => 'v',
            '\u{c}' => 'f',
            '\r' => 'r',
            '\u{1b}' => 'e',
            '"' => '"',
            '\\' => '\\',
            '\u{85}' => 'N',
            '\u{a0}' => '_',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            _ => {
                let code = u32::from(c);
                let text = match code {
                    0..=0xff => format!("x{code:02X}"),
                    0x100..=0xffff => format!("u{code:04X}"),
                    _ => format!("U{code:08X}"),
                };
                self.put_str(&text);
                return;
            }
        };
        self.put(short);
    }

    /// The header of a block scalar behind `|` or `>`.
    pub(super) fn block_header(&mut self, indicator: &str, text: &str) {
        self.indicator(indicator, true, false, false);
        if text.starts_with(|c| c == ' ' || is_break(c)) {
            self.indicator("2", false, false, false);
        }
        let mut last = text.chars().rev();
        let chomp = match (last.next(), last.next()) {
            (Some(end), _) if !is_break(end) => "-",
            (None, _) => "-",
            (Some(_), Some(before)) if !is_break(before) => "",
            _ => "+",
        };
        if !chomp.is_empty() {
            self.indicator(chomp, false, false, false);
        }
    }

    /// The lines of a literal scalar; the line break behind the header is written already.
    pub(super) fn literal_body(&mut self, text: &str) {
        self.whitespace = true;
        let mut breaks = true;
        for c in text.chars() {
            if is_break(c) {
                self.write_break(c);
                breaks = true;
            } else {
                if breaks {
                    self.write_indent();
                }
                self.put(c);
                self.indention = false;
                breaks = false;
            }
        }
    }

    /// The lines of a folded scalar; nothing is folded anew, since only yaml v3 writes these.
    pub(super) fn folded_body(&mut self, text: &str) {
        self.whitespace = true;
        let mut breaks = true;
        let mut leading_spaces = true;
        // The library looks at the first character behind the breaks that start the *text*.
        let behind_breaks = text.trim_start_matches(is_break).chars().next();
        let extra = behind_breaks.is_some_and(|c| c != ' ' && c != '\t');
        for c in text.chars() {
            if is_break(c) {
                if !breaks && !leading_spaces && c == '\n' && extra {
                    self.put_break();
                }
                self.write_break(c);
                breaks = true;
            } else {
                if breaks {
                    self.write_indent();
                    leading_spaces = c == ' ' || c == '\t';
                }
                self.put(c);
                self.indention = false;
                breaks = false;
            }
        }
    }

    /// Ends the line behind a block scalar's header.
    pub(super) fn end_header(&mut self, line_comment: &str) {
        if line_comment.is_empty() {
            self.put_break();
        } else {
            self.line_comment(line_comment);
        }
    }

    pub(super) fn line_comment(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if !self.whitespace {
            self.put(' ');
        }
        self.comment(text);
    }

    pub(super) fn head_comment(&mut self, text: &str) {
        if !text.is_empty() {
            self.write_indent();
            self.comment(text);
        }
    }

    pub(super) fn foot_comment(&mut self, text: &str) {
        if !text.is_empty() {
            self.write_indent();
            self.comment(text);
            self.foot_indent = self.indent.max(0);
        }
    }

    /// A blank line, as between a document's head and its root.
    pub(super) fn blank_line(&mut self) {
        self.put_break();
    }

    /// Writes the lines of a comment. One whose text ends with a line break has a blank line below it only where
    /// something follows.
    fn comment(&mut self, text: &str) {
        let mut breaks = false;
        for (number, line) in text.split('\n').enumerate() {
            if number > 0 {
                self.put_break();
                breaks = true;
            }
            if line.is_empty() {
                continue;
            }
            if breaks {
                self.write_indent();
            }
            if !line.starts_with('#') {
                self.put_str("# ");
            }
            self.put_str(line);
            self.indention = false;
            breaks = false;
        }
        if !breaks {
            self.put_break();
        }
        self.whitespace = true;
    }

    /// Ends the document.
    pub(super) fn finish(&mut self, foot: &str) {
        self.indent = -1;
        if !foot.is_empty() {
            self.foot_indent = 0;
            self.foot_comment(foot);
        }
        self.foot_indent = -1;
        self.write_indent();
    }

    /// Runs `body` one level deeper, and comes back.
    pub(super) fn deeper(&mut self, step: Step, body: impl FnOnce(&mut Self)) {
        let before = self.indent;
        self.indent = match step {
            _ if before < 0 => {
                if step == Step::Flow {
                    INDENT
                } else {
                    0
                }
            }
            Step::None => before,
            Step::Block | Step::Flow => before + INDENT,
        };
        body(self);
        self.indent = before;
    }
}

/// How much deeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A sequence whose dashes stand below the key.
    None,
    /// A block collection.
    Block,
    /// A flow collection, or the lines of a scalar.
    Flow,
}
