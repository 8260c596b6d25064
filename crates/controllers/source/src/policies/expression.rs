//! The CEL expressions of policies about what is stated of an artifact.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use weir_plan::{Expr, InvalidExpression};
use weir_verify::{Condition, Fails, Statement};

/// What expressions may speak of: the predicate, the list of subjects, the whole statement, and the time as RFC 3339 writes it.
const VARIABLES: [&str; 4] = ["predicate", "subject", "statement", NOW];
const NOW: &str = "now";

/// Longest text, in characters, of a value in a message, and of all of them.
const LONGEST_VALUE: usize = 160;
const LONGEST: usize = 600;

/// An expression about a statement. Its length, depth and work are bounded, see [`Expr`].
#[derive(Debug)]
pub(crate) struct Expression {
    read: Expr,
    depends_on_time: bool,
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// When it is none, or yields no boolean, or speaks of something else; with the place, as far as it is known.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        let read = Expr::compile(text, &VARIABLES).map_err(|error| {
            let (InvalidExpression::UnknownVariable { name, .. }
            | InvalidExpression::UnknownFunction { name, .. }) = &error
            else {
                return error.to_string();
            };
            let variables = VARIABLES.join(", ");
            let place = place_of(text, name)
                .map(|(line, column)| format!(" at line {line}, column {column}"))
                .unwrap_or_default();
            format!("{error}{place}; there are {variables}")
        })?;
        let depends_on_time = read.variables().any(|name| name == NOW);
        Ok(Self {
            read,
            depends_on_time,
        })
    }

    /// What it looked at and what is there, for people.
    fn saw(&self, data: &Map<String, Value>) -> String {
        let mut said = Vec::new();
        for path in self.read.paths() {
            let Some((variable, fields)) = path.split_first() else {
                continue;
            };
            let mut value = data.get(variable);
            for field in fields {
                value = value.and_then(|value| match value {
                    Value::Array(list) => list.get(field.parse::<usize>().ok()?),
                    value => value.get(field),
                });
            }
            let text = match value {
                None => "missing".to_owned(),
                Some(Value::Array(list)) => format!("a list of {}: {}", list.len(), json!(list)),
                Some(value) => value.to_string(),
            };
            said.push(format!("{} is {}", path.join("."), cut(&text, LONGEST_VALUE)));
        }
        if said.is_empty() {
            return "it looks at nothing".to_owned();
        }
        cut(&said.join(", "), LONGEST)
    }
}

impl Condition for Expression {
    fn text(&self) -> &str {
        self.read.source()
    }

    fn depends_on_time(&self) -> bool {
        self.depends_on_time
    }

    fn check(&self, statement: &Statement, now: Timestamp) -> Result<(), Fails> {
        let mut data = Map::new();
        for name in self.read.variables() {
            let value = match name {
                "predicate" => statement.predicate.clone(),
                "subject" => json!(statement.subject),
                "statement" => json!(statement),
                _ => json!(now.to_string()),
            };
            data.insert(name.to_owned(), value);
        }
        match self.read.evaluate_bool(&data) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Fails::False(self.saw(&data))),
            // The message names the expression, which whoever reads it is told anyway.
            Err(error) => Err(Fails::Undecided(format!("{error}; {}", self.saw(&data)))),
        }
    }
}

/// Where a name stands in a text for the first time, as a word of its own: line and column from 1.
fn place_of(text: &str, name: &str) -> Option<(usize, usize)> {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.lines().enumerate().find_map(|(index, line)| {
        let mut found = line.match_indices(name);
        let (at, _) = found.find(|(at, name)| {
            let before = line.get(..*at).and_then(|text| text.chars().next_back());
            let after = line.get(at + name.len()..).and_then(|text| text.chars().next());
            !is_part(before) && !is_part(after)
        })?;
        Some((index + 1, line.get(..at)?.chars().count() + 1))
    })
}

fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(predicate: Value) -> Statement {
        let value = json!({"_type": "https://in-toto.io/Statement/v1", "predicateType": "https://example.org/x",
            "subject": [{"name": "registry.example/app", "digest": {"sha256": "00"}}], "predicate": predicate});
        serde_json::from_value(value).unwrap()
    }

    fn check(text: &str, predicate: Value) -> Result<(), Fails> {
        let now = "2026-02-01T00:00:00Z".parse().unwrap();
        Expression::new(text).unwrap().check(&statement(predicate), now)
    }

    #[test]
    fn an_expression_speaks_of_the_statement_and_the_time() {
        for text in [
            "predicate.builder.id == 'ci'",
            "subject.exists(s, s.name == 'registry.example/app')",
            "statement.predicateType.startsWith('https://example.org/')",
            "timestamp(now) - timestamp(predicate.at) < duration('48h')",
        ] {
            let predicate = json!({"builder": {"id": "ci"}, "at": "2026-01-31T00:00:00Z"});
            assert_eq!(check(text, predicate), Ok(()), "{text}");
        }
        let depends = |text| Expression::new(text).unwrap().depends_on_time();
        assert!(depends("timestamp(now) > timestamp(predicate.x)"));
        assert!(!depends("predicate.now == 1"));
    }

    #[test]
    fn what_is_false_says_what_it_saw() {
        let builder = "predicate.builder.id == 'ci' && predicate.version == 1";
        assert_eq!(
            check(builder, json!({"builder": {"id": "laptop\n"}})),
            Err(Fails::False(
                "predicate.builder.id is \"laptop\\n\", predicate.version is missing".to_owned()
            ))
        );
        let list: Vec<Value> = (0..200).map(|index| json!({"status": index})).collect();
        let Err(Fails::False(saw)) = check("predicate.list.all(s, s.status == 0)", json!({"list": list}))
        else {
            panic!("it holds")
        };
        assert!(
            saw.starts_with("predicate.list is a list of 200: [{\"status\":0},{")
                && saw.chars().count() < 200,
            "{saw}"
        );
        assert_eq!(
            check("1 == 2", json!({})),
            Err(Fails::False("it looks at nothing".to_owned()))
        );
        let Err(Fails::Undecided(why)) = check("predicate.builder.id == 'ci'", json!({})) else {
            panic!("it is decided")
        };
        assert!(
            why.contains("no such key: builder") && why.ends_with("predicate.builder.id is missing"),
            "{why}"
        );
    }

    #[test]
    fn n16_an_expression_that_may_take_too_much_work_is_not_evaluated() {
        let list: Vec<Value> = (0..3000).map(|index| json!(index)).collect();
        let all = "predicate.l.exists(a, predicate.l.exists(b, predicate.l.exists(c, a + b + c == -1)))";
        let Err(Fails::Undecided(why)) = check(all, json!({"l": list})) else {
            panic!("it was evaluated")
        };
        assert!(why.contains("too much work"), "{why}");
    }

    #[test]
    fn n45_what_is_no_expression_says_where() {
        for (text, why) in [
            ("predicate.x ==", ":1:"),
            ("predicate.x\n  == )", ":2:"),
            (
                "true && secret == 1",
                "undeclared variable 'secret' at line 1, column 9; there are predicate",
            ),
            (
                "predicate.x &&\n predicate.isGood()",
                "unknown function 'isGood' at line 2, column 12",
            ),
            ("size(predicate)", "expected bool"),
            ("", "parse"),
        ] {
            let error = Expression::new(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
