//! What happened to each object, in Flux's words.

use std::fmt;

use weir_apis::ObjectRef;
use weir_apis::inventory::Inventory;

/// What happened to one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It is new.
    Created,
    /// It was changed.
    Configured,
    /// It is as it was.
    Unchanged,
    /// It was left alone on request.
    Skipped,
    /// It is gone.
    Deleted,
    /// Something failed.
    Unknown,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Created => "created",
            Self::Configured => "configured",
            Self::Unchanged => "unchanged",
            Self::Skipped => "skipped",
            Self::Deleted => "deleted",
            Self::Unknown => "unknown",
        })
    }
}

/// One object and what happened to it. Prints as `Deployment/apps/web configured`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeSetEntry {
    /// The object, in the API server's scope.
    pub object: ObjectRef,
    /// What happened to it.
    pub outcome: Outcome,
}

impl fmt::Display for ChangeSetEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.object, self.outcome)
    }
}

/// What happened to a set of objects, in order. Prints a line an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangeSet {
    entries: Vec<ChangeSetEntry>,
}

impl ChangeSet {
    /// The entries, in the order in which things happened.
    pub fn entries(&self) -> &[ChangeSetEntry] {
        &self.entries
    }

    /// Adds an entry.
    pub fn push(&mut self, object: ObjectRef, outcome: Outcome) {
        self.entries.push(ChangeSetEntry { object, outcome });
    }

    /// Adds another set's entries.
    pub fn append(&mut self, other: Self) {
        self.entries.extend(other.entries);
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries that tell of a change: what an event lists.
    #[must_use]
    pub fn changed(&self) -> Self {
        let quiet = |outcome| matches!(outcome, Outcome::Unchanged | Outcome::Skipped);
        Self {
            entries: self
                .entries
                .iter()
                .filter(|e| !quiet(e.outcome))
                .cloned()
                .collect(),
        }
    }

    /// The inventory of the set: all of it, skipped objects too.
    pub fn inventory(&self) -> Inventory {
        Inventory::of(self.entries.iter().map(|e| &e.object))
    }

    /// The objects whose health `wait: true` looks at: all but those left alone and those that are gone.
    pub fn health_targets(&self) -> impl Iterator<Item = &ObjectRef> {
        self.entries
            .iter()
            .filter(|e| !matches!(e.outcome, Outcome::Skipped | Outcome::Deleted))
            .map(|e| &e.object)
    }
}

impl FromIterator<(ObjectRef, Outcome)> for ChangeSet {
    fn from_iter<I: IntoIterator<Item = (ObjectRef, Outcome)>>(items: I) -> Self {
        Self {
            entries: items
                .into_iter()
                .map(|(object, outcome)| ChangeSetEntry { object, outcome })
                .collect(),
        }
    }
}

impl fmt::Display for ChangeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, entry) in self.entries.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{entry}")?;
        }
        Ok(())
    }
}
