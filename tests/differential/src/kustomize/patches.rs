//! Patches of all forms, aimed at objects that are there, and sometimes not.

use super::objects::{NAMES, Object, image};
use super::tree::Tree;
use crate::dice::Dice;
use crate::scalars;
use crate::value::{Step, Y, map, raw};
use crate::writer::write;

/// A name under which an object is or was known, and the namespace of that time.
pub(crate) fn known_id(dice: &mut Dice, object: &Object) -> (String, String) {
    let current = (object.name.clone(), object.namespace.clone());
    if dice.chance(60) {
        return current;
    }
    dice.one(&object.ids).cloned().unwrap_or(current)
}

/// How near a selector comes to the object that it is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aim {
    /// At that object alone.
    Exact,
    /// At it, at others, or at none.
    Loose,
}

/// A selector.
pub(crate) fn selector(dice: &mut Dice, object: Option<&Object>, aim: Aim) -> Y {
    let mut y = Y::Map(Vec::new());
    let (group, version) = object.map_or(("apps", "v1"), |object| {
        object.api.split_once('/').unwrap_or(("", &object.api))
    });
    if let (Some(object), Aim::Exact) = (object, aim) {
        let (name, namespace) = known_id(dice, object);
        y.push("kind", object.kind.as_str());
        y.push("name", name);
        if !namespace.is_empty() && (object.twin || dice.chance(40)) {
            y.push("namespace", namespace);
        }
        if dice.chance(15) && !group.is_empty() {
            y.push("group", group);
        }
        if dice.chance(15) {
            y.push("version", version);
        }
        return y;
    }
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
            Some(object) if dice.chance(75) => known_id(dice, object).0,
            _ => dice
                .pick(&[
                    ".*", "a.*", "app", "a|b", "^app$", "nope", "[ab]", "x.y", "[ab].*", "ap", "app-", "pp",
                    "",
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
                dice.pick(&["ns1", "ns2", "default", "prod", "ns", "ns.*"])
            } else {
                namespace
            },
        );
    }
    if dice.chance(14) {
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
                "app in (a,)",
                "app=a,env=b",
                " app = a ",
            ]),
        );
    }
    if dice.chance(9) {
        y.push(
            "annotationSelector",
            dice.pick(&["app=a", "env", "!tier", "app in (a, web)", "app!=a"]),
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
            let (field, value) = match dice.below(5) {
                0 => (dice.pick(&["any", "items", "free"]), raw("null")),
                1 => {
                    let mut items =
                        list_of_named(dice, "name", &["a", "b", "new"], |_, item| item.push("v", "p"));
                    if dice.chance(5) {
                        items.item("x");
                    }
                    ("items", items)
                }
                2 => ("any", map([("a", "p".into()), ("new", raw("null"))])),
                3 => ("any", map([("more", map([("a", scalars::any(dice))]))])),
                _ => ("new", scalars::any(dice)),
            };
            y.entry("spec").push(field, value);
        }
    }
}

/// A strategic merge patch that names its object.
pub(crate) fn strategic(dice: &mut Dice, object: &Object, odd: bool) -> Y {
    let (name, namespace) = known_id(dice, object);
    let mut meta = map([("name", name.into())]);
    if !namespace.is_empty() {
        meta.push("namespace", namespace);
    }
    let mut y = map([
        ("apiVersion", object.api.as_str().into()),
        ("kind", object.kind.as_str().into()),
        ("metadata", meta),
    ]);
    if dice.chance(6) {
        directive(dice, &mut y);
        if dice.chance(50) {
            return y;
        }
    }
    strategic_body(dice, &object.kind, &mut y, odd);
    y
}

/// What becomes of the known objects after a strategic merge patch.
fn patched(objects: &mut Vec<Object>, patch: &Y, object: &Object) {
    let whole = match patch {
        Y::Map(entries) => entries.iter().find_map(|(key, value)| match value {
            Y::Str(text) if key == "$patch" => Some(text.as_str()),
            _ => None,
        }),
        _ => None,
    };
    let same = |other: &Object| other.kind == object.kind && other.ids == object.ids;
    if whole == Some("delete") {
        objects.retain(|other| !same(other));
    }
    for other in objects.iter_mut().filter(|other| same(other)) {
        other.solid = false;
    }
}

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

/// Pointers to fields that are in an object, but none that say which object it is.
fn pointers(object: &Object) -> Vec<(String, Y)> {
    let mut all = Vec::new();
    for path in object.y.paths() {
        let mut text = String::new();
        for step in &path {
            text.push('/');
            match step {
                Step::Key(key) => text.push_str(&key.replace('~', "~0").replace('/', "~1")),
                Step::Item(item, _) => text.push_str(&item.to_string()),
            }
        }
        let is_identity = ["/apiVersion", "/kind", "/metadata"].contains(&text.as_str())
            || ["/metadata/name", "/metadata/annotations"]
                .iter()
                .any(|at| text.starts_with(at));
        // Keys that the writer puts an anchor or a tag before are not these keys.
        let is_odd = path
            .iter()
            .any(|step| matches!(step, Step::Key(key) if key.starts_with(['<', '&', '!'])));
        if let Some(value) = object.y.at(&path).filter(|_| !is_identity && !is_odd) {
            all.push((text, value.clone()));
        }
    }
    all
}

/// Whether one of two pointers leads through the other, or both into the same list.
fn meet(a: &str, b: &str) -> bool {
    let within = |a: &str, b: &str| {
        a.strip_prefix(b)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let list = |at: &str| match at.rsplit_once('/') {
        Some((list, last)) if last == "-" || last.parse::<usize>().is_ok() => list.to_owned(),
        _ => at.to_owned(),
    };
    within(a, b) || within(b, a) || within(a, &list(b)) || within(b, &list(a))
}

/// An operation that works on any object.
fn harmless(dice: &mut Dice, number: usize, odd: bool) -> Y {
    if dice.chance(12) {
        // kustomize keeps its own notes there, and loses them in ways of its own where it is no map.
        let at = dice.pick(&["/metadata/annotations", "/metadata/labels"]);
        return map([
            ("op", "add".into()),
            ("path", at.into()),
            ("value", map([("replaced", "x".into())])),
        ]);
    }
    if dice.chance(5) {
        return map([
            ("op", dice.pick(&["replace", "add"]).into()),
            ("path", "/metadata/name".into()),
            ("value", "renamed".into()),
        ]);
    }
    let path = dice.pick(&["/extra", "/x~0y", "/a~1b", "/new", "/spec2"]);
    map([
        ("op", "add".into()),
        ("path", format!("{path}{number}").into()),
        ("value", operation_value(dice, odd)),
    ])
}

/// The operations of a JSON patch, as a value.
fn operations(dice: &mut Dice, object: Option<&Object>, odd: bool) -> Y {
    let mut list = Y::Seq(Vec::new());
    let mut used: Vec<String> = Vec::new();
    let known = object
        .filter(|object| object.solid)
        .map(pointers)
        .unwrap_or_default();
    for number in 0..=dice.below(3) {
        let free: Vec<&(String, Y)> = known
            .iter()
            .filter(|(path, _)| !used.iter().any(|used| meet(used, path)))
            .collect();
        let Some((path, value)) = dice.one(&free).copied().filter(|_| dice.chance(85)) else {
            list.item(harmless(dice, number, odd));
            continue;
        };
        used.push(path.clone());
        let change = |op: &str, path: &str| map([("op", op.into()), ("path", path.into())]);
        let op = dice.pick(&[
            "add", "add", "add", "add", "replace", "replace", "replace", "remove", "remove", "copy", "move",
            "test",
        ]);
        list.item(match (op, value) {
            ("remove", _) => change(op, path),
            ("copy" | "move", _) => change(op, &format!("/{op}-{number}")).with("from", path.as_str()),
            ("test", Y::Str(text)) => change(op, path).with("value", text.as_str()),
            ("add", Y::Seq(items)) => {
                let at = match dice.below(4) {
                    0 => "0".to_owned(),
                    1 => items.len().to_string(),
                    2 if !items.is_empty() => "-1".to_owned(),
                    _ => "-".to_owned(),
                };
                change(op, &format!("{path}/{at}")).with("value", operation_value(dice, odd))
            }
            ("add", Y::Map(_)) => {
                change(op, &format!("{path}/new")).with("value", operation_value(dice, odd))
            }
            ("replace", _) if dice.chance(3) => change(op, path),
            ("replace" | "add", _) => change(op, path).with("value", operation_value(dice, odd)),
            _ => harmless(dice, number, odd),
        });
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
        return json_text(&operations);
    }
    let odd = odd && dice.chance(40);
    write(dice, &operations, odd)
}

/// Text of one or more strategic merge patches.
fn strategic_text(
    dice: &mut Dice,
    objects: &mut Vec<Object>,
    odd: bool,
    count: usize,
) -> (String, Option<Object>) {
    let mut text = String::new();
    let mut last = None;
    for number in 0..count {
        let Some(object) = dice.one(objects).cloned() else {
            break;
        };
        let patch = strategic(dice, &object, odd);
        patched(objects, &patch, &object);
        if number > 0 {
            text.push_str("---\n");
        }
        let odd = odd && dice.chance(50);
        text.push_str(&write(dice, &patch, odd));
        last = Some(object);
    }
    (text, last)
}

/// An entry of `patches`; none if there is nothing to patch.
pub(crate) fn entry(
    dice: &mut Dice,
    tree: &mut Tree,
    dir: &str,
    number: usize,
    objects: &mut Vec<Object>,
    odd: bool,
) -> Option<Y> {
    let mut y = Y::Map(Vec::new());
    let text = if dice.chance(40) {
        let target = dice.one(objects).cloned()?;
        // A loose aim may meet objects that lack what the patch is about.
        let (text, aim) = if dice.chance(20) {
            (json6902(dice, None, odd), Aim::Loose)
        } else {
            (json6902(dice, Some(&target), odd), Aim::Exact)
        };
        y.push("target", selector(dice, Some(&target), aim));
        for object in objects.iter_mut() {
            object.solid &= aim == Aim::Exact && object.ids != target.ids;
        }
        text
    } else {
        let several = dice.chance(15);
        let (text, last) = strategic_text(dice, objects, odd, 1 + usize::from(several));
        let last = last?;
        if !several && dice.chance(40) {
            let aim = if dice.chance(60) { Aim::Exact } else { Aim::Loose };
            y.push("target", selector(dice, Some(&last), aim));
            if aim == Aim::Loose {
                let deletes = text.contains("$patch");
                for object in objects.iter_mut() {
                    object.solid = false;
                }
                if deletes {
                    objects.clear();
                }
            }
        }
        text
    };
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
    Some(y)
}

/// An entry of `patchesStrategicMerge`; none if there is nothing to patch.
pub(crate) fn strategic_entry(
    dice: &mut Dice,
    tree: &mut Tree,
    dir: &str,
    number: usize,
    objects: &mut Vec<Object>,
    odd: bool,
) -> Option<Y> {
    let count = 1 + usize::from(dice.chance(30));
    let (text, last) = strategic_text(dice, objects, odd, count);
    last?;
    if dice.chance(50) {
        return Some(Y::Str(text));
    }
    let path = format!("psm-{number}.yaml");
    tree.add(&format!("{dir}/{path}"), text);
    Some(path.into())
}

/// An entry of `patchesJson6902`; none if there is nothing to patch.
pub(crate) fn json6902_entry(
    dice: &mut Dice,
    tree: &mut Tree,
    dir: &str,
    number: usize,
    objects: &mut [Object],
    odd: bool,
) -> Option<Y> {
    let object = dice.one(objects).cloned()?;
    let mut target = Y::Map(Vec::new());
    let (group, version) = object.api.split_once('/').unwrap_or(("", &object.api));
    let (name, namespace) = known_id(dice, &object);
    if dice.chance(90) {
        target.push("group", group);
        target.push("version", version);
    }
    target.push("kind", object.kind.as_str());
    target.push("name", name);
    if !namespace.is_empty() {
        target.push("namespace", namespace);
    }
    let mut y = map([("target", target)]);
    let text = json6902(dice, Some(&object), odd);
    for other in objects.iter_mut() {
        other.solid &= other.ids != object.ids;
    }
    if dice.chance(50) {
        y.push("patch", text);
    } else {
        let path = format!("pj-{number}.{}", dice.pick(&["yaml", "json"]));
        tree.add(&format!("{dir}/{path}"), text);
        y.push("path", path);
    }
    Some(y)
}
