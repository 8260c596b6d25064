//! `patchesJson6902`

use serde_json::{Map, Value};
use weir_yaml::from_json_styled;

use crate::effects::Effects;
use crate::error::{Error, Result, Within};
use crate::jsonpatch::{self, Operation};
use crate::marshal::marshal;
use crate::resmap::ResMap;
use crate::resource::{ORIGIN, Resource, TRANSFORMATIONS};
use crate::schema::Schema;
use crate::selector::Selector;

/// Applies operations to the selected objects.
pub(super) fn run(
    target: Option<&Selector>,
    operations: &[Operation],
    map: &mut ResMap,
    schema: &Schema,
    effects: &mut Effects,
) -> Result<()> {
    let target = target.ok_or_else(|| Error::invalid("must specify a target for patch"))?;
    let places = map.select(target, schema)?;
    effects.reached((0, 0), places.len(), || target.near(map.list()));
    for at in places {
        map.change(at, schema, |resource| apply(operations, resource))?;
    }
    Ok(())
}

/// Applies operations to an object.
pub(super) fn apply(operations: &[Operation], resource: &mut Resource) -> Result<()> {
    let id = crate::resource::loose_id(resource.node());
    let mut value = marshal(resource.node())?;
    // kustomize keeps what it knows of an object in annotations. A patch finds that map in place
    // even if the object has none, and loses the origin if it replaces the map.
    let notes = [
        (ORIGIN, resource.origin.is_some()),
        (TRANSFORMATIONS, !resource.transformations.is_empty()),
    ];
    if resource.is_tracked()
        && let Some(Value::Object(metadata)) = value.get_mut("metadata")
    {
        let annotations = metadata
            .entry("annotations")
            .or_insert_with(|| Value::Object(Map::new()));
        if annotations.is_null() {
            *annotations = Value::Object(Map::new());
        }
        for (name, _) in notes.iter().filter(|(_, noted)| *noted) {
            if let Value::Object(annotations) = annotations {
                annotations.insert((*name).to_owned(), Value::String(String::new()));
            }
        }
    }
    jsonpatch::apply(operations, &mut value).within(|| format!("JSON patch of {id}"))?;
    let annotations = value.pointer_mut("/metadata/annotations");
    let mut annotations = annotations.and_then(Value::as_object_mut);
    for (name, _) in notes.iter().filter(|(_, noted)| *noted) {
        let kept = annotations.as_mut().and_then(|map| map.remove(*name));
        match (kept.is_none(), *name) {
            (true, ORIGIN) => resource.origin = None,
            (true, _) => resource.transformations.clear(),
            (false, _) => {}
        }
    }
    if !matches!(value, Value::Object(_)) {
        return Err(Error::invalid(format!("JSON patch of {id} leaves no object")));
    }
    // Here numbers lose what a double cannot hold, as they do in kustomize.
    resource.node = Some(from_json_styled(&value));
    Ok(())
}
