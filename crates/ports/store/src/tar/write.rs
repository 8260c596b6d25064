//! Writing tar as Go's `archive/tar` does: USTAR, with a PAX header only where USTAR cannot say it.

use std::io::{self, Read, Write};

use super::{BLOCK, Block, checksum, field, numbers, pax, put};

const MAGIC: &[u8] = b"ustar\x0000";
/// The largest size that the twelve bytes of a header hold.
const USTAR_SIZE: u64 = 0o77_777_777_777;
/// Go keeps the prefix within this.
const PREFIX: usize = 155;
const NAME: usize = 100;

/// Writes entries with owner 0 and, unless it is set, the time 0.
pub(crate) struct Writer<W> {
    inner: W,
    /// Time of the entries that follow, in seconds since 1970.
    pub(crate) modified: u64,
}

impl<W: Write> Writer<W> {
    pub(crate) const fn new(inner: W) -> Self {
        Self { inner, modified: 0 }
    }

    /// A folder. Its name has no trailing slash, as Flux writes it.
    pub(crate) fn folder(&mut self, name: &str, mode: u32) -> io::Result<()> {
        self.header(name, mode, 0, b'5')
    }

    /// A file of `size` bytes from `content`. A reader that gives fewer or more is an error: the file changed.
    pub(crate) fn file(&mut self, name: &str, mode: u32, size: u64, content: impl Read) -> io::Result<()> {
        self.header(name, mode, size, b'0')?;
        let mut content = content.take(size.saturating_add(1));
        if io::copy(&mut content, &mut self.inner)? != size {
            return Err(io::Error::other("the file changed while it was read"));
        }
        self.pad(size)
    }

    /// The two empty blocks at the end.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.inner.write_all(&[0; 2 * BLOCK])?;
        Ok(self.inner)
    }

    fn header(&mut self, name: &str, mode: u32, size: u64, kind: u8) -> io::Result<()> {
        let mut records = String::new();
        let split = split(name);
        let fits = name.is_ascii() && (name.len() <= NAME || split.is_some());
        if !fits {
            records.push_str(&pax::format("path", name));
        }
        if size > USTAR_SIZE {
            records.push_str(&pax::format("size", &size.to_string()));
        }
        if records.is_empty() {
            let (prefix, rest) = split.unwrap_or(("", name));
            let mut block = header(rest, mode, size, kind, self.modified);
            put(&mut block, field::PREFIX, prefix.as_bytes());
            return self.seal(block);
        }
        self.extended(name, &records)?;
        self.seal(header(&ascii(name), mode, size, kind, self.modified))
    }

    /// An extended header, named after the entry by Go's custom.
    fn extended(&mut self, name: &str, records: &str) -> io::Result<()> {
        let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
        let joined = if folder.is_empty() {
            format!("PaxHeaders.0/{file}")
        } else {
            format!("{folder}/PaxHeaders.0/{file}")
        };
        let joined = ascii(&joined);
        let short = joined.get(..NAME).unwrap_or(&joined).trim_end_matches('/');
        let mut block = [0; BLOCK];
        put(&mut block, field::NAME, short.as_bytes());
        let length = records.len() as u64;
        for (field, value) in [
            (field::MODE, 0),
            (field::UID, 0),
            (field::GID, 0),
            (field::SIZE, length),
            (field::MTIME, 0),
        ] {
            put_number(&mut block, field, value);
        }
        put(&mut block, field::TYPE, b"x");
        self.seal(block)?;
        self.inner.write_all(records.as_bytes())?;
        self.pad(length)
    }

    fn seal(&mut self, mut block: Block) -> io::Result<()> {
        put(&mut block, field::MAGIC, MAGIC);
        let sum = format!("{:06o}\0 ", checksum(&block));
        put(&mut block, field::CHECKSUM, sum.as_bytes());
        self.inner.write_all(&block)
    }

    fn pad(&mut self, size: u64) -> io::Result<()> {
        let over = usize::try_from(size % BLOCK as u64).unwrap_or(0);
        let zeros = [0; BLOCK];
        match over {
            0 => Ok(()),
            over => self.inner.write_all(zeros.get(over..).unwrap_or_default()),
        }
    }
}

fn header(name: &str, mode: u32, size: u64, kind: u8, modified: u64) -> Block {
    let mut block = [0; BLOCK];
    put(&mut block, field::NAME, name.as_bytes());
    if name.len() > NAME && name.as_bytes().get(NAME - 1) == Some(&b'/') {
        // Go's care for readers that take a cut name with a slash at its end for a folder.
        let kept = name.get(..NAME).unwrap_or_default().trim_end_matches('/').len();
        if let Some(byte) = block.get_mut(kept) {
            *byte = 0;
        }
    }
    for (field, value) in [
        (field::MODE, u64::from(mode)),
        (field::UID, 0),
        (field::GID, 0),
        (field::SIZE, if size > USTAR_SIZE { 0 } else { size }),
        (field::MTIME, modified),
        (field::DEVMAJOR, 0),
        (field::DEVMINOR, 0),
    ] {
        put_number(&mut block, field, value);
    }
    put(&mut block, field::TYPE, &[kind]);
    block
}

fn put_number(block: &mut Block, field: field::Field, value: u64) {
    if let Some(text) = numbers::octal(value, field.1) {
        put(block, field, &text);
    }
}

/// Without what is not ASCII.
fn ascii(text: &str) -> String {
    text.chars().filter(char::is_ascii).collect()
}

/// Prefix and name, when a long name can be split at a slash.
fn split(name: &str) -> Option<(&str, &str)> {
    if name.len() <= NAME || !name.is_ascii() {
        return None;
    }
    let within = name.get(..name.len().min(PREFIX + 1))?;
    let slash = within.rfind('/').filter(|slash| *slash > 0)?;
    let (prefix, rest) = (name.get(..slash)?, name.get(slash + 1..)?);
    (!rest.is_empty() && rest.len() <= NAME && prefix.len() <= PREFIX).then_some((prefix, rest))
}
