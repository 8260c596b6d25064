//! `weir export`.

use clap::Args;
use serde_json::{Map, Value};
use weir_apis::{Object, key};

use crate::global::Context;
use crate::kinds::Words;
use crate::output;
use crate::{CommandError, Exit, run::Result};

const EXAMPLES: &str = "\
Examples:
  weir export kustomization apps > apps.yaml
  weir export source oci -A > sources.yaml";

/// Print objects as they were written: without status and without what the cluster added
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Export {
    #[command(flatten)]
    words: Words,
    /// Every object of the kind in the namespace: what happens without a name, too
    #[arg(long)]
    all: bool,
    /// In all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// JSON instead of YAML
    #[arg(long)]
    json: bool,
}

impl Export {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        let selection = self.words.select(true)?;
        if self.all && !selection.names.is_empty() {
            return Err(CommandError::usage("give either names or `--all`"));
        }
        let cluster = cx.cluster().await?;
        let several = selection.kinds.len() > 1;
        let mut objects = Vec::new();
        let work = async {
            for kind in &selection.kinds {
                if several && !cx.serves(&cluster, kind).await? {
                    continue;
                }
                let found = cluster
                    .find(kind, &selection.names, self.all_namespaces, "")
                    .await?;
                objects.extend(found);
            }
            Ok(())
        };
        cx.in_time("reading objects", work).await?;
        if objects.is_empty() {
            return Err(CommandError::user("there is nothing to export"));
        }
        for object in &objects {
            let value = written(object);
            let text = if self.json {
                output::json(&value)
            } else {
                format!("---\n{}", weir_yaml::emit::sigs(&value))
            };
            cx.io.print(&text)?;
        }
        Ok(Exit::Success)
    }
}

/// What a person wrote of an object.
fn written(object: &Object) -> Value {
    /// Annotations that tools leave behind.
    const LEFT_BEHIND: [&str; 2] = [
        "kubectl.kubernetes.io/last-applied-configuration",
        key::REQUESTED_AT,
    ];
    let mut metadata = Map::new();
    for field in ["name", "namespace", "labels", "annotations"] {
        let Some(mut value) = object.get(&["metadata", field]).cloned() else {
            continue;
        };
        if let Some(map) = value.as_object_mut() {
            map.retain(|name, _| !LEFT_BEHIND.contains(&name.as_str()));
            if map.is_empty() {
                continue;
            }
        }
        metadata.insert(field.into(), value);
    }
    let mut map = object.as_map().clone();
    map.remove("status");
    map.insert("metadata".into(), Value::Object(metadata));
    Value::Object(map)
}
