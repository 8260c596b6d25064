//! `weir uninstall`.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use weir_apis::{GroupVersionKind, Object, ObjectRef};
use weir_cluster::{ApiError, Client, Propagation};

use crate::global::Context;
use crate::install::{NAMESPACE, SELECTOR, all};
use crate::output::{Shape, print_value};
use crate::run::Result;
use crate::{CommandError, Exit, Kind};

const EXAMPLES: &str = "\
Examples:
  weir uninstall
  weir uninstall --keep-definitions
  weir uninstall --output json";

/// How often to look whether the controllers are gone.
const GLANCE: Duration = Duration::from_millis(250);

/// Take the controllers out of a cluster; what they applied stays
///
/// Removes what `weir install` put there. Without --keep-definitions the custom resource definitions go too, and
/// with them every object of their kinds; their finalizers are taken away first, so that nothing they applied is
/// deleted. Before that, the controllers are waited for until they have ended: one that still runs would see the
/// deletions and prune. Controllers that run elsewhere (`weir controller`) must be stopped by hand first.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Uninstall {
    /// Keep the custom resource definitions and their objects
    #[arg(long)]
    keep_definitions: bool,
    /// How to print what was deleted
    #[arg(short, long, value_enum, default_value_t)]
    output: Shape,
}

impl Uninstall {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        let client = cx.cluster().await?.client;
        let deadline = cx.deadline();
        let mut objects = all("unused")?;
        // The controllers first: they would put their finalizers back.
        objects.reverse();
        let mut deleted = Vec::new();
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
            if object.kind() == "Deployment" {
                until_stopped(&client, deadline).await?;
            }
            deleted.push(json!(reference.to_string()));
        }
        if self.output == Shape::Text {
            cx.io
                .line("weir is uninstalled; what it applied is still there")?;
        } else {
            print_value(cx.io, &json!({"deleted": deleted}), self.output == Shape::Yaml)?;
        }
        Ok(Exit::Success)
    }
}

/// Waits until no pod of the controllers is left.
async fn until_stopped(client: &Client, deadline: Instant) -> Result<()> {
    let pods = GroupVersionKind::new("", "v1", "Pod");
    loop {
        let left = client.list(&pods, NAMESPACE, SELECTOR).await?;
        let Some(pod) = left.first() else {
            return Ok(());
        };
        if Instant::now() + GLANCE > deadline {
            let error = CommandError::new(Kind::Outside, format!("{} is still there", pod.reference()));
            return Err(error.hint(
                "the controllers must end before their objects are let go; see why the pod stays, and run this again",
            ));
        }
        sleep(GLANCE).await;
    }
}

/// Takes the finalizers off every object of a definition.
async fn release(client: &Client, definition: &Object) -> Result<()> {
    let text = |path: &[&str]| definition.get(path).and_then(Value::as_str).unwrap_or_default();
    let versions = definition.get(&["spec", "versions"]).and_then(Value::as_array);
    // Any served version shows all objects.
    let served = versions
        .into_iter()
        .flatten()
        .find(|version| version["served"] == true);
    let version = served
        .and_then(|version| version["name"].as_str())
        .unwrap_or_default();
    let gvk = GroupVersionKind::new(
        text(&["spec", "group"]),
        version,
        text(&["spec", "names", "kind"]),
    );
    let objects = match client.list(&gvk, "", "").await {
        Ok(objects) => objects,
        Err(ApiError::UnknownKind(_)) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let held = objects.iter().filter(|o| o.finalizers().next().is_some());
    for reference in held.map(Object::reference) {
        let_go(client, &reference, weir_apis::key::KUSTOMIZE_MANAGER).await?;
    }
    Ok(())
}

/// Takes the finalizers off an object, whoever put them there.
pub(crate) async fn let_go(client: &Client, reference: &ObjectRef, manager: &str) -> Result<()> {
    let patch = json!({"metadata": {"finalizers": null}});
    match client.merge(reference, &patch, manager).await {
        // Somebody else deletes it, too.
        Err(error) if error.is_not_found() => Ok(()),
        other => Ok(other.map(drop)?),
    }
}
