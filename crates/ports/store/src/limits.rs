//! How much an archive may hold (security case N06).

/// How much an archive may hold. Each field is the largest value that is still accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all content after decompression.
    pub bytes: u64,
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Entries, folders included.
    pub entries: u64,
    /// How many times the compressed bytes the decompressed ones may be, once they are more than
    /// [`Limits::ratio_from`].
    pub ratio: u64,
    /// Decompressed bytes below which the ratio does not matter: small repetitive trees compress well.
    pub ratio_from: u64,
    /// Folders within folders.
    pub depth: usize,
    /// Bytes of a path.
    pub path_bytes: usize,
}

impl Default for Limits {
    /// Far above any real tree of manifests, far below what hurts a controller.
    fn default() -> Self {
        Self {
            bytes: 512 << 20,
            file_bytes: 256 << 20,
            entries: 100_000,
            ratio: 250,
            ratio_from: 32 << 20,
            depth: 64,
            path_bytes: 2048,
        }
    }
}

/// An archive that holds more than the limits allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the archive has more than {limit} {what}")]
pub struct LimitExceeded {
    /// What there is too much of.
    pub what: &'static str,
    /// The limit.
    pub limit: u64,
}
