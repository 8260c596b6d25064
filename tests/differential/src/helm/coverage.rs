//! Which functions, actions and printf verbs the templates that render have reached: what nothing reaches is compared
//! with nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::functions::{BUILTINS, HELM, SLIM, SPRIG};
use super::template::Case;

/// How many cases have reached what.
#[derive(Default)]
pub(super) struct Coverage(BTreeMap<String, usize>);

/// What is looked for besides functions: a name, and the text that shows it.
const MARKS: &[(&str, &str)] = &[
    ("action if", "{if "),
    ("action with", "{with "),
    ("action range", "{range "),
    ("action else", "{{else}}"),
    ("action else if", "{{else if "),
    ("action else with", "{{else with "),
    ("action break", "break"),
    ("action continue", "continue"),
    ("action define", "{{define "),
    ("action block", "{{block "),
    ("action template", "template \"t"),
    ("action declare", ":= "),
    ("action assign", " = "),
    ("comment", "/*"),
    ("trim left", "{{- "),
    ("trim right", " -}}"),
    ("Files", ".Files."),
    ("Capabilities", ".Capabilities."),
    ("Release", ".Release."),
    ("Chart", ".Chart."),
    ("Subcharts", ".Subcharts."),
    ("Template", ".Template."),
];

impl Coverage {
    /// Counts a case.
    pub(super) fn add(&mut self, case: &Case) {
        let mut reached: BTreeSet<String> = BTreeSet::new();
        for (path, text) in &case.files {
            if path.ends_with("Chart.yaml") {
                continue;
            }
            for (name, mark) in MARKS {
                if text.contains(mark) {
                    reached.insert((*name).to_owned());
                }
            }
            let words: BTreeSet<&str> = text.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
            for name in names() {
                if words.contains(name) {
                    reached.insert(name.to_owned());
                }
            }
            for format in text.split("printf \"<%").skip(1) {
                let verb = format.chars().find(|c| c.is_alphabetic() || *c == '%');
                reached.extend(verb.map(|verb| format!("verb %{verb}")));
            }
        }
        reached.insert(format!("functions of {}", case.functions.name()));
        for what in reached {
            *self.0.entry(what).or_default() += 1;
        }
    }

    /// A line of counts.
    pub(super) fn table(&self) -> String {
        let mut text = String::new();
        for (at, (what, count)) in self.0.iter().enumerate() {
            let end = if at % 6 == 5 { "\n" } else { "  " };
            // Writing to a String cannot fail.
            let _ = write!(text, "{:<28}{end}", format!("{count:>5} {what}"));
        }
        text
    }

    /// What nothing has reached.
    pub(super) fn missed(&self) -> Vec<&'static str> {
        let marks = MARKS.iter().map(|(name, _)| *name);
        let all: BTreeSet<&str> = marks.chain(names()).collect();
        all.into_iter()
            .filter(|name| !self.0.contains_key(*name))
            .collect()
    }
}

/// The names of all functions of the tables.
fn names() -> impl Iterator<Item = &'static str> {
    [BUILTINS, SLIM, SPRIG, HELM]
        .into_iter()
        .flatten()
        .filter_map(|(name, _)| name.split(' ').next())
}
