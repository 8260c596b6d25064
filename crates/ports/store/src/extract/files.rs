//! The files of an archive as it names them, for formats that have rules of their own for names: Helm charts.

use std::collections::HashSet;
use std::io::{BufRead, Read};

use bytes::Bytes;

use super::{ExtractError, decompress, exceeds};
use crate::limits::Limits;
use crate::tar::{Kind, Reader};

/// A header may promise more than comes: no more than this is made room for before it is there.
const PROMISED: u64 = 8 << 20;

/// A file of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveFile {
    /// As the archive has it: nothing is cleaned, and it may lead anywhere. The caller decides.
    pub path: String,
    /// Content; empty where it was not wanted.
    pub bytes: Bytes,
    /// How many bytes of content the archive has.
    pub size: u64,
    /// When it was last changed, in seconds since 1970.
    pub modified: u64,
}

/// The files of a tar archive, perhaps compressed, in its order.
///
/// Folders are left out. A link or a device is a file without content: it leads nowhere.
///
/// # Errors
/// See [`ExtractError`]; names are not judged, but two entries of one name are refused.
pub fn files(archive: impl BufRead, limits: &Limits) -> Result<Vec<ArchiveFile>, ExtractError> {
    let mut files = Vec::new();
    each_file(archive, limits, |_, _| true, |file| files.push(file))?;
    Ok(files)
}

/// The same, each given as soon as it is read: after an error none of them is to be used. Content that is not wanted, by path and
/// size, is passed over.
///
/// # Errors
/// Those of [`files`].
pub fn each_file(
    archive: impl BufRead,
    limits: &Limits,
    wanted: impl Fn(&str, u64) -> bool,
    mut found: impl FnMut(ArchiveFile),
) -> Result<(), ExtractError> {
    let mut reader = Reader::new(decompress::limited(archive, limits)?);
    let mut names = HashSet::new();
    let mut entries = 0_u64;
    let mut bytes = 0_u64;
    while let Some(header) = reader.next().map_err(ExtractError::of_read)? {
        entries += 1;
        exceeds(entries, limits.entries, "entries")?;
        exceeds(header.size, limits.file_bytes, "bytes in a file")?;
        exceeds(
            header.name.len() as u64,
            limits.path_bytes as u64,
            "bytes in a path",
        )?;
        bytes = bytes.saturating_add(header.size);
        exceeds(bytes, limits.bytes, "bytes")?;
        if header.kind == Kind::Folder {
            continue;
        }
        if !names.insert(header.name.clone()) {
            return Err(ExtractError::Duplicate(header.name));
        }
        let mut content = Vec::new();
        if header.kind == Kind::File && wanted(&header.name, header.size) {
            match usize::try_from(header.size) {
                // Fresh memory is zeroed already, which reading to an end that it must find would do once more.
                Ok(size) if header.size <= PROMISED => {
                    content = vec![0; size];
                    reader.read_exact(&mut content)?;
                }
                _ => {
                    reader.read_to_end(&mut content)?;
                }
            }
        }
        found(ArchiveFile {
            path: header.name,
            bytes: content.into(),
            size: header.size,
            modified: header.modified,
        });
    }
    Ok(())
}
