//! Replacements and vars.

use super::objects::Object;
use super::patches::{Aim, known_id, selector};
use super::tree::Tree;
use crate::dice::Dice;
use crate::scalars;
use crate::value::{Step, Y, map, raw};
use crate::writer::write;

/// The text of a path in an object.
fn text(dice: &mut Dice, path: &[Step], stars: bool) -> String {
    let parts: Vec<String> = path
        .iter()
        .map(|step| match step {
            Step::Key(key) if key.contains('.') && dice.chance(50) => format!("[{key}]"),
            Step::Key(key) => key.replace('.', "\\."),
            Step::Item(_, Some(name)) if dice.chance(60) => format!("[name={name}]"),
            Step::Item(..) if stars && dice.chance(40) => "*".to_owned(),
            Step::Item(item, _) => item.to_string(),
        })
        .collect();
    parts.join(".")
}

/// Paths to what is in an object, but not to what says which object it is.
fn paths(object: &Object, scalars: bool) -> Vec<Vec<Step>> {
    let mut paths = object.y.paths();
    paths.retain(|path| {
        let key = |at: usize| match path.get(at) {
            Some(Step::Key(key)) => key.as_str(),
            _ => "",
        };
        let is_identity =
            ["apiVersion", "kind"].contains(&key(0)) || (key(0) == "metadata" && path.len() < 3);
        let is_odd = path.iter().any(|step| match step {
            Step::Key(key) => key.is_empty() || key.starts_with(['<', '&', '!']) || key.contains(['[', ' ']),
            Step::Item(..) => false,
        });
        let is_scalar = object.y.at(path).is_some_and(Y::is_text);
        !is_identity && !is_odd && (is_scalar || !scalars)
    });
    paths
}

/// Where any object may get a new field.
const NEW: [&str; 7] = [
    "metadata.annotations.new",
    "metadata.annotations.[a.b/new]",
    "metadata.annotations.a\\.b/new",
    "spec.new.deep",
    "spec.new.[name=x].deep",
    "extra",
    "metadata.labels.new",
];

fn source(dice: &mut Dice, object: &Object) -> (Y, bool) {
    let (name, namespace) = known_id(dice, object);
    let mut y = map([("kind", object.kind.as_str().into()), ("name", name.into())]);
    if dice.chance(25) {
        if let Some((group, version)) = object.api.split_once('/') {
            y.push("group", group);
            y.push("version", version);
        } else {
            y.push("version", object.api.as_str());
        }
    }
    if !namespace.is_empty() && dice.chance(60) {
        y.push("namespace", namespace);
    }
    let scalar = dice.chance(88);
    let known = if object.solid {
        paths(object, scalar)
    } else {
        Vec::new()
    };
    match dice.one(&known) {
        Some(path) if dice.chance(70) => {
            let path = text(dice, path, false);
            y.push("fieldPath", path);
        }
        _ if dice.chance(60) => y.push("fieldPath", "metadata.name"),
        _ => {}
    }
    if scalar && dice.chance(25) {
        let mut options = map([(
            "delimiter",
            Y::Str(dice.pick(&["/", ":", "-", ".", ",", "::"]).to_owned()),
        )]);
        if dice.chance(70) {
            options.push("index", raw("0"));
        }
        y.push("options", options);
    }
    (y, scalar)
}

fn target(dice: &mut Dice, objects: &mut [Object], scalar: bool) -> Y {
    let Some(object) = dice.one(objects).cloned() else {
        return map([("select", map([("kind", "Nothing".into())]))]);
    };
    let known = if object.solid {
        paths(&object, scalar)
    } else {
        Vec::new()
    };
    let create = known.is_empty() || dice.chance(30);
    let aim = if create && dice.chance(35) {
        Aim::Loose
    } else {
        Aim::Exact
    };
    let mut y = map([("select", selector(dice, Some(&object), aim))]);
    for other in objects.iter_mut() {
        other.solid &= aim == Aim::Exact && other.ids != object.ids;
    }
    if dice.chance(12) {
        let other = dice.one(objects).cloned();
        y.push("reject", vec![selector(dice, other.as_ref(), Aim::Loose)]);
    }
    let mut options = Y::Map(Vec::new());
    if create {
        y.push("fieldPaths", vec![Y::Str(dice.pick(&NEW).to_owned())]);
        options.push("create", raw("true"));
    } else if dice.chance(95) {
        let fields: Vec<Y> = (0..=dice.below(2))
            .filter_map(|_| {
                let path = dice.one(&known).cloned()?;
                Some(Y::Str(text(dice, &path, true)))
            })
            .collect();
        y.push("fieldPaths", fields);
    }
    if scalar && dice.chance(30) {
        options.push(
            "delimiter",
            Y::Str(dice.pick(&["/", ":", "-", ".", "", ",", "::"]).to_owned()),
        );
        if dice.chance(80) {
            options.push("index", raw(dice.pick(&["0", "0", "1", "-1", "2"])));
        }
    }
    if dice.chance(2) {
        options.push("encoding", "base64");
    }
    if !matches!(&options, Y::Map(entries) if entries.is_empty()) {
        y.push("options", options);
    }
    y
}

/// One replacement.
pub(crate) fn replacement(dice: &mut Dice, objects: &mut [Object]) -> Y {
    let mut y = Y::Map(Vec::new());
    let sources: Vec<Object> = objects.iter().filter(|object| !object.twin).cloned().collect();
    let mut scalar = true;
    match dice.one(&sources) {
        Some(object) if dice.chance(88) => {
            let source = source(dice, object);
            scalar = source.1;
            y.push("source", source.0);
        }
        _ => y.push(
            "sourceValue",
            if dice.chance(50) {
                scalars::text(dice)
            } else {
                "value".into()
            },
        ),
    }
    let targets: Vec<Y> = (0..=dice.below(2))
        .map(|_| target(dice, objects, scalar))
        .collect();
    y.push("targets", targets);
    y
}

/// `replacements`
pub(crate) fn field_value(
    dice: &mut Dice,
    tree: &mut Tree,
    dir: &str,
    objects: &mut [Object],
    odd: bool,
) -> Y {
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

/// An entry of `vars`; none if there is nothing to refer to.
pub(crate) fn var(dice: &mut Dice, name: &str, objects: &[Object]) -> Option<Y> {
    let known: Vec<Object> = objects.iter().filter(|object| !object.twin).cloned().collect();
    let object = dice.one(&known)?;
    let (id, namespace) = (object.name.clone(), object.namespace.clone());
    let mut objref = map([("kind", object.kind.as_str().into()), ("name", id.into())]);
    if dice.chance(85) {
        objref.push("apiVersion", object.api.as_str());
    }
    if !namespace.is_empty() {
        objref.push("namespace", namespace);
    }
    let mut y = map([("name", name.into()), ("objref", objref)]);
    let paths = if object.solid {
        paths(object, true)
    } else {
        Vec::new()
    };
    if let Some(path) = dice.one(&paths).filter(|_| dice.chance(60)) {
        let mut text = String::new();
        for step in path {
            match step {
                Step::Key(key) if key.contains('.') => text.extend(["[", key.as_str(), "]"]),
                Step::Key(key) if text.is_empty() => text.push_str(key),
                Step::Key(key) => text.extend([".", key.as_str()]),
                Step::Item(item, _) => text.extend(["[", &item.to_string(), "]"]),
            }
        }
        y.push("fieldref", map([("fieldPath", text.into())]));
    } else if dice.chance(40) {
        y.push("fieldref", map([("fieldPath", "metadata.name".into())]));
    }
    Some(y)
}
