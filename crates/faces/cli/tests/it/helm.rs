//! `weir helm`.

use std::fs;
use std::path::Path;

use crate::harness::weir;

pub(crate) fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("makes folders");
        fs::write(path, content).expect("writes");
    }
    folder
}

pub(crate) fn text(path: &Path) -> String {
    path.to_str().expect("UTF-8").to_owned()
}

const CHART: (&str, &str) = (
    "Chart.yaml",
    "apiVersion: v2\nname: app\nversion: 1.0.0\nappVersion: 2.10\n",
);
const CONFIG: (&str, &str) = (
    "templates/config.yaml",
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  a: {{ .Values.a | quote }}\n",
);

#[tokio::test]
async fn a_chart_is_rendered_with_values_from_everywhere() {
    let folder = tree(&[
        CHART,
        CONFIG,
        ("values.yaml", "a: 1\n"),
        ("prod.yaml", "a: two\n"),
        ("crds/c.yaml", "kind: CRD\n"),
    ]);
    let chart = text(folder.path());
    let render = |value: &str| {
        format!("---\n# Source: app/templates/config.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\ndata:\n  a: \"{value}\"\n\n").trim_end().to_owned() + "\n"
    };
    let out = weir(&["helm", "template", "web", &chart]).await.success();
    assert_eq!(out, render("1"));
    let values = text(&folder.path().join("prod.yaml"));
    let out = weir(&["helm", "template", "web", &chart, "-f", &values])
        .await
        .success();
    assert_eq!(out, render("two"));
    let out = weir(&["helm", "template", "web", &chart, "-f", &values, "--set", "a=3"])
        .await
        .success();
    assert_eq!(out, render("3"));
    let out = weir(&["helm", "template", "web", &chart, "--include-crds"])
        .await
        .success();
    assert!(
        out.starts_with("---\n# Source: app/crds/c.yaml\nkind: CRD\n"),
        "{out}"
    );
    let out = weir(&[
        "helm",
        "template",
        "web",
        &chart,
        "--show-only",
        "templates/config.yaml",
    ])
    .await
    .success();
    assert!(
        out.starts_with("---\n# Source: app/templates/config.yaml\n"),
        "{out}"
    );
    let said = weir(&["helm", "template", "web", &chart, "-s", "templates/none.yaml"])
        .await
        .failure();
    assert!(
        said.contains("could not find template templates/none.yaml in chart"),
        "{said}"
    );
}

#[tokio::test]
async fn errors_have_helms_words_and_the_place() {
    let folder = tree(&[
        CHART,
        (
            "templates/x.yaml",
            "a: b\nc: {{ required \"c is needed\" .Values.c }}\n",
        ),
    ]);
    let chart = text(folder.path());
    let said = weir(&["helm", "template", "web", &chart]).await.failure();
    assert!(
        said.contains("execution error at (app/templates/x.yaml:2:6): c is needed"),
        "{said}"
    );
    assert!(said.contains("--> app/templates/x.yaml:2:"), "{said}");
    let said = weir(&["helm", "template", "Web!", &chart]).await.failure();
    assert!(said.contains("invalid release name"), "{said}");
    let said = weir(&["helm", "template", "web", "./no-such-chart"])
        .await
        .failure();
    assert!(said.contains("not found"), "{said}");
    for flag in [
        "--validate",
        "--dry-run=server",
        "--post-renderer=x",
        "--enable-dns",
    ] {
        let said = weir(&["helm", "template", "web", &chart, flag]).await.usage();
        assert!(said.contains("is refused"), "{flag}: {said}");
    }
}

#[tokio::test]
async fn provenance_is_refused_and_what_to_do_instead_is_said() {
    let folder = tree(&[CHART, CONFIG]);
    let chart = text(folder.path());
    for command in [
        &["helm", "template", "web", &chart][..],
        &["helm", "pull", &chart],
        &["helm", "show", "values", &chart],
        &["helm", "dependency", "build", &chart],
        &["helm", "dependency", "update", &chart],
    ] {
        let command = [command, &["--verify"]].concat();
        let said = weir(&command).await.usage();
        for part in [
            "`--verify` is refused",
            "weir verify oci://",
            "weir helm pull --prov",
        ] {
            assert!(said.contains(part), "{command:?}: {said}");
        }
    }
}

#[tokio::test]
async fn files_are_written_below_the_output_folder() {
    let folder = tree(&[CHART, CONFIG]);
    let out_dir = folder.path().join("out");
    let out = weir(&[
        "helm",
        "template",
        "web",
        &text(folder.path()),
        "--output-dir",
        &text(&out_dir),
        "--set",
        "a=1",
    ])
    .await
    .success();
    assert!(out.contains("wrote "), "{out}");
    let written = fs::read_to_string(out_dir.join("app/templates/config.yaml")).expect("was written");
    assert!(
        written.starts_with("---\n# Source: app/templates/config.yaml\napiVersion: v1\n"),
        "{written}"
    );
}

#[tokio::test]
async fn parts_of_a_chart_are_shown() {
    let folder = tree(&[
        CHART,
        CONFIG,
        ("values.yaml", "a: 1 # one\n"),
        ("README.md", "hello\n"),
    ]);
    let chart = text(folder.path());
    let out = weir(&["helm", "show", "chart", &chart]).await.success();
    assert_eq!(
        out,
        "apiVersion: v2\nappVersion: \"2.1\"\nname: app\nversion: 1.0.0\n\n"
    );
    let out = weir(&["helm", "show", "values", &chart]).await.success();
    assert_eq!(out, "a: 1 # one\n\n");
    let out = weir(&["helm", "show", "readme", &chart]).await.success();
    assert_eq!(out, "hello\n\n");
}

#[tokio::test]
async fn a_packed_chart_renders_as_its_folder() {
    let folder = tree(&[
        CHART,
        CONFIG,
        ("values.yaml", "a: 1\n"),
        (
            "charts/sub/Chart.yaml",
            "apiVersion: v2\nname: sub\nversion: 0.1.0\n",
        ),
    ]);
    let target = tempfile::tempdir().expect("a folder");
    let chart = text(folder.path());
    let out = weir(&["helm", "package", &chart, "-d", &text(target.path())])
        .await
        .success();
    assert!(
        out.starts_with("Successfully packaged chart and saved it to: "),
        "{out}"
    );
    let packed = text(&target.path().join("app-1.0.0.tgz"));
    let from_folder = weir(&["helm", "template", "web", &chart]).await.success();
    let from_archive = weir(&["helm", "template", "web", &packed]).await.success();
    assert_eq!(from_folder, from_archive);
}

#[cfg(unix)]
#[tokio::test]
async fn n08_a_link_in_the_place_of_the_archive_is_replaced() {
    let folder = tree(&[CHART]);
    let target = tree(&[("victim", "precious")]);
    let link = target.path().join("app-1.0.0.tgz");
    std::os::unix::fs::symlink(target.path().join("victim"), &link).expect("links");
    weir(&[
        "helm",
        "package",
        &text(folder.path()),
        "-d",
        &text(target.path()),
    ])
    .await
    .success();
    assert_eq!(
        fs::read_to_string(target.path().join("victim")).expect("is there"),
        "precious"
    );
    assert!(!fs::symlink_metadata(&link).expect("is there").is_symlink());
}

/// Helm's program, where `cargo xtask tools` has built it.
#[expect(clippy::print_stderr, reason = "tests say what they did not run")]
pub(crate) fn helm() -> Option<std::path::PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(std::path::PathBuf::from)
        .or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cache")))?;
    let path = cache.join("weir/tools/helm-v4.2.4/helm");
    if path.is_file() {
        return Some(path);
    }
    assert!(
        std::env::var_os("CI").is_none_or(|ci| ci != "true"),
        "no helm; `cargo xtask tools` builds it"
    );
    eprintln!("not run: no helm (`cargo xtask tools` builds it)");
    None
}

fn run_helm(helm: &Path, args: &[&str]) -> String {
    let out = std::process::Command::new(helm)
        .args(args)
        .output()
        .expect("runs helm");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).expect("UTF-8")
}

#[tokio::test]
async fn packages_and_parts_are_helms() {
    let Some(helm) = helm() else { return };
    let long = format!("files/{}/{}.txt", "long".repeat(20), "name".repeat(12));
    let folder = tree(&[
        (
            "Chart.yaml",
            "apiVersion: v2\nname: app\nversion: 1.0.0-rc.1+b\nappVersion: 2.10\nannotations: {a: 'yes'}\ndependencies:\n- {name: sub, version: 0.1.0, repository: ''}\n",
        ),
        (
            "Chart.lock",
            "dependencies:\n- name: sub\n  repository: ''\n  version: 0.1.0\ndigest: sha256:00\ngenerated: \"2024-03-04T05:06:07.08+01:00\"\n",
        ),
        ("values.yaml", "a: 1 # one\n"),
        ("values.schema.json", "{}"),
        CONFIG,
        ("templates/NOTES.txt", "hello\n"),
        ("README.md", "read\n"),
        (".helmignore", "*.bak\n"),
        ("x.bak", "no\n"),
        (&long, "x\n"),
        ("crds/c.yaml", "kind: CRD\n"),
        (
            "charts/sub/Chart.yaml",
            "apiVersion: v1\nname: sub\nversion: 0.1.0\n",
        ),
        ("charts/sub/values.yaml", "b: 2\n"),
    ]);
    let chart = text(folder.path());
    let (ours, theirs) = (
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    );
    weir(&["helm", "package", &chart, "-d", &text(ours.path())])
        .await
        .success();
    run_helm(&helm, &["package", &chart, "-d", &text(theirs.path())]);
    let tar = |folder: &Path| {
        let file = fs::File::open(folder.join("app-1.0.0-rc.1+b.tgz")).expect("was written");
        weir_store::archive::diff_id(file, 1 << 30).expect("is gzip")
    };
    assert_eq!(tar(ours.path()), tar(theirs.path()));
    for what in ["all", "chart", "values", "readme", "crds"] {
        let out = weir(&["helm", "show", what, &chart]).await.success();
        assert_eq!(out, run_helm(&helm, &["show", what, &chart]), "{what}");
    }
    let archive = text(&theirs.path().join("app-1.0.0-rc.1+b.tgz"));
    for more in [
        &[][..],
        &["--set", "a=2"],
        &["--set-json", "a={\"b\":1.5}"],
        &["--include-crds"],
        &["--is-upgrade", "--namespace", "other"],
        &["--show-only", "templates/*.yaml"],
        &["--name-template", "x-{{ \"Y\" | lower }}"],
    ] {
        let name: &[&str] = if more.first() == Some(&"--name-template") {
            &[]
        } else {
            &["web"]
        };
        let args: Vec<&str> = ["helm", "template"]
            .iter()
            .chain(name)
            .chain(&[archive.as_str()])
            .chain(more)
            .copied()
            .collect();
        let out = weir(&args).await.success();
        assert_eq!(
            out,
            run_helm(&helm, args.get(1..).unwrap_or_default()),
            "{more:?}"
        );
    }
}
