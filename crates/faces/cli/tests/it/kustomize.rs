//! `weir kustomize build`.

use std::fs;
use std::path::Path;

use crate::harness::weir;

fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("makes folders");
        fs::write(path, content).expect("writes");
    }
    folder
}

fn text(path: &Path) -> String {
    path.to_str().expect("UTF-8").to_owned()
}

const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n";

#[tokio::test]
async fn a_base_beside_the_overlay_is_built() {
    let folder = tree(&[
        ("base/kustomization.yaml", "resources: [config.yaml]\n"),
        ("base/config.yaml", CONFIG),
        (
            "overlay/kustomization.yaml",
            "namePrefix: dev-\nresources: [../base]\n",
        ),
    ]);
    let out = weir(&["kustomize", "build", &text(&folder.path().join("overlay"))])
        .await
        .success();
    assert_eq!(
        out,
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: dev-settings\n"
    );
}

#[tokio::test]
async fn a_file_outside_needs_the_restrictor_to_be_lifted() {
    let folder = tree(&[
        ("app/kustomization.yaml", "resources: [../config.yaml]\n"),
        ("config.yaml", CONFIG),
    ]);
    let app = text(&folder.path().join("app"));
    let said = weir(&["kustomize", "build", &app]).await.failure();
    assert!(
        said.contains("security;") && said.contains("--load-restrictor LoadRestrictionsNone"),
        "{said}"
    );
    let out = weir(&[
        "kustomize",
        "build",
        &app,
        "--load-restrictor",
        "LoadRestrictionsNone",
    ])
    .await
    .success();
    assert_eq!(out, CONFIG);
}

#[tokio::test]
async fn output_goes_to_a_file_or_an_object_each_to_a_folder() {
    let folder = tree(&[
        ("kustomization.yaml", "resources: [all.yaml]\n"),
        (
            "all.yaml",
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: apps}\n---\n\
             apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: Web, namespace: apps}\n---\n\
             apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: other}\n",
        ),
    ]);
    let out = tempfile::tempdir().expect("a folder");
    let source = text(folder.path());
    let each = weir(&["kustomize", "build", &source, "-o", &text(out.path())])
        .await
        .success();
    assert_eq!(each, "");
    let mut names: Vec<String> = fs::read_dir(out.path())
        .expect("lists")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "apps_apps_v1_deployment_web.yaml",
            "other_v1_service_web.yaml",
            "v1_namespace_apps.yaml"
        ]
    );
    let file = out.path().join("all.yaml");
    weir(&["kustomize", "build", &source, "-o", &text(&file)])
        .await
        .success();
    assert_eq!(fs::read_to_string(file).expect("reads").matches("---").count(), 2);
}

#[tokio::test]
async fn namespaces_come_first_unless_the_order_is_to_stay() {
    let folder = tree(&[
        ("kustomization.yaml", "resources: [config.yaml, namespace.yaml]\n"),
        ("config.yaml", CONFIG),
        (
            "namespace.yaml",
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: apps\n",
        ),
    ]);
    let folder = text(folder.path());
    let sorted = weir(&["kustomize", "build", &folder]).await.success();
    assert!(
        sorted.starts_with("apiVersion: v1\nkind: Namespace\n"),
        "{sorted}"
    );
    let listed = weir(&["kustomize", "build", &folder, "--reorder", "none"])
        .await
        .success();
    assert!(listed.starts_with(CONFIG), "{listed}");
}

#[tokio::test]
async fn charts_in_the_tree_are_rendered_where_that_is_allowed() {
    let folder = tree(&[
        (
            "kustomization.yaml",
            "namePrefix: my-\nhelmCharts:\n- name: web\n  releaseName: shop\n  namespace: apps\n  \
             valuesInline: {colour: blue}\n",
        ),
        (
            "charts/web/Chart.yaml",
            "apiVersion: v2\nname: web\nversion: 1.0.0\n",
        ),
        ("charts/web/values.yaml", "colour: red\nsize: 3\n"),
        (
            "charts/web/templates/config.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n  namespace: {{ \
             .Release.Namespace }}\ndata:\n  colour: {{ .Values.colour }}\n  size: {{ .Values.size | quote }}\n  kube: {{ \
             .Capabilities.KubeVersion.Version }}\n",
        ),
    ]);
    let path = text(folder.path());
    let printed = weir(&[
        "kustomize",
        "build",
        &path,
        "--enable-helm",
        "--helm-kube-version",
        "1.30.1",
    ])
    .await
    .success();
    assert_eq!(
        printed,
        "apiVersion: v1\ndata:\n  colour: blue\n  kube: v1.30.1\n  size: \"3\"\nkind: ConfigMap\nmetadata:\n  name: \
         my-shop\n  namespace: apps\n"
    );
    let said = weir(&["kustomize", "build", &path]).await.failure();
    assert!(said.contains("must specify --enable-helm"), "{said}");
}

#[tokio::test]
async fn n17_flags_that_would_run_programs_are_refused_with_the_reason() {
    for flag in [
        &["--helm-command", "helm"][..],
        &["--enable-exec"],
        &["--enable-alpha-plugins"],
        &["--network"],
        &["-e", "A=b"],
    ] {
        let mut args = vec!["kustomize", "build", "."];
        args.extend(flag);
        let said = weir(&args).await.usage();
        assert!(said.contains("is refused:"), "{said}");
    }
}

#[tokio::test]
async fn n17_nothing_remote_is_fetched() {
    let folder = tree(&[(
        "kustomization.yaml",
        "resources: ['https://example.org/a.yaml']\n",
    )]);
    let said = weir(&["kustomize", "build", &text(folder.path())])
        .await
        .failure();
    assert!(
        said.contains("refused") && said.contains("copy what is remote"),
        "{said}"
    );
}

#[tokio::test]
async fn broken_yaml_is_shown_where_it_is() {
    let folder = tree(&[
        ("kustomization.yaml", "resources: [config.yaml]\n"),
        (
            "config.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a\n",
        ),
    ]);
    let said = weir(&["kustomize", "build", &text(folder.path())])
        .await
        .failure();
    assert!(said.starts_with("error: cannot build "), "{said}");
    assert!(said.contains("config.yaml:"), "{said}");
    assert!(said.contains('^'), "{said}");
}

#[tokio::test]
async fn a_broken_kustomization_file_is_shown_where_it_is() {
    let folder = tree(&[("kustomization.yaml", "resources:\n- a.yaml\nlabels: [\n")]);
    let said = weir(&["kustomize", "build", &text(folder.path())])
        .await
        .failure();
    assert!(
        said.contains("kustomization.yaml:3:9") && said.contains("labels: ["),
        "{said}"
    );
}

#[tokio::test]
async fn a_folder_without_a_kustomization_is_a_failure_that_names_it() {
    let folder = tree(&[("config.yaml", CONFIG)]);
    let said = weir(&["kustomize", "build", &text(folder.path())])
        .await
        .failure();
    assert!(said.contains("kustomization"), "{said}");
    let said = weir(&["kustomize", "build", &text(&folder.path().join("absent"))])
        .await
        .failure();
    assert!(said.contains("absent"), "{said}");
}

/// What a failed build says, with the folder's name taken out.
async fn said(folder: &tempfile::TempDir, path: &str) -> String {
    let folder = text(folder.path());
    weir(&["kustomize", "build", &format!("{folder}/{path}")])
        .await
        .failure()
        .replace(&folder, "TREE")
}

#[tokio::test]
async fn an_unknown_field_is_shown_where_it_stands() {
    let folder = tree(&[(
        "kustomization.yaml",
        "resources: []\npatches:\n  - pathh: a.yaml\n",
    )]);
    let said = said(&folder, "").await;
    assert!(
        said.contains("  --> TREE/kustomization.yaml:3:5\n     |\n   3 |   - pathh: a.yaml\n     |     ^\n")
            && said.contains("did you mean \"patch\"?"),
        "{said}"
    );
}

#[tokio::test]
async fn a_failure_in_a_base_is_shown_there_with_the_way_to_it() {
    let folder = tree(&[
        (
            "base/kustomization.yaml",
            "resources:\n  - config.yaml\npatches:\n  - patch: |\n      apiVersion: v1\n      kind: ConfigMap\n      metadata: {name: setings}\n",
        ),
        ("base/config.yaml", CONFIG),
        (
            "overlay/kustomization.yaml",
            "namePrefix: dev-\nresources:\n  - ../base\n",
        ),
    ]);
    let said = said(&folder, "overlay").await;
    assert!(
        said.contains("  --> TREE/overlay/../base/kustomization.yaml:4:5\n     |\n   4 |   - patch: |\n")
            && said.contains("  included from TREE/overlay/kustomization.yaml:3:5\n")
            && said.contains("no resource matches strategic merge patch"),
        "{said}"
    );
}

#[tokio::test]
async fn each_field_that_fails_is_named_by_its_entry() {
    let cases: [(&str, &str); 6] = [
        ("resources:\n  - config.yaml\n  - absent.yaml\n", ":3:5\n"),
        ("components:\n  - absent\n", ":2:5\n"),
        (
            "configMapGenerator:\n  - name: a\n  - name: b\n    files: [absent]\n",
            ":3:5\n",
        ),
        (
            "replicas:\n  - name: absent\n    count: 2\nresources: [config.yaml]\n",
            ":2:5\n",
        ),
        (
            "resources: [config.yaml]\nreplacements:\n  - source: {kind: Nothing}\n    targets: [{select: {kind: ConfigMap}, fieldPaths: [data.a]}]\n",
            ":2:1\n",
        ),
        (
            "resources: [config.yaml]\nconfigurations: [absent.yaml]\n",
            ":2:18\n",
        ),
    ];
    for (kustomization, place) in cases {
        let folder = tree(&[("kustomization.yaml", kustomization), ("config.yaml", CONFIG)]);
        let said = said(&folder, "").await;
        assert!(
            said.contains(&format!("--> TREE/kustomization.yaml{place}")),
            "{kustomization}\n{said}"
        );
    }
}

#[tokio::test]
async fn a_flag_about_traces_changes_nothing() {
    let folder = tree(&[
        ("kustomization.yaml", "resources: [config.yaml]\n"),
        ("config.yaml", CONFIG),
    ]);
    let out = weir(&["kustomize", "build", &text(folder.path()), "--stack-trace"])
        .await
        .success();
    assert_eq!(out, CONFIG);
}
