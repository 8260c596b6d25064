//! `invalid-yaml`: kustomization files and manifests that cannot be read.

use weir_yaml::parse_all;

use super::context::Context;
use super::finding::{Finding, Severity};
use super::reference;
use crate::files::{FileKind, join};

const CODE: &str = "invalid-yaml";

pub(super) fn check(context: &Context<'_>, out: &mut Vec<Finding>) {
    for source in context.tree {
        if let Some(error) = &source.error {
            let finding = Finding::new(CODE, Severity::Error, &source.path, error.message.clone());
            out.push(
                finding
                    .at(error.span)
                    .because("it is no YAML, so nothing in it is seen"),
            );
        }
        for reference in reference::all(source) {
            let found = context.files.find(&join(&source.root, reference.path));
            let Ok(Some(found)) = found else { continue };
            if !reference.is_manifest || found.kind == FileKind::Directory {
                continue;
            }
            let Ok(bytes) = context.files.read(&found.path) else {
                continue;
            };
            if let Ok(text) = std::str::from_utf8(&bytes)
                && let Err(error) = parse_all(text)
            {
                let finding = Finding::new(CODE, Severity::Error, &found.path, error.message.clone());
                let finding = finding.at(error.span).because("no object can be read from it");
                if !out.contains(&finding) {
                    out.push(finding);
                }
            }
        }
    }
}
