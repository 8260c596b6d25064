//! Name prefixes.

use weir_yaml::{Node, Tag, Text};

use crate::error::Result;
use crate::fieldspec::{Create, FieldSpec, Specs};
use crate::id::IdRef;
use crate::ops::{self, Kind};
use crate::resmap::ResMap;
use crate::schema::Schema;

/// Puts a prefix before the names at the specs' paths.
pub(super) fn run(prefix: &str, specs: &[FieldSpec], map: &mut ResMap, schema: &Schema) -> Result<()> {
    let shared: Text = prefix.into();
    let create = Create::new(Kind::Scalar, Tag::Str);
    // An object's type was that of its first id; only where it still is does a spec apply.
    let mut ready = Specs::new(specs);
    for resource in map.list_mut() {
        let id = resource.original_ref(schema);
        if keeps_name(&id) {
            continue;
        }
        let original = id.to_gvk();
        let about = ready.about(resource.node());
        for (number, spec) in specs.iter().enumerate() {
            if !original.is_selected_by(&spec.gvk) {
                continue;
            }
            if spec.path == "metadata/name" && !prefix.is_empty() {
                resource.prefixes.add(shared.clone());
                resource.store_previous(schema);
            }
            if let Some(node) = resource.node.as_mut().filter(|_| about.contains(&number)) {
                ready.apply(&[number], node, Some(&create), &mut |node| {
                    affix(node, |name| format!("{prefix}{name}"))
                })?;
            }
        }
    }
    Ok(())
}

/// Objects whose names mean something to the cluster.
pub(super) fn keeps_name(id: &IdRef<'_>) -> bool {
    match id.kind {
        "CustomResourceDefinition" | "Namespace" => true,
        "APIService" => id.group == "apiregistration.k8s.io",
        _ => false,
    }
}

/// Changes the text of a name.
pub(super) fn affix(node: &mut Node, change: impl Fn(&str) -> String) -> Result<()> {
    let text = change(node.as_str().unwrap_or_default());
    ops::set_scalar(node, &text, Tag::None)
}
