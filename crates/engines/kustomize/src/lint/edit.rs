//! Edits of kustomization files, line by line: what an edit is not about stays as it is, byte for byte.
//!
//! The tree of values/yaml says where things stand. An edit is made on the text; where what is there cannot stay as it
//! is (a list in one line that has to become several), values/yaml prints it anew.

mod charts;
mod env;
mod labels;
mod patches;
mod text;
mod vars;

use super::finding::Change;
use super::source::Source;
use crate::files::Files;
use text::{Edits, Lines};

/// A deprecated field and what to do about it.
pub(super) struct Deprecated {
    /// The field.
    pub(super) field: &'static str,
    /// What to write in its place.
    pub(super) instead: &'static str,
    /// Makes the edit; nothing if the text is written in a way that only a person can edit.
    edit: fn(&Source, &Lines<'_>, &dyn Files) -> Option<Edits>,
}

/// All of them, in an order in which they can be edited.
pub(super) const DEPRECATED: [Deprecated; 8] = [
    Deprecated {
        field: "bases",
        instead: "resources",
        edit: |source, lines, _| move_items(source, lines, "bases", "resources"),
    },
    Deprecated {
        field: "imageTags",
        instead: "images",
        edit: |source, lines, _| move_items(source, lines, "imageTags", "images"),
    },
    Deprecated {
        field: "patchesStrategicMerge",
        instead: "patches",
        edit: |source, lines, _| patches::edit(source, lines),
    },
    Deprecated {
        field: "patchesJson6902",
        instead: "patches",
        edit: |source, lines, _| move_items(source, lines, "patchesJson6902", "patches"),
    },
    Deprecated {
        field: "commonLabels",
        instead: "labels with includeSelectors",
        edit: |source, lines, _| labels::edit(source, lines),
    },
    Deprecated {
        field: "env",
        instead: "envs",
        edit: |source, lines, _| env::edit(source, lines),
    },
    Deprecated {
        field: "helmChartInflationGenerator",
        instead: "helmCharts",
        edit: |source, lines, _| charts::edit(source, lines),
    },
    Deprecated {
        field: "vars",
        instead: "replacements",
        edit: vars::edit,
    },
];

/// A file after an edit.
pub(super) struct Edited {
    pub(super) text: String,
    pub(super) change: Change,
}

impl Deprecated {
    /// The file without the field. What else the edit has to know is read from `files`.
    pub(super) fn edit(&self, source: &Source, files: &dyn Files) -> Option<Edited> {
        let lines = Lines::of(source)?;
        let edits = (self.edit)(source, &lines, files)?;
        Some(lines.apply(edits))
    }
}

/// Renames a list, or moves its items behind those of another.
fn move_items(source: &Source, lines: &Lines<'_>, from: &str, to: &str) -> Option<Edits> {
    let old = lines.section(source, from)?;
    let mut edits = Edits::default();
    if source.field(to).is_none() {
        edits.replace(old.key..old.key + 1, lines.renamed(&old, to)?);
        return Some(edits);
    }
    let new = lines.section(source, to)?;
    let mut moved = lines.leftovers(&old);
    moved.extend(lines.items(&old)?);
    lines.add(&new, moved, text::At::End, &mut edits)?;
    lines.remove(&old, &mut edits);
    Some(edits)
}
