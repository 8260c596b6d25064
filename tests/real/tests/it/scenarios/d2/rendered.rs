//! What was rendered, object by object, so that what helm renders can be compared with it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use weir_apis::{Object, ObjectRef, key};
use weir_helm::Release;
use weir_helm::action::from_manifest;

use super::DOMAIN;

/// Objects by what names them; a hook and an object of the manifest may have the same name.
pub(super) struct Rendered {
    objects: BTreeMap<ObjectRef, Vec<Value>>,
}

/// `helm template` of a release with its values for production, in which variables stand as they are in the repositories.
pub(super) fn expected(data: &Path, release: &str) -> Result<Rendered> {
    let file = format!("expected/helm/{release}.production.yaml");
    let text = std::fs::read_to_string(data.join(file))?;
    Rendered::read([text.replace("${CLUSTER_DOMAIN}", DOMAIN).as_str()])
}

impl Rendered {
    /// What a record has, hooks included; the version of its chart, to which the digest was added, as `version` has it.
    pub(super) fn of_record(record: &Release, version: &str) -> Result<Self> {
        let metadata = record.chart.as_ref().and_then(|chart| chart.metadata.as_ref());
        let own = &metadata.context("a chart")?.version;
        let hooks = record.hooks.iter().map(|hook| &hook.manifest);
        // As it is, and as labels have it.
        let plain = |text: &String| {
            text.replace(own, version)
                .replace(&own.replace('+', "_"), version)
        };
        let texts: Vec<String> = hooks.chain([&record.manifest]).map(plain).collect();
        Self::read(texts.iter().map(String::as_str))
    }

    fn read<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<Self> {
        let mut objects: BTreeMap<ObjectRef, Vec<Value>> = BTreeMap::new();
        for text in texts {
            for mut object in from_manifest(text)? {
                without_chance(&mut object);
                let mut value = object.to_value();
                // Labels of ours that say whose the object is.
                if let Some(labels) = value
                    .pointer_mut("/metadata/labels")
                    .and_then(Value::as_object_mut)
                {
                    labels.remove(key::HELM_RELEASE_NAME);
                    labels.remove(key::HELM_RELEASE_NAMESPACE);
                }
                tidy(&mut value);
                objects.entry(object.reference()).or_default().push(value);
            }
        }
        for same in objects.values_mut() {
            same.sort_by_cached_key(ToString::to_string);
        }
        Ok(Self { objects })
    }

    /// Fails where an object is rendered otherwise than it should be, or is in one of the two alone; but gives the
    /// definitions that are in the other alone.
    pub(super) fn difference(&self, wanted: &Self) -> Result<Vec<ObjectRef>> {
        let mut beside = Vec::new();
        for (reference, value) in &wanted.objects {
            if let Some(found) = self.objects.get(reference) {
                ensure!(
                    found == value,
                    "{reference} is rendered as\n{}\nnot as\n{}",
                    json!(found),
                    json!(value)
                );
            } else {
                ensure!(
                    reference.gvk.kind == "CustomResourceDefinition",
                    "{reference} is not rendered"
                );
                beside.push(reference.clone());
            }
        }
        let mut more = self.objects.keys();
        let more = more.find(|reference| !wanted.objects.contains_key(reference));
        ensure!(more.is_none(), "{more:?} should not be rendered");
        Ok(beside)
    }
}

/// What charts make by chance is the same everywhere: the password of redis, and how podinfo's test hooks are called; and so
/// are checksums, in which the password and the chart's version are.
fn without_chance(object: &mut Object) {
    if let Some(name) = object.name().strip_prefix("podinfo-") {
        let stem = name
            .rsplit_once("test-")
            .map(|(stem, _)| format!("podinfo-{stem}test"));
        if let Some(stem) = stem {
            object.metadata_mut().insert("name".into(), json!(stem));
        }
    }
    let mut all: Vec<&mut Value> = object.as_map_mut().values_mut().collect();
    while let Some(value) = all.pop() {
        match value {
            Value::Array(items) => all.extend(items),
            Value::Object(map) => {
                for (key, value) in map {
                    if key == "redis-password" || key.starts_with("checksum/") {
                        *value = json!("by chance");
                    } else {
                        all.push(value);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Without nulls and empty maps, which a post-renderer may drop.
fn tidy(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Object(map) => {
            map.values_mut().for_each(tidy);
            map.retain(|_, value| !value.is_null() && *value != json!({}));
        }
        _ => {}
    }
}
