//! What a source offers to those that build from it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::Time;

/// `status.artifact` of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    /// SHA-256 of the stored file, as `sha256:<hex>`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub digest: String,
    /// When the artifact was stored.
    pub last_update_time: Time,
    /// Annotations of the manifest, such as the revision it was built from.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Path of the file below the store's root.
    pub path: String,
    /// `<tag>@sha256:<hex>`, or the digest alone where the spec named one.
    pub revision: String,
    /// Size of the stored file in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<i64>,
    /// Where the file is served inside the cluster.
    pub url: String,
}
