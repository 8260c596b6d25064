//! What signing stores, and that it is found and verified again.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use weir_oci::{Digest, annotation, media_type};
use weir_trust::{SignError, find, legacy_tag, sign};
use weir_verify::{Layout, Signer, Target, verify};

use crate::support::{REPOSITORY, Setup, now, options, plain_key, policy};

/// A stored JSON document.
fn document(raw: Option<impl AsRef<[u8]>>) -> Value {
    serde_json::from_slice(raw.unwrap().as_ref()).unwrap()
}

#[tokio::test]
async fn a_bundle_is_stored_as_cosign_stores_it() {
    let setup = Setup::new().await;
    let key = plain_key("p256");
    let stored = sign(&setup.client, &setup.target, &key, &options())
        .await
        .unwrap();

    let manifest = document(setup.registry.manifest(REPOSITORY, &stored.manifest.to_string()));
    assert_eq!(manifest["mediaType"], media_type::OCI_MANIFEST);
    assert_eq!(manifest["artifactType"], media_type::SIGSTORE_BUNDLE_V03);
    assert_eq!(manifest["config"]["mediaType"], media_type::OCI_EMPTY);
    assert_eq!(manifest["config"]["digest"], Digest::of(b"{}").to_string());
    assert_eq!(
        manifest["config"]["artifactType"],
        media_type::SIGSTORE_BUNDLE_V03
    );
    assert_eq!(manifest["subject"]["digest"], setup.target.digest().to_string());
    assert_eq!(manifest["layers"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        manifest["annotations"],
        json!({
            annotation::SIGSTORE_BUNDLE_CONTENT: "dsse-envelope",
            annotation::SIGSTORE_BUNDLE_PREDICATE_TYPE: "https://sigstore.dev/cosign/sign/v1",
            annotation::CREATED: "2026-01-02T03:04:05Z",
        })
    );
    let layer: Digest = manifest["layers"][0]["digest"].as_str().unwrap().parse().unwrap();
    let bundle = document(setup.registry.blob(REPOSITORY, &layer));
    assert_eq!(
        bundle["verificationMaterial"]["publicKey"]["hint"],
        key.public_key().fingerprint().hint()
    );
    setup.handle.shutdown().await;
}

#[tokio::test]
async fn both_layouts_are_found_and_verified_again() {
    for layout in [Layout::Bundle, Layout::Legacy] {
        for setup in [Setup::new().await, Setup::without_referrers_api().await] {
            for name in ["p256", "p521", "rsa", "ed25519"] {
                let key = plain_key(name);
                sign(&setup.client, &setup.target, &key, &options().in_layout(layout))
                    .await
                    .unwrap();
                let found = find(&setup.client, &setup.target).await.unwrap();
                let verified = verify(&setup.target, &found, &policy(&key), now()).unwrap();
                assert_eq!(verified.evidence().layout, layout, "{name}");
                assert!(
                    matches!(verified.evidence().signer, Signer::Key { fingerprint, .. } if fingerprint == key.public_key().fingerprint())
                );
            }
            setup.handle.shutdown().await;
        }
    }
}

#[tokio::test]
async fn a_payload_is_stored_as_cosign_stores_it() {
    let setup = Setup::new().await;
    let mut options = options().in_layout(Layout::Legacy);
    options.annotations = BTreeMap::from([("team".to_owned(), "platform".to_owned())]);
    let stored = sign(&setup.client, &setup.target, &plain_key("p256"), &options)
        .await
        .unwrap();

    let tag = legacy_tag(&setup.target.digest());
    assert_eq!(
        setup.registry.tag(REPOSITORY, tag.as_str()),
        Some(stored.manifest)
    );
    let manifest = document(setup.registry.manifest(REPOSITORY, tag.as_str()));
    assert_eq!(manifest["config"]["mediaType"], media_type::OCI_CONFIG);
    let layer = &manifest["layers"][0];
    assert_eq!(layer["mediaType"], media_type::COSIGN_SIMPLE_SIGNING);
    assert!(layer["annotations"]["dev.cosignproject.cosign/signature"].is_string());
    let config: Digest = manifest["config"]["digest"].as_str().unwrap().parse().unwrap();
    let config = document(setup.registry.blob(REPOSITORY, &config));
    assert_eq!(
        config["rootfs"],
        json!({ "type": "layers", "diff_ids": [layer["digest"]] })
    );
    let payload: Digest = layer["digest"].as_str().unwrap().parse().unwrap();
    assert_eq!(
        document(setup.registry.blob(REPOSITORY, &payload)),
        json!({
            "critical": {
                "identity": { "docker-reference": setup.target.repository().to_string() },
                "image": { "docker-manifest-digest": setup.target.digest().to_string() },
                "type": "cosign container image signature",
            },
            "optional": { "team": "platform" },
        })
    );
    setup.handle.shutdown().await;
}

#[tokio::test]
async fn payloads_are_added_to_earlier_ones_and_not_twice() {
    let setup = Setup::new().await;
    let options = options().in_layout(Layout::Legacy);
    let first = sign(&setup.client, &setup.target, &plain_key("p256"), &options)
        .await
        .unwrap();
    let second = sign(&setup.client, &setup.target, &plain_key("rsa"), &options)
        .await
        .unwrap();
    let again = sign(&setup.client, &setup.target, &plain_key("p256"), &options)
        .await
        .unwrap();
    assert_ne!(first.manifest, second.manifest);
    assert_eq!(second.manifest, again.manifest);
    let found = find(&setup.client, &setup.target).await.unwrap();
    assert_eq!(found.payloads.len(), 2);
    setup.handle.shutdown().await;
}

#[tokio::test]
async fn what_is_not_in_the_registry_is_not_signed() {
    let setup = Setup::new().await;
    let missing = Target::new(setup.target.repository().clone(), Digest::of(b"missing"));
    for layout in [Layout::Bundle, Layout::Legacy] {
        let error = sign(
            &setup.client,
            &missing,
            &plain_key("p256"),
            &options().in_layout(layout),
        )
        .await;
        assert!(matches!(error, Err(SignError::Artifact { .. })), "{error:?}");
    }
    assert_eq!(setup.registry.tags(REPOSITORY), ["v1"]);
    setup.handle.shutdown().await;
}
