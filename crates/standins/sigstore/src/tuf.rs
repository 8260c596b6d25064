//! A repository of The Update Framework (TUF 1.0) that hands documents out, such as an instance's trust root.
//!
//! It writes what an honest repository does: a chain of roots, targets, snapshots and timestamps, with consistent snapshots. As
//! a mirror it may lie, too: files can be exchanged, taken away, or never end, and [`TufRepository::sign`] signs anything with any
//! of the keys, so that a test can be whoever holds some of them.

mod canonical;
mod serve;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::key::{Key, hex, sha256};
use crate::sign::pem_block;
use canonical::canonical;

pub use serve::TufServer;

/// How many keys a role has, and how many of them must sign.
const ROLES: [(&str, usize, usize); 4] = [
    ("root", 3, 2),
    ("targets", 2, 2),
    ("snapshot", 1, 1),
    ("timestamp", 1, 1),
];

/// How long documents live: the roots and targets that people sign, and what a machine signs.
const LONG: SignedDuration = SignedDuration::from_hours(24 * 365);
const MONTH: SignedDuration = SignedDuration::from_hours(24 * 30);
const WEEK: SignedDuration = SignedDuration::from_hours(24 * 7);

/// A repository, and the mirror that serves it. Clones are the same one.
#[derive(Clone, Debug)]
pub struct TufRepository(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    keys: BTreeMap<&'static str, Vec<Key>>,
    versions: BTreeMap<&'static str, u64>,
    targets: BTreeMap<String, Vec<u8>>,
    files: BTreeMap<String, File>,
}

#[derive(Clone, Debug)]
enum File {
    Content(Vec<u8>),
    Endless,
}

impl TufRepository {
    /// A repository that begins at `at` and hands out `targets`, by name.
    pub fn new(at: Timestamp, targets: BTreeMap<String, Vec<u8>>) -> Self {
        let keys = ROLES.map(|(role, count, _)| (role, (0..count).map(key).collect()));
        let mut state = State {
            keys: BTreeMap::from_iter(keys),
            versions: BTreeMap::new(),
            targets,
            files: BTreeMap::new(),
        };
        state.write_root(&[], at);
        state.publish(at);
        Self(Arc::new(Mutex::new(state)))
    }

    /// Hands out `targets` from `at` on.
    pub fn publish(&self, at: Timestamp, targets: BTreeMap<String, Vec<u8>>) {
        let mut state = self.state();
        state.targets = targets;
        state.publish(at);
    }

    /// Writes a new timestamp, as a repository does every few days.
    pub fn renew(&self, at: Timestamp) {
        self.state().write_timestamp(at);
    }

    /// Writes a new root with new keys for every role, signed by the old root's keys and its own, and all else anew.
    pub fn rotate(&self, at: Timestamp) {
        let mut state = self.state();
        let fresh = ROLES.map(|(role, count, _)| (role, (0..count).map(key).collect()));
        let old = std::mem::replace(&mut state.keys, BTreeMap::from_iter(fresh));
        let old = old.get("root").map(Vec::as_slice).unwrap_or_default();
        state.write_root(old, at);
        state.publish(at);
    }

    /// The root of this version, which is how a client begins.
    pub fn root(&self, version: u64) -> Vec<u8> {
        self.file(&format!("{version}.root.json")).unwrap_or_default()
    }

    /// What the mirror answers for a path.
    pub fn file(&self, path: &str) -> Option<Vec<u8>> {
        match self.state().files.get(path)? {
            File::Content(content) => Some(content.clone()),
            File::Endless => None,
        }
    }

    /// The paths that the mirror knows.
    pub fn paths(&self) -> Vec<String> {
        self.state().files.keys().cloned().collect()
    }

    /// The part of a document that is signed.
    pub fn signed(&self, path: &str) -> Value {
        let content = self.file(path).unwrap_or_default();
        let mut document: Value = serde_json::from_slice(&content).unwrap_or_default();
        document["signed"].take()
    }

    /// Makes the mirror answer with something else.
    pub fn put(&self, path: &str, content: impl Into<Vec<u8>>) {
        self.state()
            .files
            .insert(path.to_owned(), File::Content(content.into()));
    }

    /// Makes the mirror's answer go on for ever.
    pub fn put_endless(&self, path: &str) {
        self.state().files.insert(path.to_owned(), File::Endless);
    }

    /// Makes the mirror not know a path.
    pub fn remove(&self, path: &str) {
        self.state().files.remove(path);
    }

    /// What the mirror serves now, to go back to with [`TufRepository::replay`].
    pub fn record(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.state();
        let contents = state.files.iter().filter_map(|(path, file)| match file {
            File::Content(content) => Some((path.clone(), content.clone())),
            File::Endless => None,
        });
        contents.collect()
    }

    /// Makes the mirror serve what it did when this was recorded.
    pub fn replay(&self, recorded: BTreeMap<String, Vec<u8>>) {
        let files = recorded.into_iter();
        self.state().files = files
            .map(|(path, content)| (path, File::Content(content)))
            .collect();
    }

    /// The id of a role's key, counted from zero.
    pub fn key_id(&self, role: &str, index: usize) -> String {
        self.with_key(role, index, key_id)
    }

    /// A role's key as a root lists it.
    pub fn public_key(&self, role: &str, index: usize) -> Value {
        self.with_key(role, index, public)
    }

    /// A role's key's signature of `signed`, as it stands in the list of signatures.
    pub fn sign(&self, role: &str, index: usize, signed: &Value) -> Value {
        self.with_key(role, index, |key| signature(key, signed))
    }

    /// A document of `signed` with a signature by each key of `role`.
    pub fn document(&self, role: &str, signed: &Value) -> Vec<u8> {
        let state = self.state();
        document(
            signed,
            state.keys.get(role).map(Vec::as_slice).unwrap_or_default(),
        )
    }

    /// Writes the mirror as files, for those who carry it.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write_to(&self, folder: &Path) -> io::Result<()> {
        for (path, content) in self.record() {
            let path = folder.join(path);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(path, content)?;
        }
        Ok(())
    }

    fn with_key<T>(&self, role: &str, index: usize, work: impl FnOnce(&Key) -> T) -> T {
        let state = self.state();
        let key = state.keys.get(role).and_then(|keys| keys.get(index));
        work(key.expect("the role has that many keys"))
    }

    /// No code that holds the lock panics between two halves of a change.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next(&mut self, role: &'static str) -> u64 {
        let version = self.versions.entry(role).or_default();
        *version += 1;
        *version
    }

    fn write_root(&mut self, also_by: &[Key], at: Timestamp) {
        let version = self.next("root");
        let mut keys = Map::new();
        let mut roles = Map::new();
        for (role, _, threshold) in ROLES {
            let ids: Vec<String> = self.keys_of(role).iter().map(key_id).collect();
            roles.insert(role.to_owned(), json!({ "keyids": ids, "threshold": threshold }));
            keys.extend(self.keys_of(role).iter().map(|key| (key_id(key), public(key))));
        }
        let mut signed = head("root", version, at + LONG);
        signed["consistent_snapshot"] = true.into();
        signed["keys"] = keys.into();
        signed["roles"] = roles.into();
        let mut signatures: Vec<Value> = self
            .keys_of("root")
            .iter()
            .map(|key| signature(key, &signed))
            .collect();
        signatures.extend(also_by.iter().map(|key| signature(key, &signed)));
        let content = json!({ "signed": signed, "signatures": signatures })
            .to_string()
            .into_bytes();
        self.files
            .insert(format!("{version}.root.json"), File::Content(content));
    }

    /// Targets, snapshot and timestamp.
    fn publish(&mut self, at: Timestamp) {
        let version = self.next("targets");
        let mut listed = Map::new();
        for (name, content) in &self.targets {
            let hash = hex(&sha256(content));
            listed.insert(
                name.clone(),
                json!({ "length": content.len(), "hashes": { "sha256": hash } }),
            );
            let path = match name.rsplit_once('/') {
                Some((folder, name)) => format!("targets/{folder}/{hash}.{name}"),
                None => format!("targets/{hash}.{name}"),
            };
            self.files.insert(path, File::Content(content.clone()));
        }
        let mut signed = head("targets", version, at + LONG);
        signed["targets"] = listed.into();
        let content = document(&signed, self.keys_of("targets"));
        let pin = pin(version, &content);
        self.files
            .insert(format!("{version}.targets.json"), File::Content(content));

        let version = self.next("snapshot");
        let mut signed = head("snapshot", version, at + MONTH);
        signed["meta"] = json!({ "targets.json": pin });
        let content = document(&signed, self.keys_of("snapshot"));
        self.files
            .insert(format!("{version}.snapshot.json"), File::Content(content));
        self.write_timestamp(at);
    }

    fn write_timestamp(&mut self, at: Timestamp) {
        let snapshot = self.versions.get("snapshot").copied().unwrap_or_default();
        let pinned = match self.files.get(&format!("{snapshot}.snapshot.json")) {
            Some(File::Content(content)) => pin(snapshot, content),
            _ => json!({ "version": snapshot }),
        };
        let version = self.next("timestamp");
        let mut signed = head("timestamp", version, at + WEEK);
        signed["meta"] = json!({ "snapshot.json": pinned });
        let content = document(&signed, self.keys_of("timestamp"));
        self.files
            .insert("timestamp.json".to_owned(), File::Content(content));
    }

    fn keys_of(&self, role: &str) -> &[Key] {
        self.keys.get(role).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Both kinds of keys that repositories have are in use: the first key of every role is on P-256.
fn key(index: usize) -> Key {
    if index.is_multiple_of(2) {
        Key::p256()
    } else {
        Key::ed25519()
    }
}

fn head(role: &str, version: u64, expires: Timestamp) -> Value {
    // Whole seconds: nothing else is allowed there.
    let expires = expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    json!({ "_type": role, "spec_version": "1.0.31", "version": version, "expires": expires })
}

fn pin(version: u64, content: &[u8]) -> Value {
    json!({
        "version": version,
        "length": content.len(),
        "hashes": { "sha256": hex(&sha256(content)) },
    })
}

fn public(key: &Key) -> Value {
    let (kind, scheme, text) = match key {
        Key::P256(_) => (
            "ecdsa",
            "ecdsa-sha2-nistp256",
            pem_block("PUBLIC KEY", &key.spki()),
        ),
        Key::Ed25519(_) => ("ed25519", "ed25519", hex(key.raw())),
    };
    json!({ "keytype": kind, "scheme": scheme, "keyval": { "public": text } })
}

fn key_id(key: &Key) -> String {
    hex(&sha256(&canonical(&public(key))))
}

fn signature(key: &Key, signed: &Value) -> Value {
    json!({ "keyid": key_id(key), "sig": hex(&key.sign(&canonical(signed))) })
}

fn document(signed: &Value, keys: &[Key]) -> Vec<u8> {
    let signatures: Vec<Value> = keys.iter().map(|key| signature(key, signed)).collect();
    json!({ "signed": signed, "signatures": signatures })
        .to_string()
        .into_bytes()
}
