//! HelmChart: one chart of a source, at one version.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LocalRef, Metadata, OidcIdentity};
use crate::artifact::Artifact;
use crate::condition::Condition;

/// `source.toolkit.fluxcd.io/v1` HelmChart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelmChart {
    /// Name, namespace, generation.
    #[serde(default)]
    pub metadata: Metadata,
    /// Which chart.
    pub spec: HelmChartSpec,
    /// The stored chart.
    #[serde(default)]
    pub status: HelmChartStatus,
}

impl HelmChart {
    /// API group.
    pub const GROUP: &'static str = "source.toolkit.fluxcd.io";
    /// Version.
    pub const VERSION: &'static str = "v1";
    /// Kind.
    pub const KIND: &'static str = "HelmChart";
    /// Resource name.
    pub const PLURAL: &'static str = "helmcharts";
}

/// Which chart of which source, and how to package it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "!has(self.verify) || self.sourceRef.kind == 'HelmRepository'", "message": "spec.verify is only supported when spec.sourceRef.kind is 'HelmRepository'"},
]))]
pub struct HelmChartSpec {
    /// Name of the chart in a HelmRepository, or its folder in a GitRepository or Bucket.
    pub chart: String,
    /// Goes on without those of `valuesFiles` that the chart does not hold.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ignore_missing_values_files: bool,
    /// How often to look for a new version.
    #[schemars(regex(pattern = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"))]
    pub interval: String,
    /// `ChartVersion` packages again when the version changes, `Revision` when the source does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["ChartVersion", "Revision"], "default" = "ChartVersion"))]
    pub reconcile_strategy: Option<String>,
    /// Where the chart comes from; in the namespace of this object.
    pub source_ref: ChartSourceRef,
    /// Stops all work; the stored chart stays in use.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
    /// Files of the chart that become its default values; later ones win.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values_files: Vec<String>,
    /// Which signatures the chart must carry. Only for charts in OCI registries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<ChartVerify>,
    /// Version range. Not used with a GitRepository or Bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "*"))]
    pub version: Option<String>,
}

/// Which signatures a chart must carry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChartVerify {
    /// Identities that may have signed; any of them is enough. Only for keyless signatures.
    #[serde(default, rename = "matchOIDCIdentity", skip_serializing_if = "Vec::is_empty")]
    pub match_oidc_identity: Vec<OidcIdentity>,
    /// Kind of signature.
    #[schemars(extend("enum" = ["cosign", "notation"], "default" = "cosign"))]
    pub provider: String,
    /// Secret whose keys ending in `.pub` are the public keys that may have signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalRef>,
}

/// Where a chart comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChartSourceRef {
    /// API version of the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// Kind of the source.
    #[schemars(extend("enum" = ["HelmRepository", "GitRepository", "Bucket"]))]
    pub kind: String,
    /// Name.
    pub name: String,
}

/// The stored chart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HelmChartStatus {
    /// The stored chart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact: Option<Artifact>,
    /// What is known about the chart.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Last value of the annotation `reconcile.fluxcd.io/requestedAt` that was acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
    /// Name of the chart that was last found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_chart_name: Option<String>,
    /// Generation that was last acted on; -1 before the first success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Revision of the source that the chart was last taken from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_source_artifact_revision: Option<String>,
    /// `spec.valuesFiles` that the stored chart was made with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub observed_values_files: Vec<String>,
    /// Where the newest chart is served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}
