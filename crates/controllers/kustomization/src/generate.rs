//! The kustomization that a spec asks for, built.

use weir_apis::kind::KustomizationSpec;
use weir_kustomize::flux::{Overrides, build_directory_cached};
use weir_kustomize::{Cache, Error, Gvk, Image, MemoryFiles, Patch, Resources, Selector};

/// Builds `spec.path` with the spec's own fields laid over the kustomization file there.
pub(crate) fn generate(
    tree: &MemoryFiles,
    cache: &Cache,
    spec: &KustomizationSpec,
) -> Result<Resources, Error> {
    let overrides = Overrides {
        target_namespace: spec.target_namespace.clone(),
        name_prefix: spec.name_prefix.clone(),
        name_suffix: spec.name_suffix.clone(),
        patches: spec.patches.iter().map(patch).collect(),
        components: spec.components.clone(),
        ignore_missing_components: spec.ignore_missing_components,
        images: spec.images.iter().map(image).collect(),
        build_metadata: spec.build_metadata.clone(),
    };
    build_directory_cached(tree, spec.path.as_deref().unwrap_or("/"), &overrides, cache)
}

fn patch(patch: &weir_apis::kind::Patch) -> Patch {
    Patch {
        patch: patch.patch.clone(),
        target: patch.target.as_ref().map(selector),
        ..Patch::default()
    }
}

fn selector(selector: &weir_apis::kind::Selector) -> Selector {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    Selector {
        gvk: Gvk {
            group: text(&selector.group),
            version: text(&selector.version),
            kind: text(&selector.kind),
        },
        name: text(&selector.name),
        namespace: text(&selector.namespace),
        annotation_selector: text(&selector.annotation_selector),
        label_selector: text(&selector.label_selector),
    }
}

fn image(image: &weir_apis::kind::Image) -> Image {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    Image {
        name: image.name.clone(),
        new_name: text(&image.new_name),
        new_tag: text(&image.new_tag),
        digest: text(&image.digest),
        ..Image::default()
    }
}
