//! Trees broken on purpose, so that both must fail and name the same thing.

use super::objects::Object;
use super::tree::Tree;
use crate::dice::Dice;
use crate::value::{Y, map, raw};

/// An entry of a list field that cannot work, and what the message must name.
fn entries(object: &Object) -> Vec<(&'static str, Y, &'static str)> {
    let config_map = |name: &str, text: &str| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n{text}")
    };
    let exact = || {
        let mut y = map([
            ("kind", object.kind.as_str().into()),
            ("name", object.name.as_str().into()),
        ]);
        if !object.namespace.is_empty() {
            y.push("namespace", object.namespace.as_str());
        }
        y
    };
    let patch = |target: Y, text: &str| map([("target", target), ("patch", text.into())]);
    let replacement = |source: Y, target: Y| map([("source", source), ("targets", Y::Seq(vec![target]))]);
    let source = |path: &str| exact().with("fieldPath", path);
    let nowhere = || {
        map([
            ("select", map([("kind", "x".into())])),
            ("fieldPaths", Y::Seq(vec!["a".into()])),
        ])
    };
    let plugin = |kind: &str| {
        Y::Str(format!(
            "apiVersion: builtin\nkind: {kind}\nmetadata: {{name: plugin}}\n"
        ))
    };
    vec![
        ("resources", "missing-file.yaml".into(), "missing-file.yaml"),
        ("resources", ".".into(), "cycle"),
        ("resources", "..".into(), ""),
        ("components", "missing-component".into(), "missing-component"),
        ("patches", map([("path", "missing-patch.yaml".into())]), "missing-patch.yaml"),
        ("patches", map([("patch", config_map("absent-object", "").into())]), "absent-object"),
        ("patches", map([("patch", "not a patch".into())]), ""),
        ("patches", map([("patch", "[{\"op\": \"remove\", \"path\": \"/absent\"}]".into())]), ""),
        ("patches", patch(exact(), "[{\"op\": \"remove\", \"path\": \"/absent-field\"}]"), "absent-field"),
        ("patches", patch(exact(), "[{\"op\": \"replace\", \"path\": \"/absent-field/x\", \"value\": 1}]"), ""),
        ("patches", patch(exact(), "[{\"op\": \"test\", \"path\": \"/kind\", \"value\": \"Other\"}]"), ""),
        ("patches", patch(exact(), "[{\"op\": \"bogus\", \"path\": \"/kind\"}]"), ""),
        ("patches", patch(exact(), "{\"op\": \"add\", \"path\": \"/x\", \"value\": 1}"), ""),
        ("patches", patch(exact(), "[{\"op\": \"copy\", \"from\": \"/absent-field/deep\", \"path\": \"/x\"}]"), ""),
        ("patches", patch(exact(), "[{\"op\": \"add\", \"path\": \"no-slash\", \"value\": 1}]"), ""),
        ("patches", patch(map([("name", "(".into())]), "[{\"op\": \"add\", \"path\": \"/x\", \"value\": 1}]"), ""),
        ("patches", patch(map([("labelSelector", "x y".into())]), "[{\"op\": \"add\", \"path\": \"/x\", \"value\": 1}]"), ""),
        ("patches", patch(map([("nam", "x".into())]), "[{\"op\": \"add\", \"path\": \"/x\", \"value\": 1}]"), "nam"),
        ("patches", map([("target", exact())]), ""),
        ("patchesStrategicMerge", "missing-patch.yaml".into(), "missing-patch.yaml"),
        ("patchesStrategicMerge", config_map("absent-object", "").into(), "absent-object"),
        (
            "patchesJson6902",
            map([("target", map([("name", "absent-object".into())])), ("patch", "[{\"op\": \"add\", \"path\": \"/x\", \"value\": 1}]".into())]),
            "",
        ),
        ("patchesJson6902", map([("path", "missing-patch.yaml".into()), ("target", exact())]), "missing-patch.yaml"),
        (
            "replacements",
            replacement(map([("kind", "Absent".into()), ("name", "absent-source".into())]), nowhere()),
            "absent-source",
        ),
        ("replacements", replacement(source("absent.field"), nowhere()), ""),
        (
            "replacements",
            replacement(
                source("metadata.name"),
                map([("select", exact()), ("fieldPaths", Y::Seq(vec!["absent.field".into()]))]),
            ),
            "",
        ),
        (
            "replacements",
            replacement(source("metadata.name"), map([("select", exact()), ("fieldPaths", Y::Seq(vec!["[".into()]))])),
            "",
        ),
        (
            "replacements",
            replacement(
                source("metadata.name").with("options", map([("delimiter", "-".into()), ("index", raw("9"))])),
                nowhere(),
            ),
            "",
        ),
        ("replacements", map([("path", "missing-replacement.yaml".into())]), "missing-replacement.yaml"),
        ("replacements", map([("targets", Y::Seq(vec![nowhere()]))]), ""),
        ("replacements", map([("source", source("metadata.name"))]), ""),
        ("transformers", "missing-transformer.yaml".into(), "missing-transformer.yaml"),
        ("transformers", plugin("NoSuchTransformer"), "NoSuchTransformer"),
        ("transformers", plugin("PrefixTransformer"), ""),
        ("transformers", plugin("PatchTransformer"), ""),
        ("transformers", plugin("ConfigMapGenerator"), ""),
        ("generators", plugin("NoSuchGenerator"), "NoSuchGenerator"),
        ("generators", plugin("SecretGenerator"), ""),
        ("validators", "missing-validator.yaml".into(), "missing-validator.yaml"),
        (
            "validators",
            Y::Str(
                "apiVersion: builtin\nkind: AnnotationsTransformer\nmetadata: {name: v}\nannotations: {v: x}\n\
                 fieldSpecs: [{path: metadata/annotations, create: true}]\n"
                    .into(),
            ),
            "",
        ),
        ("crds", "missing-crd.json".into(), "missing-crd.json"),
        ("configurations", "missing-config.yaml".into(), "missing-config.yaml"),
        (
            "configMapGenerator",
            map([("name", "bad-gen".into()), ("files", Y::Seq(vec!["missing-data.txt".into()]))]),
            "missing-data.txt",
        ),
        (
            "configMapGenerator",
            map([("name", "bad-gen".into()), ("envs", Y::Seq(vec!["missing.env".into()]))]),
            "missing.env",
        ),
        (
            "configMapGenerator",
            map([("name", "bad-gen".into()), ("literals", Y::Seq(vec!["novalue".into()]))]),
            "novalue",
        ),
        (
            "configMapGenerator",
            map([("name", "bad-gen".into()), ("literals", Y::Seq(vec!["a=1".into(), "a=2".into()]))]),
            "",
        ),
        (
            "configMapGenerator",
            map([("name", "bad-gen".into()), ("literals", Y::Seq(vec!["=v".into()]))]),
            "",
        ),
        (
            "configMapGenerator",
            map([("name", "absent-base".into()), ("behavior", "merge".into())]),
            "absent-base",
        ),
        (
            "configMapGenerator",
            map([("name", "bad-gen".into()), ("behavior", "sideways".into())]),
            "sideways",
        ),
        ("secretGenerator", map([("literals", Y::Seq(vec!["a=b".into()]))]), "name"),
        ("secretGenerator", map([("name", "bad".into()), ("files", Y::Seq(vec!["=x".into()]))]), ""),
        ("replicas", map([("name", "absent-workload".into()), ("count", raw("1"))]), "absent-workload"),
        ("replicas", map([("name", "x".into()), ("count", "many".into())]), "count"),
        (
            "vars",
            map([("name", "LOST".into()), ("objref", map([("kind", "Absent".into()), ("name", "absent".into())]))]),
            "LOST",
        ),
        (
            "vars",
            map([
                ("name", "NOWHERE".into()),
                ("objref", exact()),
                ("fieldref", map([("fieldPath", "absent.field".into())])),
            ]),
            "",
        ),
        ("labels", map([("pairs", map([("a", raw("1"))]))]), ""),
        ("labels", map([("includeSelector", raw("true"))]), "includeSelector"),
        ("images", map([("name", "x".into()), ("tag", "y".into())]), "tag"),
        ("buildMetadata", "badOption".into(), "badOption"),
        ("helmCharts", map([("name", "chart".into())]), "enable-helm"),
    ]
}

/// Fields that cannot be what they are set to.
fn fields() -> Vec<(&'static str, Y, &'static str)> {
    vec![
        ("noSuchField", raw("1"), "noSuchField"),
        ("namePrefix", raw("[a]"), "namePrefix"),
        ("namespace", raw("{a: b}"), "namespace"),
        ("resources", raw("x"), "resources"),
        ("images", raw("{}"), "images"),
        ("commonLabels", raw("[a]"), "commonLabels"),
        ("commonLabels", raw("{a: true}"), ""),
        ("commonLabels", raw("{'bad key': v}"), ""),
        ("commonAnnotations", raw("{a: {b: c}}"), ""),
        ("sortOptions", map([("order", "none".into())]), "none"),
        (
            "sortOptions",
            map([
                ("order", "fifo".into()),
                ("legacySortOptions", map([("orderFirst", raw("[A]"))])),
            ]),
            "",
        ),
        ("openapi", map([("version", "v0.0".into())]), "v0.0"),
        (
            "openapi",
            map([("path", "missing-schema.json".into())]),
            "missing-schema.json",
        ),
        ("kind", "Nothing".into(), "Nothing"),
        ("apiVersion", "v9".into(), "v9"),
        ("generatorOptions", raw("[]"), "generatorOptions"),
        ("generatorOptions", raw("{immutable: maybe}"), "immutable"),
    ]
}

/// Puts a fault into a kustomization.
pub(crate) fn add(dice: &mut Dice, tree: &mut Tree, y: &mut Y, dir: &str, known: &[Object]) {
    let object = dice.one(known).cloned();
    let object = object.unwrap_or_else(|| Object::new("v1", "ConfigMap", "absent", "", Y::Map(Vec::new())));
    let mention = match dice.below(10) {
        0..=5 => {
            let all = entries(&object);
            let Some((field, entry, mention)) = dice.one(&all).cloned() else {
                return;
            };
            y.entry(field).item(entry);
            mention
        }
        6 | 7 => {
            let all = fields();
            let Some((field, value, mention)) = dice.one(&all).cloned() else {
                return;
            };
            *y.entry(field) = value;
            mention
        }
        8 => {
            // The same object once more.
            let text = format!(
                "apiVersion: {}\nkind: {}\nmetadata:\n  name: {:?}\n{}",
                object.api,
                object.kind,
                object.ids.first().map_or("", |(name, _)| name),
                match object.ids.first() {
                    Some((_, namespace)) if !namespace.is_empty() => format!("  namespace: {namespace}\n"),
                    _ => String::new(),
                }
            );
            tree.add(&format!("{dir}/twice.yaml"), text);
            y.entry("resources").item("twice.yaml");
            ""
        }
        _ => {
            damage(dice, tree);
            return;
        }
    };
    if !mention.is_empty() && tree.mention.is_none() {
        tree.mention = Some(mention.to_owned());
    } else {
        // With two faults it is open which one is met first.
        tree.mention = None;
    }
}

fn replace(tree: &mut Tree, path: &str, change: impl Fn(&str) -> String) {
    if let Some(content) = tree.files.get_mut(path) {
        let text = String::from_utf8_lossy(content).into_owned();
        *content = change(&text).into_bytes();
    }
}

/// Damages a file: it may still be read, by chance.
pub(crate) fn damage(dice: &mut Dice, tree: &mut Tree) {
    let files: Vec<String> = tree.files.keys().cloned().collect();
    let Some(file) = dice.one(&files).cloned() else {
        return;
    };
    tree.mention = None;
    match dice.below(6) {
        0 => replace(tree, &file, |old| format!("{old}\n  bad: [unclosed\n")),
        1 => {
            tree.files.remove(&file);
        }
        2 => replace(tree, &file, |old| old.replacen("kind:", "kinds:", 1)),
        3 => replace(tree, &file, |old| old.replacen("  ", "\t", 1)),
        _ => cut(dice, tree, &file),
    }
}

/// Drops, doubles or swaps a line.
fn cut(dice: &mut Dice, tree: &mut Tree, path: &str) {
    let (at, how) = (dice.below(40), dice.below(4));
    replace(tree, path, |old| {
        let mut lines: Vec<&str> = old.split('\n').collect();
        let at = at % lines.len();
        match how {
            0 => {
                lines.remove(at);
            }
            1 => {
                let line = lines.get(at).copied().unwrap_or_default();
                lines.insert(at, line);
            }
            2 => {
                let other = (at + 1) % lines.len();
                lines.swap(at, other);
            }
            _ => {
                if let Some(line) = lines.get_mut(at) {
                    *line = line.strip_prefix(' ').unwrap_or(line);
                }
            }
        }
        lines.join("\n")
    });
}
