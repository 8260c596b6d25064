//! `image-matches-nothing`: images that no container has.

use std::collections::BTreeSet;

use serde_json::Value;

use super::context::Context;
use super::finding::Finding;
use super::patch::severity;
use super::reference::name;
use crate::near::{nearest, question};
use crate::transform::split_image;

pub(super) fn check(context: &Context<'_>, out: &mut Vec<Finding>) {
    let Some(trace) = context.trace else { return };
    let mut names = BTreeSet::new();
    for object in context.objects {
        collect(&object.value, &mut names);
    }
    for source in context.tree {
        // The build gives all entries to one transformer or, where it keeps origins, each to one of its own.
        let is_alone = trace.ran(&source.path, "images", 1);
        let mut number = 0;
        for field in ["images", "imageTags"] {
            for item in source.items(field) {
                let (run, part) = if is_alone { (number, 0) } else { (0, number) };
                number += 1;
                if trace.idle(&source.path, "images", run, (part, 0)).is_none() {
                    continue;
                }
                let message = format!("{field}: no container has the image '{}'", name(item));
                out.push(
                    Finding::new(
                        "image-matches-nothing",
                        severity(source.is_component()),
                        &source.path,
                        message,
                    )
                    .at(item.span())
                    .because(
                        "the entry has no effect; names are compared whole, registry and path included, with those of \
                         containers, initContainers and the fields that a file of configurations lists",
                    )
                    .help(question(&nearest(name(item), names.iter().map(String::as_str)))),
                );
            }
        }
    }
}

/// The names, without tags and digests, of all images that are built.
fn collect(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(image) = fields.get("image").and_then(Value::as_str) {
                names.insert(split_image(image).0);
            }
            fields.values().for_each(|value| collect(value, names));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        _ => {}
    }
}
