//! Random templates from a seed, for comparing with Go: pipelines, functions with arguments that fit or do not,
//! variables, control flow, definitions, formats, trim markers and broken syntax.
//!
//! What is a matter of chance in Go (random functions, the order of `keys` and `values`, addresses) does not come
//! up.

#![expect(
    clippy::format_collect,
    clippy::format_push_string,
    clippy::unwrap_used,
    reason = "templates are short, and a wrong table fails at once"
)]

use serde_json::{Value, json};

/// A template and what it runs with.
#[derive(Debug)]
pub(crate) struct Case {
    /// The template.
    pub(crate) template: String,
    /// Its data: a map.
    pub(crate) data: Value,
    /// The functions: `helm`, `sprig`, `slim` or none.
    pub(crate) functions: &'static str,
    /// `zero`, `default` or `error`.
    pub(crate) missing_key: &'static str,
    /// What JSON's numbers become: `float`, `int`, `int64` or `number`.
    pub(crate) numbers: &'static str,
}

/// A small generator of random numbers.
pub(crate) struct Source(u64);

impl Source {
    /// The same seed gives the same numbers.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    /// A number below the bound.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    /// One of them.
    pub(crate) fn pick<'t, T: ?Sized>(&mut self, choice: &[&'t T]) -> &'t T {
        choice[self.below(choice.len())]
    }

    fn chance(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }
}

/// The case of a seed.
pub(crate) fn case(seed: u64) -> Case {
    let mut source = Source::new(seed);
    let functions = source.pick(&["helm", "helm", "helm", "sprig", "slim", ""]);
    let mut generator = Generator {
        source,
        variables: Vec::new(),
        templates: Vec::new(),
        in_range: 0,
        functions,
    };
    let mut template = String::new();
    // Most long templates fail somewhere; what comes after that is seen in short ones.
    if generator.source.chance(2) {
        let commands = 1 + generator.source.below(3);
        let body: String = (0..commands)
            .map(|_| format!("{{{{ {} }}}}", generator.command(1, false)))
            .collect();
        return generator.finish(body);
    }
    for index in 0..generator.source.below(3) {
        let name = format!("t{index}");
        let body = generator.fresh(|generator| generator.nodes(2));
        template.push_str(&format!("{{{{define \"{name}\"}}}}{body}{{{{end}}}}"));
        generator.templates.push(name);
    }
    template.push_str(&generator.nodes(3));
    if generator.source.chance(12) {
        template = generator.broken(&template);
    }
    generator.finish(template)
}

fn data() -> Value {
    json!({
        "s": "hello world", "e": "", "u": "naïve Straße ☃", "n": 42, "z": 0, "neg": -7, "f": 3.75, "big": 1e21,
        "million": 1_000_000, "small": 0.000_001_5, "t": true, "nil": null, "no": false,
        "list": [1, "two", 3.5, null, true, ["x"], {"k": "v"}], "words": ["pear", "apple", "fig"], "nums": [3, 1, 2],
        "empty": [], "none": {},
        "m": {"a": 1, "b": "two", "c": [1, 2], "d": {"e": "deep", "nil": null}, "z": null},
        "Values": {"image": {"repository": "nginx", "tag": "1.27.3"}, "replicas": 3, "on": true,
            "labels": {"app": "web", "tier": "front"}, "args": ["--a", "--b=c"], "multi": "line one\nline two\n"},
        "ver": "1.2.3-rc.1+b5", "url": "https://u:p@example.com:8443/a/b?q=1#frag", "path": "/a/b/../c.tar.gz",
        "json": "{\"a\": [1, 2.5, null], \"b\": {\"c\": \"d\"}}", "yaml": "a: 1\nb: [x, y]\nc:\n  d: 1.50\n",
        "date": "2024-02-29T13:14:15Z", "html": "<a href='x'>&\"</a>", "pct": "100%"
    })
}

struct Generator {
    source: Source,
    variables: Vec<String>,
    templates: Vec<String>,
    in_range: usize,
    functions: &'static str,
}

/// What an argument should be.
#[derive(Clone, Copy)]
enum Want {
    Any,
    Text,
    Int,
    Float,
    List,
    Map,
    Bool,
    /// This very text.
    Literal(&'static str),
}
use Want::{Any, Bool, Float, Int, List, Literal, Map, Text};

/// Functions with what they take.
type Table = &'static [(&'static str, &'static [Want])];

const BUILTINS: Table = &[
    ("print", &[Any, Any]),
    ("println", &[Any]),
    ("len", &[Any]),
    ("not", &[Any]),
    ("and", &[Any, Any]),
    ("or", &[Any, Any, Any]),
    ("eq", &[Any, Any]),
    ("eq", &[Int, Int, Int]),
    ("ne", &[Any, Any]),
    ("lt", &[Int, Int]),
    ("le", &[Text, Text]),
    ("gt", &[Any, Any]),
    ("ge", &[Float, Float]),
    ("index", &[List, Int]),
    ("index", &[Map, Text]),
    ("index", &[Any, Any, Any]),
    ("slice", &[Text, Int, Int]),
    ("slice", &[List, Int]),
    ("html", &[Any]),
    ("js", &[Any]),
    ("urlquery", &[Any]),
    ("call", &[Any]),
];

const SLIM: Table = &[
    ("trim", &[Text]),
    ("upper", &[Text]),
    ("lower", &[Text]),
    ("title", &[Text]),
    ("repeat", &[Literal("3"), Text]),
    ("substr", &[Int, Int, Text]),
    ("trunc", &[Int, Text]),
    ("trimAll", &[Text, Text]),
    ("trimSuffix", &[Text, Text]),
    ("trimPrefix", &[Text, Text]),
    ("contains", &[Text, Text]),
    ("hasPrefix", &[Text, Text]),
    ("hasSuffix", &[Text, Text]),
    ("quote", &[Any, Any]),
    ("squote", &[Any]),
    ("cat", &[Any, Any]),
    ("indent", &[Literal("2"), Text]),
    ("nindent", &[Literal("4"), Text]),
    ("replace", &[Text, Text, Text]),
    ("plural", &[Text, Text, Int]),
    ("toString", &[Any]),
    ("toStrings", &[Any]),
    ("join", &[Text, Any]),
    ("sortAlpha", &[List]),
    ("split", &[Text, Text]),
    ("splitList", &[Text, Text]),
    ("splitn", &[Text, Int, Text]),
    ("b64enc", &[Text]),
    ("b64dec", &[Text]),
    ("b32enc", &[Text]),
    ("b32dec", &[Text]),
    ("atoi", &[Text]),
    ("int", &[Any]),
    ("int64", &[Any]),
    ("float64", &[Any]),
    ("toDecimal", &[Any]),
    ("seq", &[Int]),
    ("seq", &[Literal("1"), Int]),
    ("until", &[Int]),
    ("untilStep", &[Int, Int, Literal("3")]),
    ("add1", &[Any]),
    ("add", &[Any, Any, Any]),
    ("sub", &[Any, Any]),
    ("div", &[Any, Any]),
    ("mod", &[Any, Any]),
    ("mul", &[Any, Any]),
    ("max", &[Any, Any]),
    ("min", &[Any, Any]),
    ("maxf", &[Any, Any]),
    ("minf", &[Any, Any]),
    ("ceil", &[Any]),
    ("floor", &[Any]),
    ("round", &[Any, Literal("2")]),
    ("default", &[Any, Any]),
    ("empty", &[Any]),
    ("coalesce", &[Any, Any]),
    ("all", &[Any, Any]),
    ("any", &[Any, Any]),
    ("ternary", &[Any, Any, Bool]),
    ("toPrettyJson", &[Any]),
    ("toRawJson", &[Any]),
    ("mustToJson", &[Any]),
    ("fromJson", &[Text]),
    ("mustFromJson", &[Text]),
    ("toJson", &[Any]),
    ("typeOf", &[Any]),
    ("kindOf", &[Any]),
    ("typeIs", &[Text, Any]),
    ("kindIs", &[Literal("\"map\""), Any]),
    ("deepEqual", &[Any, Any]),
    ("base", &[Text]),
    ("dir", &[Text]),
    ("clean", &[Text]),
    ("ext", &[Text]),
    ("isAbs", &[Text]),
    ("list", &[Any, Any, Any]),
    ("list", &[]),
    ("dict", &[Text, Any, Text, Any]),
    ("dict", &[Any]),
    ("get", &[Map, Text]),
    ("hasKey", &[Map, Text]),
    ("set", &[Map, Text, Any]),
    ("unset", &[Map, Text]),
    ("pluck", &[Text, Map, Map]),
    ("pick", &[Map, Text, Text]),
    ("omit", &[Map, Text]),
    ("dig", &[Text, Text, Any, Map]),
    ("append", &[List, Any]),
    ("prepend", &[List, Any]),
    ("first", &[List]),
    ("rest", &[List]),
    ("last", &[List]),
    ("initial", &[List]),
    ("reverse", &[List]),
    ("compact", &[List]),
    ("uniq", &[List]),
    ("without", &[List, Any]),
    ("has", &[Any, List]),
    ("concat", &[List, List]),
    ("chunk", &[Literal("2"), List]),
    ("slice", &[List, Literal("1")]),
    ("regexMatch", &[Literal("\"^[a-z]+\""), Text]),
    ("regexFind", &[Literal("`o.?`"), Text]),
    ("regexFindAll", &[Literal("`[aeiou]`"), Text, Int]),
    (
        "regexReplaceAll",
        &[Literal("\"(l+)\""), Text, Literal("\"<${1}>\"")],
    ),
    (
        "regexReplaceAllLiteral",
        &[Literal("\"o\""), Text, Literal("\"$0\"")],
    ),
    ("regexSplit", &[Literal("`[ -]+`"), Text, Int]),
    ("regexQuoteMeta", &[Text]),
    ("mustRegexMatch", &[Text, Text]),
    ("regexSplit", &[Literal("\"\""), Text, Int]),
    ("urlParse", &[Text]),
    ("urlJoin", &[Map]),
    ("duration", &[Any]),
    ("durationRound", &[Any]),
    ("adler32sum", &[Text]),
    ("sha1sum", &[Text]),
    ("sha256sum", &[Text]),
    ("mustToDate", &[Literal("\"2006-01-02T15:04:05Z07:00\""), Text]),
    ("toDate", &[Literal("\"2006-01-02\""), Text]),
    ("unixEpoch", &[Literal("(toDate \"2006-01-02\" \"2024-05-06\")")]),
];

const SPRIG: Table = &[
    ("untitle", &[Text]),
    ("swapcase", &[Text]),
    ("nospace", &[Text]),
    ("initials", &[Text]),
    ("abbrev", &[Int, Text]),
    ("abbrevboth", &[Int, Int, Text]),
    ("wrap", &[Int, Text]),
    ("wrapWith", &[Int, Text, Text]),
    ("snakecase", &[Text]),
    ("kebabcase", &[Text]),
    ("camelcase", &[Text]),
    ("sha512sum", &[Text]),
    ("add1f", &[Any]),
    ("addf", &[Float, Any]),
    ("subf", &[Float, Float]),
    ("mulf", &[Float, Float]),
    ("divf", &[Float, Float]),
    ("merge", &[Map, Map]),
    ("mergeOverwrite", &[Map, Map]),
    ("deepCopy", &[Any]),
    ("semverCompare", &[Literal("\">=1.2-0 <2\""), Text]),
    ("semverCompare", &[Text, Text]),
    ("semver", &[Text]),
    ("htmlDateInZone", &[Literal("86400"), Literal("\"UTC\"")]),
    (
        "dateInZone",
        &[
            Literal("\"Mon Jan _2 15:04:05.000 MST 2006 PM -0700\""),
            Literal("1700000000"),
            Literal("\"UTC\""),
        ],
    ),
    (
        "dateModify",
        &[Text, Literal("(toDate \"2006-01-02\" \"2024-05-06\")")],
    ),
];

const HELM: Table = &[
    ("toYaml", &[Any]),
    ("toYaml", &[Map]),
    ("toJson", &[Any]),
    ("fromYaml", &[Text]),
    ("fromYamlArray", &[Text]),
    ("fromJson", &[Text]),
    ("fromJsonArray", &[Text]),
    ("required", &[Text, Any]),
    ("tpl", &[Text, Any]),
    ("tpl", &[Literal("\"{{ .s }}-{{ .missing }}\""), Literal(".")]),
    ("include", &[Literal("\"t0\""), Any]),
    ("include", &[Literal("\"t1\""), Literal(".")]),
    ("lookup", &[Text, Text, Text, Text]),
    ("fail", &[Text]),
    ("toToml", &[Map]),
    ("mustToYaml", &[Any]),
];

impl Generator {
    fn finish(mut self, template: String) -> Case {
        Case {
            template,
            data: data(),
            functions: self.functions,
            missing_key: self.source.pick(&["zero", "zero", "default", "error"]),
            numbers: self.source.pick(&["float", "float", "int", "int64", "number"]),
        }
    }

    fn fresh(&mut self, inner: impl FnOnce(&mut Self) -> String) -> String {
        let variables = std::mem::take(&mut self.variables);
        let out = inner(self);
        self.variables = variables;
        out
    }

    fn nodes(&mut self, depth: usize) -> String {
        let count = 1 + self.source.below(4);
        (0..count).map(|_| self.node(depth)).collect()
    }

    fn open(&mut self) -> &'static str {
        self.source.pick(&["{{", "{{ ", "{{- ", "{{"])
    }

    fn close(&mut self) -> &'static str {
        self.source.pick(&["}}", " }}", " -}}", "}}"])
    }

    fn node(&mut self, depth: usize) -> String {
        let choice = self.source.below(if depth == 0 { 9 } else { 16 });
        let (open, close) = (self.open(), self.close());
        match choice {
            0 => self
                .source
                .pick(&["text ", "\n", "a\n  b: ", "  ", "- ", "é✓ "])
                .to_owned(),
            1 => {
                format!("{open}/* a comment */{}", self.source.pick(&["}}", " -}}"])).replace("{{ /*", "{{/*")
            }
            2 => {
                let pipeline = self.pipeline(2);
                let name = format!("$v{}", self.source.below(3));
                let assigns = self.variables.contains(&name) && self.source.chance(2);
                self.variables.push(name.clone());
                format!(
                    "{open}{name} {} {pipeline}{close}",
                    if assigns { "=" } else { ":=" }
                )
            }
            3..=8 => format!("{open}{}{close}", self.pipeline(2)),
            9 | 10 => {
                let word = self.source.pick(&["if", "with"]);
                let pipeline = self.pipeline(1);
                let body = self.scope(|generator| generator.nodes(depth - 1));
                let otherwise = match self.source.below(4) {
                    0 => format!(
                        "{{{{else}}}}{}",
                        self.scope(|generator| generator.nodes(depth - 1))
                    ),
                    1 => {
                        let pipeline = self.pipeline(1);
                        format!(
                            "{{{{else {word} {pipeline}}}}}{}",
                            self.scope(|generator| generator.nodes(depth - 1))
                        )
                    }
                    _ => String::new(),
                };
                format!("{open}{word} {pipeline}{close}{body}{otherwise}{{{{end}}}}")
            }
            11..=13 => {
                let over = self.ranged();
                let declares = match self.source.below(4) {
                    0 => "$i, $x := ",
                    1 => "$x := ",
                    _ => "",
                };
                let before = self.variables.len();
                if declares.contains("$i") {
                    self.variables.push("$i".to_owned());
                }
                if declares.contains("$x") {
                    self.variables.push("$x".to_owned());
                }
                self.in_range += 1;
                let body = self.nodes(depth - 1);
                self.in_range -= 1;
                self.variables.truncate(before);
                let otherwise = if self.source.chance(4) {
                    "{{else}}nothing"
                } else {
                    ""
                };
                format!("{open}range {declares}{over}{close}{body}{otherwise}{{{{end}}}}")
            }
            14 if self.in_range > 0 => format!("{open}{}{close}", self.source.pick(&["break", "continue"])),
            14 => format!(
                "{{{{block \"b{}\" {}}}}}{}{{{{end}}}}",
                self.source.below(3),
                self.operand(0, Any),
                {
                    let range = std::mem::take(&mut self.in_range);
                    let body = self.fresh(|generator| generator.nodes(depth - 1));
                    self.in_range = range;
                    body
                }
            ),
            _ => match self.templates.last().cloned() {
                Some(name) if !self.source.chance(12) => {
                    format!("{open}template \"{name}\" {}{close}", self.operand(1, Any))
                }
                _ => format!("{open}template \"missing\" .{close}"),
            },
        }
    }

    fn scope(&mut self, inner: impl FnOnce(&mut Self) -> String) -> String {
        let before = self.variables.len();
        let out = inner(self);
        self.variables.truncate(before);
        out
    }

    fn ranged(&mut self) -> String {
        match self.source.below(6) {
            0 => self
                .source
                .pick(&["3", "0", ".n", ".neg", ".nil", ".s", ".t", "nil"])
                .to_owned(),
            1 | 2 => self.operand(1, Map),
            _ => self.operand(1, List),
        }
    }

    fn pipeline(&mut self, depth: usize) -> String {
        let mut out = self.command(depth, false);
        while self.source.chance(3) {
            out.push_str(" | ");
            out.push_str(&self.command(depth, true));
        }
        out
    }

    fn command(&mut self, depth: usize, piped: bool) -> String {
        if !piped && self.source.chance(3) {
            return self.operand(depth, Any);
        }
        if self.source.chance(10) {
            let format = self.format();
            let value = if piped {
                String::new()
            } else {
                format!(" {}", self.operand(depth, Any))
            };
            return format!("printf {format}{value}");
        }
        let tables: &[Table] = match self.functions {
            "helm" => &[BUILTINS, SLIM, SLIM, SPRIG, HELM, HELM],
            "sprig" => &[BUILTINS, SLIM, SLIM, SPRIG],
            "slim" => &[BUILTINS, SLIM, SLIM],
            _ => &[BUILTINS],
        };
        let table = tables[self.source.below(tables.len())];
        let (name, wants) = table[self.source.below(table.len())];
        let mut out = name.to_owned();
        let mut wants = wants;
        if piped && !wants.is_empty() {
            wants = &wants[..wants.len() - 1];
        }
        if self.source.chance(60) && !wants.is_empty() {
            wants = &wants[1..];
        }
        for want in wants {
            out.push(' ');
            let want = if self.source.chance(30) { Any } else { *want };
            out.push_str(&self.operand(depth.saturating_sub(1), want));
        }
        out
    }

    fn format(&mut self) -> String {
        let flags = self
            .source
            .pick(&["", "", "", "+", "-", "#", "0", " ", "+#", "-0"]);
        let width = self
            .source
            .pick(&["", "", "", "5", "12", "08", ".3", "8.2", ".0", "*", "[1]", "[2]"]);
        let verb = self.source.pick(&[
            "v", "v", "s", "d", "q", "x", "X", "t", "T", "f", "e", "g", "c", "U", "b", "o", "O", "G", "z",
            "%",
        ]);
        format!("\"<%{flags}{width}{verb}>\"")
    }

    fn operand(&mut self, depth: usize, want: Want) -> String {
        if let Literal(text) = want {
            return text.to_owned();
        }
        if depth > 0 && self.source.chance(3) {
            return format!("({})", self.command(depth - 1, false));
        }
        if !self.variables.is_empty() && self.source.chance(5) {
            let index = self.source.below(self.variables.len());
            let field = self.source.pick(&["", "", "", ".a", ".k"]);
            return format!("{}{field}", self.variables[index]);
        }
        let choice: &[&str] = match want {
            Text => &[
                ".s",
                ".e",
                ".u",
                ".ver",
                ".url",
                ".path",
                ".json",
                ".yaml",
                ".date",
                ".html",
                ".pct",
                "\"a-b c\"",
                "`raw\\n`",
                "\"\"",
                "\"fooBarBaz\"",
                "\"a\\tb\"",
                ".Values.image.tag",
                "\"x\"",
                "\"l\"",
                ".m.b",
                "\"1.5\"",
                "\"017\"",
                "\"0x1F\"",
                "\"HTTP2Server_name\"",
                "\"k\"",
                "\"1h30m\"",
                ".Values.multi",
                "\"1.2.3\"",
                "\"a: [1\"",
            ],
            Int => &["0", "1", "2", "3", "-1", "7", "0x10", "'a'", "10", "5"],
            Float => &["1.5", "-2.25", "1e6", "0.1", "1e-7", "3.0", ".f"],
            List => &[
                ".list",
                ".words",
                ".nums",
                ".empty",
                "(list 1 2 3)",
                ".Values.args",
                ".m.c",
                ".nil",
            ],
            Map => &[
                ".m",
                ".Values",
                ".none",
                ".m.d",
                "(dict \"a\" 1)",
                ".Values.labels",
                ".",
                ".nil",
            ],
            Bool => &["true", "false", ".t", ".no"],
            _ => &[
                ".",
                "$",
                ".s",
                ".n",
                ".f",
                ".t",
                ".nil",
                ".list",
                ".m",
                ".m.a",
                ".m.d.e",
                ".missing",
                ".missing.x",
                ".m.missing",
                ".m.d.nil.x",
                ".s.x",
                ".Values.image",
                ".words",
                "1",
                "-3",
                "2.5",
                "1e6",
                "\"lit\"",
                "true",
                "nil",
                "1i",
                "'x'",
                ".big",
                ".million",
                ".small",
                ".neg",
                ".z",
                ".e",
                "$.m.b",
                ".Values.replicas",
                "(.m).d",
                "(.missing).x",
                "0x1p4",
                "18446744073709551615",
                "1_000",
                ".list.x",
                ".none",
                ".empty",
                ".html",
            ],
        };
        // Without sprig there is no `list` and no `dict`.
        let choice = self.source.pick(choice);
        if self.functions.is_empty() && choice.starts_with('(') && !choice.starts_with("(.") {
            ".m".to_owned()
        } else {
            choice.to_owned()
        }
    }

    /// Takes a piece out, or puts one in.
    fn broken(&mut self, template: &str) -> String {
        let chars: Vec<char> = template.chars().collect();
        let at = self.source.below(chars.len().max(1));
        let (head, tail) = chars.split_at(at);
        let head: String = head.iter().collect();
        match self.source.below(3) {
            0 => head + &tail.iter().skip(1 + self.source.below(4)).collect::<String>(),
            1 => head,
            _ => {
                let junk = [
                    "{{", "}}", "(", ")", "|", "\"", "`", "{{end}}", "{{else}}", ".", "$x", ":=", ",", "@",
                    " -}}", "{{- ", "/*", "'", "{{if}}", "\u{e9}",
                ];
                head + junk[self.source.below(junk.len())] + &tail.iter().collect::<String>()
            }
        }
    }
}
