//! Transparency logs: a Merkle tree (RFC 6962), signed heads, and Rekor v1's promises.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::key::{Key, hex, sha256};

/// Which protocol a log speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rekor {
    /// Promises and times of its own.
    #[default]
    V1,
    /// Tiles: proofs only, time comes from a timestamp authority.
    V2,
}

/// A log.
#[derive(Debug)]
pub(crate) struct Log {
    rekor: Rekor,
    key: Key,
    /// What it signs heads under.
    name: String,
    leaves: Vec<[u8; 32]>,
}

impl Log {
    pub(crate) fn new(rekor: Rekor, name: &str) -> Self {
        let key = match rekor {
            Rekor::V1 => Key::p256(),
            Rekor::V2 => Key::ed25519(),
        };
        Self {
            rekor,
            key,
            name: name.to_owned(),
            leaves: Vec::new(),
        }
    }

    pub(crate) fn size(&self) -> usize {
        self.leaves.len()
    }

    pub(crate) fn spki(&self) -> Vec<u8> {
        self.key.spki()
    }

    /// What the log calls itself: for v1 the digest of its key, for v2 the key id of signed notes.
    pub(crate) fn id(&self) -> [u8; 32] {
        match self.rekor {
            Rekor::V1 => sha256(&self.key.spki()),
            Rekor::V2 => {
                let mut named = format!("{}\n\u{1}", self.name).into_bytes();
                named.extend_from_slice(self.key.raw());
                sha256(&named)
            }
        }
    }

    /// Adds an entry and gives it as a bundle holds it.
    pub(crate) fn add(&mut self, kind: &str, version: &str, body: &Value, at: Timestamp) -> Value {
        let body = body.to_string().into_bytes();
        let mut leaf = vec![0];
        leaf.extend_from_slice(&body);
        self.leaves.push(sha256(&leaf));
        let index = self.leaves.len() - 1;
        let proof: Vec<String> = path(index, &self.leaves)
            .iter()
            .map(|hash| STANDARD.encode(hash))
            .collect();
        let root = root(&self.leaves);
        let mut entry = json!({
            "logIndex": index.to_string(),
            "logId": { "keyId": STANDARD.encode(self.id()) },
            "kindVersion": { "kind": kind, "version": version },
            "inclusionProof": {
                "logIndex": index.to_string(),
                "rootHash": STANDARD.encode(root),
                "treeSize": self.leaves.len().to_string(),
                "hashes": proof,
                "checkpoint": { "envelope": self.checkpoint(&root) },
            },
            "canonicalizedBody": STANDARD.encode(&body),
        });
        if self.rekor == Rekor::V1
            && let Some(entry) = entry.as_object_mut()
        {
            let promise = self.promise(&body, index, at);
            entry.insert("integratedTime".to_owned(), at.as_second().to_string().into());
            entry.insert(
                "inclusionPromise".to_owned(),
                json!({ "signedEntryTimestamp": promise }),
            );
        }
        entry
    }

    /// Rekor v1's promise (SET): a signature over canonical JSON.
    fn promise(&self, body: &[u8], index: usize, at: Timestamp) -> String {
        let id = hex(&self.id());
        let text = format!(
            r#"{{"body":"{}","integratedTime":{},"logID":"{id}","logIndex":{index}}}"#,
            STANDARD.encode(body),
            at.as_second()
        );
        STANDARD.encode(self.key.sign(text.as_bytes()))
    }

    fn checkpoint(&self, root: &[u8; 32]) -> String {
        let origin = match self.rekor {
            Rekor::V1 => format!("{} - 1", self.name),
            Rekor::V2 => self.name.clone(),
        };
        let text = format!("{origin}\n{}\n{}\n", self.leaves.len(), STANDARD.encode(root));
        format!("{text}\n{}", self.sign_note(&self.name, &text))
    }

    /// The line of a signed note with this log's signature of `text`, under any name.
    pub(crate) fn sign_note(&self, name: &str, text: &str) -> String {
        let mut signature: Vec<u8> = self.id().into_iter().take(4).collect();
        signature.extend(self.key.sign(text.as_bytes()));
        format!("\u{2014} {name} {}\n", STANDARD.encode(signature))
    }
}

fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    let mut content = vec![1];
    content.extend(left);
    content.extend(right);
    sha256(&content)
}

/// The largest power of two below `count`.
fn split(count: usize) -> usize {
    let mut half = 1;
    while half * 2 < count {
        half *= 2;
    }
    half
}

fn root(leaves: &[[u8; 32]]) -> [u8; 32] {
    match leaves {
        [] => sha256(&[]),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node(&root(left), &root(right))
        }
    }
}

/// The hashes beside the way from leaf `index` to the root, from the bottom up.
fn path(index: usize, leaves: &[[u8; 32]]) -> Vec<[u8; 32]> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let half = split(leaves.len());
    let (left, right) = leaves.split_at(half);
    let (mut hashes, sibling) = if index < half {
        (path(index, left), root(right))
    } else {
        (path(index - half, right), root(left))
    };
    hashes.push(sibling);
    hashes
}
