//! The CustomResourceDefinitions in a chart's `crds/`. They come before everything else, are no part of the release, and
//! are never deleted.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use weir_apis::{GroupVersionKind, Object};
use weir_cluster::{ApiError, chain};
use weir_helm::{ApplyMethod, Chart, Table, action};

use crate::error::{Failure, Reason};
use crate::write::Writer;
use crate::{Changes, Context};

/// How long a definition may take until its kind is served.
const PATIENCE: Duration = Duration::from_mins(1);
/// Pause before looking again whether a kind is served.
const PAUSE: Duration = Duration::from_millis(100);

/// What is done with a chart's definitions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CrdsPolicy {
    /// Nothing.
    Skip,
    /// Those that are missing are created; those that are there are left as they are.
    #[default]
    Create,
    /// Those that are missing are created, the others brought to what the chart says.
    CreateReplace,
}

impl CrdsPolicy {
    /// Reads Flux's word; empty is `Create`.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "Skip" => Self::Skip,
            "Create" | "" => Self::Create,
            "CreateReplace" => Self::CreateReplace,
            _ => return None,
        })
    }
}

/// How a chart's definitions are treated.
#[derive(Debug, Clone, Default)]
pub struct Crds {
    /// What is done with them.
    pub policy: CrdsPolicy,
    /// Labels that they get: Flux's `helm.toolkit.fluxcd.io/name` and `/namespace`.
    pub labels: BTreeMap<String, String>,
}

impl Context<'_> {
    /// Applies the definitions of a chart, and waits until their kinds are served.
    ///
    /// Existing ones are left alone by [`CrdsPolicy::Create`] however they would be applied; helm-controller patches
    /// them where it uses server-side apply, against what its documentation says.
    pub(crate) async fn apply_crds(
        &self,
        chart: &Chart,
        values: &Table,
        crds: &Crds,
        method: ApplyMethod,
    ) -> Result<(), Failure> {
        if crds.policy == CrdsPolicy::Skip {
            return Ok(());
        }
        self.try_crds(chart, values, crds, method)
            .await
            .map_err(|failure| failure.within(Reason::Crds, "failed to apply CustomResourceDefinitions: "))
    }

    async fn try_crds(
        &self,
        chart: &Chart,
        values: &Table,
        crds: &Crds,
        method: ApplyMethod,
    ) -> Result<(), Failure> {
        let mut definitions = definitions(chart, values)?;
        if definitions.is_empty() {
            return Ok(());
        }
        for definition in &mut definitions {
            for (key, value) in &crds.labels {
                definition.set_label(key, value);
            }
        }
        self.tell(
            "applying CustomResourceDefinition(s)",
            &json!({"policy": format!("{:?}", crds.policy), "count": definitions.len()}),
        );
        let mut writer = Writer::new(*self, method);
        writer.force_conflicts = method == ApplyMethod::Server;
        writer.replace = method == ApplyMethod::Client;
        let mut changes = Changes::default();
        let mut applied = Vec::new();
        for definition in definitions {
            let mut definition = [definition];
            let reference = match &definition {
                [one] => one.reference(),
            };
            let live = self.client.get(&reference).await.map_err(|error| {
                let message = format!(
                    "failed to get CustomResourceDefinition {}: {}",
                    reference.name,
                    chain(&error)
                );
                Failure::new(Reason::Crds, message)
            })?;
            if live.is_some() && crds.policy == CrdsPolicy::Create {
                self.tell(
                    "CustomResourceDefinition is already present. Skipping.",
                    &json!({"name": reference.name}),
                );
                continue;
            }
            let stored = writer
                .update_all(&[], &mut definition, &mut changes)
                .await
                .map_err(|failure| {
                    failure.within(Reason::Crds, "failed to update CustomResourceDefinition(s): ")
                })?;
            applied.extend(stored);
        }
        self.wait_until_established(PATIENCE, &applied)
            .await
            .map_err(|failure| {
                failure.within(Reason::Crds, "failed to wait for CustomResourceDefinition(s): ")
            })?;
        for definition in &applied {
            self.wait_until_served(definition).await?;
        }
        if let Some(discovery) = self.discovery {
            discovery.forget();
        }
        Ok(())
    }

    /// Discovery learns of a kind a moment after its definition is established.
    async fn wait_until_served(&self, definition: &Object) -> Result<(), Failure> {
        let end = tokio::time::Instant::now() + PATIENCE;
        for gvk in served(definition) {
            // What was known of the kind may be of an earlier definition.
            self.client.forget(&gvk);
            loop {
                match self.client.resource(&gvk).await {
                    Ok(_) => break,
                    Err(ApiError::UnknownKind(_)) if tokio::time::Instant::now() < end => {
                        self.check_cancelled()?;
                        tokio::time::sleep(PAUSE).await;
                    }
                    Err(error) => return Err(Failure::new(Reason::Crds, chain(&error))),
                }
            }
        }
        Ok(())
    }
}

/// The definitions of a chart and those of its subcharts that take part. What else lies in `crds/` is passed over.
fn definitions(chart: &Chart, values: &Table) -> Result<Vec<Object>, Failure> {
    let files = weir_helm::definitions(chart, values)
        .map_err(|error| Failure::new(Reason::Crds, error.to_string()))?;
    let mut definitions = Vec::new();
    for (path, file) in files {
        let objects = action::from_manifest(&file.text()).map_err(|error| {
            let message = format!("failed to parse CustomResourceDefinitions from {path}: {error}");
            Failure::new(Reason::Crds, message)
        })?;
        for object in objects {
            let gvk = object.gvk();
            if gvk.group == "apiextensions.k8s.io" && gvk.kind == "CustomResourceDefinition" {
                definitions.push(object);
            } else {
                tracing::warn!(%path, object = %object.reference(), "only CustomResourceDefinitions in crds/ are applied");
            }
        }
    }
    Ok(definitions)
}

/// The kinds that a definition serves.
fn served(definition: &Object) -> Vec<GroupVersionKind> {
    let text = |path: &[&str]| {
        definition
            .get(path)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let (group, kind) = (text(&["spec", "group"]), text(&["spec", "names", "kind"]));
    definition
        .get(&["spec", "versions"])
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter(|version| version.get("served").and_then(Value::as_bool) == Some(true))
        .filter_map(|version| version.get("name").and_then(Value::as_str))
        .map(|version| GroupVersionKind::new(group.clone(), version, kind.clone()))
        .collect()
}
