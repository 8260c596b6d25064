//! Where what was found is kept.

use std::path::{Path, PathBuf};

/// A folder beside what cargo builds, wherever this program is started from.
pub(crate) fn folder() -> PathBuf {
    let beside = || {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
        root.unwrap_or(Path::new(".")).join("target")
    };
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(beside, PathBuf::from)
}
