//! What earlier refreshes have seen: the documents by which the next one knows that it is led back.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::Value;
use sigstore_tuf::{MetadataStore, Result};

use super::keys;

/// The document that a refresh begins with.
const ROOT: &str = "root.json";
/// The folder of the roots that led there.
const HISTORY: &str = "root_history";
/// All but the roots that led to the last one, in the order in which they are written: what says how new the others are comes first.
const DOCUMENTS: [&str; 4] = [ROOT, "timestamp.json", "snapshot.json", "targets.json"];
/// The file that an update holds.
const LOCK: &str = ".lock";
/// The longest document that is read from a folder, in bytes; as long as the longest that a mirror may serve.
const MAX_BYTES: u64 = 5_000_000;

/// TUF's own documents, verified by earlier refreshes. They hold nothing secret. Who can change them can at most make the next
/// refresh forget what was seen: each is verified again before it counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known(BTreeMap<String, Vec<u8>>);

/// A document that was seen as the newest.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Seen {
    /// Its role: `root`, `timestamp`, `snapshot` or `targets`.
    pub role: String,
    /// Its version.
    pub version: u64,
    /// Until when it is good.
    pub expires: Timestamp,
}

impl Known {
    /// Takes a folder for an update, until what is given is dropped: of two at once, the later one to write would forget what the
    /// other has seen. The folder is made where it is missing. Where the disk knows no locks there is none.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when another update has it, and when the folder cannot be written.
    pub fn lock(folder: &Path) -> io::Result<fs::File> {
        fs::create_dir_all(folder)?;
        let file = fs::File::create(folder.join(LOCK))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(fs::TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(fs::TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(file),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }

    /// Reads what [`Known::write`] left in a folder; nothing where there is no folder.
    ///
    /// # Errors
    /// When the folder is there and a file in it cannot be read.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let mut known = BTreeMap::new();
        for name in DOCUMENTS {
            if let Some(content) = read(&folder.join(name))? {
                known.insert(name.to_owned(), content);
            }
        }
        let history = match fs::read_dir(folder.join(HISTORY)) {
            Ok(entries) => entries.collect::<io::Result<Vec<_>>>()?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        for entry in history {
            let name = format!("{HISTORY}/{}", entry.file_name().to_string_lossy());
            if is_kept(&name)
                && let Some(content) = read(&entry.path())?
            {
                known.insert(name, content);
            }
        }
        Ok(Self(known))
    }

    /// Writes the documents into a folder, each file whole or not at all, the folder's other files left alone.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder.join(HISTORY))?;
        let history = self.0.iter().filter(|(name, _)| name.starts_with(HISTORY));
        for (name, content) in history {
            replace(&folder.join(name), content)?;
        }
        for name in DOCUMENTS {
            if let Some(content) = self.0.get(name) {
                replace(&folder.join(name), content)?;
            }
        }
        Ok(())
    }

    /// The root that was reached.
    pub fn root(&self) -> Option<&[u8]> {
        self.0.get(ROOT).map(Vec::as_slice)
    }

    /// What was seen, root first; without what cannot be read.
    pub fn seen(&self) -> Vec<Seen> {
        let documents = DOCUMENTS.into_iter();
        documents
            .filter_map(|name| {
                let signed = signed(self.0.get(name)?)?;
                Some(Seen {
                    role: name.trim_end_matches(".json").to_owned(),
                    version: signed["version"].as_u64()?,
                    expires: signed["expires"].as_str()?.parse().ok()?,
                })
            })
            .collect()
    }

    /// The version of a document.
    pub(super) fn version(&self, name: &str) -> Option<u64> {
        version_of(self.0.get(name)?)
    }

    /// Whether there is nothing but the root that one began with.
    pub(super) fn is_only(&self, root: &[u8]) -> bool {
        let mut others = DOCUMENTS.into_iter().filter(|name| *name != ROOT);
        self.version(ROOT) == version_of(root) && others.all(|name| !self.0.contains_key(name))
    }

    /// Whether `root` is newer than the root that was reached.
    pub(super) fn is_behind(&self, root: &[u8]) -> bool {
        self.version(ROOT) < version_of(root)
    }

    /// Whether what is known may have come from `root`: it is newer than what is known, or one of those that led there.
    pub(super) fn follows(&self, root: &[u8]) -> bool {
        let Some(begin) = signed(root) else { return false };
        let (Some(version), Some(known)) = (begin["version"].as_u64(), self.version(ROOT)) else {
            return false;
        };
        let passed = self.0.get(&format!("{HISTORY}/{version}.{ROOT}"));
        let passed = passed.or_else(|| self.0.get(ROOT).filter(|_| version == known));
        version > known || passed.and_then(|content| signed(content)) == Some(begin)
    }
}

/// The version of a document, as it says itself.
pub(super) fn version_of(content: &[u8]) -> Option<u64> {
    signed(content)?["version"].as_u64()
}

fn signed(content: &[u8]) -> Option<Value> {
    let mut document: Value = serde_json::from_slice(content).ok()?;
    document.get_mut("signed").map(Value::take)
}

/// Whether a document is kept: those of delegated roles are fetched anew each time.
fn is_kept(name: &str) -> bool {
    let number = name
        .strip_prefix(HISTORY)
        .and_then(|rest| rest.strip_prefix('/')?.strip_suffix(".root.json"));
    DOCUMENTS.contains(&name) || number.is_some_and(|number| number.parse::<u64>().is_ok())
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.len() > MAX_BYTES => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{} is longer than {MAX_BYTES} bytes", path.display()),
        )),
        Ok(_) => fs::read(path).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Puts `content` in the place of a file, so that nobody reads half of it.
pub(super) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let mut file = fs::File::create(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&new, path)
}

/// The documents while a refresh goes on.
#[derive(Clone, Debug)]
pub(super) struct Kept(Arc<Mutex<Known>>);

impl Kept {
    pub(super) fn new(known: Known) -> Self {
        Self(Arc::new(Mutex::new(known)))
    }

    pub(super) fn into_known(self) -> Known {
        self.known().clone()
    }

    /// No code that holds the lock panics between two halves of a change.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MetadataStore for Kept {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let content = self.known().0.get(name).cloned();
        Ok(content.filter(|content| keys::distinct(content).is_ok()))
    }

    fn store(&self, name: &str, content: &[u8]) -> Result<()> {
        if is_kept(name) {
            self.known().0.insert(name.to_owned(), content.to_vec());
        }
        Ok(())
    }
}
