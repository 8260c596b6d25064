//! `weir tree`.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use futures::StreamExt as _;
use serde_json::{Value, json};
use weir_apis::inventory::Inventory;
use weir_apis::kind::{HelmRelease, Kustomization};
use weir_apis::{Object, ObjectRef};
use weir_plan::{Readiness, Status};

use crate::global::{Cluster, Context};
use crate::kinds::Words;
use crate::output::{self, Shape, put};
use crate::{CommandError, Exit, run::Result};

/// Objects asked for at a time.
const AT_ONCE: usize = 16;
/// How deep Kustomizations may be nested before the rest is left out.
const DEEPEST: usize = 32;

const EXAMPLES: &str = "\
Examples:
  weir tree kustomization flux-system
  weir tree helmrelease podinfo
  weir tree ks apps --compact              # only objects of Flux's own kinds
  weir tree ks apps -o json";

/// Show everything that a Kustomization or a HelmRelease has applied, and how it is
///
/// Kustomizations and HelmReleases in the inventory are followed. Each object is looked up; exit code 1 when one is failed or
/// missing.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Tree {
    #[command(flatten)]
    words: Words,
    /// Only objects of Flux's own kinds
    #[arg(long)]
    compact: bool,
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t, value_name = "FORM")]
    output: Shape,
}

/// An object, how it is, and what it has applied.
struct Branch {
    object: ObjectRef,
    readiness: Readiness,
    revision: String,
    below: Vec<Self>,
}

impl Tree {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        let (kind, names) = self.words.named()?;
        if kind.is_source() {
            return Err(CommandError::usage(format!("{} has no inventory", kind.kind))
                .hint("`weir tree kustomization NAME` shows what was applied"));
        }
        let cluster = cx.cluster().await?;
        let now = cx.io.now();
        let mut roots = Vec::new();
        let work = async {
            for name in &names {
                let root = cluster.must_get(&cluster.reference(kind, name)).await?;
                let walk = Walk {
                    cluster: &cluster,
                    now,
                    compact: self.compact,
                };
                roots.push(walk.branch(root, &BTreeSet::new()).await?);
            }
            Ok(())
        };
        cx.in_time("reading the inventory", work).await?;
        let broken: usize = roots.iter().map(count_broken).sum();
        match self.output {
            Shape::Text => {
                let mut text = String::new();
                for root in &roots {
                    draw(root, "", "", &mut text);
                }
                cx.io.print(&text)?;
                if broken > 0 {
                    cx.io.talk(&format!("{broken} of the objects failed or missing"));
                }
            }
            Shape::Json | Shape::Yaml => {
                let value = match roots.as_slice() {
                    [root] => data(root),
                    _ => Value::Array(roots.iter().map(data).collect()),
                };
                output::print_value(cx.io, &value, self.output == Shape::Yaml)?;
            }
        }
        Ok(if broken == 0 { Exit::Success } else { Exit::Failure })
    }
}

struct Walk<'a> {
    cluster: &'a Cluster,
    now: jiff::Timestamp,
    compact: bool,
}

impl Walk<'_> {
    /// What hangs below an object with an inventory. `above` are the ones on the way here: one that lists itself is not
    /// followed again.
    async fn branch(&self, object: Object, above: &BTreeSet<ObjectRef>) -> Result<Branch> {
        let reference = object.reference();
        let mut above = above.clone();
        let again = !above.insert(reference.clone()) || above.len() > DEEPEST;
        let applied = if again { Vec::new() } else { inventory(&object)? };
        let applied = applied
            .into_iter()
            .filter(|object| !self.compact || object.gvk.group.ends_with("toolkit.fluxcd.io"));
        let found: Vec<(ObjectRef, Result<Option<Object>>)> = futures::stream::iter(applied)
            .map(|reference| async move {
                let live = self.cluster.client.get(&reference).await;
                (reference, live.map_err(CommandError::from))
            })
            .buffered(AT_ONCE)
            .collect()
            .await;
        let mut below = Vec::new();
        for (reference, live) in found {
            below.push(match live {
                Ok(Some(live)) if has_inventory(&reference) => Box::pin(self.branch(live, &above)).await?,
                Ok(Some(live)) => self.leaf(&live, reference),
                Ok(None) => Branch::bare(reference, Readiness::not_found()),
                // One object that may not be read, or whose type is gone, does not hide the others.
                Err(error) => Branch::bare(reference, Readiness::new(Status::Unknown, "", error.message())),
            });
        }
        let mut branch = self.leaf(&object, reference);
        branch.below = below;
        Ok(branch)
    }

    fn leaf(&self, live: &Object, object: ObjectRef) -> Branch {
        let mut readiness = weir_plan::readiness(live, self.now);
        if crate::status::is_suspended(live) && is_flux(&object) {
            readiness.message = format!("suspended; {}", readiness.message);
        }
        let revision = if is_flux(&object) {
            crate::status::revision(live).to_owned()
        } else {
            String::new()
        };
        Branch {
            object,
            readiness,
            revision,
            below: Vec::new(),
        }
    }
}

impl Branch {
    fn bare(object: ObjectRef, readiness: Readiness) -> Self {
        Self {
            object,
            readiness,
            revision: String::new(),
            below: Vec::new(),
        }
    }
}

fn is_flux(object: &ObjectRef) -> bool {
    object.gvk.group.ends_with("toolkit.fluxcd.io")
}

fn has_inventory(object: &ObjectRef) -> bool {
    let is = |group: &str, kind: &str| object.gvk.group == group && object.gvk.kind == kind;
    is(Kustomization::GROUP, Kustomization::KIND) || is(HelmRelease::GROUP, HelmRelease::KIND)
}

/// The objects of an inventory, in the order of kinds and names.
fn inventory(object: &Object) -> Result<Vec<ObjectRef>> {
    let stored = object.get(&["status", "inventory"]).cloned();
    let inventory: Inventory = stored
        .map(serde_json::from_value)
        .transpose()
        .map_err(|error| CommandError::caused(crate::Kind::Outside, "cannot read the inventory", &error))?
        .unwrap_or_default();
    let mut sorted = BTreeMap::new();
    for entry in inventory.entries {
        let reference = entry.reference().map_err(|error| {
            CommandError::caused(crate::Kind::Outside, "cannot read the inventory", &error)
        })?;
        sorted.insert(reference.to_string(), reference);
    }
    Ok(sorted.into_values().collect())
}

fn is_broken(branch: &Branch) -> bool {
    matches!(branch.readiness.status, Status::Failed | Status::NotFound)
}

fn count_broken(branch: &Branch) -> usize {
    usize::from(is_broken(branch)) + branch.below.iter().map(count_broken).sum::<usize>()
}

/// A sign and a word: neither colour nor font decides what is understood.
fn mark(status: Status) -> &'static str {
    match status {
        Status::Current => "✔ ready",
        Status::InProgress => "◔ in progress",
        Status::Failed => "✘ failed",
        Status::Terminating => "◔ terminating",
        Status::NotFound => "✘ missing",
        Status::Unknown => "? unknown",
    }
}

fn draw(branch: &Branch, first: &str, rest: &str, out: &mut String) {
    out.push_str(first);
    out.push_str(&branch.object.to_string());
    if !branch.revision.is_empty() {
        put(out, format_args!(" ({})", crate::status::short(&branch.revision)));
    }
    put(out, format_args!("  {}", mark(branch.readiness.status)));
    if branch.readiness.status != Status::Current && !branch.readiness.message.is_empty() {
        put(
            out,
            format_args!(
                ": {}",
                crate::status::short(&branch.readiness.message).replace('\n', " ")
            ),
        );
    }
    out.push('\n');
    let last = branch.below.len().saturating_sub(1);
    for (index, child) in branch.below.iter().enumerate() {
        let (corner, line) = if index == last {
            ("└── ", "    ")
        } else {
            ("├── ", "│   ")
        };
        draw(child, &format!("{rest}{corner}"), &format!("{rest}{line}"), out);
    }
}

fn data(branch: &Branch) -> Value {
    let mut value = json!({
        "apiVersion": branch.object.gvk.api_version(),
        "kind": branch.object.gvk.kind,
        "namespace": branch.object.namespace,
        "name": branch.object.name,
        "status": branch.readiness.status.to_string(),
        "message": branch.readiness.message,
    });
    if let Some(map) = value.as_object_mut() {
        if !branch.revision.is_empty() {
            map.insert("revision".into(), branch.revision.clone().into());
        }
        if has_inventory(&branch.object) {
            map.insert("objects".into(), branch.below.iter().map(data).collect());
        }
    }
    value
}
