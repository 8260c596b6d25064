//! `status.inventory`: the objects of the release, and the definitions that came with its chart
//! (flux-controllers.md §4.6).

use weir_apis::inventory::Inventory;
use weir_apis::{Object, ObjectRef};
use weir_cluster::Client;
use weir_helm::{Chart, Release, action};

/// The objects of a release's manifest, without hooks, then those of the chart's `crds/`. A kind that nothing serves is
/// listed as its manifest names it. Fails where a manifest holds what is no object.
pub(crate) async fn of(
    client: &Client,
    release: &Release,
    chart: Option<&Chart>,
) -> Result<Inventory, String> {
    let mut references = Vec::new();
    for mut object in action::from_manifest(&release.manifest).map_err(|e| e.to_string())? {
        if object.annotation("helm.sh/hook").is_some() {
            continue;
        }
        if object.namespace().is_empty() {
            object.set_namespace(&release.namespace);
        }
        let reference = object.reference();
        references.push(client.scoped(&reference).await.unwrap_or(reference));
    }
    for definition in chart.iter().flat_map(|chart| chart.crds()) {
        let text = String::from_utf8_lossy(&definition.file.data);
        let objects = action::from_manifest(&text).map_err(|e| format!("{}: {e}", definition.path))?;
        references.extend(objects.iter().map(Object::reference));
    }
    Ok(Inventory::of(&references as &[ObjectRef]))
}
