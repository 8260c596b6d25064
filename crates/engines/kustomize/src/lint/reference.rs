//! The paths that a kustomization file names.

use weir_yaml::{Node, Span};

use super::source::{Source, text, value};
use crate::load;
use crate::loader::is_local;

/// A path as it is written.
pub(super) struct Reference<'a> {
    pub(super) path: &'a str,
    pub(super) span: Span,
    /// The field that it stands in.
    pub(super) field: &'static str,
    /// Whether what is there must be objects.
    pub(super) is_manifest: bool,
}

/// All paths within the tree. What looks like a remote address is left out; a build refuses it.
pub(super) fn all(source: &Source) -> Vec<Reference<'_>> {
    let mut found = Vec::new();
    for field in ["resources", "bases", "components", "crds", "configurations"] {
        for item in source.items(field) {
            add(&mut found, field, item, item.as_str());
        }
    }
    for field in ["generators", "transformers", "validators"] {
        for item in source.items(field) {
            let path = item.as_str();
            add(
                &mut found,
                field,
                item,
                path.filter(|text| load::resources(text.as_bytes()).is_err()),
            );
        }
    }
    for item in source.items("patchesStrategicMerge") {
        let path = item.as_str();
        let path = path.filter(|text| load::patches(text.as_bytes()).is_err());
        add(&mut found, "patchesStrategicMerge", item, path);
    }
    for field in ["patches", "patchesJson6902", "replacements"] {
        for item in source.items(field) {
            nested(&mut found, field, item, "path");
        }
    }
    if let Some((_, openapi)) = source.field("openapi") {
        nested(&mut found, "openapi", openapi, "path");
    }
    for field in ["configMapGenerator", "secretGenerator"] {
        for item in source.items(field) {
            nested(&mut found, field, item, "env");
            for file in value(item, "envs").and_then(Node::items).unwrap_or_default() {
                add(&mut found, field, file, file.as_str());
            }
            for file in value(item, "files").and_then(Node::items).unwrap_or_default() {
                let path = file.as_str();
                add(
                    &mut found,
                    field,
                    file,
                    path.map(|text| text.split_once('=').map_or(text, |(_, path)| path)),
                );
            }
        }
    }
    for item in source.items("helmCharts") {
        nested(&mut found, "helmCharts", item, "valuesFile");
        let files = value(item, "additionalValuesFiles").and_then(Node::items);
        for file in files.unwrap_or_default() {
            add(&mut found, "helmCharts", file, file.as_str());
        }
    }
    found
}

fn nested<'a>(found: &mut Vec<Reference<'a>>, field: &'static str, node: &'a Node, key: &str) {
    if let Some(node) = value(node, key) {
        add(found, field, node, node.as_str());
    }
}

fn add<'a>(found: &mut Vec<Reference<'a>>, field: &'static str, node: &Node, path: Option<&'a str>) {
    let Some(path) = path.filter(|path| !node.is_null() && is_local(path) && !path.contains('\n')) else {
        return;
    };
    found.push(Reference {
        path,
        span: node.span(),
        field,
        is_manifest: matches!(field, "resources" | "bases"),
    });
}

/// The name that an item of a list goes by, for messages: its `name`, or nothing.
pub(super) fn name(item: &Node) -> &str {
    text(item, "name")
}
