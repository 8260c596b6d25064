//! Unpacking onto a disk.
//!
//! Everything is created anew below a folder that is empty at first, and no link is ever made there, so nothing
//! can lead out (security cases N02, N04).

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, BufRead, Read};
use std::path::Path;

use super::{ExtractError, Symlinks, Visited, visit};
use crate::limits::Limits;
use crate::tree::Tree;

/// Unpacks an archive into `folder`, which must be empty or not there yet. Files get mode 0644 or 0755, folders
/// 0755, less what the process's mask takes away. After an error the folder holds a part and must not be used.
///
/// # Errors
/// See [`ExtractError`]; also when the folder is not empty.
pub fn to_folder(
    archive: impl BufRead,
    folder: &Path,
    limits: &Limits,
    symlinks: Symlinks,
) -> Result<(), ExtractError> {
    prepare(folder)?;
    let mut folders = BTreeSet::new();
    visit(archive, limits, symlinks, |name, entry| match entry {
        Visited::Folder => make_folders(folder, name, &mut folders),
        Visited::File { executable, content } => {
            if let Some((parent, _)) = name.rsplit_once('/') {
                make_folders(folder, parent, &mut folders)?;
            }
            write_file(folder, name, executable, content)
        }
    })
}

/// Writes a tree into `folder`, as [`to_folder`] does with an archive.
///
/// # Errors
/// When the folder is not empty or cannot be written.
pub fn write_tree(tree: &Tree, folder: &Path) -> Result<(), ExtractError> {
    prepare(folder)?;
    let mut folders = BTreeSet::new();
    for name in tree.folders() {
        make_folders(folder, name, &mut folders)?;
    }
    for (name, entry) in tree.files() {
        write_file(folder, name, entry.executable, &mut &entry.bytes[..])?;
    }
    Ok(())
}

fn prepare(folder: &Path) -> Result<(), ExtractError> {
    fs::create_dir_all(folder)?;
    if fs::read_dir(folder)?.next().is_some() {
        return Err(ExtractError::Io(io::Error::new(
            io::ErrorKind::DirectoryNotEmpty,
            "the folder is not empty",
        )));
    }
    Ok(())
}

/// Makes `name` and the folders it is in, unless they were made here before.
fn make_folders(root: &Path, name: &str, made: &mut BTreeSet<String>) -> Result<(), ExtractError> {
    let ends = name.match_indices('/').map(|(at, _)| at).chain([name.len()]);
    for end in ends {
        let Some(part) = name.get(..end).filter(|part| !part.is_empty()) else {
            continue;
        };
        if made.contains(part) {
            continue;
        }
        fs::create_dir(root.join(part)).map_err(|err| duplicate(err, part))?;
        made.insert(part.to_owned());
    }
    Ok(())
}

fn write_file(root: &Path, name: &str, executable: bool, content: &mut dyn Read) -> Result<(), ExtractError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(if executable { 0o755 } else { 0o644 });
    }
    #[cfg(not(unix))]
    let _ = executable;
    let mut file = options
        .open(root.join(name))
        .map_err(|err| duplicate(err, name))?;
    io::copy(content, &mut file)?;
    Ok(())
}

/// What exists already was made by this archive: a second entry, or on some systems one that differs in case.
fn duplicate(err: io::Error, name: &str) -> ExtractError {
    match err.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
            ExtractError::Duplicate(name.to_owned())
        }
        _ => err.into(),
    }
}
