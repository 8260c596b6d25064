//! What the spec changes in rendered manifests: patches and images, common labels and annotations, and always the labels
//! that say whose objects these are (flux-controllers.md §4.6).

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use weir_apis::key;
use weir_apis::kind::HelmRelease;
use weir_helm::PostRender;
use weir_kustomize::flux::post_render;
use weir_kustomize::{Image, Patch};
use weir_runtime::overlay;
use weir_yaml::{Dialect, emit};

type Pairs = BTreeMap<String, String>;

/// The changes, in their order.
#[derive(Debug, Clone)]
pub(crate) struct Renderers {
    kustomize: Vec<(Vec<Patch>, Vec<Image>)>,
    labels: Pairs,
    annotations: Pairs,
    origin: Pairs,
}

impl Renderers {
    pub(crate) fn of(own: &HelmRelease) -> Self {
        let kustomize = own.spec.post_renderers.iter().filter_map(|renderer| {
            let kustomize = renderer.kustomize.as_ref()?;
            let patches = kustomize.patches.iter().map(overlay::patch).collect();
            let images = kustomize.images.iter().map(overlay::image).collect();
            Some((patches, images))
        });
        let common = own.spec.common_metadata.clone().unwrap_or_default();
        Self {
            kustomize: kustomize.collect(),
            labels: common.labels,
            annotations: common.annotations,
            origin: origin(own),
        }
    }
}

/// The labels that say which HelmRelease an object belongs to.
pub(crate) fn origin(own: &HelmRelease) -> Pairs {
    BTreeMap::from([
        (key::HELM_RELEASE_NAME.to_owned(), own.metadata.name.clone()),
        (
            key::HELM_RELEASE_NAMESPACE.to_owned(),
            own.metadata.namespace.clone(),
        ),
    ])
}

impl PostRender for Renderers {
    fn run(&mut self, documents: &str) -> Result<String, String> {
        let mut objects = read(documents)?;
        for (patches, images) in &self.kustomize {
            objects = post_render(&objects, patches, images)
                .map_err(|e| e.chain())?
                .into_iter()
                .map(|object| object.value)
                .collect();
        }
        for object in &mut objects {
            set(object, "labels", &self.labels)?;
            set(object, "annotations", &self.annotations)?;
            set(object, "labels", &self.origin)?;
        }
        Ok(emit::sigs_stream(&objects))
    }
}

/// The objects of a stream as kustomize reads them; a List is its items.
fn read(documents: &str) -> Result<Vec<Value>, String> {
    let mut objects = Vec::new();
    for document in weir_yaml::parse_all(documents).map_err(|e| e.to_string())? {
        let Some(root) = document.root.filter(|root| !root.is_null_or_empty()) else {
            continue;
        };
        let value = weir_yaml::to_json(&root, Dialect::Kyaml).map_err(|e| e.to_string())?;
        collect(value, &mut objects);
    }
    Ok(objects)
}

fn collect(mut value: Value, objects: &mut Vec<Value>) {
    let is_list = value
        .get("kind")
        .and_then(Value::as_str)
        .is_some_and(|kind| kind.ends_with("List"));
    match value.get_mut("items") {
        Some(Value::Array(items)) if is_list => {
            for item in std::mem::take(items) {
                collect(item, objects);
            }
        }
        _ => objects.push(value),
    }
}

/// Sets labels or annotations.
fn set(object: &mut Value, field: &str, pairs: &Pairs) -> Result<(), String> {
    if pairs.is_empty() {
        return Ok(());
    }
    let mut at = object;
    for key in ["metadata", field] {
        let map = at
            .as_object_mut()
            .ok_or_else(|| format!("cannot set {field} of what is no object"))?;
        let next = map.entry(key).or_insert_with(|| Value::Object(Map::new()));
        if next.is_null() {
            *next = Value::Object(Map::new());
        }
        at = next;
    }
    let map = at
        .as_object_mut()
        .ok_or_else(|| format!("metadata.{field} is no map"))?;
    for (key, value) in pairs {
        map.insert(key.clone(), value.clone().into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run(fields: Value, documents: &str) -> Result<String, String> {
        let mut spec = json!({"interval": "1m"});
        for (field, value) in fields.as_object().unwrap() {
            spec[field] = value.clone();
        }
        let own: HelmRelease =
            serde_json::from_value(json!({"metadata": {"name": "web", "namespace": "apps"}, "spec": spec}))
                .unwrap();
        Renderers::of(&own).run(documents)
    }

    const ORIGIN: &str = "    helm.toolkit.fluxcd.io/name: web\n    helm.toolkit.fluxcd.io/namespace: apps\n";

    #[test]
    fn every_object_says_whose_it_is() {
        let out = run(
            json!({"commonMetadata": {"labels": {"a": "b", "helm.toolkit.fluxcd.io/name": "other"}, "annotations": {"c": "d"}}}),
            "# Source: x\napiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: x\n    labels:\n  data: {k: yes}\n---\n---\nkind: Secret\napiVersion: v1\nmetadata: {name: y}\n",
        )
        .unwrap();
        let first = "apiVersion: v1\ndata:\n  k: \"yes\"\nkind: ConfigMap\nmetadata:\n  annotations:\n    c: d\n  labels:\n    a: b\n";
        let second =
            "apiVersion: v1\nkind: Secret\nmetadata:\n  annotations:\n    c: d\n  labels:\n    a: b\n";
        assert_eq!(
            out,
            format!("{first}{ORIGIN}  name: x\n---\n{second}{ORIGIN}  name: \"y\"\n")
        );
    }

    #[test]
    fn patches_and_images_come_first_and_in_order() {
        let web = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  template:\n    spec:\n      containers:\n      - name: web\n        image: example/web:1\n";
        let out = run(
            json!({"postRenderers": [
                {"kustomize": {"images": [{"name": "example/web", "newTag": "2"}]}},
                {"kustomize": {"patches": [{"target": {"kind": "Deployment"}, "patch": "- op: add\n  path: /spec/replicas\n  value: 3\n"}]}},
            ]}),
            web,
        )
        .unwrap();
        assert!(
            out.contains("image: example/web:2") && out.contains("replicas: 3"),
            "{out}"
        );
        assert!(out.contains(ORIGIN), "{out}");
    }

    #[test]
    fn what_is_no_object_is_refused() {
        assert!(run(json!({}), "- a\n").is_err());
        assert!(run(json!({}), "kind: A\nmetadata: {labels: [x]}\n").is_err());
        assert_eq!(run(json!({}), "").unwrap(), "");
    }
}
