//! The folder that a command is about.

use std::path::{Path, PathBuf};

use crate::disk::DiskFiles;
use crate::{CommandError, run::Result};

/// A folder with a kustomization.
pub(super) struct Opened {
    /// Where it really is, without symbolic links.
    pub(super) folder: PathBuf,
    /// The disk that it lies on: bases may lie anywhere there, and the load restrictor says what files may be read.
    pub(super) files: DiskFiles,
    /// Its path in `files`.
    pub(super) directory: String,
}

/// Opens a folder that was named on the command line.
pub(super) fn open(named: &Path) -> Result<Opened> {
    let folder = named
        .canonicalize()
        .map_err(|error| CommandError::file("open", named, &error))?;
    let root = folder.ancestors().last().unwrap_or(&folder);
    let files = DiskFiles::new(root).map_err(|error| CommandError::file("open", root, &error))?;
    let directory = files
        .rooted(&folder)
        .ok_or_else(|| CommandError::user(format!("the path {} is not UTF-8", folder.display())))?;
    Ok(Opened {
        folder,
        files,
        directory,
    })
}
