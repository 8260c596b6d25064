//! What a kustomization may read: files within its reach, directories that are no cycle, nothing
//! remote.

use crate::charts::ChartFile;
use crate::error::{Error, ErrorKind, Result};
use crate::files::{FileError, FileKind, Files, Found, is_within, join};
use crate::near;

/// How far `resources`, patches and generators may reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoadRestrictions {
    /// Files in or below the directory of their kustomization; directories anywhere in the tree.
    #[default]
    RootOnly,
    /// Anything within the tree that [`Files`] shows.
    None,
}

/// Directories within directories of a chart.
const MAX_DEPTH: usize = 64;

/// Bytes of all files of a chart together: as much as Helm takes of an archive.
const MAX_TREE: usize = 100 << 20;

/// The view from one kustomization directory.
#[derive(Clone)]
pub(crate) struct Loader<'a> {
    files: &'a dyn Files,
    restrictions: LoadRestrictions,
    /// Resolved directories, the outermost first; the last is this one.
    roots: Vec<String>,
}

impl<'a> Loader<'a> {
    /// The view from the directory that is being built.
    pub(crate) fn new(files: &'a dyn Files, restrictions: LoadRestrictions, directory: &str) -> Result<Self> {
        let mut loader = Self {
            files,
            restrictions,
            roots: Vec::new(),
        };
        let root = loader.directory(&join("/", directory))?;
        loader.roots.push(root);
        Ok(loader)
    }

    /// This directory.
    pub(crate) fn root(&self) -> &str {
        self.roots.last().map_or("/", String::as_str)
    }

    fn find(&self, path: &str) -> Result<Found> {
        match self.files.find(path) {
            Ok(Some(found)) => Ok(found),
            Ok(None) => Err(Error::new(
                ErrorKind::NotFound,
                format!("evalsymlink failure on '{path}' : '{path}' doesn't exist"),
            )),
            Err(error) => Err(Error::new(
                ErrorKind::NotFound,
                format!("evalsymlink failure on '{path}' : {error}"),
            )),
        }
    }

    fn directory(&self, path: &str) -> Result<String> {
        let found = self
            .find(path)
            .map_err(|error| error.within("must build at directory: not a valid directory"))?;
        match found.kind {
            FileKind::Directory => Ok(found.path),
            FileKind::File => Err(Error::invalid(format!(
                "must build at directory: '{path}': file is not directory"
            ))),
        }
    }

    /// The view from another directory, given relative to this one.
    pub(crate) fn enter(&self, path: &str) -> Result<Self> {
        if path.is_empty() {
            return Err(Error::invalid("new root cannot be empty"));
        }
        refuse_remote(path)?;
        if path.starts_with('/') {
            return Err(Error::new(
                ErrorKind::Security,
                format!("new root '{path}' cannot be absolute"),
            ));
        }
        let root = match self.directory(&join(self.root(), path)) {
            Ok(root) => root,
            Err(error) => {
                return Err(if looks_remote(path) {
                    remote(path).within(error.messages())
                } else {
                    self.helped(error, path)
                });
            }
        };
        for visited in self.roots.iter().rev() {
            if is_within(visited, &root) {
                return Err(Error::new(
                    ErrorKind::Cycle,
                    format!("cycle detected: candidate root '{root}' contains visited root '{visited}'"),
                ));
            }
        }
        let mut loader = self.clone();
        loader.roots.push(root);
        Ok(loader)
    }

    /// The content of a file, given relative to this directory.
    pub(crate) fn load(&self, path: &str) -> Result<Vec<u8>> {
        self.content(path).map_err(|error| self.helped(error, path))
    }

    fn content(&self, path: &str) -> Result<Vec<u8>> {
        refuse_remote(path)?;
        let path = join(self.root(), path);
        let found = self.find(&path)?;
        if found.kind == FileKind::Directory {
            return Err(Error::invalid(format!("'{path}' must resolve to a file")));
        }
        if self.restrictions == LoadRestrictions::RootOnly && !is_within(&found.path, self.root()) {
            return Err(Error::new(
                ErrorKind::Security,
                format!("security; file '{path}' is not in or below '{}'", self.root()),
            ));
        }
        self.files
            .read(&found.path)
            .map(std::borrow::Cow::into_owned)
            .map_err(|error| Error::new(ErrorKind::NotFound, error.to_string()))
    }

    /// All files of a directory, given by its rooted path: path below it, content. `None` if there is no directory.
    ///
    /// This is how charts are read. As in kustomize, where another program reads them, they may lie outside this
    /// directory; the tree's own bounds hold.
    pub(crate) fn tree(&self, path: &str) -> Result<Option<Vec<ChartFile>>> {
        let unreadable = |error: FileError| Error::new(ErrorKind::NotFound, error.to_string());
        match self.files.find(path).map_err(unreadable)? {
            Some(found) if found.kind == FileKind::Directory => {
                let mut files = Vec::new();
                let mut total = 0;
                self.walk(&found.path, "", 0, &mut total, &mut files)?;
                Ok(Some(files))
            }
            _ => Ok(None),
        }
    }

    fn walk(
        &self,
        directory: &str,
        below: &str,
        depth: usize,
        total: &mut usize,
        files: &mut Vec<ChartFile>,
    ) -> Result<()> {
        let unreadable = |error: FileError| Error::new(ErrorKind::NotFound, error.to_string());
        if depth > MAX_DEPTH {
            return Err(Error::invalid(format!(
                "'{directory}' is nested deeper than {MAX_DEPTH} directories, or links lead in a circle"
            )));
        }
        let mut entries = self.files.list(directory).map_err(unreadable)?;
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        for entry in entries {
            let path = join(directory, &entry.name);
            let name = format!("{below}{}", entry.name);
            match entry.kind {
                FileKind::Directory => {
                    let found = self.find(&path)?;
                    self.walk(&found.path, &format!("{name}/"), depth + 1, total, files)?;
                }
                FileKind::File => {
                    let found = self.find(&path)?;
                    let content = self.files.read(&found.path).map_err(unreadable)?;
                    *total += content.len();
                    if *total > MAX_TREE {
                        return Err(Error::invalid(format!(
                            "the files of '{directory}' and its like are larger than {MAX_TREE} bytes"
                        )));
                    }
                    files.push((name, content.into_owned()));
                }
            }
        }
        Ok(())
    }

    /// An error about a missing path, with those that may have been meant.
    fn helped(&self, error: Error, written: &str) -> Error {
        // Texts stand in some places where a path may stand, too.
        if error.kind() != ErrorKind::NotFound || written.contains('\n') {
            return error;
        }
        error.helped(near::file(self.files, self.root(), written))
    }

    /// The content of a text file.
    pub(crate) fn load_text(&self, path: &str) -> Result<String> {
        let bytes = self.load(path)?;
        crate::decode::text(&bytes, path).map(str::to_owned)
    }

    /// Whether a file is there and within reach.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.content(path).is_ok()
    }
}

/// Whether a path is relative and cannot be taken for a remote address.
pub(crate) fn is_local(path: &str) -> bool {
    !path.is_empty() && !path.starts_with('/') && refuse_remote(path).is_ok() && !looks_remote(path)
}

/// Refuses what can only be a remote address (N17).
fn refuse_remote(path: &str) -> Result<()> {
    let scheme = path.split_once("://").map(|(scheme, _)| scheme);
    if scheme.is_some() || path.starts_with("git::") || path.starts_with("git@") {
        return Err(remote(path));
    }
    Ok(())
}

/// Whether kustomize would take a path that leads nowhere for a repository.
fn looks_remote(path: &str) -> bool {
    let first = path.split('/').next().unwrap_or_default();
    path.contains("?ref=")
        || path.contains(".git")
        || path.contains("_git/")
        || first.eq_ignore_ascii_case("github.com")
        || (first.contains('@') && first.contains('.'))
        || first.contains(':')
}

fn remote(path: &str) -> Error {
    Error::new(
        ErrorKind::Remote,
        format!(
            "remote resource '{path}' is refused: nothing is fetched during a build; \
             put a copy into the source and refer to it by a relative path"
        ),
    )
}
