//! Replacements and vars.

use super::objects::{NAMES, Object};
use super::patches::{known_name, selector};
use super::tree::Tree;
use crate::dice::Dice;
use crate::scalars;
use crate::value::{Step, Y, map, raw};
use crate::writer::write;

const FIELDS: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.labels.app",
    "metadata.annotations.[a.b/c]",
    "metadata.annotations.a\\.b/c",
    "metadata.labels",
    "spec.replicas",
    "spec.template.spec.containers.[name=c].image",
    "spec.template.spec.containers.0.image",
    "spec.template.spec.containers.*.image",
    "spec.template.spec.containers.[name=c].env.[name=A].value",
    "spec.template.spec.containers.[name=*].image",
    "spec.template.metadata.labels.app",
    "data.app",
    "data.k1",
    "data.new",
    "data",
    "spec.any",
    "spec.any.a",
    "spec.items.0",
    "spec.items.-",
    "spec.items.*",
    "spec.new.deep",
    "spec.ports.[name=http].port",
    "spec.ports.*.port",
    "spec.template.spec.volumes.[name=v1].configMap.name",
    "subjects.[kind=ServiceAccount].namespace",
    "subjects.*.name",
    "kind",
    "spec.template.spec.containers.[image=nginx].name",
    "spec.rules.0.host",
    "rules.0.resourceNames.0",
    "rules.*.verbs.[=get]",
    "metadata",
    "spec.template.spec.containers",
    "spec.template.spec.containers.[name=new].image",
    "spec.template.spec.containers.5.image",
    "nope",
    "metadata.annotations.new",
    "webhooks.0.clientConfig.service.namespace",
];

/// A path to something that is in an object, or nearly.
fn field(dice: &mut Dice, object: Option<&Object>) -> Y {
    let paths = object.map(|object| object.y.paths()).unwrap_or_default();
    if let Some(path) = dice.one(&paths).cloned().filter(|_| dice.chance(85)) {
        let last = path.len() - 1;
        let parts: Vec<String> = path
            .iter()
            .enumerate()
            .map(|(number, step)| match step {
                Step::Key(_) if number == last && dice.chance(10) => "new".to_owned(),
                Step::Key(key) if key.contains('.') && dice.chance(50) => format!("[{key}]"),
                Step::Key(key) => key.replace('.', "\\."),
                Step::Item(_, Some(name)) if dice.chance(60) => format!("[name={name}]"),
                Step::Item(..) if dice.chance(40) => "*".to_owned(),
                Step::Item(item, _) => item.to_string(),
            })
            .collect();
        return Y::Str(parts.join("."));
    }
    Y::Str(
        FIELDS
            .get(dice.below(FIELDS.len()))
            .copied()
            .unwrap_or("metadata.name")
            .to_owned(),
    )
}

fn options(dice: &mut Dice, target: bool) -> Y {
    let mut y = Y::Map(Vec::new());
    if dice.chance(60) {
        y.push(
            "delimiter",
            Y::Str(dice.pick(&["/", ":", "-", ".", "", ",", "::"]).to_owned()),
        );
        if dice.chance(80) {
            y.push("index", raw(dice.pick(&["0", "0", "0", "1", "-1", "2"])));
        }
    }
    if target && dice.chance(70) {
        y.push("create", raw("true"));
    }
    if dice.chance(3) {
        y.push("encoding", "base64");
    }
    y
}

fn source(dice: &mut Dice, objects: &[Object]) -> Y {
    let mut y = Y::Map(Vec::new());
    let object = dice.one(objects).cloned();
    if let Some(object) = &object {
        if dice.chance(90) {
            y.push("kind", object.kind.as_str());
        }
        if dice.chance(95) {
            y.push("name", known_name(dice, object));
        }
        if dice.chance(20) {
            if let Some((group, version)) = object.api.split_once('/') {
                y.push("group", group);
                y.push("version", version);
            } else {
                y.push("version", object.api.as_str());
            }
        }
        if !object.namespace.is_empty() && dice.chance(40) {
            y.push("namespace", object.namespace.as_str());
        }
    } else {
        y.push("name", dice.pick(&NAMES));
    }
    if dice.chance(75) {
        let common = dice.chance(50);
        y.push(
            "fieldPath",
            if common {
                "metadata.name".into()
            } else {
                field(dice, object.as_ref())
            },
        );
    }
    if dice.chance(20) {
        y.push("options", options(dice, false));
    }
    y
}

fn target(dice: &mut Dice, objects: &[Object]) -> Y {
    let object = dice.one(objects).cloned();
    let mut y = Y::Map(Vec::new());
    if dice.chance(99) {
        y.push("select", selector(dice, object.as_ref()));
    }
    if dice.chance(12) {
        let other = dice.one(objects).cloned();
        y.push("reject", vec![selector(dice, other.as_ref())]);
    }
    if dice.chance(92) {
        let fields: Vec<Y> = (0..=dice.below(2))
            .map(|_| field(dice, object.as_ref()))
            .collect();
        y.push("fieldPaths", fields);
    }
    if dice.chance(60) {
        y.push("options", options(dice, true));
    }
    y
}

/// One replacement.
pub(crate) fn replacement(dice: &mut Dice, objects: &[Object]) -> Y {
    let mut y = Y::Map(Vec::new());
    if dice.chance(10) {
        y.push(
            "sourceValue",
            if dice.chance(50) {
                scalars::text(dice)
            } else {
                "value".into()
            },
        );
    } else {
        y.push("source", source(dice, objects));
    }
    let targets: Vec<Y> = (0..=dice.below(2)).map(|_| target(dice, objects)).collect();
    y.push("targets", targets);
    y
}

/// `replacements`
pub(crate) fn field_value(dice: &mut Dice, tree: &mut Tree, dir: &str, objects: &[Object], odd: bool) -> Y {
    let mut list = Y::Seq(Vec::new());
    for number in 0..=dice.below(2) {
        if dice.chance(20) {
            let path = format!("replacement-{number}.yaml");
            let content = if dice.chance(50) {
                replacement(dice, objects)
            } else {
                Y::Seq(vec![replacement(dice, objects), replacement(dice, objects)])
            };
            let text = write(dice, &content, odd);
            tree.add(&format!("{dir}/{path}"), text);
            list.item(map([("path", path.into())]));
        } else {
            list.item(replacement(dice, objects));
        }
    }
    list
}

/// An entry of `vars`.
pub(crate) fn var(dice: &mut Dice, name: &str, objects: &[Object]) -> Y {
    let mut y = map([("name", name.into())]);
    let mut objref = Y::Map(Vec::new());
    if let Some(object) = dice.one(objects).cloned() {
        objref.push("kind", object.kind.as_str());
        objref.push("name", known_name(dice, &object));
        objref.push("apiVersion", object.api.as_str());
        if !object.namespace.is_empty() && dice.chance(60) {
            objref.push("namespace", object.namespace.as_str());
        }
    }
    y.push("objref", objref);
    if dice.chance(55) {
        let path = dice.pick(&[
            "metadata.name",
            "metadata.namespace",
            "metadata.labels.app",
            "data.app",
            "spec.replicas",
            "spec.ports[0].port",
            "spec.template.spec.containers[0].image",
            "metadata.annotations[a.b/c]",
            "spec.any",
            "data.k1",
            "metadata.labels",
        ]);
        y.push("fieldref", map([("fieldPath", path.into())]));
    }
    y
}
