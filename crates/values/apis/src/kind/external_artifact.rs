//! ExternalArtifact: what somebody else offers to build from. Nobody here writes one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::artifact::Artifact;
use crate::condition::Condition;

/// `source.toolkit.fluxcd.io/v1` ExternalArtifact.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalArtifact {
    /// Where it is from.
    #[serde(default)]
    pub spec: ExternalArtifactSpec,
    /// What is offered.
    #[serde(default)]
    pub status: ExternalArtifactStatus,
}

impl ExternalArtifact {
    /// API group.
    pub const GROUP: &'static str = "source.toolkit.fluxcd.io";
    /// Version.
    pub const VERSION: &'static str = "v1";
    /// Kind.
    pub const KIND: &'static str = "ExternalArtifact";
    /// Resource name.
    pub const PLURAL: &'static str = "externalartifacts";
}

/// Where an artifact of others is from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ExternalArtifactSpec {
    /// The object that the artifact was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_ref: Option<ExternalArtifactOrigin>,
}

/// The object that an artifact was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExternalArtifactOrigin {
    /// API version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// What is offered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ExternalArtifactStatus {
    /// The artifact, which whoever wrote this serves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact: Option<Artifact>,
    /// What its writer says of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}
