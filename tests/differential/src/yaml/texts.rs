//! Texts with everything that YAML has, most of them well formed.

use crate::dice::Dice;
use crate::fuzz::damage;
use crate::scalars;
use crate::value::Y;
use crate::writer::write;

/// A text.
pub(crate) fn text(dice: &mut Dice) -> String {
    let mut text = if dice.chance(35) {
        let value = value(dice, 4);
        write(dice, &value, true)
    } else {
        let comments = if dice.chance(45) {
            0
        } else {
            6 + 10 * u32::from(dice.chance(30))
        };
        let mut maker = Maker {
            dice,
            out: String::new(),
            anchors: Vec::new(),
            comments,
        };
        maker.document();
        maker.out
    };
    if dice.chance(12) {
        text = damage(dice, &text);
    }
    if dice.chance(3) {
        text = text.replace('\n', "\r\n");
    }
    text
}

const KEYS: [&str; 30] = [
    "a",
    "b",
    "c",
    "name",
    "key",
    "list",
    "x.y",
    "a/b",
    "A",
    "aB",
    "a1",
    "a10",
    "a2",
    "a02",
    "1",
    "10",
    "true",
    "y",
    "no",
    "~",
    "1.5",
    "0x1",
    "two words",
    "\"quoted\"",
    "'single'",
    "ü",
    "-",
    "=",
    "2024-01-01",
    "\"\"",
];

/// A value for the writer of kustomize's trees.
fn value(dice: &mut Dice, depth: usize) -> Y {
    match dice.below(if depth == 0 { 3 } else { 10 }) {
        0..=2 => scalars::any(dice),
        3..=5 => Y::Seq((0..dice.below(4)).map(|_| value(dice, depth - 1)).collect()),
        _ => {
            let mut y = Y::Map(Vec::new());
            let start = dice.below(KEYS.len());
            for at in 0..dice.below(5) {
                let key = KEYS.get((start + at * 7) % KEYS.len()).copied().unwrap_or("k");
                y.push(key, value(dice, depth - 1));
            }
            y
        }
    }
}

struct Maker<'a> {
    dice: &'a mut Dice,
    out: String,
    anchors: Vec<String>,
    /// In how many of a hundred places a comment stands.
    comments: u32,
}

const COMMENTS: [&str; 8] = [
    "# one",
    "# two words",
    "#no space",
    "#",
    "# a: b",
    "# - x",
    "#  wide ",
    "# ünï",
];

const PLAIN: [&str; 16] = [
    "plain",
    "two words",
    "a:b",
    "a#b",
    "x,y",
    "it's",
    "a\"b",
    "-1x",
    "http://x/?a=b&c=d#e",
    "a & b",
    "[not",
    "é 日本",
    "😀",
    "a\tb",
    "- x",
    "? x",
];

const DOUBLE: [&str; 20] = [
    "",
    "a",
    "two words",
    "\\n",
    "a\\nb",
    "a\\nb\\n",
    "\\t",
    "\\\"",
    "\\\\",
    "\\u00e9",
    "\\x41",
    "\\U0001F600",
    "\\e[0m",
    "\\N\\_\\L\\P",
    "\\/",
    "\\0",
    " lead",
    "trail ",
    "#no",
    "a: b",
];

const BODIES: [&str; 14] = [
    "one",
    "one\ntwo",
    "one\n\ntwo",
    "one\n\n\ntwo",
    "one\n  deep\ntwo",
    "one\n\n  deep\n\ntwo",
    "# not a comment",
    "- x\n- y",
    "a: b",
    "trail  \nx",
    "\ttab",
    "x\n\ttab",
    "word word word word word word word word word word word word word word word word word word word word\nb",
    "é 日本\n😀",
];

impl Maker<'_> {
    fn document(&mut self) {
        match self.dice.below(40) {
            0 => self.out.push_str("%YAML 1.1\n---\n"),
            1 => self.out.push_str("--- # c\n"),
            2..=5 => self.out.push_str("---\n"),
            6 => self.out.push('\u{feff}'),
            7 => self.out.push_str("\n\n"),
            _ => {}
        }
        self.comment_lines(0);
        match self.dice.below(20) {
            0 => {
                self.scalar(0, false);
                self.end();
            }
            1 => {
                let flow = self.flow(3, 2);
                self.out.push_str(&flow);
                self.end();
            }
            2..=6 => self.sequence(0, 4),
            _ => self.mapping(0, 4),
        }
        self.comment_lines(0);
        match self.dice.below(60) {
            0 => self.out.push_str("...\n"),
            1 => {
                let end = self.out.trim_end_matches('\n').len();
                self.out.truncate(end);
            }
            2 => self.out.push_str("---\nsecond: 1\n"),
            3 => self.out.push_str("\n\n"),
            _ => {}
        }
    }

    fn pad(&mut self, indent: usize) {
        self.out.push_str(&" ".repeat(indent));
    }

    fn comment(&mut self) -> &'static str {
        self.dice.pick(&COMMENTS)
    }

    /// Comments and blank lines above, below and between.
    fn comment_lines(&mut self, indent: usize) {
        while self.dice.chance(self.comments) {
            match self.dice.below(5) {
                0 => self.out.push('\n'),
                1 => {
                    let other = self.dice.below(indent + 3);
                    self.pad(other);
                    let comment = self.comment();
                    self.out.push_str(comment);
                    self.out.push('\n');
                }
                _ => {
                    self.pad(indent);
                    let comment = self.comment();
                    self.out.push_str(comment);
                    self.out.push('\n');
                }
            }
        }
        if self.dice.chance(1) {
            self.out.push('\n');
        }
    }

    fn end(&mut self) {
        if self.dice.chance(self.comments) {
            let comment = self.comment();
            self.out.push(' ');
            self.out.push_str(comment);
        } else if self.dice.chance(1) {
            self.out.push_str("  ");
        }
        self.out.push('\n');
    }

    fn properties(&mut self) {
        if self.dice.chance(3) {
            let name = self.dice.pick(&["a", "b", "x-1", "long_anchor"]).to_owned();
            self.out.push('&');
            self.out.push_str(&name);
            self.out.push(' ');
            self.anchors.push(name);
        }
        if self.dice.chance(3) {
            let tag = self.dice.pick(&[
                "!!str ",
                "!!int ",
                "!!float ",
                "!!bool ",
                "!!null ",
                "!!binary ",
                "!local ",
                "! ",
                "!!map ",
                "!!seq ",
                "!<tag:yaml.org,2002:str> ",
                "!!timestamp ",
            ]);
            self.out.push_str(tag);
        }
    }

    fn mapping(&mut self, indent: usize, depth: usize) {
        let start = self.dice.below(KEYS.len());
        let count = 1 + self.dice.below(4);
        for at in 0..count {
            if at > 0 {
                self.pad(indent);
            }
            self.entry(indent, depth, start + at * 7);
            if at + 1 < count {
                self.comment_lines(indent);
            }
        }
    }

    /// An entry, from its key on.
    fn entry(&mut self, indent: usize, depth: usize, number: usize) {
        if self.dice.chance(2)
            && let Some(name) = self.dice.one(&self.anchors)
        {
            self.out.extend(["<<: *", name]);
            self.end();
            return;
        }
        if self.dice.chance(1) {
            self.out.push_str("? ");
            self.value(indent + 2, depth.saturating_sub(2), true);
            self.pad(indent);
            self.out.push(':');
            self.value(indent, depth.saturating_sub(1), false);
            return;
        }
        if self.dice.chance(1) {
            self.properties();
        }
        let key = if self.dice.chance(1) {
            "a"
        } else if self.dice.chance(60) {
            KEYS.get(number % 14).copied().unwrap_or("k")
        } else {
            KEYS.get(number % KEYS.len()).copied().unwrap_or("k")
        };
        self.out.push_str(key);
        if self.dice.chance(1) {
            self.out.push(' ');
        }
        self.out.push(':');
        self.value(indent, depth.saturating_sub(1), false);
    }

    fn sequence(&mut self, indent: usize, depth: usize) {
        let count = 1 + self.dice.below(4);
        for at in 0..count {
            if at > 0 {
                self.pad(indent);
            }
            self.out.push('-');
            self.value(indent, depth.saturating_sub(1), true);
            if at + 1 < count {
                self.comment_lines(indent);
            }
        }
    }

    /// What stands behind a colon or a dash, to the end of its lines.
    fn value(&mut self, indent: usize, depth: usize, item: bool) {
        let choice = if depth == 0 {
            self.dice.below(12)
        } else {
            self.dice.below(24)
        };
        match choice {
            0 if self.dice.chance(40) => {
                if self.dice.chance(20) {
                    self.out.push(' ');
                    self.properties();
                }
                self.end();
            }
            1 if !self.anchors.is_empty() && self.dice.chance(60) => {
                let name = self.dice.one(&self.anchors).cloned().unwrap_or_default();
                self.out.extend([" *", name.as_str()]);
                self.end();
            }
            2 => self.block(indent),
            3 => {
                self.out.push(' ');
                self.properties();
                let flow = self.flow(2, indent + 2);
                self.out.push_str(&flow);
                self.end();
            }
            0..=11 => {
                self.out.push(' ');
                self.properties();
                self.scalar(indent, false);
                self.end();
            }
            12..=16 => {
                self.out.push(' ');
                if item && self.dice.chance(85) {
                    self.mapping_or_sequence(indent + 2, depth, false);
                    return;
                }
                self.properties();
                let trimmed = self.out.trim_end_matches(' ').len();
                self.out.truncate(trimmed);
                self.end();
                let deeper = indent + 2 + 2 * usize::from(self.dice.chance(8));
                self.comment_lines(deeper);
                self.pad(deeper);
                self.mapping(deeper, depth);
            }
            _ => {
                self.out.push(' ');
                if item && self.dice.chance(70) {
                    self.mapping_or_sequence(indent + 2, depth, true);
                    return;
                }
                self.properties();
                let trimmed = self.out.trim_end_matches(' ').len();
                self.out.truncate(trimmed);
                self.end();
                let deeper = if item || self.dice.chance(50) {
                    indent + 2
                } else {
                    indent
                };
                self.comment_lines(deeper);
                self.pad(deeper);
                self.sequence(deeper, depth);
            }
        }
    }

    /// A collection on the line of its dash.
    fn mapping_or_sequence(&mut self, indent: usize, depth: usize, sequence: bool) {
        if sequence {
            self.sequence(indent, depth);
        } else {
            self.mapping(indent, depth);
        }
    }

    fn scalar(&mut self, indent: usize, flow: bool) {
        let text = match self.dice.below(12) {
            0..=3 => match scalars::odd(self.dice) {
                Y::Raw(text) => text,
                _ => "x".into(),
            },
            4..=6 => {
                let text = self.dice.pick(&PLAIN).to_owned();
                if !flow && self.dice.chance(6) {
                    let blank = if self.dice.chance(30) { "\n" } else { "" };
                    format!("{text}\n{blank}{}more text", " ".repeat(indent + 1))
                } else {
                    text
                }
            }
            7 | 8 => {
                let (a, b) = (self.dice.pick(&DOUBLE), self.dice.pick(&DOUBLE));
                match self.dice.below(12) {
                    0 => format!("\"{a}\n{}{b}\"", " ".repeat(indent + 1)),
                    1 => format!("\"{a}\\\n{}{b}\"", " ".repeat(indent + 1)),
                    2 => format!("\"{a} \n\n{}{b}\"", " ".repeat(indent + 2)),
                    3 => format!("\"{a}{b}\""),
                    _ => format!("\"{a}\""),
                }
            }
            9 | 10 => {
                let text = scalars::content(self.dice).replace('\'', "''");
                if text.contains(['\n', '\r']) && !self.dice.chance(10) {
                    "'single'".into()
                } else {
                    format!("'{text}'")
                }
            }
            _ => {
                let text = scalars::content(self.dice);
                if text.contains('\n') && !self.dice.chance(10) {
                    serde_json::to_string(text).unwrap_or_default()
                } else {
                    text.to_owned()
                }
            }
        };
        self.out.push_str(&text);
    }

    fn block(&mut self, indent: usize) {
        self.out.push(' ');
        self.properties();
        let deeper = indent + 1 + self.dice.below(3);
        let body = self.dice.pick(&BODIES);
        self.out.push_str(self.dice.pick(&["|", ">"]));
        let lead = self.dice.chance(8);
        if lead {
            self.out.push_str(&(deeper - indent).to_string());
        }
        self.out.push_str(self.dice.pick(&["", "", "-", "+"]));
        self.end();
        for (number, line) in body.split('\n').enumerate() {
            if !line.is_empty() {
                self.pad(deeper + usize::from(lead && number == 0));
                self.out.push_str(line);
            }
            self.out.push('\n');
        }
        for _ in 0..self.dice.below(6).saturating_sub(3) {
            self.out.push('\n');
        }
    }

    fn flow(&mut self, depth: usize, indent: usize) -> String {
        let held = std::mem::take(&mut self.out);
        self.flow_node(depth, indent);
        std::mem::replace(&mut self.out, held)
    }

    fn flow_break(&mut self, indent: usize) {
        match self.dice.below(14) {
            0 => {
                if self.dice.chance(self.comments) {
                    let comment = self.comment();
                    self.out.push(' ');
                    self.out.push_str(comment);
                }
                self.out.push('\n');
                self.pad(indent);
            }
            1 => {}
            _ => self.out.push(' '),
        }
    }

    fn flow_node(&mut self, depth: usize, indent: usize) {
        let count = self.dice.below(4);
        match self.dice.below(if depth == 0 { 6 } else { 12 }) {
            0..=5 => self.scalar(indent, true),
            6..=8 => {
                self.out.push('[');
                for number in 0..count {
                    if number > 0 {
                        self.out.push(',');
                        self.flow_break(indent);
                    }
                    if self.dice.chance(4) {
                        self.out.push_str("k: ");
                    }
                    self.properties();
                    self.flow_node(depth - 1, indent);
                }
                if self.dice.chance(5) && count > 0 {
                    self.out.push(',');
                }
                self.out.push(']');
            }
            _ => {
                self.out.push('{');
                let start = self.dice.below(KEYS.len());
                for number in 0..count {
                    if number > 0 {
                        self.out.push(',');
                        self.flow_break(indent);
                    }
                    let key = KEYS
                        .get((start + number * 7) % KEYS.len())
                        .copied()
                        .unwrap_or("k");
                    self.out.push_str(key);
                    if self.dice.chance(4) {
                        continue;
                    }
                    self.out.push(':');
                    self.flow_break(indent);
                    self.properties();
                    self.flow_node(depth - 1, indent);
                }
                self.out.push('}');
            }
        }
    }
}
