//! Name suffixes.

use weir_yaml::Tag;

use super::prefix::{affix, keeps_name};
use crate::error::Result;
use crate::fieldspec::{Create, FieldSpec, apply, selects_id};
use crate::ops::Kind;
use crate::resmap::ResMap;
use crate::schema::Schema;

/// Puts a suffix behind the names at the specs' paths.
pub(super) fn run(suffix: &str, specs: &[FieldSpec], map: &mut ResMap, schema: &Schema) -> Result<()> {
    let create = Create::new(Kind::Scalar, Tag::Str);
    for resource in &mut map.list {
        let id = resource.original_id(schema);
        if keeps_name(&id) {
            continue;
        }
        for spec in specs.iter().filter(|spec| selects_id(spec, &id)) {
            if spec.path == "metadata/name" && !suffix.is_empty() {
                resource.suffixes.push(suffix.to_owned());
                resource.store_previous(schema);
            }
            if let Some(node) = &mut resource.node {
                apply(spec, node, Some(&create), &mut |node| {
                    affix(node, |name| format!("{name}{suffix}"))
                })?;
            }
        }
    }
    Ok(())
}
