//! The documents as files, for those who verify and sign with them.

use std::io;
use std::path::{Path, PathBuf};

use super::Refreshed;
use super::known::replace;

/// A document in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// Where it is.
    pub path: PathBuf,
    /// What became of it.
    pub state: State,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It was not there before.
    New,
    /// It was there with other content.
    Changed,
    /// It was there as it is.
    Unchanged,
}

impl Refreshed {
    /// Writes `trusted_root.json`, and `signing_config.json` where the repository has one, each whole or not at all.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<(Written, Option<Written>)> {
        std::fs::create_dir_all(folder)?;
        let root = write(folder.join("trusted_root.json"), &self.trusted_root)?;
        let config = self.signing_config.as_deref();
        let config = config.map(|config| write(folder.join("signing_config.json"), config));
        Ok((root, config.transpose()?))
    }
}

fn write(path: PathBuf, content: &[u8]) -> io::Result<Written> {
    let state = match std::fs::read(&path) {
        Ok(old) if old == content => State::Unchanged,
        Ok(_) => State::Changed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => State::New,
        Err(error) => return Err(error),
    };
    if state != State::Unchanged {
        replace(&path, content)?;
    }
    Ok(Written { path, state })
}
