//! Keyless publications, promotions and rollbacks that are cut at every request to Sigstore, before it is carried out and
//! after, and pairs of them that meet at every step: a moving tag always names what verifies, with its record, and running again ends as
//! if nothing had happened.

use std::sync::Arc;

use axum::http::Method;
use jiff::{SignedDuration, Timestamp};
use weir_cli::Exit;
use weir_oci::Digest;
use weir_standin_sigstore::{Holder, Rekor, Sigstore};
use weir_verify::{Identity, IdentityPolicy, Policy, Promotion, TrustRoot};

use crate::harness::{Ran, weir_with};
use crate::line::{At, Counts, Line};
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
        self.line_of(is_sigstore, at).await
    }

    /// A line to both, of whose requests only some count.
    async fn line_of(&self, counts: Counts, at: At) -> Line {
        let router = self.world.registry.router().merge(self.sigstore.router());
        Line::over(router, counts, at).await
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

/// What others may come before: each request to Sigstore, and each that stores a manifest, since signatures, records and tags are
/// those. At the others pairs with keys meet, in `moving_cut.rs`; they are the same.
fn is_step(method: &Method, path: &str) -> bool {
    is_sigstore(method, path) || (method == Method::PUT && path.contains("/manifests/"))
}

/// What a pair of runs left.
struct Met {
    scene: Scene,
    held: Ran,
    whole: Ran,
}

/// Runs `held` up to this step, then `whole` from start to end, then the rest of `held`. Nothing when `held` has no such step.
async fn meet(start: &Scene, held: &[&str], at: usize, whole: &[&str]) -> Option<Met> {
    let scene = start.copy();
    let line = scene.line_of(is_step, At::Hold(at)).await;
    let whole = async {
        let ran = scene.run(whole).await;
        // What is left at this step is whole, too.
        scene.names().await;
        ran
    };
    let (held, whole) = Box::pin(line.meeting(scene.over(&line, held), whole)).await?;
    Some(Met { scene, held, whole })
}

/// Lets two commands meet at every step of the first. Whatever happens, the tags are whole, and the next publication goes through with
/// a number that nobody has seen. How many steps there were.
async fn meet_everywhere(start: &Scene, held: &[&str], whole: &[&str], check: impl Fn(usize, &Met)) -> usize {
    let next = start.world.version("v9");
    let mut at = 0;
    while let Some(met) = meet(start, held, at, whole).await {
        let before = met.scene.names().await;
        check(at, &met);
        if at % 4 == 0 {
            met.scene.run(&publish(&next, "v9")).await.success();
            let number = |names: &[Option<(Digest, u64)>]| names[0].map(|(_, number)| number);
            assert!(number(&met.scene.names().await) > number(&before), "at {at}");
        }
        at += 1;
    }
    at
}

fn must_succeed(ran: &Ran, at: usize) {
    assert_eq!(ran.exit, Exit::Success, "at {at}: {}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_keyless_publications_at_once_end_in_one_of_the_two() {
    let start = Scene::new(Rekor::V2).await;
    let (one, other) = (start.world.version("v3"), start.world.version("v4"));
    let (one, other) = (publish(&one, "v3"), publish(&other, "v4"));
    let count = meet_everywhere(&start, &one, &other, |at, met| {
        must_succeed(&met.held, at);
        must_succeed(&met.whole, at);
        let ended = met.scene.world.tag("latest").expect("a tag").to_string();
        let of = |ran: &Ran| ran.stdout.trim().ends_with(&ended);
        assert!(of(&met.held) || of(&met.whole), "at {at}: {ended}");
    })
    .await;
    // Three services for each of two signatures; the artifact, both signatures and the tag.
    assert_eq!(count, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_keyless_promotions_at_once_end_in_one_of_the_two() {
    // What stable names, what the one promotes, what the other does.
    let start = Scene::new(Rekor::V2).await;
    let second = start.world.tag("latest").expect("a tag").to_string();
    let path = start.world.version("v3");
    start.run(&publish(&path, "v3")).await.success();
    let third = start.world.tag("latest").expect("a tag").to_string();
    let other = PROMOTE.map(|part| if part == "latest" { second.as_str() } else { part });
    let count = meet_everywhere(&start, &PROMOTE, &other, |at, met| {
        must_succeed(&met.held, at);
        must_succeed(&met.whole, at);
        let ended = met.scene.world.tag("stable").expect("a tag").to_string();
        assert!([&second, &third].contains(&&ended), "at {at}: {ended}");
    })
    .await;
    // It begins again where the other one came before it moves the tag; a run that nobody disturbs has five steps.
    assert!(count >= 5, "{count}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyless_publication_while_a_rollback_is_under_way_and_the_other_way_round() {
    let start = Scene::new(Rekor::V2).await;
    let path = start.world.version("v3");
    // A rollback that finds something new there stops, for nobody wanted to go back from that.
    let count = meet_everywhere(&start, &ROLLBACK, &publish(&path, "v3"), |at, met| {
        must_succeed(&met.whole, at);
        let stopped = met.held.stderr.contains("moved by somebody else meanwhile");
        let done = met.held.exit == Exit::Success;
        assert!(stopped || done, "at {at}: {}", met.held.stderr);
    })
    .await;
    assert!(count >= 5, "{count}");
    let count = meet_everywhere(&start, &publish(&path, "v3"), &ROLLBACK, |at, met| {
        must_succeed(&met.held, at);
        must_succeed(&met.whole, at);
    })
    .await;
    assert!(count >= 10, "{count}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyless_publication_asks_the_registry_this_often() {
    let scene = Scene::new(Rekor::V2).await;
    let path = scene.world.version("v3");
    scene.world.registry.forget_seen();
    scene.run(&publish(&path, "v3")).await.success();
    let seen = scene.world.registry.seen();
    let writes = seen
        .iter()
        .filter(|one| ["POST", "PUT"].contains(&one.method.as_str()));
    // An upload takes two: content, configuration, two bundles. Four manifests: of the artifact, its signature, the record, under the tag.
    assert_eq!(writes.count(), 12, "{seen:#?}");
    // What is read more than once is read after something that others may have done meanwhile. More is a slip.
    assert!(seen.len() <= 50, "{} requests: {seen:#?}", seen.len());
}
