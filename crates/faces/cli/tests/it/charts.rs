//! `weir helm pull`, `push` and `dependency`, and charts from elsewhere; against Helm itself where it is there.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use crate::harness::{Ran, registry, weir, weir_with};

type Pages = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// A web server with files, as `http://127.0.0.1:…`.
async fn server() -> (Pages, String) {
    async fn answer(State(pages): State<Pages>, request: Request) -> Response {
        let page = pages.lock().expect("pages").get(request.uri().path()).cloned();
        page.map_or(
            StatusCode::NOT_FOUND.into_response(),
            axum::response::IntoResponse::into_response,
        )
    }
    let pages = Pages::default();
    let app = Router::new().fallback(answer).with_state(pages.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("listens");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, app).await.expect("serves") });
    (pages, url)
}

fn put(folder: &Path, files: &[(&str, &str)]) {
    for (name, content) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("makes folders");
        fs::write(path, content).expect("writes");
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Packs a chart and gives the path of its archive.
async fn packed(folder: &Path, name: &str, version: &str) -> PathBuf {
    let definition = format!(
        "apiVersion: v2\nname: {name}\nversion: {version}\ndescription: a <b> & c\nhome: https://x.example\nmaintainers: [{{name: ann, email: ann@x.example}}]\nannotations: {{licence: free}}\n"
    );
    let source = folder.join(format!("{name}-{version}"));
    put(
        &source,
        &[
            ("Chart.yaml", &definition),
            ("values.yaml", "a: 1\n"),
            ("templates/x.yaml", "a: {{ .Values.a }}\n"),
        ],
    );
    weir(&["helm", "package", text(&source), "-d", text(folder)])
        .await
        .success();
    folder.join(format!("{name}-{version}.tgz"))
}

/// Publishes versions of `other` under `/charts`.
async fn publish(pages: &Pages, folder: &Path, versions: &[&str]) {
    let mut index = String::from("apiVersion: v1\nentries:\n  other:\n");
    for version in versions {
        let archive = packed(folder, "other", version).await;
        writeln!(
            index,
            "  - {{name: other, version: {version}, urls: [other-{version}.tgz]}}"
        )
        .expect("memory");
        let content = fs::read(archive).expect("reads");
        pages
            .lock()
            .expect("pages")
            .insert(format!("/charts/other-{version}.tgz"), content);
    }
    pages
        .lock()
        .expect("pages")
        .insert("/charts/index.yaml".to_owned(), index.into_bytes());
}

/// Helm's own program, as `cargo xtask tools` builds it.
fn helm() -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
    let path = cache.join("weir/tools/helm-v4.2.4/helm");
    let is_there = path.is_file();
    assert!(
        is_there || std::env::var_os("CI").is_none_or(|ci| ci != "true"),
        "no helm; `cargo xtask tools` builds it"
    );
    is_there.then_some(path)
}

/// Runs Helm with a home of its own: its output and whether it succeeded.
async fn theirs(helm: &Path, home: &Path, args: &[&str]) -> (String, String, bool) {
    let mut command = Command::new(helm);
    command.args(args).env("TZ", "UTC");
    for name in ["CACHE", "CONFIG", "DATA"] {
        command.env(format!("HELM_{name}_HOME"), home.join(name));
    }
    let out = tokio::task::spawn_blocking(move || command.output().expect("runs"));
    let out = out.await.expect("runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (text(out.stdout), text(out.stderr), out.status.success())
}

async fn ours(home: &Path, args: &[&str]) -> Ran {
    let config = text(&home.join("CONFIG")).to_owned();
    weir_with(args, |io| io.with_env("HELM_CONFIG_HOME", &config)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chart_of_a_repository_is_pulled_shown_and_rendered() {
    let (folder, (pages, url)) = (tempfile::tempdir().expect("a folder"), server().await);
    publish(&pages, folder.path(), &["1.0.0", "1.2.0", "2.0.0-rc.1"]).await;
    let repo = format!("{url}/charts");
    let to = folder.path().join("to");
    fs::create_dir(&to).expect("makes a folder");
    let pull = ["helm", "pull", "other", "--repo", &repo, "-d", text(&to)];
    assert_eq!(weir(&pull).await.success(), "");
    assert_eq!(
        fs::read(to.join("other-1.2.0.tgz")).expect("reads"),
        fs::read(folder.path().join("other-1.2.0.tgz")).expect("reads")
    );
    let with = |more: &[&'static str]| [&pull[..], more].concat();
    weir(&with(&["--devel"])).await.success();
    assert!(to.join("other-2.0.0-rc.1.tgz").is_file());
    weir(&with(&["--version", "1.0.x", "--untar"])).await.success();
    let values = fs::read_to_string(to.join("other/values.yaml")).expect("reads");
    assert_eq!(values, "a: 1\n");
    let said = weir(&with(&["--untar"])).await.failure();
    assert!(said.contains("already exists"), "{said}");
    for (args, expected) in [
        (
            &["none"][..],
            format!("chart \"none\" not found in {repo} repository"),
        ),
        (
            &["other", "--version", "9"],
            format!("chart \"other\" version \"9\" not found in {repo} repository"),
        ),
    ] {
        let args = [&["helm", "pull", "--repo", &repo], args].concat();
        let said = weir(&args).await.failure();
        assert!(said.contains(&expected), "{said}");
    }
    let out = weir(&[
        "helm",
        "template",
        "x",
        "other",
        "--repo",
        &repo,
        "--version",
        "^1",
    ])
    .await
    .success();
    assert_eq!(out, "---\n# Source: other/templates/x.yaml\na: 1\n");
    let address = format!("{repo}/other-1.0.0.tgz");
    let out = weir(&["helm", "show", "chart", &address]).await.success();
    assert!(out.contains("version: 1.0.0\n"), "{out}");
    let said = weir(&["helm", "pull", &format!("{url}/none.tgz")])
        .await
        .failure();
    assert!(
        said.contains(&format!("failed to fetch {url}/none.tgz : 404 Not Found")),
        "{said}"
    );
    // N08: a link in the archive's place is replaced, not written through.
    #[cfg(unix)]
    {
        put(folder.path(), &[("kept", "kept")]);
        fs::remove_file(to.join("other-1.2.0.tgz")).expect("removes");
        std::os::unix::fs::symlink(folder.path().join("kept"), to.join("other-1.2.0.tgz")).expect("links");
        weir(&pull).await.success();
        assert_eq!(
            fs::read_to_string(folder.path().join("kept")).expect("reads"),
            "kept"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_pushes_the_other_pulls_and_the_manifests_are_equal() {
    let folder = tempfile::tempdir().expect("a folder");
    let (owner, handle) = registry().await;
    let host = handle.host();
    let archive = packed(folder.path(), "other", "1.2.0+7").await;
    let (ours_at, theirs_at) = (format!("oci://{host}/ours"), format!("oci://{host}/theirs"));
    let out = weir(&["helm", "push", text(&archive), &ours_at]).await.success();
    let pushed = owner.manifest("ours/other", "1.2.0_7").expect("a manifest");
    let digest = weir_oci::Digest::of(&pushed);
    assert!(
        out.starts_with(&format!("Pushed: {host}/ours/other:1.2.0_7\nDigest: {digest}\n")),
        "{out}"
    );
    let (to, back) = (folder.path().join("to"), folder.path().join("back"));
    fs::create_dir(&to).expect("makes a folder");
    fs::create_dir(&back).expect("makes a folder");
    let pulled = weir(&["helm", "pull", &format!("{ours_at}/other"), "-d", text(&to)])
        .await
        .success();
    assert!(
        pulled.starts_with(&format!("Pulled: {host}/ours/other:1.2.0_7\nDigest: {digest}\n")),
        "{pulled}"
    );
    assert_eq!(
        fs::read(to.join("other-1.2.0+7.tgz")).expect("reads"),
        fs::read(&archive).expect("reads")
    );
    let pinned = format!("{ours_at}/other@{digest}");
    let out = weir(&["helm", "template", "x", &pinned]).await.success();
    assert!(out.ends_with("# Source: other/templates/x.yaml\na: 1\n"), "{out}");
    let said = weir(&[
        "helm",
        "pull",
        &format!("{ours_at}/other:1.0.0"),
        "--version",
        "2.0.0",
    ])
    .await
    .failure();
    assert!(
        said.contains("chart reference and version mismatch: 2.0.0 is not 1.0.0"),
        "{said}"
    );
    let said = weir(&["helm", "push", text(folder.path()), &ours_at])
        .await
        .failure();
    assert!(
        said.contains("cannot push directory, must provide chart archive (.tgz)"),
        "{said}"
    );

    let Some(helm) = helm() else { return };
    let home = folder.path().join("home");
    let (out, err, done) = theirs(
        &helm,
        &home,
        &["push", text(&archive), &theirs_at, "--plain-http"],
    )
    .await;
    assert!(done, "{err}");
    let theirs_pushed = owner.manifest("theirs/other", "1.2.0_7").expect("a manifest");
    assert_eq!(
        String::from_utf8_lossy(&pushed),
        String::from_utf8_lossy(&theirs_pushed)
    );
    let said = weir(&["helm", "push", text(&archive), &theirs_at])
        .await
        .success();
    assert_eq!(out, said);
    for version in ["1.2.0+7", "1.x", ""] {
        let name = format!("{ours_at}/other");
        let mut args = vec!["pull", &name, "-d", text(&back), "--plain-http"];
        if !version.is_empty() {
            args.extend(["--version", version]);
        }
        let (out, err, done) = theirs(&helm, &home, &args).await;
        assert!(done, "{err}");
        let own = weir(&[&["helm"], &args[..]].concat()).await.success();
        assert_eq!(own, out, "{version}");
    }
    assert_eq!(
        fs::read(back.join("other-1.2.0+7.tgz")).expect("reads"),
        fs::read(&archive).expect("reads")
    );
}

/// A chart that needs others, once for each program.
fn parent(folder: &Path, host: &str, repo: &str) {
    let definition = format!(
        "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- name: dep\n  version: ^0.1.0\n  repository: file://../dep\n- name: other\n  version: 1.x\n  repository: {repo}\n- name: wide\n  alias: again\n  version: ~1.0\n  repository: oci://{host}/charts\n- name: here\n  version: '>=1'\n  repository: ''\n"
    );
    put(
        folder,
        &[
            ("web/Chart.yaml", &definition),
            (
                "web/charts/here/Chart.yaml",
                "apiVersion: v2\nname: here\nversion: 1.5.0\n",
            ),
            ("dep/Chart.yaml", "apiVersion: v2\nname: dep\nversion: 0.1.5\n"),
        ],
    );
}

/// Chart.lock without its time.
fn lock(folder: &Path) -> String {
    let text = fs::read_to_string(folder.join("web/Chart.lock")).expect("reads");
    let lines = text.lines().filter(|line| !line.starts_with("generated:"));
    lines.collect::<Vec<_>>().join("\n")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder.join("web/charts")).expect("lists");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dependencies_are_fetched_locked_and_listed_as_helm_does() {
    let (folder, (pages, url)) = (tempfile::tempdir().expect("a folder"), server().await);
    let (_owner, handle) = registry().await;
    let host = handle.host();
    publish(&pages, folder.path(), &["1.0.0", "1.2.0"]).await;
    for version in ["1.0.0", "1.2.0"] {
        let archive = packed(folder.path(), "wide", version).await;
        weir(&["helm", "push", text(&archive), &format!("oci://{host}/charts")])
            .await
            .success();
    }
    let (own, home) = (folder.path().join("own"), folder.path().join("home"));
    parent(&own, &host, &format!("{url}/charts"));
    let chart = own.join("web");
    let chart = text(&chart);
    let updated = ours(&home, &["helm", "dependency", "update", chart])
        .await
        .success();
    assert_eq!(
        names(&own),
        ["dep-0.1.5.tgz", "here", "other-1.2.0.tgz", "wide-1.0.0.tgz"]
    );
    let listed = ours(&home, &["helm", "dep", "list", chart]).await.success();
    assert!(listed.starts_with("NAME "), "{listed}");
    // A lock that is up to date stays as it is; an archive that is not locked goes.
    let before = fs::read_to_string(own.join("web/Chart.lock")).expect("reads");
    fs::rename(
        own.join("web/charts/other-1.2.0.tgz"),
        own.join("web/charts/other-0.9.0.tgz"),
    )
    .expect("renames");
    ours(&home, &["helm", "dependency", "update", chart])
        .await
        .success();
    assert_eq!(
        fs::read_to_string(own.join("web/Chart.lock")).expect("reads"),
        before
    );
    assert_eq!(
        names(&own),
        ["dep-0.1.5.tgz", "here", "other-1.2.0.tgz", "wide-1.0.0.tgz"]
    );
    fs::remove_file(own.join("web/charts/wide-1.0.0.tgz")).expect("removes");
    let built = ours(&home, &["helm", "dependency", "build", chart])
        .await
        .success();
    assert!(built.contains("Saving 4 charts\n"), "{built}");
    assert!(own.join("web/charts/wide-1.0.0.tgz").is_file());

    if let Some(helm) = helm() {
        let other = folder.path().join("other");
        parent(&other, &host, &format!("{url}/charts"));
        let other_chart = other.join("web");
        let args = ["dependency", "update", text(&other_chart), "--plain-http"];
        let (out, err, done) = theirs(&helm, &home, &args).await;
        assert!(done, "{out}{err}");
        assert_eq!(updated, out);
        assert_eq!(names(&own), names(&other));
        assert_eq!(lock(&own), lock(&other));
        let (out, err, done) = theirs(&helm, &home, &["dependency", "list", chart]).await;
        assert!(done, "{err}");
        assert_eq!(
            ours(&home, &["helm", "dependency", "list", chart])
                .await
                .success(),
            out
        );
    }

    // What Chart.yaml asks for has changed since the lock was written.
    let definition = fs::read_to_string(own.join("web/Chart.yaml"))
        .expect("reads")
        .replace("^0.1.0", "0.1.x");
    put(&own, &[("web/Chart.yaml", &definition)]);
    let said = ours(&home, &["helm", "dependency", "build", chart])
        .await
        .failure();
    assert!(
        said.contains("the lock file (Chart.lock) is out of sync"),
        "{said}"
    );
    let impossible = definition.replace("version: 1.x", "version: 7.x");
    put(&own, &[("web/Chart.yaml", &impossible)]);
    let said = ours(&home, &["helm", "dependency", "update", chart])
        .await
        .failure();
    assert!(
        said.contains("can't get a valid version for 1 subchart(s): \"other\""),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_of_repositories_are_those_that_helm_knows() {
    let (folder, (pages, url)) = (tempfile::tempdir().expect("a folder"), server().await);
    publish(&pages, folder.path(), &["1.0.0"]).await;
    let home = folder.path().join("home");
    let definition = "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- {name: other, version: 1.x, repository: '@mine'}\n";
    put(folder.path(), &[("web/Chart.yaml", definition)]);
    let chart = folder.path().join("web");
    let update = ["helm", "dependency", "update", text(&chart)];
    let said = ours(&home, &update).await.failure();
    assert!(said.contains("no repository definition for @mine"), "{said}");
    let file = format!("apiVersion: ''\nrepositories:\n- {{name: mine, url: '{url}/charts'}}\n");
    put(&home, &[("CONFIG/repositories.yaml", &file)]);
    let out = ours(&home, &update).await.success();
    assert_eq!(
        out,
        format!(
            "Hang tight while we grab the latest from your chart repositories...\n...Successfully got an update from the \"mine\" chart repository\nUpdate Complete. ⎈Happy Helming!⎈\nSaving 1 charts\nDownloading other from repo {url}/charts\nDeleting outdated charts\n"
        )
    );
    assert!(lock(folder.path()).contains(&format!("repository: {url}/charts")));
}

#[cfg(unix)]
#[tokio::test]
async fn n08_a_lock_file_that_is_a_link_is_not_written_through() {
    let folder = tempfile::tempdir().expect("a folder");
    put(
        folder.path(),
        &[
            (
                "web/Chart.yaml",
                "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- {name: dep, version: 1.x, repository: 'file://../dep'}\n",
            ),
            ("dep/Chart.yaml", "apiVersion: v2\nname: dep\nversion: 1.0.0\n"),
            ("kept", ""),
        ],
    );
    std::os::unix::fs::symlink(folder.path().join("kept"), folder.path().join("web/Chart.lock"))
        .expect("links");
    let chart = folder.path().join("web");
    let said = ours(folder.path(), &["helm", "dependency", "update", text(&chart)])
        .await
        .failure();
    assert!(said.contains("the Chart.lock file is a symlink to"), "{said}");
    assert_eq!(fs::read_to_string(folder.path().join("kept")).expect("reads"), "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n07_a_dependency_whose_name_is_a_path_stays_in_its_folder() {
    let (folder, (pages, url)) = (tempfile::tempdir().expect("a folder"), server().await);
    publish(&pages, folder.path(), &["1.0.0"]).await;
    let index =
        "apiVersion: v1\nentries:\n  ../other:\n  - {name: other, version: 1.0.0, urls: [other-1.0.0.tgz]}\n";
    pages
        .lock()
        .expect("pages")
        .insert("/charts/index.yaml".to_owned(), index.into());
    let definition = format!(
        "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- {{name: ../other, version: 1.x, repository: '{url}/charts'}}\n"
    );
    put(folder.path(), &[("web/Chart.yaml", &definition)]);
    let chart = folder.path().join("web");
    let said = ours(folder.path(), &["helm", "dependency", "update", text(&chart)])
        .await
        .failure();
    assert!(said.contains("cannot be the name of a file"), "{said}");
    assert!(!chart.join("other-1.0.0.tgz").exists() && names(folder.path()).is_empty());
}
