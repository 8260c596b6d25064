//! What is wrong with a chart, as `helm lint` of Helm 4.2.4 finds it: the same findings with the same words in the same order.
//!
//! A file a family of rules. They look into the chart's folder themselves, because what a chart that cannot be loaded lacks is
//! to be found too.

mod address;
mod crds;
mod definition;
mod dependencies;
mod deprecation;
mod documents;
mod folder;
mod names;
mod strict;
mod templates;
mod values;

pub use folder::{Archive, Folder, Node, words};

use weir_gotmpl::Host;

use crate::capabilities::KubeVersion;
use crate::chart::Chart;
use crate::values::Table;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Against convention.
    Warning,
    /// The chart will not install.
    Error,
}

impl Severity {
    /// As Helm prints it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
        }
    }
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// What Helm prints before the message: a file, a folder, the chart's whole path, or nothing.
    pub path: String,
    /// What is wrong, in Helm's words.
    pub message: String,
    /// The file that it is in, below the chart's folder, where that is known.
    pub file: Option<String>,
    /// The line of that file, from 1, where that is known.
    pub line: Option<u32>,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{}] {}: {}", self.severity.name(), self.path, self.message)
    }
}

/// What a chart is linted for.
#[derive(Clone, Debug)]
pub struct LintOptions {
    /// The namespace that templates see.
    pub namespace: String,
    /// The cluster's version, for templates and for what is deprecated there; Helm's own without one.
    pub kube_version: Option<KubeVersion>,
    /// Whether values.schema.json is passed over.
    pub skip_schema: bool,
}

/// Lints a chart with the user's values.
///
/// The values are changed, as Helm changes them: tables of theirs that values.yaml has too take what it says, and lose a
/// null that it has a value for. So the templates see them, and so does a chart that is linted with them afterwards.
///
/// The host must say that it is linting, or `required` and `fail` end the render.
pub fn lint(
    folder: &dyn Folder,
    values: &mut Table,
    options: &LintOptions,
    host: &mut (dyn Host + Send),
) -> Vec<Finding> {
    let mut findings = Findings::default();
    let chart = folder.chart();
    definition::check(folder, &mut findings);
    values::check(folder, values, options, &mut findings);
    templates::check(folder, chart.as_ref(), values, options, host, &mut findings);
    dependencies::check(folder, chart.as_ref(), &mut findings);
    crds::check(folder, chart.as_ref(), &mut findings);
    findings.0
}

/// A chart, or why there is none.
type Loaded<'c> = Result<&'c Chart, &'c String>;

/// A rule's verdict.
type Verdict = Result<(), Problem>;

/// What a rule has against a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Problem {
    message: String,
    line: Option<u32>,
}

impl Problem {
    fn at(mut self, line: Option<u32>) -> Self {
        self.line = self.line.or(line);
        self
    }

    /// A message that says its line itself, in weir's way, which Helm's words do not have.
    fn located(message: &str) -> Self {
        let own = message
            .strip_suffix(')')
            .and_then(|message| message.rsplit_once(" (line "))
            .and_then(|(message, line)| Some((message, line.parse().ok()?)));
        match own {
            Some((message, line)) => Self {
                message: message.to_owned(),
                line: Some(line),
            },
            None => Self {
                message: message.to_owned(),
                line: line_of(message),
            },
        }
    }

    /// The same behind other words.
    fn behind(mut self, words: &str) -> Self {
        self.message.insert_str(0, words);
        self
    }
}

impl From<String> for Problem {
    fn from(message: String) -> Self {
        Self { message, line: None }
    }
}

impl From<&str> for Problem {
    fn from(message: &str) -> Self {
        message.to_owned().into()
    }
}

/// The line that a reader of YAML names.
fn line_of(message: &str) -> Option<u32> {
    let (_, rest) = message.split_once("yaml: line ")?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}

#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    /// The chart, or nothing and why it does not load as an error of `path`.
    fn loaded<'c>(&mut self, path: &str, chart: Loaded<'c>) -> Option<&'c Chart> {
        let refused = |message: &String| self.rule(Severity::Error, path, Err(message.as_str().into()));
        chart.map_err(refused).ok()
    }

    /// Keeps what a rule has against a file; whether it has nothing.
    fn rule(&mut self, severity: Severity, path: &str, verdict: Verdict) -> bool {
        let Err(problem) = verdict else { return true };
        let is_file = !path.is_empty() && !path.ends_with('/') && !path.starts_with('/');
        self.0.push(Finding {
            severity,
            path: path.to_owned(),
            message: problem.message,
            file: is_file.then(|| path.to_owned()),
            line: problem.line.filter(|_| is_file),
        });
        false
    }
}
