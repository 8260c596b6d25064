//! Which fields and which oddities the trees that build have reached: what nothing reaches is compared with nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::Value;
use weir_yaml::{Dialect, Duplicates, ParseOptions, parse_all_with, to_json};

use super::tree::Tree;

/// The fields of kustomization.yaml in v5.8.1, but for those of Helm charts, which need a program that is not there.
const FIELDS: &[&str] = &[
    "apiVersion",
    "kind",
    "metadata.name",
    "metadata.namespace",
    "metadata.labels",
    "metadata.annotations",
    "openapi.path",
    "openapi.version",
    "namePrefix",
    "nameSuffix",
    "namespace",
    "commonLabels",
    "labels[].pairs",
    "labels[].includeSelectors",
    "labels[].includeTemplates",
    "labels[].fields[].path",
    "labels[].fields[].kind",
    "labels[].fields[].group",
    "labels[].fields[].version",
    "labels[].fields[].create",
    "commonAnnotations",
    "patches[].path",
    "patches[].patch",
    "patches[].target.group",
    "patches[].target.version",
    "patches[].target.kind",
    "patches[].target.name",
    "patches[].target.namespace",
    "patches[].target.labelSelector",
    "patches[].target.annotationSelector",
    "patches[].options.allowNameChange",
    "patches[].options.allowKindChange",
    "patchesStrategicMerge[]",
    "patchesJson6902[].path",
    "patchesJson6902[].patch",
    "patchesJson6902[].target.group",
    "patchesJson6902[].target.version",
    "patchesJson6902[].target.kind",
    "patchesJson6902[].target.name",
    "patchesJson6902[].target.namespace",
    "images[].name",
    "images[].newName",
    "images[].newTag",
    "images[].digest",
    "images[].tagSuffix",
    "imageTags[].name",
    "replacements[].path",
    "replacements[].source.group",
    "replacements[].source.version",
    "replacements[].source.kind",
    "replacements[].source.name",
    "replacements[].source.namespace",
    "replacements[].source.fieldPath",
    "replacements[].source.options.delimiter",
    "replacements[].source.options.index",
    "replacements[].sourceValue",
    "replacements[].targets[].select.kind",
    "replacements[].targets[].select.name",
    "replacements[].targets[].select.namespace",
    "replacements[].targets[].select.labelSelector",
    "replacements[].targets[].reject[].kind",
    "replacements[].targets[].reject[].name",
    "replacements[].targets[].fieldPaths[]",
    "replacements[].targets[].options.create",
    "replacements[].targets[].options.delimiter",
    "replacements[].targets[].options.index",
    "replacements[].targets[].options.encoding",
    "replicas[].name",
    "replicas[].count",
    "vars[].name",
    "vars[].objref.apiVersion",
    "vars[].objref.kind",
    "vars[].objref.name",
    "vars[].objref.namespace",
    "vars[].fieldref.fieldPath",
    "sortOptions.order",
    "sortOptions.legacySortOptions.orderFirst[]",
    "sortOptions.legacySortOptions.orderLast[]",
    "resources[]",
    "components[]",
    "bases[]",
    "crds[]",
    "configMapGenerator[].name",
    "configMapGenerator[].namespace",
    "configMapGenerator[].behavior",
    "configMapGenerator[].literals[]",
    "configMapGenerator[].files[]",
    "configMapGenerator[].envs[]",
    "configMapGenerator[].env",
    "configMapGenerator[].options.labels",
    "configMapGenerator[].options.annotations",
    "configMapGenerator[].options.disableNameSuffixHash",
    "configMapGenerator[].options.immutable",
    "secretGenerator[].name",
    "secretGenerator[].type",
    "secretGenerator[].behavior",
    "secretGenerator[].literals[]",
    "secretGenerator[].files[]",
    "secretGenerator[].envs[]",
    "secretGenerator[].options.labels",
    "generatorOptions.labels",
    "generatorOptions.annotations",
    "generatorOptions.disableNameSuffixHash",
    "generatorOptions.immutable",
    "configurations[]",
    "generators[]",
    "transformers[]",
    "validators[]",
    "buildMetadata[]",
    "plugin ConfigMapGenerator",
    "plugin SecretGenerator",
    "plugin AnnotationsTransformer",
    "plugin LabelTransformer",
    "plugin HashTransformer",
    "plugin ImageTagTransformer",
    "plugin NamespaceTransformer",
    "plugin PatchJson6902Transformer",
    "plugin PatchStrategicMergeTransformer",
    "plugin PatchTransformer",
    "plugin PrefixTransformer",
    "plugin SuffixTransformer",
    "plugin PrefixSuffixTransformer",
    "plugin ReplacementTransformer",
    "plugin ReplicaCountTransformer",
    "plugin ValueAddTransformer",
    "text: Windows line ends",
    "text: tabs",
    "text: beyond ASCII",
    "text: comments",
    "text: anchors",
    "text: merge keys",
    "text: literal blocks",
    "text: folded blocks",
    "text: single quotes",
    "text: double quotes",
    "text: flow collections",
    "text: several documents",
    "text: lists of a kind",
    "tree: the same name in several bases",
    "tree: several bases",
    "tree: three levels",
    "tree: components of components",
];

/// Maps whose keys are the user's.
const FREE: [&str; 8] = [
    "commonLabels",
    "commonAnnotations",
    "pairs",
    "labels",
    "annotations",
    "valuesInline",
    "data",
    "stringData",
];

/// How many trees have reached what.
#[derive(Default)]
pub(super) struct Coverage(BTreeMap<String, usize>);

impl Coverage {
    /// Counts a tree.
    pub(super) fn add(&mut self, tree: &Tree) {
        for what in reached(tree) {
            *self.0.entry(what).or_default() += 1;
        }
    }

    /// A table: a line for each field with its count.
    pub(super) fn table(&self) -> String {
        let mut text = String::new();
        let known: BTreeSet<&str> = FIELDS.iter().copied().collect();
        for field in FIELDS {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{:>7}  {field}",
                self.0.get(*field).copied().unwrap_or_default()
            );
        }
        for (field, count) in self.0.iter().filter(|(field, _)| !known.contains(field.as_str())) {
            let _ = writeln!(text, "{count:>7}  {field}");
        }
        text
    }

    /// The fields that nothing has reached.
    pub(super) fn missed(&self) -> Vec<&'static str> {
        FIELDS
            .iter()
            .copied()
            .filter(|field| !self.0.contains_key(*field))
            .collect()
    }
}

fn reached(tree: &Tree) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut names: BTreeMap<(String, String), BTreeSet<&str>> = BTreeMap::new();
    let mut bases = 0;
    for (path, content) in &tree.files {
        let text = String::from_utf8_lossy(content);
        marks(&text, &mut all);
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
        let options = ParseOptions {
            duplicates: Duplicates::Keep,
            ..ParseOptions::default()
        };
        let documents = parse_all_with(&text, options).unwrap_or_default();
        if documents.len() > 1 {
            all.insert("text: several documents".into());
        }
        let values = documents.iter().filter_map(|document| document.root.as_ref());
        for value in values.filter_map(|root| to_json(root, Dialect::Sigs).ok()) {
            if ["kustomization.yaml", "kustomization.yml", "Kustomization"].contains(&file) {
                let resources = value
                    .get("resources")
                    .and_then(Value::as_array)
                    .map_or(0, Vec::len);
                bases = bases.max(resources);
                fields(&value, "", &mut all);
                let is_component = value.get("kind").and_then(Value::as_str) == Some("Component");
                if is_component && value.get("components").is_some() {
                    all.insert("tree: components of components".into());
                }
                for inline in ["generators", "transformers", "validators"] {
                    for text in value.get(inline).and_then(Value::as_array).into_iter().flatten() {
                        plugin(text.as_str().and_then(read).as_ref(), &mut all);
                    }
                }
            } else {
                plugin(Some(&value), &mut all);
                let part = |at: &str| {
                    value
                        .pointer(at)
                        .and_then(Value::as_str)
                        .unwrap_or_default()
                        .to_owned()
                };
                if part("/kind").ends_with("List") {
                    all.insert("text: lists of a kind".into());
                }
                names
                    .entry((part("/kind"), part("/metadata/name")))
                    .or_default()
                    .insert(folder);
            }
        }
    }
    if names
        .iter()
        .any(|((kind, name), folders)| !kind.is_empty() && !name.is_empty() && folders.len() > 1)
    {
        all.insert("tree: the same name in several bases".into());
    }
    let kustomizations = tree
        .files
        .keys()
        .filter(|path| path.to_lowercase().contains("/kustomization"));
    if bases > 1 && kustomizations.clone().count() > 2 {
        all.insert("tree: several bases".into());
    }
    if kustomizations.filter(|path| path.contains("over")).count() > 1 {
        all.insert("tree: three levels".into());
    }
    all
}

fn read(text: &str) -> Option<Value> {
    let documents = parse_all_with(text, ParseOptions::default()).ok()?;
    to_json(documents.first()?.root.as_ref()?, Dialect::Sigs).ok()
}

fn plugin(value: Option<&Value>, all: &mut BTreeSet<String>) {
    let part = |name: &str| value.and_then(|value| value.get(name)).and_then(Value::as_str);
    if let (Some("builtin"), Some(kind)) = (part("apiVersion"), part("kind")) {
        all.insert(format!("plugin {kind}"));
    }
}

/// The paths of a value's scalars, and of maps whose keys are the user's.
fn fields(value: &Value, at: &str, all: &mut BTreeSet<String>) {
    let name = at.rsplit('.').next().unwrap_or_default();
    match value {
        Value::Object(map) if !FREE.contains(&name) || at == "labels" => {
            for (key, value) in map {
                let path = if at.is_empty() {
                    key.clone()
                } else {
                    format!("{at}.{key}")
                };
                fields(value, &path, all);
            }
        }
        Value::Array(items) => {
            for item in items {
                fields(item, &format!("{at}[]"), all);
            }
        }
        _ => {
            all.insert(at.to_owned());
        }
    }
}

fn marks(text: &str, all: &mut BTreeSet<String>) {
    let lines = || text.lines();
    for (name, found) in [
        ("Windows line ends", text.contains("\r\n")),
        ("tabs", text.contains('\t')),
        ("beyond ASCII", !text.is_ascii()),
        (
            "comments",
            lines().any(|line| line.trim_start().starts_with('#') || line.contains(" #")),
        ),
        ("anchors", text.contains(": &") || text.contains("- &")),
        ("merge keys", text.contains("<<: *") || text.contains("<<: [")),
        (
            "literal blocks",
            lines().any(|line| line.trim_end_matches(['-', '+']).ends_with(" |")),
        ),
        (
            "folded blocks",
            lines().any(|line| line.trim_end_matches(['-', '+']).ends_with(" >")),
        ),
        ("single quotes", text.contains(": '")),
        ("double quotes", text.contains(": \"")),
        ("flow collections", text.contains(": {") || text.contains(": [")),
    ] {
        if found {
            all.insert(format!("text: {name}"));
        }
    }
}
