//! Patches of all forms, aimed at objects that are there, and sometimes not.

use super::objects::{NAMES, NAMESPACES, Object, image};
use super::tree::Tree;
use crate::dice::Dice;
use crate::scalars;
use crate::value::{Step, Y, map, raw};
use crate::writer::write;

/// A name under which an object is or was known.
pub(crate) fn known_name(dice: &mut Dice, object: &Object) -> String {
    if dice.chance(70) {
        return object.name.clone();
    }
    dice.one(&object.names)
        .cloned()
        .unwrap_or_else(|| object.name.clone())
}

/// A selector that may meet an object.
pub(crate) fn selector(dice: &mut Dice, object: Option<&Object>) -> Y {
    let mut y = Y::Map(Vec::new());
    let (group, version) = object.map_or(("apps", "v1"), |object| {
        object.api.split_once('/').unwrap_or(("", &object.api))
    });
    if dice.chance(70) {
        let kind = object.map_or("Deployment", |object| object.kind.as_str());
        y.push(
            "kind",
            if dice.chance(15) {
                dice.pick(&[".*", "Deploy.*", "ConfigMap|Secret", "deployment"])
            } else {
                kind
            },
        );
    }
    if dice.chance(25) && !group.is_empty() {
        y.push("group", group);
    }
    if dice.chance(20) {
        y.push("version", version);
    }
    if dice.chance(60) {
        let name = match object {
            Some(object) if dice.chance(85) => known_name(dice, object),
            _ => dice
                .pick(&[
                    ".*", "a.*", "app", "a|b", "^app$", "nope", "[ab]", "x.y", "[ab].*",
                ])
                .to_owned(),
        };
        y.push("name", name);
    }
    if dice.chance(12) {
        let namespace = object.map_or("", |object| object.namespace.as_str());
        y.push(
            "namespace",
            if namespace.is_empty() || dice.chance(20) {
                dice.pick(&NAMESPACES)
            } else {
                namespace
            },
        );
    }
    if dice.chance(10) {
        y.push(
            "labelSelector",
            dice.pick(&[
                "app=a",
                "app",
                "!app",
                "app in (a,b)",
                "app notin (a), tier",
                "env!=b",
                "app==web",
                "a.b/c=a",
                "tier=",
                "x y",
            ]),
        );
    }
    if dice.chance(6) {
        y.push(
            "annotationSelector",
            dice.pick(&["app=a", "env", "!tier", "app in (a, web)"]),
        );
    }
    y
}

const DIRECTIVES: [&str; 3] = ["delete", "replace", "merge"];

fn directive(dice: &mut Dice, y: &mut Y) {
    y.push("$patch", dice.pick(&DIRECTIVES));
}

fn list_of_named(dice: &mut Dice, key: &str, names: &[&str], fill: impl Fn(&mut Dice, &mut Y)) -> Y {
    let mut list = Y::Seq(Vec::new());
    for _ in 0..=dice.below(2) {
        let mut item = Y::Map(Vec::new());
        if !dice.chance(4) {
            item.push(key, raw(dice.pick(names)));
        }
        if dice.chance(12) {
            directive(dice, &mut item);
        } else {
            fill(dice, &mut item);
        }
        list.item(item);
    }
    if dice.chance(6) {
        list.item(map([("$patch", dice.pick(&DIRECTIVES).into())]));
    }
    list
}

fn pod_patch(dice: &mut Dice, odd: bool) -> Y {
    let mut spec = Y::Map(Vec::new());
    if dice.chance(70) {
        let containers = list_of_named(dice, "name", &["c", "sidecar", "new"], |dice, item| {
            if dice.chance(50) {
                item.push("image", image(dice));
            }
            if dice.chance(30) {
                item.push(
                    "env",
                    list_of_named(dice, "name", &["A", "B", "NEW"], |dice, env| {
                        if dice.chance(70) {
                            env.push("value", if odd { scalars::any(dice) } else { "patched".into() });
                        } else {
                            env.push(
                                "valueFrom",
                                map([(
                                    "secretKeyRef",
                                    map([("name", dice.pick(&NAMES).into()), ("key", "z".into())]),
                                )]),
                            );
                        }
                    }),
                );
            }
            if dice.chance(25) {
                item.push(
                    "ports",
                    list_of_named(
                        dice,
                        "containerPort",
                        &["80", "8080", "9090", "\"443\""],
                        |dice, port| {
                            if dice.chance(50) {
                                port.push("protocol", dice.pick(&["TCP", "UDP"]));
                            }
                            if dice.chance(40) {
                                port.push("name", "p");
                            }
                        },
                    ),
                );
            }
            if dice.chance(20) {
                item.push("args", vec![Y::from("patched")]);
            }
            if dice.chance(20) {
                item.push(
                    "volumeMounts",
                    list_of_named(dice, "mountPath", &["/a", "/new"], |dice, mount| {
                        mount.push("name", dice.pick(&["v1", "v3"]));
                    }),
                );
            }
            if dice.chance(10) {
                item.push(
                    "resources",
                    if dice.chance(50) {
                        raw("null")
                    } else {
                        map([("limits", map([("cpu", raw("2"))]))])
                    },
                );
            }
            if dice.chance(8) {
                let order = vec![map([("name", "B".into())]), map([("name", "A".into())])];
                item.push("$setElementOrder/env", order);
            }
        });
        spec.push("containers", containers);
    }
    if dice.chance(20) {
        let volumes = list_of_named(dice, "name", &["v1", "v2", "v3"], |dice, volume| {
            match dice.below(4) {
                0 => volume.push("configMap", map([("name", dice.pick(&NAMES).into())])),
                1 => volume.push("emptyDir", raw("null")),
                2 => volume.push("$retainKeys", vec![Y::from("name"), Y::from("secret")]),
                _ => volume.push("emptyDir", Y::Map(Vec::new())),
            }
        });
        spec.push("volumes", volumes);
    }
    if dice.chance(10) {
        spec.push(
            "imagePullSecrets",
            list_of_named(dice, "name", &["a", "b"], |_, _| {}),
        );
    }
    if dice.chance(10) {
        spec.push("serviceAccountName", dice.pick(&NAMES));
    }
    if dice.chance(8) {
        spec.push("tolerations", vec![map([("key", "p".into())])]);
    }
    if dice.chance(5) {
        spec.push("$deleteFromPrimitiveList/finalizers", vec![Y::from("x")]);
    }
    if dice.chance(6) {
        directive(dice, &mut spec);
    }
    spec
}

/// The content of a strategic merge patch for a kind.
fn strategic_body(dice: &mut Dice, kind: &str, y: &mut Y, odd: bool) {
    if dice.chance(25) {
        let value = match dice.below(4) {
            0 => raw("null"),
            1 if odd => scalars::any(dice),
            _ => "patched".into(),
        };
        y.entry("metadata")
            .entry(dice.pick(&["labels", "annotations"]))
            .push(dice.pick(&["app", "tier", "new", "a.b/c"]), value);
    }
    match kind {
        "Deployment"
        | "StatefulSet"
        | "DaemonSet"
        | "ReplicaSet"
        | "Job"
        | "Rollout"
        | "ReplicationController" => {
            if dice.chance(30) {
                y.entry("spec")
                    .push("replicas", raw(dice.pick(&["5", "null", "\"7\""])));
            }
            if dice.chance(75) {
                let patch = pod_patch(dice, odd);
                y.entry("spec").entry("template").push("spec", patch);
            }
            if dice.chance(10) {
                y.entry("spec").push(
                    "strategy",
                    map([("$patch", "replace".into()), ("type", "Recreate".into())]),
                );
            }
        }
        "CronJob" => {
            let patch = pod_patch(dice, odd);
            y.entry("spec")
                .entry("jobTemplate")
                .entry("spec")
                .entry("template")
                .push("spec", patch);
        }
        "Pod" => {
            let patch = pod_patch(dice, odd);
            y.push("spec", patch);
        }
        "Service" => {
            let ports = list_of_named(dice, "port", &["80", "443", "8443", "\"80\""], |dice, port| {
                if dice.chance(60) {
                    port.push("targetPort", raw("9"));
                }
                if dice.chance(40) {
                    port.push("protocol", dice.pick(&["TCP", "UDP"]));
                }
            });
            y.entry("spec").push("ports", ports);
            if dice.chance(30) {
                y.entry("spec")
                    .entry("selector")
                    .push("app", raw(dice.pick(&["null", "p", "\"\""])));
            }
        }
        "ConfigMap" | "Secret" => {
            let field = dice.pick(&["data", "data", "stringData"]);
            let value = match dice.below(4) {
                0 => raw("null"),
                1 if odd => scalars::any(dice),
                2 => scalars::text(dice),
                _ => "patched".into(),
            };
            y.entry(field)
                .push(dice.pick(&["app", "tier", "new", "password", "k1"]), value);
            if dice.chance(15) {
                directive(dice, y.entry(field));
            }
        }
        "ClusterRole" | "Role" => y.push("rules", vec![map([("verbs", vec![Y::from("list")].into())])]),
        "RoleBinding" | "ClusterRoleBinding" => y.push(
            "subjects",
            vec![map([("kind", "User".into()), ("name", "u".into())])],
        ),
        "Ingress" => y.entry("spec").push("rules", vec![map([("host", "p".into())])]),
        "ServiceAccount" => y.push(
            "imagePullSecrets",
            list_of_named(dice, "name", &["a", "b"], |_, _| {}),
        ),
        _ => {
            let value = match dice.below(4) {
                0 => raw("null"),
                1 => Y::Seq(vec![map([("name", "a".into()), ("v", "p".into())]), "x".into()]),
                2 => map([("a", "p".into()), ("new", raw("null"))]),
                _ => scalars::any(dice),
            };
            y.entry("spec").push(dice.pick(&["any", "items", "new"]), value);
        }
    }
}

/// A strategic merge patch that names its object.
pub(crate) fn strategic(dice: &mut Dice, object: &Object, odd: bool) -> Y {
    let mut meta = map([("name", known_name(dice, object).into())]);
    if !object.namespace.is_empty() && dice.chance(80) || dice.chance(3) {
        meta.push(
            "namespace",
            if object.namespace.is_empty() {
                dice.pick(&NAMESPACES).to_owned()
            } else {
                object.namespace.clone()
            },
        );
    }
    let mut y = map([
        ("apiVersion", object.api.as_str().into()),
        ("kind", object.kind.as_str().into()),
        ("metadata", meta),
    ]);
    if dice.chance(7) {
        directive(dice, &mut y);
        if dice.chance(50) {
            return y;
        }
    }
    strategic_body(dice, &object.kind, &mut y, odd);
    if dice.chance(4) {
        strategic_body(dice, "MyApp", &mut y, odd);
    }
    y
}

const PATHS: &[&str] = &[
    "/metadata/name",
    "/metadata/labels/app",
    "/metadata/labels",
    "/metadata/annotations/a.b~1c",
    "/metadata/annotations/new",
    "/metadata/annotations",
    "/spec/replicas",
    "/spec/template/spec/containers/0/image",
    "/spec/template/spec/containers/-",
    "/spec/template/spec/containers/1",
    "/spec/template/spec/containers/0/env/-",
    "/spec/template/spec/containers/0/env/0",
    "/spec/template/spec/containers/-1/image",
    "/spec/template/spec/containers/0/args/0",
    "/spec/template/metadata/labels/app",
    "/data/app",
    "/data/k1",
    "/data/new",
    "/data",
    "/spec/any",
    "/spec/any/a",
    "/spec/items/0",
    "/spec/items/-",
    "/spec/items/1",
    "/spec/new/deep",
    "/spec",
    "/kind",
    "/apiVersion",
    "",
    "/",
    "nopath",
    "/spec/ports/0/port",
    "/spec/ports/0",
    "/spec/template/spec/volumes",
    "/a~0b",
    "/spec/template/spec/containers/00/image",
    "/subjects/0/name",
    "/rules/0/verbs/-",
    "/metadata/namespace",
    "/spec/template/spec/serviceAccountName",
    "/spec/items",
];

fn operation_value(dice: &mut Dice, odd: bool) -> Y {
    match dice.below(8) {
        0 => map([("name", "added".into()), ("image", "nginx".into())]),
        1 => Y::Seq(vec!["x".into(), raw("1")]),
        2 => raw("null"),
        3 => raw(dice.pick(&[
            "1",
            "1.0",
            "1.5",
            "true",
            "\"true\"",
            "12345678901234567890",
            "1e3",
            "{}",
            "[]",
            "1e21",
        ])),
        4 if odd => scalars::any(dice),
        _ => "patched".into(),
    }
}

/// A pointer to something that is in an object, or nearly.
fn pointer(dice: &mut Dice, object: Option<&Object>) -> String {
    let paths = object.map(|object| object.y.paths()).unwrap_or_default();
    let Some(path) = dice.one(&paths).cloned().filter(|_| dice.chance(88)) else {
        return PATHS
            .get(dice.below(PATHS.len()))
            .copied()
            .unwrap_or("/metadata/name")
            .to_owned();
    };
    let last = path.len() - 1;
    let change = dice.chance(25);
    let mut text = String::new();
    for (number, step) in path.iter().enumerate() {
        text.push('/');
        match step {
            Step::Key(_) if number == last && change => text.push_str("new"),
            Step::Key(key) => text.push_str(&key.replace('~', "~0").replace('/', "~1")),
            Step::Item(..) if number == last && change => {
                text.push_str(dice.pick(&["-", "-", "0", "1", "-1"]));
            }
            Step::Item(item, _) => text.push_str(&item.to_string()),
        }
    }
    text
}

/// The operations of a JSON patch, as a value.
fn operations(dice: &mut Dice, object: Option<&Object>, odd: bool) -> Y {
    let mut list = Y::Seq(Vec::new());
    for _ in 0..=dice.below(3) {
        let path = pointer(dice, object);
        let op = dice.pick(&[
            "add", "add", "add", "add", "replace", "replace", "replace", "remove", "remove", "copy", "move",
            "test",
        ]);
        let mut y = map([("op", op.into())]);
        let wants_map = ["/metadata/annotations", "/metadata/labels", "/metadata"].contains(&path.as_str());
        y.push("path", Y::Str(path));
        match op {
            "remove" => {}
            "copy" | "move" => y.push("from", Y::Str(pointer(dice, object))),
            // kustomize keeps its own notes there, and loses them in ways of its own where it is no map.
            _ if wants_map => y.push("value", map([("replaced", "x".into())])),
            _ if dice.chance(96) => y.push("value", operation_value(dice, odd)),
            _ => {}
        }
        list.item(y);
    }
    list
}

fn json_text(y: &Y) -> String {
    match y {
        Y::Raw(text)
            if text.starts_with(['"', '{', '['])
                || [
                    "null",
                    "true",
                    "1",
                    "1.0",
                    "1.5",
                    "12345678901234567890",
                    "1e3",
                    "1e21",
                ]
                .contains(&text.as_str()) =>
        {
            text.clone()
        }
        Y::Raw(text) | Y::Str(text) | Y::Block(_, text) => serde_json::to_string(text).unwrap_or_default(),
        Y::Seq(items) => format!("[{}]", items.iter().map(json_text).collect::<Vec<_>>().join(", ")),
        Y::Map(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| {
                    format!(
                        "{}: {}",
                        serde_json::to_string(key).unwrap_or_default(),
                        json_text(value)
                    )
                })
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

/// The text of a JSON patch, in JSON or YAML.
pub(crate) fn json6902(dice: &mut Dice, object: Option<&Object>, odd: bool) -> String {
    let operations = operations(dice, object, odd);
    if dice.chance(30) {
        let text = json_text(&operations);
        return if dice.chance(2) {
            text.trim_start_matches('[').trim_end_matches(']').to_owned()
        } else {
            text
        };
    }
    let odd = odd && dice.chance(40);
    write(dice, &operations, odd)
}

/// Text of one or more strategic merge patches.
fn strategic_text(dice: &mut Dice, objects: &[Object], odd: bool, several: bool) -> String {
    let mut text = String::new();
    let count = if several { 1 + dice.below(2) } else { 1 };
    for number in 0..count {
        let Some(object) = dice.one(objects).cloned() else {
            break;
        };
        let patch = strategic(dice, &object, odd);
        if number > 0 {
            text.push_str("---\n");
        }
        let odd = odd && dice.chance(50);
        text.push_str(&write(dice, &patch, odd));
    }
    text
}

/// An entry of `patches`.
pub(crate) fn entry(
    dice: &mut Dice,
    tree: &mut Tree,
    dir: &str,
    number: usize,
    objects: &[Object],
    odd: bool,
) -> Y {
    let target = dice.one(objects).cloned();
    let mut y = Y::Map(Vec::new());
    let json = dice.chance(40);
    let (text, targeted) = if json {
        (json6902(dice, target.as_ref(), odd), dice.chance(98))
    } else {
        let several = dice.chance(10);
        let own: Vec<Object> = target.iter().cloned().collect();
        let from = if several { objects } else { &own };
        (
            strategic_text(dice, from, odd, several),
            dice.chance(if several { 5 } else { 40 }),
        )
    };
    if targeted {
        y.push("target", selector(dice, target.as_ref()));
    }
    if dice.chance(55) {
        y.push("patch", text);
    } else {
        let path = format!("patch-{number}.{}", dice.pick(&["yaml", "yml", "json"]));
        tree.add(&format!("{dir}/{path}"), text);
        y.push("path", path);
    }
    if dice.chance(15) {
        let mut options = Y::Map(Vec::new());
        for name in ["allowNameChange", "allowKindChange"] {
            if dice.chance(60) {
                options.push(name, raw(dice.pick(&["true", "true", "false"])));
            }
        }
        y.push("options", options);
    }
    y
}

/// An entry of `patchesStrategicMerge`.
pub(crate) fn strategic_entry(
    dice: &mut Dice,
    tree: &mut Tree,
    dir: &str,
    number: usize,
    objects: &[Object],
    odd: bool,
) -> Y {
    let several = dice.chance(30);
    let text = strategic_text(dice, objects, odd, several);
    if dice.chance(50) {
        return Y::Str(text);
    }
    let path = format!("psm-{number}.yaml");
    tree.add(&format!("{dir}/{path}"), text);
    path.into()
}

/// An entry of `patchesJson6902`.
pub(crate) fn json6902_entry(
    dice: &mut Dice,
    tree: &mut Tree,
    dir: &str,
    number: usize,
    objects: &[Object],
    odd: bool,
) -> Y {
    let mut target = Y::Map(Vec::new());
    let object = dice.one(objects).cloned();
    if let Some(object) = &object {
        let (group, version) = object.api.split_once('/').unwrap_or(("", &object.api));
        target.push("group", group);
        target.push("version", version);
        target.push("kind", object.kind.as_str());
        target.push("name", known_name(dice, object));
        if !object.namespace.is_empty() && dice.chance(80) {
            target.push("namespace", object.namespace.as_str());
        }
    }
    let mut y = map([("target", target)]);
    let text = json6902(dice, object.as_ref(), odd);
    if dice.chance(50) {
        y.push("patch", text);
    } else {
        let path = format!("pj-{number}.{}", dice.pick(&["yaml", "json"]));
        tree.add(&format!("{dir}/{path}"), text);
        y.push("path", path);
    }
    y
}
