//! Where the rules look.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::chart::{Chart, File, LoadError, Metadata, Unpack, source};

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    /// A file.
    File,
    /// A folder.
    Folder,
}

/// A chart's folder.
pub trait Folder {
    /// Its whole path, for findings that are about all of it.
    fn path(&self) -> &str;

    /// What is at a path below it, links followed.
    fn node(&self, name: &str) -> Option<Node>;

    /// A file as it is.
    ///
    /// # Errors
    /// Why it cannot be read, in Go's words.
    fn read(&self, name: &str) -> Result<Vec<u8>, String>;

    /// The chart that its files make, without those that .helmignore leaves out.
    ///
    /// # Errors
    /// Why they make none, in Helm's words.
    fn chart(&self) -> Result<Chart, String>;
}

/// What Helm says of a chart that cannot be loaded.
pub fn words(error: &LoadError) -> String {
    match error {
        // Helm names neither the file nor the line.
        LoadError::Ignore(error) => error.message.clone(),
        LoadError::Subchart { name, chart, source } => {
            format!("error unpacking subchart {name} in {chart}: {}", words(source))
        }
        other => super::Problem::located(&other.to_string()).message,
    }
}

/// A chart's archive as the folder that it unpacks to.
pub struct Archive<'u> {
    path: String,
    files: BTreeMap<String, File>,
    unpack: &'u dyn Unpack,
}

impl std::fmt::Debug for Archive<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Archive")
            .field("path", &self.path)
            .field("files", &self.files.len())
            .finish_non_exhaustive()
    }
}

impl<'u> Archive<'u> {
    /// Opens an archive; findings name it by its path.
    ///
    /// # Errors
    /// When Helm would not unpack it: it is broken, or its chart has no name or one that is a path.
    pub fn open(path: String, archive: &Bytes, unpack: &'u dyn Unpack) -> Result<Self, String> {
        let listed = source::of_archive(archive, unpack, None).map_err(|error| match error {
            LoadError::Archive(message) => message,
            other => other.to_string(),
        })?;
        let mut name = String::new();
        for file in listed.iter().filter(|file| file.name == "Chart.yaml") {
            let metadata = file.yaml().and_then(Metadata::parse).map_err(|message| {
                super::Problem::located(&message)
                    .behind("cannot load Chart.yaml: ")
                    .message
            })?;
            name = metadata.name;
        }
        if name.is_empty() {
            return Err("chart name not specified".to_owned());
        }
        if name == "." || name == ".." {
            return Err(format!("chart name {name:?} is not allowed"));
        }
        if name.contains('/') {
            return Err(format!("chart name {name:?} must not contain path separators"));
        }
        let files = listed.into_iter().map(|file| (file.name.clone(), file)).collect();
        Ok(Self { path, files, unpack })
    }
}

impl Folder for Archive<'_> {
    fn path(&self) -> &str {
        &self.path
    }

    fn node(&self, name: &str) -> Option<Node> {
        if self.files.contains_key(name) {
            return Some(Node::File);
        }
        let below = format!("{name}/");
        let (first, _) = self.files.range(below.clone()..).next()?;
        first.starts_with(&below).then_some(Node::Folder)
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, String> {
        match self.files.get(name) {
            Some(file) => Ok(file.data.to_vec()),
            None => Err(format!("open {}/{name}: no such file or directory", self.path)),
        }
    }

    fn chart(&self) -> Result<Chart, String> {
        Chart::from_folder_of_any_format(self.files.values().cloned().collect(), self.unpack)
            .map_err(|error| words(&error))
    }
}
