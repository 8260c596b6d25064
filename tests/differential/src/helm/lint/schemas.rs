//! Schemas for values: all keywords that Helm's validator looks at, within each other, of each draft.
//!
//! Not made: what CONTRIBUTING.md names as known to differ.

use crate::dice::Dice;

/// Keys that generated values have.
const KEYS: [&str; 11] = [
    "a", "b", "c", "name", "image", "list", "cfg", "enabled", "x.y", "port", "global",
];

/// A schema of some draft.
pub(super) fn schema(dice: &mut Dice) -> String {
    let (draft, named) = [
        (2020, ""),
        (2020, "https://json-schema.org/draft/2020-12/schema"),
        (2019, "https://json-schema.org/draft/2019-09/schema"),
        (7, "http://json-schema.org/draft-07/schema#"),
        (7, "http://json-schema.org/draft-07/schema#"),
        (6, "http://json-schema.org/draft-06/schema#"),
        (4, "http://json-schema.org/draft-04/schema#"),
    ][dice.below(7)];
    let mut fields = Schema { dice, draft }.fields(3);
    if !named.is_empty() {
        fields.push(("$schema", format!("\"{named}\"")));
    }
    let one = Schema { dice, draft }.flat();
    let two = Schema { dice, draft }.flat();
    fields.push((
        "definitions",
        format!("{{\"one\": {one}, \"two\": {{\"properties\": {{\"a\": {two}}}}}}}"),
    ));
    object(&fields)
}

struct Schema<'d> {
    dice: &'d mut Dice,
    draft: u32,
}

impl Schema<'_> {
    fn of(&mut self, depth: usize) -> String {
        if self.draft > 4 && self.dice.chance(5) {
            return self.dice.pick(&["true", "false"]).to_owned();
        }
        object(&self.fields(depth))
    }

    /// A schema without others within.
    fn flat(&mut self) -> String {
        let (first, second) = (self.plain(), self.plain());
        object(&[first, second])
    }

    fn fields(&mut self, depth: usize) -> Vec<(&'static str, String)> {
        let mut fields = Vec::new();
        for _ in 0..=self.dice.below(3) {
            let field = if depth == 0 || self.dice.chance(45) {
                self.plain()
            } else {
                self.deep(depth - 1)
            };
            fields.push(field);
        }
        let is_old = self.draft < 2019 && fields.iter().any(|(keyword, _)| *keyword == "$ref");
        fields.retain(|(keyword, _)| !is_old || *keyword != "const");
        // Limits that draft 4 has stand beside others.
        for (limit, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
            if self.draft == 4 && fields.iter().any(|(keyword, _)| *keyword == exclusive) {
                fields.push((limit, self.number().to_owned()));
            }
        }
        fields
    }

    fn number(&mut self) -> &'static str {
        self.dice.pick(&[
            "0", "1", "2", "1.5", "-1", "3", "5", "80", "1000", "8080.0", "1e6", "0.1",
        ])
    }

    fn plain(&mut self) -> (&'static str, String) {
        let keywords = [
            "type",
            "type",
            "type",
            "enum",
            "const",
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "multipleOf",
            "minLength",
            "maxLength",
            "pattern",
            "format",
            "minItems",
            "maxItems",
            "uniqueItems",
            "required",
            "minProperties",
            "maxProperties",
            "contentEncoding",
        ];
        let keyword = self.dice.one(&keywords).copied().unwrap_or("type");
        let value = match keyword {
            "type" => self
                .dice
                .pick(&[
                    "\"string\"",
                    "\"integer\"",
                    "\"number\"",
                    "\"object\"",
                    "\"array\"",
                    "\"null\"",
                    "\"boolean\"",
                    "[\"string\", \"object\"]",
                    "[\"integer\", \"null\"]",
                ])
                .to_owned(),
            "enum" => self
                .dice
                .pick(&[
                    "[1, \"x\", true]",
                    "[80]",
                    "[\"a\", null]",
                    "[{\"a\": 1}]",
                    "[2.0]",
                ])
                .to_owned(),
            "const" => self
                .dice
                .pick(&["80", "\"x\"", "null", "{}", "[1]", "1.0"])
                .to_owned(),
            "exclusiveMinimum" | "exclusiveMaximum" if self.draft == 4 => "true".to_owned(),
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => self.number().to_owned(),
            "multipleOf" => self.dice.pick(&["1", "2", "0.1", "1.5"]).to_owned(),
            "pattern" => self
                .dice
                .pick(&["\"^t\"", "\"\\\\d\"", "\"^[a-c]+$\"", "\"é'\"", "\"^\\\\w*$\""])
                .to_owned(),
            "format" => {
                let format = self.dice.pick(&[
                    "date",
                    "date-time",
                    "time",
                    "duration",
                    "period",
                    "email",
                    "hostname",
                    "ipv4",
                    "ipv6",
                    "uri",
                    "iri",
                    "uri-reference",
                    "uuid",
                    "regex",
                    "json-pointer",
                    "semver",
                    "idn-hostname",
                    "other",
                ]);
                format!("\"{format}\"")
            }
            "uniqueItems" => "true".to_owned(),
            "required" => self
                .dice
                .pick(&["[\"a\"]", "[\"a\", \"b\", \"zz\"]", "[\"it's\"]"])
                .to_owned(),
            "contentEncoding" => "\"base64\"".to_owned(),
            _ => self.dice.pick(&["0", "1", "2", "3", "1000"]).to_owned(),
        };
        (keyword, value)
    }

    fn deep(&mut self, depth: usize) -> (&'static str, String) {
        let mut keywords = vec![
            "properties",
            "properties",
            "properties",
            "patternProperties",
            "additionalProperties",
            "items",
            "tuple",
            "allOf",
            "anyOf",
            "oneOf",
            "not",
            "$ref",
            "dependencies",
        ];
        if self.draft > 4 {
            keywords.extend(["contains", "propertyNames"]);
        }
        if self.draft > 6 {
            keywords.extend(["if", "then", "else"]);
        }
        if self.draft > 7 {
            keywords.extend(["dependentRequired", "dependentSchemas", "minContains"]);
        }
        let keyword = self.dice.one(&keywords).copied().unwrap_or("properties");
        let value = match keyword {
            "patternProperties" => {
                let pattern = self.dice.pick(&["^a", "[bc]", "e$"]);
                format!("{{\"{pattern}\": {}}}", self.of(depth))
            }
            "additionalProperties" if self.dice.chance(50) => "false".to_owned(),
            "tuple" => {
                let list = format!("[{}]", self.of(depth));
                let keyword = if self.draft > 2019 { "prefixItems" } else { "items" };
                return (keyword, list);
            }
            "allOf" | "anyOf" | "oneOf" => {
                let all: Vec<String> = (0..=self.dice.below(3)).map(|_| self.of(depth)).collect();
                format!("[{}]", all.join(", "))
            }
            "$ref" => {
                let name = self.dice.pick(&["one", "two"]);
                format!("\"#/definitions/{name}\"")
            }
            "dependencies" | "dependentRequired"
                if keyword == "dependentRequired" || self.dice.chance(50) =>
            {
                let key = self.dice.pick(&KEYS);
                let asked = self.dice.pick(&["[\"b\"]", "[\"zz\", \"yy\"]"]);
                format!("{{\"{key}\": {asked}}}")
            }
            "properties" | "dependentSchemas" | "dependencies" => self.by_key(depth),
            "minContains" => self.dice.pick(&["0", "1", "2"]).to_owned(),
            _ => self.of(depth),
        };
        (keyword, value)
    }

    fn by_key(&mut self, depth: usize) -> String {
        let mut fields = Vec::new();
        for _ in 0..=self.dice.below(3) {
            let key = self.dice.one(&KEYS).copied().unwrap_or("a");
            fields.push((key, self.of(depth)));
        }
        object(&fields)
    }
}

/// Of several fields of one name the last.
fn object(fields: &[(&str, String)]) -> String {
    let mut seen = Vec::new();
    let mut out = Vec::new();
    for (key, value) in fields.iter().rev() {
        if !seen.contains(key) {
            seen.push(*key);
            out.push(format!("\"{key}\": {value}"));
        }
    }
    format!("{{{}}}", out.join(", "))
}
