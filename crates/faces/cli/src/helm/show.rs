//! `weir helm show`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use weir_helm::Chart;

use super::location::Location;
use crate::global::Context;
use crate::{Exit, run::Result};

const EXAMPLES: &str = "\
Examples:
  weir helm show values ./web-1.2.3.tgz > values.yaml
  weir helm show crds ./charts/operator
  weir helm show chart oci://ghcr.io/stefanprodan/charts/podinfo --version 6.x";

/// Print what a chart holds
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub(super) struct Show {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Everything
    #[command(after_help = "Examples:\n  weir helm show all ./web-1.2.3.tgz")]
    All(Named),
    /// Chart.yaml, fields that Helm knows
    #[command(after_help = "Examples:\n  weir helm show chart ./web-1.2.3.tgz")]
    Chart(Named),
    /// The manifests in crds/, those of subcharts too
    #[command(after_help = "Examples:\n  weir helm show crds ./web-1.2.3.tgz")]
    Crds(Named),
    /// The README
    #[command(after_help = "Examples:\n  weir helm show readme ./web-1.2.3.tgz")]
    Readme(Named),
    /// values.yaml as it is
    #[command(after_help = "Examples:\n  weir helm show values ./web-1.2.3.tgz")]
    Values(Named),
}

#[derive(Debug, Args)]
struct Named {
    /// Folder, .tgz, oci://HOST/REPOSITORY, an address, or a name in `--repo`
    #[arg(value_name = "CHART")]
    chart: PathBuf,
    #[command(flatten)]
    location: Location,
}

impl Show {
    pub(super) async fn run(self, cx: &mut Context<'_>) -> Result {
        let (named, parts): (Named, &[Part]) = match self.what {
            What::All(named) => (named, &[definition, values_apart, readme_apart, crds]),
            What::Chart(named) => (named, &[definition]),
            What::Crds(named) => (named, &[crds]),
            What::Readme(named) => (named, &[readme]),
            What::Values(named) => (named, &[values]),
        };
        let chart = named.location.load(cx, &named.chart).await?;
        let mut out = String::new();
        for part in parts {
            part(&chart, &mut out);
        }
        cx.io.print(&out)?;
        Ok(Exit::Success)
    }
}

type Part = fn(&Chart, &mut String);

fn definition(chart: &Chart, out: &mut String) {
    out.push_str(&chart.metadata.to_yaml());
    out.push('\n');
}

fn values(chart: &Chart, out: &mut String) {
    for file in chart.raw.iter().filter(|file| file.name == "values.yaml") {
        out.push_str(&file.text());
        out.push('\n');
    }
}

fn values_apart(chart: &Chart, out: &mut String) {
    if chart.values.is_some() {
        out.push_str("---\n");
        values(chart, out);
    }
}

fn readme(chart: &Chart, out: &mut String) {
    if let Some(file) = chart.readme() {
        out.push_str(&file.text());
        out.push('\n');
    }
}

fn readme_apart(chart: &Chart, out: &mut String) {
    if chart.readme().is_some() {
        out.push_str("---\n");
        readme(chart, out);
    }
}

fn crds(chart: &Chart, out: &mut String) {
    for crd in chart.crds() {
        let text = crd.file.text();
        if !text.starts_with("---") {
            out.push_str("---\n");
        }
        out.push_str(&text);
        out.push('\n');
    }
}
