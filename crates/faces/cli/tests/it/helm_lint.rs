//! `weir helm lint`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::weir;
use crate::helm::{helm, text, tree};

const CHART: (&str, &str) = (
    "Chart.yaml",
    "apiVersion: v2\nname: app\nversion: 1.0.0\nicon: https://example.com/icon.png\n",
);

#[tokio::test]
async fn a_chart_with_faults_fails_and_says_why() {
    let folder = tree(&[
        (
            "Chart.yaml",
            "apiVersion: v2\nname: app\nversion: 1.10\nfoo: x\nmaintainers: [{name: me, email: nobody}]\n",
        ),
        (
            "templates/a.yaml",
            "apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: A}\n",
        ),
        ("templates/b.json", "{}"),
        (
            "templates/c.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nx: [\n",
        ),
        ("crds/x.yaml", "apiVersion: v1\nkind: X\n"),
    ]);
    let chart = text(folder.path());
    let ran = weir(&["helm", "lint", &chart]).await;
    let out = ran.stdout.clone();
    let said = ran.failure();
    assert!(said.contains("1 chart(s) linted, 1 chart(s) failed"), "{said}");
    for line in [
        &*format!("==> Linting {chart}\n"),
        "[WARNING] Chart.yaml: failed to strictly parse chart metadata file\n\terror unmarshaling JSON: while decoding JSON: json: unknown field \"foo\"\n",
        "[ERROR] Chart.yaml: version should be of type string but it's of type float64\n",
        "[ERROR] Chart.yaml: invalid email 'nobody' for maintainer 'me'\n[INFO] Chart.yaml: icon is recommended\n",
        "[WARNING] Chart.yaml: version '1.1' is not a valid SemVerV2\n[INFO] values.yaml: file does not exist\n",
        "[WARNING] templates/a.yaml: object name does not conform to Kubernetes naming requirements: \"A\": metadata.name: Invalid value: \"A\": a lowercase RFC 1123 subdomain",
        "[WARNING] templates/a.yaml: extensions/v1beta1 Ingress is deprecated in v1.14+, unavailable in v1.22+; use networking.k8s.io/v1 Ingress\n",
        "[ERROR] templates/b.json: file extension '.json' not valid. Valid extensions are .yaml, .yml, .tpl, or .txt\n",
        "[ERROR] templates/c.yaml: unable to parse YAML: error converting YAML to JSON: yaml: ",
        "[ERROR] crds/x.yaml: apiVersion is not in 'apiextensions.k8s.io'\n[ERROR] crds/x.yaml: object kind is not 'CustomResourceDefinition'\n",
    ] {
        assert!(out.contains(line), "{line}\n---\n{out}");
    }
    let ran = weir(&["helm", "lint", &chart, "--kube-version", "1.10", "--quiet"]).await;
    assert!(!ran.stdout.contains("is deprecated"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("[INFO]"), "{}", ran.stdout);
}

#[tokio::test]
async fn warnings_fail_a_chart_only_if_asked() {
    let folder = tree(&[
        CHART,
        (
            "templates/a.yaml",
            "kind: X\nmetadata: {name: \"{{ required \"give a\" .Values.a }}b\"}\nx: {{ fail \"no\" | quote }}\n",
        ),
        (
            "charts/sub/Chart.yaml",
            "apiVersion: v1\nname: sub\nversion: 1.0\n",
        ),
    ]);
    fs::create_dir_all(folder.path().join("templates")).expect("makes a folder");
    let chart = text(folder.path());
    let ran = weir(&["helm", "lint", &chart, "--set", "b=1"]).await;
    assert!(ran.stderr.contains("give a"), "{}", ran.stderr);
    assert_eq!(
        ran.stdout,
        format!(
            "==> Linting {chart}\n[INFO] values.yaml: file does not exist\n[ERROR] {chart}: chart metadata is missing these \
             dependencies: sub\n\n"
        )
    );
    let folder = tree(&[CHART, ("values.yaml", "a: 1\n")]);
    let chart = text(folder.path());
    let out = weir(&["helm", "lint", &chart]).await.success();
    assert_eq!(
        out,
        format!(
            "==> Linting {chart}\n[WARNING] templates/: directory does not exist\n\n1 chart(s) linted, 0 chart(s) failed\n"
        )
    );
    let said = weir(&["helm", "lint", &chart, "--strict"]).await.failure();
    assert!(said.contains("1 chart(s) linted, 1 chart(s) failed"), "{said}");
    let folder = tree(&[
        CHART,
        ("values.yaml", "a: 1\n"),
        ("templates/a.yaml", "kind: X\nmetadata: {name: a}\n"),
    ]);
    let out = weir(&["helm", "lint", &text(folder.path()), "--quiet"])
        .await
        .success();
    assert_eq!(out, "");
}

#[tokio::test]
async fn findings_are_data_with_file_and_line() {
    let folder = tree(&[
        (
            "Chart.yaml",
            "apiVersion: v2\nname: app\nicon: https://x\nversion: 1.10\n",
        ),
        ("values.yaml", "a: 1\n"),
        ("templates/a.yaml", "kind: X\n\na: {{ .Values.a.b.c }}\n"),
        (
            "crds/x.yaml",
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n---\napiVersion: apiextensions.k8s.io/v1\nkind: X\n",
        ),
    ]);
    let ran = weir(&["helm", "lint", &text(folder.path()), "--output", "json"]).await;
    let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert!(ran.stderr.contains("1 chart(s) failed"), "{}", ran.stderr);
    let places: Vec<(&str, &str, Option<u64>)> = report
        .pointer("/charts/0/findings")
        .and_then(Value::as_array)
        .expect("findings")
        .iter()
        .map(|finding| {
            (
                finding
                    .get("severity")
                    .and_then(Value::as_str)
                    .expect("a severity"),
                finding.get("file").and_then(Value::as_str).unwrap_or_default(),
                finding.get("line").and_then(Value::as_u64),
            )
        })
        .collect();
    assert_eq!(
        places,
        [
            ("error", "Chart.yaml", Some(4)),
            ("warning", "Chart.yaml", Some(4)),
            ("error", "templates/a.yaml", Some(3)),
            ("error", "crds/x.yaml", Some(4)),
        ]
    );
    assert_eq!(report.get("failed"), Some(&1.into()));
}

#[tokio::test]
async fn what_is_no_chart_is_said() {
    let folder = tree(&[("x", "")]);
    let path = text(folder.path());
    let ran = weir(&["helm", "lint", &path]).await;
    assert_eq!(
        ran.stdout,
        format!(
            "==> Linting {path}\nError unable to check Chart.yaml file in chart: stat {path}/Chart.yaml: no such file or directory\n\n"
        )
    );
    ran.failure();
    let said = weir(&["helm", "lint", &path, "--kube-version", "x"])
        .await
        .failure();
    assert!(said.contains("invalid kube version 'x'"), "{said}");
}

/// helm's output and whether it failed; the folder that it unpacks an archive to is named like the archive.
fn theirs(helm: &Path, args: &[&str], archive: &str) -> (String, bool) {
    let out = std::process::Command::new(helm)
        .arg("lint")
        .args(args)
        .output()
        .expect("runs helm");
    let mut text = String::new();
    for line in String::from_utf8_lossy(&out.stdout).split_inclusive('\n') {
        match line
            .split_once("/helm-lint")
            .and_then(|(_, rest)| rest.split_once(": "))
        {
            Some((_, message)) => {
                let severity = line.split(' ').next().unwrap_or_default();
                let _written = write!(text, "{severity} {archive}: {message}");
            }
            None => text.push_str(line),
        }
    }
    (text, out.status.success())
}

/// Lines with the parts of each in order: Go lists some names in the order of a map.
fn without_order(text: &str) -> Vec<Vec<&str>> {
    text.lines()
        .map(|line| {
            let mut parts: Vec<&str> = line.split([' ', ',']).collect();
            parts.sort_unstable();
            parts
        })
        .collect()
}

fn charts(folder: &Path, found: &mut Vec<PathBuf>) {
    if folder.join("Chart.yaml").is_file() {
        found.push(folder.to_owned());
        return;
    }
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            charts(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "tgz") {
            found.push(path);
        }
    }
}

/// The charts that other tests have, where they are: of the D2 reference fleet and of other projects' conformance cases.
#[expect(clippy::print_stderr, reason = "tests say what they did not run")]
fn charts_of_people() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared");
    let mut found = Vec::new();
    for (variable, below) in [("WEIR_D2", "d2"), ("WEIR_CONFORMANCE", "conformance")] {
        let folder = std::env::var_os(variable).map_or_else(|| root.join(below), PathBuf::from);
        let before = found.len();
        charts(&folder.join("charts"), &mut found);
        if found.len() == before {
            eprintln!("not linted: the charts of {variable}, which is not set");
        }
    }
    found
}

#[tokio::test]
async fn findings_are_helms_on_the_charts_of_people() {
    let Some(helm) = helm() else { return };
    for chart in charts_of_people() {
        let chart = text(&fs::canonicalize(chart).expect("a path"));
        let ran = weir(&["helm", "lint", &chart, "--strict"]).await;
        let (out, is_success) = theirs(&helm, &[&chart, "--strict"], &chart);
        assert_eq!(without_order(&ran.stdout), without_order(&out), "{chart}");
        assert_eq!(ran.exit == weir_cli::Exit::Success, is_success, "{chart}");
    }
}

#[tokio::test]
async fn findings_are_helms_on_charts_with_faults() {
    let Some(helm) = helm() else { return };
    let object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
    let cases: &[&[(&str, &str)]] = &[
        &[CHART],
        &[CHART, ("templates", "a file"), ("crds", "a file")],
        &[CHART, ("values.yaml", "- a\n"), ("templates/a.yaml", object)],
        &[
            CHART,
            ("values.yaml", "a: x\n"),
            (
                "values.schema.json",
                "{\"properties\": {\"a\": {\"type\": \"integer\"}}, \"required\": [\"b\"]}",
            ),
            ("templates/a.yaml", object),
        ],
        &[
            CHART,
            (
                "templates/a.yaml",
                " kind: X\n metadata: {name: a_b}\n---\nkind: Deployment\nmetadata: {name: b}\n",
            ),
        ],
        &[
            CHART,
            ("templates/a.yaml", "{\"kind\": \"X\"}{\"kind\": \"Y\"}\n"),
            ("templates/b.YML", "kind: [a]\n"),
        ],
        &[
            CHART,
            (
                "templates/a.yaml",
                "kind: X\nmetadata: {name: a}\n--- no\nkind: Y\n",
            ),
            ("templates/b.txt.x", ""),
        ],
        &[
            CHART,
            (
                "templates/a.yaml",
                "kind: {{ .Release.IsInstall }}{{ .Release.Revision }}\nmetadata: {name: {{ .Release.Name }}}\n",
            ),
        ],
        &[(
            "Chart.yaml",
            "apiVersion: v3\nname: a/b\nversion: x\ntype: y\nsources: [z]\nname: c\n",
        )],
        &[(
            "Chart.yaml",
            "apiVersion: v1\nname: a\nversion: 0.0.0-0\ntype: library\ndependencies: [{name: b, version: 1.0.0}]\n",
        )],
        &[
            ("Chart.yaml", "{}"),
            (".helmignore", "**\n"),
            ("templates/a.yaml", object),
            ("crds/a.yaml", object),
        ],
        &[
            CHART,
            (
                "templates/a.yaml",
                "apiVersion: v1\nkind: List\nitems: [{metadata: x}]\n",
            ),
            (
                "templates/b.yaml",
                "apiVersion: v1\nkind: List\nitems: [{metadata: {annotations: x}}]\n",
            ),
            ("templates/c.yaml", "apiVersion: v1\nkind: List\nitems: [x]\n"),
        ],
        &[
            CHART,
            ("charts/sub/Chart.yaml", "name: sub\nversion: [1]\n"),
            ("templates/a.yaml", object),
        ],
        &[
            CHART,
            (
                "crds/a.yaml",
                "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n---\n- a\n",
            ),
        ],
    ];
    for (number, case) in cases.iter().enumerate() {
        let folder = tree(case);
        let chart = text(folder.path());
        for more in [
            &[][..],
            &["--strict", "--quiet"],
            &["--with-subcharts", "--set", "a=null"],
        ] {
            let args: Vec<&str> = [chart.as_str()].into_iter().chain(more.iter().copied()).collect();
            let ours: Vec<&str> = ["helm", "lint"].into_iter().chain(args.iter().copied()).collect();
            let ran = weir(&ours).await;
            let (out, is_success) = theirs(&helm, &args, "");
            assert_eq!(ran.stdout, out, "case {number}, {more:?}");
            assert_eq!(
                ran.exit == weir_cli::Exit::Success,
                is_success,
                "case {number}, {more:?}"
            );
        }
    }
}
