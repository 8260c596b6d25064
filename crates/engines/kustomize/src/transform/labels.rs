//! Labels, and selectors where asked for.

use std::collections::BTreeMap;

use weir_yaml::{Node, Tag};

use crate::error::Result;
use crate::fieldspec::{Create, FieldSpec, apply_all};
use crate::ops::{self, Kind};
use crate::resmap::ResMap;

/// Sets labels at the specs' paths.
pub(super) fn run(labels: &BTreeMap<String, String>, specs: &[FieldSpec], map: &mut ResMap) -> Result<()> {
    set_entries(labels, specs, map)
}

/// Sets entries of the maps at the specs' paths.
pub(super) fn set_entries(
    entries: &BTreeMap<String, String>,
    specs: &[FieldSpec],
    map: &mut ResMap,
) -> Result<()> {
    let create = Create::new(Kind::Mapping, Tag::Map);
    for resource in &mut map.list {
        let tracked = resource.is_tracked();
        let Some(node) = &mut resource.node else {
            continue;
        };
        // What kustomize notes about an object stands in its annotations, so that the map is there to be written to.
        let noted: Vec<FieldSpec>;
        let is_noted = |spec: &FieldSpec| spec.path == "metadata/annotations" && !spec.create;
        let specs = if tracked && specs.iter().any(is_noted) {
            noted = specs
                .iter()
                .map(|spec| FieldSpec {
                    create: spec.create || is_noted(spec),
                    ..spec.clone()
                })
                .collect();
            noted.as_slice()
        } else {
            specs
        };
        for (key, value) in entries {
            let one = resource.twins.begin(Node::string(value.clone()));
            let mut made = 0;
            apply_all(specs, node, Some(&create), &mut |node| {
                if node.is_null() {
                    // Only a spec that creates makes a map of it, before it gets here.
                    return Ok(());
                }
                made += usize::from(node.get(key).is_none());
                ops::set_field(node, key, one.clone())
            })?;
            if made > 0 {
                resource.twins.end(one);
            }
        }
    }
    Ok(())
}
