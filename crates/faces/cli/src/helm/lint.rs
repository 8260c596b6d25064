//! `weir helm lint`.

mod folder;

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use weir_helm::lint::{Archive, Finding, LintOptions, Severity, lint};
use weir_helm::{KubeVersion, Table};
use weir_machine::Machine;

use self::folder::{Disk, absolute, clean, go_error};
use super::flags::Values;
use super::source::Tgz;
use crate::global::Context;
use crate::output::{self, put};
use crate::{CommandError, Exit, run::Result};

const EXAMPLES: &str = "\
Examples:
  weir helm lint ./charts/web
  weir helm lint ./charts/* --strict -f production.yaml
  weir helm lint ./web-1.2.3.tgz --with-subcharts --kube-version 1.34
  weir helm lint ./charts/web --output json

Exits with 0 if no chart failed, else with 1. A chart fails over errors, with --strict over
warnings too.
Templates are rendered without a cluster: `lookup` finds nothing, `required` and `fail` only warn.";

/// Find what is wrong with charts
///
/// The findings are those of Helm 4.2.4: Chart.yaml, values.yaml and its schema, what the templates render, crds/ and
/// dependencies.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Lint {
    /// Folders of charts, or .tgz
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<String>,
    #[command(flatten)]
    values: Values,
    /// Fail over warnings too
    #[arg(long)]
    strict: bool,
    /// Print warnings and errors only
    #[arg(long)]
    quiet: bool,
    /// Lint the charts in charts/ too
    #[arg(long)]
    with_subcharts: bool,
    /// Kubernetes version that the templates see and that says what is deprecated
    #[arg(long, value_name = "VERSION")]
    kube_version: Option<String>,
    /// Do not check values against values.schema.json
    #[arg(long)]
    skip_schema_validation: bool,
    /// How findings are printed
    #[arg(short, long, value_enum, default_value_t, value_name = "FORM")]
    output: Form,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    /// As Helm prints them
    #[default]
    Text,
    /// One JSON object
    Json,
}

/// What came of a chart.
struct Linted {
    path: String,
    findings: Vec<Finding>,
    /// Why there was nothing to lint.
    error: Option<String>,
}

impl Linted {
    /// Findings that matter, or none could be made.
    fn is_suspect(&self) -> bool {
        self.has(Severity::Warning)
    }

    /// Whether something was found that matters at least so much.
    fn has(&self, least: Severity) -> bool {
        self.error.is_some() || self.findings.iter().any(|finding| finding.severity >= least)
    }

    fn text(&self, quiet: bool, out: &mut String) {
        put(out, format_args!("==> Linting {}\n", self.path));
        if let Some(error) = &self.error {
            put(out, format_args!("Error {error}\n"));
        }
        for finding in &self.findings {
            if !quiet || finding.severity > Severity::Info {
                put(out, format_args!("{finding}\n"));
            }
        }
        out.push('\n');
    }

    fn json(&self, failed: bool) -> Value {
        let findings: Vec<Value> = self
            .findings
            .iter()
            .map(|finding| {
                json!({
                    "severity": finding.severity.name().to_lowercase(),
                    "path": finding.path,
                    "message": finding.message,
                    "file": finding.file,
                    "line": finding.line,
                })
            })
            .collect();
        json!({"path": self.path, "failed": failed, "error": self.error, "findings": findings})
    }
}

impl Lint {
    pub(super) fn run(mut self, cx: &mut Context<'_>) -> Result {
        let kube_version = self.kube_version.as_deref().filter(|version| !version.is_empty());
        let kube_version = kube_version.map(KubeVersion::parse).transpose();
        let kube_version = kube_version.map_err(|error| CommandError::user(error.to_string()))?;
        let mut paths = std::mem::take(&mut self.paths);
        if self.with_subcharts {
            let tops = paths.clone();
            for top in tops {
                subcharts(&clean(&Path::new(&top).join("charts")), &mut paths);
            }
        }
        // Where values come from is not said: Helm does not know.
        let (mut values, _) = std::mem::take(&mut self.values).read(cx)?;
        let namespace = cx
            .global
            .namespace
            .clone()
            .or_else(|| cx.io.env("HELM_NAMESPACE").map(ToOwned::to_owned));
        let options = LintOptions {
            namespace: namespace.unwrap_or_else(|| "default".to_owned()),
            kube_version,
            skip_schema: self.skip_schema_validation,
        };
        let least = if self.strict {
            Severity::Warning
        } else {
            Severity::Error
        };
        let (mut failed, mut suspect) = (0, 0);
        let (mut text, mut charts) = (String::new(), Vec::new());
        for path in &paths {
            let linted = one(path, &mut values, &options, cx);
            suspect += usize::from(linted.is_suspect());
            if self.quiet && !linted.is_suspect() {
                continue;
            }
            let has_failed = linted.has(least);
            failed += usize::from(has_failed);
            match self.output {
                Form::Text => linted.text(self.quiet, &mut text),
                Form::Json => charts.push(linted.json(has_failed)),
            }
        }
        let summary = format!("{} chart(s) linted, {failed} chart(s) failed", paths.len());
        match self.output {
            Form::Text => cx.io.print(&text)?,
            Form::Json => {
                let report = json!({"linted": paths.len(), "failed": failed, "charts": charts});
                cx.io.print(&output::json(&report))?;
            }
        }
        if failed > 0 {
            return Err(CommandError::user(summary));
        }
        if self.output == Form::Text && (!self.quiet || suspect > 0) {
            cx.io.print(&format!("{summary}\n"))?;
        }
        Ok(Exit::Success)
    }
}

/// Whether a path is that of an archive, by its ending, in lower case, as for helm.
fn is_archive(path: &str) -> bool {
    [".tgz", ".tar.gz"].iter().any(|end| path.ends_with(end))
}

/// Lints what is at a path.
fn one(path: &str, values: &mut Table, options: &LintOptions, cx: &mut Context<'_>) -> Linted {
    let mut host = Machine::linting(cx.io.now());
    let findings = if is_archive(path) {
        archive(path).map(|archive| lint(&archive, values, options, &mut host))
    } else {
        Disk::open(path).map(|folder| lint(&folder, values, options, &mut host))
    };
    for warning in &host.warnings {
        cx.io
            .talk(&format!("{path}: a template would not render: {warning}"));
    }
    let (findings, error) = match findings {
        Ok(findings) => (findings, None),
        Err(error) => (Vec::new(), Some(error)),
    };
    Linted {
        path: path.to_owned(),
        findings,
        error,
    }
}

fn archive(path: &str) -> std::result::Result<Archive<'static>, String> {
    let bytes = fs::read(path)
        .map_err(|error| format!("unable to open tarball: open {path}: {}", go_error(&error)))?;
    let opened = Archive::open(absolute(path), &bytes.into(), &Tgz);
    let archive = opened.map_err(|error| format!("unable to extract tarball: {error}"))?;
    Ok(archive)
}

/// The charts below a folder, whether they are folders or archives, in the order of their paths. Links are not followed.
fn subcharts(folder: &Path, found: &mut Vec<String>) {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        let shown = path.display().to_string();
        if path.file_name().is_some_and(|name| name == "Chart.yaml") {
            found.push(folder.display().to_string());
        } else if is_archive(&shown) {
            found.push(shown);
        }
        let is_folder = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_dir());
        if is_folder {
            subcharts(&path, found);
        }
    }
}
