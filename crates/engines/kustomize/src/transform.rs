//! Transformers, a file each.

mod annotations;
mod hash;
mod images;
mod labels;
mod name_reference;
mod namespace;
mod patch;
mod patch_json6902;
mod patch_strategic_merge;
mod prefix;
mod replacements;
mod replicas;
mod sort;
mod suffix;
mod value_add;
mod vars;

pub(crate) use images::split as split_image;
pub(crate) use name_reference::fix as fix_name_references;
pub(crate) use namespace::SubjectMode;
pub(crate) use patch::PatchTransformer;
pub(crate) use patch_strategic_merge::load as load_strategic_merge_patches;
pub(crate) use replacements::load as load_replacements;
pub(crate) use sort::{sort, sort_legacy};
pub(crate) use value_add::AddTarget;
pub(crate) use vars::{indexed, resolve as resolve_vars};

use std::collections::BTreeMap;

use crate::effects::Effects;
use crate::error::Result;
use crate::fieldspec::FieldSpec;
use crate::jsonpatch::Operation;
use crate::kustomization::{Image, Replacement, Replica};
use crate::resmap::ResMap;
use crate::resource::Resource;
use crate::schema::Schema;
use crate::selector::Selector;

/// A transformer with its configuration.
pub(crate) enum Transformer {
    PatchStrategicMerge(Vec<Resource>),
    Patch(PatchTransformer),
    Namespace {
        namespace: String,
        specs: Vec<FieldSpec>,
        unset_only: bool,
        subjects: SubjectMode,
    },
    Prefix {
        prefix: String,
        specs: Vec<FieldSpec>,
    },
    Suffix {
        suffix: String,
        specs: Vec<FieldSpec>,
    },
    Labels {
        labels: BTreeMap<String, String>,
        specs: Vec<FieldSpec>,
    },
    Annotations {
        annotations: BTreeMap<String, String>,
        specs: Vec<FieldSpec>,
    },
    PatchJson6902 {
        target: Option<Selector>,
        operations: Vec<Operation>,
    },
    Replicas {
        replica: Replica,
        specs: Vec<FieldSpec>,
    },
    /// Consecutive images, which act one after the other.
    Images {
        images: Vec<Image>,
        specs: Vec<FieldSpec>,
    },
    Replacements(Vec<Replacement>),
    ValueAdd {
        value: String,
        targets: Vec<AddTarget>,
    },
    Hash,
}

impl Transformer {
    /// Whether it passes over objects that were deleted, so that many of its kind may delete before the list is gone
    /// through once.
    pub(crate) fn is_patch(&self) -> bool {
        matches!(
            self,
            Self::PatchStrategicMerge(_) | Self::Patch(_) | Self::PatchJson6902 { .. }
        )
    }

    /// Changes the objects, and notes what parts that select objects or fields have reached.
    pub(crate) fn run(&self, map: &mut ResMap, schema: &Schema, effects: &mut Effects) -> Result<()> {
        match self {
            Self::PatchStrategicMerge(patches) => patch_strategic_merge::run(patches, map, schema, effects),
            Self::Patch(patch) => patch.run(map, schema, effects),
            Self::Namespace {
                namespace,
                specs,
                unset_only,
                subjects,
            } => namespace::run(namespace, specs, *unset_only, *subjects, map, schema),
            Self::Prefix { prefix, specs } => prefix::run(prefix, specs, map, schema),
            Self::Suffix { suffix, specs } => suffix::run(suffix, specs, map, schema),
            Self::Labels { labels, specs } => labels::run(labels, specs, map),
            Self::Annotations { annotations, specs } => annotations::run(annotations, specs, map),
            Self::PatchJson6902 { target, operations } => {
                patch_json6902::run(target.as_ref(), operations, map, schema, effects)
            }
            Self::Replicas { replica, specs } => replicas::run(replica, specs, map, schema),
            Self::Images { images, specs } => images::run(images, specs, map, effects),
            Self::Replacements(list) => replacements::run(list, map, effects),
            Self::ValueAdd { value, targets } => value_add::run(value, targets, map, schema),
            Self::Hash => hash::run(map, schema),
        }
    }
}
