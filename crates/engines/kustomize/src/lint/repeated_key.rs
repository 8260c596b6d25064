//! `repeated-key`: keys that a mapping has twice, of which only the last counts.

use weir_yaml::{Data, Node};

use super::context::Context;
use super::finding::{Finding, Severity};
use super::source::Source;

pub(super) fn check(context: &Context<'_>, out: &mut Vec<Finding>) {
    for source in context.tree {
        walk(source, &source.node, out);
    }
}

fn walk(source: &Source, node: &Node, out: &mut Vec<Finding>) {
    match node.data() {
        Data::Mapping(entries) => {
            for (number, (key, value)) in entries.iter().enumerate() {
                let later = entries.iter().skip(number + 1).map(|(key, _)| key);
                let Some(name) = key.as_str() else { continue };
                if let Some(again) = later
                    .into_iter()
                    .find(|later| later.as_str() == key.as_str() && name != "<<")
                {
                    out.push(
                        Finding::new(
                            "repeated-key",
                            Severity::Warning,
                            &source.path,
                            format!("'{name}' stands here and again in line {}", again.span().line),
                        )
                        .at(key.span())
                        .because("only the last one counts; this one is ignored")
                        .help(format!(
                            "merge it with that of line {}, or remove it",
                            again.span().line
                        )),
                    );
                }
                walk(source, value, out);
            }
        }
        Data::Sequence(items) => items.iter().for_each(|item| walk(source, item, out)),
        Data::Scalar(_) | Data::Alias(_) => {}
    }
}
