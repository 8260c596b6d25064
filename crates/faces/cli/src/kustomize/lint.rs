//! `weir kustomize lint`.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use weir_kustomize::lint::{Finding, Fixed, LintOptions, Report, Severity, fix, lint};
use weir_kustomize::{Files, Options};

use super::build::{Restrictor, explain, shown};
use super::charts::Renderer;
use super::ignored::Ignored;
use super::open::{Opened, open};
use crate::error::{Place, paint};
use crate::global::Context;
use crate::output;
use crate::{CommandError, Exit, run::Result};

const EXAMPLES: &str = "\
Examples:
  weir kustomize lint                           # the folder we are in, and all bases and components
  weir kustomize lint clusters/production
  weir kustomize lint clusters/production --fix # edit what is deprecated; builds stay the same
  weir kustomize lint apps/web --output json

Exits with 0 if nothing was found but hints, with 1 if there were errors or warnings.";

/// Find what is wrong, outdated or without effect in kustomizations
///
/// Looks at the kustomization of a folder and all that it reaches: deprecated and unknown fields, missing and unused files,
/// patches, images, replacements and vars that match nothing, entries that are there twice.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Lint {
    /// Folder with a kustomization file
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// How findings are printed
    #[arg(short, long, value_enum, default_value_t, value_name = "FORM")]
    output: Form,
    /// Edit deprecated fields. Comments, order and all else stay; an edit that would change what is built is not made
    #[arg(long)]
    fix: bool,
    /// Whether files may be loaded from outside the folder of their kustomization
    #[arg(long, value_enum, default_value_t, value_name = "RULE")]
    load_restrictor: Restrictor,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Form {
    /// With the lines that are meant, for people
    #[default]
    Text,
    /// One JSON object
    Json,
}

impl Lint {
    pub(crate) fn run(self, cx: &mut Context<'_>) -> Result {
        let Opened {
            folder,
            files,
            directory,
        } = open(&self.folder)?;
        let build = Options {
            load_restrictions: self.load_restrictor.into(),
            ..Options::default()
        };
        let charts = Renderer {
            now: cx.io.now(),
            kube_version: None,
            api_versions: Vec::new(),
        };
        let ignored = Ignored::new(&files);
        let options = LintOptions {
            build: &build,
            charts: Some(&charts),
            is_ignored: &|path, kind| ignored.contains(path, kind),
        };
        let name = |path: &str| shown(&self.folder, &folder, Path::new(path));
        if self.fix {
            let fixed = fix(&files, &directory, &options).map_err(|error| {
                explain(&self.folder, &folder, &error)
                    .hint("an edit is made only if the build stays the same, so there must be one; `weir kustomize lint` \
                           says more")
            })?;
            write(&fixed, cx, &name)?;
        }
        let report =
            lint(&files, &directory, &options).map_err(|error| explain(&self.folder, &folder, &error))?;
        match self.output {
            Form::Text => {
                let colour = cx.io.stdout_is_terminal() && cx.io.colour();
                let mut out = String::new();
                for finding in &report.findings {
                    out.push_str(&render(finding, &files, &name, colour));
                }
                cx.io.print(&out)?;
                cx.io.talk(&summary(&report, self.fix));
            }
            Form::Json => cx.io.print(&output::json(&machine(&report, &name)))?,
        }
        let is_clean = report
            .findings
            .iter()
            .all(|finding| finding.severity == Severity::Hint);
        Ok(if is_clean { Exit::Success } else { Exit::Failure })
    }
}

/// Writes what was edited and says so.
fn write(fixed: &Fixed, cx: &mut Context<'_>, name: &dyn Fn(&str) -> String) -> Result<()> {
    for (path, text) in &fixed.files {
        let path = Path::new(path);
        fs::write(path, text).map_err(|error| CommandError::file("write", path, &error))?;
    }
    for (path, field) in &fixed.fixed {
        cx.io.talk(&format!("fixed: {}: {field}", name(path)));
    }
    for (path, field, why) in &fixed.left {
        cx.io.talk(&format!("left: {}: {field}: {why}", name(path)));
    }
    Ok(())
}

/// A finding as a compiler would print it.
fn render(finding: &Finding, files: &dyn Files, name: &dyn Fn(&str) -> String, colour: bool) -> String {
    let code = match finding.severity {
        Severity::Error => "1;31",
        Severity::Warning => "1;33",
        Severity::Hint => "1;36",
    };
    let head = format!("{}[{}]:", finding.severity.name(), finding.code);
    let text = |text: &str| crate::error::shown(text).replace('\n', "\n    ");
    let mut out = format!("{} {}\n", paint(colour, code, &head), text(&finding.message));
    let content = files.read(&finding.file).unwrap_or_default();
    let content = String::from_utf8_lossy(&content);
    let number = |number: u32| usize::try_from(number).unwrap_or_default();
    let place = Place::new(
        &name(&finding.file),
        number(finding.line),
        number(finding.column),
        Some(&content),
    );
    out.push_str(&place.render(colour));
    let mut say = |label: &str, code: &str, text: &str| {
        output::put(
            &mut out,
            format_args!("  {} {text}\n", paint(colour, code, label)),
        );
    };
    if !finding.why.is_empty() {
        say("because:", "1", &text(&finding.why));
    }
    if let Some(help) = &finding.help {
        say("try:", "1;32", &text(help));
    }
    if let Some(change) = &finding.change {
        let lines = |text: &str| {
            let lines: Vec<String> = text.lines().map(|line| format!("\n    {line}")).collect();
            lines.concat()
        };
        let (before, after) = (lines(&change.before), lines(&change.after));
        say(
            "try:",
            "1;32",
            &crate::io::visible(&format!("`--fix`, which replaces{before}\n  by{after}")),
        );
    }
    out.push('\n');
    out
}

/// What was found, in a line.
fn summary(report: &Report, is_fixed: bool) -> String {
    let count = |severity| {
        report
            .findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    };
    let plural = |count: usize, word: &str| match count {
        1 => format!("1 {word}"),
        _ => format!("{count} {word}s"),
    };
    let files = match report.kustomizations {
        1 => "1 kustomization".to_owned(),
        count => format!("{count} kustomizations"),
    };
    let found: Vec<String> = [Severity::Error, Severity::Warning, Severity::Hint]
        .into_iter()
        .filter(|severity| count(*severity) > 0)
        .map(|severity| plural(count(severity), severity.name()))
        .collect();
    if found.is_empty() {
        return format!("nothing found in {files}");
    }
    let fixable = report
        .findings
        .iter()
        .filter(|finding| finding.change.is_some())
        .count();
    let fix = if fixable > 0 && !is_fixed {
        format!("; `--fix` can edit {fixable}")
    } else {
        String::new()
    };
    format!("{} in {files}{fix}", found.join(", "))
}

/// The findings for programs.
fn machine(report: &Report, name: &dyn Fn(&str) -> String) -> Value {
    let findings: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| {
            json!({
                "code": finding.code,
                "severity": finding.severity.name(),
                "file": name(&finding.file),
                "line": finding.line,
                "column": finding.column,
                "message": finding.message,
                "why": finding.why,
                "help": finding.help,
                "change": finding.change.as_ref().map(|change| json!({"before": change.before, "after": change.after})),
            })
        })
        .collect();
    json!({"kustomizations": report.kustomizations, "findings": findings})
}
