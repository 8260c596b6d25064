//! Edits what is deprecated, and proves of each edit that it changes nothing that is built.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::LintOptions;
use super::edit::DEPRECATED;
use super::source::{Source, tree};
use crate::build::build_watched;
use crate::error::{Error, Result};
use crate::files::{Entry, FileError, Files, Found};

/// What became of the deprecated fields of a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fixed {
    /// The files that change, with their new text.
    pub files: BTreeMap<String, String>,
    /// Files and fields that are no longer there.
    pub fixed: Vec<(String, &'static str)>,
    /// Files and fields that are left to a person, and why.
    pub left: Vec<(String, &'static str, String)>,
}

/// Edits the deprecated fields of a directory's kustomization and all that it reaches, in memory.
///
/// After each edit the directory, and the one of the edited file, are built again; an edit that changes a byte of either
/// is not made. Fails if the directory does not build to begin with.
pub fn fix(files: &dyn Files, directory: &str, options: &LintOptions<'_>) -> Result<Fixed, Error> {
    let mut fixed = Fixed::default();
    let mut edited = Edits {
        files,
        texts: BTreeMap::new(),
    };
    let whole = print(&edited, directory, options)?;
    for source in tree(files, directory)? {
        // A base may be built from elsewhere, too; a component is built by others only.
        let own = if source.is_component() {
            None
        } else {
            print(&edited, &source.root, options).ok()
        };
        let mut current = source;
        for deprecated in &DEPRECATED {
            if super::deprecated_field::places(&current, deprecated.field).is_empty() {
                continue;
            }
            let mut leave = |why: &str| {
                let why = why.to_owned();
                fixed.left.push((current.path.clone(), deprecated.field, why));
            };
            let Some(edit) = deprecated.edit(&current, &edited) else {
                leave("it is written in a way that only a person can edit");
                continue;
            };
            let before = edited.texts.insert(current.real.clone(), edit.text.clone());
            let is_same = print(&edited, directory, options).is_ok_and(|after| after == whole)
                && own.as_ref().is_none_or(|own| {
                    print(&edited, &current.root, options).is_ok_and(|after| after == *own)
                });
            if is_same {
                fixed.fixed.push((current.path.clone(), deprecated.field));
                current = Source::parse(current.path, current.real, current.root, &edit.text);
                continue;
            }
            match before {
                Some(text) => edited.texts.insert(current.real.clone(), text),
                None => edited.texts.remove(&current.real),
            };
            leave("the edit would change what is built");
        }
    }
    fixed.files = edited.texts;
    Ok(fixed)
}

fn print(files: &dyn Files, directory: &str, options: &LintOptions<'_>) -> Result<String> {
    let (built, _) = build_watched(files, directory, options.build, options.charts);
    built.map(|built| built.to_yaml())
}

/// A tree with the texts of some files changed.
struct Edits<'a> {
    files: &'a dyn Files,
    texts: BTreeMap<String, String>,
}

impl Files for Edits<'_> {
    fn find(&self, path: &str) -> Result<Option<Found>, FileError> {
        self.files.find(path)
    }

    fn read(&self, path: &str) -> Result<Cow<'_, [u8]>, FileError> {
        match self.texts.get(path) {
            Some(text) => Ok(Cow::Borrowed(text.as_bytes())),
            None => self.files.read(path),
        }
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, FileError> {
        self.files.list(path)
    }
}
