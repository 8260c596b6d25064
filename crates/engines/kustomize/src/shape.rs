//! The fields of kustomize's configuration files.

/// What a value may be.
#[derive(Debug)]
pub(crate) enum Shape {
    Any,
    Text,
    Bool,
    Int,
    List(&'static Self),
    Map(&'static Self),
    Struct(&'static [(&'static str, Self)]),
}

impl Shape {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Text => "string",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Struct(_) => "object",
        }
    }
}

use Shape::{Any, Bool, Int, List, Map, Struct, Text};

const TEXTS: Shape = List(&Text);
const TEXT_MAP: Shape = Map(&Text);

const FIELD_SPEC: Shape = Struct(&[
    ("group", Text),
    ("version", Text),
    ("kind", Text),
    ("path", Text),
    ("create", Bool),
]);
pub(crate) const FIELD_SPECS: Shape = List(&FIELD_SPEC);

const SELECTOR: Shape = Struct(&[
    ("group", Text),
    ("version", Text),
    ("kind", Text),
    ("name", Text),
    ("namespace", Text),
    ("annotationSelector", Text),
    ("labelSelector", Text),
]);

const PATCH_OPTIONS: Shape = Struct(&[("allowNameChange", Bool), ("allowKindChange", Bool)]);

const PATCH: Shape = Struct(&[
    ("path", Text),
    ("patch", Text),
    ("target", SELECTOR),
    ("options", PATCH_OPTIONS),
]);

const IMAGE: Shape = Struct(&[
    ("name", Text),
    ("newName", Text),
    ("tagSuffix", Text),
    ("newTag", Text),
    ("digest", Text),
]);

const GENERATOR_OPTIONS: Shape = Struct(&[
    ("labels", TEXT_MAP),
    ("annotations", TEXT_MAP),
    ("disableNameSuffixHash", Bool),
    ("immutable", Bool),
]);

const CONFIG_MAP: Shape = Struct(&[
    ("name", Text),
    ("namespace", Text),
    ("behavior", Text),
    ("literals", TEXTS),
    ("files", TEXTS),
    ("envs", TEXTS),
    ("env", Text),
    ("options", GENERATOR_OPTIONS),
]);

const SECRET: Shape = Struct(&[
    ("name", Text),
    ("namespace", Text),
    ("behavior", Text),
    ("literals", TEXTS),
    ("files", TEXTS),
    ("envs", TEXTS),
    ("env", Text),
    ("options", GENERATOR_OPTIONS),
    ("type", Text),
]);

const FIELD_OPTIONS: Shape = Struct(&[
    ("delimiter", Text),
    ("index", Int),
    ("encoding", Text),
    ("create", Bool),
]);

const SOURCE: Shape = Struct(&[
    ("group", Text),
    ("version", Text),
    ("kind", Text),
    ("name", Text),
    ("namespace", Text),
    ("fieldPath", Text),
    ("options", FIELD_OPTIONS),
]);

const TARGET: Shape = Struct(&[
    ("select", SELECTOR),
    ("reject", List(&SELECTOR)),
    ("fieldPaths", TEXTS),
    ("options", FIELD_OPTIONS),
]);

pub(crate) const REPLACEMENT: Shape = Struct(&[
    ("path", Text),
    ("source", SOURCE),
    ("sourceValue", Text),
    ("targets", List(&TARGET)),
]);

const REPLICA: Shape = Struct(&[("name", Text), ("count", Int)]);

const LABEL: Shape = Struct(&[
    ("pairs", TEXT_MAP),
    ("includeSelectors", Bool),
    ("includeTemplates", Bool),
    ("fields", FIELD_SPECS),
]);

const VAR: Shape = Struct(&[
    ("name", Text),
    (
        "objref",
        Struct(&[
            ("apiVersion", Text),
            ("group", Text),
            ("version", Text),
            ("kind", Text),
            ("name", Text),
            ("namespace", Text),
        ]),
    ),
    ("fieldref", Struct(&[("fieldPath", Text)])),
]);

const LEGACY_SORT: Shape = Struct(&[("orderFirst", TEXTS), ("orderLast", TEXTS)]);
pub(crate) const SORT_OPTIONS: Shape = Struct(&[("order", Text), ("legacySortOptions", LEGACY_SORT)]);

const META: Shape = Struct(&[
    ("name", Text),
    ("namespace", Text),
    ("labels", TEXT_MAP),
    ("annotations", TEXT_MAP),
]);

const HELM_GLOBALS: Shape = Struct(&[("chartHome", Text), ("configHome", Text)]);

const HELM_CHART: Shape = Struct(&[
    ("name", Text),
    ("version", Text),
    ("repo", Text),
    ("releaseName", Text),
    ("namespace", Text),
    ("additionalValuesFiles", TEXTS),
    ("valuesFile", Text),
    ("valuesInline", Any),
    ("valuesMerge", Text),
    ("includeCRDs", Bool),
    ("skipHooks", Bool),
    ("apiVersions", TEXTS),
    ("kubeVersion", Text),
    ("nameTemplate", Text),
    ("skipTests", Bool),
    ("debug", Bool),
    ("devel", Bool),
]);

/// An entry of `helmChartInflationGenerator`.
const OLD_HELM_CHART: Shape = Struct(&[
    ("chartName", Text),
    ("chartVersion", Text),
    ("chartRepoUrl", Text),
    ("chartHome", Text),
    ("chartRepoName", Text),
    ("helmBin", Text),
    ("helmHome", Text),
    ("values", Text),
    ("valuesLocal", Any),
    ("valuesMerge", Text),
    ("releaseName", Text),
    ("releaseNamespace", Text),
    ("extraArgs", TEXTS),
]);

/// kustomization.yaml
pub(crate) static KUSTOMIZATION: Shape = Struct(&[
    ("kind", Text),
    ("apiVersion", Text),
    ("metadata", META),
    ("openapi", TEXT_MAP),
    ("namePrefix", Text),
    ("nameSuffix", Text),
    ("namespace", Text),
    ("commonLabels", TEXT_MAP),
    ("labels", List(&LABEL)),
    ("commonAnnotations", TEXT_MAP),
    ("patchesStrategicMerge", TEXTS),
    ("patchesJson6902", List(&PATCH)),
    ("patches", List(&PATCH)),
    ("images", List(&IMAGE)),
    ("imageTags", List(&IMAGE)),
    ("replacements", List(&REPLACEMENT)),
    ("replicas", List(&REPLICA)),
    ("vars", List(&VAR)),
    ("sortOptions", SORT_OPTIONS),
    ("resources", TEXTS),
    ("components", TEXTS),
    ("crds", TEXTS),
    ("bases", TEXTS),
    ("configMapGenerator", List(&CONFIG_MAP)),
    ("secretGenerator", List(&SECRET)),
    ("helmGlobals", HELM_GLOBALS),
    ("helmCharts", List(&HELM_CHART)),
    ("helmChartInflationGenerator", List(&OLD_HELM_CHART)),
    ("generatorOptions", GENERATOR_OPTIONS),
    ("configurations", TEXTS),
    ("generators", TEXTS),
    ("transformers", TEXTS),
    ("validators", TEXTS),
    ("buildMetadata", TEXTS),
]);

const NAME_REFERENCE: Shape = Struct(&[
    ("group", Text),
    ("version", Text),
    ("kind", Text),
    ("fieldSpecs", FIELD_SPECS),
]);

/// A file of `configurations`.
pub(crate) static CONFIGURATION: Shape = Struct(&[
    ("namePrefix", FIELD_SPECS),
    ("nameSuffix", FIELD_SPECS),
    ("namespace", FIELD_SPECS),
    ("commonLabels", FIELD_SPECS),
    ("labels", FIELD_SPECS),
    ("templateLabels", FIELD_SPECS),
    ("commonAnnotations", FIELD_SPECS),
    ("nameReference", List(&NAME_REFERENCE)),
    ("varReference", FIELD_SPECS),
    ("images", FIELD_SPECS),
    ("replicas", FIELD_SPECS),
]);

const ADD_TARGET: Shape = Struct(&[
    ("selector", SELECTOR),
    ("fieldPath", Text),
    ("filePathPosition", Int),
]);

/// Everything that a built-in generator or transformer may be configured with.
pub(crate) static PLUGIN: Shape = Struct(&[
    ("metadata", META),
    ("annotations", TEXT_MAP),
    ("labels", TEXT_MAP),
    ("fieldSpecs", FIELD_SPECS),
    ("imageTag", IMAGE),
    ("unsetOnly", Bool),
    ("setRoleBindingSubjects", Text),
    ("target", SELECTOR),
    ("path", Text),
    ("jsonOp", Text),
    ("paths", TEXTS),
    ("patches", Text),
    ("patch", Text),
    ("options", Any),
    ("prefix", Text),
    ("suffix", Text),
    ("replacements", List(&REPLACEMENT)),
    ("replica", REPLICA),
    ("sortOptions", SORT_OPTIONS),
    ("value", Text),
    ("targets", List(&ADD_TARGET)),
    ("targetFilePath", Text),
    ("name", Text),
    ("namespace", Text),
    ("behavior", Text),
    ("literals", TEXTS),
    ("files", TEXTS),
    ("envs", TEXTS),
    ("env", Text),
    ("type", Text),
    ("cloud", Text),
    ("kubernetesService", META),
    ("serviceAccount", Struct(&[("name", Text), ("projectId", Text)])),
]);

/// A file of targets for the transformer that adds values.
pub(crate) static ADD_TARGETS: Shape = Struct(&[("targets", List(&ADD_TARGET))]);
