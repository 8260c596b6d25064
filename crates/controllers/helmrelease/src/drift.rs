//! Live objects that differ from what the release says (flux-controllers.md §4.6): found by server-side dry-runs, told,
//! and put back where that is asked for.

use serde_json::{Value, json};
use weir_apis::{Object, ObjectRef, key};
use weir_cluster::{Client, Write, chain};
use weir_helm::{Release, action};
use weir_plan::{Change, ChangeKind, add_secret_values, compare, normalize, order, says};
use weir_redact::Mask;

use crate::spec::Drift;

/// One object that differs.
#[derive(Debug, Clone)]
pub(crate) struct Difference {
    /// As the release wants it.
    pub(crate) desired: Object,
    pub(crate) kind: DifferenceKind,
}

/// How it differs.
#[derive(Debug, Clone)]
pub(crate) enum DifferenceKind {
    /// It is gone.
    Removed,
    /// What would put it back: a JSON patch of the live object.
    Changed(Vec<Change>),
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Differences {
    pub(crate) objects: Vec<Difference>,
    /// Objects that could not be compared, and why not.
    pub(crate) errors: Vec<String>,
    /// What Secrets among the objects hold.
    pub(crate) secrets: Mask,
}

/// Compares the objects of a release with the live ones. Nothing is written.
pub(crate) async fn find(client: &Client, release: &Release, rules: &Drift) -> Differences {
    let mut found = Differences::default();
    let objects = match action::from_manifest(&release.manifest) {
        Ok(objects) => objects,
        Err(error) => {
            found
                .errors
                .push(format!("failed to read objects from release manifest: {error}"));
            return found;
        }
    };
    for mut object in objects {
        add_secret_values(&object, &mut found.secrets);
        normalize(&mut object);
        action::own(&mut object, &release.name, &release.namespace);
        if object.namespace().is_empty() {
            object.set_namespace(&release.namespace);
        }
        match client.scoped(&object.reference()).await {
            Ok(reference) => object.set_namespace(&reference.namespace),
            Err(error) => {
                found.errors.push(format!(
                    "failed to determine if {} is namespace scoped: {}",
                    object.kind(),
                    chain(&error)
                ));
                continue;
            }
        }
        let name = object.reference().to_string();
        match differs(client, object, rules).await {
            Ok(Some(difference)) => found.objects.push(difference),
            Ok(None) => {}
            Err(error) => found.errors.push(format!("{name}: {error}")),
        }
    }
    found
}

async fn differs(client: &Client, desired: Object, rules: &Drift) -> Result<Option<Difference>, String> {
    let is_exempt = |object: &Object| says(object, key::HELM_DRIFT_DETECTION, "disabled");
    let is_ignored = |object: &Object| {
        let mut whole = rules.whole.iter();
        whole.any(|target| target.as_ref().is_none_or(|target| target.matches(object)))
    };
    if is_exempt(&desired) || is_ignored(&desired) {
        return Ok(None);
    }
    let live = client.get(&desired.reference()).await.map_err(|e| chain(&e))?;
    let Some(live) = live else {
        let kind = DifferenceKind::Removed;
        return Ok(Some(Difference { desired, kind }));
    };
    if is_exempt(&live) {
        return Ok(None);
    }
    let write = Write {
        manager: key::HELM_MANAGER,
        force: true,
        dry_run: true,
    };
    let dry_run = client.apply(&desired, write).await.map_err(|e| chain(&e))?;
    let changes = changes(&live, &dry_run, rules);
    if changes.is_empty() {
        return Ok(None);
    }
    let kind = DifferenceKind::Changed(changes);
    Ok(Some(Difference { desired, kind }))
}

/// What the dry run would change of the live object, without what is ignored. Labels and annotations that it would take
/// away are left to whoever set them.
fn changes(live: &Object, dry_run: &Object, rules: &Drift) -> Vec<Change> {
    let mut changes = match rules.ignore.strip(live, dry_run) {
        Some((live, dry_run)) => compare(&live, &dry_run),
        None => compare(live, dry_run),
    };
    changes.retain(|change| {
        let is_metadata = change.path.starts_with("/metadata/");
        !(is_metadata && matches!(change.kind, ChangeKind::Remove { .. }))
    });
    changes
}

impl Difference {
    /// `Kind/namespace/name removed`, or how many fields changed.
    fn summary(&self) -> String {
        let name = self.desired.reference();
        match &self.kind {
            DifferenceKind::Removed => format!("{name} removed"),
            DifferenceKind::Changed(changes) => {
                let count = |op: &str| changes.iter().filter(|c| c.kind.op() == op).count();
                format!(
                    "{name} changed ({} additions, {} changes, {} removals)",
                    count("add"),
                    count("replace"),
                    count("remove")
                )
            }
        }
    }
}

impl Differences {
    /// A line for each object.
    pub(crate) fn summary(&self) -> String {
        let lines: Vec<String> = self.objects.iter().map(Difference::summary).collect();
        lines.join("\n")
    }
}

/// What was put back, and what could not be.
#[derive(Debug, Default)]
pub(crate) struct Corrected {
    pub(crate) done: Vec<String>,
    pub(crate) failed: Vec<String>,
}

/// Puts objects back: creates what is gone, in the order of kinds, then patches what has changed. It makes no revision.
pub(crate) async fn correct(client: &Client, differences: Differences) -> Corrected {
    let mut corrected = Corrected::default();
    let mut objects = differences.objects;
    objects.sort_by(|a, b| order(&a.desired.reference(), &b.desired.reference()));
    let (gone, changed): (Vec<_>, Vec<_>) = objects
        .into_iter()
        .partition(|difference| matches!(difference.kind, DifferenceKind::Removed));
    for difference in gone.into_iter().chain(changed) {
        let reference = difference.desired.reference();
        let (verb, noun, outcome) = match &difference.kind {
            DifferenceKind::Removed => {
                let created = client.create(&difference.desired, key::HELM_MANAGER).await;
                ("created", "creation", created)
            }
            DifferenceKind::Changed(changes) => {
                let patched = patch(client, &reference, changes).await;
                ("configured", "patch", patched)
            }
        };
        match outcome {
            Ok(_) => corrected.done.push(format!("{reference} {verb}")),
            Err(error) => {
                let text = differences.secrets.apply(&chain(&error)).into_owned();
                corrected
                    .failed
                    .push(format!("{reference} {noun} failure: {text}"));
            }
        }
    }
    corrected
}

async fn patch(
    client: &Client,
    reference: &ObjectRef,
    changes: &[Change],
) -> Result<Object, weir_cluster::ApiError> {
    let mut operations = Vec::new();
    // An object may have no labels or annotations at all. Adding the map where it is there would empty it, so it is asked.
    let live = client.get(reference).await?;
    for field in ["labels", "annotations"] {
        let below = format!("/metadata/{field}/");
        let is_absent = live
            .as_ref()
            .is_some_and(|live| live.get(&["metadata", field]).is_none());
        if is_absent && changes.iter().any(|change| change.path.starts_with(&below)) {
            operations.push(json!({"op": "add", "path": format!("/metadata/{field}"), "value": {}}));
        }
    }
    operations.extend(changes.iter().map(operation));
    let patch = Value::Array(operations);
    client.json_patch(reference, &patch, key::HELM_MANAGER).await
}

fn operation(change: &Change) -> Value {
    let mut operation = json!({"op": change.kind.op(), "path": change.path});
    if let Some(value) = change.kind.value() {
        operation["value"] = value.clone();
    }
    operation
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::DriftMode;

    fn object(value: Value) -> Object {
        let mut full =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "b"}});
        for (key, value) in value.as_object().unwrap() {
            if key == "metadata" {
                for (key, value) in value.as_object().unwrap() {
                    full["metadata"][key] = value.clone();
                }
            } else {
                full[key] = value.clone();
            }
        }
        Object::from_value(full).unwrap()
    }

    fn rules(paths: &[&str]) -> Drift {
        let rule = weir_plan::IgnoreRule {
            paths: paths.iter().map(|p| (*p).to_owned()).collect(),
            target: None,
        };
        Drift {
            mode: DriftMode::Warn,
            ignore: weir_plan::IgnoreRules::compile(&[rule]).unwrap(),
            whole: Vec::new(),
        }
    }

    #[test]
    fn only_what_would_be_put_back_counts() {
        let live = object(
            json!({"metadata": {"labels": {"theirs": "1", "ours": "2"}}, "data": {"a": "changed", "b": "x"}}),
        );
        let wanted = object(json!({"metadata": {"labels": {"ours": "1"}}, "data": {"a": "1", "b": "x"}}));
        let found = changes(&live, &wanted, &rules(&[]));
        let paths: Vec<(&str, &str)> = found.iter().map(|c| (c.kind.op(), c.path.as_str())).collect();
        assert_eq!(
            paths,
            [("replace", "/metadata/labels/ours"), ("replace", "/data/a")]
        );
        assert_eq!(
            operation(&found[1]),
            json!({"op": "replace", "path": "/data/a", "value": "1"})
        );
        let found = changes(&live, &wanted, &rules(&["/data/a", "/metadata/labels"]));
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn a_summary_counts_and_shows_no_value() {
        let live = object(json!({"data": {"a": "one", "b": "two"}}));
        let wanted = object(json!({"data": {"a": "three", "c": "four"}}));
        let differences = Differences {
            objects: vec![
                Difference {
                    desired: wanted.clone(),
                    kind: DifferenceKind::Changed(changes(&live, &wanted, &rules(&[]))),
                },
                Difference {
                    desired: wanted,
                    kind: DifferenceKind::Removed,
                },
            ],
            ..Differences::default()
        };
        assert_eq!(
            differences.summary(),
            "ConfigMap/b/a changed (1 additions, 1 changes, 1 removals)\nConfigMap/b/a removed"
        );
    }
}
