//! Release records that were read before, so that those which nobody changed are neither asked for nor decoded again.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use weir_apis::{GroupVersionKind, Object};
use weir_cluster::pulse::Pulse;
use weir_cluster::{ApiError, Client};
use weir_helm::{Release, storage_name};

use crate::storage::decode;

/// Bytes of memory that remembered records may take, roughly. A small release's revision takes some ten thousand.
const BUDGET: usize = 32 << 20;
/// How long who has read records of a namespace is taken to be one who may.
const TRUSTED: Duration = Duration::from_mins(10);
/// What a record takes once it is decoded, in bytes for each that it takes in its Secret: it is compressed, and in base64.
const GROWTH: usize = 8;

/// Whose record it is: somebody's who acts in a namespace.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner<'a> {
    /// As whom it was read; empty for the controller itself.
    pub(crate) identity: &'a str,
    pub(crate) namespace: &'a str,
}

/// The records of one cluster. A record is remembered for the one who has read it, by the version that it was read at.
///
/// A watch of the metadata of all records says which there are and at which versions; a history of which every record is
/// remembered at the version that the watch shows needs no request. Until the watch has its first list, while it is
/// broken, and outside the namespace that it covers, histories are asked for; and every few minutes in the name of each who
/// reads them, since nothing tells that somebody may not read any more.
///
/// **Caveat.** The watch shows what others write a moment later than a list would. Who acts on an older history meets
/// the other's record in [`Storage`](crate::Storage)'s writes and fails there.
pub struct Records {
    pulse: Option<Pulse>,
    /// What the watch covers; empty for all namespaces.
    covers: String,
    kept: Mutex<Kept>,
}

type Key = (String, String, String);

/// Versions of Secrets by name.
type Versions = Vec<(String, String)>;

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Records hold values, and those may be secret.
        f.debug_struct("Records")
            .field("covers", &self.covers)
            .finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Kept {
    entries: HashMap<Key, Entry>,
    /// Keys by when they were last used.
    used: BTreeMap<u64, Key>,
    clock: u64,
    bytes: usize,
    /// When who acts as somebody has last been let read the records of a namespace.
    readers: HashMap<(String, String), Instant>,
}

struct Entry {
    version: String,
    content: Content,
    size: usize,
    used: u64,
}

#[derive(Clone)]
enum Content {
    /// As it was written: most records that an action writes are written over before anybody reads them.
    Secret(Arc<Object>),
    Decoded(Arc<Release>),
}

impl Records {
    /// Starts to watch the records of a namespace (empty: of all). Must be called inside a tokio runtime.
    pub async fn follow(client: &Client, namespace: &str) -> Result<Self, ApiError> {
        let secrets = client
            .resource(&GroupVersionKind::new("", "v1", "Secret"))
            .await?;
        let pulse = Pulse::start(client, &secrets, namespace, "owner=helm", Arc::new(|_, _| {}));
        Ok(Self {
            pulse: Some(pulse),
            covers: namespace.to_owned(),
            kept: Mutex::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All revisions of a release, and the versions of their Secrets by name; `None` where any is not remembered, or the
    /// watch cannot tell.
    pub(crate) fn all(&self, owner: &Owner<'_>, release: &str) -> Option<(Vec<Release>, Versions)> {
        if !self.covers.is_empty() && self.covers != owner.namespace {
            return None;
        }
        if !self.lock().may_read(owner) {
            return None;
        }
        let first = storage_name(release, 0);
        let prefix = first.strip_suffix('0')?;
        let mut versions = self.pulse.as_ref()?.versions(owner.namespace, prefix)?;
        // `web.v1` may be a release too, whose records begin like those of `web`.
        versions.retain(|(name, _)| {
            name.strip_prefix(prefix)
                .is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
        });
        let found = versions
            .iter()
            .map(|(name, version)| self.one(owner, name, version));
        let found = found.collect::<Option<Vec<Release>>>()?;
        Some((found, versions))
    }

    /// Takes in that somebody has just been let read the records of a namespace.
    pub(crate) fn was_let_read(&self, owner: &Owner<'_>) {
        let reader = (owner.identity.to_owned(), owner.namespace.to_owned());
        self.lock().readers.insert(reader, Instant::now());
    }

    /// A record, where it is remembered at this version.
    pub(crate) fn one(&self, owner: &Owner<'_>, name: &str, version: &str) -> Option<Release> {
        let key = key(owner, name);
        let content = self.lock().look(&key, version)?;
        match content {
            Content::Decoded(release) => Some(Release::clone(&release)),
            Content::Secret(secret) => {
                let release = decode(&secret).ok()?;
                self.keep(owner, &secret, Some(release.clone()));
                Some(release)
            }
        }
    }

    /// Remembers a record; decoded, where it is.
    pub(crate) fn keep(&self, owner: &Owner<'_>, secret: &Object, release: Option<Release>) {
        let size = secret
            .get(&["data", "release"])
            .and_then(serde_json::Value::as_str)
            .map_or(0, str::len);
        let (content, size) = match release {
            Some(release) => (Content::Decoded(Arc::new(release)), size * GROWTH),
            None => (Content::Secret(Arc::new(secret.clone())), size),
        };
        let version = secret.resource_version().to_owned();
        let key = key(owner, secret.name());
        self.lock().put(key, version, content, size, BUDGET);
    }

    /// Remembers a record as it was just written.
    pub(crate) fn wrote(&self, owner: &Owner<'_>, stored: &Object) {
        if let Some(pulse) = &self.pulse {
            pulse.note(owner.namespace, stored.name(), stored.resource_version());
        }
        self.keep(owner, stored, None);
    }

    /// Forgets a record that was just deleted.
    pub(crate) fn deleted(&self, owner: &Owner<'_>, name: &str) {
        if let Some(pulse) = &self.pulse {
            pulse.note_gone(owner.namespace, name);
        }
        self.lock().remove(&key(owner, name));
    }
}

impl Kept {
    fn may_read(&self, owner: &Owner<'_>) -> bool {
        let reader = (owner.identity.to_owned(), owner.namespace.to_owned());
        self.readers
            .get(&reader)
            .is_some_and(|last| *last + TRUSTED > Instant::now())
    }

    fn look(&mut self, key: &Key, version: &str) -> Option<Content> {
        self.clock += 1;
        let now = self.clock;
        let entry = self
            .entries
            .get_mut(key)
            .filter(|entry| entry.version == version)?;
        let before = std::mem::replace(&mut entry.used, now);
        let content = entry.content.clone();
        self.used.remove(&before);
        self.used.insert(now, key.clone());
        Some(content)
    }

    fn put(&mut self, key: Key, version: String, content: Content, size: usize, budget: usize) {
        self.remove(&key);
        self.clock += 1;
        let used = self.clock;
        self.bytes += size;
        self.used.insert(used, key.clone());
        let entry = Entry {
            version,
            content,
            size,
            used,
        };
        self.entries.insert(key, entry);
        while self.bytes > budget
            && let Some((_, oldest)) = self.used.pop_first()
        {
            self.remove(&oldest);
        }
    }

    fn remove(&mut self, key: &Key) {
        if let Some(entry) = self.entries.remove(key) {
            self.bytes -= entry.size;
            self.used.remove(&entry.used);
        }
    }
}

fn key(owner: &Owner<'_>, name: &str) -> Key {
    (
        owner.identity.to_owned(),
        owner.namespace.to_owned(),
        name.to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Key {
        (String::new(), "apps".into(), name.into())
    }

    fn content() -> Content {
        Content::Decoded(Arc::default())
    }

    #[test]
    fn the_last_used_records_stay_within_the_budget() {
        let mut kept = Kept::default();
        for name in ["a", "b"] {
            kept.put(named(name), "1".into(), content(), 40, 100);
        }
        assert!(kept.look(&named("a"), "1").is_some());
        kept.put(named("c"), "1".into(), content(), 40, 100);
        let has = |kept: &mut Kept, name: &str| kept.look(&named(name), "1").is_some();
        assert!(has(&mut kept, "a") && !has(&mut kept, "b") && has(&mut kept, "c"));
        // A record of another version is another record.
        kept.put(named("a"), "2".into(), content(), 60, 100);
        assert!(!has(&mut kept, "a"));
        assert!(kept.look(&named("a"), "2").is_some());
        assert_eq!((kept.bytes, kept.entries.len(), kept.used.len()), (100, 2, 2));
        kept.put(named("d"), "1".into(), content(), 200, 100);
        assert_eq!((kept.bytes, kept.entries.len(), kept.used.len()), (0, 0, 0));
    }
}
