//! `patch-matches-nothing`: patches whose target selects no object.

use weir_yaml::Node;

use super::context::Context;
use super::finding::{Finding, Severity};
use super::source::{text, value};

pub(super) fn check(context: &Context<'_>, out: &mut Vec<Finding>) {
    let Some(trace) = context.trace else { return };
    for source in context.tree {
        for field in ["patches", "patchesJson6902"] {
            for (number, item) in source.items(field).iter().enumerate() {
                let Some(idle) = trace.idle(&source.path, field, number, (0, 0)) else {
                    continue;
                };
                let target = value(item, "target");
                let parts = [
                    "group",
                    "version",
                    "kind",
                    "name",
                    "namespace",
                    "labelSelector",
                    "annotationSelector",
                ];
                let described: Vec<String> = parts
                    .iter()
                    .filter_map(|part| Some((part, text(target?, part))))
                    .filter(|(_, text)| !text.is_empty())
                    .map(|(part, text)| format!("{part} '{text}'"))
                    .collect();
                let message = format!("{field}[{number}]: no object matches {}", described.join(", "));
                out.push(
                    Finding::new(
                        "patch-matches-nothing",
                        severity(source.is_component()),
                        &source.path,
                        message,
                    )
                    .at(target.map_or(item.span(), Node::span))
                    .because("kustomize passes over it without a word, so the patch has no effect")
                    .help(idle.help.map(str::to_owned)),
                );
            }
        }
    }
}

/// A component may be made for more than one tree, and need not find everything in each.
pub(super) fn severity(in_component: bool) -> Severity {
    if in_component {
        Severity::Hint
    } else {
        Severity::Warning
    }
}
