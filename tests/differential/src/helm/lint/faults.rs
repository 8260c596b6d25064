//! Charts with faults that a linter finds.

use std::fmt::Write as _;

use super::super::chart::{self, Release};
use super::addresses::{email, quoted, url};
use super::schemas::schema;
use crate::dice::Dice;

/// A generated chart with some faults, and options of `helm lint`.
pub(super) fn release(dice: &mut Dice) -> Release {
    let mut release = chart::release(dice);
    release.arguments = arguments(dice, &release.arguments);
    for _ in 0..=dice.below(4) {
        let fault = dice.below(10);
        let mut files = Files(&mut release);
        match fault {
            0..=3 => definition(dice, &mut files),
            4..=6 => template(dice, &mut files),
            7 => values(dice, &mut files),
            8 => definitions(dice, &mut files),
            _ => subcharts(dice, &mut files),
        }
    }
    release
}

/// Options of `helm template` that lint has too, and its own.
fn arguments(dice: &mut Dice, given: &[String]) -> Vec<String> {
    const KEPT: [&str; 7] = [
        "-f",
        "--set",
        "--set-string",
        "--set-json",
        "--set-literal",
        "--set-file",
        "--namespace",
    ];
    let path = match dice.below(12) {
        0 => "{}/./chart/",
        1 => "{}/other/../chart",
        2 => "{}/chart.tgz",
        _ => "{}/chart",
    };
    let mut arguments = vec![path.to_owned()];
    if dice.chance(6) {
        arguments.push(
            dice.pick(&["{}/nothing", "{}/chart/Chart.yaml", "{}/none.tgz", "{}/chart"])
                .to_owned(),
        );
    }
    let mut given = given.iter();
    while let Some(argument) = given.next() {
        if KEPT.contains(&argument.as_str()) {
            arguments.push(argument.clone());
            arguments.extend(given.next().cloned());
        }
    }
    for (flag, percent) in [
        ("--strict", 25),
        ("--quiet", 15),
        ("--with-subcharts", 35),
        ("--skip-schema-validation", 10),
    ] {
        if dice.chance(percent) {
            arguments.push(flag.to_owned());
        }
    }
    if dice.chance(35) {
        arguments.push("--kube-version".to_owned());
        arguments.push(
            dice.pick(&[
                "1.8", "1.16.0", "1.21.3", "v1.25.1", "1.29", "1.36.0", "1.45", "0.0", "2.1", "x",
            ])
            .to_owned(),
        );
    }
    arguments
}

struct Files<'r>(&'r mut Release);

impl Files<'_> {
    fn put(&mut self, path: &str, text: impl Into<String>) {
        let path = format!("chart/{path}");
        // What is a file is no folder.
        let below = format!("{path}/");
        self.0.files.retain(|other, _| !other.starts_with(&below));
        let above: Vec<String> = path
            .match_indices('/')
            .filter_map(|(at, _)| path.get(..at).map(str::to_owned))
            .collect();
        self.0.files.retain(|other, _| !above.contains(other));
        self.0.files.insert(path, text.into());
    }

    fn drop(&mut self, path: &str) {
        let path = format!("chart/{path}");
        self.0.files.retain(|other, _| !other.starts_with(&path));
    }

    fn definition(&mut self) -> &mut String {
        self.0.files.entry("chart/Chart.yaml".to_owned()).or_default()
    }

    /// Sets or takes a field of Chart.yaml that stands on one line.
    fn field(&mut self, name: &str, value: Option<&str>) {
        let text = self.definition();
        let begin = format!("{name}:");
        *text = text
            .split_inclusive('\n')
            .filter(|line| !line.starts_with(&begin))
            .collect();
        if let Some(value) = value {
            let _written = writeln!(text, "{begin} {value}");
        }
    }
}

fn definition(dice: &mut Dice, files: &mut Files<'_>) {
    match dice.below(12) {
        0 => {
            let field = dice.pick(&["name", "version", "apiVersion", "appVersion"]);
            files.field(field, None);
        }
        1 => {
            // Not `/`, which Helm takes for a name, and weir refuses (N07).
            let name = dice.pick(&["''", "a/b", "..", "Top_X", "top.x", "3", "a/", "~", "\"a b\""]);
            files.field("name", Some(name));
        }
        2 => {
            let version = dice.pick(&[
                "1",
                "1.2",
                "v1.2.3",
                "x",
                "0.0.0",
                "0.0.0-0",
                "1.2.3.4",
                "01.2.3",
                "1.10",
                "~",
                "[1]",
                "1.2.3-é",
                "'1'",
                "true",
                "1.2.3-rc.01",
                "1.2.3+b",
                "2024-01-02",
                "0.0.0-0+x",
                "V1.2.3",
                "1.2.3-",
                "{}",
            ]);
            files.field("version", Some(version));
        }
        3 => {
            let version = dice.pick(&["v1", "v2", "v3", "1", "~", "''", "V2"]);
            files.field("apiVersion", Some(version));
        }
        4 => {
            let version = dice.pick(&[
                "1.0",
                "true",
                "~",
                "[a]",
                "2024-01-01",
                "{}",
                "!!str 1",
                "0x1f",
                ".inf",
            ]);
            files.field("appVersion", Some(version));
        }
        5 => {
            let kind = dice.pick(&["x", "library", "application", "''", "Library", "3"]);
            files.field("type", Some(kind));
        }
        6 => {
            let icon = if dice.chance(50) {
                url(dice)
            } else {
                dice.pick(&["icon.png", "/x.png", "data:x", ":x", "", "*", "mailto:a@b"])
                    .to_owned()
            };
            files.field("icon", Some(&quoted(&icon)));
        }
        7 => {
            let (email, url) = (quoted(&email(dice)), quoted(&url(dice)));
            let list = match dice.below(6) {
                0 => "[null]".to_owned(),
                1 => "[{email: a@b.c}]".to_owned(),
                2 => format!("[{{name: x}}, {{name: y, email: {email}, url: {url}}}]"),
                3 => format!("[{{name: y, url: {url}}}]"),
                _ => format!("[{{name: z, email: {email}}}]"),
            };
            files.field("maintainers", Some(&list));
        }
        8 => {
            let (first, second) = (quoted(&url(dice)), quoted(&url(dice)));
            files.field("sources", Some(&format!("[{first}, {second}]")));
        }
        9 => files.definition().push_str(dice.pick(&[
            "unknown: 1\n",
            "Zone: x\nabc: y\n",
            "home: http://a\nhome: http://b\n",
            "annotations: {a: b, a: c}\nkeywords: [a]\nkeywords: [b]\n",
            "Description: in another case\n",
            "maintainers:\n- name: a\n  nick: b\n",
            "import-values: []\n",
        ])),
        10 => files.definition().push_str(dice.pick(&[
            "keywords: x\n",
            "maintainers: [x]\n",
            "maintainers: {name: x}\n",
            "maintainers: [{name: [x]}]\n",
            "annotations: {a: {b: c}}\n",
            "deprecated: \"yes\"\n",
            "home: {}\n",
            "sources: http://x\n",
            "kubeVersion: [1]\n",
            "\tindented: with a tab\n",
            "a: b: c\n",
            "'unclosed\n",
            "- item\n",
            "description: {a: b}\nhome: [c]\n",
        ])),
        _ => {
            let text = files.definition();
            if text.contains("dependencies:") {
                return;
            }
            let list = dice.pick(&[
                "[{name: gone, version: 1.0.0, repository: ''}]",
                "[{name: gone, version: 1.0.0}, {name: lost, version: '*', alias: other}]",
                "[{name: gone, version: 1.0.0}, {name: gone, version: 2.0.0}]",
                "[{name: a, version: 1.0.0}, {name: b, version: 2.0.0, alias: a}]",
                "[null]",
                "[{name: gone, version: 1.0.0, alias: 'a b'}]",
                "[{name: [x]}]",
                "[{name: gone, version: 1.0.0, extra: x}]",
                "x",
                "[]",
            ]);
            let _written = writeln!(text, "dependencies: {list}");
        }
    }
}

const NAMES: [&str; 18] = [
    "A",
    "a_b",
    "a..b",
    "-a",
    "''",
    "a/b",
    "a%b",
    "'.'",
    "'..'",
    "é",
    "1a",
    "a.b",
    "a-",
    "ok",
    "\"a\\tb\"",
    "a%/b",
    "~",
    "3",
];

fn template(dice: &mut Dice, files: &mut Files<'_>) {
    const APIS: [(&str, &str); 22] = [
        ("extensions/v1beta1", "Deployment"),
        ("extensions/v1beta1", "Ingress"),
        ("extensions/v1beta1", "Scale"),
        ("apps/v1beta1", "StatefulSet"),
        ("apps/v1beta2", "DaemonSetList"),
        ("batch/v1beta1", "CronJob"),
        ("policy/v1beta1", "PodDisruptionBudget"),
        ("policy/v1beta1", "PodSecurityPolicy"),
        ("networking.k8s.io/v1beta1", "IngressClass"),
        ("networking.k8s.io/v1beta1", "IPAddress"),
        ("storage.k8s.io/v1alpha1", "VolumeAttributesClass"),
        ("flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema"),
        ("resource.k8s.io/v1beta1", "ResourceClaim"),
        (
            "admissionregistration.k8s.io/v1beta1",
            "ValidatingAdmissionPolicy",
        ),
        ("autoscaling/v2beta2", "HorizontalPodAutoscaler"),
        ("rbac.authorization.k8s.io/v1beta1", "Role"),
        ("v1", "Service"),
        ("v1", "Namespace"),
        ("v1", "ServiceAccount"),
        ("certificates.k8s.io/v1", "CertificateSigningRequest"),
        ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
        ("apps/v1", "ReplicaSet"),
    ];
    let index = dice.below(4);
    match dice.below(9) {
        0..=2 => {
            let mut text = String::new();
            for _ in 0..=dice.below(3) {
                let (api, kind) = dice.one(&APIS).copied().unwrap_or_default();
                let name = match dice.below(20) {
                    0 => "x".repeat(64),
                    1 => "x".repeat(254),
                    _ => dice.pick(&NAMES).to_owned(),
                };
                let _written = writeln!(
                    text,
                    "---\napiVersion: {api}\nkind: {kind}\nmetadata: {{name: {name}}}"
                );
                text.push_str(dice.pick(&["", "spec: {selector: {matchLabels: {a: b}}}\n"]));
            }
            files.put(&format!("templates/bad{index}.yaml"), text);
        }
        3 => {
            let path = dice.pick(&[
                "templates/x.json",
                "templates/README",
                "templates/X.YAML",
                "templates/.hidden",
                "templates/a.tar.gz",
                "templates/deep.er/x",
                "templates/_partial",
                "templates/x.tpl",
                "templates/x.YmL",
            ]);
            files.put(path, dice.pick(&["kind: X\n", "{{ 1 }}\n", "", "no: [\n"]));
        }
        4 => {
            let text = dice.pick(&[
                " kind: X\n metadata: {name: a}\n",
                "\tkind: X\n",
                "\n\n  # comment\nkind: X\nmetadata: {name: a}\n",
                "{{- \"  \" }}kind: X\n",
                "kind: X\n\tmetadata: {name: a}\n",
                "kind: 'X\n",
                "--- foo\nkind: X\n",
                "kind: X\nmetadata: {name: a}\n--- # comment\nkind: Y\nmetadata: {name: B}\n",
                "---kind: X\n",
                "kind: X\nmetadata: {name: a}\n...\nkind: Y\n",
                "   \n \t\n",
            ]);
            files.put(&format!("templates/bad{index}.yaml"), text);
        }
        5 => {
            let text = dice.pick(&[
                "{\"kind\": \"X\", \"metadata\": {\"name\": \"a\"}}\n",
                "{\"kind\": \"X\"}{\"kind\": \"Y\"}{\"kind\": \"Z\"}",
                "{\"kind\": \"X\"}\n---\nkind: Y\n",
                "{kind: X, metadata: {name: a}}\n",
                "{\"kind\": 1, \"metadata\": {\"name\": true}}\n",
                "{\"kind\": \"X\"} {\"kind\": \"Y\"} {\"kind\": ",
                "{kind: [\n",
                "{ .Values.a }}\n",
                "{\"kind\": \"X\", \"metadata\": 3}",
                "{{ dict \"kind\" \"X\" | toJson }}\n",
                "null\n---\n~\n",
                "[]",
            ]);
            files.put(&format!("templates/bad{index}.yaml"), text);
        }
        6 => {
            let text = dice.pick(&[
                "kind: List\nmetadata: {name: a}\nitems: [{metadata: {annotations: {helm.sh/resource-policy: keep}}}]\n",
                "kind: List\nmetadata: {name: a}\nitems: [{metadata: {annotations: {a: b}}}, null]\n",
                "kind: List\nmetadata: {name: a}\nitems: x\n",
                "kind: List\nmetadata: {name: a}\nitems: [{metadata: {annotations: {a: [b]}}}]\n",
                "kind: List\nmetadata: {name: a}\nitems: [{metadata: x}]\n",
                "kind: A\nmetadata: {name: a}\n---\nkind: List\nmetadata: {name: a}\nitems: [{metadata: {annotations: {helm.sh/resource-policy: keep}}}]\n",
                "kind: X\nmetadata: 3\n",
                "kind: [X]\nmetadata: {name: a}\n",
                "apiVersion: {a: b}\nkind: [c]\n",
                "kind: 3\nmetadata: {name: 4, namespace: true}\n",
                "kind: X\nmetadata: {name: {a: b}, namespace: [c]}\n",
                "kind: X\nkind: Y\nmetadata: {name: a, name: B}\n",
            ]);
            files.put(&format!("templates/bad{index}.yaml"), text);
        }
        7 => {
            let text = dice.pick(&[
                "kind: X\nmetadata: {name: a}\na: {{ required \"give a\" .Values.nope | quote }}\n",
                "kind: X\nmetadata: {name: a}\na: {{ required \"give a\" .Values.nope.deep }}\n",
                "kind: X\nmetadata: {name: \"{{ fail \"no\" }}a\"}\n",
                "kind: X\nmetadata: {name: a}\nb: {{ (lookup \"v1\" \"Pod\" \"\" \"\").items | toJson }}\n",
                "kind: X\nmetadata: {name: a}\nb: {{ .Release | toJson }}\n",
                "kind: X\nmetadata: {name: a}\nb: {{ .Values | toJson }}\n",
                "kind: X\nmetadata: {name: a}\nb: {{ .Capabilities.KubeVersion }}\n",
                "kind: X\nmetadata: {name: a}\nb: {{ include \"nothing\" . }}\n",
                "kind: X\nmetadata: {name: a}\nb: {{ if }}\n",
                "kind: {{ .Release.Name }}\nmetadata: {name: {{ .Template.Name }}}\n",
                "kind: X\nmetadata: {name: a}\nb: {{ tpl \"{{ required \\\"x\\\" .a }}\" . }}\n",
                "kind: X\nmetadata: {name: \"{{ .Chart.Version }}\"}\nb: {{ index .Values \"nope\" \"deep\" }}\n",
            ]);
            files.put(&format!("templates/bad{index}.yaml"), text);
        }
        _ => {
            files.drop("templates/");
            if dice.chance(40) {
                files.put("templates", "a file\n");
            }
        }
    }
}

fn values(dice: &mut Dice, files: &mut Files<'_>) {
    match dice.below(6) {
        0 => files.drop("values.yaml"),
        1 | 2 => {
            let text = dice.pick(&[
                "a: [\n",
                "- a\n",
                "a: 1\na: 2\n",
                "text\n",
                "a: 1\n---\nb: 2\n",
                "a: 1\n--- # more\nb: 2\n",
                "a: 1\n--- no\nb: 2\n",
                "\ta: 1\n",
                "",
                "~\n",
                "a: ~\ntop: {a: 1}\n",
                "3\n",
                "a: b: c\n",
            ]);
            files.put("values.yaml", text);
        }
        3 | 4 => files.put("values.schema.json", schema(dice)),
        _ => {
            let text = dice.pick(&[
                "{",
                "{}",
                "[]",
                "{\"type\": \"string\"}",
                "{\"required\": [\"zzz\", \"a\"]}",
                "false",
                "",
                "{\"properties\": {\"a\": {\"type\": \"integer\"}}}",
                "{\"type\": \"nothing\"}",
                "{\"properties\": {\"a\": {\"pattern\": \"^x\"}, \"name\": {\"minLength\": 9}}}",
                "{\"additionalProperties\": false}",
                "{\"$ref\": \"#/definitions/nope\"}",
            ]);
            files.put("values.schema.json", text);
        }
    }
}

fn definitions(dice: &mut Dice, files: &mut Files<'_>) {
    if dice.chance(10) {
        files.drop("crds/");
        files.put("crds", "a file\n");
        return;
    }
    let path = dice.pick(&[
        "crds/a.yaml",
        "crds/b.yml",
        "crds/c.json",
        "crds/deep/d.yaml",
        "crds/e.txt",
        "crds/F.YAML",
    ]);
    let text = dice.pick(&[
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a.b.c}\n",
        "apiVersion: apiextensions.k8s.io/v1beta1\nkind: CustomResourceDefinition\n---\nkind: X\n",
        "apiVersion: v1\nkind: CustomResourceDefinition\n",
        "apiVersion: apiextensions.k8s.io/v1\nkind: Crd\n",
        "a: [\n",
        "{\"apiVersion\": \"apiextensions.k8s.io/v1\", \"kind\": \"CustomResourceDefinition\"}\n",
        "{{ .Values.a }}\n",
        "",
        "# nothing\n",
        "- a\n",
        "--- x\nkind: Y\n",
    ]);
    files.put(path, text);
}

fn subcharts(dice: &mut Dice, files: &mut Files<'_>) {
    match dice.below(8) {
        0 => files.put("charts/odd/x.txt", "no chart\n"),
        1 => files.put("charts/README.md", "read\n"),
        2 => files.put("charts/bad/Chart.yaml", "name: [\n"),
        3 => files.put("charts/_x/Chart.yaml", "name: [\n"),
        4 => files.put("charts/x.tgz", "no archive\n"),
        5 => {
            files.put(
                "charts/plain/Chart.yaml",
                "apiVersion: v2\nname: plain\nversion: 0.1.0\n",
            );
            files.put("charts/plain/crds/a.yaml", "kind: X\n");
        }
        6 => {
            let text = dice.pick(&[
                "apiVersion: v3\nname: new\nversion: 0.1.0\n",
                "name: other\nversion: 1.0\n",
                "apiVersion: v2\nname: x/y\nversion: 0.1.0\n",
                "apiVersion: v2\nversion: 0.1.0\n",
            ]);
            files.put("charts/new/Chart.yaml", text);
        }
        _ => files.drop("charts/"),
    }
}
