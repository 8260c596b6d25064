//! `weir sign --keyless`, at the stand-in's services over HTTP.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use weir_cli::Io;
use weir_standin_registry::{Handle, Registry};
use weir_standin_sigstore::{Holder, Options, Rekor, Server, Sigstore, Workload};

use crate::harness::{Ran, registry, weir, weir_with};
use crate::keys::artifact;

pub(crate) const ISSUER: &str = "https://ci.example";
pub(crate) const SUBJECT: &str = "https://ci.example/org/apps/release.yml@refs/heads/main";
pub(crate) const COSIGN: &str = ".cache/weir/tools/cosign-v3.1.3/cosign";

/// An artifact in a registry, a Sigstore, and a folder with what describes it.
pub(crate) struct World {
    pub(crate) registry: Registry,
    pub(crate) handle: Handle,
    server: Server,
    folder: tempfile::TempDir,
    pub(crate) url: String,
}

impl World {
    pub(crate) async fn new() -> Self {
        let (registry, handle) = registry().await;
        let folder = tempfile::tempdir().expect("a folder");
        let url = artifact(&handle.host(), folder.path()).await;
        let from = Timestamp::now() - SignedDuration::from_hours(3);
        let server = Server::start(from, Options::default()).await.expect("a Sigstore");
        let world = Self {
            registry,
            handle,
            server,
            folder,
            url,
        };
        let sigstore = world.sigstore();
        world.write("root.json", &sigstore.trusted_root().to_string());
        world.write("v1.json", &sigstore.signing_config(Rekor::V1).to_string());
        world.write("v2.json", &sigstore.signing_config(Rekor::V2).to_string());
        world
    }

    pub(crate) fn sigstore(&self) -> &Sigstore {
        self.server.sigstore()
    }

    /// The path of a file in the folder.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    pub(crate) fn write(&self, name: &str, content: &str) -> String {
        fs::write(self.folder.path().join(name), content).expect("writes");
        self.path(name)
    }

    pub(crate) fn token(&self, subject: &str) -> String {
        self.sigstore()
            .token(&Holder::new(ISSUER, subject), Timestamp::now())
    }

    /// Signs with the services of this configuration.
    async fn sign(&self, config: &str, more: &[&str], change: impl FnOnce(Io) -> Io) -> Ran {
        self.keyless("sign", config, more, change).await
    }

    /// Runs a command that signs with the services of this configuration.
    pub(crate) async fn keyless(
        &self,
        command: &str,
        config: &str,
        more: &[&str],
        change: impl FnOnce(Io) -> Io,
    ) -> Ran {
        let (config, root) = (self.path(config), self.path("root.json"));
        let mut args = vec![command, &self.url, "--keyless", "--signing-config", &config];
        args.extend(["--trusted-root", &root]);
        args.extend(more);
        weir_with(&args, |io| change(io.with_clock(Arc::new(Timestamp::now)))).await
    }

    async fn verify(&self, subject: &str) -> Ran {
        self.verify_with(subject, &[]).await
    }

    pub(crate) async fn verify_with(&self, subject: &str, more: &[&str]) -> Ran {
        let root = self.path("root.json");
        let args = [
            "verify",
            &self.url,
            "--trusted-root",
            &root,
            "--certificate-identity",
            subject,
            "--certificate-oidc-issuer",
            ISSUER,
        ];
        let args = [args.as_slice(), more].concat();
        weir_with(&args, |io| io.with_clock(Arc::new(Timestamp::now))).await
    }

    /// Whether cosign itself accepts the signature; nothing where it is not built.
    async fn cosign(&self, subject: &str) -> Option<bool> {
        self.cosign_accepts(&["verify"], subject).await
    }

    /// Whether this command of cosign accepts what an identity signed; nothing where cosign is not built.
    pub(crate) async fn cosign_accepts(&self, command: &[&str], subject: &str) -> Option<bool> {
        let root = self.path("root.json");
        let flags = ["--trusted-root", &root, "--certificate-identity", subject];
        let args = [command, &flags, &["--certificate-oidc-issuer", ISSUER]].concat();
        self.run_cosign(&args).await
    }

    /// Whether cosign says yes about the artifact.
    pub(crate) async fn run_cosign(&self, args: &[&str]) -> Option<bool> {
        let home = std::env::home_dir().unwrap_or_default();
        let program = home.join(COSIGN);
        if !program.is_file() {
            return None;
        }
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", self.folder.path())
            .args(args)
            .args([
                "--allow-http-registry=true",
                self.url.trim_start_matches("oci://"),
            ]);
        let output = tokio::task::spawn_blocking(move || command.output());
        let output = output.await.expect("runs").expect("cosign");
        Some(output.status.success())
    }

    /// Nothing was stored beside the artifact.
    pub(crate) async fn nothing_is_stored(&self) {
        assert_eq!(self.registry.tags("org/apps"), ["v1"]);
        let ran = self.verify(SUBJECT).await;
        assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stdout);
        ran.failure();
    }
}

/// A token that is made for this test and must not be seen.
pub(crate) fn hidden(ran: &Ran, token: &str) {
    for part in token.split('.').chain([token]) {
        assert!(
            !ran.stdout.contains(part) && !ran.stderr.contains(part),
            "{ran:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn n38_what_an_identity_signs_on_the_command_line_weir_and_cosign_verify() {
    for (config, flags, layout) in [
        ("v1.json", [].as_slice(), "sigstore bundle"),
        ("v2.json", &[], "sigstore bundle"),
        ("v1.json", &["--legacy", "-a", "team=a"], "cosign payload"),
    ] {
        let world = World::new().await;
        let token = world.token(SUBJECT);
        let file = world.write("token", &format!("{token}\n"));
        let args = [["--identity-token-file", file.as_str()].as_slice(), flags].concat();
        let ran = world.sign(config, &args, |io| io).await;
        hidden(&ran, &token);
        let log = if config == "v1.json" { "rekor" } else { "rekor2" };
        let says = format!("signed by {SUBJECT} (issuer {ISSUER}) at 20");
        assert!(ran.stderr.contains(&says), "{}", ran.stderr);
        assert!(ran.stderr.contains(&format!("/{log} at 0")), "{}", ran.stderr);
        assert!(
            ran.stderr.contains(&format!("stored as {layout} in oci://")),
            "{}",
            ran.stderr
        );
        assert_eq!(ran.success().trim(), world.url);

        let good = world.verify(SUBJECT).await.success();
        assert!(good.contains(&format!("  {layout} ")), "{good}");
        world.verify("https://x").await.failure();
        match world.cosign(SUBJECT).await {
            None => println!("not run: cosign is not built"),
            Some(accepts) => {
                assert!(accepts);
                assert_eq!(world.cosign("https://x").await, Some(false));
            }
        }
        world.handle.shutdown().await;
    }
}

#[tokio::test]
async fn data_names_what_was_signed_by_whom_where_and_what_holds_it() {
    let world = World::new().await;
    let token = world.token(SUBJECT);
    for (config, index) in [("v1.json", 0), ("v1.json", 1), ("v2.json", 0)] {
        let ran = world
            .sign(config, &["-o", "json"], |io| {
                io.with_env("SIGSTORE_ID_TOKEN", &token)
            })
            .await;
        hidden(&ran, &token);
        let data: Value = serde_json::from_str(&ran.success()).expect("JSON");
        let (repository, digest) = world.url.rsplit_once('@').expect("a digest");
        assert_eq!(data["repository"], repository.trim_start_matches("oci://"));
        assert_eq!(data["digest"], digest);
        assert_eq!(data["subject"], SUBJECT);
        assert_eq!(data["issuer"], ISSUER);
        assert_eq!(data["layout"], "sigstore bundle");
        assert_eq!(data["logged"][0]["index"], index);
        let at: Timestamp = data["signedAt"]
            .as_str()
            .expect("a time")
            .parse()
            .expect("a time");
        assert!(Timestamp::now().duration_since(at) < SignedDuration::from_mins(5));
        let manifest = data["signature"].as_str().expect("a digest");
        assert!(world.registry.manifest("org/apps", manifest).is_some());
    }
    world.handle.shutdown().await;
}

#[tokio::test]
async fn tokens_are_taken_in_the_order_that_the_help_names() {
    let world = World::new().await;
    let (argument, file, variable) = (world.token("a@x"), world.token("b@x"), world.token("c@x"));
    let file = world.write("token", &file);
    let job = Holder::new(ISSUER, "d@x");
    let (url, secret) = world.sigstore().actions_job(&job, Timestamp::now());
    let job = |io: Io| {
        io.with_env("ACTIONS_ID_TOKEN_REQUEST_URL", &url)
            .with_env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", &secret)
    };
    let both = |io: Io| job(io).with_env("SIGSTORE_ID_TOKEN", &variable);
    let empty = |io: Io| job(io).with_env("SIGSTORE_ID_TOKEN", "");
    let projected = world.write("projected", &world.token("e@x"));
    let named = |io: Io| {
        both(io)
            .with_env("CI_TOKEN", &world.token("f@x"))
            .with_env("SIGSTORE_OIDC_TOKEN_FILE", &projected)
    };
    let from_file = |io: Io| io.with_env("SIGSTORE_OIDC_TOKEN_FILE", &projected);
    let given = world
        .sign("v2.json", &["--identity-token", &argument], both)
        .await;
    assert!(
        given
            .stderr
            .contains("warning: other processes can see a token on the command line"),
        "{}",
        given.stderr
    );
    let cases = [
        (given, "a@x"),
        (
            world
                .sign("v2.json", &["--identity-token-file", &file], both)
                .await,
            "b@x",
        ),
        (world.sign("v2.json", &[], both).await, "c@x"),
        (world.sign("v2.json", &[], job).await, "d@x"),
        (world.sign("v2.json", &[], empty).await, "d@x"),
        (world.sign("v2.json", &[], from_file).await, "e@x"),
        (
            world
                .sign("v2.json", &["--identity-token", "env://CI_TOKEN"], named)
                .await,
            "f@x",
        ),
    ];
    for (ran, subject) in cases {
        for secret in [&argument, &variable, &secret] {
            hidden(&ran, secret);
        }
        assert!(
            ran.stderr.contains(&format!("signed by {subject} ")),
            "{}",
            ran.stderr
        );
        assert_eq!(ran.stderr.contains("warning"), subject == "a@x", "{}", ran.stderr);
        ran.success();
    }
    world.handle.shutdown().await;
}

#[tokio::test]
async fn without_a_token_the_error_names_each_place_that_was_looked_at() {
    let world = World::new().await;
    let said = world.sign("v1.json", &[], |io| io).await.usage();
    for place in [
        "--identity-token",
        "--identity-token-file",
        "SIGSTORE_ID_TOKEN",
        "ACTIONS_ID_TOKEN_REQUEST_URL",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
        "SIGSTORE_OIDC_TOKEN_FILE",
        "/var/run/sigstore/cosign/oidc-token",
    ] {
        assert!(said.contains(place), "{place}: {said}");
    }
    assert!(said.contains("try: put a token"), "{said}");
    let github = world.sign("v1.json", &[], |io| io.with_env("GITHUB_ACTIONS", "true"));
    assert!(github.await.usage().contains("permissions: id-token: write"));
    let gitlab = world.sign("v1.json", &[], |io| io.with_env("GITLAB_CI", "true"));
    assert!(
        gitlab
            .await
            .usage()
            .contains("id_tokens: { SIGSTORE_ID_TOKEN: { aud: sigstore } }")
    );
    let pod = world.sign("v1.json", &[], |io| {
        io.with_env("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    });
    assert!(pod.await.usage().contains("projected `serviceAccountToken`"));
    let other = world.sign("v1.json", &["--identity-token", "env://CI_TOKEN"], |io| io);
    assert!(
        other
            .await
            .usage()
            .contains("the variable CI_TOKEN of `--identity-token` is not set")
    );
    world.nothing_is_stored().await;
    world.handle.shutdown().await;
}

#[tokio::test]
async fn n36_a_token_that_cannot_be_used_signs_nothing_and_is_not_repeated() {
    let world = World::new().await;
    let holder = Holder::new(ISSUER, SUBJECT);
    let now = Timestamp::now();
    let hour = SignedDuration::from_hours(1);
    let sigstore = world.sigstore();
    let other = Server::start(now - hour, Options::default())
        .await
        .expect("another");
    for (token, because, hint) in [
        (
            sigstore.token(&holder, now - hour * 2),
            "identity token has expired at",
            "get a new token",
        ),
        (
            sigstore.token_for(&holder, "vault", now),
            "for the audience [\"vault\"]",
            "with the audience `sigstore`",
        ),
        (
            "hunter2hunter2".to_owned(),
            "no JSON web token",
            "`--identity-token-file`",
        ),
        (
            other.sigstore().token(&holder, now),
            "answered 401 Unauthorized: the identity token is not signed by a known issuer",
            "the authority must know the issuer of the token",
        ),
    ] {
        let ran = world
            .sign("v1.json", &[], |io| io.with_env("SIGSTORE_ID_TOKEN", &token))
            .await;
        hidden(&ran, &token);
        let said = ran.failure();
        assert!(said.contains(because) && said.contains(hint), "{said}");
    }
    let missing = world.path("nothing");
    let said = world
        .sign("v1.json", &["--identity-token-file", &missing], |io| io)
        .await
        .failure();
    assert!(said.contains("cannot read the identity token"), "{said}");

    // GitHub's service, asked with something it did not give out.
    let (url, _) = sigstore.actions_job(&holder, now);
    let secret = sigstore.token(&holder, now);
    let ran = world
        .sign("v1.json", &[], |io| {
            io.with_env("ACTIONS_ID_TOKEN_REQUEST_URL", &url)
                .with_env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", &secret)
        })
        .await;
    hidden(&ran, &secret);
    let said = ran.failure();
    assert!(
        said.contains("token service of GitHub Actions") && said.contains("id-token: write"),
        "{said}"
    );
    world.nothing_is_stored().await;
    world.handle.shutdown().await;
}

/// A job of GitHub Actions, one of GitLab, and a Pod.
fn workloads() -> [Workload; 3] {
    let text = str::to_owned;
    [
        Workload::Actions {
            repository: text("org/apps"),
            workflow: text("push.yml"),
            reference: text("refs/heads/main"),
            commit: text("0123abcd"),
        },
        Workload::GitLab {
            host: text("gitlab.example"),
            project: text("org/apps"),
            branch: text("main"),
            commit: text("0123abcd"),
        },
        Workload::ServiceAccount {
            namespace: text("ci"),
            name: text("publisher"),
        },
    ]
}

#[tokio::test]
async fn n38_jobs_and_pods_sign_with_the_tokens_of_their_provider_and_are_verified_by_their_names() {
    let world = World::new().await;
    let (sigstore, now) = (world.sigstore(), Timestamp::now());
    let [actions, gitlab, account] = workloads();
    let (url, secret) = sigstore.job(&actions, now);
    let variable = sigstore.workload_token(&gitlab, "sigstore", now);
    let file = world.write("oidc-token", &sigstore.workload_token(&account, "sigstore", now));
    let in_actions = |io: Io| {
        io.with_env("ACTIONS_ID_TOKEN_REQUEST_URL", &url)
            .with_env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", &secret)
    };
    let in_gitlab = |io: Io| io.with_env("SIGSTORE_ID_TOKEN", &variable);
    let in_a_pod = |io: Io| io.with_env("SIGSTORE_OIDC_TOKEN_FILE", &file);
    let (issuer, root) = (sigstore.issuer(), world.path("root.json"));
    for (ran, subject) in [
        (
            world.sign("v1.json", &[], in_actions).await,
            "https://github.com/org/apps/.github/workflows/push.yml@refs/heads/main",
        ),
        (
            world.sign("v2.json", &[], in_gitlab).await,
            "https://gitlab.example/org/apps//.gitlab-ci.yml@refs/heads/main",
        ),
        (
            world.sign("v2.json", &[], in_a_pod).await,
            "https://kubernetes.io/namespaces/ci/serviceaccounts/publisher",
        ),
    ] {
        let says = format!("signed by {subject} (issuer {issuer}");
        assert!(ran.stderr.contains(&says), "{}", ran.stderr);
        hidden(&ran, &variable);
        ran.success();
        let args = [
            "verify",
            &world.url,
            "--trusted-root",
            &root,
            "--certificate-identity",
            subject,
        ];
        for (issuer, accepted) in [(issuer.as_str(), true), (ISSUER, false)] {
            let args = [args.as_slice(), &["--certificate-oidc-issuer", issuer]].concat();
            let ran = weir_with(&args, |io| io.with_clock(Arc::new(Timestamp::now))).await;
            assert_eq!(ran.exit == weir_cli::Exit::Success, accepted, "{}", ran.stderr);
        }
    }
    world.handle.shutdown().await;
}

/// A token service that gives this answer.
async fn token_service(status: u16, body: String) -> String {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let status = axum::http::StatusCode::from_u16(status).expect("a status");
    let router = axum::Router::new().fallback(async move || (status, body.clone()));
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

#[tokio::test]
async fn n36_a_token_service_that_is_down_or_gives_what_is_no_good_is_named_and_nothing_is_signed() {
    let world = World::new().await;
    let (sigstore, now) = (world.sigstore(), Timestamp::now());
    let [actions, ..] = workloads();
    let gives = |token: String| serde_json::json!({ "count": 1, "value": token }).to_string();
    let old = sigstore.workload_token(&actions, "sigstore", now - SignedDuration::from_hours(2));
    let vault = sigstore.workload_token(&actions, "vault", now);
    // Signed with a key that the provider does not publish.
    let forged = sigstore.token(&Holder::new(sigstore.issuer(), SUBJECT), now);
    for (url, because, hint) in [
        (
            "http://127.0.0.1:9".to_owned(),
            "ask the token service of GitHub Actions at http://127.0.0.1:9/",
            "HTTPS_PROXY",
        ),
        (
            token_service(403, "no".to_owned()).await,
            "answered 403 Forbidden: no",
            "id-token: write",
        ),
        (token_service(200, "no".to_owned()).await, "no JSON", ""),
        (token_service(200, "{}".to_owned()).await, "no token in it", ""),
        (
            token_service(200, gives(old)).await,
            "identity token has expired at",
            "get a new token",
        ),
        (
            token_service(200, gives(vault)).await,
            "for the audience [\"vault\"]",
            "with the audience `sigstore`",
        ),
        (
            token_service(200, gives(forged)).await,
            "answered 401 Unauthorized: the identity token is not signed by a known issuer",
            "the authority must know the issuer",
        ),
        ("ftp://127.0.0.1".to_owned(), "no https URL", "GitHub sets it"),
    ] {
        let ran = world
            .sign("v1.json", &[], |io| {
                io.with_env("ACTIONS_ID_TOKEN_REQUEST_URL", &url)
                    .with_env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "hunter2hunter2")
            })
            .await;
        hidden(&ran, "hunter2hunter2");
        let said = ran.failure();
        assert!(said.contains(because) && said.contains(hint), "{url}: {said}");
        assert_eq!(sigstore.log_size(Rekor::V1), 0);
    }
    world.nothing_is_stored().await;
    world.handle.shutdown().await;
}

/// A service that repeats what it was asked with.
async fn parrot() -> String {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = axum::Router::new().fallback(async |headers: axum::http::HeaderMap| {
        let asked = headers.get("authorization").and_then(|value| value.to_str().ok());
        let said = format!("do not know {:?} here", asked.unwrap_or_default());
        (axum::http::StatusCode::FORBIDDEN, said)
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

#[tokio::test]
async fn n36_services_that_refuse_or_are_not_there_are_named_and_nothing_is_stored() {
    let world = World::new().await;
    let token = world.token(SUBJECT);
    let changed = |name: &str, rekor, part: &str, url: &str| {
        let mut config = world.sigstore().signing_config(rekor);
        config[part][0]["url"] = url.into();
        world.write(name, &config.to_string());
    };
    let parrot = parrot().await;
    changed("nowhere.json", Rekor::V1, "rekorTlogUrls", "http://127.0.0.1:9");
    changed("parrot.json", Rekor::V1, "caUrls", &parrot);
    let mut old = world.sigstore().signing_config(Rekor::V1);
    old["caUrls"][0]["validFor"]["end"] = "2020-01-01T00:00:00Z".into();
    world.write("old.json", &old.to_string());
    world.write("other.json", "{\"mediaType\":\"text/plain\"}");
    let other = Server::start(Timestamp::now(), Options::default())
        .await
        .expect("another");
    world.write("foreign.json", &other.sigstore().trusted_root().to_string());
    let someone = [
        "--certificate-identity",
        "https://x",
        "--certificate-oidc-issuer",
        ISSUER,
    ];
    let foreign = world.path("foreign.json");
    for (config, flags, because, hint) in [
        (
            "nowhere.json",
            [].as_slice(),
            "ask the transparency log (Rekor v1) at http://127.0.0.1:9/",
            "nowhere.json",
        ),
        (
            "parrot.json",
            &[],
            "answered 403 Forbidden: do not know \"Bearer ",
            "the authority must know the issuer of the token",
        ),
        (
            "old.json",
            &[],
            "has 0 of the 1 certificate authorities (Fulcio) needed at",
            "old.json",
        ),
        ("v2.json", &["--legacy"], "needs a Rekor v1 log", "v2.json"),
        (
            "other.json",
            &[],
            "media type \"text/plain\"",
            "signing-config create",
        ),
        (
            "v1.json",
            &someone,
            "release.yml@refs/heads/main\" (issuer \"https://ci.example\"), which is none of",
            "correct `--certificate-identity`",
        ),
    ] {
        let ran = world
            .sign(config, flags, |io| io.with_env("SIGSTORE_ID_TOKEN", &token))
            .await;
        hidden(&ran, &token);
        let said = ran.failure();
        assert!(said.contains(because) && said.contains(hint), "{config}: {said}");
        assert_eq!(world.sigstore().log_size(Rekor::V1), 0, "{config}");
        world.nothing_is_stored().await;
    }
    // What our own verifier refuses is not stored, whatever the services said.
    let (config, root) = (world.path("v1.json"), foreign);
    let args = [
        "sign",
        &world.url,
        "--keyless",
        "--signing-config",
        &config,
        "--trusted-root",
        &root,
    ];
    let ran = weir_with(&args, |io| {
        io.with_clock(Arc::new(Timestamp::now))
            .with_env("SIGSTORE_ID_TOKEN", &token)
    });
    let said = ran.await.failure();
    assert!(
        said.contains("would not verify") && said.contains("`--trusted-root`"),
        "{said}"
    );
    world.nothing_is_stored().await;
    world.handle.shutdown().await;
}

/// A proxy that notes the first line of what it is asked, and refuses.
fn proxy() -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let address = listener.local_addr().expect("an address");
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line).expect("reads");
        stream
            .write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")
            .expect("writes");
        line
    });
    (format!("http://{address}"), asked)
}

#[tokio::test]
async fn the_services_are_reached_through_the_proxy_of_the_environment() {
    let world = World::new().await;
    let token = world.token(SUBJECT);
    let mut config = world.sigstore().signing_config(Rekor::V1);
    config["caUrls"][0]["url"] = "https://fulcio.example".into();
    world.write("away.json", &config.to_string());
    let (address, asked) = proxy();
    let ran = world
        .sign("away.json", &[], |io| {
            io.with_env("SIGSTORE_ID_TOKEN", &token)
                .with_env("HTTPS_PROXY", &address)
        })
        .await;
    let said = ran.failure();
    assert!(said.contains("HTTPS_PROXY"), "{said}");
    let asked = asked.join().expect("the proxy was asked");
    assert!(asked.starts_with("CONNECT fulcio.example:443 "), "{asked}");
    world.handle.shutdown().await;
}

#[tokio::test]
async fn a_key_or_an_identity_signs_and_options_of_one_are_not_for_the_other() {
    let file = Path::new("/nowhere").to_str().expect("UTF-8");
    let sign = ["sign", "localhost:1/a"];
    for (flags, says) in [
        ([].as_slice(), "<--key <KEY>|--keyless>"),
        (&["--key", "k", "--keyless"], "cannot be used with"),
        (&["--identity-token", "hunter2"], "--keyless"),
        (
            &["--key", "k", "--trusted-root", file, "--signing-config", file],
            "cannot be used with",
        ),
        (
            &["--key", "k", "--identity-token-file", file],
            "cannot be used with",
        ),
        (&["--keyless", "--password-stdin"], "cannot be used with"),
        (&["--keyless", "--trusted-root", file], "--signing-config"),
        (
            &["--keyless", "--certificate-identity", "x"],
            "--certificate-oidc-issuer",
        ),
        (
            &["--keyless", "--certificate-oidc-issuer", "x"],
            "--certificate-identity",
        ),
        (
            &[
                "--keyless",
                "--certificate-identity",
                "",
                "--certificate-oidc-issuer",
                "x",
            ],
            "subject is empty",
        ),
        (
            &[
                "--keyless",
                "--identity-token",
                "hunter2",
                "--identity-token-file",
                file,
            ],
            "cannot be used with",
        ),
    ] {
        let said = weir(&[sign.as_slice(), flags].concat()).await.usage();
        assert!(said.contains(says), "{flags:?}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}
