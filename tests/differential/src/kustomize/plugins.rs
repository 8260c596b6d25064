//! Configurations of built-in generators and transformers that stand on their own.

use super::objects::{NAMESPACES, Object};
use super::patches::{Aim, json6902, selector, strategic};
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

/// What is to be found at the end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leads {
    Map,
    Scalar,
    Image,
}

/// Paths with the kinds that have them.
pub(crate) fn field_spec(dice: &mut Dice, leads: Leads) -> Y {
    const MAPS: [(&str, &str); 11] = [
        ("metadata/labels", ""),
        ("metadata/annotations", ""),
        ("spec/template/metadata/labels", "Deployment"),
        ("spec/selector/matchLabels", "Deployment"),
        ("spec/any", "MyApp"),
        ("spec/new/deep", "MyApp"),
        ("spec/selector", "Service"),
        ("data", "ConfigMap"),
        ("spec/items", "MyApp"),
        ("spec/items[]/meta", "MyApp"),
        ("spec/jobTemplate/spec/template/metadata/labels", "CronJob"),
    ];
    const SCALARS: [(&str, &str); 8] = [
        ("metadata/name", ""),
        ("metadata/namespace", ""),
        ("spec/any/a", "MyApp"),
        ("spec/configRef/name", "MyApp"),
        ("spec/items[]/name", "MyApp"),
        ("spec/items/name", "MyApp"),
        ("metadata/annotations/a.b\\/c", ""),
        ("spec/new/name", "MyApp"),
    ];
    const IMAGES: [(&str, &str); 2] = [("spec/any/a", "MyApp"), ("spec/configRef/name", "")];
    let from: &[(&str, &str)] = match leads {
        Leads::Map => &MAPS,
        Leads::Scalar => &SCALARS,
        Leads::Image => &IMAGES,
    };
    let (path, kind) = dice.one(from).copied().unwrap_or(("metadata/name", ""));
    let mut y = map([("path", path.into())]);
    if !kind.is_empty() && dice.chance(85) {
        y.push("kind", kind);
    }
    if dice.chance(10) {
        y.push("group", dice.pick(&["apps", "example.com"]));
    }
    if dice.chance(8) {
        y.push("version", "v1");
    }
    // Always the same for a path: rules that contradict each other are refused.
    let create = leads == Leads::Map && path != "spec/items"
        || path.starts_with("spec/new")
        || path == "metadata/namespace";
    if create && dice.chance(96) {
        y.push("create", raw("true"));
    }
    y
}

fn field_specs(dice: &mut Dice, leads: Leads) -> Y {
    Y::Seq((0..=dice.below(2)).map(|_| field_spec(dice, leads)).collect())
}

/// A transformer's configuration.
pub(crate) fn transformer(
    dice: &mut Dice,
    tree: &mut Tree,
    dir: &str,
    objects: &mut [Object],
    odd: bool,
) -> Y {
    let kinds = [
        "AnnotationsTransformer",
        "LabelTransformer",
        "HashTransformer",
        "ImageTagTransformer",
        "NamespaceTransformer",
        "PrefixTransformer",
        "SuffixTransformer",
        "PrefixSuffixTransformer",
        "ValueAddTransformer",
        "ReplicaCountTransformer",
        "PatchJson6902Transformer",
        "PatchStrategicMergeTransformer",
        "PatchTransformer",
        "ReplacementTransformer",
    ];
    let workloads: Vec<Object> = objects
        .iter()
        .filter(|object| ["Deployment", "StatefulSet", "ReplicaSet"].contains(&object.kind.as_str()))
        .cloned()
        .collect();
    let mut kind = dice.pick(&kinds);
    if objects.is_empty() && (kind.starts_with("Patch") || kind == "ReplacementTransformer") {
        kind = "LabelTransformer";
    }
    if workloads.is_empty() && kind == "ReplicaCountTransformer" {
        kind = "AnnotationsTransformer";
    }
    let mut y = configuration(kind);
    let object = dice.one(objects).cloned();
    match kind {
        "AnnotationsTransformer" => {
            y.push("annotations", map([("t", "x".into())]));
            y.push("fieldSpecs", field_specs(dice, Leads::Map));
        }
        "LabelTransformer" => {
            y.push("labels", map([("t", raw(dice.pick(&["x", "\"true\"", "'1'"])))]));
            y.push("fieldSpecs", field_specs(dice, Leads::Map));
        }
        "ImageTagTransformer" => {
            y.push(
                "imageTag",
                map([("name", "nginx".into()), ("newTag", "v9".into())]),
            );
            if dice.chance(60) {
                y.push("fieldSpecs", field_specs(dice, Leads::Image));
            }
        }
        "NamespaceTransformer" => {
            let namespace = dice.pick(&NAMESPACES);
            y.entry("metadata").push("namespace", namespace);
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
            y.push("target", selector(dice, object.as_ref(), Aim::Exact));
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
            if dice.chance(70) {
                y.push("patch", text);
            } else {
                tree.add(&format!("{dir}/t-patch.yaml"), text);
                y.push("path", "t-patch.yaml");
            }
            if json || dice.chance(50) {
                y.push("target", selector(dice, object.as_ref(), Aim::Exact));
            }
            if dice.chance(20) {
                y.push("options", map([("allowNameChange", raw("true"))]));
            }
        }
        "PrefixTransformer" | "SuffixTransformer" | "PrefixSuffixTransformer" => {
            y.push("prefix", "tp-");
            y.push("suffix", "-ts");
            let mut specs = vec![map([("path", "metadata/name".into())])];
            if dice.chance(30) {
                specs.push(field_spec(dice, Leads::Scalar));
            }
            y.push("fieldSpecs", specs);
        }
        "ReplacementTransformer" => {
            let replacement = replacement(dice, objects);
            y.push("replacements", vec![replacement]);
        }
        "ReplicaCountTransformer" => {
            let name = dice.one(&workloads).map_or("app", |object| object.name.as_str());
            y.push("replica", map([("name", name.into()), ("count", raw("4"))]));
            y.push(
                "fieldSpecs",
                Y::Seq(vec![map([
                    ("path", "spec/replicas".into()),
                    ("create", raw(dice.pick(&["true", "false"]))),
                    (
                        "kind",
                        dice.pick(&["Deployment", "StatefulSet", "ReplicaSet"]).into(),
                    ),
                ])]),
            );
        }
        "ValueAddTransformer" => {
            y.push("value", dice.pick(&["added", "x/y", ""]));
            y.push(
                "targets",
                vec![map([
                    ("selector", selector(dice, object.as_ref(), Aim::Loose)),
                    (
                        "fieldPath",
                        dice.pick(&[
                            "metadata/namespace",
                            "metadata/annotations/added",
                            "metadata/name",
                        ])
                        .into(),
                    ),
                    ("filePathPosition", raw(dice.pick(&["0", "1", "2"]))),
                ])],
            );
        }
        _ => {}
    }
    for object in objects.iter_mut() {
        object.solid = false;
    }
    y
}

/// A transformer that changes nothing, which is what a validator must do.
pub(crate) fn validator(dice: &mut Dice) -> Y {
    let kind = dice.pick(&[
        "LabelTransformer",
        "AnnotationsTransformer",
        "ImageTagTransformer",
        "PatchTransformer",
    ]);
    let mut y = configuration(kind);
    let nowhere = || {
        Y::Seq(vec![map([
            ("path", "metadata/labels".into()),
            ("kind", "Nothing".into()),
        ])])
    };
    match kind {
        "LabelTransformer" => {
            y.push("labels", map([("t", "x".into())]));
            y.push("fieldSpecs", nowhere());
        }
        "AnnotationsTransformer" => {
            y.push("annotations", map([("t", "x".into())]));
            y.push("fieldSpecs", nowhere());
        }
        "ImageTagTransformer" => y.push(
            "imageTag",
            map([("name", "absent".into()), ("newTag", "v9".into())]),
        ),
        _ => {
            y.push("patch", r#"[{"op": "remove", "path": "/spec"}]"#);
            y.push("target", map([("kind", "Nothing".into())]));
        }
    }
    y
}

/// A generator's configuration from the fields of one, under a name of its own or not.
pub(crate) fn generator_configuration(dice: &mut Dice, fields: Y, secret: bool) -> Y {
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
    y
}
