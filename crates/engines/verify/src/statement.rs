//! in-toto statements: what an attestation says, and about what.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use weir_oci::{Digest, media_type};

use crate::error::{Rejection, clip};
use crate::verdict::Target;

/// The type of the statements that are written.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// The type of older statements, which are read too.
const STATEMENT_TYPE_V01: &str = "https://in-toto.io/Statement/v0.1";

/// The predicate type of a plain signature by cosign v3.
pub const COSIGN_SIGN_PREDICATE: &str = "https://sigstore.dev/cosign/sign/v1";

/// A statement about some subjects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// Which version of the format this is.
    #[serde(rename = "_type")]
    pub statement_type: String,
    /// What it is about.
    pub subject: Vec<Subject>,
    /// What kind of thing it says.
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// What it says.
    #[serde(default)]
    pub predicate: serde_json::Value,
}

/// One thing that a statement is about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// What its author calls it; not compared with anything.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Its digests, by algorithm, in lower-case hex.
    #[serde(default)]
    pub digest: BTreeMap<String, String>,
}

/// Why bytes are no statement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidStatement {
    /// They are no JSON of a statement's shape.
    #[error("payload is no in-toto statement ({0})")]
    Malformed(String),
    /// The version is not known.
    #[error("statement type {0:?} is unknown")]
    UnknownType(String),
    /// It is about nothing.
    #[error("statement has no subject")]
    NoSubject,
}

impl Statement {
    /// A plain signature of `digest`, as cosign v3 states it.
    pub fn cosign_signature(digest: Digest) -> Self {
        let nothing = serde_json::Value::Object(serde_json::Map::new());
        Self::new(String::new(), digest, COSIGN_SIGN_PREDICATE, nothing)
    }

    /// What `predicate` says of an artifact, which is called by its repository as cosign calls it.
    pub fn about(target: &Target, predicate_type: &str, predicate: serde_json::Value) -> Self {
        let name = target.repository().to_string();
        Self::new(name, target.digest(), predicate_type, predicate)
    }

    fn new(name: String, digest: Digest, predicate_type: &str, predicate: serde_json::Value) -> Self {
        let digest = BTreeMap::from([("sha256".to_owned(), digest.hex())]);
        Self {
            statement_type: STATEMENT_TYPE.to_owned(),
            subject: vec![Subject { name, digest }],
            predicate_type: predicate_type.to_owned(),
            predicate,
        }
    }

    /// Reads a statement.
    ///
    /// # Errors
    /// See [`InvalidStatement`].
    pub fn from_json(payload: &[u8]) -> Result<Self, InvalidStatement> {
        let statement: Self = serde_json::from_slice(payload)
            .map_err(|error| InvalidStatement::Malformed(crate::error::place(&error)))?;
        if ![STATEMENT_TYPE, STATEMENT_TYPE_V01].contains(&statement.statement_type.as_str()) {
            return Err(InvalidStatement::UnknownType(clip(&statement.statement_type)));
        }
        if statement.subject.is_empty() {
            return Err(InvalidStatement::NoSubject);
        }
        Ok(statement)
    }

    /// Reads the payload of an envelope.
    pub(crate) fn in_envelope(payload_type: &str, payload: &[u8]) -> Result<Self, Rejection> {
        if payload_type != media_type::IN_TOTO {
            return Err(Rejection::PayloadType(clip(payload_type)));
        }
        Ok(Self::from_json(payload)?)
    }

    /// Whether a subject is exactly `digest`.
    pub fn is_about(&self, digest: Digest) -> bool {
        let wanted = digest.hex();
        self.subject
            .iter()
            .any(|subject| subject.digest.get("sha256") == Some(&wanted))
    }
}
