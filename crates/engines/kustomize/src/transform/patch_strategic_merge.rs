//! `patchesStrategicMerge`

use crate::effects::Effects;
use crate::error::{Error, Result, Within};
use crate::load;
use crate::loader::Loader;
use crate::resmap::ResMap;
use crate::resource::Resource;
use crate::schema::Schema;

/// Reads patches, each given as a path or as text.
pub(crate) fn load(paths: &[String], loader: &Loader<'_>) -> Result<Vec<Resource>> {
    let mut patches = Vec::new();
    for path in paths {
        if let Ok(inline) = load::patches(path.as_bytes()) {
            patches.extend(inline);
        } else {
            let text = loader.load(path)?;
            patches.extend(load::patches(&text).within(|| format!("patch file '{path}'"))?);
        }
    }
    if patches.is_empty() {
        return Err(Error::invalid(format!(
            "patch appears to be empty; files=[{}]",
            paths.join(" ")
        )));
    }
    Ok(patches)
}

/// Lays each patch over the object it names.
pub(super) fn run(
    patches: &[Resource],
    map: &mut ResMap,
    schema: &Schema,
    effects: &mut Effects,
) -> Result<()> {
    for patch in patches {
        effects.merge();
        let at = map.by_id(&patch.original_id(schema), schema)?;
        map.apply_patch(&[at], patch, schema)?;
    }
    Ok(())
}
