//! Generated templates: pipelines, functions with arguments that fit or do not, variables, control flow, definitions,
//! formats, trim markers and broken syntax.
//!
//! What is a matter of chance in Go (random functions, the order of `keys` and `values`) does not come up, unless the
//! template asks for what is certain about it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::functions::{BUILTINS, HELM, SLIM, SPRIG, Table, Want};
use super::operands::{self, DATA, SCALARS};
use crate::dice::Dice;

/// Templates and what they run with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    /// Who has the functions.
    pub(crate) functions: Family,
    /// With Helm: the chart's files by path, else the one template.
    pub(crate) files: BTreeMap<String, String>,
    /// The values file, or JSON.
    pub(crate) values: String,
    /// Lines as of `--set`.
    pub(crate) set: Vec<String>,
    /// Whether it is an upgrade.
    pub(crate) upgrade: bool,
    /// Without Helm, `zero`, `default` or `error`.
    pub(crate) missing_key: &'static str,
    /// Without Helm, what JSON's numbers become: `float`, `int`, `int64` or `number`.
    pub(crate) numbers: &'static str,
}

/// Functions that templates have besides Go's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Family {
    /// All, in Helm's engine.
    Helm,
    Sprig,
    /// slim-sprig's repeatable ones.
    Slim,
    /// None.
    Go,
}

impl Family {
    /// The name for a terminal and for the reference.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Helm => "helm",
            Self::Sprig => "sprig",
            Self::Slim => "slim",
            Self::Go => "go",
        }
    }
}

/// Where the template lies that is not Helm's.
pub(crate) const ALONE: &str = "x";

impl Case {
    /// What the reference is asked.
    pub(crate) fn request(&self) -> Value {
        if self.functions == Family::Helm {
            return json!({
                "files": self.files, "values": self.values, "set": self.set, "upgrade": self.upgrade,
                "name": "rel", "namespace": "ns",
            });
        }
        json!({
            "template": self.files.get(ALONE),
            "functions": self.functions.name(),
            "data": self.data(),
            "missingKey": self.missing_key,
            "numbers": self.numbers,
        })
    }

    /// The data of a template that is not Helm's.
    pub(crate) fn data(&self) -> Value {
        serde_json::from_str(&self.values).unwrap_or_default()
    }

    /// All of it as one text, for a terminal.
    pub(crate) fn show(&self) -> String {
        let mut text = String::new();
        for (path, content) in &self.files {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "--- {path}\n{content}");
        }
        if self.functions == Family::Helm {
            let _ = writeln!(text, "--- values\n{}", self.values);
        }
        let _ = writeln!(
            text,
            "--- {}, set {:?}, missing keys {}, numbers {}",
            self.functions.name(),
            self.set,
            self.missing_key,
            self.numbers
        );
        text
    }
}

/// The case that chance makes.
pub(crate) fn case(dice: &mut Dice) -> Case {
    let functions = match dice.below(10) {
        0..=6 => Family::Helm,
        7 => Family::Sprig,
        8 => Family::Slim,
        _ => Family::Go,
    };
    let mut generator = Generator {
        dice,
        variables: Vec::new(),
        templates: Vec::new(),
        blocks: 0,
        in_range: 0,
        functions,
    };
    if functions == Family::Helm {
        generator.chart()
    } else {
        let text = generator.text();
        generator.alone(text)
    }
}

struct Generator<'d> {
    dice: &'d mut Dice,
    variables: Vec<String>,
    templates: Vec<String>,
    blocks: usize,
    in_range: usize,
    functions: Family,
}

impl Generator<'_> {
    fn alone(&mut self, text: String) -> Case {
        Case {
            functions: self.functions,
            files: [(ALONE.to_owned(), text)].into(),
            values: DATA.to_owned(),
            set: Vec::new(),
            upgrade: false,
            missing_key: self.dice.pick(&["zero", "zero", "default", "error"]),
            numbers: self.dice.pick(&["float", "float", "int", "int64", "number"]),
        }
    }

    /// A chart with a template, helpers, and at times a subchart that has some too.
    fn chart(&mut self) -> Case {
        let mut files = BTreeMap::new();
        let mut add = |path: &str, text: String| files.insert(path.to_owned(), text);
        add(
            "Chart.yaml",
            "apiVersion: v2\nname: top\nversion: 0.1.0-x+y\nappVersion: \"1.10\"\nkeywords: [a, b]\n\
             annotations: {k: v}\nmaintainers: [{name: me, email: a@b.c}]\n"
                .into(),
        );
        add("a.txt", "plain é\n".into());
        add("conf/b.ini", "[x]\ny=1\n\nz: \"q\"\n".into());
        add("conf/c/d.bin", "a\tb\r\nc".into());
        if self.dice.chance(50) {
            let mut helpers = String::new();
            for index in 0..=self.dice.below(2) {
                helpers.push_str(&self.definition(index));
            }
            add("templates/_helpers.tpl", helpers);
        }
        if self.dice.chance(15) {
            add(
                "charts/sub/Chart.yaml",
                "apiVersion: v2\nname: sub\nversion: 1.0.0\n".into(),
            );
            let before = std::mem::take(&mut self.templates);
            let text = self.short();
            add("charts/sub/templates/y.yaml", text);
            self.templates = before;
        }
        let text = self.text();
        add("templates/x.yaml", text);
        if self.dice.chance(10) {
            let text = self.short();
            add("templates/NOTES.txt", text);
        }
        let mut values = DATA.to_owned();
        if self.dice.chance(60) {
            values = values.replace("\n}", ",\n");
            let _ = write!(values, "\"extra\": {}\n}}", self.flow());
        } else if self.dice.chance(50) {
            values = format!(
                "sub: {{q: 1, global: {{g: 2}}}}\nextra: {}\n",
                self.dice.pick(SCALARS)
            );
        }
        let mut set = Vec::new();
        if self.dice.chance(30) {
            set.push("given.i=5,given.list={a,1,true},nums[1]=9,given.n=null".to_owned());
        }
        Case {
            functions: self.functions,
            files,
            values,
            set,
            upgrade: self.dice.chance(20),
            missing_key: "zero",
            numbers: "float",
        }
    }

    /// A scalar that a flow mapping can hold.
    fn flow(&mut self) -> &'static str {
        let scalar = self.dice.pick(SCALARS);
        // JSON has no number for the infinite: the values are refused, which is soon seen.
        let is_infinite = scalar == ".inf" && self.dice.chance(90);
        if scalar.contains('\n') || scalar.is_empty() || is_infinite {
            "~"
        } else {
            scalar
        }
    }

    /// Most long templates fail somewhere; what comes after that is seen in short ones.
    fn short(&mut self) -> String {
        let count = self.dice.pick(&[&1, &1, &1, &2, &3]);
        (0..*count).fold(String::new(), |mut text, _| {
            let _ = write!(text, "{{{{ {} }}}}", self.command(1, false));
            text
        })
    }

    fn text(&mut self) -> String {
        if self.dice.chance(50) {
            return self.short();
        }
        let mut text = String::new();
        for index in 0..self.dice.below(3) {
            // Helm's files share one space of names; two files may define the same one.
            let index = if self.dice.chance(90) {
                index + self.templates.len()
            } else {
                index
            };
            text.push_str(&self.definition(index));
        }
        text.push_str(&self.nodes(3));
        if self.dice.chance(8) {
            text = self.broken(&text);
        }
        text
    }

    fn definition(&mut self, index: usize) -> String {
        let name = format!("t{index}");
        let body = self.fresh(|generator| generator.nodes(2));
        self.templates.push(name.clone());
        format!("{{{{define \"{name}\"}}}}{body}{{{{end}}}}")
    }

    fn fresh(&mut self, inner: impl FnOnce(&mut Self) -> String) -> String {
        let variables = std::mem::take(&mut self.variables);
        let range = std::mem::take(&mut self.in_range);
        let out = inner(self);
        self.variables = variables;
        self.in_range = range;
        out
    }

    fn scope(&mut self, inner: impl FnOnce(&mut Self) -> String) -> String {
        let before = self.variables.len();
        let out = inner(self);
        self.variables.truncate(before);
        out
    }

    fn nodes(&mut self, depth: usize) -> String {
        let count = 1 + self.dice.below(4);
        (0..count).fold(String::new(), |text, _| text + &self.node(depth))
    }

    fn open(&mut self) -> &'static str {
        self.dice.pick(&["{{", "{{ ", "{{- ", "{{"])
    }

    fn close(&mut self) -> &'static str {
        self.dice.pick(&["}}", " }}", " -}}", "}}", "\n}}"])
    }

    fn node(&mut self, depth: usize) -> String {
        let choice = self.dice.below(if depth == 0 { 9 } else { 16 });
        let (open, close) = (self.open(), self.close());
        match choice {
            0 => self
                .dice
                .pick(&["text ", "\n", "a\n  b: ", "  ", "- ", "é✓ ", "\r\n", "\t", "}} "])
                .to_owned(),
            1 => {
                let close = self.dice.pick(&["}}", " -}}"]);
                let open = self.dice.pick(&["{{", "{{- "]);
                format!("{open}/* a comment\n {{{{ */{close}")
            }
            2 => {
                let pipeline = self.pipeline(2);
                let name = format!("$v{}", self.dice.below(3));
                let assigns = self.variables.contains(&name) && self.dice.chance(50);
                self.variables.push(name.clone());
                let sign = if assigns { "=" } else { ":=" };
                format!("{open}{name} {sign} {pipeline}{close}")
            }
            3..=8 => format!("{open}{}{close}", self.pipeline(2)),
            9 | 10 => self.choice(open, close, depth),
            11..=13 => self.range(open, close, depth),
            14 if self.in_range > 0 => format!("{open}{}{close}", self.dice.pick(&["break", "continue"])),
            14 => {
                let operand = self.operand(0, Want::Any);
                let body = self.fresh(|generator| generator.nodes(depth - 1));
                self.blocks += usize::from(self.dice.chance(90));
                format!("{{{{block \"b{}\" {operand}}}}}{body}{{{{end}}}}", self.blocks)
            }
            _ => match self.templates.last().cloned() {
                Some(name) if self.dice.chance(92) => {
                    format!("{open}template \"{name}\" {}{close}", self.operand(1, Want::Any))
                }
                _ => format!("{open}template \"missing\" .{close}"),
            },
        }
    }

    fn choice(&mut self, open: &str, close: &str, depth: usize) -> String {
        let word = self.dice.pick(&["if", "with"]);
        let pipeline = self.pipeline(1);
        let declares = if self.dice.chance(15) { "$w := " } else { "" };
        let body = self.scope(|generator| {
            if !declares.is_empty() {
                generator.variables.push("$w".to_owned());
            }
            generator.nodes(depth - 1)
        });
        let otherwise = match self.dice.below(4) {
            0 => format!(
                "{{{{else}}}}{}",
                self.scope(|generator| generator.nodes(depth - 1))
            ),
            1 => {
                let pipeline = self.pipeline(1);
                let body = self.scope(|generator| generator.nodes(depth - 1));
                format!("{{{{else {word} {pipeline}}}}}{body}")
            }
            _ => String::new(),
        };
        format!("{open}{word} {declares}{pipeline}{close}{body}{otherwise}{{{{end}}}}")
    }

    fn range(&mut self, open: &str, close: &str, depth: usize) -> String {
        let over = match self.dice.below(6) {
            0 => {
                let text = self
                    .dice
                    .pick(&["3", "0", ".n", ".neg", ".nil", ".s", ".t", "nil", ".replicas"]);
                self.place(text)
            }
            1 | 2 => self.operand(1, Want::Map),
            _ => self.operand(1, Want::List),
        };
        let known = |name: &str| self.variables.iter().any(|known| known == name);
        let declares = match self.dice.below(6) {
            0 if known("$x") => "$x = ",
            0 | 1 => "$x := ",
            2 if known("$i") && known("$x") => "$i, $x = ",
            2 | 3 => "$i, $x := ",
            _ => "",
        };
        let before = self.variables.len();
        for name in ["$i", "$x"] {
            if declares.contains(name) && declares.contains(":=") {
                self.variables.push(name.to_owned());
            }
        }
        self.in_range += 1;
        let body = self.nodes(depth - 1);
        self.in_range -= 1;
        self.variables.truncate(before);
        let otherwise = if self.dice.chance(25) {
            "{{else}}nothing"
        } else {
            ""
        };
        format!("{open}range {declares}{over}{close}{body}{otherwise}{{{{end}}}}")
    }

    fn pipeline(&mut self, depth: usize) -> String {
        let mut out = self.command(depth, false);
        while self.dice.chance(33) {
            out.push_str(" | ");
            out.push_str(&self.command(depth, true));
        }
        out
    }

    fn command(&mut self, depth: usize, piped: bool) -> String {
        if !piped && self.dice.chance(33) {
            return self.operand(depth, Want::Any);
        }
        if self.dice.chance(10) {
            if piped {
                return format!(
                    "printf {}",
                    self.dice
                        .pick(&["\"<%v>\"", "\"%s\"", "\"%q\"", "\"%6.2v|\"", "\"%+v\""])
                );
            }
            // What `.Capabilities` points to, and the inside of a time, are numbers to some verbs: a matter of chance.
            let operand = self.operand(depth, Want::Any);
            let whole = [".", "$", "$.Subcharts", "(.)", "($)"].contains(&operand.as_str())
                || ["Date", "odify", "now", "Values.sub"]
                    .iter()
                    .any(|part| operand.contains(part));
            let operand = if whole { "$.Values" } else { &operand };
            let format = self.format();
            return format!("printf {format} {operand}");
        }
        let tables: &[Table] = match self.functions {
            Family::Helm => &[BUILTINS, SLIM, SLIM, SPRIG, HELM, HELM],
            Family::Sprig => &[BUILTINS, SLIM, SLIM, SPRIG],
            Family::Slim => &[BUILTINS, SLIM, SLIM],
            Family::Go => &[BUILTINS],
        };
        let table = self.dice.one(tables).copied().unwrap_or_default();
        let Some((name, wants)) = self.dice.one(table).copied() else {
            return "1".to_owned();
        };
        // What is counted, is made: nothing large may come in through the pipe.
        if piped && wants.last().is_none_or(|want| *want == Want::Small) {
            return "len".to_owned();
        }
        let mut out = name.to_owned();
        let mut wants: Vec<Want> = wants.to_vec();
        if piped {
            wants.pop();
        }
        if self.dice.chance(1) && wants.first().is_some_and(|want| *want != Want::Small) {
            wants.remove(0);
        }
        for mut want in wants {
            if want != Want::Small && self.dice.chance(2) {
                want = Want::Any;
            }
            out.push(' ');
            out.push_str(&self.operand(depth.saturating_sub(1), want));
        }
        out
    }

    fn format(&mut self) -> String {
        let flags = self
            .dice
            .pick(&["", "", "", "+", "-", "#", "0", " ", "+#", "-0", "# "]);
        let width = self.dice.pick(&[
            "", "", "", "5", "12", "08", ".3", "8.2", ".0", "*", "[1]", "[2]", ".",
        ]);
        let verb = self.dice.pick(&[
            "v", "v", "s", "d", "q", "x", "X", "t", "T", "f", "e", "g", "c", "U", "b", "o", "O", "G", "E",
            "F", "z", "%", "é",
        ]);
        format!("\"<%{flags}{width}{verb}>\"")
    }

    fn operand(&mut self, depth: usize, want: Want) -> String {
        if let Want::Literal(text) = want {
            // Without sprig there is no `list` and no `dict`.
            return if self.functions == Family::Go {
                ".m".into()
            } else {
                text.to_owned()
            };
        }
        if depth > 0 && want != Want::Small && self.dice.chance(33) {
            return format!("({})", self.command(depth - 1, false));
        }
        if !self.variables.is_empty() && want != Want::Small && self.dice.chance(20) {
            let name = self.dice.one(&self.variables).cloned().unwrap_or_default();
            return format!("{name}{}", self.dice.pick(&["", "", "", ".a", ".k", ".name"]));
        }
        if self.functions == Family::Helm && want == Want::Any && self.dice.chance(20) {
            return self.dice.pick(operands::HELM).to_owned();
        }
        if want == Want::Any && self.dice.chance(6) {
            return ".".to_owned();
        }
        let odd = want != Want::Small && self.dice.chance(3);
        let text = self
            .dice
            .pick(if odd { operands::ODD } else { operands::of(want) });
        let is_call = text.starts_with('(') && !text.starts_with("(.");
        if self.functions == Family::Go && is_call {
            return ".m".to_owned();
        }
        self.place(text)
    }

    /// Data lies in `.Values` with Helm; most often it is found from the root, whatever `.` is.
    fn place(&mut self, text: &str) -> String {
        if self.functions != Family::Helm || self.dice.chance(2) {
            return text.to_owned();
        }
        let values = self.dice.pick(&[
            "$.Values.",
            "$.Values.",
            "$.Values.",
            "$.Values.",
            "$.Values.",
            ".Values.",
        ]);
        if let Some(field) = text.strip_prefix('.') {
            return format!("{values}{field}");
        }
        // `(.m).d`, `(index .maps 0)`
        match text.split_once([' ', '(']) {
            Some(_) if text.starts_with('(') => {
                text.replacen("(.", &format!("({values}"), 1)
                    .replacen(" .", &format!(" {values}"), 1)
            }
            _ => text.to_owned(),
        }
    }

    /// Takes a piece out, or puts one in.
    fn broken(&mut self, template: &str) -> String {
        let chars: Vec<char> = template.chars().collect();
        let at = self.dice.below(chars.len());
        let (head, tail) = chars.split_at(at);
        let head: String = head.iter().collect();
        match self.dice.below(3) {
            0 => head + &tail.iter().skip(1 + self.dice.below(4)).collect::<String>(),
            1 => head,
            _ => {
                let junk = self.dice.pick(&[
                    "{{",
                    "}}",
                    "(",
                    ")",
                    "|",
                    "\"",
                    "`",
                    "{{end}}",
                    "{{else}}",
                    ".",
                    "$x",
                    ":=",
                    ",",
                    "@",
                    " -}}",
                    "{{- ",
                    "/*",
                    "'",
                    "{{if}}",
                    "\u{e9}",
                    "{{break}}",
                    "{{else if .}}",
                    "{{else with}}",
                    "\\",
                    "=",
                    "\n",
                    "\0",
                ]);
                head + junk + &tail.iter().collect::<String>()
            }
        }
    }
}
