//! `weir uninstall`.

use clap::Args;
use weir_cluster::{ApiError, Propagation};

use crate::global::Context;
use crate::install::all;
use crate::run::Result;
use crate::{CommandError, Exit, Kind};

const EXAMPLES: &str = "\
Examples:
  weir uninstall
  weir uninstall --keep-definitions";

/// Take the controllers out of a cluster; what they applied stays
///
/// Removes what `weir install` put there. Without --keep-definitions the custom resource definitions go too, and
/// with them every OCIRepository and Kustomization; their finalizers are taken away first, so that nothing they
/// applied is deleted.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Uninstall {
    /// Keep the custom resource definitions and their objects
    #[arg(long)]
    keep_definitions: bool,
}

impl Uninstall {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        let client = cx.cluster().await?.client;
        let mut objects = all("unused")?;
        // The controllers first: they would put their finalizers back.
        objects.reverse();
        for object in &objects {
            let reference = object.reference();
            let definition = object.kind() == "CustomResourceDefinition";
            if definition && self.keep_definitions {
                continue;
            }
            if definition {
                release(&client, object).await?;
            }
            client
                .delete(&reference, Propagation::Background, None)
                .await
                .map_err(|e| CommandError::caused(Kind::Outside, format!("cannot delete {reference}"), &e))?;
            cx.io.talk(&format!("deleted {reference}"));
        }
        cx.io
            .line("weir is uninstalled; what it applied is still there")?;
        Ok(Exit::Success)
    }
}

/// Takes the finalizers off every object of a definition.
async fn release(client: &weir_cluster::Client, definition: &weir_apis::Object) -> Result<()> {
    let text = |path: &[&str]| {
        definition
            .get(path)
            .and_then(|v| v.as_str())
            .unwrap_or_default()
            .to_owned()
    };
    let gvk =
        weir_apis::GroupVersionKind::new(text(&["spec", "group"]), "v1", text(&["spec", "names", "kind"]));
    let objects = match client.list(&gvk, "", "").await {
        Ok(objects) => objects,
        Err(ApiError::UnknownKind(_)) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    for object in objects.iter().filter(|o| o.finalizers().next().is_some()) {
        let patch = serde_json::json!({"metadata": {"finalizers": null}});
        client
            .merge(&object.reference(), &patch, weir_apis::key::KUSTOMIZE_MANAGER)
            .await?;
    }
    Ok(())
}
