//! Name prefixes.

use weir_yaml::{Node, Tag};

use crate::error::Result;
use crate::fieldspec::{Create, FieldSpec, apply, selects_id};
use crate::id::ResId;
use crate::ops::{self, Kind};
use crate::resmap::ResMap;
use crate::schema::Schema;

/// Puts a prefix before the names at the specs' paths.
pub(super) fn run(prefix: &str, specs: &[FieldSpec], map: &mut ResMap, schema: &Schema) -> Result<()> {
    let create = Create::new(Kind::Scalar, Tag::Str);
    for resource in &mut map.list {
        let id = resource.original_id(schema);
        if keeps_name(&id) {
            continue;
        }
        for spec in specs.iter().filter(|spec| selects_id(spec, &id)) {
            if spec.path == "metadata/name" && !prefix.is_empty() {
                resource.prefixes.push(prefix.to_owned());
                resource.store_previous(schema);
            }
            if let Some(node) = &mut resource.node {
                apply(spec, node, Some(&create), &mut |node| {
                    affix(node, |name| format!("{prefix}{name}"))
                })?;
            }
        }
    }
    Ok(())
}

/// Objects whose names mean something to the cluster.
pub(super) fn keeps_name(id: &ResId) -> bool {
    match id.gvk.kind.as_str() {
        "CustomResourceDefinition" | "Namespace" => true,
        "APIService" => id.gvk.group == "apiregistration.k8s.io",
        _ => false,
    }
}

/// Changes the text of a name.
pub(super) fn affix(node: &mut Node, change: impl Fn(&str) -> String) -> Result<()> {
    let text = change(node.as_str().unwrap_or_default());
    ops::set_scalar(node, &text, Tag::None)
}
