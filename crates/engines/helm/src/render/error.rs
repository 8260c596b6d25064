//! Template errors: Helm's words, and the place.

use std::collections::BTreeMap;
use std::fmt;

use weir_gotmpl::{ExecError, Frame, ParseError};

use super::context::Template;
use crate::coalesce::TypeMismatch;
use crate::manifest::ManifestError;
use crate::postrender::Files;
use crate::schema::SchemaError;
use crate::values::Origins;

/// Why a chart does not render. The words are Helm's, with more behind them.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// Values for a subchart are no table.
    #[error("chart dependencies processing failed: {0}")]
    Dependencies(TypeMismatch),
    /// Values do not go together.
    #[error(transparent)]
    Values(TypeMismatch),
    /// Values are not what the chart asks for.
    #[error("values don't meet the specifications of the schema(s) in the following chart(s):\n{0}")]
    Schema(SchemaError),
    /// The cluster is too old or too new.
    #[error("chart requires kubeVersion: {wanted} which is incompatible with Kubernetes {found}")]
    KubeVersion {
        /// The range.
        wanted: String,
        /// The cluster's version.
        found: String,
    },
    /// A template cannot be read, or failed.
    #[error(transparent)]
    Template(TemplateError),
    /// What was rendered is no YAML.
    #[error("{error}")]
    Manifest {
        /// Which document.
        error: ManifestError,
        /// All that was rendered, by path.
        files: Files,
    },
    /// A post-renderer failed, or what it gave back is no YAML.
    #[error("{0}")]
    PostRender(String),
    /// The render could not run at all.
    #[error("rendering template failed: {0}")]
    Run(String),
}

/// A place in a template that led to the failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The chart, or subchart, by name.
    pub chart: String,
    /// The file, with the names of the charts before it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in bytes, from 1.
    pub column: usize,
    /// The template: the file's, or one that it defines.
    pub template: String,
    /// What stands there.
    pub expression: String,
}

/// A template that cannot be read or failed.
#[derive(Clone, Debug)]
pub struct TemplateError {
    /// What Helm says.
    pub message: String,
    /// Where, outermost first; the last one is where it happened.
    pub callers: Vec<Caller>,
    /// The value that it was about, and what set it, where that can be known.
    pub value: Option<(String, String)>,
    /// The text of the innermost template's file.
    pub content: Option<String>,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let mut word = "at";
        for caller in self.callers.iter().rev() {
            write!(
                f,
                "\n  {word} {}, line {}, column {} (chart {})",
                caller.file, caller.line, caller.column, caller.chart
            )?;
            if !caller.expression.is_empty() {
                write!(f, ": {}", caller.expression)?;
            }
            word = "called from";
        }
        if let Some((path, origin)) = &self.value {
            write!(f, "\n  {path} {origin}")?;
        }
        Ok(())
    }
}

impl std::error::Error for TemplateError {}

impl TemplateError {
    pub(super) fn parse(path: &str, content: &str, error: &ParseError) -> Self {
        // The message may hold more places; the last part of it is the reason.
        let text = error.to_string();
        let parts: Vec<&str> = text.split(": ").collect();
        let message = match parts.as_slice() {
            [_, location, .., reason] => format!("parse error at ({location}): {reason}"),
            _ => format!("parse error in ({path}): {text}"),
        };
        Self {
            message,
            callers: vec![Caller {
                chart: chart_of(path),
                file: path.to_owned(),
                line: error.line,
                column: 1,
                template: error.name.clone(),
                expression: String::new(),
            }],
            value: None,
            content: Some(content.to_owned()),
        }
    }

    pub(super) fn exec(
        path: &str,
        error: &ExecError,
        templates: &BTreeMap<String, Template>,
        origins: &Origins,
    ) -> Self {
        let callers: Vec<Caller> = error.frames().map(caller).collect();
        let value = error
            .frames()
            .last()
            .and_then(|frame| value(frame, templates, origins));
        Self {
            message: reformat(path, error),
            content: callers
                .last()
                .and_then(|caller| templates.get(&caller.file))
                .map(|template| template.text.to_string()),
            callers,
            value,
        }
    }
}

fn caller(frame: &Frame) -> Caller {
    Caller {
        chart: chart_of(&frame.file),
        file: frame.file.clone(),
        line: frame.line,
        column: frame.column + 1,
        template: frame.template.clone(),
        expression: frame.expression.clone(),
    }
}

/// The chart that a template belongs to: the last part before `templates`.
fn chart_of(path: &str) -> String {
    let charts = path.split_once("/templates/").map_or(path, |(charts, _)| charts);
    charts.rsplit('/').next().unwrap_or(charts).to_owned()
}

/// The value that the failing expression names, or else the text at its place, and what set it.
fn value(
    frame: &Frame,
    templates: &BTreeMap<String, Template>,
    origins: &Origins,
) -> Option<(String, String)> {
    // The place of a chain of fields is behind its first one, so the expression is asked first.
    let rest = if let Some((_, rest)) = frame.expression.split_once(".Values.") {
        rest
    } else {
        let text = &templates.get(&frame.file)?.text;
        let line = text.split('\n').nth(frame.line.checked_sub(1)?)?;
        line.get(frame.column..)?.split_once(".Values.")?.1
    };
    let end = rest
        .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'))
        .unwrap_or(rest.len());
    let path = rest.get(..end)?.trim_end_matches('.');
    // A subchart's values stand below its name in the top chart's.
    let mut full: Vec<&str> = frame
        .file
        .split_once("/templates/")
        .map(|(charts, _)| charts.split("/charts/").skip(1).collect())
        .unwrap_or_default();
    full.extend(path.split('.'));
    let shown = format!(".Values.{path}");
    let origin = match origins.of(&full) {
        Some(origin) => format!("is set by {origin}"),
        None => "is set by no values file or option; it is the chart's own, or missing".to_owned(),
    };
    Some((shown, origin))
}

/// Helm's text for an execution that failed.
fn reformat(path: &str, error: &ExecError) -> String {
    let text = error.to_string();
    let mut tokens = text.splitn(3, ": ");
    let (Some(_), Some(location), Some(rest)) = (tokens.next(), tokens.next(), tokens.next()) else {
        return format!("execution error in ({path}): {text}");
    };
    if let Some((_, rest)) = rest.split_once("HELM_ERR_START")
        && let Some((message, _)) = rest.rsplit_once("HELM_ERR_END")
    {
        return format!("execution error at ({location}): {message}");
    }
    let mut places: Vec<Traced> = Vec::new();
    for link in error.chain() {
        let Some(traced) = trace(&link) else {
            return text;
        };
        if places.last() != Some(&traced) {
            places.push(traced);
        }
    }
    let text: String = places.iter().map(ToString::to_string).collect();
    text.trim().to_owned()
}

/// A message of text/template in its parts.
#[derive(PartialEq, Eq)]
struct Traced {
    location: String,
    function: String,
    message: String,
}

impl fmt::Display for Traced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.location.is_empty() {
            write!(f, "{}\n  ", self.location)?;
        }
        if !self.function.is_empty() {
            write!(f, "{}\n    ", self.function)?;
        }
        if !self.message.is_empty() {
            writeln!(f, "{}", self.message)?;
        }
        Ok(())
    }
}

fn trace(text: &str) -> Option<Traced> {
    let rest = text.strip_prefix("template: ")?;
    if rest.starts_with("no template ") {
        return Some(Traced {
            location: String::new(),
            function: String::new(),
            message: text.to_owned(),
        });
    }
    let cut = |message: &str| {
        message
            .split_once(" template:")
            .map_or(message, |(message, _)| message)
            .to_owned()
    };
    if let Some((location, after)) = rest.split_once(": executing ")
        && let Some((function, after)) = after.strip_prefix('"').and_then(|after| after.split_once('"'))
        && let Some((place, message)) = after
            .strip_prefix(" at <")
            .and_then(|after| after.split_once(">: "))
    {
        return Some(Traced {
            location: location.to_owned(),
            function: format!("executing \"{function}\" at <{place}>:"),
            message: cut(message),
        });
    }
    let (location, message) = rest.rsplit_once(": ")?;
    Some(Traced {
        location: location.to_owned(),
        function: String::new(),
        message: cut(message),
    })
}
