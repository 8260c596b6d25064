//! kustomization.yaml

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::decode;
use crate::error::{Error, Result, Within};
use crate::fieldspec::FieldSpec;
use crate::generate;
use crate::id::Gvk;
use crate::selector::Selector;
use crate::shape::KUSTOMIZATION;

/// File names that are recognised, in this order.
pub const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// `metadata` of a configuration object.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Meta {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
}

/// An entry of `patches`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Patch {
    /// File with the patch.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// The patch itself.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub patch: String,
    /// The objects to patch; without it a strategic merge patch names its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Selector>,
    /// What the patch may change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<PatchOptions>,
}

/// What a patch may change besides content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PatchOptions {
    /// `metadata.name`
    pub allow_name_change: bool,
    /// `kind`
    pub allow_kind_change: bool,
}

/// An entry of `images`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Image {
    /// Name without tag that is looked for.
    pub name: String,
    /// Name to put in its place.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub new_name: String,
    /// Text to append to the tag.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tag_suffix: String,
    /// New tag.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub new_tag: String,
    /// New digest.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub digest: String,
}

/// `generatorOptions`, and `options` of a generator.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct GeneratorOptions {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) disable_name_suffix_hash: bool,
    pub(crate) immutable: bool,
}

/// An entry of `configMapGenerator` or `secretGenerator`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct GeneratorArgs {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) behavior: String,
    pub(crate) literals: Vec<String>,
    pub(crate) files: Vec<String>,
    pub(crate) envs: Vec<String>,
    pub(crate) env: String,
    pub(crate) options: Option<GeneratorOptions>,
    /// Secrets only.
    #[serde(rename = "type")]
    pub(crate) secret_type: String,
}

/// `options` of a replacement's source or target.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct FieldOptions {
    pub(crate) delimiter: String,
    pub(crate) index: i64,
    pub(crate) create: bool,
}

/// `source` of a replacement.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Source {
    #[serde(flatten)]
    pub(crate) gvk: Gvk,
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) field_path: String,
    pub(crate) options: Option<FieldOptions>,
}

/// An entry of `targets` of a replacement.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Target {
    pub(crate) select: Option<Selector>,
    pub(crate) reject: Vec<Selector>,
    pub(crate) field_paths: Vec<String>,
    pub(crate) options: Option<FieldOptions>,
}

/// An entry of `replacements`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Replacement {
    pub(crate) path: String,
    pub(crate) source: Option<Source>,
    pub(crate) source_value: Option<String>,
    pub(crate) targets: Option<Vec<Target>>,
}

/// An entry of `replicas`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Replica {
    pub(crate) name: String,
    pub(crate) count: i64,
}

/// An entry of `labels`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Label {
    pub(crate) pairs: BTreeMap<String, String>,
    pub(crate) include_selectors: bool,
    pub(crate) include_templates: bool,
    pub(crate) fields: Vec<FieldSpec>,
}

/// An entry of `vars`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Var {
    pub(crate) name: String,
    pub(crate) objref: VarObject,
    pub(crate) fieldref: VarField,
}

/// The object of a var.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct VarObject {
    pub(crate) api_version: String,
    #[serde(flatten)]
    pub(crate) gvk: Gvk,
    pub(crate) name: String,
    pub(crate) namespace: String,
}

impl VarObject {
    /// Group, version, kind; `apiVersion` wins.
    pub(crate) fn gvk(&self) -> Gvk {
        let mut gvk = self.gvk.clone();
        match self.api_version.split_once('/') {
            Some((group, version)) => {
                group.clone_into(&mut gvk.group);
                version.clone_into(&mut gvk.version);
            }
            None if !self.api_version.is_empty() => gvk.version.clone_from(&self.api_version),
            None => {}
        }
        gvk
    }
}

/// The field of a var.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct VarField {
    pub(crate) field_path: String,
}

/// `sortOptions`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct SortOptions {
    pub(crate) order: String,
    pub(crate) legacy_sort_options: Option<LegacySortOptions>,
}

/// `legacySortOptions`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct LegacySortOptions {
    pub(crate) order_first: Vec<String>,
    pub(crate) order_last: Vec<String>,
}

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Kustomization {
    pub(crate) kind: String,
    pub(crate) api_version: String,
    pub(crate) metadata: Option<Meta>,
    pub(crate) openapi: BTreeMap<String, String>,
    pub(crate) name_prefix: String,
    pub(crate) name_suffix: String,
    pub(crate) namespace: String,
    pub(crate) common_labels: BTreeMap<String, String>,
    pub(crate) labels: Vec<Label>,
    pub(crate) common_annotations: BTreeMap<String, String>,
    pub(crate) patches_strategic_merge: Vec<String>,
    pub(crate) patches_json6902: Vec<Patch>,
    pub(crate) patches: Vec<Patch>,
    pub(crate) images: Vec<Image>,
    pub(crate) image_tags: Vec<Image>,
    pub(crate) replacements: Vec<Replacement>,
    pub(crate) replicas: Vec<Replica>,
    pub(crate) vars: Vec<Var>,
    pub(crate) sort_options: Option<SortOptions>,
    pub(crate) resources: Vec<String>,
    pub(crate) components: Vec<String>,
    pub(crate) crds: Vec<String>,
    pub(crate) bases: Vec<String>,
    pub(crate) config_map_generator: Vec<GeneratorArgs>,
    pub(crate) secret_generator: Vec<GeneratorArgs>,
    pub(crate) helm_globals: Option<Value>,
    pub(crate) helm_charts: Vec<Value>,
    pub(crate) helm_chart_inflation_generator: Vec<Value>,
    pub(crate) generator_options: Option<GeneratorOptions>,
    pub(crate) configurations: Vec<String>,
    pub(crate) generators: Vec<String>,
    pub(crate) transformers: Vec<String>,
    pub(crate) validators: Vec<String>,
    pub(crate) build_metadata: Vec<String>,
    /// Deprecated fields that were used, each with the one to use instead.
    #[serde(skip)]
    pub(crate) deprecated: Vec<(&'static str, &'static str)>,
}

const COMPONENT: &str = "Component";

impl Kustomization {
    /// Reads and completes a file; `directory` is for messages.
    pub(crate) fn parse(text: &str, directory: &str) -> Result<Self> {
        let mut file: Self = decode::typed(text, &KUSTOMIZATION, true)
            .within(|| format!("invalid Kustomization in '{directory}'"))?;
        file.deprecated = file.deprecated();
        file.complete();
        let (mut charts, globals) = generate::modern(&file.helm_chart_inflation_generator)
            .within(|| format!("invalid Kustomization in '{directory}'"))?;
        file.helm_charts.append(&mut charts);
        file.helm_globals = file.helm_globals.or(globals);
        file.validate(directory)?;
        Ok(file)
    }

    pub(crate) fn is_component(&self) -> bool {
        self.kind == COMPONENT
    }

    /// In the order of kustomize's warnings (`CheckDeprecatedFields` of v5.8.1).
    fn deprecated(&self) -> Vec<(&'static str, &'static str)> {
        [
            (self.bases.is_empty(), "bases", "resources"),
            (self.common_labels.is_empty(), "commonLabels", "labels"),
            (self.image_tags.is_empty(), "imageTags", "images"),
            (self.patches_json6902.is_empty(), "patchesJson6902", "patches"),
            (
                self.patches_strategic_merge.is_empty(),
                "patchesStrategicMerge",
                "patches",
            ),
            (self.vars.is_empty(), "vars", "replacements"),
        ]
        .into_iter()
        .filter(|(unused, ..)| !unused)
        .map(|(_, old, new)| (old, new))
        .collect()
    }

    fn complete(&mut self) {
        if self.kind.is_empty() {
            "Kustomization".clone_into(&mut self.kind);
        }
        if self.api_version.is_empty() {
            self.required_version().clone_into(&mut self.api_version);
        }
        self.resources.append(&mut self.bases);
        self.images.append(&mut self.image_tags);
        for generator in self
            .config_map_generator
            .iter_mut()
            .chain(&mut self.secret_generator)
        {
            if !generator.env.is_empty() {
                generator.envs.push(std::mem::take(&mut generator.env));
            }
        }
    }

    fn required_version(&self) -> &'static str {
        if self.is_component() {
            "kustomize.config.k8s.io/v1alpha1"
        } else {
            "kustomize.config.k8s.io/v1beta1"
        }
    }

    fn validate(&self, directory: &str) -> Result<()> {
        let empty = Self {
            kind: self.kind.clone(),
            api_version: self.api_version.clone(),
            ..Self::default()
        };
        if *self == empty {
            return Err(Error::invalid(format!(
                "kustomization.yaml is empty in '{directory}'"
            )));
        }
        let mut problems = Vec::new();
        if self.kind != "Kustomization" && self.kind != COMPONENT {
            problems.push("kind should be Kustomization or Component".to_owned());
        }
        if self.api_version != self.required_version() {
            let (kind, version) = (&self.kind, self.required_version());
            problems.push(format!("apiVersion for {kind} should be {version}"));
        }
        if problems.is_empty() {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "failed to read kustomization file under {directory}:\n{}",
            problems.join("\n")
        )))
    }
}
