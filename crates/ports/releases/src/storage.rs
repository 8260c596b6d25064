//! Where Helm keeps releases: a Secret for each revision.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};
use weir_apis::{GroupVersionKind, Object, ObjectRef};
use weir_cluster::{ApiError, Client, Identity, Propagation, chain};
use weir_helm::{DecodeError, Release, SECRET_TYPE, SYSTEM_LABELS, action, storage_labels, storage_name};

use crate::records::{Owner, Records};

/// What Kubernetes lets a Secret hold (`MaxSecretSize`).
const MAX_SIZE: usize = 1 << 20;

/// A record that can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The API server refused.
    #[error("cannot {verb} {name:?}: {}", chain(.source))]
    Api {
        /// What was tried: `read`, `create`, `update`, `delete`, `list`.
        verb: &'static str,
        /// Name of the Secret, or of the release.
        name: String,
        /// Why not.
        source: ApiError,
    },
    /// There is a record of this revision already.
    #[error("release {0:?}: already exists")]
    Exists(String),
    /// What is stored is no record.
    #[error("cannot decode {name:?}: {source}")]
    Decode {
        /// Name of the Secret.
        name: String,
        /// Why not.
        source: DecodeError,
    },
    /// The record does not fit into a Secret.
    #[error(
        "the record {name:?} takes {size} bytes, but a Secret holds {MAX_SIZE} at most; leave large files out of the \
         chart (.helmignore), or split it"
    )]
    TooLarge {
        /// Name of the Secret.
        name: String,
        /// Bytes that it would take.
        size: usize,
    },
}

/// A Secret as it was.
#[derive(Debug, Clone)]
struct Known {
    version: String,
    /// Of the record in it; `None` where it was remembered without being read.
    content: Option<u64>,
}

/// What tells one record from another.
fn content(secret: &Object) -> Option<u64> {
    let record = secret.get(&["data", "release"])?.as_str()?;
    let mut hasher = DefaultHasher::new();
    record.hash(&mut hasher);
    Some(hasher.finish())
}

/// Makes a write fail where the Secret is of another version.
fn expect(secret: &mut Object, version: &str) {
    secret
        .metadata_mut()
        .insert("resourceVersion".into(), version.into());
}

/// The releases of one namespace. Records of Helm 3 and Helm 4 are read, Helm 4's are written.
///
/// A record that was read is written only while it is the one that was read, and a new one only where there is none of its
/// revision: of two who act on a release at the same time, one fails.
#[derive(Debug, Clone)]
pub struct Storage {
    client: Client,
    namespace: String,
    manager: String,
    /// The Secrets as this storage last read or wrote them, by name.
    known: Arc<Mutex<HashMap<String, Known>>>,
    memory: Option<Arc<Records>>,
}

impl Storage {
    /// Where records are read and written with the client's rights.
    pub fn new(client: Client, namespace: impl Into<String>, manager: impl Into<String>) -> Self {
        Self {
            client,
            namespace: namespace.into(),
            manager: manager.into(),
            known: Arc::default(),
            memory: None,
        }
    }

    /// The same with a memory of the records of its cluster: what is known not to have changed is not asked for again.
    #[must_use]
    pub fn remembering(mut self, memory: Arc<Records>) -> Self {
        self.memory = Some(memory);
        self
    }

    /// Its namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    fn reference(&self, name: String) -> ObjectRef {
        ObjectRef::new(secret(), self.namespace.clone(), name)
    }

    /// One revision; `None` where there is no record of it.
    pub async fn get(&self, release: &str, version: i64) -> Result<Option<Release>, StorageError> {
        let name = storage_name(release, version);
        let found = self
            .client
            .get(&self.reference(name.clone()))
            .await
            .map_err(failed("read", &name))?;
        found.map(|secret| self.read(&secret)).transpose()
    }

    /// All revisions of a release that can be read, the oldest first. What cannot is told to the program's log and left
    /// out, as in Helm.
    pub async fn history(&self, release: &str) -> Result<Vec<Release>, StorageError> {
        match self.remembered(release) {
            Some(mut found) => {
                found.sort_by_key(|release| release.version);
                Ok(found)
            }
            None => self.history_now(release).await,
        }
    }

    /// The same, asked for whatever the memory holds: it sees what others wrote a moment ago.
    pub async fn history_now(&self, release: &str) -> Result<Vec<Release>, StorageError> {
        let mut found = self.query(&format!("name={release},owner=helm"), release).await?;
        found.sort_by_key(|release| release.version);
        Ok(found)
    }

    /// All revisions of a release, where the memory is sure of them.
    fn remembered(&self, release: &str) -> Option<Vec<Release>> {
        let (records, versions) = self.memory.as_ref()?.all(&self.owner(), release)?;
        let content = None;
        let known = versions.into_iter();
        self.lock()
            .extend(known.map(|(name, version)| (name, Known { version, content })));
        Some(records)
    }

    /// Whose memories of records these are: what somebody has read is not shown to others.
    fn owner(&self) -> Owner<'_> {
        Owner {
            identity: self.client.identity().map(Identity::user).unwrap_or_default(),
            namespace: &self.namespace,
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, secret: &Object) {
        let known = Known {
            version: secret.resource_version().to_owned(),
            content: content(secret),
        };
        self.lock().insert(secret.name().to_owned(), known);
    }

    /// Takes in a Secret as it was just read.
    fn read(&self, secret: &Object) -> Result<Release, StorageError> {
        self.note(secret);
        let Some(memory) = &self.memory else {
            return decode(secret);
        };
        if let Some(known) = memory.one(&self.owner(), secret.name(), secret.resource_version()) {
            return Ok(known);
        }
        let release = decode(secret)?;
        memory.keep(&self.owner(), secret, Some(release.clone()));
        Ok(release)
    }

    /// Takes in a Secret as it was just written.
    fn wrote(&self, stored: &Object) {
        self.note(stored);
        if let Some(memory) = &self.memory {
            memory.wrote(&self.owner(), stored);
        }
    }

    /// All revisions of all releases of the namespace that can be read, by name, then the oldest first.
    pub async fn list(&self) -> Result<Vec<Release>, StorageError> {
        let mut found = self.query("owner=helm", &self.namespace).await?;
        found.sort_by(|a, b| (&a.name, a.version).cmp(&(&b.name, b.version)));
        Ok(found)
    }

    /// The newest revision of a release.
    pub async fn last(&self, release: &str) -> Result<Option<Release>, StorageError> {
        Ok(self.history(release).await?.pop())
    }

    async fn query(&self, selector: &str, what: &str) -> Result<Vec<Release>, StorageError> {
        let secrets = self
            .client
            .list(&secret(), &self.namespace, selector)
            .await
            .map_err(failed("list", what))?;
        if let Some(memory) = &self.memory {
            memory.was_let_read(&self.owner());
        }
        let mut found = Vec::with_capacity(secrets.len());
        for secret in secrets {
            match self.read(&secret) {
                Ok(release) => found.push(release),
                Err(error) => {
                    tracing::warn!(namespace = %self.namespace, %error, "a release record is left out");
                }
            }
        }
        Ok(found)
    }

    /// Writes the first record of a revision, after it has made room for it: with `max_history`, the oldest revisions go
    /// that are too many, except the deployed one; 0 keeps all.
    pub async fn create(
        &self,
        release: &Release,
        max_history: usize,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        let secret = self.secret(release, ("createdAt", now))?;
        if max_history > 0 {
            let history = self.history(&release.name).await?;
            for version in action::prunable(&history, max_history) {
                self.delete(&release.name, version).await?;
            }
        }
        let name = secret.name().to_owned();
        match self.client.create(&secret, &self.manager).await {
            Ok(stored) => {
                self.wrote(&stored);
                Ok(())
            }
            Err(error) if error.reason() == "AlreadyExists" => Err(StorageError::Exists(name)),
            Err(error) => Err(failed("create", &name)(error)),
        }
    }

    /// Writes a record again. It must be there, and if this storage has read or written it before, as it was then.
    pub async fn update(&self, release: &Release, now: Timestamp) -> Result<(), StorageError> {
        let mut secret = self.secret(release, ("modifiedAt", now))?;
        let known = self.lock().get(secret.name()).cloned();
        if let Some(known) = &known {
            expect(&mut secret, &known.version);
        }
        let stored = match self.client.replace(&secret, &self.manager).await {
            Err(error) if error.is_conflict() => self.settle(secret.clone(), known, error).await,
            replaced => replaced,
        };
        let stored = stored.map_err(failed("update", secret.name()))?;
        self.wrote(&stored);
        Ok(())
    }

    /// What to do about a conflict. A write that is tried again because its answer was lost meets itself, and is done; where
    /// somebody has put a label on the Secret, the record is still the one that was read. Anything else is a conflict.
    async fn settle(
        &self,
        mut secret: Object,
        known: Option<Known>,
        error: ApiError,
    ) -> Result<Object, ApiError> {
        let Some(live) = self.client.get(&secret.reference()).await? else {
            return Err(error);
        };
        let found = content(&live);
        if found == content(&secret) {
            return Ok(live);
        }
        let was = known.and_then(|known| known.content);
        if was.is_none() || was != found {
            return Err(error);
        }
        expect(&mut secret, live.resource_version());
        self.client.replace(&secret, &self.manager).await
    }

    /// Forgets a revision. Forgotten already is fine.
    pub async fn delete(&self, release: &str, version: i64) -> Result<(), StorageError> {
        let name = storage_name(release, version);
        self.client
            .delete(&self.reference(name.clone()), Propagation::Background, None)
            .await
            .map_err(failed("delete", &name))?;
        self.lock().remove(&name);
        if let Some(memory) = &self.memory {
            memory.deleted(&self.owner(), &name);
        }
        Ok(())
    }

    fn secret(&self, release: &Release, (moment, now): (&str, Timestamp)) -> Result<Object, StorageError> {
        let name = storage_name(&release.name, release.version);
        let record = release.encode();
        if record.len() > MAX_SIZE {
            let size = record.len();
            return Err(StorageError::TooLarge { name, size });
        }
        let mut secret = Object::new(&self.reference(name));
        for (key, value) in storage_labels(release, (moment, now.as_second())) {
            secret.set_label(&key, &value);
        }
        let map = secret.as_map_mut();
        map.insert("type".into(), SECRET_TYPE.into());
        map.insert("data".into(), json!({"release": STANDARD.encode(record)}));
        Ok(secret)
    }
}

fn secret() -> GroupVersionKind {
    GroupVersionKind::new("", "v1", "Secret")
}

fn failed(verb: &'static str, name: &str) -> impl FnOnce(ApiError) -> StorageError {
    let name = name.to_owned();
    move |source| StorageError::Api { verb, name, source }
}

/// The record that a Secret holds, with the labels that were asked for.
pub(crate) fn decode(secret: &Object) -> Result<Release, StorageError> {
    let fail = |source| StorageError::Decode {
        name: secret.name().to_owned(),
        source,
    };
    let data = secret
        .get(&["data", "release"])
        .and_then(Value::as_str)
        .unwrap_or_default();
    let record = STANDARD
        .decode(data)
        .map_err(|error| fail(DecodeError::Base64(error.to_string())))?;
    let mut release = Release::decode(&record).map_err(fail)?;
    release.labels = labels(secret);
    Ok(release)
}

fn labels(secret: &Object) -> BTreeMap<String, String> {
    let labels = secret.get(&["metadata", "labels"]).and_then(Value::as_object);
    labels
        .into_iter()
        .flatten()
        .filter(|(key, _)| !SYSTEM_LABELS.contains(&key.as_str()))
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}
