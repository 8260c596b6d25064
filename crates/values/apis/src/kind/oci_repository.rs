//! OCIRepository: a source whose artifacts lie in an OCI registry.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LocalRef, Metadata};
use crate::artifact::Artifact;
use crate::condition::Condition;

/// `source.toolkit.fluxcd.io/v1` OCIRepository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OciRepository {
    /// Name, namespace, generation.
    #[serde(default)]
    pub metadata: Metadata,
    /// What to fetch, and how to check it.
    pub spec: OciRepositorySpec,
    /// What was fetched.
    #[serde(default)]
    pub status: OciRepositoryStatus,
}

impl OciRepository {
    /// API group.
    pub const GROUP: &'static str = "source.toolkit.fluxcd.io";
    /// Version.
    pub const VERSION: &'static str = "v1";
    /// Kind.
    pub const KIND: &'static str = "OCIRepository";
    /// Resource name.
    pub const PLURAL: &'static str = "ocirepositories";
}

/// What to fetch from a registry, how often, and which signatures it must carry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OciRepositorySpec {
    /// Secret with `ca.crt`, and `tls.crt` with `tls.key` where the registry asks for a client certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert_secret_ref: Option<LocalRef>,
    /// Ignore rules in .gitignore format; they replace the built-in ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignore: Option<String>,
    /// Allows plain HTTP, and certificates that nobody vouches for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub insecure: bool,
    /// How often to look for a new artifact.
    #[schemars(regex(pattern = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"))]
    pub interval: String,
    /// Which layer of the artifact to take. Default: the first, unpacked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer_selector: Option<LayerSelector>,
    /// Where credentials come from: `generic` for Secrets, or a cloud's workload identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["generic", "aws", "azure", "gcp"], "default" = "generic"))]
    pub provider: Option<String>,
    /// Secret with the `address` of a proxy, and `username` with `password` where it asks for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_secret_ref: Option<LocalRef>,
    /// Which artifact of the repository. Default: the tag `latest`.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<OciRepositoryRef>,
    /// Secret of type `kubernetes.io/dockerconfigjson` with the registry's credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalRef>,
    /// ServiceAccount whose image pull secrets are used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account_name: Option<String>,
    /// Stops all work on this source; the stored artifact stays in use.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
    /// Longest time for one remote operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]+(\.[0-9]+)?(ms|s|m))+$"), extend("default" = "60s"))]
    pub timeout: Option<String>,
    /// Repository, as `oci://host/path` without tag or digest.
    #[schemars(regex(pattern = r"^oci://.*$"))]
    pub url: String,
    /// Which signatures an artifact must carry. Without it artifacts are taken unverified, and the status says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<Verify>,
}

/// Which artifact of a repository; `digest` wins over `semver`, `semver` over `tag`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct OciRepositoryRef {
    /// Exactly this artifact, as `sha256:<hex>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Highest tag within this version range.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub semver: Option<String>,
    /// Regular expression that tags must match before the range is applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub semver_filter: Option<String>,
    /// This tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// Which layer of an artifact to take, and what to do with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LayerSelector {
    /// Media type of the layer; the first of this type is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// `extract` unpacks the layer and packs it again by the ignore rules; `copy` keeps it byte for byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["extract", "copy"]))]
    pub operation: Option<String>,
}

/// Which signatures an artifact must carry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Verify {
    /// Identities that may have signed; any of them is enough. Only for keyless signatures.
    #[serde(default, rename = "matchOIDCIdentity", skip_serializing_if = "Vec::is_empty")]
    pub match_oidc_identity: Vec<OidcIdentity>,
    /// Kind of signature.
    #[schemars(extend("enum" = ["cosign", "notation"], "default" = "cosign"))]
    pub provider: String,
    /// Secret whose keys ending in `.pub` are the public keys that may have signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalRef>,
    /// Secret with a Sigstore trust root under `trusted_root.json`. Default: the public-good instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_root_secret_ref: Option<LocalRef>,
}

/// One identity that may have signed: both expressions must match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OidcIdentity {
    /// Regular expression for the certificate's issuer.
    pub issuer: String,
    /// Regular expression for the certificate's subject.
    pub subject: String,
}

/// What was fetched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct OciRepositoryStatus {
    /// The stored artifact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact: Option<Artifact>,
    /// What is known about the source.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Last value of the annotation `reconcile.fluxcd.io/requestedAt` that was acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
    /// Generation that was last acted on; -1 before the first success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `spec.ignore` that the stored artifact was made with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_ignore: Option<String>,
    /// `spec.layerSelector` that the stored artifact was made with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_layer_selector: Option<LayerSelector>,
    /// Where the newest artifact is served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}
