//! `replacement-matches-nothing`: targets of replacements that select no object.

use weir_yaml::{Node, parse_one};

use super::context::Context;
use super::finding::Finding;
use super::patch::severity;
use super::source::{Source, text, value};
use crate::files::join;

pub(super) fn check(context: &Context<'_>, out: &mut Vec<Finding>) {
    let Some(trace) = context.trace else { return };
    for source in context.tree {
        // Numbers count what the files hold, too.
        let mut number = 0;
        for item in source.items("replacements") {
            let loaded = from_file(context, source, item);
            let (file, replacements) = match &loaded {
                Some((file, node)) => (file.as_str(), node.items().unwrap_or(std::slice::from_ref(node))),
                None => (source.path.as_str(), std::slice::from_ref(item)),
            };
            for replacement in replacements {
                let targets = value(replacement, "targets").and_then(Node::items);
                for (at, target) in targets.unwrap_or_default().iter().enumerate() {
                    let Some(idle) = trace.idle(&source.path, "replacements", 0, (number, at)) else {
                        continue;
                    };
                    let select = value(target, "select");
                    let message = match value(target, "reject") {
                        Some(_) => "replacements: no object is selected by this target and not rejected",
                        None => "replacements: no object is selected by this target",
                    };
                    out.push(
                        Finding::new(
                            "replacement-matches-nothing",
                            severity(source.is_component()),
                            file,
                            message,
                        )
                        .at(select.map_or(target.span(), Node::span))
                        .because("kustomize passes over it without a word, so nothing is replaced")
                        .help(idle.help.map(str::to_owned)),
                    );
                }
                number += 1;
            }
        }
    }
}

/// The file that an entry names, read.
fn from_file(context: &Context<'_>, source: &Source, item: &Node) -> Option<(String, Node)> {
    let path = Some(text(item, "path")).filter(|path| !path.is_empty())?;
    let found = context.files.find(&join(&source.root, path)).ok()??;
    let bytes = context.files.read(&found.path).ok()?;
    let node = parse_one(std::str::from_utf8(&bytes).ok()?).ok()?;
    Some((found.path, node))
}
