//! HelmRepository: where charts are published, as an HTTP index or in an OCI registry.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LocalRef, Metadata};
use crate::artifact::Artifact;
use crate::condition::Condition;

/// `source.toolkit.fluxcd.io/v1` HelmRepository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelmRepository {
    /// Name, namespace, generation.
    #[serde(default)]
    pub metadata: Metadata,
    /// Where the charts are, and how to reach them.
    pub spec: HelmRepositorySpec,
    /// The stored index.
    #[serde(default)]
    pub status: HelmRepositoryStatus,
}

impl HelmRepository {
    /// API group.
    pub const GROUP: &'static str = "source.toolkit.fluxcd.io";
    /// Version.
    pub const VERSION: &'static str = "v1";
    /// Kind.
    pub const KIND: &'static str = "HelmRepository";
    /// Resource name.
    pub const PLURAL: &'static str = "helmrepositories";
}

/// Where charts are published, and how to reach them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HelmRepositorySpec {
    /// Namespaces that may refer to this repository. Not enforced, as upstream does not enforce it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_from: Option<AccessFrom>,
    /// Secret with `ca.crt`, and `tls.crt` with `tls.key` where the server asks for a client certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert_secret_ref: Option<LocalRef>,
    /// Allows plain HTTP to an OCI registry.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub insecure: bool,
    /// How often to read the index. Default: `1m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"))]
    pub interval: Option<String>,
    /// Sends the credentials to other hosts too, where the index names charts there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pass_credentials: bool,
    /// Where credentials come from: `generic` for Secrets, or a cloud's workload identity. Only with type `oci`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["generic", "aws", "azure", "gcp"], "default" = "generic"))]
    pub provider: Option<String>,
    /// Secret with `username` and `password`, or of type `kubernetes.io/dockerconfigjson` with type `oci`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalRef>,
    /// Stops all work on this repository; the stored index stays in use.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
    /// Longest time for one download. Default: `60s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]+(\.[0-9]+)?(ms|s|m))+$"))]
    pub timeout: Option<String>,
    /// `default` for an HTTP index, `oci` for a registry.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["default", "oci"]))]
    pub repository_type: Option<String>,
    /// Folder of the index, as `https://host/path`, or of the charts, as `oci://host/path`.
    #[schemars(regex(pattern = r"^(http|https|oci)://.*$"))]
    pub url: String,
}

/// Namespaces that may refer to a source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessFrom {
    /// Selectors; a namespace that any of them matches may refer.
    pub namespace_selectors: Vec<NamespaceSelector>,
}

/// Which namespaces are meant, by labels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct NamespaceSelector {
    /// Labels that a namespace must have; none means every namespace.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub match_labels: BTreeMap<String, String>,
}

/// The stored index.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HelmRepositoryStatus {
    /// The stored index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact: Option<Artifact>,
    /// What is known about the repository.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Last value of the annotation `reconcile.fluxcd.io/requestedAt` that was acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
    /// Generation that was last acted on; -1 before the first success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Where the newest index is served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}
