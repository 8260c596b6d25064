//! Digests of the parts of a spec that change what is rendered without changing chart or values: of their JSON as Go
//! writes it, so that a Flux that takes over finds its own (flux-controllers.md §4.4).

use std::collections::BTreeMap;

use serde::Serialize;
use weir_apis::kind::helm_release::PostRenderer;
use weir_apis::kind::{CommonMetadata, HelmReleaseSpec, Image, Patch};
use weir_oci::Digest;

/// What changes what is rendered; `None` where the spec has nothing of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Digests {
    pub(crate) post_renderers: Option<String>,
    pub(crate) common_metadata: Option<String>,
}

impl Digests {
    pub(crate) fn of(spec: &HelmReleaseSpec) -> Self {
        let list: Vec<Renderer<'_>> = spec.post_renderers.iter().map(Renderer::of).collect();
        Self {
            post_renderers: (!list.is_empty()).then(|| digest(&list)),
            common_metadata: spec.common_metadata.as_ref().map(|m| digest(&Metadata::of(m))),
        }
    }

    /// Which of them differs from what was observed.
    pub(crate) fn differs(&self, observed: &Self) -> Option<&'static str> {
        if self.post_renderers != observed.post_renderers {
            return Some("postrenderers");
        }
        (self.common_metadata != observed.common_metadata).then_some("common metadata")
    }
}

// The structs below give the fields in the order of Flux's Go structs.

#[derive(Serialize)]
struct Renderer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    kustomize: Option<Kustomize<'a>>,
}

#[derive(Serialize)]
struct Kustomize<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    patches: Vec<GoPatch<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<GoImage<'a>>,
}

#[derive(Serialize)]
struct GoPatch<'a> {
    patch: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Target<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Target<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    group: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    version: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    kind: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    annotation_selector: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    label_selector: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GoImage<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    new_name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    new_tag: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    digest: &'a str,
}

#[derive(Serialize)]
struct Metadata<'a> {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: &'a BTreeMap<String, String>,
}

impl<'a> Renderer<'a> {
    fn of(renderer: &'a PostRenderer) -> Self {
        Self {
            kustomize: renderer.kustomize.as_ref().map(|kustomize| Kustomize {
                patches: kustomize.patches.iter().map(GoPatch::of).collect(),
                images: kustomize.images.iter().map(GoImage::of).collect(),
            }),
        }
    }
}

impl<'a> GoPatch<'a> {
    fn of(patch: &'a Patch) -> Self {
        let text = |field: &'a Option<String>| field.as_deref().unwrap_or_default();
        Self {
            patch: &patch.patch,
            target: patch.target.as_ref().map(|target| Target {
                group: text(&target.group),
                version: text(&target.version),
                kind: text(&target.kind),
                namespace: text(&target.namespace),
                name: text(&target.name),
                annotation_selector: text(&target.annotation_selector),
                label_selector: text(&target.label_selector),
            }),
        }
    }
}

impl<'a> GoImage<'a> {
    fn of(image: &'a Image) -> Self {
        let text = |field: &'a Option<String>| field.as_deref().unwrap_or_default();
        Self {
            name: &image.name,
            new_name: text(&image.new_name),
            new_tag: text(&image.new_tag),
            digest: text(&image.digest),
        }
    }
}

impl<'a> Metadata<'a> {
    fn of(metadata: &'a CommonMetadata) -> Self {
        Self {
            annotations: &metadata.annotations,
            labels: &metadata.labels,
        }
    }
}

fn digest(value: &impl Serialize) -> String {
    // These structs have nothing that has no JSON.
    let json = serde_json::to_string(value).unwrap_or_default();
    // Go escapes what HTML would take for its own, and ends with a line break.
    let mut text = String::with_capacity(json.len() + 1);
    for c in json.chars() {
        match c {
            '<' => text.push_str("\\u003c"),
            '>' => text.push_str("\\u003e"),
            '&' => text.push_str("\\u0026"),
            '\u{2028}' => text.push_str("\\u2028"),
            '\u{2029}' => text.push_str("\\u2029"),
            c => text.push(c),
        }
    }
    text.push('\n');
    Digest::of(text.as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(fields: serde_json::Value) -> Digests {
        let mut spec = json!({"interval": "1m"});
        for (field, value) in fields.as_object().unwrap() {
            spec[field] = value.clone();
        }
        Digests::of(&serde_json::from_value(spec).unwrap())
    }

    #[test]
    fn json_is_as_go_writes_it() {
        let found = of(json!({
            "postRenderers": [{"kustomize": {
                "images": [{"name": "a", "newTag": "1"}],
                "patches": [{"patch": "- op: add\n  value: <&>", "target": {"name": "x", "kind": "Deployment"}}],
            }}],
            "commonMetadata": {"labels": {"b": "2", "a": "1"}, "annotations": {"c": "3"}},
        }));
        let renderers = "[{\"kustomize\":{\"patches\":[{\"patch\":\"- op: add\\n  value: \\u003c\\u0026\\u003e\",\"target\":{\"kind\":\"Deployment\",\"name\":\"x\"}}],\"images\":[{\"name\":\"a\",\"newTag\":\"1\"}]}}]\n";
        let metadata = "{\"annotations\":{\"c\":\"3\"},\"labels\":{\"a\":\"1\",\"b\":\"2\"}}\n";
        assert_eq!(
            found.post_renderers,
            Some(Digest::of(renderers.as_bytes()).to_string())
        );
        assert_eq!(
            found.common_metadata,
            Some(Digest::of(metadata.as_bytes()).to_string())
        );
    }

    #[test]
    fn what_is_absent_differs_from_what_is_there() {
        let (none, labels) = (
            of(json!({})),
            of(json!({"commonMetadata": {"labels": {"a": "1"}}})),
        );
        assert_eq!(none, Digests::default());
        assert_eq!(none.differs(&none), None);
        assert_eq!(labels.differs(&none), Some("common metadata"));
        let images = of(json!({"postRenderers": [{"kustomize": {"images": [{"name": "a"}]}}]}));
        assert_eq!(images.differs(&none), Some("postrenderers"));
    }
}
