//! Name suffixes.

use weir_yaml::{Tag, Text};

use super::prefix::{affix, keeps_name};
use crate::error::Result;
use crate::fieldspec::{Create, FieldSpec, Specs};
use crate::ops::Kind;
use crate::resmap::ResMap;
use crate::schema::Schema;

/// Puts a suffix behind the names at the specs' paths.
pub(super) fn run(suffix: &str, specs: &[FieldSpec], map: &mut ResMap, schema: &Schema) -> Result<()> {
    let shared: Text = suffix.into();
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
            if spec.path == "metadata/name" && !suffix.is_empty() {
                resource.suffixes.add(shared.clone());
                resource.store_previous(schema);
            }
            if let Some(node) = resource.node.as_mut().filter(|_| about.contains(&number)) {
                ready.apply(&[number], node, Some(&create), &mut |node| {
                    affix(node, |name| format!("{name}{suffix}"))
                })?;
            }
        }
    }
    Ok(())
}
