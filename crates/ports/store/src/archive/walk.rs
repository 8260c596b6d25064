//! What goes into an archive, in its order: a folder, then what is in it, names in the order of their bytes.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::{Links, PackError};
use crate::ignore::IgnoreRules;
use crate::tree::Tree;

/// Something to pack.
pub(super) struct Item {
    pub(super) name: String,
    /// Permission bits, with set-id and sticky bits as Go's file headers have them.
    pub(super) mode: u32,
    pub(super) content: Content,
}

pub(super) enum Content {
    Folder,
    Bytes(Bytes),
    File { path: PathBuf, size: u64 },
}

/// The mode of the folder that the flux CLI puts a single file into.
const STAGING_FOLDER: u32 = 0o700;

pub(super) fn of_tree(tree: &Tree) -> Vec<Item> {
    let folders = tree.folders().map(|name| Item {
        name: name.to_owned(),
        mode: 0o755,
        content: Content::Folder,
    });
    let files = tree.files().map(|(name, entry)| Item {
        name: name.to_owned(),
        mode: if entry.executable { 0o755 } else { 0o644 },
        content: Content::Bytes(entry.bytes.clone()),
    });
    let mut items: Vec<Item> = folders.chain(files).collect();
    // By components: `a-b` comes after everything in `a`, although `-` is before `/`.
    items.sort_by(|a, b| a.name.split('/').cmp(b.name.split('/')));
    items.insert(0, root(0o755));
    items
}

pub(super) fn of_path(path: &Path, rules: &IgnoreRules, links: Links) -> Result<Vec<Item>, PackError> {
    // The path itself may be a link in any case.
    let metadata = fs::metadata(path).map_err(|source| PackError::Read {
        path: path.to_owned(),
        source,
    })?;
    if metadata.is_dir() {
        let mut items = vec![root(mode(&metadata))];
        let mut open = Vec::new();
        walk(path, "", rules, links, &mut open, &mut items)?;
        return Ok(items);
    }
    if !metadata.is_file() {
        return Err(PackError::Kind(path.to_owned()));
    }
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .ok_or_else(|| PackError::Name(path.to_owned()))?;
    let mut items = vec![root(STAGING_FOLDER)];
    if !rules.excludes(name, false) {
        let content = Content::File {
            path: path.to_owned(),
            size: metadata.len(),
        };
        items.push(Item {
            name: name.to_owned(),
            mode: mode(&metadata) & 0o777,
            content,
        });
    }
    Ok(items)
}

fn root(mode: u32) -> Item {
    Item {
        name: ".".to_owned(),
        mode,
        content: Content::Folder,
    }
}

/// `open` holds the real paths of the folders that are being walked, outermost first.
fn walk(
    folder: &Path,
    prefix: &str,
    rules: &IgnoreRules,
    links: Links,
    open: &mut Vec<PathBuf>,
    items: &mut Vec<Item>,
) -> Result<(), PackError> {
    let failed = |source| PackError::Read {
        path: folder.to_owned(),
        source,
    };
    if links == Links::Follow {
        let real = fs::canonicalize(folder).map_err(failed)?;
        if open.contains(&real) {
            return Err(PackError::Loop(folder.to_owned()));
        }
        open.push(real);
    }
    let mut entries = fs::read_dir(folder)
        .map_err(failed)?
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let metadata = match links {
            // Of the entry itself, so that links are neither folders nor files.
            Links::Skip => entry.metadata(),
            Links::Follow => fs::metadata(&path),
        };
        let metadata = metadata.map_err(|source| PackError::Read {
            path: path.clone(),
            source,
        })?;
        let is_folder = metadata.is_dir();
        if !is_folder && !metadata.is_file() {
            continue;
        }
        let name = entry.file_name();
        let name = name.to_str().ok_or_else(|| PackError::Name(path.clone()))?;
        let name = if prefix.is_empty() {
            name.to_owned()
        } else {
            format!("{prefix}/{name}")
        };
        if !rules.excludes(&name, is_folder) {
            let content = if is_folder {
                Content::Folder
            } else {
                Content::File {
                    path: path.clone(),
                    size: metadata.len(),
                }
            };
            items.push(Item {
                name: name.clone(),
                mode: mode(&metadata),
                content,
            });
        }
        // Excluded folders are walked too: a pattern may take a file in them back.
        if is_folder {
            walk(&path, &name, rules, links, open, items)?;
        }
    }
    if links == Links::Follow {
        open.pop();
    }
    Ok(())
}

#[cfg(unix)]
fn mode(metadata: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o7777
}

/// Elsewhere there are no such bits; these are what Go reports there.
#[cfg(not(unix))]
fn mode(metadata: &fs::Metadata) -> u32 {
    match (metadata.is_dir(), metadata.permissions().readonly()) {
        (true, _) => 0o777,
        (false, true) => 0o444,
        (false, false) => 0o666,
    }
}
