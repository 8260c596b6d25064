//! `weir verify` with identities.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use weir_oci::{Digest, media_type};
use weir_standin_registry::Registry;
use weir_standin_sigstore::{Holder, Rekor, Sigstore};

use crate::harness::{Ran, registry, weir, weir_with};
use crate::keys::artifact;

const ISSUER: &str = "https://ci.example";
const SUBJECT: &str = "https://ci.example/org/apps/release.yml@refs/heads/main";

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// An artifact in a registry, signed by `subject`: its URL by digest.
async fn signed(
    registry: &Registry,
    host: &str,
    folder: &Path,
    sigstore: &Sigstore,
    subject: &str,
) -> String {
    let url = artifact(host, folder).await;
    let digest = url.rsplit_once('@').expect("a digest").1;
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "digest": { "sha256": digest.trim_start_matches("sha256:") } }],
        "predicateType": "https://sigstore.dev/cosign/sign/v1",
        "predicate": {},
    });
    let holder = Holder::new(ISSUER, subject).of("https://git.example/org/apps", "0123abcd");
    let statement = statement.to_string();
    let bundle = sigstore.sign_statement(
        &holder,
        statement.as_bytes(),
        at("2026-02-01T00:00:00Z"),
        Rekor::V1,
    );
    attach(registry, digest, &bundle.to_string());
    url
}

pub(crate) fn attach(registry: &Registry, digest: &str, bundle: &str) {
    let size = registry.manifest("org/apps", digest).expect("the artifact").len();
    let layer = registry.put_blob("org/apps", bundle.to_owned());
    let config = registry.put_blob("org/apps", "{}");
    let descriptor = |kind: &str, digest: &Digest, size: usize| json!({ "mediaType": kind, "digest": digest.to_string(), "size": size });
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_MANIFEST,
        "artifactType": media_type::SIGSTORE_BUNDLE_V03,
        "config": descriptor(media_type::OCI_EMPTY, &config, 2),
        "layers": [descriptor(media_type::SIGSTORE_BUNDLE_V03, &layer, bundle.len())],
        "subject": { "mediaType": media_type::OCI_MANIFEST, "digest": digest, "size": size },
    });
    registry
        .put_manifest("org/apps", None, manifest.to_string(), media_type::OCI_MANIFEST)
        .expect("stores");
}

async fn verify(url: &str, root: &str, more: &[&str]) -> Ran {
    let mut args = vec!["verify", url, "--trusted-root", root];
    args.extend(more);
    weir_with(&args, |io| io.with_clock(Arc::new(|| at("2026-03-01T00:00:00Z")))).await
}

#[tokio::test]
async fn n38_an_identity_is_verified_by_subject_and_issuer_and_the_output_says_why_not() {
    let (registry, handle) = registry().await;
    let folder = tempfile::tempdir().expect("a folder");
    let sigstore = Sigstore::new(at("2026-01-01T00:00:00Z"));
    let url = signed(&registry, &handle.host(), folder.path(), &sigstore, SUBJECT).await;
    let root = folder.path().join("root.json");
    fs::write(&root, sigstore.trusted_root().to_string()).expect("writes");
    let root = root.to_str().expect("UTF-8");

    let exact = [
        "--certificate-identity",
        SUBJECT,
        "--certificate-oidc-issuer",
        ISSUER,
    ];
    let good = verify(&url, root, &exact).await.success();
    assert!(good.contains(": verified\n"), "{good}");
    assert!(
        good.contains(&format!(
            "good, by {SUBJECT} (issuer {ISSUER}) at 2026-02-01T00:00:00Z"
        )),
        "{good}"
    );
    assert!(
        good.contains("built from https://git.example/org/apps@0123abcd"),
        "{good}"
    );

    let data = verify(&url, root, &[exact.as_slice(), &["-o", "json"]].concat())
        .await
        .success();
    let data: Value = serde_json::from_str(&data).expect("JSON");
    assert_eq!(data["signatures"][0]["subject"], SUBJECT);
    assert_eq!(data["signatures"][0]["issuer"], ISSUER);
    assert_eq!(data["signatures"][0]["logged"][0]["index"], 0);

    let loose = [
        "--certificate-identity-regexp",
        "ci.example/org",
        "--certificate-oidc-issuer",
        ISSUER,
    ];
    let loose = verify(&url, root, &loose).await;
    assert!(loose.stderr.contains("not anchored"), "{}", loose.stderr);
    loose.success();

    let other = [
        "--certificate-identity",
        SUBJECT,
        "--certificate-oidc-issuer",
        "https://accounts.example",
    ];
    let bad = verify(&url, root, &other).await;
    assert!(
        bad.stdout.contains(&format!(
            "does not count: signed by \"{SUBJECT}\" (issuer \"{ISSUER}\"), which is none of the identities asked for"
        )),
        "{}",
        bad.stdout
    );
    bad.failure();

    // The public-good instance knows nothing of this one.
    let args = [["verify", url.as_str()].as_slice(), exact.as_slice()].concat();
    let foreign = weir_with(&args, |io| io.with_clock(Arc::new(|| at("2026-03-01T00:00:00Z")))).await;
    assert!(foreign.stdout.contains("unknown log"), "{}", foreign.stdout);
    foreign.failure();
}

#[tokio::test]
async fn n45_half_an_identity_is_a_mistake() {
    for args in [
        ["verify", "localhost:1/a", "--certificate-identity", "x"].as_slice(),
        &["verify", "localhost:1/a", "--certificate-oidc-issuer", "x"],
        &["verify", "localhost:1/a"],
        &[
            "verify",
            "localhost:1/a",
            "--key",
            "k",
            "--certificate-identity",
            "x",
            "--certificate-oidc-issuer",
            "y",
        ],
        &[
            "verify",
            "localhost:1/a",
            "--key",
            "k",
            "--certificate-oidc-issuer",
            "y",
        ],
        &[
            "verify",
            "localhost:1/a",
            "--certificate-identity",
            "",
            "--certificate-oidc-issuer",
            "y",
        ],
        &[
            "verify",
            "localhost:1/a",
            "--certificate-identity-regexp",
            "(",
            "--certificate-oidc-issuer",
            "y",
        ],
    ] {
        weir(args).await.usage();
    }
}
