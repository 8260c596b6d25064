//! `deprecated-field`: fields that kustomize keeps for old files only.

use super::context::Context;
use super::edit::{DEPRECATED, Deprecated};
use super::finding::{Finding, Severity};
use super::source::{Source, field, text};
use weir_yaml::{Node, Span};

pub(super) fn check(context: &Context<'_>, out: &mut Vec<Finding>) {
    for source in context.tree {
        for deprecated in &DEPRECATED {
            let places = places(source, deprecated.field);
            let Some(span) = places.first() else { continue };
            let mut finding = Finding::new(
                "deprecated-field",
                Severity::Warning,
                &source.path,
                format!(
                    "'{}' is deprecated; use {} instead",
                    deprecated.field, deprecated.instead
                ),
            )
            .at(*span)
            .because(
                "kustomize reads it for the sake of old files, and will drop it in its next API version",
            );
            // Only what is known to leave the build as it is is offered.
            if let Some(fixed) = context.fixed {
                let is_it = |path: &String, field: &str| *path == source.path && field == deprecated.field;
                let left = fixed.left.iter().find(|(path, field, _)| is_it(path, field));
                match left {
                    Some((_, _, why)) => finding.help = Some(by_hand(source, deprecated, why)),
                    None => {
                        finding.change = deprecated.edit(source, context.files).map(|edited| edited.change);
                    }
                }
            }
            out.push(finding);
        }
    }
}

/// Whether a file has any of them.
pub(super) fn is_in(source: &Source) -> bool {
    DEPRECATED
        .iter()
        .any(|deprecated| !places(source, deprecated.field).is_empty())
}

/// What to do where no edit can be made.
fn by_hand(source: &Source, deprecated: &Deprecated, why: &str) -> String {
    let var = match deprecated.field {
        "vars" => source.items("vars").first().and_then(replacement),
        _ => None,
    };
    match var {
        Some(var) => format!("{var} ({why})"),
        None => format!("write it as {} by hand ({why})", deprecated.instead),
    }
}

/// Where a field stands: at the top, or in generators.
pub(super) fn places(source: &Source, name: &str) -> Vec<Span> {
    if name != "env" {
        return source
            .field(name)
            .map(|(key, _)| key.span())
            .into_iter()
            .collect();
    }
    ["configMapGenerator", "secretGenerator"]
        .iter()
        .flat_map(|list| source.items(list))
        .filter_map(|item| field(item, name).map(|(key, _)| key.span()))
        .collect()
}

/// A var written as a replacement, as far as it says.
fn replacement(var: &Node) -> Option<String> {
    let (_, object) = field(var, "objref")?;
    let path = field(var, "fieldref").map_or("", |(_, field)| text(field, "fieldpath"));
    let path = if path.is_empty() { "metadata.name" } else { path };
    Some(format!(
        "replacements: [{{source: {{kind: {}, name: {}, fieldPath: {path}}}, targets: [{{select: {{kind: …, name: …}}, \
         fieldPaths: [where $({}) stands]}}]}}]",
        text(object, "kind"),
        text(object, "name"),
        text(var, "name")
    ))
}
