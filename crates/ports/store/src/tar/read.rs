//! Reading tar strictly: what Go's `archive/tar` would read the same way, or an error.

use std::io::{self, Read};

use super::{BLOCK, Block, checksum, field, get, numbers, pax};

/// Extended headers and long names above this are an attack; Go's limit too.
const MAX_SPECIAL: u64 = 1 << 20;

/// Bytes of content that are passed over at once: a decompressor keeps the last 32 KiB of each step.
const PASSED_AT_ONCE: usize = 64 << 10;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
    Symlink,
    Hardlink,
    /// A device or a pipe.
    Special,
}

/// An entry before its content.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) mode: u32,
    pub(crate) size: u64,
    /// Seconds since 1970; 0 for a time that no clock shows.
    pub(crate) modified: u64,
}

/// Reads entry after entry.
pub(crate) struct Reader<R> {
    inner: R,
    /// Content of the current entry that was not read.
    left: u64,
    /// Zeros after it.
    padding: u64,
}

/// Why an archive cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("{0}")]
    Malformed(&'static str),
}

impl<R: Read> Reader<R> {
    pub(crate) const fn new(inner: R) -> Self {
        Self {
            inner,
            left: 0,
            padding: 0,
        }
    }

    /// The next entry; none at the end of the archive.
    pub(crate) fn next(&mut self) -> Result<Option<Header>, ReadError> {
        self.skip()?;
        let mut records: Option<pax::Records> = None;
        let mut long_name: Option<String> = None;
        let mut long_link = false;
        loop {
            let Some(block) = self.block()? else {
                return match (&records, &long_name, long_link) {
                    (None, None, false) => Ok(None),
                    _ => Err(ReadError::Malformed("an extended header without an entry")),
                };
            };
            let raw = RawHeader::parse(&block)?;
            match raw.kind {
                b'x' if records.is_none() => {
                    records = Some(pax::parse(&self.special(raw.size)?).map_err(ReadError::Malformed)?);
                }
                // `git archive` puts the commit here; it says nothing about any entry that we use.
                b'g' if records.is_none() && long_name.is_none() && !long_link => {
                    let global = pax::parse(&self.special(raw.size)?).map_err(ReadError::Malformed)?;
                    if global != pax::Records::default() {
                        return Err(ReadError::Malformed(
                            "a global header that renames or resizes entries",
                        ));
                    }
                }
                b'L' if long_name.is_none() => long_name = Some(text(&self.special(raw.size)?)?),
                b'K' if !long_link => {
                    self.special(raw.size)?;
                    long_link = true;
                }
                b'x' | b'g' | b'L' | b'K' => {
                    return Err(ReadError::Malformed("extended headers in a strange order"));
                }
                _ if records.is_some() && (long_name.is_some() || long_link) => {
                    return Err(ReadError::Malformed("a PAX and a GNU header for one entry"));
                }
                _ => return self.entry(raw, records.unwrap_or_default(), long_name).map(Some),
            }
        }
    }

    fn entry(
        &mut self,
        raw: RawHeader,
        records: pax::Records,
        long_name: Option<String>,
    ) -> Result<Header, ReadError> {
        let name = records.path.or(long_name).unwrap_or(raw.name);
        let kind = match raw.kind {
            // Archives from before POSIX mark folders by a slash alone.
            0 if name.ends_with('/') => Kind::Folder,
            0 | b'0' => Kind::File,
            b'1' => Kind::Hardlink,
            b'2' => Kind::Symlink,
            b'3' | b'4' | b'6' => Kind::Special,
            b'5' => Kind::Folder,
            b'S' => return Err(ReadError::Malformed("a sparse file")),
            _ => return Err(ReadError::Malformed("an entry of an unknown type")),
        };
        if kind == Kind::File && name.ends_with('/') {
            return Err(ReadError::Malformed("a file whose name ends in a slash"));
        }
        // Only files have content, whatever the header says; so reads Go.
        let size = records.size.unwrap_or(raw.size);
        let size = if kind == Kind::File { size } else { 0 };
        self.left = size;
        self.padding = padding(size);
        Ok(Header {
            name,
            kind,
            mode: raw.mode,
            size,
            modified: raw.modified,
        })
    }

    /// Passes over what is left of the current entry.
    fn skip(&mut self) -> Result<(), ReadError> {
        let mut left = self.left.saturating_add(self.padding);
        self.left = 0;
        self.padding = 0;
        let size = usize::try_from(left)
            .unwrap_or(PASSED_AT_ONCE)
            .min(PASSED_AT_ONCE);
        let mut passed = vec![0; size];
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(size).min(size);
            match self.inner.read(passed.get_mut(..most).unwrap_or_default()) {
                Ok(0) => return Err(ReadError::Malformed("an entry that is cut off")),
                Ok(count) => left = left.saturating_sub(count as u64),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// The content of an extended header.
    fn special(&mut self, size: u64) -> Result<Vec<u8>, ReadError> {
        if size > MAX_SPECIAL {
            return Err(ReadError::Malformed("an extended header that is too long"));
        }
        let mut data = Vec::new();
        (&mut self.inner).take(size).read_to_end(&mut data)?;
        if data.len() as u64 != size {
            return Err(ReadError::Malformed("an extended header that is cut off"));
        }
        self.padding = padding(size);
        self.skip()?;
        Ok(data)
    }

    /// The next header; none at the end, which is two empty blocks, or (as Go has it) the end of the input.
    fn block(&mut self) -> Result<Option<Block>, ReadError> {
        let Some(block) = self.raw_block()? else {
            return Ok(None);
        };
        if block != [0; BLOCK] {
            return Ok(Some(block));
        }
        match self.raw_block()? {
            None => Ok(None),
            Some(second) if second == [0; BLOCK] => Ok(None),
            Some(_) => Err(ReadError::Malformed("an empty block between entries")),
        }
    }

    fn raw_block(&mut self) -> Result<Option<Block>, ReadError> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while let Some(rest) = block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.inner.read(rest) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(ReadError::Malformed("a header that is cut off")),
                Ok(count) => filled += count,
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(err) => return Err(err.into()),
            }
        }
        Ok(Some(block))
    }
}

/// The content of the current entry.
impl<R: Read> Read for Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(part) = buffer.get_mut(..most).filter(|part| !part.is_empty()) else {
            return Ok(0);
        };
        let count = self.inner.read(part)?;
        if count == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "an entry that is cut off",
            ));
        }
        self.left = self.left.saturating_sub(count as u64);
        Ok(count)
    }
}

const fn padding(size: u64) -> u64 {
    (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64
}

struct RawHeader {
    name: String,
    kind: u8,
    mode: u32,
    size: u64,
    modified: u64,
}

impl RawHeader {
    fn parse(block: &Block) -> Result<Self, ReadError> {
        let number = |field| {
            numbers::parse(get(block, field)).ok_or(ReadError::Malformed("a header with a malformed number"))
        };
        if number(field::CHECKSUM)? != u64::from(checksum(block)) {
            return Err(ReadError::Malformed("a header with a wrong checksum"));
        }
        number(field::UID)?;
        number(field::GID)?;
        if !numbers::is_time(get(block, field::MTIME)) {
            return Err(ReadError::Malformed("a header with a malformed time"));
        }
        let mut name = text(get(block, field::NAME))?;
        let magic = get(block, field::MAGIC);
        if magic.starts_with(b"ustar") {
            number(field::DEVMAJOR)?;
            number(field::DEVMINOR)?;
        }
        if get(block, field::TRAILER) == b"tar\0" {
            return Err(ReadError::Malformed("a header of the star format"));
        }
        if magic == b"ustar\x0000" {
            let prefix = text(get(block, field::PREFIX))?;
            if !prefix.is_empty() {
                name = format!("{prefix}/{name}");
            }
        } else if magic == b"ustar  \0" {
            // Old GNU archives keep times where others keep the prefix; Go guesses, we do not.
            if get(block, field::PREFIX).iter().any(|byte| *byte != 0) {
                return Err(ReadError::Malformed("a GNU header with more than a name"));
            }
        } else if magic.iter().any(|byte| *byte != 0) {
            return Err(ReadError::Malformed("a header of an unknown format"));
        }
        let kind = get(block, field::TYPE).first().copied().unwrap_or_default();
        let mode = u32::try_from(number(field::MODE)?)
            .map_err(|_| ReadError::Malformed("a header with a malformed mode"))?;
        let size = number(field::SIZE)?;
        if i64::try_from(size).is_err() {
            return Err(ReadError::Malformed("a header with a malformed size"));
        }
        Ok(Self {
            name,
            kind,
            mode,
            size,
            modified: numbers::parse(get(block, field::MTIME)).unwrap_or_default(),
        })
    }
}

/// Text up to the first NUL. What is not UTF-8 is refused: it would have several spellings.
fn text(field: &[u8]) -> Result<String, ReadError> {
    let text = field.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8(text.to_vec()).map_err(|_| ReadError::Malformed("a name that is not UTF-8"))
}
