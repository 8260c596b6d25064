//! `var-unused`: vars that no field refers to.

use super::context::Context;
use super::finding::Finding;
use super::patch::severity;
use super::reference::name;

pub(super) fn check(context: &Context<'_>, out: &mut Vec<Finding>) {
    let Some(trace) = context.trace else { return };
    for source in context.tree {
        for item in source.items("vars") {
            if !trace.idle_vars.iter().any(|idle| idle == name(item)) {
                continue;
            }
            out.push(
                Finding::new(
                    "var-unused",
                    severity(source.is_component()),
                    &source.path,
                    format!("vars: no field refers to '$({})'", name(item)),
                )
                .at(item.span())
                .because("only fields that kustomize, or a file of configurations, lists under varReference are looked at")
                .help("remove it, or use replacements, which reach any field".to_owned()),
            );
        }
    }
}
