//! A generated tree, and how it is to be built.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};
use weir_kustomize::{LoadRestrictions, MemoryFiles, Options, Reorder};

/// Files and the way to build them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    /// Content by relative path.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// The directory to build.
    pub(crate) target: String,
    /// `--reorder`; none is the command's own default.
    pub(crate) reorder: Option<&'static str>,
    /// `--load-restrictor LoadRestrictionsNone`
    pub(crate) unrestricted: bool,
    /// Something that both messages must name, if the tree was broken on purpose.
    pub(crate) mention: Option<String>,
}

impl Tree {
    /// Adds a file.
    pub(crate) fn add(&mut self, path: &str, content: impl Into<Vec<u8>>) {
        self.files
            .insert(path.trim_start_matches("./").to_owned(), content.into());
    }

    /// Reads the tree below a folder.
    pub(crate) fn read(folder: &Path, target: &str) -> Result<Self> {
        let mut tree = Self {
            target: target.to_owned(),
            ..Self::default()
        };
        let mut folders = vec![folder.to_owned()];
        while let Some(at) = folders.pop() {
            for entry in std::fs::read_dir(&at).with_context(|| format!("cannot list {}", at.display()))? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Some(name) = path.strip_prefix(folder).ok().and_then(Path::to_str) {
                    tree.add(name, std::fs::read(&path)?);
                }
            }
        }
        Ok(tree)
    }

    /// Writes the tree below a folder.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        for (path, content) in &self.files {
            let path = folder.join(path);
            let parent = path.parent().context("a file lies in a folder")?;
            std::fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
            std::fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
        }
        std::fs::create_dir_all(folder.join(&self.target))?;
        Ok(())
    }

    /// The tree in memory.
    pub(crate) fn memory(&self, root: &str) -> MemoryFiles {
        self.files
            .iter()
            .map(|(path, content)| (format!("{root}/{path}"), content.clone()))
            .collect()
    }

    /// The engine's options.
    pub(crate) fn options(&self) -> Options {
        Options {
            load_restrictions: if self.unrestricted {
                LoadRestrictions::None
            } else {
                LoadRestrictions::RootOnly
            },
            reorder: match self.reorder {
                Some("none") => Reorder::None,
                _ => Reorder::Legacy,
            },
            ..Options::default()
        }
    }

    /// The command's arguments.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["build".to_owned(), self.target.clone()];
        if let Some(order) = self.reorder {
            arguments.push(format!("--reorder={order}"));
        }
        if self.unrestricted {
            arguments.push("--load-restrictor=LoadRestrictionsNone".into());
        }
        arguments
    }

    /// All files as one text, for a terminal.
    pub(crate) fn show(&self) -> String {
        let mut text = String::new();
        for (path, content) in &self.files {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "--- {path}\n{}",
                String::from_utf8_lossy(content).trim_end()
            );
        }
        let _ = writeln!(text, "--- kustomize {}", self.arguments().join(" "));
        text
    }
}
