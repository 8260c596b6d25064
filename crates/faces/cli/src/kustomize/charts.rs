//! Charts in a kustomize build: rendered by the Helm engine, with no helm program and no network.

use jiff::Timestamp;
use weir_helm::{
    Chart, DEFAULT_NAME, File, IGNORE_FILE, Ignore, KubeVersion, Options, Show, name_of_template, overlay,
    parse, render, validate_name,
};
use weir_kustomize::{ChartError, ChartRequest, Charts};
use weir_machine::Machine;

use crate::helm::Tgz;

/// Renders charts of the tree.
#[derive(Debug)]
pub(super) struct Renderer {
    /// The time that templates see.
    pub(super) now: Timestamp,
    /// `--helm-kube-version`, where the kustomization does not say.
    pub(super) kube_version: Option<String>,
    /// `--helm-api-versions`, where the kustomization does not say.
    pub(super) api_versions: Vec<String>,
}

impl Charts for Renderer {
    fn template(&self, request: &ChartRequest) -> Result<String, ChartError> {
        self.print(request).map_err(ChartError)
    }
}

impl Renderer {
    fn print(&self, request: &ChartRequest) -> Result<String, String> {
        let mut host = Machine::new(self.now);
        let chart = Chart::from_folder(files(request)?, &Tgz).map_err(|error| error.to_string())?;
        let missing = chart.missing_dependencies();
        if !missing.is_empty() {
            return Err(format!(
                "found in Chart.yaml, but missing in charts/ directory: {}",
                missing.join(", ")
            ));
        }
        let mut values = weir_helm::Table::new();
        for (name, text) in &request.values {
            let text = std::str::from_utf8(text).map_err(|_| format!("{name} is not UTF-8"))?;
            overlay(
                &mut values,
                parse(text).map_err(|error| format!("failed to parse {name}: {error}"))?,
            );
        }
        let name = match (&request.release_name, &request.name_template) {
            (Some(_), Some(_)) => {
                return Err("cannot set --name-template and also specify a name".into());
            }
            (Some(name), None) => name.clone(),
            (None, Some(template)) => name_of_template(template, &mut host)?,
            (None, None) => DEFAULT_NAME.to_owned(),
        };
        validate_name(&name).map_err(|error| format!("release name {name:?}: {error}"))?;
        let mut options = Options::new(
            name,
            request.namespace.clone().unwrap_or_else(|| "default".into()),
        );
        if let Some(version) = request.kube_version.as_ref().or(self.kube_version.as_ref()) {
            options.capabilities.kube_version =
                KubeVersion::parse(version).map_err(|error| error.to_string())?;
        }
        let api_versions = match request.api_versions.as_slice() {
            [] => &self.api_versions,
            _ => &request.api_versions,
        };
        options
            .capabilities
            .api_versions
            .extend(api_versions.iter().cloned());
        let rendered =
            render(&chart, &values, &options, &mut host, None).map_err(|error| error.to_string())?;
        Ok(rendered.printed(Show {
            crds: request.include_crds,
            no_hooks: request.skip_hooks,
            skip_tests: request.skip_tests,
        }))
    }
}

/// The chart's files, without what its .helmignore leaves out.
fn files(request: &ChartRequest) -> Result<Vec<File>, String> {
    let rules = request.files.iter().find(|(name, _)| name == IGNORE_FILE);
    let rules = rules.map(|(_, text)| String::from_utf8_lossy(text));
    let ignore = Ignore::of_chart(rules.as_deref()).map_err(|error| error.to_string())?;
    let is_left_out = |name: &str| {
        let above = name
            .match_indices('/')
            .filter_map(|(at, _)| name.get(..at))
            .any(|folder| ignore.ignores(folder, true));
        above || ignore.ignores(name, false)
    };
    Ok(request
        .files
        .iter()
        .filter(|(name, _)| !is_left_out(name))
        .map(|(name, content)| File::new(name.clone(), content.clone()))
        .collect())
}
