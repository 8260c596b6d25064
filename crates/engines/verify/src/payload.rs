//! cosign's older payload, "simple signing".

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use weir_oci::{Digest, Repository};

/// What the payload says it is.
pub const COSIGN_PAYLOAD_TYPE: &str = "cosign container image signature";

/// A payload: which artifact was signed, and where it was at the time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SimpleSigning {
    critical: Critical,
    /// The signer's remarks.
    #[serde(default)]
    optional: Option<BTreeMap<String, serde_json::Value>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Critical {
    identity: Identity,
    image: Image,
    r#type: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Identity {
    #[serde(rename = "docker-reference")]
    docker_reference: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    docker_manifest_digest: String,
}

/// Why bytes are no payload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPayload {
    /// They are no JSON of a payload's shape.
    #[error("payload is no simple-signing document ({0})")]
    Malformed(String),
    /// It says it is something else.
    #[error("payload type {0:?} is unknown")]
    UnknownType(String),
}

impl SimpleSigning {
    /// The payload for `digest` in `repository`, with the signer's remarks.
    pub fn new(repository: &Repository, digest: Digest, optional: BTreeMap<String, String>) -> Self {
        let optional: BTreeMap<_, _> = optional
            .into_iter()
            .map(|(key, value)| (key, value.into()))
            .collect();
        Self {
            critical: Critical {
                identity: Identity {
                    docker_reference: repository.to_string(),
                },
                image: Image {
                    docker_manifest_digest: digest.to_string(),
                },
                r#type: COSIGN_PAYLOAD_TYPE.to_owned(),
            },
            optional: (!optional.is_empty()).then_some(optional),
        }
    }

    /// Reads a payload.
    ///
    /// # Errors
    /// See [`InvalidPayload`].
    pub fn from_json(payload: &[u8]) -> Result<Self, InvalidPayload> {
        let payload: Self = serde_json::from_slice(payload)
            .map_err(|error| InvalidPayload::Malformed(crate::error::place(&error)))?;
        if payload.critical.r#type != COSIGN_PAYLOAD_TYPE {
            return Err(InvalidPayload::UnknownType(crate::error::clip(
                &payload.critical.r#type,
            )));
        }
        Ok(payload)
    }

    /// The bytes to sign and to store.
    ///
    /// # Errors
    /// Never for a payload made here; the type is the JSON library's.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    /// Whether it was made for exactly `digest`.
    pub fn is_about(&self, digest: Digest) -> bool {
        self.critical.image.docker_manifest_digest == digest.to_string()
    }

    /// The repository that the signer named.
    pub fn repository(&self) -> &str {
        &self.critical.identity.docker_reference
    }
}
