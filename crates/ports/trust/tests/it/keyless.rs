//! Signatures by identities, as cosign stores them.

use serde_json::Value;
use weir_oci::{Descriptor, ImageManifest, media_type};
use weir_standin_sigstore::{Holder, Options, PayloadSignature, Rekor, Server, Sigstore};
use weir_trust::{find, legacy_tag};
use weir_verify::{
    Identity, IdentityPolicy, Layout, Policy, SimpleSigning, Statement, Target, TrustRoot, verify,
};

use crate::interop::Cosign;
use crate::support::{Setup, now};

pub(crate) const ISSUER: &str = "https://token.actions.githubusercontent.com";
pub(crate) const SUBJECT: &str = "https://github.com/org/app/.github/workflows/release.yml@refs/heads/main";

fn sigstore() -> Sigstore {
    Sigstore::new("2026-01-01T00:00:00Z".parse().unwrap())
}

fn policy(sigstore: &Sigstore) -> Policy {
    let root = TrustRoot::from_json(sigstore.trusted_root().to_string().as_bytes()).unwrap();
    let identity = Identity::exact(ISSUER, SUBJECT).unwrap();
    Policy::Identities(IdentityPolicy::new(root, [identity]).unwrap())
}

fn annotated(mut layer: Descriptor, signed: &PayloadSignature) -> Descriptor {
    for (name, value) in [
        ("dev.cosignproject.cosign/signature", &signed.signature),
        ("dev.sigstore.cosign/certificate", &signed.certificate),
        ("dev.sigstore.cosign/chain", &signed.chain),
        ("dev.sigstore.cosign/bundle", &signed.log_entry),
        ("dev.sigstore.cosign/rfc3161timestamp", &signed.timestamp),
    ] {
        layer.annotations.insert(name.to_owned(), value.clone());
    }
    layer
}

/// Stores a payload about `target` with its signature under `target`'s tag.
async fn push_payload(setup: &Setup, sigstore: &Sigstore, about: &Target) {
    let payload = SimpleSigning::new(about.repository(), about.digest(), [].into());
    let payload = payload.to_json().unwrap();
    let signed = sigstore.sign_payload(&Holder::new(ISSUER, SUBJECT), &payload, now());
    let layer = setup.push(media_type::COSIGN_SIMPLE_SIGNING, &payload).await;
    let config = setup.push(media_type::OCI_CONFIG, b"{}").await;
    let manifest = ImageManifest::new(config, vec![annotated(layer, &signed)]);
    let tag = legacy_tag(&setup.target.digest());
    setup
        .client
        .push_manifest(
            setup.target.repository(),
            Some(&tag),
            manifest.to_bytes().unwrap(),
            media_type::OCI_MANIFEST,
        )
        .await
        .unwrap();
}

#[tokio::test]
async fn a_bundle_by_an_identity_is_found_and_verified() {
    let (setup, sigstore) = (Setup::new().await, sigstore());
    let statement = serde_json::to_vec(&Statement::cosign_signature(setup.target.digest())).unwrap();
    let holder = Holder::new(ISSUER, SUBJECT);
    let bundle = sigstore.sign_statement(&holder, &statement, now(), Rekor::V2);
    setup
        .attach(media_type::SIGSTORE_BUNDLE_V03, bundle.to_string().as_bytes())
        .await;
    let found = find(&setup.client, &setup.target).await.unwrap();
    let verified = verify(&setup.target, &found, &policy(&sigstore), now()).unwrap();
    assert_eq!(verified.evidence().layout, Layout::Bundle);
    setup.handle.shutdown().await;
}

#[tokio::test]
async fn n40_a_payload_by_an_identity_counts_for_its_own_artifact_only() {
    let (setup, sigstore) = (Setup::new().await, sigstore());
    push_payload(&setup, &sigstore, &setup.target).await;
    let found = find(&setup.client, &setup.target).await.unwrap();
    let verified = verify(&setup.target, &found, &policy(&sigstore), now()).unwrap();
    assert_eq!(verified.evidence().layout, Layout::Legacy);

    let other = Target::new(setup.target.repository().clone(), weir_oci::Digest::of(b"other"));
    push_payload(&setup, &sigstore, &other).await;
    let found = find(&setup.client, &setup.target).await.unwrap();
    let error = verify(&setup.target, &found, &policy(&sigstore), now()).unwrap_err();
    assert!(
        error.to_string().ends_with("signed for another artifact"),
        "{error}"
    );
    setup.handle.shutdown().await;
}

/// What cosign says about the artifact: whether it is signed by this identity.
pub(crate) async fn cosign_accepts(
    cosign: &Cosign,
    setup: &Setup,
    sigstore: &Sigstore,
    issuer: &str,
    subject: &str,
) -> bool {
    let root = cosign.path().join("root.json");
    std::fs::write(root, sigstore.trusted_root().to_string()).unwrap();
    let (issuer, subject) = (
        format!("--certificate-oidc-issuer={issuer}"),
        format!("--certificate-identity={subject}"),
    );
    let target = setup.target.to_string();
    let arguments = [
        "verify",
        "--trusted-root=root.json",
        "--allow-http-registry=true",
        &issuer,
        &subject,
        &target,
    ];
    let output = cosign.run(&arguments).await;
    println!("cosign: {}", String::from_utf8_lossy(&output.stderr).trim_end());
    output.status.success()
}

async fn weir_accepts(setup: &Setup, sigstore: &Sigstore, issuer: &str, subject: &str) -> bool {
    let found = find(&setup.client, &setup.target).await.unwrap();
    let root = TrustRoot::from_json(sigstore.trusted_root().to_string().as_bytes()).unwrap();
    let identity = Identity::exact(issuer, subject).unwrap();
    let policy = Policy::Identities(IdentityPolicy::new(root, [identity]).unwrap());
    let verdict = verify(&setup.target, &found, &policy, now());
    println!("weir: {verdict:?}");
    verdict.is_ok()
}

fn flip(text: &mut Value) {
    let mut bytes = text.as_str().unwrap().as_bytes().to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] = if bytes[middle] == b'A' { b'B' } else { b'A' };
    *text = String::from_utf8(bytes).unwrap().into();
}

/// What is done to a bundle before it is stored.
type Change = fn(&Sigstore, &mut Value);

/// Bundles made by the stand-in, good and changed, before cosign and before us: one opinion.
#[tokio::test(flavor = "multi_thread")]
async fn cosign_and_weir_agree_about_bundles() {
    let Some(cosign) = Cosign::find() else { return };
    let changes: &[(&str, bool, Change)] = &[
        ("good", true, |_, _| {}),
        ("entry of another signature", false, |sigstore, bundle| {
            let other = sigstore.sign_statement(&Holder::new(ISSUER, SUBJECT), b"{}", now(), Rekor::V1);
            bundle["verificationMaterial"]["tlogEntries"] =
                other["verificationMaterial"]["tlogEntries"].clone();
        }),
        ("no entry", false, |_, bundle| {
            bundle["verificationMaterial"]["tlogEntries"] = serde_json::json!([]);
        }),
        ("changed certificate", false, |_, bundle| {
            flip(&mut bundle["verificationMaterial"]["certificate"]["rawBytes"]);
        }),
        ("changed signature", false, |_, bundle| {
            flip(&mut bundle["dsseEnvelope"]["signatures"][0]["sig"]);
        }),
        ("changed payload", false, |_, bundle| {
            flip(&mut bundle["dsseEnvelope"]["payload"]);
        }),
        ("changed entry", false, |_, bundle| {
            flip(&mut bundle["verificationMaterial"]["tlogEntries"][0]["canonicalizedBody"]);
        }),
    ];
    for rekor in [Rekor::V1, Rekor::V2] {
        for (what, good, change) in changes {
            let (setup, sigstore) = (Setup::new().await, sigstore());
            let statement = serde_json::to_vec(&Statement::cosign_signature(setup.target.digest())).unwrap();
            let mut bundle = sigstore.sign_statement(&Holder::new(ISSUER, SUBJECT), &statement, now(), rekor);
            change(&sigstore, &mut bundle);
            setup
                .attach(media_type::SIGSTORE_BUNDLE_V03, bundle.to_string().as_bytes())
                .await;
            println!("{rekor:?}, {what}");
            assert_eq!(
                weir_accepts(&setup, &sigstore, ISSUER, SUBJECT).await,
                *good,
                "{rekor:?} {what}"
            );
            let theirs = cosign_accepts(&cosign, &setup, &sigstore, ISSUER, SUBJECT).await;
            assert_eq!(theirs, *good, "{rekor:?} {what}");
            if *good {
                for (issuer, subject) in [("https://x", SUBJECT), (ISSUER, "https://x")] {
                    assert!(!weir_accepts(&setup, &sigstore, issuer, subject).await);
                    assert!(!cosign_accepts(&cosign, &setup, &sigstore, issuer, subject).await);
                }
            }
            setup.handle.shutdown().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cosign_and_weir_agree_about_payloads() {
    let Some(cosign) = Cosign::find() else { return };
    let (setup, sigstore) = (Setup::new().await, sigstore());
    push_payload(&setup, &sigstore, &setup.target).await;
    assert!(weir_accepts(&setup, &sigstore, ISSUER, SUBJECT).await);
    assert!(cosign_accepts(&cosign, &setup, &sigstore, ISSUER, SUBJECT).await);
    assert!(!weir_accepts(&setup, &sigstore, ISSUER, "https://x").await);
    assert!(!cosign_accepts(&cosign, &setup, &sigstore, ISSUER, "https://x").await);
    let other = Target::new(setup.target.repository().clone(), weir_oci::Digest::of(b"other"));
    push_payload(&setup, &sigstore, &other).await;
    assert!(!weir_accepts(&setup, &sigstore, ISSUER, SUBJECT).await);
    assert!(!cosign_accepts(&cosign, &setup, &sigstore, ISSUER, SUBJECT).await);
    setup.handle.shutdown().await;
}

/// cosign's own client signs with the stand-in's services, as it does with Sigstore's.
#[tokio::test(flavor = "multi_thread")]
async fn weir_verifies_what_cosign_signs_with_an_identity() {
    let Some(cosign) = Cosign::find() else { return };
    // cosign has the machine's time, so here everybody has.
    let from = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(1);
    let server = Server::start(from, Options::default()).await.unwrap();
    let sigstore = server.sigstore();
    let root = sigstore.trusted_root().to_string();
    std::fs::write(cosign.path().join("root.json"), &root).unwrap();
    let url = format!("http://{}", server.address());
    for (subject, rekor, layout) in [
        (SUBJECT, Rekor::V1, Layout::Bundle),
        (SUBJECT, Rekor::V2, Layout::Bundle),
        ("release@example.org", Rekor::V2, Layout::Bundle),
        (SUBJECT, Rekor::V1, Layout::Legacy),
    ] {
        let setup = Setup::new().await;
        let target = setup.target.to_string();
        let token = sigstore.token(&Holder::new(ISSUER, subject), jiff::Timestamp::now());
        std::fs::write(cosign.path().join("token"), token).unwrap();
        let config = sigstore.signing_config(rekor).to_string();
        std::fs::write(cosign.path().join("config.json"), config).unwrap();
        let (fulcio, log) = (
            format!("--fulcio-url={url}/fulcio"),
            format!("--rekor-url={url}/rekor"),
        );
        let mut arguments = vec![
            "sign",
            "-y",
            "--allow-http-registry",
            "--trusted-root=root.json",
            "--identity-token=token",
        ];
        match layout {
            Layout::Bundle => arguments.push("--signing-config=config.json"),
            _ => arguments.extend([
                "--use-signing-config=false",
                "--new-bundle-format=false",
                &fulcio,
                &log,
            ]),
        }
        arguments.push(&target);
        let output = cosign.run(&arguments).await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{rekor:?} {layout}: {said}");

        let found = find(&setup.client, &setup.target).await.unwrap();
        let root = TrustRoot::from_json(root.as_bytes()).unwrap();
        let identity = Identity::exact(ISSUER, subject).unwrap();
        let policy = Policy::Identities(IdentityPolicy::new(root, [identity]).unwrap());
        let verified = verify(&setup.target, &found, &policy, jiff::Timestamp::now());
        let verified = verified.unwrap_or_else(|error| panic!("{rekor:?} {layout}: {error}"));
        assert_eq!(verified.evidence().layout, layout);
        assert!(cosign_accepts(&cosign, &setup, sigstore, ISSUER, subject).await);
        setup.handle.shutdown().await;
    }
}
