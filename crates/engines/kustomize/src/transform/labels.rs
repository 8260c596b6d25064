//! Labels, and selectors where asked for.

use std::collections::BTreeMap;

use weir_yaml::{Node, Tag};

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
    let mut specs = Specs::new(specs);
    for node in map.nodes_mut() {
        let about = specs.about(node);
        for (key, value) in entries {
            specs.apply(&about, node, Some(&create), &mut |node| {
                ops::set_field(node, key, Node::string(value.clone()))
            })?;
        }
    }
    Ok(())
}
