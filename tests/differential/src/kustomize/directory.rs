//! Kustomization directories, and the trees that they make.

use super::faults;
use super::generators;
use super::objects::{self, NAMESPACES, Object};
use super::patches;
use super::plugins::{self, Leads};
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
    /// How many things with a name of their own there are.
    serial: usize,
    /// The directory being made is below one whose prefix keeps its names apart from those of others; 0 if not.
    scope: usize,
    /// Every object so far, with its scope.
    made: Vec<(usize, Object)>,
    /// How many faults are still to be put in.
    faults: usize,
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
    // One tree in five is broken on purpose.
    let faults = match dice.below(100) {
        0..=15 => 1,
        16..=19 => 2,
        _ => 0,
    };
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
        serial: 0,
        scope: 0,
        made: Vec::new(),
        faults,
    };
    let depth = maker.dice.below(3);
    let (target, _) = maker.directory(depth, Role::Target);
    maker.tree.target = target;
    let left = maker.faults;
    let mut tree = maker.tree;
    for _ in 0..left {
        faults::damage(dice, &mut tree);
    }
    tree
}

/// What a directory is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// The one that is built.
    Target,
    /// One below it.
    Base,
    /// A base that must give its objects a prefix, because others have some of the same names.
    Apart,
    Component,
}

impl Maker<'_> {
    fn wants(&mut self, feature: &str) -> bool {
        self.features.contains(&feature) && self.dice.chance(60) || self.dice.chance(1)
    }

    /// Makes a directory; says where it is, and what it builds.
    fn directory(&mut self, depth: usize, role: Role) -> (String, Vec<Object>) {
        self.directories += 1;
        let component = role == Role::Component;
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
            for _ in 0..=self.dice.below(2) {
                let outer = self.scope;
                let role = if self.dice.chance(35) {
                    self.serial += 1;
                    self.scope = self.serial;
                    Role::Apart
                } else {
                    Role::Base
                };
                let (base, objects) = self.directory(depth - 1, role);
                self.scope = outer;
                let path = relative(&dir, &base);
                if self.features.contains(&"legacy") && self.dice.chance(30) {
                    y.entry("bases").item(path);
                } else {
                    resources.item(path);
                }
                known.extend(objects);
            }
            settle(&mut known);
        }
        let files = if component {
            1
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
        self.fields(&mut y, &dir, &mut known, depth, role);
        settle(&mut known);
        self.write_kustomization(&dir, &mut y);
        (dir, known)
    }

    /// Whether an object could not stand beside those that there are.
    fn is_taken(&self, kind: &str, name: &str) -> bool {
        self.made.iter().any(|(scope, other)| {
            other.kind == kind && other.name == name && (*scope == self.scope || other.keeps_its_name())
        })
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
            let (mut object, y) = objects::object(self.dice, self.odd);
            if self.is_taken(&object.kind, &object.name) {
                // Two namespaces may have an object of the same name, as long as nothing moves them into one.
                let moved = ["namespace", "transformers"]
                    .iter()
                    .any(|feature| self.features.contains(feature));
                let namespace = |object: &Object| match object.namespace.as_str() {
                    "" => "default".to_owned(),
                    other => other.to_owned(),
                };
                let same = |other: &Object| {
                    other.kind == object.kind
                        && other.name == object.name
                        && namespace(other) == namespace(&object)
                };
                if moved
                    || object.keeps_its_name()
                    || object.namespace.is_empty()
                    || self.made.iter().any(|(_, other)| same(other))
                    || !self.dice.chance(40)
                {
                    continue;
                }
                object.twin = true;
            }
            // A namespace transformer gives all of these the same name.
            if object.kind == "Namespace"
                && ["namespace", "transformers"]
                    .iter()
                    .any(|feature| self.features.contains(feature))
                && self.made.iter().any(|(_, other)| other.kind == "Namespace")
            {
                continue;
            }
            self.made.push((self.scope, object.clone()));
            made.push(object);
            values.push(y);
        }
        if values.is_empty() {
            // A file with no objects at all is refused where it is the only one.
            self.serial += 1;
            let name = format!("filler{}", self.serial);
            let y = map([
                ("apiVersion", "v1".into()),
                ("kind", "ConfigMap".into()),
                ("metadata", map([("name", name.as_str().into())])),
            ]);
            made.push(Object::new("v1", "ConfigMap", &name, "", y.clone()));
            values.push(y);
        }
        let path = format!(
            "{}{number}.{}",
            self.dice.pick(&["res", "all", "x-"]),
            self.dice.pick(&["yaml", "yaml", "yml"])
        );
        let text = if self.dice.chance(6) {
            let kind = self
                .dice
                .pick(&["List", "ConfigMapList", "DeploymentList", "FooList"]);
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

    fn generator(&mut self, dir: &str, secret: bool, known: &mut Vec<Object>) -> Y {
        self.serial += 1;
        let (made, scope) = (&self.made, self.scope);
        let free = |kind: &str, name: &str| {
            !made
                .iter()
                .any(|(other_scope, other)| *other_scope == scope && other.kind == kind && other.name == name)
        };
        let (entry, object) =
            generators::generator(self.dice, &mut self.tree, dir, secret, known, self.serial, &free);
        if generators::is_new(&entry) {
            self.made.push((self.scope, object.clone()));
            known.push(object);
        }
        entry
    }

    fn fields(&mut self, y: &mut Y, dir: &str, known: &mut Vec<Object>, depth: usize, role: Role) {
        if self.wants("openapi") && role != Role::Component {
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
                    let entry = self.generator(dir, secret, known);
                    list.item(entry);
                }
                y.push(field, list);
            }
        }
        if self.wants("generatorOptions") {
            let options = generators::options(self.dice);
            y.push("generatorOptions", options);
        }
        if self.wants("generators") {
            let mut list = Y::Seq(Vec::new());
            for number in 0..=usize::from(self.dice.chance(25)) {
                let secret = self.dice.chance(50);
                let fields = self.generator(dir, secret, known);
                let entry = plugins::generator_configuration(self.dice, fields, secret);
                list.item(self.plugin(&entry, dir, &format!("generator-{number}-")));
            }
            y.push("generators", list);
        }
        // A component may have components of its own, a few deep.
        let has_components = match role {
            Role::Component => self.directories < 12 && self.dice.chance(15),
            _ => depth > 0 && self.wants("components"),
        };
        if has_components {
            let mut list = Y::Seq(Vec::new());
            for _ in 0..=usize::from(self.dice.chance(30)) {
                let (path, objects) = self.directory(0, Role::Component);
                list.item(Y::Str(relative(dir, &path)));
                known.extend(objects);
            }
            y.push("components", list);
        }
        if self.wants("vars") && (self.dice.chance(4) || !std::mem::replace(&mut self.vars, true)) {
            let mut list = Y::Seq(Vec::new());
            for name in ["A_VAR", "B_VAR"].iter().take(1 + self.dice.below(2)) {
                if let Some(var) = replacements::var(self.dice, name, known) {
                    list.item(var);
                }
            }
            y.push("vars", list);
        }
        self.patches(y, dir, known);
        if self.wants("namespace") {
            let namespace = self.dice.pick(&NAMESPACES);
            y.push("namespace", namespace);
        }
        self.metadata(y, role);
        self.values(y, dir, known);
        if self.wants("transformers") {
            let mut list = Y::Seq(Vec::new());
            for number in 0..=self.dice.below(2) {
                let entry = plugins::transformer(self.dice, &mut self.tree, dir, known, self.odd);
                list.item(self.plugin(&entry, dir, &format!("transformer-{number}")));
            }
            y.push("transformers", list);
        }
        if self.wants("validators") {
            let entry = plugins::validator(self.dice);
            let entry = self.plugin(&entry, dir, "validator");
            y.push("validators", vec![entry]);
        }
        self.output(y);
        if self.faults > 0 && (role == Role::Target || self.dice.chance(40)) {
            self.faults -= 1;
            faults::add(self.dice, &mut self.tree, y, dir, known);
        }
        rename(y, known);
    }

    fn patches(&mut self, y: &mut Y, dir: &str, known: &mut Vec<Object>) {
        let fields = ["patchesStrategicMerge", "patches", "patchesJson6902"];
        for field in fields {
            if !self.wants(field) {
                continue;
            }
            let mut list = Vec::new();
            for number in 0..=self.dice.below(2) {
                let (dice, tree) = (&mut *self.dice, &mut self.tree);
                list.extend(match field {
                    "patches" => patches::entry(dice, tree, dir, number, known, self.odd),
                    "patchesJson6902" => patches::json6902_entry(dice, tree, dir, number, known, self.odd),
                    _ => patches::strategic_entry(dice, tree, dir, number, known, self.odd),
                });
            }
            if !list.is_empty() {
                y.push(field, list);
            }
        }
    }

    fn metadata(&mut self, y: &mut Y, role: Role) {
        if role == Role::Apart {
            y.push("namePrefix", Y::Str(format!("n{}-", self.scope)));
        } else if self.wants("namePrefix") {
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
            for _ in 0..=self.dice.below(2) {
                let mut entry = map([("pairs", objects::text_map(self.dice, false))]);
                for option in ["includeSelectors", "includeTemplates"] {
                    if self.dice.chance(35) {
                        entry.push(option, raw(self.dice.pick(&["true", "true", "false"])));
                    }
                }
                if self.dice.chance(20) {
                    entry.push("fields", vec![plugins::field_spec(self.dice, Leads::Map)]);
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

    fn values(&mut self, y: &mut Y, dir: &str, known: &mut [Object]) {
        let workloads: Vec<Object> = known
            .iter()
            .filter(|object| ["Deployment", "StatefulSet", "ReplicaSet"].contains(&object.kind.as_str()))
            .cloned()
            .collect();
        if let Some(object) = self.dice.one(&workloads).cloned()
            && self.wants("replicas")
        {
            let (name, _) = patches::known_id(self.dice, &object);
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
            let order = self.dice.pick(&["legacy", "fifo", "legacy"]);
            let mut options = map([("order", order.into())]);
            if order == "legacy" && self.dice.chance(60) {
                let mut legacy = Y::Map(Vec::new());
                for (field, kinds) in [
                    ("orderFirst", ["Deployment", "Secret", "MyApp"]),
                    ("orderLast", ["Namespace", "ConfigMap", "Service"]),
                ] {
                    if self.dice.chance(75) {
                        let start = self.dice.below(3);
                        let list: Vec<Y> = (0..=self.dice.below(2))
                            .filter_map(|number| kinds.get((start + number) % 3).map(|kind| (*kind).into()))
                            .collect();
                        legacy.push(field, list);
                    }
                }
                options.push("legacySortOptions", legacy);
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
            y.push("buildMetadata", list);
        }
        if self.dice.chance(3) {
            let mut meta = map([("name", "k".into())]);
            for (field, value) in [
                ("namespace", "ns1".into()),
                ("labels", map([("a", "b".into())])),
                ("annotations", map([("a", "b".into())])),
            ] {
                if self.dice.chance(40) {
                    meta.push(field, value);
                }
            }
            y.push("metadata", meta);
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
            y.push("openapi", map([("version", "v1.21.2".into())]));
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
        for (field, leads) in [
            ("namePrefix", Leads::Scalar),
            ("namespace", Leads::Scalar),
            ("commonLabels", Leads::Map),
            ("commonAnnotations", Leads::Map),
            ("varReference", Leads::Scalar),
            ("images", Leads::Image),
            ("replicas", Leads::Scalar),
            ("nameSuffix", Leads::Scalar),
            ("labels", Leads::Map),
            ("templateLabels", Leads::Map),
        ] {
            if self.dice.chance(20) {
                let list: Vec<Y> = (0..=self.dice.below(2))
                    .map(|_| plugins::field_spec(self.dice, leads))
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
                        "spec/any/a",
                        "spec/items[]/name",
                        "spec/items/name",
                        "metadata/annotations/app",
                        "spec/configRef",
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
}

/// What the objects are called above a directory.
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
        if !object.keeps_its_name() {
            object.name = format!("{prefix}{}{suffix}", object.name);
        }
        if let Some(namespace) = namespace
            .as_ref()
            .filter(|_| objects::is_namespaced(&object.kind))
        {
            object.namespace.clone_from(namespace);
        }
        object.ids.push((object.name.clone(), object.namespace.clone()));
    }
}

/// Forgets earlier names that other objects have or had, too.
fn settle(known: &mut [Object]) {
    let all: Vec<(String, Vec<(String, String)>)> = known
        .iter()
        .map(|object| (object.kind.clone(), object.ids.clone()))
        .collect();
    for (at, object) in known.iter_mut().enumerate() {
        let current = object.name.clone();
        object.ids.retain(|(name, _)| {
            let others = all
                .iter()
                .enumerate()
                .filter(|(other, (kind, _))| *other != at && *kind == object.kind);
            *name == current
                || !others
                    .flat_map(|(_, (_, ids))| ids)
                    .any(|(other, _)| other == name)
        });
    }
}

/// The path from one directory to another; both are relative to the tree's root.
fn relative(from: &str, to: &str) -> String {
    let up = "../".repeat(from.split('/').count());
    format!("{up}{to}")
}
