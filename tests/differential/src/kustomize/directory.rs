//! Kustomization directories, and the trees that they make.

use super::faults;
use super::generators;
use super::objects::{self, NAMES, NAMESPACES, Object};
use super::patches;
use super::plugins;
use super::replacements;
use super::tree::Tree;
use crate::dice::Dice;
use crate::scalars;
use crate::value::{Y, map, raw};
use crate::writer::write;

/// Fields that a tree may use; each tree uses a few, so that they meet and most trees still build.
const FEATURES: [&str; 27] = [
    "namePrefix",
    "nameSuffix",
    "namespace",
    "commonLabels",
    "labels",
    "commonAnnotations",
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
    "images",
    "replacements",
    "replicas",
    "vars",
    "sortOptions",
    "components",
    "crds",
    "configMapGenerator",
    "secretGenerator",
    "generatorOptions",
    "configurations",
    "generators",
    "transformers",
    "validators",
    "buildMetadata",
    "openapi",
    "odd",
    "legacy",
];

struct Maker<'a> {
    dice: &'a mut Dice,
    tree: Tree,
    features: Vec<&'static str>,
    odd: bool,
    directories: usize,
    /// Vars are set somewhere already.
    vars: bool,
    /// Objects by directory.
    made: Vec<(String, Object)>,
}

/// Makes a tree.
pub(crate) fn tree(dice: &mut Dice) -> Tree {
    let count = 1 + dice.below(6);
    let mut features: Vec<&'static str> = (0..count)
        .map(|_| *FEATURES.get(dice.below(FEATURES.len())).unwrap_or(&"odd"))
        .collect();
    if dice.chance(40) {
        features.push("namePrefix");
    }
    if dice.chance(25) {
        features.push("patches");
    }
    let odd = features.contains(&"odd") || dice.chance(25);
    let reorder = match dice.below(4) {
        0 => Some("legacy"),
        1 => Some("none"),
        _ => None,
    };
    let unrestricted = dice.chance(10);
    let mut maker = Maker {
        dice,
        tree: Tree {
            reorder,
            unrestricted,
            ..Tree::default()
        },
        features,
        odd,
        directories: 0,
        vars: false,
        made: Vec::new(),
    };
    let depth = maker.dice.below(3);
    let (target, _) = maker.directory(depth, "", false);
    maker.tree.target = target;
    let mut tree = maker.tree;
    if dice.chance(9) {
        faults::break_it(dice, &mut tree);
    }
    tree
}

impl Maker<'_> {
    fn wants(&mut self, feature: &str) -> bool {
        self.features.contains(&feature) && self.dice.chance(60) || self.dice.chance(1)
    }

    /// Makes a directory; the paths of others are relative to it.
    fn directory(&mut self, depth: usize, _parent: &str, component: bool) -> (String, Vec<Object>) {
        self.directories += 1;
        let kind = if component {
            "comp"
        } else if depth == 0 {
            "base"
        } else {
            "over"
        };
        let dir = if self.dice.chance(10) {
            format!("d/{kind}{}", self.directories)
        } else {
            format!("{kind}{}", self.directories)
        };
        let mut y = Y::Map(Vec::new());
        if component || self.dice.chance(15) {
            y.push(
                "apiVersion",
                if component {
                    "kustomize.config.k8s.io/v1alpha1"
                } else {
                    "kustomize.config.k8s.io/v1beta1"
                },
            );
            y.push("kind", if component { "Component" } else { "Kustomization" });
        }
        let mut known: Vec<Object> = Vec::new();
        let mut resources = Y::Seq(Vec::new());
        if depth > 0 {
            let mut bases = Vec::new();
            for _ in 0..=self.dice.below(2) {
                bases.push(self.directory(depth - 1, &dir, false));
            }
            // The same base twice, by way of two overlays, is what diamonds are made of.
            for (base, objects) in bases {
                let path = relative(&dir, &base);
                if self.features.contains(&"legacy") && self.dice.chance(30) {
                    y.entry("bases").item(path);
                } else {
                    resources.item(path);
                }
                known.extend(objects);
            }
        }
        let files = if component {
            self.dice.below(2)
        } else {
            usize::from(depth == 0) + self.dice.below(2)
        };
        for number in 0..files {
            let (path, objects) = self.objects_file(&dir, number);
            resources.item(path);
            known.extend(objects);
        }
        if !matches!(&resources, Y::Seq(items) if items.is_empty()) {
            y.push("resources", resources);
        }
        self.fields(&mut y, &dir, &mut known, depth, component);
        self.write_kustomization(&dir, &mut y);
        (dir, known)
    }

    fn write_kustomization(&mut self, dir: &str, y: &mut Y) {
        if let Y::Map(entries) = y
            && self.dice.chance(20)
        {
            entries.reverse();
        }
        let odd = self.odd && self.dice.chance(40);
        let text = write(self.dice, y, odd);
        let name = if self.dice.chance(92) {
            "kustomization.yaml"
        } else {
            self.dice.pick(&["kustomization.yml", "Kustomization"])
        };
        self.tree.add(&format!("{dir}/{name}"), text);
    }

    /// A file of one or more objects.
    fn objects_file(&mut self, dir: &str, number: usize) -> (String, Vec<Object>) {
        let count = 1 + self.dice.below(4);
        let mut made = Vec::new();
        let mut values = Vec::new();
        for _ in 0..count {
            let (object, y) = objects::object(self.dice, self.odd);
            let same = |other: &Object| {
                other.kind == object.kind && other.name == object.name && other.namespace == object.namespace
            };
            if (made.iter().any(same) || self.made.iter().any(|(at, other)| at == dir && same(other)))
                && !self.dice.chance(3)
            {
                continue;
            }
            self.made.push((dir.to_owned(), object.clone()));
            made.push(object);
            values.push(y);
        }
        let path = format!(
            "{}{number}.{}",
            self.dice.pick(&["res", "all", "x-"]),
            self.dice.pick(&["yaml", "yaml", "yml"])
        );
        let text = if self.dice.chance(6) {
            let kind = self.dice.pick(&["List", "ConfigMapList", "DeploymentList"]);
            write(
                self.dice,
                &map([
                    ("apiVersion", "v1".into()),
                    ("kind", kind.into()),
                    ("items", values.into()),
                ]),
                self.odd,
            )
        } else {
            self.stream(&values)
        };
        self.tree.add(&format!("{dir}/{path}"), text);
        (path, made)
    }

    fn stream(&mut self, values: &[Y]) -> String {
        let mut text = String::new();
        if self.dice.chance(10) {
            text.push_str(self.dice.pick(&[
                "---\n",
                "# head\n---\n",
                "\n---\n",
                "---\n",
                "---\n---\n",
                "--- # c\n",
            ]));
        }
        for (number, y) in values.iter().enumerate() {
            if number > 0 {
                if self.odd && self.dice.chance(8) {
                    text.push_str(self.dice.pick(&[
                        "---\n",
                        "---\n\n---\n",
                        "---   \n",
                        "---\n# only a comment\n---\n",
                        "--- # x\n",
                        "---\nnull\n---\n",
                    ]));
                } else {
                    text.push_str("---\n");
                }
            }
            let odd = self.odd && self.dice.chance(60);
            if odd && self.dice.chance(8) {
                text.push_str(&self.anchored(y));
                continue;
            }
            let written = write(self.dice, y, odd);
            text.push_str(&written);
            if !text.ends_with('\n') {
                text.push('\n');
            }
        }
        text
    }

    /// An object with anchors, aliases and merge keys.
    fn anchored(&mut self, y: &Y) -> String {
        let mut y = y.clone();
        let extra = match self.dice.below(8) {
            0 => vec![
                ("x-a", raw("&anchor {a: 1, b: two}")),
                ("x-b", raw("*anchor")),
                ("x-c", raw("[*anchor, *anchor]")),
            ],
            1 => vec![
                ("x-a", raw("&anchor {a: 1, b: two}")),
                (
                    "x-b",
                    map([("<<", raw("*anchor")), ("b", "own".into()), ("c", raw("3"))]),
                ),
            ],
            2 => vec![
                ("x-a", raw("&s text")),
                ("x-b", raw("*s")),
                ("x-c", raw("{k: *s}")),
            ],
            3 => vec![
                ("x-a", raw("&m {a: 1}")),
                ("x-n", raw("&n {b: 2, a: 3}")),
                ("x-b", map([("<<", raw("[*m, *n]")), ("z", "own".into())])),
            ],
            4 => vec![
                ("x-a", raw("&l [1, 2]")),
                ("x-b", raw("*l")),
                ("x-c", raw("&l2 [*l]")),
            ],
            5 => vec![("x-a", raw("&e")), ("x-b", raw("*e"))],
            6 => vec![
                ("x-a", raw("&d {a: {b: c}}")),
                ("x-b", map([("a", map([("b", "z".into())])), ("<<", raw("*d"))])),
            ],
            7 if self.dice.chance(20) => vec![("x-b", raw("*unknown"))],
            _ => vec![
                ("x-a", raw("&q \"quoted\"")),
                ("x-b", raw("*q")),
                ("x-c", raw("[*q]")),
            ],
        };
        for (key, value) in extra {
            y.push(key, value);
        }
        write(self.dice, &y, false)
    }

    fn fields(&mut self, y: &mut Y, dir: &str, known: &mut Vec<Object>, depth: usize, component: bool) {
        if self.wants("openapi") && !component {
            self.openapi(y, dir);
        }
        if self.wants("configurations") {
            self.configurations(y, dir);
        }
        if self.wants("crds") {
            self.crds(y, dir);
        }
        for (field, secret) in [("configMapGenerator", false), ("secretGenerator", true)] {
            if self.wants(field) {
                let mut list = Y::Seq(Vec::new());
                for _ in 0..=self.dice.below(2) {
                    let (entry, object) =
                        generators::generator(self.dice, &mut self.tree, dir, secret, known);
                    list.item(entry);
                    known.push(object);
                }
                y.push(field, list);
            }
        }
        if self.wants("generatorOptions") {
            let options = generators::options(self.dice);
            y.push("generatorOptions", options);
        }
        if self.wants("generators") {
            let (entry, object) = plugins::generator_configuration(self.dice, &mut self.tree, dir, known);
            let entry = self.plugin(&entry, dir, "generator");
            known.push(object);
            y.push("generators", vec![entry]);
        }
        if self.wants("components") && depth > 0 {
            let (path, objects) = self.directory(0, dir, true);
            y.push("components", vec![Y::Str(relative(dir, &path))]);
            known.extend(objects);
        }
        if self.wants("vars") && (self.dice.chance(10) || !std::mem::replace(&mut self.vars, true)) {
            let mut list = Y::Seq(Vec::new());
            for name in ["A_VAR", "B_VAR"].iter().take(1 + self.dice.below(2)) {
                list.item(replacements::var(self.dice, name, known));
            }
            y.push("vars", list);
        }
        self.patches(y, dir, known);
        if self.wants("namespace") {
            let namespace = self.dice.pick(&NAMESPACES);
            y.push("namespace", namespace);
        }
        self.metadata(y);
        self.values(y, dir, known);
        if self.wants("transformers") {
            let mut list = Y::Seq(Vec::new());
            for _ in 0..=self.dice.below(1) {
                let entry = plugins::transformer(self.dice, &mut self.tree, dir, known, self.odd);
                list.item(self.plugin(&entry, dir, "transformer"));
            }
            y.push("transformers", list);
        }
        if self.wants("validators") {
            let entry = plugins::transformer(self.dice, &mut self.tree, dir, known, self.odd);
            let entry = self.plugin(&entry, dir, "validator");
            y.push("validators", vec![entry]);
        }
        self.output(y);
        Self::rename(y, known);
    }

    fn patches(&mut self, y: &mut Y, dir: &str, known: &[Object]) {
        let count = |dice: &mut Dice| 1 + dice.below(2);
        if self.wants("patches") {
            let list: Vec<Y> = (0..count(self.dice))
                .map(|number| patches::entry(self.dice, &mut self.tree, dir, number, known, self.odd))
                .collect();
            y.push("patches", list);
        }
        if self.wants("patchesStrategicMerge") {
            let list: Vec<Y> = (0..count(self.dice))
                .map(|number| {
                    patches::strategic_entry(self.dice, &mut self.tree, dir, number, known, self.odd)
                })
                .collect();
            y.push("patchesStrategicMerge", list);
        }
        if self.wants("patchesJson6902") {
            let list: Vec<Y> = (0..count(self.dice))
                .map(|number| {
                    patches::json6902_entry(self.dice, &mut self.tree, dir, number, known, self.odd)
                })
                .collect();
            y.push("patchesJson6902", list);
        }
    }

    fn metadata(&mut self, y: &mut Y) {
        if self.wants("namePrefix") {
            y.push(
                "namePrefix",
                Y::Str(self.dice.pick(&["p-", "q-", "dev-", "p-", "a-"]).to_owned()),
            );
        }
        if self.wants("nameSuffix") {
            y.push(
                "nameSuffix",
                Y::Str(self.dice.pick(&["-s", "-1", "-s"]).to_owned()),
            );
        }
        if self.wants("commonLabels") {
            let labels = objects::text_map(self.dice, false);
            y.push("commonLabels", labels);
        }
        if self.wants("labels") {
            let mut list = Y::Seq(Vec::new());
            for _ in 0..=self.dice.below(1) {
                let mut entry = map([("pairs", objects::text_map(self.dice, false))]);
                for option in ["includeSelectors", "includeTemplates"] {
                    if self.dice.chance(35) {
                        entry.push(option, raw(self.dice.pick(&["true", "true", "false"])));
                    }
                }
                if self.dice.chance(20) {
                    entry.push("fields", vec![plugins::field_spec(self.dice)]);
                }
                list.item(entry);
            }
            y.push("labels", list);
        }
        if self.wants("commonAnnotations") {
            let annotations = if self.odd && self.dice.chance(50) {
                map([("note", scalars::text(self.dice)), ("b", "c".into())])
            } else {
                objects::text_map(self.dice, false)
            };
            y.push("commonAnnotations", annotations);
        }
    }

    fn values(&mut self, y: &mut Y, dir: &str, known: &[Object]) {
        if self.wants("replicas")
            && (self.dice.chance(3)
                || known.iter().any(|object| {
                    ["Deployment", "StatefulSet", "ReplicaSet"].contains(&object.kind.as_str())
                }))
        {
            let workloads: Vec<Object> = known
                .iter()
                .filter(|object| ["Deployment", "StatefulSet", "ReplicaSet"].contains(&object.kind.as_str()))
                .cloned()
                .collect();
            let named = self.dice.one(&workloads).cloned().map_or_else(
                || "app".to_owned(),
                |object| patches::known_name(self.dice, &object),
            );
            let name = if self.dice.chance(97) {
                named
            } else {
                self.dice.pick(&NAMES).to_owned()
            };
            y.push(
                "replicas",
                vec![map([
                    ("name", name.into()),
                    ("count", raw(self.dice.pick(&["0", "5", "-1", "3"]))),
                ])],
            );
        }
        if self.wants("images") {
            let mut list = Y::Seq(Vec::new());
            for _ in 0..=self.dice.below(2) {
                let mut entry = map([(
                    "name",
                    Y::Str(
                        self.dice
                            .pick(&[
                                "nginx",
                                "app",
                                "reg.io:5000/team/app",
                                ".*",
                                "team/nginx",
                                "my.app",
                                "n(g)inx",
                            ])
                            .to_owned(),
                    ),
                )]);
                for (field, value) in [
                    ("newName", "other/img"),
                    ("newTag", "v2"),
                    ("digest", "sha256:ff"),
                    ("tagSuffix", "-x"),
                ] {
                    if self.dice.chance(if field == "tagSuffix" { 15 } else { 45 }) {
                        entry.push(field, value);
                    }
                }
                if self.dice.chance(10) {
                    entry.push("newTag", raw("\"1.0\""));
                }
                list.item(entry);
            }
            y.push(
                if self.features.contains(&"legacy") {
                    "imageTags"
                } else {
                    "images"
                },
                list,
            );
        }
        if self.wants("replacements") {
            let list = replacements::field_value(self.dice, &mut self.tree, dir, known, self.odd);
            y.push("replacements", list);
        }
    }

    fn output(&mut self, y: &mut Y) {
        if self.wants("sortOptions") {
            let order = if self.dice.chance(2) {
                "none"
            } else {
                self.dice.pick(&["legacy", "fifo", "legacy"])
            };
            let mut options = map([("order", order.into())]);
            if self.dice.chance(if order == "fifo" { 5 } else { 60 }) {
                options.push(
                    "legacySortOptions",
                    map([
                        (
                            "orderFirst",
                            Y::Seq(vec![self.dice.pick(&["Deployment", "Secret", "MyApp"]).into()]),
                        ),
                        (
                            "orderLast",
                            Y::Seq(vec![
                                self.dice.pick(&["Namespace", "ConfigMap", "Service"]).into(),
                            ]),
                        ),
                    ]),
                );
            }
            y.push("sortOptions", options);
        }
        if self.wants("buildMetadata") {
            let mut list = Y::Seq(Vec::new());
            for option in ["originAnnotations", "transformerAnnotations", "managedByLabel"] {
                if self.dice.chance(50) {
                    list.item(option);
                }
            }
            if self.dice.chance(3) {
                list.item("bad");
            }
            y.push("buildMetadata", list);
        }
        if self.dice.chance(2) {
            y.push("metadata", map([("name", "k".into())]));
        }
    }

    /// A plugin's configuration as a file, as text, or as a directory with a kustomization.
    fn plugin(&mut self, entry: &Y, dir: &str, name: &str) -> Y {
        let text = write(self.dice, entry, false);
        match self.dice.below(10) {
            0..=2 => Y::Str(text),
            3 => {
                self.tree.add(
                    &format!("{dir}/{name}-dir/kustomization.yaml"),
                    "resources: [c.yaml]\n",
                );
                self.tree.add(&format!("{dir}/{name}-dir/c.yaml"), text);
                Y::Str(format!("{name}-dir"))
            }
            _ => {
                let path = format!("{name}{}.yaml", self.dice.below(100));
                self.tree.add(&format!("{dir}/{path}"), text);
                Y::Str(path)
            }
        }
    }

    fn openapi(&mut self, y: &mut Y, dir: &str) {
        if self.dice.chance(10) {
            y.push(
                "openapi",
                map([("version", self.dice.pick(&["v1.21.2", "v1.21.2", "nope"]).into())]),
            );
            return;
        }
        let key = self.dice.pick(&["name", "id"]);
        let scope = if self.dice.chance(40) {
            ",\"paths\":{\"/apis/example.com/v1/namespaces/{namespace}/myapps/{name}\":{\"get\":{\"x-kubernetes-group-version-kind\":{\"group\":\"example.com\",\"kind\":\"MyApp\",\"version\":\"v1\"}}}}"
        } else {
            ""
        };
        let strategy = self.dice.pick(&["merge", "replace", "merge,retainKeys"]);
        let text = format!(
            "{{\"definitions\":{{\"v1.MyApp\":{{\"type\":\"object\",\"x-kubernetes-group-version-kind\":[{{\"group\":\"example.com\",\"kind\":\"MyApp\",\"version\":\"v1\"}}],\"properties\":{{\"apiVersion\":{{\"type\":\"string\"}},\"kind\":{{\"type\":\"string\"}},\"metadata\":{{\"type\":\"object\"}},\"spec\":{{\"type\":\"object\",\"properties\":{{\"items\":{{\"type\":\"array\",\"x-kubernetes-patch-merge-key\":\"{key}\",\"x-kubernetes-patch-strategy\":\"{strategy}\",\"items\":{{\"type\":\"object\"}}}},\"any\":{{\"$ref\":\"#/definitions/v1.Any\"}}}}}}}}}},\"v1.Any\":{{\"type\":\"array\",\"x-kubernetes-list-map-keys\":[\"name\"],\"x-kubernetes-list-type\":\"map\",\"items\":{{\"type\":\"object\"}}}}}}{scope}}}"
        );
        self.tree.add(&format!("{dir}/schema.json"), text);
        y.push("openapi", map([("path", "schema.json".into())]));
    }

    fn configurations(&mut self, y: &mut Y, dir: &str) {
        let mut config = Y::Map(Vec::new());
        for field in [
            "namePrefix",
            "namespace",
            "commonLabels",
            "commonAnnotations",
            "varReference",
            "images",
            "replicas",
            "nameSuffix",
            "labels",
            "templateLabels",
        ] {
            if self.dice.chance(20) {
                let list: Vec<Y> = (0..=self.dice.below(1))
                    .map(|_| plugins::field_spec(self.dice))
                    .collect();
                config.push(field, list);
            }
        }
        if self.dice.chance(50) {
            let mut spec = map([(
                "path",
                self.dice
                    .pick(&[
                        "spec/configRef/name",
                        "spec/any",
                        "spec/items[]/name",
                        "spec/items/name",
                        "metadata/annotations/app",
                    ])
                    .into(),
            )]);
            if self.dice.chance(60) {
                spec.push("kind", "MyApp");
            }
            let mut reference = map([
                (
                    "kind",
                    self.dice
                        .pick(&["ConfigMap", "Secret", "Deployment", "Bee"])
                        .into(),
                ),
                ("fieldSpecs", vec![spec].into()),
            ]);
            if self.dice.chance(30) {
                reference.push("version", "v1");
            }
            config.push("nameReference", vec![reference]);
        }
        let odd = self.odd && self.dice.chance(30);
        let text = write(self.dice, &config, odd);
        self.tree.add(&format!("{dir}/config.yaml"), text);
        y.push("configurations", vec![Y::from("config.yaml")]);
    }

    fn crds(&mut self, y: &mut Y, dir: &str) {
        let reference = self.dice.pick(&[
            "\"x-kubernetes-object-ref-api-version\":\"v1\",\"x-kubernetes-object-ref-kind\":\"ConfigMap\"",
            "\"x-kubernetes-object-ref-api-version\":\"v1\",\"x-kubernetes-object-ref-kind\":\"Secret\",\"x-kubernetes-object-ref-name-key\":\"name\"",
            "\"x-kubernetes-label-selector\":\"\"",
            "\"x-kubernetes-annotation\":\"\"",
            "\"x-kubernetes-identity\":\"\"",
        ]);
        let text = format!(
            "{{\"github.com/x/v1.MyApp\":{{\"Schema\":{{\"properties\":{{\"apiVersion\":{{\"type\":\"string\"}},\"kind\":{{\"type\":\"string\"}},\"metadata\":{{\"type\":\"object\"}},\"spec\":{{\"$ref\":\"github.com/x/v1.Spec\"}}}}}},\"Dependencies\":[]}},\"github.com/x/v1.Spec\":{{\"Schema\":{{\"properties\":{{\"configRef\":{{{reference}}}}}}},\"Dependencies\":[]}}}}"
        );
        self.tree.add(&format!("{dir}/crd.json"), text);
        y.push("crds", vec![Y::from("crd.json")]);
    }

    /// What the objects are called above this directory.
    fn rename(y: &Y, known: &mut [Object]) {
        let Y::Map(entries) = y else { return };
        let text = |name: &str| {
            entries
                .iter()
                .find(|(key, _)| key == name)
                .and_then(|(_, value)| match value {
                    Y::Str(text) => Some(text.clone()),
                    _ => None,
                })
        };
        let (prefix, suffix) = (
            text("namePrefix").unwrap_or_default(),
            text("nameSuffix").unwrap_or_default(),
        );
        let namespace = text("namespace");
        for object in known {
            if object.kind != "Namespace" && object.kind != "CustomResourceDefinition" {
                object.name = format!("{prefix}{}{suffix}", object.name);
                object.names.push(object.name.clone());
            }
            if let Some(namespace) = &namespace {
                object.namespace.clone_from(namespace);
            }
        }
    }
}

/// The path from one directory to another; both are relative to the tree's root.
fn relative(from: &str, to: &str) -> String {
    let up = "../".repeat(from.split('/').count());
    format!("{up}{to}")
}
