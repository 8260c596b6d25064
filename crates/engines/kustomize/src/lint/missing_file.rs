//! `missing-file`: paths that lead nowhere.

use super::context::Context;
use super::finding::{Finding, Severity};
use super::reference;
use crate::files::join;
use crate::near;

pub(super) fn check(context: &Context<'_>, out: &mut Vec<Finding>) {
    for source in context.tree {
        for reference in reference::all(source) {
            // Whether a values file is read depends on more than its name; the build knows.
            if reference.field != "helmCharts"
                && matches!(context.files.find(&join(&source.root, reference.path)), Ok(None))
            {
                let message = format!("{}: '{}' doesn't exist", reference.field, reference.path);
                out.push(
                    Finding::new("missing-file", Severity::Error, &source.path, message)
                        .at(reference.span)
                        .because("paths count from the folder of the kustomization file")
                        .help(near::file(context.files, &source.root, reference.path)),
                );
            }
        }
    }
}
