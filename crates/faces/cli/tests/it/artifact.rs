//! `weir artifact`, against a registry on this machine.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Ran, registry, weir, weir_with};

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("base")).expect("makes a folder");
    fs::write(folder.path().join("kustomization.yaml"), "resources: [base]\n").expect("writes");
    fs::write(folder.path().join("base/config.yaml"), "kind: ConfigMap\n").expect("writes");
    fs::write(folder.path().join("photo.png"), "not a manifest").expect("writes");
    folder
}

fn text(path: &Path) -> String {
    path.to_str().expect("UTF-8").to_owned()
}

async fn push(url: &str, path: &Path, more: &[&str]) -> Ran {
    let path = text(path);
    let mut args = vec![
        "artifact",
        "push",
        url,
        "--path",
        &path,
        "--source",
        "https://git.example/apps",
        "--revision",
        "main@sha1:abc",
    ];
    args.extend(more);
    weir(&args).await
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[tokio::test]
async fn what_was_pushed_can_be_pulled_compared_listed_and_looked_at() {
    let (_, handle) = registry().await;
    let url = format!("oci://{}/org/apps", handle.host());
    let (tagged, folder) = (format!("{url}:v1.0.0"), folder());

    let pushed = json(
        &push(&tagged, folder.path(), &["-o", "json", "-a", "team=a"])
            .await
            .success(),
    );
    let digest = pushed["digest"].as_str().expect("a digest").to_owned();
    assert_eq!(pushed["url"], format!("{url}@{digest}"));
    assert_eq!(pushed["repository"], format!("{}/org/apps", handle.host()));
    assert_eq!(pushed["tag"], "v1.0.0");

    let out = tempfile::tempdir().expect("a folder");
    let pulled = weir(&["artifact", "pull", &tagged, "--output", &text(out.path())])
        .await
        .success();
    assert_eq!(pulled.trim(), digest);
    assert_eq!(
        fs::read_to_string(out.path().join("base/config.yaml")).expect("reads"),
        "kind: ConfigMap\n"
    );
    assert!(
        !out.path().join("photo.png").exists(),
        "images are left out by default"
    );

    let same = weir(&["artifact", "diff", &tagged, "--path", &text(folder.path())]).await;
    assert_eq!(same.success(), "");
    fs::write(folder.path().join("base/config.yaml"), "kind: Secret\n").expect("writes");
    fs::write(folder.path().join("new.yaml"), "a: 1\n").expect("writes");
    let differs = weir(&["artifact", "diff", &tagged, "--path", &text(folder.path())]).await;
    assert_eq!(differs.stdout, "~ base/config.yaml\n+ new.yaml\n");
    assert!(differs.failure().contains("are not the same"));

    let as_data = [
        "artifact",
        "diff",
        &tagged,
        "--path",
        &text(folder.path()),
        "-o",
        "json",
    ];
    let differs: Value = serde_json::from_str(&weir(&as_data).await.stdout).expect("JSON");
    let files =
        json!([{"path": "base/config.yaml", "how": "differs"}, {"path": "new.yaml", "how": "only here"}]);
    assert_eq!(differs, json!({"same": false, "files": files}));

    let tag = ["artifact", "tag", &tagged, "--tag", "stable", "-o", "json"];
    let tags: Value = serde_json::from_str(&weir(&tag).await.success()).expect("JSON");
    assert_eq!(tags["digest"], json!(digest));
    assert_eq!(
        tags["tags"],
        json!([{"tag": "stable", "reference": format!("{url}:stable@{digest}")}])
    );

    let moved = weir(&["artifact", "tag", &tagged, "--tag", "latest,stable"])
        .await
        .success();
    assert_eq!(moved, format!("{url}:latest@{digest}\n{url}:stable@{digest}\n"));

    let list = weir(&["artifact", "list", &url]).await.success();
    let lines: Vec<Vec<&str>> = list
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(lines[0], ["ARTIFACT", "DIGEST", "SOURCE", "REVISION"]);
    assert_eq!(
        lines[1],
        [
            &format!("{url}:v1.0.0"),
            &digest,
            "https://git.example/apps",
            "main@sha1:abc"
        ]
    );
    assert_eq!(lines.len(), 4);
    let versions = weir(&[
        "artifact",
        "list",
        &url,
        "--filter-semver",
        ">=1.0.0",
        "-o",
        "name",
    ])
    .await
    .success();
    assert_eq!(versions, format!("{url}:v1.0.0\n"));

    let inspected = json(
        &weir(&["artifact", "inspect", &tagged, "-o", "json"])
            .await
            .success(),
    );
    assert_eq!(inspected["digest"], digest);
    assert_eq!(inspected["manifest"]["annotations"]["team"], "a");
    let paths: Vec<&str> = inspected["files"]
        .as_array()
        .expect("files")
        .iter()
        .filter_map(|file| file["path"].as_str())
        .collect();
    assert_eq!(paths, ["base/config.yaml", "kustomization.yaml"]);
    let seen = weir(&["artifact", "inspect", &tagged]).await.success();
    assert!(
        seen.contains("Signatures: none") && seen.contains("org.opencontainers.image.source"),
        "{seen}"
    );
}

#[tokio::test]
async fn the_same_content_gives_the_same_digest_when_that_is_asked_for() {
    let (_, handle) = registry().await;
    let folder = folder();
    let mut digests = Vec::new();
    for (tag, second) in [("a", 1), ("b", 2)] {
        let url = format!("oci://{}/apps:{tag}", handle.host());
        let path = text(folder.path());
        let args = [
            "artifact",
            "push",
            &url,
            "-p",
            &path,
            "--source",
            "s",
            "--revision",
            "r",
            "--reproducible",
        ];
        let now = jiff::Timestamp::from_second(second).expect("a time");
        let ran = weir_with(&args, |io| io.with_clock(std::sync::Arc::new(move || now))).await;
        digests.push(ran.success());
    }
    assert_eq!(digests[0], digests[1]);
}

#[tokio::test]
async fn build_and_push_agree_on_the_content() {
    let (_, handle) = registry().await;
    let (folder, out) = (folder(), tempfile::tempdir().expect("a folder"));
    let file = text(&out.path().join("a.tgz"));
    let built = weir(&["artifact", "build", "-p", &text(folder.path()), "-o", &file])
        .await
        .success();
    let url = format!("oci://{}/apps:v1", handle.host());
    push(&url, folder.path(), &[]).await.success();
    let inspected = json(&weir(&["artifact", "inspect", &url, "-o", "json"]).await.success());
    assert_eq!(inspected["manifest"]["layers"][0]["digest"], built.trim());
}

#[tokio::test]
async fn patterns_replace_or_add_to_what_is_left_out() {
    let (_, handle) = registry().await;
    let folder = folder();
    for (flags, expected) in [
        (
            &["--ignore-paths", "base/"][..],
            vec!["kustomization.yaml", "photo.png"],
        ),
        (&["--add-ignore-paths", "base/,*.txt"], vec!["kustomization.yaml"]),
    ] {
        let url = format!("oci://{}/apps:v1", handle.host());
        push(&url, folder.path(), flags).await.success();
        let inspected = json(&weir(&["artifact", "inspect", &url, "-o", "json"]).await.success());
        let files = inspected["files"].as_array().expect("files");
        let paths: Vec<&str> = files.iter().filter_map(|file| file["path"].as_str()).collect();
        assert_eq!(paths, expected, "{flags:?}");
    }
}

#[tokio::test]
async fn standard_input_becomes_one_file() {
    let (_, handle) = registry().await;
    let url = format!("oci://{}/apps:v1", handle.host());
    let args = [
        "artifact",
        "push",
        &url,
        "-p",
        "-",
        "--source",
        "s",
        "--revision",
        "r",
    ];
    weir_with(&args, |io| io.with_stdin("kind: ConfigMap\n\n"))
        .await
        .success();
    let out = tempfile::tempdir().expect("a folder");
    weir(&["artifact", "pull", &url, "-o", &text(out.path())])
        .await
        .success();
    assert_eq!(
        fs::read_to_string(out.path().join("stdin.yaml")).expect("reads"),
        "kind: ConfigMap"
    );
    assert!(weir(&args).await.failure().contains("nothing on standard input"));
}

#[tokio::test]
async fn what_is_not_there_is_a_failure_with_a_hint() {
    let (_, handle) = registry().await;
    let url = format!("oci://{}/absent:v1", handle.host());
    for command in ["inspect", "diff"] {
        let said = weir(&["artifact", command, &url]).await.failure();
        assert!(
            said.contains("not found") && said.contains("try: "),
            "{command}: {said}"
        );
    }
    let said = weir(&["artifact", "pull", "no reference", "-o", "x"])
        .await
        .usage();
    assert!(said.contains("invalid value"), "{said}");
}

#[tokio::test]
async fn a_mirror_is_reached_and_never_named() {
    let (_, handle) = registry().await;
    let mirror = format!("ghcr.io=http://{}/mirror", handle.host());
    let folder = folder();
    let path = text(folder.path());
    let args = [
        "artifact",
        "push",
        "oci://ghcr.io/org/apps:v1",
        "-p",
        &path,
        "--source",
        "s",
        "--revision",
        "r",
        "--registry-mirror",
        &mirror,
    ];
    let out = weir(&args).await.success();
    assert!(out.starts_with("oci://ghcr.io/org/apps@sha256:"), "{out}");
    let there = format!("oci://{}/mirror/org/apps:v1", handle.host());
    weir(&["artifact", "inspect", &there]).await.success();
}

#[tokio::test]
async fn credentials_are_used_and_never_printed() {
    let options = weir_standin_registry::Options {
        auth: weir_standin_registry::Auth::Basic {
            username: "me".into(),
            password: "s3cr3t".into(),
        },
        ..Default::default()
    };
    let registry = weir_standin_registry::Registry::new(options);
    let handle = registry.start().await.expect("a registry");
    let (url, folder) = (format!("oci://{}/apps:v1", handle.host()), folder());
    push(&url, folder.path(), &["--creds", "me:s3cr3t"])
        .await
        .success();
    let said = push(&url, folder.path(), &["--creds", "me:wr0ng"])
        .await
        .failure();
    assert!(said.contains("credentials") && !said.contains("wr0ng"), "{said}");

    let home = tempfile::tempdir().expect("a folder");
    fs::create_dir(home.path().join(".docker")).expect("makes a folder");
    let config = format!(
        "{{\"auths\": {{\"{}\": {{\"auth\": \"bWU6czNjcjN0\"}}}}}}",
        handle.host()
    );
    fs::write(home.path().join(".docker/config.json"), config).expect("writes");
    let ran = weir_with(&["artifact", "inspect", &url], |io| {
        io.with_env("HOME", &text(home.path()))
    })
    .await;
    ran.success();
}

#[tokio::test]
async fn annotations_need_exactly_one_equals_sign() {
    let folder = folder();
    for wrong in ["a", "a=b=c", "=b"] {
        let said = push("oci://localhost:1/a", folder.path(), &["-a", wrong])
            .await
            .usage();
        assert!(said.contains("exactly one"), "{said}");
    }
}
