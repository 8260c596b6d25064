//! What `helmCharts` makes: the objects that a chart renders (kustomize v5.8.1, HelmChartInflationGenerator).

use serde::Deserialize;
use serde_json::{Map, Value};
use weir_yaml::{Dialect, Node, emit, from_json, parse_one, to_json};

use crate::charts::{ChartRequest, Charts};
use crate::error::{Error, ErrorKind, Result, Within};
use crate::files::{clean, join};
use crate::load;
use crate::loader::Loader;
use crate::ops::{self, Kind};
use crate::resource::{HELM_GENERATED, Resource};
use crate::{Growth, merge_with};

/// Where charts are looked for if `helmGlobals` does not say.
const DEFAULT_HOME: &str = "charts";

/// `helmGlobals`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Globals {
    chart_home: String,
}

/// An entry of `helmCharts`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct HelmChart {
    name: String,
    version: String,
    repo: String,
    release_name: String,
    namespace: String,
    additional_values_files: Vec<String>,
    values_file: String,
    values_inline: Option<Map<String, Value>>,
    values_merge: String,
    #[serde(rename = "includeCRDs")]
    include_crds: bool,
    skip_hooks: bool,
    api_versions: Vec<String>,
    kube_version: String,
    name_template: String,
    skip_tests: bool,
}

/// An entry of the field that `helmCharts` replaced.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Legacy {
    chart_name: String,
    chart_version: String,
    chart_repo_url: String,
    chart_home: String,
    values: String,
    values_local: Option<Map<String, Value>>,
    values_merge: String,
    release_name: String,
}

fn read<T: for<'de> Deserialize<'de>>(value: &Value) -> Result<T> {
    serde_json::from_value(value.clone())
        .map_err(|error| Error::invalid(format!("error unmarshaling JSON: {error}")))
}

/// `helmChartInflationGenerator` as `helmCharts`, and the `helmGlobals` that it implies.
pub(crate) fn modern(legacy: &[Value]) -> Result<(Vec<Value>, Option<Value>)> {
    let mut charts = Vec::new();
    let mut globals = None;
    for value in legacy {
        let old: Legacy = read(value)?;
        if !old.chart_home.is_empty() {
            globals = Some(serde_json::json!({"chartHome": old.chart_home}));
        }
        charts.push(serde_json::json!({
            "name": old.chart_name, "version": old.chart_version, "repo": old.chart_repo_url,
            "valuesFile": old.values, "valuesInline": old.values_local, "valuesMerge": old.values_merge,
            "releaseName": old.release_name,
        }));
    }
    Ok((charts, globals))
}

/// The objects of one chart. `config` is the entry; `globals` may be a part of it, as in a configuration of its own.
/// `namespace` is that of a release whose entry has none.
pub(crate) fn helm_chart(
    globals: &Value,
    config: &Value,
    namespace: &str,
    loader: &Loader<'_>,
    charts: Option<&dyn Charts>,
) -> Result<Vec<Resource>> {
    let charts = charts.ok_or_else(not_enabled)?;
    let globals: Globals = if globals.is_null() {
        Globals::default()
    } else {
        read(globals)?
    };
    let mut chart: HelmChart = read(config)?;
    if chart.namespace.is_empty() {
        namespace.clone_into(&mut chart.namespace);
    }
    if chart.name.is_empty() {
        return Err(Error::invalid("chart name cannot be empty"));
    }
    let home = home(&globals, &chart, loader);
    let request = chart.request(&home, loader)?;
    let text = charts
        .template(&request)
        .map_err(|error| Error::new(ErrorKind::Plugin, error.to_string()))
        .within(|| format!("rendering the chart at '{}'", request.directory))?;
    let mut made = load::resources(text.as_bytes())
        .within(|| format!("reading what the chart at '{}' renders", request.directory))?;
    for node in made.iter_mut().filter_map(|resource| resource.node.as_mut()) {
        let annotations = ops::lookup_create(node, &["metadata", "annotations"], Kind::Mapping)?;
        ops::set_field(annotations, HELM_GENERATED, Node::string("true"))?;
    }
    Ok(made)
}

/// The refusal where nobody renders charts.
fn not_enabled() -> Error {
    Error::new(
        ErrorKind::Plugin,
        "trouble configuring builtin HelmChartInflationGenerator: must specify --enable-helm; controllers never \
         render charts during a kustomize build: use a HelmRelease there",
    )
}

fn home(globals: &Globals, chart: &HelmChart, loader: &Loader<'_>) -> String {
    let home = match globals.chart_home.as_str() {
        "" => DEFAULT_HOME,
        home => home,
    };
    let home = join(loader.root(), home);
    if chart.version.is_empty() || chart.repo.is_empty() {
        return home;
    }
    clean(&format!("{home}/{}-{}", chart.name, chart.version))
}

impl HelmChart {
    fn request(&self, home: &str, loader: &Loader<'_>) -> Result<ChartRequest> {
        let directory = join(home, &self.name);
        let values_file = match self.values_file.as_str() {
            "" => format!("{directory}/values.yaml"),
            path => path.to_owned(),
        };
        let mut additional = Vec::new();
        for path in &self.additional_values_files {
            let content = loader
                .load(path)
                .within(|| "could not load additionalValuesFile".into())?;
            additional.push((join(loader.root(), path), content));
        }
        if !matches!(self.values_merge.as_str(), "" | "merge" | "override" | "replace") {
            return Err(Error::invalid(
                "valuesMerge must be one of [merge override replace]",
            ));
        }
        let files = loader.tree(&directory)?.ok_or_else(|| self.absent(&directory))?;
        let mut values = vec![self.values(&values_file, loader)?];
        values.append(&mut additional);
        let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        Ok(ChartRequest {
            directory,
            files,
            release_name: given(&self.release_name),
            name_template: given(&self.name_template),
            namespace: given(&self.namespace),
            values,
            api_versions: self.api_versions.clone(),
            kube_version: given(&self.kube_version),
            include_crds: self.include_crds,
            skip_tests: self.skip_tests,
            skip_hooks: self.skip_hooks,
        })
    }

    fn absent(&self, directory: &str) -> Error {
        if self.repo.is_empty() {
            return Error::new(
                ErrorKind::NotFound,
                format!("no repo specified for pull, no chart found at '{directory}'"),
            );
        }
        Error::new(
            ErrorKind::Remote,
            format!(
                "no chart found at '{directory}', and nothing is fetched from '{}' during a build: put the chart there first \
                 (helm pull --untar)",
                self.repo
            ),
        )
    }

    /// The values file, with `valuesInline` merged into it, or instead of it.
    fn values(&self, path: &str, loader: &Loader<'_>) -> Result<(String, Vec<u8>)> {
        let Some(inline) = self.values_inline.as_ref().filter(|inline| !inline.is_empty()) else {
            return Ok((path.to_owned(), loader.load(path)?));
        };
        let inline = Value::Object(inline.clone());
        if self.values_merge == "replace" {
            return Ok(("valuesInline".into(), emit::sigs(&inline).into_bytes()));
        }
        let text = loader.load_text(path)?;
        let of_file = parse_one(&text)
            .map_err(|error| Error::invalid(format!("could not parse values file into rnode: {error}")))?;
        let inline = from_json(&inline);
        // The first is laid over the second.
        let merged = if self.values_merge == "merge" {
            merge_with(of_file, inline, Growth::Append, false)
        } else {
            merge_with(inline, of_file, Growth::Append, false)
        };
        let merged = merged.within(|| "could not merge values".into())?;
        let merged = match &merged {
            Some(node) => to_json(node, Dialect::Kyaml)?,
            None => Value::Object(Map::new()),
        };
        let name = format!("{path} with valuesInline");
        Ok((name, emit::sigs(&merged).into_bytes()))
    }
}
