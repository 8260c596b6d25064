//! Content hashes behind the names of generated objects.

use crate::error::Result;
use crate::hash::suffix;
use crate::resmap::ResMap;
use crate::schema::Schema;

/// Renames the objects that ask for it.
pub(super) fn run(map: &mut ResMap, schema: &Schema) -> Result<()> {
    for resource in map.list_mut().iter_mut().filter(|resource| resource.needs_hash) {
        let suffix = suffix(resource.node())?;
        resource.store_previous(schema);
        let name = format!("{}-{suffix}", resource.name());
        resource.set_name(&name)?;
    }
    Ok(())
}
