//! Replica counts.

use weir_yaml::Tag;

use crate::error::{Error, Result};
use crate::fieldspec::{Create, FieldSpec, apply};
use crate::id::ResId;
use crate::kustomization::Replica;
use crate::near;
use crate::ops::{self, Kind};
use crate::resmap::ResMap;
use crate::schema::Schema;

/// Sets the count on the objects of a name.
pub(super) fn run(replica: &Replica, specs: &[FieldSpec], map: &mut ResMap, schema: &Schema) -> Result<()> {
    let create = Create::new(Kind::Scalar, Tag::Int);
    let count = replica.count.to_string();
    let mut found = false;
    for spec in specs {
        let places = map.named(&replica.name, schema, |id| id.is_selected_by(&spec.gvk));
        found |= !places.is_empty();
        for at in places {
            map.change(at, schema, |resource| match &mut resource.node {
                Some(node) => apply(spec, node, Some(&create), &mut |node| {
                    ops::set_scalar(node, &count, Tag::Int)
                }),
                None => Ok(()),
            })?;
        }
    }
    if found {
        return Ok(());
    }
    let kinds: Vec<String> = specs.iter().map(|spec| spec.gvk.to_string()).collect();
    let wanted = ResId {
        name: replica.name.clone(),
        ..ResId::default()
    };
    let error = Error::invalid(format!(
        "resource with name {} does not match a config with the following GVK [{}]",
        replica.name,
        kinds.join(" ")
    ));
    Err(error.helped(near::selected(map.list(), &wanted.as_ref())))
}
