//! Configurations of built-in generators and transformers that stand on their own.

use super::generators::generator;
use super::objects::{NAMES, NAMESPACES, Object};
use super::patches::{json6902, selector, strategic};
use super::replacements::replacement;
use super::tree::Tree;
use crate::dice::Dice;
use crate::value::{Y, map, raw};
use crate::writer::write;

fn configuration(kind: &str) -> Y {
    map([
        ("apiVersion", "builtin".into()),
        ("kind", kind.into()),
        ("metadata", map([("name", "plugin".into())])),
    ])
}

/// Paths with the kinds that have them.
pub(crate) fn field_spec(dice: &mut Dice) -> Y {
    let (path, kind) = [
        ("metadata/labels", ""),
        ("metadata/name", ""),
        ("metadata/namespace", ""),
        ("metadata/annotations", ""),
        ("spec/template/metadata/labels", "Deployment"),
        ("spec/selector/matchLabels", "Deployment"),
        ("spec/any", "MyApp"),
        ("spec/any/a", ""),
        ("spec/configRef/name", "MyApp"),
        ("spec/items[]/name", ""),
        ("spec/template/spec/containers[]/image", ""),
        ("spec/template/spec/containers/image", ""),
        ("spec/replicas", ""),
        ("data", "ConfigMap"),
        ("spec/selector", "Service"),
        ("spec/new/deep", "MyApp"),
        ("metadata/annotations/a.b\\/c", ""),
    ]
    .get(dice.below(17))
    .copied()
    .unwrap_or(("metadata/name", ""));
    let mut y = map([("path", path.into())]);
    if !kind.is_empty() && dice.chance(80) {
        y.push("kind", kind);
    }
    if dice.chance(10) {
        y.push("group", dice.pick(&["apps", "example.com"]));
    }
    if dice.chance(8) {
        y.push("version", "v1");
    }
    if dice.chance(40) && !path.starts_with("metadata/") && path != "spec/replicas" {
        y.push("create", raw("true"));
    }
    y
}

fn field_specs(dice: &mut Dice) -> Y {
    Y::Seq((0..=dice.below(2)).map(|_| field_spec(dice)).collect())
}

/// A transformer's configuration.
pub(crate) fn transformer(dice: &mut Dice, tree: &mut Tree, dir: &str, objects: &[Object], odd: bool) -> Y {
    let kinds = [
        "AnnotationsTransformer",
        "LabelTransformer",
        "HashTransformer",
        "ImageTagTransformer",
        "NamespaceTransformer",
        "PatchJson6902Transformer",
        "PatchStrategicMergeTransformer",
        "PatchTransformer",
        "PrefixTransformer",
        "SuffixTransformer",
        "PrefixSuffixTransformer",
        "ReplacementTransformer",
        "ReplicaCountTransformer",
        "ValueAddTransformer",
    ];
    let kind = if dice.chance(1) {
        dice.pick(&["SortOrderTransformer", "NoSuchTransformer"])
    } else {
        dice.pick(&kinds)
    };
    let mut y = configuration(kind);
    let object = dice.one(objects).cloned();
    match kind {
        "AnnotationsTransformer" => {
            y.push("annotations", map([("t", "x".into())]));
            y.push("fieldSpecs", field_specs(dice));
        }
        "LabelTransformer" => {
            y.push("labels", map([("t", raw(dice.pick(&["x", "\"true\"", "1"])))]));
            y.push("fieldSpecs", field_specs(dice));
        }
        "ImageTagTransformer" => {
            y.push(
                "imageTag",
                map([("name", "nginx".into()), ("newTag", "v9".into())]),
            );
            if dice.chance(60) {
                y.push("fieldSpecs", field_specs(dice));
            }
        }
        "NamespaceTransformer" => {
            y.entry("metadata").push("namespace", dice.pick(&NAMESPACES));
            if dice.chance(30) {
                y.push("unsetOnly", raw("true"));
            }
            if dice.chance(50) {
                y.push(
                    "setRoleBindingSubjects",
                    dice.pick(&["none", "defaultOnly", "allServiceAccounts", "allServiceAccounts"]),
                );
            }
            if dice.chance(80) {
                y.push(
                    "fieldSpecs",
                    Y::Seq(vec![map([
                        ("path", "metadata/namespace".into()),
                        ("create", raw("true")),
                    ])]),
                );
            }
        }
        "PatchJson6902Transformer" => {
            y.push("target", selector(dice, object.as_ref()));
            y.push("jsonOp", json6902(dice, object.as_ref(), odd));
        }
        "PatchStrategicMergeTransformer" => {
            if let Some(object) = &object {
                let patch = strategic(dice, object, odd);
                let text = write(dice, &patch, odd);
                if dice.chance(50) {
                    y.push("patches", text);
                } else {
                    tree.add(&format!("{dir}/t-psm.yaml"), text);
                    y.push("paths", vec![Y::from("t-psm.yaml")]);
                }
            }
        }
        "PatchTransformer" => {
            let json = dice.chance(50);
            let text = match &object {
                Some(object) if !json => {
                    let patch = strategic(dice, object, odd);
                    write(dice, &patch, odd)
                }
                _ => json6902(dice, object.as_ref(), odd),
            };
            y.push("patch", text);
            if json || dice.chance(50) {
                y.push("target", selector(dice, object.as_ref()));
            }
            if dice.chance(20) {
                y.push("options", map([("allowNameChange", raw("true"))]));
            }
        }
        "PrefixTransformer" | "SuffixTransformer" | "PrefixSuffixTransformer" => {
            y.push("prefix", "tp-");
            y.push("suffix", "-ts");
            if dice.chance(98) {
                y.push(
                    "fieldSpecs",
                    Y::Seq(vec![map([("path", "metadata/name".into())])]),
                );
            }
        }
        "ReplacementTransformer" => y.push("replacements", vec![replacement(dice, objects)]),
        "ReplicaCountTransformer" => {
            y.push(
                "replica",
                map([("name", dice.pick(&NAMES).into()), ("count", raw("4"))]),
            );
            y.push(
                "fieldSpecs",
                Y::Seq(vec![map([
                    ("path", "spec/replicas".into()),
                    ("create", raw(dice.pick(&["true", "false"]))),
                ])]),
            );
        }
        "ValueAddTransformer" => {
            y.push("value", dice.pick(&["added", "x/y", ""]));
            y.push(
                "targets",
                vec![map([
                    ("selector", selector(dice, object.as_ref())),
                    (
                        "fieldPath",
                        dice.pick(&["metadata/namespace", "spec/any", "metadata/name", "spec/new"])
                            .into(),
                    ),
                    ("filePathPosition", raw(dice.pick(&["0", "1", "2"]))),
                ])],
            );
        }
        "SortOrderTransformer" => y.push("sortOptions", map([("order", "legacy".into())])),
        _ => {}
    }
    y
}

/// A generator's configuration, and what it makes.
pub(crate) fn generator_configuration(
    dice: &mut Dice,
    tree: &mut Tree,
    dir: &str,
    known: &[Object],
) -> (Y, Object) {
    let secret = dice.chance(50);
    let (fields, object) = generator(dice, tree, dir, secret, known);
    let mut y = configuration(if secret {
        "SecretGenerator"
    } else {
        "ConfigMapGenerator"
    });
    if let Y::Map(entries) = fields {
        for (key, value) in entries {
            if key == "name" && dice.chance(60) {
                *y.entry("metadata").entry("name") = value;
            } else {
                y.push(&key, value);
            }
        }
    }
    (y, object)
}
