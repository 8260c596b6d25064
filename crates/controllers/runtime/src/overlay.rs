//! Patches and image changes of a spec, as kustomize takes them.

use weir_apis::kind;
use weir_kustomize::{Gvk, Image, Patch, Selector};

/// A patch.
pub fn patch(patch: &kind::Patch) -> Patch {
    Patch {
        patch: patch.patch.clone(),
        target: patch.target.as_ref().map(selector),
        ..Patch::default()
    }
}

fn selector(selector: &kind::Selector) -> Selector {
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

/// An image change.
pub fn image(image: &kind::Image) -> Image {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    Image {
        name: image.name.clone(),
        new_name: text(&image.new_name),
        new_tag: text(&image.new_tag),
        digest: text(&image.digest),
        ..Image::default()
    }
}
