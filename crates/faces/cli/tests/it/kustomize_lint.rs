//! `weir kustomize lint`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use weir_cli::Exit;

use crate::harness::weir;

const WEB: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n";

fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("makes folders");
        fs::write(path, content).expect("writes");
    }
    folder
}

/// Exit, output and what was said, with the folder's name taken out.
async fn lint(folder: &Path, path: &str, more: &[&str]) -> (Exit, String, String) {
    let root = folder.to_str().expect("UTF-8");
    let directory = format!("{root}{path}");
    let args: Vec<&str> = ["kustomize", "lint", &directory]
        .into_iter()
        .chain(more.iter().copied())
        .collect();
    let ran = weir(&args).await;
    (
        ran.exit,
        ran.stdout.replace(root, "TREE"),
        ran.stderr.replace(root, "TREE"),
    )
}

#[tokio::test]
async fn a_tree_without_findings_is_a_success() {
    let folder = tree(&[
        ("kustomization.yaml", "resources: [web.yaml]\n"),
        ("web.yaml", WEB),
    ]);
    let (exit, out, said) = lint(folder.path(), "", &[]).await;
    assert_eq!((exit, out.as_str()), (Exit::Success, ""), "{said}");
    assert_eq!(said, "nothing found in 1 kustomization\n");
}

#[tokio::test]
async fn a_finding_shows_its_place_why_it_matters_and_what_to_try() {
    let folder = tree(&[
        ("base/kustomization.yaml", "resources: [web.yaml]\n"),
        ("base/web.yaml", WEB),
        (
            "overlay/kustomization.yaml",
            "resources:\n  - ../base\npatches:\n  - target:\n      kind: Deployment\n      name: webb\n    patch: \
             '[{\"op\": \"remove\", \"path\": \"/spec\"}]'\n",
        ),
    ]);
    let (exit, out, said) = lint(folder.path(), "/overlay", &[]).await;
    assert_eq!(exit, Exit::Failure);
    assert_eq!(
        out,
        "warning[patch-matches-nothing]: patches[0]: no object matches kind 'Deployment', name 'webb'\n  \
         --> TREE/overlay/kustomization.yaml:5:7\n     |\n   5 |       kind: Deployment\n     |       ^\n  \
         because: kustomize passes over it without a word, so the patch has no effect\n  \
         try: no Deployment is named 'webb'; did you mean 'web'?\n\n"
    );
    assert_eq!(said, "1 warning in 2 kustomizations\n");
}

#[tokio::test]
async fn hints_alone_are_a_success() {
    let folder = tree(&[
        (
            "kustomization.yaml",
            "resources: [web.yaml]\ncomponents: [part]\n",
        ),
        ("web.yaml", WEB),
        (
            "part/kustomization.yaml",
            "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\nimages: [{name: nginx, newTag: \"1\"}]\n",
        ),
    ]);
    let (exit, out, said) = lint(folder.path(), "", &[]).await;
    assert_eq!(exit, Exit::Success, "{out}");
    assert!(out.starts_with("hint[image-matches-nothing]: "), "{out}");
    assert_eq!(said, "1 hint in 2 kustomizations\n");
}

#[tokio::test]
async fn programs_get_json() {
    let folder = tree(&[
        ("kustomization.yaml", "bases: [base]\n"),
        ("base/kustomization.yaml", "resources: [web.yaml]\n"),
        ("base/web.yaml", WEB),
    ]);
    let (exit, out, said) = lint(folder.path(), "", &["--output", "json"]).await;
    assert_eq!((exit, said.as_str()), (Exit::Failure, ""));
    let value: Value = serde_json::from_str(&out).expect("JSON");
    let finding = &value["findings"][0];
    assert_eq!(value["kustomizations"], 2);
    assert_eq!(finding["code"], "deprecated-field");
    assert_eq!(finding["severity"], "warning");
    assert_eq!(finding["file"], "TREE/kustomization.yaml");
    assert_eq!((&finding["line"], &finding["column"]), (&1.into(), &1.into()));
    assert_eq!(finding["change"]["before"], "bases: [base]\n");
    assert_eq!(finding["change"]["after"], "resources: [base]\n");
}

#[tokio::test]
async fn deprecated_fields_are_edited_and_all_else_stays() {
    let folder = tree(&[
        (
            "kustomization.yaml",
            "# Ours.\nresources:\n    - web.yaml   # the web\n\n# On all.\ncommonLabels:\n  app: \"web\"  # quoted\n\nnamespace:   apps\n",
        ),
        ("web.yaml", WEB),
    ]);
    let (_, out, said) = lint(folder.path(), "", &[]).await;
    assert!(
        out.contains(
            "  try: `--fix`, which replaces\n    commonLabels:\n      app: \"web\"  # quoted\n  by\n    labels:\n    \
             - includeSelectors: true\n      pairs:\n        app: \"web\"  # quoted\n"
        ),
        "{out}"
    );
    assert_eq!(said, "1 warning in 1 kustomization; `--fix` can edit 1\n");
    let (exit, out, said) = lint(folder.path(), "", &["--fix"]).await;
    assert_eq!((exit, out.as_str()), (Exit::Success, ""));
    assert_eq!(
        said,
        "fixed: TREE/kustomization.yaml: commonLabels\nnothing found in 1 kustomization\n"
    );
    assert_eq!(
        fs::read_to_string(folder.path().join("kustomization.yaml")).expect("reads"),
        "# Ours.\nresources:\n    - web.yaml   # the web\n\n# On all.\nlabels:\n- includeSelectors: true\n  pairs:\n    \
         app: \"web\"  # quoted\n\nnamespace:   apps\n"
    );
}

#[tokio::test]
async fn an_edit_that_would_change_the_build_is_not_made() {
    // The patch works on what the prefix has done, which is done after `patches`.
    let text = "namePrefix: dev-\nresources: [web.yaml]\npatchesJson6902:\n  - target: {group: apps, version: v1, kind: \
                Deployment, name: web}\n    patch: '[{\"op\": \"test\", \"path\": \"/metadata/name\", \"value\": \"dev-web\"}]'\n";
    let folder = tree(&[("kustomization.yaml", text), ("web.yaml", WEB)]);
    let (exit, _, said) = lint(folder.path(), "", &["--fix"]).await;
    assert_eq!(exit, Exit::Failure);
    assert!(
        said.contains(
            "left: TREE/kustomization.yaml: patchesJson6902: the edit would change what is built\n"
        ),
        "{said}"
    );
    assert_eq!(
        fs::read_to_string(folder.path().join("kustomization.yaml")).expect("reads"),
        text
    );
}

#[tokio::test]
async fn nothing_is_edited_where_nothing_can_be_built() {
    let text = "bases: [absent]\n";
    let folder = tree(&[("kustomization.yaml", text)]);
    let (exit, _, said) = lint(folder.path(), "", &["--fix"]).await;
    assert_eq!(exit, Exit::Failure);
    assert!(
        said.contains("an edit is made only if the build stays the same"),
        "{said}"
    );
    assert_eq!(
        fs::read_to_string(folder.path().join("kustomization.yaml")).expect("reads"),
        text
    );
}

#[tokio::test]
async fn what_is_ignored_may_lie_there_unused() {
    let folder = tree(&[
        ("kustomization.yaml", "resources: [web.yaml]\n"),
        ("web.yaml", WEB),
        ("drafts/idea.yaml", WEB),
        ("left.yaml", WEB),
        (".sourceignore", "/drafts/\n"),
    ]);
    let (exit, out, _) = lint(folder.path(), "", &[]).await;
    assert_eq!(exit, Exit::Failure);
    assert!(
        out.starts_with(
            "warning[unused-file]: no kustomization refers to this manifest\n  --> TREE/left.yaml\n"
        ),
        "{out}"
    );
    assert!(!out.contains("idea.yaml"), "{out}");
}

#[tokio::test]
async fn a_folder_without_a_kustomization_and_wrong_flags_are_mistakes() {
    let folder = tree(&[("web.yaml", WEB)]);
    let (exit, _, said) = lint(folder.path(), "", &[]).await;
    assert_eq!(exit, Exit::Failure);
    assert!(
        said.contains("unable to find one of 'kustomization.yaml'"),
        "{said}"
    );
    let (exit, _, _) = lint(folder.path(), "", &["--output", "xml"]).await;
    assert_eq!(exit, Exit::Usage);
}

/// kustomize's program, where `cargo xtask tools` has built it.
#[expect(clippy::print_stderr, reason = "tests say what they did not run")]
fn kustomize() -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cache")))?;
    let path = cache.join("weir/tools/kustomize-v5.8.1/kustomize");
    if path.is_file() {
        return Some(path);
    }
    assert!(
        std::env::var_os("CI").is_none_or(|ci| ci != "true"),
        "no kustomize; `cargo xtask tools` builds it"
    );
    eprintln!("not run: no kustomize (`cargo xtask tools` builds it)");
    None
}

#[tokio::test]
async fn edits_say_the_same_as_those_of_kustomize_itself() {
    let Some(kustomize) = kustomize() else { return };
    let web = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: web, image: nginx}]}}}\n";
    for text in [
        "bases: [base]\n",
        "resources: [more.yaml]\nbases: [base]\n",
        "bases: [base]\ncommonLabels: {app: web}\n",
        "bases: [base]\ncommonLabels:\n  app: web\nlabels:\n  - pairs: {a: b}\n",
        "bases: [base]\npatchesStrategicMerge: [patch.yaml]\n",
        "bases: [base]\npatchesStrategicMerge:\n  - |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: web}\n    spec: {replicas: 2}\n",
        "bases: [base]\npatchesJson6902:\n  - target: {group: apps, version: v1, kind: Deployment, name: web}\n    path: ops.yaml\n",
        "bases: [base]\nimageTags:\n  - name: nginx\n    newTag: \"2\"\n",
        "bases: [base]\nconfigMapGenerator:\n  - name: a\n    env: a.env\n",
    ] {
        let files = [
            ("kustomization.yaml", text),
            (
                "more.yaml",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n",
            ),
            ("base/kustomization.yaml", "resources: [web.yaml]\n"),
            ("base/web.yaml", web),
            (
                "patch.yaml",
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3}\n",
            ),
            ("ops.yaml", "- {op: add, path: /spec/replicas, value: 4}\n"),
            ("a.env", "A=1\n"),
        ];
        let (ours, theirs) = (tree(&files), tree(&files));
        let (_, _, said) = lint(ours.path(), "", &["--fix"]).await;
        assert!(!said.contains("left:"), "{text}\n{said}");
        let ran = Command::new(&kustomize)
            .args(["edit", "fix"])
            .current_dir(theirs.path())
            .output()
            .expect("runs");
        assert!(
            ran.status.success(),
            "{text}\n{}",
            String::from_utf8_lossy(&ran.stderr)
        );
        let read = |folder: &Path| {
            let text = fs::read_to_string(folder.join("kustomization.yaml")).expect("reads");
            let node = weir_yaml::parse_one(&text).expect("YAML");
            let mut value = weir_yaml::to_json(&node, weir_yaml::Dialect::Sigs).expect("JSON");
            // kustomize writes the type down, which ours leaves to the person.
            let map = value.as_object_mut().expect("fields");
            map.remove("apiVersion");
            map.remove("kind");
            value
        };
        assert_eq!(read(ours.path()), read(theirs.path()), "{text}");
        // And kustomize builds what we have written.
        let built = |folder: &Path| {
            let ran = Command::new(&kustomize)
                .arg("build")
                .current_dir(folder)
                .output()
                .expect("runs");
            assert!(
                ran.status.success(),
                "{text}\n{}",
                String::from_utf8_lossy(&ran.stderr)
            );
            String::from_utf8_lossy(&ran.stdout).into_owned()
        };
        assert_eq!(built(ours.path()), built(theirs.path()), "{text}");
    }
}

#[tokio::test]
async fn vars_become_replacements_that_build_the_same_in_kustomize_itself() {
    let Some(kustomize) = kustomize() else { return };
    let text = "resources: [web.yaml]\nvars:\n  # Who it is.\n  - name: NAME\n    objref: {apiVersion: v1, kind: Service, name: \
                web}\n    fieldref:\n      fieldpath: metadata.name\n";
    let web = "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  \
               name: web\nspec:\n  template:\n    spec:\n      containers:\n      - name: web\n        args: [\"--host=$(NAME)\"]\n";
    let files = [("kustomization.yaml", text), ("web.yaml", web)];
    let (before, ours, theirs) = (tree(&files), tree(&files), tree(&files));
    let run = |folder: &Path, args: &[&str]| {
        let ran = Command::new(&kustomize)
            .args(args)
            .current_dir(folder)
            .output()
            .expect("runs");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8_lossy(&ran.stdout).into_owned()
    };
    let (exit, _, said) = lint(ours.path(), "", &["--fix"]).await;
    assert_eq!(exit, Exit::Success, "{said}");
    run(theirs.path(), &["edit", "fix", "--vars"]);
    let expected = run(before.path(), &["build"]);
    assert!(expected.contains("--host=web"), "{expected}");
    assert_eq!(run(theirs.path(), &["build"]), expected);
    assert_eq!(run(ours.path(), &["build"]), expected);
    let written = fs::read_to_string(ours.path().join("kustomization.yaml")).expect("reads");
    assert!(
        written.starts_with("resources: [web.yaml]\nreplacements:\n# Who it is.\n- source:\n"),
        "{written}"
    );
}
