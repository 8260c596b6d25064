//! `patches`: strategic merge or JSON patches, with targets or without.

use crate::effects::Effects;
use crate::error::{Error, Result, Within};
use crate::jsonpatch::{self, Operation};
use crate::kustomization::Patch;
use crate::load;
use crate::loader::Loader;
use crate::resmap::ResMap;
use crate::resource::{Resource, meta_map, set_meta_map};
use crate::schema::Schema;
use crate::selector::Selector;

use super::patch_json6902;

/// An entry of `patches`, read.
pub(crate) struct PatchTransformer {
    content: Content,
    target: Option<Selector>,
    /// How messages name it.
    source: String,
}

enum Content {
    Merge(Vec<Resource>),
    Json(Vec<Operation>),
}

impl PatchTransformer {
    pub(crate) fn load(patch: &Patch, loader: &Loader<'_>) -> Result<Self> {
        let inline = patch.patch.trim();
        let (text, source) = match (inline.is_empty(), patch.path.is_empty()) {
            (true, true) => {
                let target = patch.target.as_ref().map_or(String::new(), describe);
                return Err(Error::invalid(format!(
                    "must specify one of patch and path in\npatch{target}"
                )));
            }
            (false, false) => {
                return Err(Error::invalid(format!(
                    "patch and path can't be set at the same time\npath: {}",
                    patch.path
                )));
            }
            (false, true) => (inline.to_owned(), format!("[patch: {inline:?}]")),
            (true, false) => {
                let text = loader
                    .load_text(&patch.path)
                    .within(|| format!("failed to get the patch file from path({})", patch.path))?;
                (text, format!("[path: {:?}]", patch.path))
            }
        };
        let merge = load::patches(text.as_bytes());
        let json = jsonpatch::parse(&text);
        let content = match (merge, json) {
            (Ok(merge), Ok(json)) if !merge.is_empty() && !json.is_empty() => {
                return Err(Error::invalid(format!(
                    "illegally qualifies as both an SM and JSON patch: {source}"
                )));
            }
            (Ok(merge), _) => Content::Merge(merge),
            (Err(_), Ok(json)) => Content::Json(json),
            (Err(merge), Err(json)) => {
                return Err(Error::invalid(format!(
                    "as SM patch: {}; as JSON patch: {}",
                    merge.chain(),
                    json.chain()
                ))
                .within(format!("unable to parse SM or JSON patch from {source}")));
            }
        };
        let mut transformer = Self {
            content,
            target: patch.target.clone(),
            source,
        };
        if let (Content::Merge(patches), Some(options)) = (&mut transformer.content, patch.options) {
            for patch in patches {
                patch.allow_name_change = options.allow_name_change;
                patch.allow_kind_change = options.allow_kind_change;
                if options.allow_name_change || options.allow_kind_change {
                    // kustomize notes these in the patch's annotations, which makes a text of each: null sets "null"
                    // rather than deleting.
                    if let Some(node) = &mut patch.node {
                        let annotations = meta_map(node, "annotations");
                        set_meta_map(node, "annotations", &annotations)?;
                    }
                }
            }
        }
        Ok(transformer)
    }

    pub(super) fn run(&self, map: &mut ResMap, schema: &Schema, effects: &mut Effects) -> Result<()> {
        match (&self.content, &self.target) {
            (Content::Merge(patches), None) => {
                // A patch that finds no object is a failure.
                effects.reached((0, 0), 1, || None);
                if !patches.is_empty() {
                    effects.merge();
                }
                merge_by_name(patches, map, schema)
            }
            (Content::Merge(patches), Some(target)) => {
                let [patch] = patches.as_slice() else {
                    if patches.is_empty() {
                        effects.reached((0, 0), 1, || None);
                        return Ok(());
                    }
                    return Err(Error::invalid(format!(
                        "Multiple Strategic-Merge Patches in one `patches` entry is not allowed \
                         to set `patches.target` field: {}",
                        self.source
                    )));
                };
                let places = map
                    .select(target, schema)
                    .within(|| format!("unable to find patch target{}", describe(target)))?;
                effects.reached((0, 0), places.len(), || target.near(map.list()));
                if !places.is_empty() {
                    effects.merge();
                }
                map.apply_patch(&places, patch, schema)
            }
            (Content::Json(operations), Some(target)) => {
                let places = map.select(target, schema)?;
                effects.reached((0, 0), places.len(), || target.near(map.list()));
                for at in places {
                    map.change(at, schema, |resource| {
                        resource.store_previous(schema);
                        patch_json6902::apply(operations, resource)
                            .within(|| format!("patch {}", self.source))
                    })?;
                }
                Ok(())
            }
            (Content::Json(_), None) => Err(Error::invalid(format!(
                "must specify a target for JSON patch {}",
                self.source
            ))),
        }
    }
}

fn merge_by_name(patches: &[Resource], map: &mut ResMap, schema: &Schema) -> Result<()> {
    for patch in patches {
        let id = patch.original_id(schema);
        let at = map
            .by_id(&id, schema)
            .within(|| format!("no resource matches strategic merge patch \"{id}\""))?;
        map.change(at, schema, |target| target.apply_patch(patch, schema))?;
    }
    Ok(())
}

fn describe(target: &Selector) -> String {
    format!(
        " for {} name '{}' namespace '{}' labels '{}' annotations '{}'",
        target.gvk, target.name, target.namespace, target.label_selector, target.annotation_selector
    )
}
