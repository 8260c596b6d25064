//! Charts' archives, opened.

use bytes::Bytes;
use jiff::Timestamp;
use weir_helm::{Entry, Unpack};
use weir_store::{Limits, extract};

/// Opens archives with the store's reader.
#[derive(Debug, Clone, Copy)]
pub struct Tgz;

impl Unpack for Tgz {
    fn unpack(
        &self,
        archive: &Bytes,
        limit: usize,
        wanted: &dyn Fn(&str, usize) -> bool,
        found: &mut dyn FnMut(Entry),
    ) -> Result<(), String> {
        let limit = limit as u64;
        let limits = Limits {
            bytes: limit,
            file_bytes: limit,
            ..Limits::default()
        };
        let bytes = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
        let entry = |file: extract::ArchiveFile| Entry {
            path: file.path,
            size: bytes(file.size),
            data: file.bytes,
            modified: i64::try_from(file.modified)
                .ok()
                .and_then(|seconds| Timestamp::from_second(seconds).ok())
                .map(Into::into),
        };
        extract::each_file(
            archive.as_ref(),
            &limits,
            |path, size| wanted(path, bytes(size)),
            |file| found(entry(file)),
        )
        .map_err(|error| error.to_string())
    }
}
