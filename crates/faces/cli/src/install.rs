//! `weir install`.

mod manifests;

use clap::Args;
use serde_json::json;
use weir_apis::{Object, key};
use weir_cluster::Write;

use crate::global::Context;
use crate::output::{Shape, print_value};
use crate::run::Result;
use crate::{CommandError, Exit, Kind};

pub(crate) use manifests::{NAMESPACE, SELECTOR, all};

const EXAMPLES: &str = "\
Examples:
  weir install --image registry.example/weir:0.1.0
  weir install --image registry.example/weir:0.1.0 --export > weir.yaml
  weir install --image registry.example/weir:0.1.0 --output json";

/// Put the controllers into a cluster
///
/// Applies the custom resource definitions, a namespace, an account with the rights of a cluster administrator (the
/// controllers create what your artifacts hold; tenants are held by their own ServiceAccounts), and a Deployment.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Install {
    /// Image that holds this binary
    #[arg(long, value_name = "IMAGE")]
    image: String,
    /// Print the manifests instead of applying them
    #[arg(long)]
    export: bool,
    /// How to print what was applied
    #[arg(short, long, value_enum, default_value_t, conflicts_with = "export")]
    output: Shape,
}

impl Install {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        let objects = all(&self.image)?;
        if self.export {
            let values: Vec<_> = objects.iter().map(Object::to_value).collect();
            cx.io.print(&weir_yaml::emit::sigs_stream(values.iter()))?;
            return Ok(Exit::Success);
        }
        let cluster = cx.cluster().await?;
        let mut applied = Vec::new();
        for object in &objects {
            let write = Write {
                manager: key::KUSTOMIZE_MANAGER,
                force: true,
                dry_run: false,
            };
            cluster.client.apply(object, write).await.map_err(|e| {
                CommandError::caused(Kind::Outside, format!("cannot apply {}", object.reference()), &e)
            })?;
            cx.io.talk(&format!("applied {}", object.reference()));
            applied.push(json!(object.reference().to_string()));
        }
        if self.output == Shape::Text {
            cx.io
                .line(&format!("weir is installed in namespace {NAMESPACE}"))?;
        } else {
            let value = json!({"namespace": NAMESPACE, "image": self.image, "applied": applied});
            print_value(cx.io, &value, self.output == Shape::Yaml)?;
        }
        Ok(Exit::Success)
    }
}
