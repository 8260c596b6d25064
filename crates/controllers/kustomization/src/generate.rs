//! The kustomization that a spec asks for, built.

use weir_apis::kind::KustomizationSpec;
use weir_kustomize::flux::{Overrides, build_directory_cached};
use weir_kustomize::{Cache, Error, MemoryFiles, Resources};
use weir_runtime::overlay;

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
        patches: spec.patches.iter().map(overlay::patch).collect(),
        components: spec.components.clone(),
        ignore_missing_components: spec.ignore_missing_components,
        images: spec.images.iter().map(overlay::image).collect(),
        build_metadata: spec.build_metadata.clone(),
    };
    build_directory_cached(tree, spec.path.as_deref().unwrap_or("/"), &overrides, cache)
}
