//! Values to YAML text, in styles chosen by chance.

use crate::dice::Dice;
use crate::value::Y;

/// How one file is written.
pub(crate) struct Writer<'a> {
    dice: &'a mut Dice,
    out: String,
    /// Spaces before the dashes of a sequence below a key.
    wide: bool,
    step: usize,
    comments: u32,
    flow: u32,
    quotes: u32,
    blanks: u32,
    tags: u32,
}

/// Writes a value as a file; `odd` files have comments, quotes, flow collections and so on.
pub(crate) fn write(dice: &mut Dice, value: &Y, odd: bool) -> String {
    let mut often = |percent: u32| if odd && dice.chance(40) { percent } else { 0 };
    let (comments, flow, quotes, blanks, tags) = (often(12), often(12), often(30), often(6), often(4));
    let wide = dice.chance(35);
    let step = if odd && dice.chance(10) { 4 } else { 2 };
    let mut writer = Writer {
        dice,
        out: String::new(),
        wide,
        step,
        comments,
        flow,
        quotes,
        blanks,
        tags,
    };
    writer.comment_line(0);
    writer.block(value, 0, true);
    if writer.out.is_empty() || !writer.out.ends_with('\n') {
        writer.out.push('\n');
    }
    writer.comment_line(0);
    let mut out = writer.out;
    if odd && dice.chance(4) {
        out = out.replace('\n', "\r\n");
    }
    if odd && dice.chance(3) {
        out = out.trim_end().to_owned();
    }
    out
}

const REMARKS: [&str; 7] = [
    "# a comment",
    "#no space",
    "# two\n# lines",
    "#",
    "# with: colon",
    "# ünïcode — “x”",
    "# trailing space ",
];

impl Writer<'_> {
    fn pad(&mut self, indent: usize) {
        self.out.push_str(&" ".repeat(indent));
    }

    fn comment_line(&mut self, indent: usize) {
        if self.dice.chance(self.comments) {
            let remark = self.dice.pick(&REMARKS);
            for line in remark.split('\n') {
                self.pad(indent);
                self.out.push_str(line);
                self.out.push('\n');
            }
            if self.dice.chance(25) {
                self.out.push('\n');
            }
        }
        if self.dice.chance(self.blanks) {
            self.out.push('\n');
        }
    }

    fn line_end(&mut self) {
        if self.dice.chance(self.comments) {
            let remark = self.dice.pick(&REMARKS);
            self.out.push(' ');
            self.out.push_str(remark.split('\n').next().unwrap_or_default());
        }
        self.out.push('\n');
    }

    /// A value at the start of its lines (the root), or behind a dash or a key.
    fn block(&mut self, value: &Y, indent: usize, root: bool) {
        match value {
            Y::Raw(text) => {
                self.separate(root);
                self.out.push_str(text);
                self.line_end();
            }
            Y::Block(header, lines) => {
                self.separate(root);
                self.out.push_str(header);
                self.line_end();
                for line in lines.split('\n') {
                    if !line.is_empty() {
                        self.pad(indent + 2);
                        self.out.push_str(line);
                    }
                    self.out.push('\n');
                }
            }
            Y::Str(text) => {
                self.separate(root);
                self.string(text, indent + 2);
            }
            Y::Seq(items) if items.is_empty() => {
                self.separate(root);
                self.out.push_str("[]");
                self.line_end();
            }
            Y::Map(entries) if entries.is_empty() => {
                self.separate(root);
                self.out.push_str("{}");
                self.line_end();
            }
            _ if !root && self.dice.chance(self.flow) && is_flat(value) => {
                self.separate(root);
                let text = self.flow(value);
                self.out.push_str(&text);
                self.line_end();
            }
            Y::Seq(items) => {
                if !root {
                    self.line_end();
                }
                let below = if self.wide && !root { self.step } else { 0 };
                self.items(items, indent + below);
            }
            Y::Map(entries) => {
                if !root {
                    self.line_end();
                }
                let below = if root { 0 } else { self.step };
                self.entries(entries, indent + below, false);
            }
        }
    }

    fn separate(&mut self, root: bool) {
        if !root {
            self.out.push(' ');
        }
    }

    fn items(&mut self, items: &[Y], indent: usize) {
        for item in items {
            self.comment_line(indent);
            self.pad(indent);
            self.out.push('-');
            match item {
                Y::Map(entries) if !entries.is_empty() && !self.dice.chance(self.flow) => {
                    self.out.push(' ');
                    self.entries(entries, indent + 2, true);
                }
                Y::Seq(inner) if !inner.is_empty() => {
                    self.line_end();
                    self.items(inner, indent + 2);
                }
                Y::Map(entries) if !entries.is_empty() && is_flat(item) => {
                    let text = self.flow(item);
                    self.out.push(' ');
                    self.out.push_str(&text);
                    self.line_end();
                }
                Y::Map(entries) if !entries.is_empty() => {
                    self.out.push(' ');
                    self.entries(entries, indent + 2, true);
                }
                other => self.block(other, indent, false),
            }
        }
    }

    fn entries(&mut self, entries: &[(String, Y)], indent: usize, first_on_line: bool) {
        for (number, (key, value)) in entries.iter().enumerate() {
            if number > 0 || !first_on_line {
                self.comment_line(indent);
                self.pad(indent);
            }
            self.key(key);
            self.out.push(':');
            self.block(value, indent, false);
        }
    }

    fn key(&mut self, key: &str) {
        let plain = is_plain(key) || key.starts_with(['"', '\'', '<', '!', '&']);
        if !plain || self.dice.chance(self.quotes / 6) && is_plain(key) {
            let quoted = quote(key);
            self.out.push_str(&quoted);
        } else {
            self.out.push_str(key);
        }
    }

    fn string(&mut self, text: &str, indent: usize) {
        if text.contains('\n') && !text.starts_with([' ', '\n', '\t']) && !text.contains(['\r', '\u{7}']) {
            if self.dice.chance(92) {
                let header = match text.chars().rev().take_while(|c| *c == '\n').count() {
                    0 => "|-",
                    1 => "|",
                    _ => "|+",
                };
                self.out.push_str(header);
                self.line_end();
                let body = text.strip_suffix('\n').unwrap_or(text);
                for line in body.split('\n') {
                    if !line.is_empty() {
                        self.pad(indent);
                        self.out.push_str(line);
                    }
                    self.out.push('\n');
                }
                return;
            }
            self.out.push_str(&quote(text));
            self.line_end();
            return;
        }
        if self.dice.chance(self.tags) {
            self.out.push_str("!!str ");
        }
        if is_plain(text) && !self.dice.chance(self.quotes) {
            self.out.push_str(text);
        } else if !text.contains(['\n', '\r', '\t', '\u{7}']) && self.dice.chance(50) {
            self.out.push('\'');
            self.out.push_str(&text.replace('\'', "''"));
            self.out.push('\'');
        } else {
            self.out.push_str(&quote(text));
        }
        self.line_end();
    }

    fn flow(&mut self, value: &Y) -> String {
        match value {
            Y::Raw(text) => text.clone(),
            Y::Block(_, text) | Y::Str(text) => {
                if is_plain(text) && !self.dice.chance(self.quotes) {
                    text.clone()
                } else {
                    quote(text)
                }
            }
            Y::Seq(items) => {
                let items: Vec<String> = items.iter().map(|item| self.flow(item)).collect();
                format!("[{}]", items.join(", "))
            }
            Y::Map(entries) => {
                let entries: Vec<String> = entries
                    .iter()
                    .map(|(key, value)| {
                        let key = if is_plain(key) { key.clone() } else { quote(key) };
                        format!("{key}: {}", self.flow(value))
                    })
                    .collect();
                format!("{{{}}}", entries.join(", "))
            }
        }
    }
}

/// Whether a value may stand on one line.
fn is_flat(value: &Y) -> bool {
    match value {
        Y::Raw(text) => {
            !text.contains([',', '[', ']', '{', '}', '&', '*', '#', '!', '?']) && !text.ends_with(':')
        }
        Y::Block(..) => false,
        Y::Str(text) => !text.contains('\n'),
        Y::Seq(items) => items.iter().all(is_flat),
        Y::Map(entries) => entries
            .iter()
            .all(|(key, value)| !key.starts_with(['<', '!', '&']) && is_flat(value)),
    }
}

/// Whether text is the same string without quotes, whoever reads it.
fn is_plain(text: &str) -> bool {
    let mut chars = text.chars();
    let starts = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '/');
    let words = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];
    starts
        && !text.ends_with(':')
        && !words.contains(&text.to_ascii_lowercase().as_str())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_./:=()$@+*".contains(c))
        && !text.contains(": ")
}

fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{7}' => out.push_str("\\a"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
