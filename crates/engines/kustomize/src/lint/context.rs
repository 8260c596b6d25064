//! What rules look at.

use std::collections::BTreeSet;

use super::LintOptions;
use super::fix::Fixed;
use super::source::Source;
use crate::build::Object;
use crate::effects::Trace;
use crate::files::Files;

/// The tree, and what its build has done.
pub(super) struct Context<'a> {
    pub(super) files: &'a dyn Files,
    /// The kustomization files that are reached, the directory's own first.
    pub(super) tree: &'a [Source],
    /// What transformers did; nothing if the build failed.
    pub(super) trace: Option<&'a Trace>,
    /// What is built; nothing if the build failed.
    pub(super) objects: &'a [Object],
    /// The files that the build has read.
    pub(super) read: &'a BTreeSet<String>,
    /// Which deprecated fields can be edited; nothing if there are none, or nothing can be built.
    pub(super) fixed: Option<&'a Fixed>,
    pub(super) options: &'a LintOptions<'a>,
}
