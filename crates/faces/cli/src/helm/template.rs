//! `weir helm template`.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use weir_helm::{
    Ahead, Chart, DEFAULT_NAME, KubeVersion, Options, Origins, RenderError, Rendered, Show, Table,
    TemplateError, render, render_ahead, split, validate_name,
};
use weir_machine::Machine;

use super::flags::Values;
use super::location::Location;
use crate::global::Context;
use crate::{CommandError, Exit, run::Result};

const EXAMPLES: &str = "\
Examples:
  weir helm template web ./charts/web
  weir helm template web ./web-1.2.3.tgz -f production.yaml --set image.tag=1.4
  weir helm template web ./charts/web --show-only templates/deployment.yaml
  weir helm template podinfo oci://ghcr.io/stefanprodan/charts/podinfo --version 6.9.1

No cluster is asked: `lookup` finds nothing, and there are the built-in APIs and those of
`--api-versions`.";

/// Print what a chart renders
///
/// The output is that of Helm 4.2.4.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Template {
    /// Name of the release, then the chart: a folder, a .tgz, oci://HOST/REPOSITORY, an address, or a name in `--repo`
    #[arg(value_name = "[NAME] CHART", required = true, num_args = 1..=2)]
    arguments: Vec<String>,
    #[command(flatten)]
    values: Values,
    #[command(flatten)]
    location: Location,
    /// Kubernetes version that the chart sees
    #[arg(long, value_name = "VERSION")]
    kube_version: Option<String>,
    /// API versions that the chart sees, besides the built-in ones
    #[arg(short, long, value_name = "LIST", value_delimiter = ',')]
    api_versions: Vec<String>,
    /// Print the manifests in crds/ too
    #[arg(long)]
    include_crds: bool,
    /// Leave out tests
    #[arg(long)]
    skip_tests: bool,
    /// Leave out hooks
    #[arg(long)]
    no_hooks: bool,
    /// Print only what these templates render, such as templates/service.yaml; may be repeated
    #[arg(short, long, value_name = "PATH")]
    show_only: Vec<String>,
    /// Render as for an upgrade
    #[arg(long)]
    is_upgrade: bool,
    /// Write a file for each template into this folder
    #[arg(long, value_name = "DIR")]
    output_dir: Option<PathBuf>,
    /// Put the release's name into the paths below the folder
    #[arg(long)]
    release_name: bool,
    /// Template that gives the release its name
    #[arg(long = "name-template", value_name = "TEMPLATE")]
    named_by: Option<String>,
    /// No name is given: the release is called `release-name`
    #[arg(short, long)]
    generate_name: bool,
    /// Do not check values against values.schema.json
    #[arg(long)]
    skip_schema_validation: bool,
    /// Print what was rendered even if it is no YAML
    #[arg(long)]
    debug: bool,
    #[command(flatten)]
    refused: Refused,
    #[command(flatten)]
    ignored: Ignored,
}

/// Flags that need a cluster, a network or another program. They are known in order to be refused with the reason.
#[derive(Debug, Args)]
struct Refused {
    #[arg(long, hide = true)]
    validate: bool,
    #[arg(long, hide = true, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "client")]
    dry_run: Option<String>,
    #[arg(long, hide = true, value_name = "PLUGIN")]
    post_renderer: Option<String>,
    #[arg(long, hide = true, value_name = "ARGUMENT")]
    post_renderer_args: Vec<String>,
    #[arg(long, hide = true)]
    enable_dns: bool,
    #[arg(long, hide = true)]
    dependency_update: bool,
}

/// Flags of Helm that change nothing in what is rendered.
#[derive(Debug, Args)]
struct Ignored {
    #[arg(long, hide = true)]
    create_namespace: bool,
    #[arg(long, hide = true)]
    skip_crds: bool,
    #[arg(long, hide = true)]
    hide_notes: bool,
    #[arg(long, hide = true)]
    render_subchart_notes: bool,
    #[arg(long, hide = true)]
    disable_openapi_validation: bool,
    #[arg(long, hide = true)]
    replace: bool,
    #[arg(long, hide = true, value_name = "TEXT")]
    description: Option<String>,
}

/// How many bytes of manifests are printed at once.
const CHUNK: usize = 64 << 10;

/// What is to be rendered.
struct Asked {
    name: String,
    chart: PathBuf,
    kube_version: Option<KubeVersion>,
    values: Table,
    origins: Origins,
}

impl Refused {
    fn check(&self) -> Result<()> {
        let server = self
            .dry_run
            .as_deref()
            .is_some_and(|how| !matches!(how, "client" | "true"));
        let given = [
            (
                "--validate",
                self.validate,
                "it would ask a cluster; use `--dry-run=server` of Helm itself",
            ),
            ("--dry-run", server, "only `client` is known: no cluster is asked"),
            (
                "--post-renderer",
                self.post_renderer.is_some() || !self.post_renderer_args.is_empty(),
                "it would run a program",
            ),
            ("--enable-dns", self.enable_dns, "rendering has no network"),
            (
                "--dependency-update",
                self.dependency_update,
                "nothing is fetched while rendering; put the subcharts into charts/ first",
            ),
        ];
        match given.iter().find(|(_, given, _)| *given) {
            None => Ok(()),
            Some((flag, _, why)) => Err(CommandError::usage(format!("`{flag}` is refused: {why}"))),
        }
    }
}

impl Template {
    /// Whether the chart is on this machine, so that there is nobody to wait for.
    pub(super) fn is_alone(&self) -> bool {
        let chart = self.arguments.last();
        chart.is_some_and(|chart| !self.location.is_elsewhere(Path::new(chart)))
    }

    pub(super) async fn run(mut self, cx: &mut Context<'_>) -> Result {
        let asked = self.read(cx)?;
        let chart = self.location.load(cx, &asked.chart).await?;
        self.render(cx, asked, &chart, None)
    }

    /// The same for a chart on this machine.
    pub(super) fn run_alone(mut self, cx: &mut Context<'_>) -> Result {
        let asked = self.read(cx)?;
        if asked.chart.is_dir() {
            let chart = self.location.load_here(&asked.chart)?;
            return self.render(cx, asked, &chart, None);
        }
        let ahead = if self.include_crds {
            Ahead::default()
        } else {
            Ahead::default().without_definitions()
        };
        let done = ahead.beside(|| {
            let chart = self.location.load_ahead(&asked.chart, &ahead)?;
            let done = self.render(cx, asked, &chart, Some(&ahead));
            std::mem::forget(chart);
            done
        });
        // The process ends with this command, and takes them with it faster than they can be given back piece by piece.
        std::mem::forget(ahead);
        done
    }

    /// What the arguments say, checked before a chart is looked for.
    fn read(&mut self, cx: &mut Context<'_>) -> Result<Asked> {
        self.refused.check()?;
        let (name, chart) = self.name_and_chart(cx)?;
        validate_name(&name).map_err(|error| {
            CommandError::user(format!(
                "release name check failed: release name {name:?}: {error}"
            ))
        })?;
        let kube_version = self.kube_version.as_deref().map(KubeVersion::parse).transpose();
        let kube_version = kube_version.map_err(|error| CommandError::user(error.to_string()))?;
        let (values, origins) = std::mem::take(&mut self.values).read(cx)?;
        Ok(Asked {
            name,
            chart,
            kube_version,
            values,
            origins,
        })
    }

    fn render(mut self, cx: &mut Context<'_>, asked: Asked, chart: &Chart, ahead: Option<&Ahead>) -> Result {
        let Asked {
            name,
            chart: asked_chart,
            kube_version,
            values,
            origins,
        } = asked;
        check(cx, chart)?;
        let namespace = cx
            .global
            .namespace
            .clone()
            .or_else(|| cx.io.env("HELM_NAMESPACE").map(ToOwned::to_owned));
        let mut options = Options::new(name.clone(), namespace.unwrap_or_else(|| "default".to_owned()));
        options.is_upgrade = self.is_upgrade;
        options.skip_schema = self.skip_schema_validation;
        options.origins = origins;
        if let Some(version) = kube_version {
            options.capabilities.kube_version = version;
        }
        options.capabilities.api_versions.append(&mut self.api_versions);
        let mut host = Machine::new(cx.io.now());
        let rendered = match ahead {
            Some(ahead) => {
                let rendered = render_ahead(chart, &values, &options, &mut host, ahead);
                if ahead.was_missed() {
                    // A template has read a definition: what it rendered is of no use.
                    let whole = self.location.load_here(&asked_chart)?;
                    render(&whole, &values, &options, &mut host, None)
                } else {
                    rendered
                }
            }
            None => render(chart, &values, &options, &mut host, None),
        };
        let rendered = match rendered {
            Ok(rendered) => rendered,
            Err(error) => {
                if let (true, RenderError::Manifest { files, .. }) = (self.debug, &error) {
                    for (path, text) in files.iter().filter(|(_, text)| !text.trim().is_empty()) {
                        cx.io.print(&format!("---\n# Source: {path}\n{text}\n"))?;
                    }
                }
                return Err(explain(&error));
            }
        };
        for warning in &rendered.warnings {
            cx.io.talk(warning);
        }
        match self.output_dir.take() {
            Some(folder) => self.write(cx, &folder, &name, &rendered)?,
            None => self.print(cx, &rendered)?,
        }
        Ok(Exit::Success)
    }

    fn name_and_chart(&self, cx: &Context<'_>) -> Result<(String, PathBuf)> {
        match self.arguments.as_slice() {
            [name, chart] => {
                if self.generate_name {
                    return Err(CommandError::usage(
                        "cannot set --generate-name and also specify a name",
                    ));
                }
                if self.named_by.is_some() {
                    return Err(CommandError::usage(
                        "cannot set --name-template and also specify a name",
                    ));
                }
                Ok((name.clone(), chart.into()))
            }
            [chart] => {
                let name = match &self.named_by {
                    Some(template) => name(template, cx)?,
                    None => DEFAULT_NAME.to_owned(),
                };
                Ok((name, chart.into()))
            }
            _ => Err(CommandError::usage("expected a chart, and a name before it")),
        }
    }

    fn show(&self) -> Show {
        Show {
            crds: self.include_crds,
            no_hooks: self.no_hooks,
            skip_tests: self.skip_tests,
        }
    }

    fn print(&self, cx: &mut Context<'_>, rendered: &Rendered) -> Result<()> {
        if self.show_only.is_empty() {
            let mut chunk = String::new();
            rendered.print(self.show(), |part| {
                chunk.push_str(part);
                if chunk.len() < CHUNK {
                    return Ok(());
                }
                let printed = cx.io.print(&chunk);
                chunk.clear();
                printed
            })?;
            return cx.io.print(&chunk);
        }
        let out = rendered.printed(self.show());
        let mut chosen = Vec::new();
        for wanted in &self.show_only {
            let found: Vec<&str> = split(&out)
                .into_iter()
                .filter(|document| {
                    source_of(document).is_some_and(|path| weir_helm::path_matches(wanted, path))
                })
                .collect();
            if found.is_empty() {
                return Err(
                    CommandError::user(format!("could not find template {wanted} in chart"))
                        .hint("name it from the chart's folder on, such as templates/service.yaml"),
                );
            }
            chosen.extend(found);
        }
        for document in chosen {
            cx.io.print(&format!("---\n{document}\n"))?;
        }
        Ok(())
    }

    /// A file for each template, in folders named as the chart's.
    fn write(&self, cx: &mut Context<'_>, folder: &Path, name: &str, rendered: &Rendered) -> Result<()> {
        let mut written = BTreeSet::new();
        if self.include_crds {
            for (path, file) in &rendered.crds {
                add(cx, folder, path, &file.text(), &mut written)?;
            }
        }
        let folder = if self.release_name {
            folder.join(name)
        } else {
            folder.to_owned()
        };
        for manifest in &rendered.manifests {
            add(cx, &folder, &manifest.name, &manifest.content, &mut written)?;
        }
        for hook in rendered.shown_hooks(self.show()) {
            // Helm adds hooks to what is there.
            if folder.join(&hook.path).exists() {
                written.insert(folder.join(&hook.path));
            }
            add(cx, &folder, &hook.path, &hook.manifest, &mut written)?;
        }
        // Helm prints the manifest, of which nothing is left.
        cx.io.print("\n")
    }
}

/// Writes a document into its file; the first one begins it.
fn add(
    cx: &mut Context<'_>,
    folder: &Path,
    name: &str,
    text: &str,
    written: &mut BTreeSet<PathBuf>,
) -> Result<()> {
    let path = folder.join(name);
    let failed = |error| CommandError::file("write", &path, &error);
    // Names come from the chart and stay in the folder: its loader lets no other through.
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    let first = written.insert(path.clone());
    let mut file = fs::OpenOptions::new()
        .create(true)
        .write(true)
        .append(!first)
        .truncate(first)
        .open(&path)
        .map_err(failed)?;
    write!(file, "---\n# Source: {name}\n{text}\n").map_err(failed)?;
    cx.io.line(&format!("wrote {}", path.display()))
}

/// The path in a document's `# Source` line, without the chart's name.
fn source_of(document: &str) -> Option<&str> {
    let (_, rest) = document.split_once("# Source: ")?;
    let line = rest.lines().next()?;
    line.split_once('/').map(|(_, path)| path)
}

fn name(template: &str, cx: &Context<'_>) -> Result<String> {
    weir_helm::name_of_template(template, &mut Machine::new(cx.io.now()))
        .map_err(|error| CommandError::user(format!("--name-template: {error}")))
}

/// Whether the chart can be installed at all.
fn check(cx: &mut Context<'_>, chart: &Chart) -> Result<()> {
    for warning in &chart.warnings {
        cx.io.talk(warning);
    }
    if !matches!(chart.metadata.kind.as_str(), "" | "application") {
        return Err(CommandError::user(format!(
            "{} charts are not installable",
            chart.metadata.kind
        )));
    }
    if chart.metadata.deprecated {
        cx.io.talk("this chart is deprecated");
    }
    let missing = chart.missing_dependencies();
    if !missing.is_empty() {
        return Err(CommandError::user(format!(
            "an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: {}",
            missing.join(", ")
        )));
    }
    Ok(())
}

/// The engine's error, with the place if it says one.
fn explain(error: &RenderError) -> CommandError {
    match error {
        RenderError::Template(error) => explain_template(error),
        RenderError::Manifest { error, .. } => {
            CommandError::user(format!("{error}\n\nUse --debug flag to render out invalid YAML"))
        }
        other => CommandError::user(other.to_string()),
    }
}

fn explain_template(error: &TemplateError) -> CommandError {
    let mut converted = CommandError::user(error.message.clone());
    let mut callers = error.callers.iter().rev();
    if let Some(place) = callers.next() {
        converted = converted.at(&place.file, place.line, place.column, error.content.as_deref());
    }
    for caller in callers {
        converted = converted.via(format!("{}:{}:{}", caller.file, caller.line, caller.column));
    }
    match &error.value {
        Some((path, origin)) => converted.cause(format!("{path} {origin}")),
        None => converted,
    }
}
