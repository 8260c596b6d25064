//! Test data in place.

use std::path::{Path, PathBuf};

use weir_kustomize::MemoryFiles;

/// A folder of shared test data: from the environment, else beside the repository. `None`, with one
/// line saying so, if it is not there.
pub(crate) fn shared(variable: &str, folder: &str) -> Option<PathBuf> {
    let path =
        std::env::var_os(variable).map_or_else(|| workspace().join("../shared").join(folder), PathBuf::from);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("not run: no {folder} data (set {variable})");
    None
}

/// The root of the workspace.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

/// Reads a tree below a path into memory.
pub(crate) fn tree(folder: &Path, at: &str) -> MemoryFiles {
    let mut files = MemoryFiles::new();
    add(&mut files, folder, at);
    files
}

/// Adds a tree from disk below a path.
pub(crate) fn add(files: &mut MemoryFiles, folder: &Path, at: &str) {
    // A case may have no files at all.
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let entry = entry.unwrap();
        let name = format!("{at}/{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            add(files, &entry.path(), &name);
        } else {
            files.insert(&name, std::fs::read(entry.path()).unwrap());
        }
    }
}
