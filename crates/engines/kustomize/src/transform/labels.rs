//! Labels, and selectors where asked for.

use std::collections::BTreeMap;

use weir_yaml::{Node, Tag, Text};

use crate::error::Result;
use crate::fieldspec::{Create, FieldSpec, Specs};
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
    if entries.is_empty() {
        return Ok(());
    }
    // What kustomize notes about an object stands in its annotations, so that the map is there to be written to.
    let noted: Vec<FieldSpec> = specs.iter().map(as_noted).collect();
    let mut noted = Specs::new(&noted);
    let mut specs = Specs::new(specs);
    // All objects share the texts.
    let entries: Vec<(Text, Text)> = entries
        .iter()
        .map(|(key, value)| (key.into(), value.into()))
        .collect();
    for resource in map.list_mut() {
        let specs = if resource.is_tracked() {
            &mut noted
        } else {
            &mut specs
        };
        let Some(node) = &mut resource.node else {
            continue;
        };
        let about = specs.about(node);
        for (key, value) in &entries {
            let one = resource.twins.begin(Node::string(value));
            let mut made = 0;
            specs.apply(&about, node, Some(&create), &mut |node| {
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

/// A spec for an object whose annotations are there.
fn as_noted(spec: &FieldSpec) -> FieldSpec {
    FieldSpec {
        create: spec.create || spec.path == "metadata/annotations",
        ..spec.clone()
    }
}
