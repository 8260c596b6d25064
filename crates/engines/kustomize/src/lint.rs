//! What is wrong, outdated or idle in a tree of kustomizations, each finding with its place and what to do about it.
//!
//! [`lint`] looks at the kustomization of a directory and at all that it reaches: bases and components. It builds the
//! directory, watched, so that what a patch or an image matches is known from the build itself, never guessed.
//! [`fix`] edits what is deprecated; an edit that would change what is built is not made.
//!
//! A rule is a file: a function from its `Context` to findings. Rules of severity [`Severity::Error`] find what
//! stops a build; what they do not find, the build's own error says.

mod build_fails;
mod context;
mod deprecated_field;
mod edit;
mod finding;
mod fix;
mod idle_field;
mod image;
mod invalid_yaml;
mod missing_file;
mod patch;
mod reference;
mod repeated_entry;
mod repeated_key;
mod replacement;
mod source;
mod unknown_field;
mod unused_file;
mod var;
mod watch;

pub use finding::{Change, Finding, Severity};
pub use fix::{Fixed, fix};

use crate::build::{Options, build_watched};
use crate::charts::Charts;
use crate::error::Error;
use crate::files::{FileKind, Files};
use context::Context;
use watch::Watched;

/// How to look.
#[derive(Clone, Copy)]
pub struct LintOptions<'a> {
    /// How the directory is built.
    pub build: &'a Options,
    /// Who renders charts.
    pub charts: Option<&'a dyn Charts>,
    /// Whether a path is left out of what is published, so that it may lie there unused.
    pub is_ignored: &'a dyn Fn(&str, FileKind) -> bool,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// By file and place.
    pub findings: Vec<Finding>,
    /// How many kustomization files were looked at.
    pub kustomizations: usize,
}

/// All rules.
const RULES: [fn(&Context<'_>, &mut Vec<Finding>); 12] = [
    invalid_yaml::check,
    unknown_field::check,
    missing_file::check,
    repeated_key::check,
    repeated_entry::check,
    deprecated_field::check,
    idle_field::check,
    patch::check,
    image::check,
    replacement::check,
    var::check,
    unused_file::check,
];

/// Looks at a directory's kustomization and all that it reaches. Fails only if there is none, or it cannot be read.
pub fn lint(files: &dyn Files, directory: &str, options: &LintOptions<'_>) -> Result<Report, Error> {
    let tree = source::tree(files, directory)?;
    let watched = Watched::new(files);
    let (built, trace) = build_watched(&watched, directory, options.build, options.charts);
    let is_outdated = tree.iter().any(deprecated_field::is_in);
    let fixed = (built.is_ok() && is_outdated)
        .then(|| fix(files, directory, options).ok())
        .flatten();
    let context = Context {
        files,
        tree: &tree,
        trace: built.is_ok().then_some(&trace),
        objects: built.as_ref().map_or(&[], |built| built.objects()),
        read: &watched.into_read(),
        fixed: fixed.as_ref(),
        options,
    };
    let mut findings = Vec::new();
    for rule in RULES {
        rule(&context, &mut findings);
    }
    if let Err(error) = &built {
        build_fails::check(&context, error, &mut findings);
    }
    findings.sort_by(|a, b| a.order().cmp(&b.order()));
    Ok(Report {
        findings,
        kustomizations: tree.len(),
    })
}
