//! Decompression within limits, which hold while bytes flow and not afterwards.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use crate::limits::{LimitExceeded, Limits};

/// How an archive is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip
    Gzip,
    /// zstd
    Zstd,
}

/// A window above this (as a power of two) would let a few bytes claim much memory; it is zstd's own default.
const ZSTD_WINDOW: u32 = 27;

impl Compression {
    /// By the first bytes.
    pub fn of(content: &[u8]) -> Self {
        if content.starts_with(&[0x1f, 0x8b]) {
            Self::Gzip
        } else if content.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            Self::Zstd
        } else {
            Self::None
        }
    }
}

/// The decompressed content of `archive`. Reading past a limit is an error that holds a [`LimitExceeded`].
pub(super) fn limited<'a>(archive: impl BufRead + 'a, limits: &Limits) -> io::Result<Box<dyn Read + 'a>> {
    let read = Rc::new(Cell::new(0));
    let mut counted = Counting {
        inner: archive,
        count: read.clone(),
    };
    let content: Box<dyn Read + 'a> = match Compression::of(counted.fill_buf()?) {
        Compression::None => Box::new(counted),
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(counted)),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(counted)?;
            decoder.window_log_max(ZSTD_WINDOW)?;
            Box::new(decoder)
        }
    };
    Ok(Box::new(Limited {
        inner: content,
        limits: limits.clone(),
        read,
        written: 0,
    }))
}

struct Counting<R> {
    inner: R,
    count: Rc<Cell<u64>>,
}

impl<R: BufRead> BufRead for Counting<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.inner.consume(count);
        self.count.set(self.count.get().saturating_add(count as u64));
    }
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count.set(self.count.get().saturating_add(count as u64));
        Ok(count)
    }
}

struct Limited<R> {
    inner: R,
    limits: Limits,
    read: Rc<Cell<u64>>,
    written: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.written = self.written.saturating_add(count as u64);
        let Limits {
            bytes,
            entries,
            ratio,
            ratio_from,
            ..
        } = self.limits;
        // Headers and padding come on top of content: three blocks an entry and some at the end.
        let most = bytes
            .saturating_add(entries.saturating_mul(3 * 512))
            .saturating_add(1 << 20);
        if self.written > most {
            return Err(io::Error::other(LimitExceeded {
                what: "bytes",
                limit: bytes,
            }));
        }
        if self.written > ratio_from && self.written > self.read.get().saturating_mul(ratio) {
            return Err(io::Error::other(LimitExceeded {
                what: "times its compressed bytes",
                limit: ratio,
            }));
        }
        Ok(count)
    }
}
