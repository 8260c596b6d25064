//! What the parts of transformers did, for who asks: a check that wants to know what had no effect. A build that nobody
//! watches keeps nothing.

use std::collections::BTreeMap;

use crate::place::{Place, Step};

/// A part of a transformer: an image, or a target of a replacement, by the numbers of both.
pub(crate) type Part = (usize, usize);

/// What one run of a transformer did.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    watched: bool,
    /// Objects were merged, for which a schema was asked.
    merges: bool,
    /// How much each part reached; parts that reached nothing are left out.
    hits: BTreeMap<Part, usize>,
    /// What parts that reached nothing may have meant.
    help: BTreeMap<Part, String>,
}

impl Effects {
    /// For a run that nobody watches.
    pub(crate) fn unwatched() -> Self {
        Self::default()
    }

    /// Objects are merged.
    pub(crate) fn merge(&mut self) {
        self.merges = true;
    }

    /// Whether objects were merged.
    pub(crate) fn merges(&self) -> bool {
        self.merges
    }

    /// A part reached so many objects or fields; `help` says what it may have meant if it reached none.
    pub(crate) fn reached(&mut self, part: Part, count: usize, help: impl FnOnce() -> Option<String>) {
        if !self.watched {
            return;
        }
        if count > 0 {
            *self.hits.entry(part).or_default() += count;
        } else if let Some(help) = help() {
            self.help.entry(part).or_insert(help);
        }
    }
}

/// A field of a kustomization file, or the entry of it: file, field, number.
type Field = (String, String, usize);

/// What happened during a build that is watched.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    runs: BTreeMap<Field, Effects>,
    /// Vars that no field refers to.
    pub(crate) idle_vars: Vec<String>,
}

impl Trace {
    /// What a run is to write into.
    pub(crate) fn effects() -> Effects {
        Effects {
            watched: true,
            ..Effects::default()
        }
    }

    /// Takes in what a run wrote. A file may be built several times; what reached something once is no idle part.
    pub(crate) fn record(&mut self, place: &Place, effects: Effects) {
        let mut steps = place.steps.iter();
        let Some(Step::Field(field)) = steps.next() else {
            return;
        };
        let number = match steps.next() {
            Some(Step::Item(number)) => *number,
            _ => 0,
        };
        let run = self
            .runs
            .entry((place.file.clone(), field.clone(), number))
            .or_default();
        for (part, count) in effects.hits {
            *run.hits.entry(part).or_default() += count;
        }
        run.help.extend(effects.help);
    }

    /// Whether a field's entry ran.
    pub(crate) fn ran(&self, file: &str, field: &str, number: usize) -> bool {
        self.runs
            .contains_key(&(file.to_owned(), field.to_owned(), number))
    }

    /// A part of a field's entry that ran and never reached anything.
    pub(crate) fn idle(&self, file: &str, field: &str, number: usize, part: Part) -> Option<Idle<'_>> {
        let run = self.runs.get(&(file.to_owned(), field.to_owned(), number))?;
        if run.hits.contains_key(&part) {
            return None;
        }
        let help = run.help.get(&part).map(String::as_str);
        Some(Idle { help })
    }
}

/// A part that reached nothing.
#[derive(Debug)]
pub(crate) struct Idle<'a> {
    /// What it may have meant.
    pub(crate) help: Option<&'a str>,
}
