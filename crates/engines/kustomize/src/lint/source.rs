//! Kustomization files with the places of what stands in them.

use std::collections::BTreeSet;

use weir_yaml::{Duplicates, Node, ParseError, ParseOptions, parse_all_with};

use crate::error::{Error, ErrorKind, Result};
use crate::files::{FileKind, Files, join};
use crate::kustomization::FILE_NAMES;
use crate::loader::is_local;

/// A kustomization file.
pub(super) struct Source {
    /// Path of the file.
    pub(super) path: String,
    /// The same, links resolved: what is read, and what an edit changes.
    pub(super) real: String,
    /// Its directory, links resolved.
    pub(super) root: String,
    pub(super) text: String,
    /// The first document; null if it cannot be read.
    pub(super) node: Node,
    pub(super) error: Option<ParseError>,
}

/// Fields whose entries may be directories with a kustomization file.
const DIRECTORIES: [&str; 6] = [
    "resources",
    "bases",
    "components",
    "generators",
    "transformers",
    "validators",
];

/// The directory's file and those of all directories that it reaches, each once, in the order in which they are met.
pub(super) fn tree(files: &dyn Files, directory: &str) -> Result<Vec<Source>> {
    let mut tree = Vec::new();
    visit(files, &join("/", directory), &mut BTreeSet::new(), &mut tree);
    if tree.is_empty() {
        return Err(Error::new(
            ErrorKind::NotFound,
            format!(
                "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory \
                 '{directory}'"
            ),
        ));
    }
    Ok(tree)
}

fn visit(files: &dyn Files, directory: &str, seen: &mut BTreeSet<String>, tree: &mut Vec<Source>) {
    let mut waiting = vec![directory.to_owned()];
    while let Some(directory) = waiting.pop() {
        let Some(source) = Source::read(files, &directory).filter(|source| seen.insert(source.path.clone()))
        else {
            continue;
        };
        let below: Vec<String> = source.directories().collect();
        waiting.extend(below.into_iter().rev());
        tree.push(source);
    }
}

impl Source {
    /// The kustomization file of a directory, if it has one.
    pub(super) fn read(files: &dyn Files, directory: &str) -> Option<Self> {
        let root = files.find(directory).ok()??;
        if root.kind != FileKind::Directory {
            return None;
        }
        FILE_NAMES.iter().find_map(|name| {
            let found = files.find(&join(&root.path, name)).ok()??;
            if found.kind != FileKind::File {
                return None;
            }
            let bytes = files.read(&found.path).ok()?;
            let path = join(&root.path, name);
            let text = String::from_utf8_lossy(&bytes);
            Some(Self::parse(path, found.path, root.path.clone(), &text))
        })
    }

    pub(super) fn parse(path: String, real: String, root: String, text: &str) -> Self {
        let options = ParseOptions {
            duplicates: Duplicates::Keep,
            ..ParseOptions::default()
        };
        let (node, error) = match parse_all_with(text, options) {
            Ok(documents) => {
                let first = documents.into_iter().next().and_then(|document| document.root);
                (first.unwrap_or_else(Node::null), None)
            }
            Err(error) => (Node::null(), Some(error)),
        };
        Self {
            path,
            real,
            root,
            text: text.to_owned(),
            node,
            error,
        }
    }

    /// A field's key and value. Names match without regard to case and the last one counts, as in a build.
    pub(super) fn field(&self, name: &str) -> Option<(&Node, &Node)> {
        field(&self.node, name)
    }

    /// The entries of a list field.
    pub(super) fn items(&self, name: &str) -> &[Node] {
        let value = self.field(name).map(|(_, value)| value);
        value.and_then(Node::items).unwrap_or_default()
    }

    pub(super) fn is_component(&self) -> bool {
        text(&self.node, "kind") == "Component"
    }

    /// Directories that fields name; not all need to be there.
    fn directories(&self) -> impl Iterator<Item = String> + '_ {
        DIRECTORIES
            .iter()
            .flat_map(|field| self.items(field))
            .filter_map(Node::as_str)
            .filter(|path| is_local(path) && !path.contains('\n'))
            .map(|path| join(&self.root, path))
    }
}

/// A field of a mapping, whatever the case of its name; the last one counts.
pub(super) fn field<'a>(node: &'a Node, name: &str) -> Option<(&'a Node, &'a Node)> {
    let is_it = |key: &Node| key.as_str().is_some_and(|key| key.eq_ignore_ascii_case(name));
    let entry = node.entries()?.iter().rev().find(|(key, _)| is_it(key));
    entry.map(|(key, value)| (key, value))
}

/// The value of a field of a mapping.
pub(super) fn value<'a>(node: &'a Node, name: &str) -> Option<&'a Node> {
    field(node, name).map(|(_, value)| value)
}

/// The text of a field of a mapping, empty if it has none.
pub(super) fn text<'a>(node: &'a Node, name: &str) -> &'a str {
    value(node, name)
        .filter(|value| !value.is_null())
        .and_then(Node::as_str)
        .unwrap_or_default()
}
