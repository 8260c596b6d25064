//! Objects with names that meet each other.

use crate::dice::Dice;
use crate::scalars;
use crate::value::{Y, map, raw};

/// An object of a tree, as patches and replacements may want to meet it.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) api: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) namespace: String,
    /// Names it has and had on the way up, each with the namespace of that time.
    pub(crate) ids: Vec<(String, String)>,
    /// What it was made of.
    pub(crate) y: Y,
    /// Nothing below its metadata has been changed since.
    pub(crate) solid: bool,
    /// Another object of the same kind and name is in another namespace.
    pub(crate) twin: bool,
}

impl Object {
    /// A new object.
    pub(crate) fn new(api: &str, kind: &str, name: &str, namespace: &str, y: Y) -> Self {
        Self {
            api: api.to_owned(),
            kind: kind.to_owned(),
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            ids: vec![(name.to_owned(), namespace.to_owned())],
            y,
            solid: true,
            twin: false,
        }
    }

    /// Whether a name prefix leaves its name alone.
    pub(crate) fn keeps_its_name(&self) -> bool {
        ["Namespace", "CustomResourceDefinition", "APIService"].contains(&self.kind.as_str())
    }
}

/// Few names, so that they meet.
pub(crate) const NAMES: [&str; 11] = [
    "a", "b", "app", "app-1", "db", "x.y", "cm", "a-b", "web", "ap", "app-12",
];
/// Names that are read as something else, or that Kubernetes would not take.
const ODD_NAMES: [&str; 10] = [
    "on", "1.0", "0x1", "x_y", "A-b", "ünï", "true", "a b", "p-app", "null",
];
pub(crate) const NAMESPACES: [&str; 4] = ["ns1", "ns2", "default", "prod"];
const IMAGES: [&str; 14] = [
    "nginx",
    "nginx:1.7",
    "nginx:latest",
    "nginx@sha256:0123",
    "nginx:1.7@sha256:0123",
    "reg.io:5000/team/app",
    "reg.io:5000/team/app:v1",
    "app:v1",
    "team/nginx:1",
    "gcr.io/nginx",
    "\"nginx:1.7\"",
    "nginx:{tag}",
    "NGINX:1",
    "my.app:1.0_a",
];

const KINDS: &[(&str, &str)] = &[
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
    ("v1", "Service"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("batch/v1", "CronJob"),
    ("batch/v1", "Job"),
    ("v1", "Pod"),
    ("networking.k8s.io/v1", "Ingress"),
    ("v1", "ServiceAccount"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
    ("v1", "Namespace"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "PersistentVolume"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("policy/v1", "PodDisruptionBudget"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ("example.com/v1", "MyApp"),
    ("example.com/v1", "Bee"),
    (
        "admissionregistration.k8s.io/v1",
        "ValidatingWebhookConfiguration",
    ),
    ("storage.k8s.io/v1", "StorageClass"),
    ("apiregistration.k8s.io/v1", "APIService"),
    ("extensions/v1beta1", "Deployment"),
    ("apps/v1", "ReplicaSet"),
    ("scheduling.k8s.io/v1", "PriorityClass"),
    ("gateway.networking.k8s.io/v1", "HTTPRoute"),
    ("v1", "ReplicationController"),
    ("argoproj.io/v1alpha1", "Rollout"),
    ("v1", "ResourceQuota"),
    ("v1", "Foo"),
];

/// Whether objects of a kind are in namespaces.
pub(crate) fn is_namespaced(kind: &str) -> bool {
    ![
        "Namespace",
        "ClusterRole",
        "ClusterRoleBinding",
        "PersistentVolume",
        "CustomResourceDefinition",
        "ValidatingWebhookConfiguration",
        "StorageClass",
        "APIService",
        "PriorityClass",
    ]
    .contains(&kind)
}

/// Kinds whose references are worth meeting: chosen more often.
const FREQUENT: &[usize] = &[0, 0, 1, 2, 3, 3, 3, 3, 4, 6, 9, 10, 12, 14, 15, 22, 22];

/// Makes an object; with `odd` its values are strange ones.
pub(crate) fn object(dice: &mut Dice, odd: bool) -> (Object, Y) {
    let at = if dice.chance(65) {
        dice.one(FREQUENT).copied().unwrap_or_default()
    } else {
        dice.below(KINDS.len())
    };
    let (api, kind) = KINDS.get(at).copied().unwrap_or(("v1", "ConfigMap"));
    let name = if odd && dice.chance(4) {
        dice.pick(&ODD_NAMES).to_owned()
    } else {
        dice.pick(&NAMES).to_owned()
    };
    let namespace = if dice.chance(25) {
        dice.pick(&NAMESPACES).to_owned()
    } else {
        String::new()
    };
    let mut y = Y::Map(Vec::new());
    let mut meta = map([("name", name.as_str().into())]);
    if !namespace.is_empty() {
        meta.push("namespace", namespace.as_str());
    }
    if dice.chance(25) {
        meta.push("labels", text_map(dice, odd));
    }
    if dice.chance(20) {
        meta.push("annotations", annotations(dice, odd));
    }
    if dice.chance(2) {
        meta.push("generateName", "gen-");
    }
    y.push("apiVersion", api);
    y.push("kind", kind);
    y.push("metadata", meta);
    body(dice, kind, &mut y, odd);
    if let Y::Map(entries) = &mut y
        && dice.chance(10)
    {
        entries.reverse();
    }
    let object = Object::new(api, kind, &name, &namespace, y.clone());
    (object, y)
}

/// A reference's value.
fn name(dice: &mut Dice) -> Y {
    dice.pick(&NAMES).into()
}

fn scalar(dice: &mut Dice, odd: bool) -> Y {
    if odd && dice.chance(60) {
        scalars::any(dice)
    } else {
        dice.pick(&["one", "two", "three", "$(A_VAR)"]).into()
    }
}

/// Labels or data: keys with texts.
pub(crate) fn text_map(dice: &mut Dice, odd: bool) -> Y {
    let mut y = Y::Map(Vec::new());
    let keys = [
        "app", "tier", "a.b/c", "env", "x_y", "UPPER", "key", "k1", "k10", "k2",
    ];
    let start = dice.below(keys.len());
    for at in 0..=dice.below(3) {
        let key = keys.get((start + at) % keys.len()).copied().unwrap_or("k");
        let key = if dice.chance(1) {
            dice.pick(&["10", "true", "1.5", "y", "2024-01-01", "a b", "ü"])
        } else {
            key
        };
        let value = if odd && dice.chance(25) {
            scalar(dice, odd)
        } else {
            dice.pick(&["a", "b", "web", "v1"]).into()
        };
        y.push(key, value);
    }
    y
}

fn annotations(dice: &mut Dice, odd: bool) -> Y {
    let mut y = text_map(dice, odd);
    if dice.chance(8) {
        y.push("config.kubernetes.io/local-config", dice.pick(&["true", "false"]));
    }
    if dice.chance(3) {
        y.push("config.kubernetes.io/index", Y::Str("0".into()));
    }
    if dice.chance(2) {
        y = raw(dice.pick(&["null", "{}", "~"]));
    }
    y
}

fn anything(dice: &mut Dice, depth: usize, odd: bool) -> Y {
    match dice.below(if depth == 0 { 4 } else { 8 }) {
        0..=3 => scalar(dice, odd),
        4 | 5 => Y::Seq(
            (0..dice.below(4))
                .map(|_| anything(dice, depth - 1, odd))
                .collect(),
        ),
        _ => {
            let mut y = Y::Map(Vec::new());
            let keys = [
                "a",
                "b",
                "c",
                "name",
                "key with space",
                "list",
                "x.y",
                "10",
                "9",
                "A",
                "a1",
                "a02",
            ];
            let start = dice.below(keys.len());
            for at in 0..dice.below(4) {
                let key = keys.get((start + at) % keys.len()).copied().unwrap_or("k");
                y.push(key, anything(dice, depth - 1, odd));
            }
            y
        }
    }
}

pub(crate) fn image(dice: &mut Dice) -> Y {
    raw(dice.pick(&IMAGES))
}

fn env(dice: &mut Dice, odd: bool) -> Y {
    let mut list = Y::Seq(Vec::new());
    for _ in 0..=dice.below(2) {
        let entry = map([("name", dice.pick(&["A", "B", "PATH", "DB_HOST"]).into())]);
        list.item(match dice.below(6) {
            0 => entry.with(
                "valueFrom",
                map([(
                    "configMapKeyRef",
                    map([("name", name(dice)), ("key", "k".into())]),
                )]),
            ),
            1 => entry.with(
                "valueFrom",
                map([("secretKeyRef", map([("key", "k".into()), ("name", name(dice))]))]),
            ),
            2 => entry.with(
                "value",
                dice.pick(&["$(A_VAR)", "x-$(B_VAR)-$(A_VAR)", "$$(A_VAR)", "$(NOPE)"]),
            ),
            _ => entry.with("value", scalar(dice, odd)),
        });
    }
    list
}

fn container(dice: &mut Dice, number: usize, odd: bool) -> Y {
    let names = ["c", "sidecar", "init"];
    let mut c = map([("name", names.get(number).copied().unwrap_or("z").into())]);
    if dice.chance(85) {
        c.push("image", image(dice));
    }
    if dice.chance(40) {
        c.push("env", env(dice, odd));
    }
    if dice.chance(25) {
        let mut list = Y::Seq(Vec::new());
        for _ in 0..=dice.below(2) {
            let kind = dice.pick(&["configMapRef", "secretRef"]);
            list.item(map([(kind, map([("name", name(dice))]))]));
        }
        c.push("envFrom", list);
    }
    if dice.chance(30) {
        let mut ports = Y::Seq(Vec::new());
        for port in ["80", "8080", "\"443\"", "53"].iter().take(1 + dice.below(3)) {
            let mut entry = map([("containerPort", raw(*port))]);
            if dice.chance(40) {
                entry.push("protocol", dice.pick(&["TCP", "UDP"]));
            }
            if dice.chance(40) {
                entry.push("name", dice.pick(&["http", "dns"]));
            }
            ports.item(entry);
        }
        c.push("ports", ports);
    }
    if dice.chance(25) {
        let mut list = Y::Seq(Vec::new());
        for path in ["/a", "/b"].iter().take(1 + dice.below(2)) {
            list.item(map([
                ("mountPath", (*path).into()),
                ("name", dice.pick(&["v1", "v2"]).into()),
            ]));
        }
        c.push("volumeMounts", list);
    }
    if dice.chance(20) {
        let args: Vec<Y> = (0..=dice.below(3)).map(|_| scalar(dice, odd)).collect();
        c.push(dice.pick(&["args", "command"]), args);
    }
    if dice.chance(15) {
        c.push(
            "resources",
            map([(
                "limits",
                map([
                    ("cpu", raw(dice.pick(&["100m", "1", "0.5", "\"2\""]))),
                    ("memory", "1Gi".into()),
                ]),
            )]),
        );
    }
    c
}

fn pod_spec(dice: &mut Dice, odd: bool) -> Y {
    let mut spec = Y::Map(Vec::new());
    let count = 1 + dice.below(2);
    let containers: Vec<Y> = (0..count).map(|number| container(dice, number, odd)).collect();
    spec.push("containers", containers);
    if dice.chance(20) {
        spec.push("initContainers", vec![container(dice, 2, odd)]);
    }
    if dice.chance(40) {
        let mut volumes = Y::Seq(Vec::new());
        for volume in ["v1", "v2"].iter().take(1 + dice.below(2)) {
            let entry = map([("name", (*volume).into())]);
            volumes.item(match dice.below(5) {
                0 => entry.with("configMap", map([("name", name(dice))])),
                1 => entry.with("secret", map([("secretName", name(dice))])),
                2 => entry.with("persistentVolumeClaim", map([("claimName", name(dice))])),
                3 => entry.with(
                    "projected",
                    map([(
                        "sources",
                        vec![
                            map([("configMap", map([("name", name(dice))]))]),
                            map([("secret", map([("name", name(dice))]))]),
                        ]
                        .into(),
                    )]),
                ),
                _ => entry.with("emptyDir", Y::Map(Vec::new())),
            });
        }
        spec.push("volumes", volumes);
    }
    if dice.chance(30) {
        spec.push(dice.pick(&["serviceAccountName", "serviceAccount"]), name(dice));
    }
    if dice.chance(15) {
        spec.push("imagePullSecrets", vec![map([("name", name(dice))])]);
    }
    if dice.chance(8) {
        spec.push("priorityClassName", name(dice));
    }
    if dice.chance(8) {
        spec.push(
            "tolerations",
            vec![
                map([("key", "k".into()), ("operator", "Exists".into())]),
                map([("key", "l".into())]),
            ],
        );
    }
    if dice.chance(10) {
        spec.push(
            "topologySpreadConstraints",
            vec![map([
                ("maxSkew", raw("1")),
                ("topologyKey", "zone".into()),
                ("whenUnsatisfiable", "DoNotSchedule".into()),
                ("labelSelector", map([("matchLabels", text_map(dice, false))])),
            ])],
        );
    }
    if dice.chance(5) {
        spec.push(
            "hostAliases",
            vec![map([
                ("ip", "1.2.3.4".into()),
                ("hostnames", vec![Y::from("h")].into()),
            ])],
        );
    }
    spec
}

fn template(dice: &mut Dice, odd: bool) -> Y {
    let mut template = Y::Map(Vec::new());
    if dice.chance(70) {
        let mut meta = map([("labels", text_map(dice, odd))]);
        if dice.chance(20) {
            meta.push("annotations", annotations(dice, odd));
        }
        template.push("metadata", meta);
    }
    template.push("spec", pod_spec(dice, odd));
    template
}

fn workload(dice: &mut Dice, kind: &str, odd: bool) -> Y {
    let mut spec = Y::Map(Vec::new());
    if dice.chance(50) {
        spec.push("replicas", raw(dice.pick(&["1", "3", "\"2\"", "null", "0x3"])));
    }
    if dice.chance(60) {
        spec.push("selector", map([("matchLabels", text_map(dice, odd))]));
    }
    if kind == "StatefulSet" {
        spec.push("serviceName", name(dice));
        if dice.chance(50) {
            spec.push(
                "volumeClaimTemplates",
                vec![map([
                    ("metadata", map([("name", "data".into())])),
                    ("spec", map([("storageClassName", name(dice))])),
                ])],
            );
        }
    }
    spec.push("template", template(dice, odd));
    spec
}

fn body(dice: &mut Dice, kind: &str, y: &mut Y, odd: bool) {
    match kind {
        "ConfigMap" => {
            if dice.chance(85) {
                y.push("data", text_map(dice, odd));
            }
            if odd && dice.chance(20) {
                y.push(
                    "binaryData",
                    map([("b", raw("!!binary aGk=")), ("c", "aGk=".into())]),
                );
            }
            if dice.chance(5) {
                y.push("immutable", raw("true"));
            }
        }
        "Secret" => {
            y.push("type", "Opaque");
            y.push(
                dice.pick(&["data", "stringData"]),
                map([("password", "aGVsbG8=".into()), ("user", "YQ==".into())]),
            );
        }
        "Service" => {
            let mut spec = map([("selector", text_map(dice, odd))]);
            let mut ports = Y::Seq(Vec::new());
            for port in ["80", "443"].iter().take(1 + dice.below(2)) {
                let mut entry = map([("port", raw(*port))]);
                if dice.chance(50) {
                    entry.push("targetPort", raw(dice.pick(&["8080", "http", "\"8080\""])));
                }
                if dice.chance(50) {
                    entry.push("name", dice.pick(&["http", "https"]));
                }
                if dice.chance(30) {
                    entry.push("protocol", dice.pick(&["TCP", "UDP"]));
                }
                ports.item(entry);
            }
            spec.push("ports", ports);
            y.push("spec", spec);
        }
        "Deployment"
        | "StatefulSet"
        | "DaemonSet"
        | "ReplicaSet"
        | "ReplicationController"
        | "Rollout"
        | "Job" => {
            y.push("spec", workload(dice, kind, odd));
        }
        "CronJob" => {
            y.push(
                "spec",
                map([
                    ("schedule", raw(dice.pick(&["\"* * * * *\"", "'0 1 * * *'"]))),
                    (
                        "jobTemplate",
                        map([("spec", map([("template", template(dice, odd))]))]),
                    ),
                ]),
            );
        }
        "Pod" => y.push("spec", pod_spec(dice, odd)),
        "Ingress" => {
            let backend = |name: Y| {
                map([(
                    "service",
                    map([("name", name), ("port", map([("number", raw("80"))]))]),
                )])
            };
            let path = map([
                ("path", "/".into()),
                ("pathType", "Prefix".into()),
                ("backend", backend(name(dice))),
            ]);
            let mut spec = map([(
                "rules",
                vec![map([
                    ("host", "h.example.com".into()),
                    ("http", map([("paths", vec![path].into())])),
                ])]
                .into(),
            )]);
            if dice.chance(40) {
                spec.push(
                    "tls",
                    vec![map([
                        ("secretName", name(dice)),
                        ("hosts", vec![Y::from("h")].into()),
                    ])],
                );
            }
            if dice.chance(30) {
                spec.push("defaultBackend", backend(name(dice)));
            }
            if dice.chance(15) {
                spec.push("ingressClassName", name(dice));
            }
            y.push("spec", spec);
        }
        "ServiceAccount" => {
            if dice.chance(40) {
                y.push("imagePullSecrets", vec![map([("name", name(dice))])]);
                y.push("secrets", vec![map([("name", name(dice))])]);
            }
        }
        "Role" | "ClusterRole" => {
            let mut rule = map([
                ("apiGroups", vec![Y::from("")].into()),
                (
                    "resources",
                    vec![Y::from(dice.pick(&["configmaps", "secrets"]))].into(),
                ),
                ("verbs", vec![Y::from("get"), Y::from("*")].into()),
            ]);
            if dice.chance(50) {
                rule.push("resourceNames", vec![name(dice), name(dice)]);
            }
            y.push("rules", vec![rule]);
            if kind == "ClusterRole" && dice.chance(20) {
                y.push(
                    "aggregationRule",
                    map([(
                        "clusterRoleSelectors",
                        vec![map([("matchLabels", text_map(dice, false))])].into(),
                    )]),
                );
            }
        }
        "RoleBinding" | "ClusterRoleBinding" => {
            let role = if kind == "RoleBinding" {
                dice.pick(&["Role", "ClusterRole"])
            } else {
                "ClusterRole"
            };
            y.push(
                "roleRef",
                map([
                    ("apiGroup", "rbac.authorization.k8s.io".into()),
                    ("kind", role.into()),
                    ("name", name(dice)),
                ]),
            );
            let mut subjects = Y::Seq(Vec::new());
            for _ in 0..=dice.below(2) {
                let mut subject = map([
                    (
                        "kind",
                        dice.pick(&[
                            "ServiceAccount",
                            "ServiceAccount",
                            "ServiceAccount",
                            "User",
                            "Group",
                        ])
                        .into(),
                    ),
                    ("name", dice.pick(&["default", "a", "app", "b", "db"]).into()),
                ]);
                if dice.chance(60) {
                    subject.push("namespace", dice.pick(&NAMESPACES));
                }
                subjects.item(subject);
            }
            y.push("subjects", subjects);
        }
        "PersistentVolumeClaim" => y.push(
            "spec",
            map([
                ("storageClassName", name(dice)),
                ("volumeName", name(dice)),
                ("accessModes", vec![Y::from("ReadWriteOnce")].into()),
            ]),
        ),
        "PersistentVolume" => y.push(
            "spec",
            map([
                ("storageClassName", name(dice)),
                (
                    "claimRef",
                    map([("name", name(dice)), ("namespace", "ns1".into())]),
                ),
            ]),
        ),
        "HorizontalPodAutoscaler" => y.push(
            "spec",
            map([
                (
                    "scaleTargetRef",
                    map([
                        ("apiVersion", "apps/v1".into()),
                        ("kind", dice.pick(&["Deployment", "StatefulSet"]).into()),
                        ("name", name(dice)),
                    ]),
                ),
                ("maxReplicas", raw("3")),
            ]),
        ),
        "PodDisruptionBudget" => y.push(
            "spec",
            map([
                ("minAvailable", raw(dice.pick(&["1", "50%"]))),
                ("selector", map([("matchLabels", text_map(dice, false))])),
            ]),
        ),
        "NetworkPolicy" => y.push(
            "spec",
            map([
                (
                    "podSelector",
                    if dice.chance(50) {
                        map([("matchLabels", text_map(dice, false))])
                    } else {
                        Y::Map(Vec::new())
                    },
                ),
                (
                    "ingress",
                    vec![map([(
                        "from",
                        vec![map([(
                            "podSelector",
                            map([("matchLabels", text_map(dice, false))]),
                        )])]
                        .into(),
                    )])]
                    .into(),
                ),
            ]),
        ),
        "CustomResourceDefinition" => y.push(
            "spec",
            map([
                ("group", "example.com".into()),
                (
                    "names",
                    map([("kind", "MyApp".into()), ("plural", "myapps".into())]),
                ),
                ("scope", dice.pick(&["Namespaced", "Cluster"]).into()),
                (
                    "conversion",
                    map([(
                        "webhook",
                        map([(
                            "clientConfig",
                            map([(
                                "service",
                                map([("name", name(dice)), ("namespace", "ns1".into())]),
                            )]),
                        )]),
                    )]),
                ),
            ]),
        ),
        "ValidatingWebhookConfiguration" => y.push(
            "webhooks",
            vec![map([
                ("name", "a.example.com".into()),
                (
                    "clientConfig",
                    map([(
                        "service",
                        map([("name", name(dice)), ("namespace", dice.pick(&NAMESPACES).into())]),
                    )]),
                ),
            ])],
        ),
        "APIService" => y.push(
            "spec",
            map([(
                "service",
                map([("name", name(dice)), ("namespace", dice.pick(&NAMESPACES).into())]),
            )]),
        ),
        "StorageClass" => y.push("provisioner", "x/y"),
        "PriorityClass" => y.push("value", raw("100")),
        _ => {
            let mut items = Y::Seq(Vec::new());
            for item in ["a", "b", "c"].iter().take(dice.below(4)) {
                items.item(map([("name", (*item).into()), ("v", scalar(dice, odd))]));
            }
            let mut any = map([("a", scalar(dice, odd))]);
            if dice.chance(50) {
                any.push("rest", anything(dice, 3, odd));
            }
            let mut spec = map([
                ("configRef", map([("name", name(dice))])),
                ("items", items),
                ("any", any),
            ]);
            if dice.chance(40) {
                spec.push("free", anything(dice, 3, odd));
            }
            if dice.chance(30) {
                spec.push("template", template(dice, odd));
            }
            y.push("spec", spec);
            if dice.chance(15) {
                y.push("status", anything(dice, 1, odd));
            }
        }
    }
    if odd && dice.chance(15) {
        y.push(dice.pick(&["extra", "spec2", "data2"]), anything(dice, 3, odd));
    }
}
