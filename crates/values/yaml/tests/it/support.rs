//! Test data in place.

use std::path::{Path, PathBuf};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

/// The conformance data: from the environment, else beside the repository. `None`, with one line
/// saying so, if it is not there.
pub(crate) fn conformance() -> Option<PathBuf> {
    let path = std::env::var_os("WEIR_CONFORMANCE")
        .map_or_else(|| workspace().join("../shared/conformance"), PathBuf::from);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("not run: no conformance data (set WEIR_CONFORMANCE)");
    None
}
