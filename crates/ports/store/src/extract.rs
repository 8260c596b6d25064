//! Unpacking what came from outside.
//!
//! An archive is read once, in a stream, within [`Limits`]. Names that lead out, links to elsewhere, two entries for one
//! path, devices and malformed headers make the whole archive invalid (security cases N01 to N06, N09). Modes
//! are reduced to "executable or not"; owners and times are dropped.

mod decompress;
mod disk;
mod files;

use std::io::{self, BufRead, Read};

use bytes::Bytes;

use crate::limits::{LimitExceeded, Limits};
use crate::path::{self, InvalidPath};
use crate::tar::{Header, Kind, ReadError, Reader};
use crate::tree::{Entry, InsertError, Tree};

pub use decompress::Compression;
pub use disk::{to_folder, write_tree};
pub use files::{ArchiveFile, each_file, files};

/// What to do with symbolic links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symlinks {
    /// The archive is invalid.
    Refuse,
    /// They are left out, as Flux does with artifacts from registries. What lies "behind" one becomes a plain
    /// file in a plain folder.
    Drop,
}

/// Reads a tar archive, perhaps compressed by gzip or zstd, into memory.
///
/// # Errors
/// See [`ExtractError`].
pub fn tree(archive: impl BufRead, limits: &Limits, symlinks: Symlinks) -> Result<Tree, ExtractError> {
    let mut tree = Tree::default();
    visit(archive, limits, symlinks, |name, entry| {
        match entry {
            Visited::Folder => tree.insert_folder(name)?,
            Visited::File { executable, content } => {
                let mut bytes = Vec::new();
                content.read_to_end(&mut bytes)?;
                tree.insert_entry(
                    name,
                    Entry {
                        bytes: bytes.into(),
                        executable,
                    },
                )?;
            }
        }
        Ok(())
    })?;
    Ok(tree)
}

/// A layer's content: a tree when it is an archive, and the bytes themselves when it is not.
#[derive(Debug, Clone)]
pub enum Layer {
    /// An archive.
    Tree(Tree),
    /// A single file, without a name of its own.
    File(Bytes),
}

/// Reads a layer as `flux pull artifact` does: what starts like gzip (or zstd) is an archive, anything else a
/// file.
///
/// # Errors
/// See [`ExtractError`].
pub fn layer(content: &Bytes, limits: &Limits, symlinks: Symlinks) -> Result<Layer, ExtractError> {
    match Compression::of(content) {
        Compression::None => Ok(Layer::File(content.clone())),
        _ => tree(&content[..], limits, symlinks).map(Layer::Tree),
    }
}

/// Something found in an archive.
enum Visited<'a> {
    Folder,
    File {
        executable: bool,
        content: &'a mut dyn Read,
    },
}

/// Calls `found` for each folder and file, with its clean path.
fn visit(
    archive: impl BufRead,
    limits: &Limits,
    symlinks: Symlinks,
    mut found: impl FnMut(&str, Visited<'_>) -> Result<(), ExtractError>,
) -> Result<(), ExtractError> {
    let mut reader = Reader::new(decompress::limited(archive, limits)?);
    let mut entries = 0_u64;
    let mut bytes = 0_u64;
    while let Some(header) = reader.next().map_err(ExtractError::of_read)? {
        entries += 1;
        exceeds(entries, limits.entries, "entries")?;
        exceeds(header.size, limits.file_bytes, "bytes in a file")?;
        bytes = bytes.saturating_add(header.size);
        exceeds(bytes, limits.bytes, "bytes")?;
        let Header { name, kind, mode, .. } = header;
        let path = path::clean(&name, kind == Kind::Folder, limits)?;
        match kind {
            Kind::Folder => found(&path, Visited::Folder)?,
            Kind::File => {
                found(
                    &path,
                    Visited::File {
                        executable: mode & 0o111 != 0,
                        content: &mut reader,
                    },
                )?;
            }
            Kind::Symlink if symlinks == Symlinks::Drop => {}
            Kind::Symlink => {
                return Err(ExtractError::Refused {
                    path,
                    kind: "a symbolic link",
                });
            }
            Kind::Hardlink => {
                return Err(ExtractError::Refused {
                    path,
                    kind: "a hard link",
                });
            }
            Kind::Special => {
                return Err(ExtractError::Refused {
                    path,
                    kind: "a device or pipe",
                });
            }
        }
    }
    Ok(())
}

fn exceeds(value: u64, limit: u64, what: &'static str) -> Result<(), ExtractError> {
    if value > limit {
        Err(LimitExceeded { what, limit }.into())
    } else {
        Ok(())
    }
}

/// Why an archive is refused. Nothing of it is to be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// It is no archive, or one that readers could differ about.
    #[error("the archive holds {0}")]
    Malformed(&'static str),
    /// A name that leads out, or that systems differ about.
    #[error(transparent)]
    Path(#[from] InvalidPath),
    /// Something other than files and folders.
    #[error("{path:?} is {kind}, which is not allowed in artifacts")]
    Refused {
        /// Which entry.
        path: String,
        /// What it is.
        kind: &'static str,
    },
    /// Two entries for one path.
    #[error("the archive holds two entries for {0:?}")]
    Duplicate(String),
    /// More than the limits allow.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// It could not be read, decompressed or written.
    #[error("the archive could not be unpacked")]
    Io(#[source] io::Error),
}

impl ExtractError {
    fn of_read(err: ReadError) -> Self {
        match err {
            ReadError::Io(err) => err.into(),
            ReadError::Malformed(why) => Self::Malformed(why),
        }
    }
}

impl From<io::Error> for ExtractError {
    /// A limit met inside a reader travels in an I/O error and comes out here.
    fn from(err: io::Error) -> Self {
        match err
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<LimitExceeded>())
        {
            Some(limit) => Self::Limit(*limit),
            None => Self::Io(err),
        }
    }
}

impl From<InsertError> for ExtractError {
    fn from(err: InsertError) -> Self {
        match err {
            InsertError::Path(path) => Self::Path(path),
            InsertError::Duplicate(path) => Self::Duplicate(path),
        }
    }
}
