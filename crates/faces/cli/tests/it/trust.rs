//! `weir trust`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use weir_standin_sigstore::{Rekor, Sigstore, TufRepository, TufServer};

use crate::harness::{Ran, weir, weir_with};

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn start() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().expect("a time")
}

fn documents() -> BTreeMap<String, Vec<u8>> {
    let sigstore = Sigstore::new(start());
    BTreeMap::from([
        (
            "trusted_root.json".to_owned(),
            sigstore.trusted_root().to_string().into(),
        ),
        (
            "signing_config.v0.2.json".to_owned(),
            sigstore.signing_config(Rekor::V1).to_string().into(),
        ),
    ])
}

/// A repository, its mirror, and a folder for what is fetched.
struct World {
    repository: TufRepository,
    server: TufServer,
    folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let repository = TufRepository::new(start(), documents());
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("root.json"), repository.root(1)).expect("writes");
        Self {
            server: TufServer::start(repository.clone()).await.expect("a mirror"),
            repository,
            folder,
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.path().join(name)).unwrap_or_default()
    }

    /// Updates from the mirror at a time.
    async fn update(&self, at: Timestamp, more: &[&str]) -> Ran {
        let (url, dir) = (self.server.url(), self.path("trust"));
        let args = [
            ["trust", "update", "--dir", &dir, "--mirror", &url].as_slice(),
            more,
        ]
        .concat();
        run(&args, at).await
    }
}

async fn run(args: &[&str], at: Timestamp) -> Ran {
    weir_with(args, |io| io.with_clock(Arc::new(move || at))).await
}

#[tokio::test]
async fn a_trust_root_is_written_and_brought_up_to_date() {
    let world = World::new().await;
    let root = world.path("root.json");
    let first = world.update(start(), &["--root", &root]).await;
    assert!(
        first
            .stderr
            .contains("targets: version 1, good until 2027-06-01T00:00:00Z"),
        "{}",
        first.stderr
    );
    let dir = world.path("trust");
    let lines = format!("{dir}/trusted_root.json new\n{dir}/signing_config.json new\n");
    assert_eq!(first.success(), lines);

    let again = world.update(start(), &[]).await.success();
    assert_eq!(again.matches("unchanged").count(), 2, "{again}");

    world.repository.rotate(start());
    let mut newer = documents();
    newer.remove("signing_config.v0.2.json");
    world.repository.publish(start(), newer.clone());
    let ran = world.update(start() + DAY, &["-o", "json"]).await;
    let data: Value = serde_json::from_str(&ran.success()).expect("JSON");
    assert_eq!(data["root"]["before"], 1);
    assert_eq!(data["root"]["version"], 2);
    assert_eq!(data["targets"]["version"], 3);
    assert_eq!(data["timestamp"]["expires"], "2026-06-08T00:00:00Z");
    assert_eq!(data["trustedRoot"]["state"], "changed");
    assert_eq!(data["signingConfig"], Value::Null);
    assert_eq!(data["mirror"], format!("{}/", world.server.url()));
    assert_eq!(world.read("trust/trusted_root.json"), newer["trusted_root.json"]);
    // What is there of an earlier update is not this one's.
    let ran = world.update(start() + DAY, &[]).await;
    let warning = "signing_config.json is of an earlier update";
    assert!(ran.stderr.contains(warning), "{}", ran.stderr);

    let shown = run(&["trust", "show", &dir], start() + DAY).await;
    assert!(!shown.stderr.contains("warning"), "{}", shown.stderr);
    let shown = shown.success();
    for says in [
        "root version 2, good until 2027-06-01",
        "timestamp version 3, good until 2026-06-08",
        "certificate authority",
        "timestamp authority",
        "PKIX_ED25519",
        "weir stand-in intermediate, weir stand-in until 2036-",
    ] {
        assert!(shown.contains(says), "{says}: {shown}");
    }
    let later = run(&["trust", "show", &dir], start() + DAY * 30).await;
    assert!(
        later
            .stderr
            .contains("still the newest was known until 2026-06-08T00:00:00Z"),
        "{}",
        later.stderr
    );
}

#[tokio::test]
async fn n56_the_password_of_a_mirror_is_in_no_output() {
    let world = World::new().await;
    let url = world.server.url().replace("http://", "http://me:hunter2@");
    let (dir, root) = (world.path("trust"), world.path("root.json"));
    let args = [
        "trust", "update", "--dir", &dir, "--mirror", &url, "--root", &root, "-o", "json",
    ];
    let good = run(&args, start()).await;
    let bad = run(&args, start() + DAY * 4000).await;
    for text in [&good.stdout, &good.stderr, &bad.stdout, &bad.stderr] {
        assert!(!text.contains("hunter2"), "{text}");
    }
    good.success();
    bad.failure();
}

#[tokio::test]
async fn of_two_updates_of_one_folder_one_is_told_to_wait() {
    let world = World::new().await;
    let (dir, root) = (world.path("trust"), world.path("root.json"));
    let held = weir_trust::Known::lock(&Path::new(&dir).join("tuf")).expect("a lock");
    let said = world.update(start(), &["--root", &root]).await.failure();
    assert!(said.contains("is under way"), "{said}");
    drop(held);
    world.update(start(), &["--root", &root]).await.success();
}

#[tokio::test]
async fn n41_an_update_that_is_refused_leaves_the_root_as_it_is_and_remembers_what_was_seen() {
    let world = World::new().await;
    let root = world.path("root.json");
    world.update(start(), &["--root", &root]).await.success();
    let had = world.read("trust/trusted_root.json");
    let old = world.repository.record();
    world.repository.publish(start(), documents());
    let new = world.repository.record();
    world.repository.remove("2.targets.json");
    let said = world.update(start(), &[]).await.failure();
    assert!(said.contains("mirror lacks a document"), "{said}");
    world.repository.replay(old);
    let said = world.update(start(), &[]).await.failure();
    for says in [
        "the trust root stays as it is",
        "mirror went back: timestamp has version 1, and version 2 was seen before",
        "try: the mirror is behind, or somebody leads you back",
    ] {
        assert!(said.contains(says), "{says}: {said}");
    }
    assert_eq!(world.read("trust/trusted_root.json"), had);
    world.repository.replay(new);
    let said = world.update(start() + DAY * 10, &[]).await.failure();
    assert!(said.contains("has ended on 2026-06-08T00:00:00Z"), "{said}");
    assert!(said.contains("try: check this machine's clock"), "{said}");

    // Another repository does not get into this folder, nor does one without its own root get anywhere.
    let other = World::new().await;
    let dir = world.path("trust");
    let root = other.path("root.json");
    let said = other.update(start(), &["--dir", &dir, "--root", &root]).await;
    assert!(said.usage().contains("cannot be used multiple times"));
    let url = other.server.url();
    let args = [
        "trust", "update", "--dir", &dir, "--mirror", &url, "--root", &root,
    ];
    let said = run(&args, start()).await.failure();
    assert!(said.contains("version 1 of another root"), "{said}");
    assert!(said.contains("use another `--dir`"), "{said}");
    let said = other.update(start(), &[]).await.failure();
    assert!(said.contains("begins with its own root: `--root`"), "{said}");
    assert_eq!(world.read("trust/trusted_root.json"), had);
}

#[tokio::test]
async fn a_folder_does_for_a_mirror() {
    let world = World::new().await;
    let copy = world.path("copy");
    world.repository.write_to(Path::new(&copy)).expect("writes");
    let (root, dir) = (world.path("root.json"), world.path("trust"));
    let args = ["trust", "update", "--from", &copy, "--root", &root, "--dir", &dir];
    run(&args, start()).await.success();
    assert!(!world.read("trust/trusted_root.json").is_empty());
    let nowhere = world.path("nowhere");
    let args = ["trust", "update", "--from", &nowhere, "--dir", &dir];
    assert!(run(&args, start()).await.failure().contains("there is no folder"));
    let args = [
        "trust",
        "update",
        "--from",
        &copy,
        "--mirror",
        "https://x.example",
    ];
    run(&args, start()).await.usage();
    let args = ["trust", "update", "--mirror", "http://tuf.example", "--dir", &dir];
    let said = run(&args, start()).await.usage();
    assert!(said.contains("plain HTTP") && said.contains("`--from`"), "{said}");
}

#[tokio::test]
async fn the_shipped_root_says_its_day_and_when_that_is_long_ago() {
    let at = |text: &str| text.parse::<Timestamp>().expect("a time");
    let ran = run(&["trust", "show"], at("2026-11-28T00:00:00Z")).await;
    assert_eq!(ran.stderr, "");
    let shown = ran.success();
    for says in [
        "the newest on 2026-10-23",
        "https://fulcio.sigstore.dev",
        "https://rekor.sigstore.dev",
        "sigstore-intermediate, sigstore.dev",
    ] {
        assert!(shown.contains(says), "{says}: {shown}");
    }
    let ran = run(&["trust", "show", "-o", "json"], at("2028-01-01T00:00:00Z")).await;
    assert!(ran.stderr.contains("weir trust update"), "{}", ran.stderr);
    let data: Value = serde_json::from_str(&ran.success()).expect("JSON");
    assert_eq!(data["newestOn"], "2026-10-23T00:00:00Z");
    let trusted = data["trusted"].as_array().expect("a list");
    let counts = |word: &str| trusted.iter().filter(|one| one["counts"] == word).count();
    assert!(counts("now") > 0 && counts("ended") > 0, "{trusted:?}");
    for one in trusted {
        let has_key = one["key"].is_object();
        let certificates = one["certificates"].as_array().expect("a list");
        assert_ne!(has_key, !certificates.is_empty(), "{one}");
        for certificate in certificates {
            assert!(
                certificate["until"].is_string() && certificate["subject"] != "",
                "{one}"
            );
        }
    }
    weir(&["trust", "show", "/no/such/file"]).await.failure();
}
