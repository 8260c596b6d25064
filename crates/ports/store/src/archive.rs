//! Packing: a folder or a tree into tar and gzip, the same bytes for the same content.
//!
//! The tar is Flux's byte for byte. The gzip around it has a fixed header but is not Go's deflate, so archives
//! of the two are compared by the digest of the tar ([`Packed::diff_id`]).

mod chart;
mod walk;

pub use chart::chart;

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use flate2::{Compression, GzBuilder};
use weir_oci::{Digest, Hasher};

use crate::ignore::{self, IgnoreRules};
use crate::tar::Writer;
use crate::tree::Tree;

/// Whose archive it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// What `flux push artifact` makes: modes as they are on the disk.
    Push,
    /// What source-controller keeps: folders 0750, executables 0700, other files 0600.
    Source,
}

impl Form {
    const fn folder_mode(self, mode: u32) -> u32 {
        match self {
            Self::Push => mode,
            Self::Source => 0o750,
        }
    }

    const fn file_mode(self, mode: u32) -> u32 {
        match self {
            Self::Push => mode,
            Self::Source if mode & 0o111 != 0 => 0o700,
            Self::Source => 0o600,
        }
    }
}

/// What becomes of symbolic links in a folder that is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Links {
    /// They are left out, as Flux does by default.
    #[default]
    Skip,
    /// What they lead to is packed in their place, wherever it is: `flux push artifact --resolve-symlinks`. For
    /// a person's own folders only; a link that leads back to a folder it is in is an error.
    Follow,
}

/// A packed archive in memory.
#[derive(Debug, Clone)]
pub struct Packed {
    /// Tar and gzip.
    pub bytes: Bytes,
    /// The digest and length of the whole.
    pub summary: Summary,
}

/// What is known of an archive after packing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// The digest of the compressed bytes.
    pub digest: Digest,
    /// How many compressed bytes there are.
    pub size: u64,
    /// The digest of the tar inside, which does not depend on who compressed it.
    pub diff_id: Digest,
}

impl Packed {
    /// The digest of the compressed bytes.
    pub const fn digest(&self) -> Digest {
        self.summary.digest
    }

    /// The digest of the tar inside.
    pub const fn diff_id(&self) -> Digest {
        self.summary.diff_id
    }
}

/// Packs a tree. Its folders count as 0755 and its files as 0644 or 0755, as a usual checkout has them.
///
/// # Errors
/// Never in practice: memory does not fail to be written.
pub fn pack_tree(tree: &Tree, form: Form) -> Result<Packed, PackError> {
    in_memory(&walk::of_tree(tree), form)
}

/// Packs a folder, or a single file as a folder with that file in it.
///
/// With [`Form::Source`], `.sourceignore` files are *not* looked for: pass the rules of
/// [`folder_rules`].
///
/// # Errors
/// When something cannot be read, a name is not UTF-8, or a file changes meanwhile.
pub fn pack_path(path: &Path, rules: &IgnoreRules, links: Links, form: Form) -> Result<Packed, PackError> {
    in_memory(&walk::of_path(path, rules, links)?, form)
}

/// Packs a folder or a file into `out`, without holding it in memory.
///
/// # Errors
/// As for [`pack_path`], and when `out` cannot be written.
pub fn pack_path_to(
    path: &Path,
    rules: &IgnoreRules,
    links: Links,
    form: Form,
    out: impl Write,
) -> Result<Summary, PackError> {
    write(&walk::of_path(path, rules, links)?, form, out)
}

/// The rules that source-controller applies to a folder: its `.sourceignore` files and `spec.ignore`.
///
/// # Errors
/// When something cannot be read or a name is not UTF-8.
pub fn folder_rules(path: &Path, spec_ignore: Option<&str>) -> Result<IgnoreRules, PackError> {
    let mut files = Vec::new();
    for item in walk::of_path(path, &IgnoreRules::none(), Links::Skip)? {
        let folder = match item.name.rsplit_once('/') {
            Some((folder, ignore::FILE_NAME)) => folder.to_owned(),
            None if item.name == ignore::FILE_NAME => String::new(),
            _ => continue,
        };
        let hidden = folder.split('/').any(|part| part == ".git");
        if let (walk::Content::File { path, .. }, false) = (&item.content, hidden) {
            let text = std::fs::read(path).map_err(|source| PackError::Read {
                path: path.clone(),
                source,
            })?;
            files.push((folder, String::from_utf8_lossy(&text).into_owned()));
        }
    }
    // A folder's patterns before those of the folders in it, so that the inner ones win.
    files.sort_by(|(a, _), (b, _)| a.split('/').cmp(b.split('/')));
    Ok(IgnoreRules::for_source(
        files
            .iter()
            .map(|(folder, text)| (folder.as_str(), text.as_str())),
        spec_ignore,
    ))
}

fn in_memory(items: &[walk::Item], form: Form) -> Result<Packed, PackError> {
    let mut bytes = Vec::new();
    let summary = write(items, form, &mut bytes)?;
    Ok(Packed {
        bytes: bytes.into(),
        summary,
    })
}

fn write(items: &[walk::Item], form: Form, out: impl Write) -> Result<Summary, PackError> {
    let failed = |source| PackError::Write { source };
    // As Go's gzip.Writer leaves its header: no name, no time, system unknown.
    let gzip = GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .write(Hashing::new(out), Compression::new(6));
    let mut tar = Writer::new(Hashing::new(gzip));
    for item in items {
        let named = |source| PackError::Pack {
            name: item.name.clone(),
            source,
        };
        match &item.content {
            walk::Content::Folder => tar
                .folder(&item.name, form.folder_mode(item.mode))
                .map_err(named)?,
            walk::Content::Bytes(bytes) => {
                let mode = form.file_mode(item.mode);
                tar.file(&item.name, mode, bytes.len() as u64, &bytes[..])
                    .map_err(named)?;
            }
            walk::Content::File { path, size } => {
                let file = std::fs::File::open(path).map_err(|source| PackError::Read {
                    path: path.clone(),
                    source,
                })?;
                tar.file(
                    &item.name,
                    form.file_mode(item.mode),
                    *size,
                    io::BufReader::new(file),
                )
                .map_err(named)?;
            }
        }
    }
    let inner = tar.finish().map_err(failed)?;
    let diff_id = inner.hasher.finish();
    let mut outer = inner.inner.finish().map_err(failed)?;
    outer.flush().map_err(failed)?;
    let size = outer.hasher.length();
    Ok(Summary {
        digest: outer.hasher.finish(),
        size,
        diff_id,
    })
}

/// Passes bytes on and hashes them.
struct Hashing<W> {
    inner: W,
    hasher: Hasher,
}

impl<W> Hashing<W> {
    fn new(inner: W) -> Self {
        Self {
            inner,
            hasher: Hasher::new(),
        }
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hasher.update(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// The digest of the tar inside a gzip archive, for comparing archives of different compressors.
///
/// # Errors
/// When the bytes are no gzip, or hold more than `limit` bytes.
pub fn diff_id(gzip: impl Read, limit: u64) -> io::Result<Digest> {
    let mut hasher = Hasher::new();
    let mut tar = flate2::read::MultiGzDecoder::new(gzip).take(limit.saturating_add(1));
    io::copy(&mut tar, &mut hasher)?;
    if hasher.length() > limit {
        return Err(io::Error::other("the archive is larger than the limit"));
    }
    Ok(hasher.finish())
}

/// Why something cannot be packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A file or folder cannot be read.
    #[error("cannot read {path:?}")]
    Read {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A name is not UTF-8, and archives of it would differ between readers.
    #[error("the name of {0:?} is not UTF-8")]
    Name(PathBuf),
    /// A path is neither a folder nor a file.
    #[error("{0:?} is neither a folder nor a file")]
    Kind(PathBuf),
    /// A link leads back to a folder that it is in.
    #[error("{0:?} leads back to a folder that it is in")]
    Loop(PathBuf),
    /// An entry cannot be packed.
    #[error("cannot pack {name:?}")]
    Pack {
        /// Which entry.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The end of the archive cannot be written.
    #[error("cannot write the archive")]
    Write {
        /// Why.
        #[source]
        source: io::Error,
    },
}
