//! The tar format: a writer that writes what Go's `archive/tar` writes, and a strict reader.
//!
//! Both are our own because bytes matter in both directions. The writer's output must be Go's byte for byte,
//! since digests of archives are compared; the reader must see the same entries as Go or none at all, since
//! Flux may read the same archive (security case N05).

mod numbers;
mod pax;
mod read;
mod write;

pub(crate) use read::{Header, Kind, ReadError, Reader};
pub(crate) use write::Writer;

/// Tar is made of blocks of this many bytes.
pub(crate) const BLOCK: usize = 512;

/// A header block.
pub(crate) type Block = [u8; BLOCK];

/// Where the fields of a header are: start and length.
mod field {
    pub(super) type Field = (usize, usize);

    pub(super) const NAME: Field = (0, 100);
    pub(super) const MODE: Field = (100, 8);
    pub(super) const UID: Field = (108, 8);
    pub(super) const GID: Field = (116, 8);
    pub(super) const SIZE: Field = (124, 12);
    pub(super) const MTIME: Field = (136, 12);
    pub(super) const CHECKSUM: Field = (148, 8);
    pub(super) const TYPE: Field = (156, 1);
    pub(super) const MAGIC: Field = (257, 8);
    pub(super) const DEVMAJOR: Field = (329, 8);
    pub(super) const DEVMINOR: Field = (337, 8);
    pub(super) const PREFIX: Field = (345, 155);
    pub(super) const TRAILER: Field = (508, 4);
}

/// A field of a block.
fn get(block: &Block, (start, length): field::Field) -> &[u8] {
    block.get(start..start + length).unwrap_or_default()
}

/// Writes text into a field, as much of it as fits.
fn put(block: &mut Block, (start, length): field::Field, text: &[u8]) {
    if let Some(field) = block.get_mut(start..start + length) {
        for (to, from) in field.iter_mut().zip(text) {
            *to = *from;
        }
    }
}

/// The sum of a header's bytes with its checksum taken as blanks.
fn checksum(block: &Block) -> u32 {
    let (start, length) = field::CHECKSUM;
    block
        .iter()
        .enumerate()
        .map(|(at, byte)| {
            if (start..start + length).contains(&at) {
                u32::from(b' ')
            } else {
                u32::from(*byte)
            }
        })
        .sum()
}
