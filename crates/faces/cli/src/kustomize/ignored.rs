//! What `.sourceignore` and `.gitignore` leave out of what is published.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use weir_kustomize::{FileKind, Files};
use weir_store::ignore::{FILE_NAME, IgnoreRules};

/// Names of files with patterns, the stronger last.
const FILE_NAMES: [&str; 2] = [".gitignore", FILE_NAME];

/// The rules of a tree, read when they are asked for.
pub(super) struct Ignored<'a> {
    files: &'a dyn Files,
    /// By folder: its own patterns and those of the folders above.
    folders: RefCell<HashMap<String, Rc<IgnoreRules>>>,
}

impl<'a> Ignored<'a> {
    pub(super) fn new(files: &'a dyn Files) -> Self {
        Self {
            files,
            folders: RefCell::default(),
        }
    }

    /// Whether a rooted path is left out.
    pub(super) fn contains(&self, path: &str, kind: FileKind) -> bool {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        self.rules(folder).excludes(path, kind == FileKind::Directory)
    }

    /// The rules in a folder; the root is the empty text.
    fn rules(&self, folder: &str) -> Rc<IgnoreRules> {
        if let Some(known) = self.folders.borrow().get(folder) {
            return Rc::clone(known);
        }
        let mut rules = match folder.rsplit_once('/') {
            Some((above, _)) => IgnoreRules::clone(&self.rules(above)),
            None => IgnoreRules::none(),
        };
        for name in FILE_NAMES {
            if let Ok(text) = self.files.read(&format!("{folder}/{name}")) {
                rules.add(&String::from_utf8_lossy(&text), folder);
            }
        }
        let rules = Rc::new(rules);
        self.folders
            .borrow_mut()
            .insert(folder.to_owned(), Rc::clone(&rules));
        rules
    }
}

#[cfg(test)]
mod tests {
    use weir_kustomize::MemoryFiles;

    use super::*;

    #[test]
    fn patterns_count_from_their_folder_down() {
        let files: MemoryFiles = [
            ("/a/.sourceignore", "/drafts/\n*.tmp.yaml\n"),
            ("/a/b/.gitignore", "!keep.tmp.yaml\n"),
        ]
        .into_iter()
        .collect();
        let ignored = Ignored::new(&files);
        assert!(ignored.contains("/a/drafts", FileKind::Directory));
        assert!(!ignored.contains("/a/b/drafts", FileKind::Directory));
        assert!(!ignored.contains("/drafts", FileKind::Directory));
        assert!(ignored.contains("/a/b/x.tmp.yaml", FileKind::File));
        assert!(!ignored.contains("/a/b/keep.tmp.yaml", FileKind::File));
        assert!(!ignored.contains("/x.tmp.yaml", FileKind::File));
    }
}
