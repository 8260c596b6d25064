//! Keyless publications, promotions and rollbacks that are cut at every request to Sigstore, before it is carried out and
//! after: a moving tag always names what verifies, with its record, and running again ends as if nothing had happened.

use std::sync::Arc;

use axum::http::Method;
use jiff::{SignedDuration, Timestamp};
use weir_cli::Exit;
use weir_oci::Digest;
use weir_standin_sigstore::{Holder, Rekor, Sigstore};
use weir_verify::{Identity, IdentityPolicy, Policy, Promotion, TrustRoot};

use crate::harness::{Ran, weir_with};
use crate::line::{At, Line};
use crate::moving::{URL, World, writes_to};
use crate::sign_keyless::{ISSUER, SUBJECT};

/// A registry and a Sigstore.
struct Scene {
    world: World,
    sigstore: Sigstore,
    rekor: Rekor,
}

/// Services of Sigstore, not the registry.
fn is_sigstore(_: &Method, path: &str) -> bool {
    !path.starts_with("/v2/")
}

fn publish<'a>(path: &'a str, revision: &'a str) -> Vec<&'a str> {
    let origin = ["--source", "https://git.example/apps", "--revision", revision];
    [
        ["publish", path, "--to", URL, "--tag", "latest"].as_slice(),
        &origin,
    ]
    .concat()
}

const PROMOTE: [&str; 6] = ["promote", URL, "--from", "latest", "--to", "stable"];
const ROLLBACK: [&str; 6] = ["rollback", URL, "--tag", "latest", "--reason", "it crashes"];

impl Scene {
    /// Two versions, the first of them promoted.
    async fn new(rekor: Rekor) -> Self {
        let scene = Self {
            world: World::new(),
            sigstore: Sigstore::new(Timestamp::now() - SignedDuration::from_hours(1)),
            rekor,
        };
        for (version, promoted) in [("v1", true), ("v2", false)] {
            let path = scene.world.version(version);
            scene.run(&publish(&path, version)).await.success();
            if promoted {
                scene.run(&PROMOTE).await.success();
            }
        }
        scene
    }

    /// Another registry in the same state. The Sigstore is the same one: what is logged stays logged.
    fn copy(&self) -> Self {
        Self {
            world: self.world.copy(),
            sigstore: self.sigstore.clone(),
            rekor: self.rekor,
        }
    }

    async fn line(&self, at: At) -> Line {
        let router = self.world.registry.router().merge(self.sigstore.router());
        Line::over(router, is_sigstore, at).await
    }

    /// Runs a command as the job that signs.
    async fn over(&self, line: &Line, args: &[&str]) -> Ran {
        let mirror = format!("registry.example={}", line.url);
        let config = self.sigstore.signing_config(self.rekor).to_string();
        let here = config.replace("https://sigstore.standin.example", &line.url);
        assert_ne!(config, here);
        let name = line.url.replace(['/', ':'], "-");
        let config = self.world.file(&format!("{name}.json"), &here);
        let root = self
            .world
            .file("root.json", &self.sigstore.trusted_root().to_string());
        let keyless = ["--keyless", "--signing-config", &config, "--trusted-root", &root];
        let args = [args, &keyless, &["--registry-mirror", &mirror]].concat();
        let token = self
            .sigstore
            .token(&Holder::new(ISSUER, SUBJECT), Timestamp::now());
        weir_with(&args, |io| {
            io.with_env("SIGSTORE_ID_TOKEN", &token)
                .with_clock(Arc::new(Timestamp::now))
        })
        .await
    }

    async fn run(&self, args: &[&str]) -> Ran {
        self.over(&self.line(At::Never).await, args).await
    }

    /// What the tags name, which must verify, with the numbers of their records.
    async fn names(&self) -> Vec<Option<(Digest, u64)>> {
        let root = self.sigstore.trusted_root().to_string();
        let root = TrustRoot::from_json(root.as_bytes()).expect("a root");
        let identity = Identity::exact(ISSUER, SUBJECT).expect("an identity");
        let policy = Policy::Identities(IdentityPolicy::new(root, [identity]).expect("a policy"));
        let number = |(digest, record): (Digest, Promotion)| (digest, record.sequence);
        let mut names = Vec::new();
        for tag in ["latest", "stable"] {
            let found = self.world.verified_by(tag, &policy, Timestamp::now()).await;
            names.push(found.map(number));
        }
        names
    }
}

/// Cuts the command at every request to Sigstore, of which there must be this many.
async fn cut_everywhere(rekor: Rekor, args: &[&str], requests: usize) {
    let start = Scene::new(rekor).await;
    let before = start.names().await;
    let model = start.copy();
    let line = model.line(At::Never).await;
    model.over(&line, args).await.success();
    assert_eq!(line.count(), requests);
    let after = model.names().await;
    assert_ne!(before, after);
    for at in 0..requests {
        for cut in [At::Lost(at), At::Cut(at)] {
            let scene = start.copy();
            let ran = scene.over(&scene.line(cut).await, args).await;
            assert_eq!(ran.exit, Exit::Failure, "{cut:?}: {}", ran.stderr);
            assert_eq!(scene.names().await, before, "{cut:?}");
            scene.run(args).await.success();
            assert_eq!(scene.names().await, after, "again after {cut:?}");
            // And there is nothing left to do, or to log.
            scene.world.registry.forget_seen();
            let line = scene.line(At::Never).await;
            scene.over(&line, args).await.success();
            assert_eq!(line.count(), 0, "{cut:?}");
            assert_eq!(writes_to(&scene.world.registry), Vec::<String>::new(), "{cut:?}");
        }
    }
}

// A certificate, a timestamp and a log entry for each signature: a publication signs the artifact and the record, the others
// the record.

#[tokio::test(flavor = "multi_thread")]
async fn a_keyless_publication_that_is_cut_at_any_service_leaves_whole_tags_and_is_finished_by_the_next() {
    let folder = World::new();
    let path = folder.version("v3");
    for rekor in [Rekor::V1, Rekor::V2] {
        cut_everywhere(rekor, &publish(&path, "v3"), 6).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyless_promotion_that_is_cut_at_any_service_leaves_whole_tags_and_is_finished_by_the_next() {
    cut_everywhere(Rekor::V2, &PROMOTE, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyless_rollback_that_is_cut_at_any_service_leaves_whole_tags_and_is_finished_by_the_next() {
    cut_everywhere(Rekor::V2, &ROLLBACK, 3).await;
}
