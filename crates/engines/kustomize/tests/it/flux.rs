//! Generation of kustomization files, on Flux's own trees.

use serde_json::{Value, json};
use weir_kustomize::flux::{Overrides, build_directory, generate, post_render};
use weir_kustomize::{ErrorKind, Image, MemoryFiles, Patch};

use crate::support::{shared, tree};

const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";

fn files(list: &[(&str, &str)]) -> MemoryFiles {
    list.iter().map(|(path, text)| (*path, *text)).collect()
}

#[test]
fn a_directory_without_kustomization_is_scanned() {
    let files = files(&[
        ("/app/b.yaml", CONFIG),
        ("/app/a/x.yml", CONFIG),
        ("/app/a/readme.md", "# no manifest"),
        ("/app/base/kustomization.yml", "resources: [y.yaml]"),
        ("/app/base/y.yaml", CONFIG),
    ]);
    let overlay = generate(&files, "/app", &Overrides::default()).unwrap();
    assert_eq!(overlay.path(), "/app/kustomization.yaml");
    assert_eq!(
        overlay.kustomization(),
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n\
         - ./a/x.yml\n- ./b.yaml\n- ./base\n"
    );
}

#[test]
fn an_empty_directory_builds_to_nothing() {
    let files = files(&[("/app/readme.md", "nothing")]);
    let overlay = generate(&files, "/app", &Overrides::default()).unwrap();
    assert!(overlay.kustomization().contains("namespace: _placeholder"));
    assert_eq!(overlay.build().unwrap().to_yaml(), "");
}

#[test]
fn a_file_that_holds_no_objects_fails_with_its_name() {
    let files = files(&[("/app/values.yaml", "replicas: 1\n")]);
    let error = build_directory(&files, "/app", &Overrides::default()).unwrap_err();
    assert!(
        error
            .chain()
            .contains("failed to decode Kubernetes YAML from /app/values.yaml")
    );
}

#[test]
fn fields_of_the_object_override_and_extend_those_of_the_file() {
    let files = files(&[
        (
            "/app/kustomization.yml",
            "namespace: old\nresources: [a.yaml]\nimages:\n- {name: app, newTag: '1', digest: ''}\n",
        ),
        ("/app/a.yaml", CONFIG),
        (
            "/app/part/kustomization.yaml",
            "kind: Component\nnamePrefix: part-\n",
        ),
    ]);
    let overrides = Overrides {
        target_namespace: Some("new".into()),
        name_suffix: Some("-x".into()),
        components: vec!["part".into(), "absent".into()],
        ignore_missing_components: true,
        images: vec![Image {
            name: "app".into(),
            digest: "sha256:abc".into(),
            ..Image::default()
        }],
        ..Overrides::default()
    };
    let overlay = generate(&files, "/app", &overrides).unwrap();
    assert_eq!(
        overlay.kustomization(),
        "apiVersion: kustomize.config.k8s.io/v1beta1\ncomponents:\n- part\nimages:\n\
         - digest: sha256:abc\n  name: app\nkind: Kustomization\nnameSuffix: -x\nnamespace: new\n\
         resources:\n- a.yaml\n"
    );
    assert!(
        overlay
            .build()
            .unwrap()
            .to_yaml()
            .contains("name: part-a-x\n  namespace: new\n")
    );
}

#[test]
fn n18_components_must_be_local() {
    let files = files(&[("/app/a.yaml", CONFIG)]);
    for component in ["/etc", "https://example.com/c", "github.com/o/r"] {
        let overrides = Overrides {
            components: vec![component.into()],
            ..Overrides::default()
        };
        let error = build_directory(&files, "/app", &overrides).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Security, "{component}");
    }
}

#[test]
fn flux_trees_build_as_expected() {
    let Some(root) = shared("WEIR_CONFORMANCE", "conformance") else {
        return;
    };
    let root = root.join("flux/kustomize");
    let files = tree(&root, "");
    let overrides = Overrides {
        target_namespace: Some("apps".into()),
        patches: vec![
            serde_json::from_value(json!({
                "patch": "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app\nspec:\n  \
                          template:\n    spec:\n      containers:\n      - name: nginx\n        \
                          image: nginx:latest\n",
                "target": {"name": "app", "kind": "Deployment"},
            }))
            .unwrap(),
        ],
        ..Overrides::default()
    };
    let expected = std::fs::read_to_string(root.join("kustomization_expected.yaml")).unwrap();
    let built = build_directory(&files, "/resources", &overrides).unwrap();
    assert_eq!(built.to_yaml().trim_end(), expected.trim_end());

    let error = build_directory(&files, "/remote", &Overrides::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Remote);
    // The tree's overlay is built with files from above it.
    let files = tree(&root.join("relbase"), "");
    let built = build_directory(&files, "/clusters/staging/flux-system", &Overrides::default());
    assert!(built.unwrap().to_yaml().contains("kind: Secret"));
}

#[test]
fn post_renderers_patch_objects_in_place() {
    let objects: Vec<Value> = vec![
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "b"}}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"},
               "spec": {"template": {"spec": {"containers": [{"name": "c", "image": "app:1"}]}}}}),
    ];
    let patch: Patch = serde_json::from_value(json!({
        "target": {"kind": "Service"},
        "patch": "- {op: add, path: /metadata/labels, value: {x: z}}",
    }))
    .unwrap();
    let image = Image {
        name: "app".into(),
        new_tag: "2".into(),
        ..Image::default()
    };
    let rendered = post_render(&objects, &[patch], &[image]).unwrap();
    assert_eq!(rendered.len(), 2);
    assert_eq!(rendered[0].value["metadata"]["labels"]["x"], "z");
    assert_eq!(
        rendered[1].value["spec"]["template"]["spec"]["containers"][0]["image"],
        "app:2"
    );
}
