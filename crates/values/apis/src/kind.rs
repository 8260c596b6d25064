//! The kinds that weir serves, one file each.

mod external_artifact;
mod helm_chart;
pub mod helm_release;
mod helm_repository;
mod kustomization;
mod oci_repository;
mod verification_policy;

pub use external_artifact::{
    ExternalArtifact, ExternalArtifactOrigin, ExternalArtifactSpec, ExternalArtifactStatus,
};
pub use helm_chart::{ChartSourceRef, ChartVerify, HelmChart, HelmChartSpec, HelmChartStatus};
pub use helm_release::{HelmRelease, HelmReleaseSpec, HelmReleaseStatus};
pub use helm_repository::{
    AccessFrom, HelmRepository, HelmRepositorySpec, HelmRepositoryStatus, NamespaceSelector,
};
pub use kustomization::{
    CommonMetadata, Decryption, Dependency, HealthCheck, HealthCheckExpr, HistoryEntry, IgnoreRule, Image,
    Kustomization, KustomizationSpec, KustomizationStatus, Patch, PostBuild, Selector, SourceRef,
    SubstituteFrom,
};
pub use oci_repository::{
    LayerSelector, OciRepository, OciRepositoryRef, OciRepositorySpec, OciRepositoryStatus, OidcIdentity,
    Verify,
};
pub use verification_policy::{
    Authorities, Authority, KeyAuthority, KeylessAuthority, PolicyAttestation, PolicyCounts, PolicyMatch,
    PolicyNamespaces, PolicySecretRef, VerificationPolicy, VerificationPolicySpec, VerificationPolicyStatus,
};

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Metadata that a controller reads of its own kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata {
    /// Name.
    pub name: String,
    /// Namespace.
    pub namespace: String,
    /// Moves with each change of the spec.
    pub generation: i64,
    /// Annotations; absent where there are none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// A reference to an object of a known kind in the same namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LocalRef {
    /// Name of the object.
    pub name: String,
}

/// A reference to a key of a Secret in the same namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecretKeyRef {
    /// Name of the Secret.
    pub name: String,
    /// Key in the Secret. Empty: `value`, then `value.yaml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// How to reach another cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "has(self.configMapRef) || has(self.secretRef)", "message": "exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be specified"},
    {"rule": "!has(self.configMapRef) || !has(self.secretRef)", "message": "exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be specified"},
]))]
pub struct KubeConfig {
    /// ConfigMap that names a cluster and a cloud identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map_ref: Option<LocalRef>,
    /// Secret that holds a kubeconfig.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretKeyRef>,
}
