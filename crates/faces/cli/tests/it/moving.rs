//! `weir publish`, `weir promote` and `weir rollback`: what they do when nothing goes wrong, and what they refuse.

use std::fs;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::OnceCell;
use weir_oci::Digest;
use weir_registry::{Client, ClientOptions};
use weir_standin_registry::{Options, Registry};
use weir_standin_sigstore::Rekor;
use weir_trust::find_attestations;
use weir_verify::{KeyPolicy, Policy, Promotion, PublicKey, Target, examine, governing, verify};

use crate::harness::{Cluster, Ran, weir_with};
use crate::line::{At, Line};
use crate::sign_keyless;

const KEY: &str = include_str!("../../../../ports/trust/tests/cases/keys/plain-p256.pem");
const PUBLIC: &str = include_str!("../../../../ports/trust/tests/cases/keys/p256.pub");
const OTHER_KEY: &str = include_str!("../../../../ports/trust/tests/cases/keys/plain-ed25519.pem");
const OTHER_PUBLIC: &str = include_str!("../../../../ports/trust/tests/cases/keys/ed25519.pub");
const VEX: &str = r#"{"@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://x", "author": "ci", "version": 1,
    "timestamp": "2026-01-01T00:00:00Z", "statements": [{"status": "fixed"}]}"#;
pub(crate) const URL: &str = "oci://registry.example/org/apps";
const REPOSITORY: &str = "org/apps";

/// A registry, and a folder with versions of what is published.
pub(crate) struct World {
    pub(crate) registry: Registry,
    folder: Arc<tempfile::TempDir>,
    /// The job that runs the commands.
    job: Vec<(&'static str, &'static str)>,
    /// What `--reader-cluster` names.
    cluster: Option<Cluster>,
    /// For looking at what is there.
    reader: OnceCell<(Line, Client)>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Options::default())
    }

    pub(crate) fn with(options: Options) -> Self {
        Self {
            registry: Registry::new(options),
            folder: Arc::new(tempfile::tempdir().expect("a folder")),
            job: Vec::new(),
            cluster: None,
            reader: OnceCell::new(),
        }
    }

    /// Another world in the same state.
    pub(crate) fn copy(&self) -> Self {
        Self {
            registry: self.registry.copy(),
            folder: self.folder.clone(),
            job: self.job.clone(),
            cluster: self.cluster.clone(),
            reader: OnceCell::new(),
        }
    }

    /// The same, where commands are run by a job with these variables.
    pub(crate) fn in_job(self, variables: &[(&'static str, &'static str)]) -> Self {
        Self {
            job: variables.to_vec(),
            ..self
        }
    }

    pub(crate) fn file(&self, name: &str, content: &str) -> String {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("creates");
        fs::write(&path, content).expect("writes");
        path.to_str().expect("UTF-8").to_owned()
    }

    /// The folder with a version.
    pub(crate) fn version(&self, name: &str) -> String {
        self.file(
            &format!("{name}/config.yaml"),
            &format!("kind: ConfigMap\nv: {name}\n"),
        );
        self.folder.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    /// Runs a command over this line.
    pub(crate) async fn over(&self, line: &Line, args: &[&str]) -> Ran {
        let mirror = format!("registry.example={}", line.url);
        let args = [args, &["--registry-mirror", &mirror]].concat();
        weir_with(&args, |io| {
            let io = io
                .with_env("SIGNING_KEY", KEY)
                .with_env("OTHER_KEY", OTHER_KEY)
                .with_env("PUBLIC_KEY", PUBLIC)
                .with_env("USER", "alice");
            let io = match &self.cluster {
                Some(cluster) => io.with_cluster(cluster.client.clone(), "apps"),
                None => io,
            };
            let job = self.job.iter();
            job.fold(io, |io, (name, value)| io.with_env(name, value))
        })
        .await
    }

    pub(crate) async fn run(&self, args: &[&str]) -> Ran {
        self.over(&Line::to(&self.registry, At::Never).await, args).await
    }

    pub(crate) async fn data(&self, args: &[&str]) -> Value {
        let args = [args, &["-o", "json"]].concat();
        serde_json::from_str(&self.run(&args).await.success()).expect("JSON")
    }

    pub(crate) async fn publish(&self, version: &str, more: &[&str]) -> Value {
        let path = self.version(version);
        let args = [publish(&path, version).as_slice(), more].concat();
        self.data(&args).await
    }

    /// Pushes a version as `latest` without a signature.
    async fn push_alone(&self, version: &str, more: &[&str]) {
        let path = self.version(version);
        let args = [
            "artifact",
            "push",
            "oci://registry.example/org/apps:latest",
            "-p",
            &path,
        ];
        self.run(&[args.as_slice(), more].concat()).await.success();
    }

    async fn reader(&self) -> (Line, Client) {
        let line = Line::to(&self.registry, At::Never).await;
        let options = ClientOptions {
            mirrors: [("registry.example".to_owned(), line.url.parse().expect("a URL"))].into(),
            ..ClientOptions::default()
        };
        (line, Client::new(options).expect("a client"))
    }

    pub(crate) fn tag(&self, tag: &str) -> Option<Digest> {
        self.registry.tag(REPOSITORY, tag)
    }

    /// What a tag names, which must verify, and the record that counts for it there.
    pub(crate) async fn verified(&self, tag: &str) -> Option<(Digest, Promotion)> {
        let key = PublicKey::from_pem(PUBLIC).expect("a key");
        let policy = Policy::Keys(KeyPolicy::new([("key".to_owned(), key)]).expect("a key"));
        let now = "2026-01-01T00:00:00Z".parse().expect("a time");
        self.verified_by(tag, &policy, now).await
    }

    /// The same for readers with this policy.
    pub(crate) async fn verified_by(
        &self,
        tag: &str,
        policy: &Policy,
        now: jiff::Timestamp,
    ) -> Option<(Digest, Promotion)> {
        let digest = self.tag(tag)?;
        let (_, client) = self.reader.get_or_init(|| self.reader()).await;
        let target = Target::new(URL.parse().expect("a repository"), digest);
        let set = find_attestations(client, &target).await.expect("lists");
        verify(&target, &set, policy, now).expect("verifies");
        let examined = examine(&target, &set, policy, now);
        let tag = tag.parse().expect("a tag");
        let record = governing(&examined, target.repository(), &tag).expect("reads");
        let record = record.expect("a record").into_inner();
        Some((digest, record.promotion))
    }
}

/// Publishes what a job has checked out, which says where that comes from.
pub(crate) fn publish_checkout(path: &str) -> [&str; 8] {
    [
        "publish",
        path,
        "--to",
        URL,
        "--tag",
        "latest",
        "--key",
        "env://SIGNING_KEY",
    ]
}

pub(crate) fn publish<'a>(path: &'a str, revision: &'a str) -> Vec<&'a str> {
    let origin = ["--source", "https://git.example/apps", "--revision", revision];
    [publish_checkout(path).as_slice(), &origin].concat()
}

pub(crate) const PROMOTE: [&str; 8] = [
    "promote",
    URL,
    "--from",
    "latest",
    "--to",
    "stable",
    "--key",
    "env://SIGNING_KEY",
];

pub(crate) const ROLLBACK: [&str; 8] = [
    "rollback",
    URL,
    "--tag",
    "latest",
    "--reason",
    "it crashes",
    "--key",
    "env://SIGNING_KEY",
];

fn writes(world: &World) -> Vec<String> {
    writes_to(&world.registry)
}

pub(crate) fn writes_to(registry: &Registry) -> Vec<String> {
    let seen = registry.seen().into_iter();
    seen.filter(|one| !["GET", "HEAD"].contains(&one.method.as_str()))
        .map(|one| format!("{} {}", one.method, one.path))
        .collect()
}

#[tokio::test]
async fn what_is_published_is_signed_recorded_and_under_its_tags() {
    let world = World::new();
    let out = world.publish("v1", &["--tag", "v1.0.0"]).await;
    let digest = world.tag("latest").expect("a tag").to_string();
    assert_eq!(world.tag("v1.0.0"), world.tag("latest"));
    let by_digest = format!("registry.example/org/apps@{digest}");
    for (name, value) in [
        ("pushed", json!(true)),
        ("moved", json!(true)),
        ("digest", json!(digest)),
        ("digest-url", json!(by_digest)),
        ("url", json!(format!("oci://{by_digest}"))),
        ("repository", json!("registry.example/org/apps")),
        ("tag", json!("latest")),
    ] {
        assert_eq!(out[name], value, "{name}");
    }
    assert_eq!(out["tags"][1]["tag"], "v1.0.0");
    let (_, record) = world.verified("latest").await.expect("verifies");
    assert_eq!((record.sequence, record.by.as_str()), (1, "alice"));
    assert_eq!(record.previous, None);
    world.verified("v1.0.0").await.expect("verifies");

    // The manifest is pushed by digest, and the tags come last.
    let writes = writes(&world);
    let tagged = |tag: &str| {
        writes
            .iter()
            .position(|one| one.ends_with(&format!("/manifests/{tag}")))
    };
    let manifest = tagged(&digest).expect("by digest");
    let (latest, version) = (tagged("latest").expect("a tag"), tagged("v1.0.0").expect("a tag"));
    let between = writes.get(manifest + 1..latest).expect("in order");
    // The signature and a record; each has a manifest of its own.
    let manifests = between.iter().filter(|one| one.contains("/manifests/"));
    assert_eq!(manifests.count(), 2, "{writes:#?}");
    assert_eq!(version + 1, writes.len(), "{writes:#?}");
}

#[tokio::test]
async fn with_nothing_changed_nothing_is_written() {
    let world = World::new();
    world.publish("v1", &[]).await;
    world.registry.forget_seen();
    let out = world.publish("v1", &[]).await;
    assert_eq!((&out["pushed"], &out["moved"]), (&json!(false), &json!(false)));
    assert_eq!(writes(&world), Vec::<String>::new());
}

#[tokio::test]
async fn with_nothing_changed_a_missing_signature_and_record_are_made() {
    let world = World::new();
    // Pushed and never signed, as by a job that failed between the two.
    let content = [
        "--source",
        "https://git.example/apps",
        "--revision",
        "v1",
        "--reproducible",
    ];
    world.push_alone("v1", &content).await;
    let before = world.tag("latest");
    let out = world.publish("v1", &["--diff-tag", "latest"]).await;
    assert_eq!((&out["pushed"], &out["moved"]), (&json!(false), &json!(false)));
    let (digest, record) = world.verified("latest").await.expect("verifies");
    assert_eq!((Some(digest), record.sequence), (before, 1));
}

#[tokio::test]
async fn a_diff_tag_with_the_same_content_gives_its_digest_whatever_the_revision() {
    let world = World::new();
    world.publish("v1", &[]).await;
    let path = world.version("v1");
    let args = [
        publish(&path, "another").as_slice(),
        &["--diff-tag", "latest", "--tag", "v1.0.1"],
    ]
    .concat();
    let out = world.data(&args).await;
    assert_eq!(out["pushed"], false);
    assert_eq!(world.tag("v1.0.1"), world.tag("latest"));
    world.verified("v1.0.1").await.expect("verifies");
    // Other content is pushed, and the diff tag goes along.
    let path = world.version("v2");
    let args = [publish(&path, "another").as_slice(), &["--diff-tag", "main"]].concat();
    assert_eq!(world.data(&args).await["pushed"], true);
    assert_eq!(world.tag("main"), world.tag("latest"));
}

/// Puts a manifest with this layer under the tag `latest`, with the configuration of the artifact that the tag names now.
fn move_to_layer(world: &World, layer: Vec<u8>) -> Digest {
    let latest = world.registry.manifest(REPOSITORY, "latest").expect("a manifest");
    let mut manifest: Value = serde_json::from_slice(&latest).expect("JSON");
    manifest["layers"][0]["size"] = json!(layer.len());
    let digest = world.registry.put_blob(REPOSITORY, layer);
    manifest["layers"][0]["digest"] = json!(digest.to_string());
    let raw = serde_json::to_vec(&manifest).expect("JSON");
    let media_type = manifest["mediaType"].as_str().expect("a type");
    let put = world
        .registry
        .put_manifest(REPOSITORY, Some("latest"), raw, media_type);
    put.expect("a manifest")
}

/// Whoever can push and not sign says in the configuration that another layer holds what is published.
#[tokio::test]
async fn n24_a_diff_tag_is_compared_by_its_bytes_and_not_by_what_it_claims() {
    let world = World::new();
    world.publish("v1", &[]).await;
    let good = world.tag("latest");
    let bad = move_to_layer(&world, b"something else".to_vec());
    let out = world.publish("v1", &["--diff-tag", "latest"]).await;
    assert_eq!(out["digest"], json!(good.map(|good| good.to_string())));
    assert_eq!(world.tag("latest"), good);
    let reference = format!("{URL}@{bad}");
    let verify = ["verify", &reference, "--key", "env://PUBLIC_KEY"];
    let said = world.run(&verify).await.failure();
    assert!(said.contains("sign it with `weir sign`"), "{said}");

    // The same tar below another compressor's bytes is the same content.
    let layer = world.registry.manifest(REPOSITORY, "latest").expect("a manifest");
    let layer: Value = serde_json::from_slice(&layer).expect("JSON");
    let layer = layer["layers"][0]["digest"].as_str().expect("a digest");
    let mut bytes = world
        .registry
        .blob(REPOSITORY, &layer.parse().expect("a digest"))
        .expect("a blob")
        .to_vec();
    // An empty member more: other bytes, and nothing more in them.
    bytes.extend([
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ]);
    let other = move_to_layer(&world, bytes);
    let out = world.publish("v1", &["--diff-tag", "latest"]).await;
    assert_eq!(
        (&out["pushed"], &out["digest"]),
        (&json!(false), &json!(other.to_string()))
    );
}

#[tokio::test]
async fn documents_are_attested_and_wrong_ones_stop_everything() {
    let world = World::new();
    let vex = world.file("vex.json", VEX);
    let sbom = world.file("sbom.json", r#"{"bomFormat": "CycloneDX", "specVersion": "1.6"}"#);
    let path = world.version("v1");
    let wrong = [publish(&path, "r").as_slice(), &["--provenance", &vex]].concat();
    let said = world.run(&wrong).await.failure();
    assert!(said.contains("no SLSA provenance v1"), "{said}");
    assert!(world.registry.repositories().is_empty());

    world.publish("v1", &["--vex", &vex, "--sbom", &sbom]).await;
    for kind in ["openvex", "cyclonedx", "https://weir.dev/promotion/v1"] {
        let tagged = format!("{URL}:latest");
        let args = ["verify", &tagged, "--type", kind, "--key", "env://PUBLIC_KEY"];
        world.run(&args).await.success();
    }
    world.registry.forget_seen();
    world.publish("v1", &["--vex", &vex, "--sbom", &sbom]).await;
    assert_eq!(writes(&world), Vec::<String>::new());
}

#[tokio::test]
async fn what_readers_would_refuse_gets_no_tag() {
    let world = World::new();
    let path = world.version("v1");
    let mut args = publish(&path, "r");
    for one in &mut args {
        if *one == "env://SIGNING_KEY" {
            *one = "env://OTHER_KEY";
        }
    }
    args.extend(["--reader-key", "env://PUBLIC_KEY"]);
    let said = world.run(&args).await.failure();
    assert!(said.contains("no tag was moved"), "{said}");
    assert!(said.contains("no matching signatures were found"), "{said}");
    assert_eq!(world.tag("latest"), None);
}

#[tokio::test]
async fn a_registry_that_moves_no_tags_is_named_as_the_reason() {
    let world = World::with(Options {
        immutable_tags: true,
        ..Options::default()
    });
    world.publish("v1", &[]).await;
    let before = world.tag("latest");
    let path = world.version("v2");
    let said = world.run(&publish(&path, "v2")).await.failure();
    assert!(said.contains("give each version a tag of its own"), "{said}");
    assert_eq!(world.tag("latest"), before);
}

#[tokio::test]
async fn a_registry_without_a_referrers_api_is_no_different() {
    let world = World::with(Options {
        referrers_api: false,
        ..Options::default()
    });
    world.publish("v1", &[]).await;
    world.run(&PROMOTE).await.success();
    world.publish("v2", &[]).await;
    world.run(&ROLLBACK).await.success();
    assert_eq!(world.verified("latest").await.expect("verifies").1.sequence, 3);
    world.verified("stable").await.expect("verifies");
}

#[tokio::test]
async fn a_plus_sign_in_a_tag_is_explained() {
    let world = World::new();
    let path = world.version("v1");
    let args = [publish(&path, "r").as_slice(), &["--tag", "1.0.0+2"]].concat();
    let said = world.run(&args).await.usage();
    assert!(said.contains("name 1.0.0_2"), "{said}");
}

#[tokio::test]
async fn a_promoted_tag_names_the_same_digest_and_its_record_says_from_where() {
    let world = World::new();
    world.publish("v1", &[]).await;
    let args = [PROMOTE.as_slice(), &["--reason", "tested"]].concat();
    let out = world.data(&args).await;
    assert_eq!((&out["pushed"], &out["moved"]), (&json!(false), &json!(true)));
    let (digest, record) = world.verified("stable").await.expect("verifies");
    assert_eq!(Some(digest), world.tag("latest"));
    assert_eq!(record.from.as_deref(), Some("latest"));
    assert_eq!(record.reason.as_deref(), Some("tested"));
    world.registry.forget_seen();
    assert_eq!(world.data(&PROMOTE).await["moved"], false);
    assert_eq!(writes(&world), Vec::<String>::new());
}

#[tokio::test]
async fn an_unsigned_source_is_not_promoted() {
    let world = World::new();
    world
        .push_alone("v1", &["--source", "s", "--revision", "r"])
        .await;
    world.registry.forget_seen();
    // Twice: the first must leave nothing behind that counts for the second.
    for _ in 0..2 {
        let said = world.run(&PROMOTE).await.failure();
        assert!(said.contains("the artifact has no signatures"), "{said}");
    }
    assert_eq!(writes(&world), Vec::<String>::new());
}

/// What somebody attests does not say that it may be used, and clusters with policies do not take it for that.
#[tokio::test]
async fn n37_what_is_attested_and_not_signed_is_not_promoted() {
    let world = World::new();
    world
        .push_alone("v1", &["--source", "s", "--revision", "r"])
        .await;
    let vex = world.file("vex.json", VEX);
    let tagged = format!("{URL}:latest");
    let attest = ["attest", &tagged, "--type", "openvex", "--predicate", &vex];
    let key = ["--key", "env://SIGNING_KEY"];
    world.run(&[attest.as_slice(), &key].concat()).await.success();
    world.registry.forget_seen();
    let said = world.run(&PROMOTE).await.failure();
    assert!(said.contains("is not asked for"), "{said}");
    assert_eq!(writes(&world), Vec::<String>::new());
}

/// A record is a bundle, beside which signatures of the older layout do not count: whoever takes the artifact now would refuse it.
#[tokio::test]
async fn what_is_signed_in_the_older_layout_alone_is_not_promoted() {
    let world = World::new();
    world
        .push_alone("v1", &["--source", "s", "--revision", "r"])
        .await;
    let tagged = format!("{URL}:latest");
    let sign = ["sign", &tagged, "--key", "env://SIGNING_KEY"];
    world
        .run(&[sign.as_slice(), &["--legacy"]].concat())
        .await
        .success();
    world.registry.forget_seen();
    let said = world.run(&PROMOTE).await.failure();
    assert!(said.contains("of cosign's older layout"), "{said}");
    assert!(said.contains("try: sign it with `weir sign`"), "{said}");
    assert_eq!(writes(&world), Vec::<String>::new());
    let verify = ["verify", &tagged, "--key", "env://PUBLIC_KEY"];
    world.run(&verify).await.success();

    // So does an attestation, which is told.
    let vex = world.file("vex.json", VEX);
    let attest = ["attest", &tagged, "--type", "openvex", "--predicate", &vex];
    let ran = world
        .run(&[attest.as_slice(), &["--key", "env://OTHER_KEY"]].concat())
        .await;
    assert!(
        ran.stderr.contains("count no more beside this bundle"),
        "{}",
        ran.stderr
    );
    ran.success();
    world.run(&verify).await.failure();

    world.run(&sign).await.success();
    world.run(&PROMOTE).await.success();
    assert_eq!(world.tag("stable"), world.tag("latest"));
}

/// A policy of a cluster that reads the tags, with the keys that it names.
fn reader_policy(world: &World, mode: &str, asks: &str) -> String {
    let public = PUBLIC.replace('\n', "\n    ");
    let text = format!(
        "apiVersion: weir.dev/v1alpha1\nkind: VerificationPolicy\nmetadata: {{name: org}}\nspec:\n  mode: {mode}\n  match: [{{}}]\n\
         \x20 authorities:\n    anyOf:\n    - name: ci\n      key: {{secretRef: {{name: keys, namespace: weir-system}}}}\n{asks}---\n\
         apiVersion: v1\nkind: Secret\nmetadata: {{name: keys, namespace: weir-system}}\nstringData:\n  a.pub: |\n    {public}\n"
    );
    world.file("policy.yaml", &text)
}

#[tokio::test]
async fn what_policies_of_the_readers_refuse_gets_no_tag() {
    let world = World::new();
    let asks = "  attestations:\n  - predicateType: openvex\n";
    let policy = reader_policy(&world, "enforce", asks);
    let path = world.version("v1");
    let by_policy = ["--reader-policy", &policy];
    let args = [publish(&path, "v1").as_slice(), &by_policy].concat();
    let said = world.run(&args).await.failure();
    assert!(
        said.contains("refused by policy 'org': attestation openvex"),
        "{said}"
    );
    assert!(said.contains("no tag was moved"), "{said}");
    assert_eq!(world.tag("latest"), None);
    let vex = world.file("vex.json", VEX);
    world
        .run(&[args.as_slice(), &["--vex", &vex]].concat())
        .await
        .success();
    world
        .run(&[PROMOTE.as_slice(), &by_policy].concat())
        .await
        .success();
    assert_eq!(world.tag("stable"), world.tag("latest"));

    // Without it nothing is written, not even a record.
    world.publish("v2", &[]).await;
    world.registry.forget_seen();
    let promote = [PROMOTE.as_slice(), &by_policy].concat();
    let said = world.run(&promote).await.failure();
    assert!(said.contains("attestation openvex"), "{said}");
    assert_eq!(writes(&world), Vec::<String>::new());
    // An audit tells.
    reader_policy(&world, "audit", asks);
    let ran = world.run(&[promote.as_slice(), &["-o", "json"]].concat()).await;
    let warning = "warning: would be refused by policy 'org', which is only audited: attestation openvex";
    assert!(ran.stderr.contains(warning), "{}", ran.stderr);
    let out: Value = serde_json::from_str(&ran.success()).expect("JSON");
    assert_eq!(out["tags"][0]["concerns"][0]["policy"], "org");
    assert_eq!(world.tag("stable"), world.tag("latest"));
}

#[tokio::test]
async fn n45_a_policy_of_the_readers_that_cannot_be_used_stops_everything() {
    let world = World::new();
    let path = world.version("v1");
    let policy = reader_policy(&world, "enforce", "  attestation: []\n");
    let args = [publish(&path, "v1").as_slice(), &["--reader-policy", &policy]].concat();
    let said = world.run(&args).await.failure();
    assert!(said.contains("unknown field `attestation`"), "{said}");
    // A Secret of an odd shape is no key, and no panic.
    let text = fs::read_to_string(&policy)
        .expect("reads")
        .replace("  attestation: []\n", "");
    let odd = world.file(
        "odd.yaml",
        &text.replace("stringData:", "data: text\nstringData:"),
    );
    let args = [publish(&path, "v1").as_slice(), &["--reader-policy", &odd]].concat();
    let said = world.run(&args).await.failure();
    assert!(said.contains("its data is no mapping"), "{said}");
    assert!(world.registry.repositories().is_empty());
}

/// The policies of a cluster that reads the tag, and only those that are about it there.
#[tokio::test]
async fn what_policies_of_the_readers_cluster_refuse_gets_no_tag() {
    let cluster = Cluster::start().await;
    let world = World {
        cluster: Some(cluster.clone()),
        ..World::new()
    };
    let policy = |name: &str, mode: &str, prefix: &str, more: Value| {
        let mut spec = json!({"mode": mode, "match": [{"urlPrefix": prefix}], "authorities": {"anyOf": [
            {"name": "ci", "key": {"secretRef": {"name": "keys", "namespace": "apps"}}}]}});
        spec.as_object_mut()
            .expect("a map")
            .extend(more.as_object().cloned().expect("a map"));
        json!({"apiVersion": "weir.dev/v1alpha1", "kind": "VerificationPolicy", "metadata": {"name": name}, "spec": spec})
    };
    let keys = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys", "namespace": "apps"},
        "data": {"a.pub": weir_apis::secret::encode(PUBLIC.as_bytes())}});
    cluster.put(keys).await;
    let vex = json!({"attestations": [{"predicateType": "openvex"}]});
    cluster.put(policy("org", "enforce", URL, vex.clone())).await;
    cluster
        .put(policy("elsewhere", "enforce", "oci://other.example", vex))
        .await;
    let path = world.version("v1");
    let args = [publish(&path, "v1").as_slice(), &["--reader-cluster", "any"]].concat();
    let said = world.run(&args).await.failure();
    assert!(
        said.contains("refused by policy 'org': attestation openvex"),
        "{said}"
    );
    assert!(!said.contains("elsewhere"), "{said}");
    assert_eq!(world.tag("latest"), None);
    let vex = world.file("vex.json", VEX);
    world
        .run(&[args.as_slice(), &["--vex", &vex]].concat())
        .await
        .success();

    // What can't be used refuses everything where it is enforced; that is said before anything is written.
    let absent = json!({"authorities": {"anyOf": [{"name": "ci", "key": {"secretRef": {"name": "no", "namespace": "apps"}}}]}});
    cluster.put(policy("later", "audit", URL, absent.clone())).await;
    let promote = [PROMOTE.as_slice(), &["--reader-cluster", "any"]].concat();
    let ran = world.run(&promote).await;
    assert!(
        ran.stderr
            .contains("refused by policy 'later', which is only audited"),
        "{}",
        ran.stderr
    );
    ran.success();
    cluster.put(policy("later", "enforce", URL, absent)).await;
    world.registry.forget_seen();
    let said = world
        .run(&[ROLLBACK.as_slice(), &["--reader-cluster", "any"]].concat())
        .await
        .failure();
    assert!(
        said.contains(
            "the VerificationPolicy 'later' of the cluster of `--reader-cluster any` cannot be used"
        ),
        "{said}"
    );
    assert!(world.registry.seen().is_empty());
}

/// A policy that lets tags go forward only takes records by its own authorities.
#[tokio::test]
async fn n26_a_record_that_the_readers_policies_do_not_take_moves_no_tag() {
    let world = World::new();
    let policy = reader_policy(&world, "enforce", "  monotonic: true\n");
    world.publish("v1", &["--reader-policy", &policy]).await;
    let other = [
        "promote",
        URL,
        "--from",
        "latest",
        "--to",
        "stable",
        "--key",
        "env://OTHER_KEY",
        "--reader-key",
        "env://PUBLIC_KEY",
        "--reader-key",
        &world.file("other.pub", OTHER_PUBLIC),
        "--reader-policy",
        &policy,
    ];
    let said = world.run(&other).await.failure();
    assert!(
        said.contains("no promotion record by the policy's authorities says that stable is to name"),
        "{said}"
    );
    assert_eq!(world.tag("stable"), None);
}

#[tokio::test]
async fn a_rollback_holds_back_what_it_went_back_from_until_it_is_released() {
    let world = World::new();
    world.publish("v1", &[]).await;
    let good = world.tag("latest").expect("a tag");
    world.publish("v2", &[]).await;
    let bad = world.tag("latest").expect("a tag");
    let usage = ["rollback", URL, "--tag", "latest", "--key", "env://SIGNING_KEY"];
    world.run(&usage).await.usage();

    world.run(&ROLLBACK).await.success();
    let (digest, record) = world.verified("latest").await.expect("verifies");
    assert_eq!((digest, record.sequence, record.previous), (good, 3, Some(bad)));
    // Again, as after a run whose end nobody saw: it does not go back twice.
    assert_eq!(world.data(&ROLLBACK).await["moved"], false);

    let bad_text = bad.to_string();
    let again = [
        "promote",
        URL,
        "--from",
        &bad_text,
        "--to",
        "latest",
        "--key",
        "env://SIGNING_KEY",
    ];
    for args in [again.to_vec(), publish(&world.version("v2"), "v2")] {
        let said = world.run(&args).await.failure();
        assert!(
            said.contains("rolled back by alice at 1970-01-01T00:00:00Z (it crashes)"),
            "{said}"
        );
        assert!(said.contains("held until it is released"), "{said}");
        assert!(said.contains("--release-hold"), "{said}");
        assert_eq!(world.tag("latest"), Some(good));
    }
    // A fix goes through, and carries the hold on.
    let fixed = world.publish("v3", &[]).await;
    assert_eq!(fixed["tags"][0]["cameBefore"], Value::Null);
    let (_, record) = world.verified("latest").await.expect("verifies");
    assert_eq!((record.sequence, record.earlier_holds.len()), (4, 1));
    world.run(&again).await.failure();

    world
        .run(&[again.as_slice(), &["--release-hold"]].concat())
        .await
        .success();
    let (digest, record) = world.verified("latest").await.expect("verifies");
    assert_eq!((digest, record.sequence, &record.releases), (bad, 5, &vec![bad]));
    assert!(record.holds().is_empty());
}

/// As by a job of an old commit that somebody runs again, or by a registry that answers with what a tag named long ago.
#[tokio::test]
async fn a_tag_that_goes_back_without_a_rollback_is_told() {
    let world = World::new();
    world.publish("v1", &[]).await;
    world.publish("v2", &[]).await;
    let path = world.version("v1");
    let ran = world.run(&publish(&path, "v1")).await;
    let warning =
        "before, by record 1, and had gone on since; to go back on purpose use `weir rollback --to`";
    assert!(ran.stderr.contains(warning), "{}", ran.stderr);
    ran.success();
    // Who releases a hold knows what comes.
    let back = world.tag("latest").expect("a tag").to_string();
    world.run(&ROLLBACK).await.success();
    let release = [
        "promote",
        URL,
        "--from",
        &back,
        "--to",
        "latest",
        "--release-hold",
    ];
    let key = ["--key", "env://SIGNING_KEY"];
    let out = world.data(&[release.as_slice(), &key].concat()).await;
    assert_eq!(
        (&out["moved"], &out["tags"][0]["cameBefore"]),
        (&json!(true), &Value::Null)
    );
}

#[tokio::test]
async fn a_rollback_to_what_is_not_there_or_was_never_recorded_says_so() {
    let world = World::new();
    let said = world.run(&ROLLBACK).await.failure();
    assert!(said.contains("there is no tag latest"), "{said}");
    world.publish("v1", &[]).await;
    let said = world.run(&ROLLBACK).await.failure();
    assert!(said.contains("latest named nothing before"), "{said}");
    let here = world.tag("latest").expect("a tag").to_string();
    let said = world
        .run(&[ROLLBACK.as_slice(), &["--to", &here]].concat())
        .await
        .failure();
    assert!(said.contains("names sha256:"), "{said}");
}

#[tokio::test]
async fn a_hold_ends_at_its_time() {
    let world = World::new();
    world.publish("v1", &[]).await;
    world.publish("v2", &[]).await;
    // The clock of these runs stands at 1970.
    let args = [ROLLBACK.as_slice(), &["--until", "24h"]].concat();
    world.run(&args).await.success();
    let (_, record) = world.verified("latest").await.expect("verifies");
    let until = record.holds().first().expect("a hold").hold.until;
    assert_eq!(until, Some("1970-01-02T00:00:00Z".parse().expect("a time")));
    let args = [ROLLBACK.as_slice(), &["--until", "1969-01-01T00:00:00Z"]].concat();
    world.run(&args).await.usage();
}

#[tokio::test]
async fn outputs_are_appended_for_the_next_steps_of_a_job() {
    let world = World::new();
    let file = world.file("outputs", "before=1\n");
    world.publish("v1", &["--output-file", &file]).await;
    let digest = world.tag("latest").expect("a tag");
    let expected = format!(
        "before=1\npushed=true\nmoved=true\ndigest={digest}\ndigest-url=registry.example/org/apps@{digest}\n\
         url=oci://registry.example/org/apps@{digest}\nrepository=registry.example/org/apps\ntag=latest\n"
    );
    assert_eq!(fs::read_to_string(file).expect("reads"), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_identity_publishes_weir_and_cosign_verify() {
    let mut world = sign_keyless::World::new().await;
    let (config, root) = (world.path("v1.json"), world.path("root.json"));
    let token = world.token(sign_keyless::SUBJECT);
    let path = world.write("published.yaml", "kind: ConfigMap\n");
    let to = format!("oci://{}/org/apps", world.handle.host());
    let mut args = vec!["publish", &path, "--to", &to, "--tag", "latest", "--keyless"];
    args.extend(["--signing-config", &config, "--trusted-root", &root]);
    args.extend(["--source", "s", "--revision", "r", "-o", "json"]);
    let publish = async |args: &[&str]| -> Value {
        let ran = weir_with(args, |io| {
            io.with_env("SIGSTORE_ID_TOKEN", &token)
                .with_clock(Arc::new(jiff::Timestamp::now))
        });
        let ran = ran.await;
        sign_keyless::hidden(&ran, &token);
        serde_json::from_str(&ran.success()).expect("JSON")
    };
    let out = publish(&args).await;
    assert_eq!(out["moved"], true);
    // A signature and a record. A second run makes neither, whether the signer is named or only the token names them.
    assert_eq!(world.sigstore().log_size(Rekor::V1), 2);
    world.registry.forget_seen();
    let unnamed = args.clone();
    args.extend(["--certificate-identity", sign_keyless::SUBJECT]);
    args.extend(["--certificate-oidc-issuer", sign_keyless::ISSUER]);
    for args in [&unnamed, &args] {
        let again = publish(args).await;
        let (pushed, moved) = (&again["pushed"], &again["moved"]);
        assert_eq!((pushed, moved), (&json!(false), &json!(false)));
        assert_eq!(world.sigstore().log_size(Rekor::V1), 2);
    }
    assert_eq!(writes_to(&world.registry), Vec::<String>::new());

    out["url"].as_str().expect("a URL").clone_into(&mut world.url);
    world.verify_with(sign_keyless::SUBJECT, &[]).await.success();
    let record = ["verify-attestation", "--type", "https://weir.dev/promotion/v1"];
    for command in [["verify"].as_slice(), &record] {
        match world.cosign_accepts(command, sign_keyless::SUBJECT).await {
            None => println!("not run: cosign is not built"),
            Some(accepts) => {
                assert!(accepts, "{command:?}");
                assert_eq!(world.cosign_accepts(command, "https://x").await, Some(false));
            }
        }
    }
    world.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_that_no_option_names_is_the_one_of_the_token_where_it_tells() {
    let world = sign_keyless::World::new().await;
    let (config, root) = (world.path("v2.json"), world.path("root.json"));
    let path = world.write("published.yaml", "kind: ConfigMap\n");
    let to = format!("oci://{}/org/apps", world.handle.host());
    let keyless = ["--keyless", "--signing-config", &config, "--trusted-root", &root];
    let origin = ["--source", "s", "--revision", "r"];
    let run = async |args: &[&str], token: &str| {
        let args = [args, &keyless].concat();
        weir_with(&args, |io| {
            io.with_env("SIGSTORE_ID_TOKEN", token)
                .with_clock(Arc::new(jiff::Timestamp::now))
        })
        .await
    };
    let publish = [
        ["publish", &path, "--to", &to, "--tag", "latest"].as_slice(),
        &origin,
    ]
    .concat();
    let promote = ["promote", &to, "--from", "latest", "--to", "stable"];
    let signer = world.token(sign_keyless::SUBJECT);
    run(&publish, &signer).await.success();
    run(&promote, &signer).await.success();
    assert_eq!(
        world.registry.tag("org/apps", "stable"),
        world.registry.tag("org/apps", "latest")
    );

    // Another one has not signed it, and so may not promote it without saying that readers accept the first.
    let other = world.token("https://ci.example/org/apps/other.yml@refs/heads/main");
    let elsewhere = ["promote", &to, "--from", "latest", "--to", "canary"];
    let said = run(&elsewhere, &other).await.failure();
    assert!(said.contains("--reader-identity"), "{said}");
    assert_eq!(world.registry.tag("org/apps", "canary"), None);

    // A token whose certificate has a name that nobody can foresee: a publication asks the authority, each time.
    let opaque = world.token("urn:example:ci");
    let size = world.sigstore().log_size(Rekor::V2);
    for more in [2, 3] {
        run(&publish, &opaque).await.success();
        assert_eq!(world.sigstore().log_size(Rekor::V2), size + more);
    }
    let said = run(&promote, &opaque).await.usage();
    assert!(
        said.contains("it is not known whose signatures readers accept"),
        "{said}"
    );
    world.handle.shutdown().await;
}
