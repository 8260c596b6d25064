//! Annotations.

use std::collections::BTreeMap;

use super::labels::set_entries;
use crate::error::Result;
use crate::fieldspec::FieldSpec;
use crate::resmap::ResMap;

/// Sets annotations at the specs' paths.
pub(super) fn run(
    annotations: &BTreeMap<String, String>,
    specs: &[FieldSpec],
    map: &mut ResMap,
) -> Result<()> {
    set_entries(annotations, specs, map)
}
