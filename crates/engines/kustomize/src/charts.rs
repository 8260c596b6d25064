//! Charts in a build: what the engine asks of somebody who can render them.

/// Renders Helm charts for `helmCharts` and `HelmChartInflationGenerator`.
///
/// kustomize runs `helm template` for that. This engine runs no program and knows no Helm: whoever allows charts in a
/// build brings the one who renders them. What a render may reach is up to that one.
pub trait Charts {
    /// What `helm template` prints for the request: documents of YAML.
    fn template(&self, request: &ChartRequest) -> Result<String, ChartError>;
}

/// A file of a chart: path below the chart's directory, content.
pub type ChartFile = (String, Vec<u8>);

/// A chart, and how to render it: the arguments that kustomize v5.8.1 gives `helm template`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChartRequest {
    /// Directory of the chart in the tree, for messages.
    pub directory: String,
    /// Files of the chart: path below its directory, content. Links are followed within the tree.
    pub files: Vec<ChartFile>,
    /// Name of the release; none: `--generate-name`.
    pub release_name: Option<String>,
    /// `--name-template`.
    pub name_template: Option<String>,
    /// `--namespace`.
    pub namespace: Option<String>,
    /// Values, each file laid over those before it: name for messages, text.
    pub values: Vec<(String, Vec<u8>)>,
    /// `--api-versions`.
    pub api_versions: Vec<String>,
    /// `--kube-version`.
    pub kube_version: Option<String>,
    /// `--include-crds`.
    pub include_crds: bool,
    /// `--skip-tests`.
    pub skip_tests: bool,
    /// `--no-hooks`.
    pub skip_hooks: bool,
}

/// Why a chart was not rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ChartError(pub String);
