//! The archive of a Helm chart.

use std::io::{self, Write as _};

use bytes::Bytes;
use flate2::{Compression, GzBuilder};

use crate::tar::Writer;

/// What Helm writes into the gzip header, so that its packages can be told from others.
const EXTRA: &[u8] = b"+aHR0cHM6Ly95b3V0dS5iZS96OVV6MWljandyTQo=";

/// Packs files, given with their paths and the seconds since 1970 when they were last changed, in this order, as Helm
/// packs charts: the tar within is Helm's byte for byte.
///
/// # Errors
/// Only where memory does not take the bytes, which it does.
pub fn chart<'f>(files: impl IntoIterator<Item = (&'f str, &'f [u8], u64)>) -> io::Result<Bytes> {
    let gzip = GzBuilder::new()
        .extra(EXTRA)
        .comment("Helm")
        .write(Vec::new(), Compression::default());
    let mut tar = Writer::new(gzip);
    for (path, content, modified) in files {
        tar.modified = modified;
        tar.file(path, 0o644, content.len() as u64, content)?;
    }
    let mut gzip = tar.finish()?;
    gzip.flush()?;
    gzip.finish().map(Bytes::from)
}
