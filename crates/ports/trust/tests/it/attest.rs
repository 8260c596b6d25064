//! What attesting stores, that it is found and verified again, and what is replaced.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use weir_oci::{Digest, annotation, media_type};
use weir_standin_registry::{Effect, Fault};
use weir_standin_sigstore::Rekor;
use weir_trust::{
    AttestOptions, Attested, SignError, Signer, SigningKey, Sizes, attest, attestation_tag, find, find_all,
    find_attestations, sign,
};
use weir_verify::{Layout, PROMOTION_PREDICATE, Policy, Statement, Target, examine, verify};

use crate::interop::setups;
use crate::sign_keyless::{keyless, root, server, token};
use crate::support::{REPOSITORY, Setup, now, options, plain_key, policy};

pub(crate) const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
const OTHER: &str = "https://example.org/other";
const LAYOUTS: [Layout; 2] = [Layout::Bundle, Layout::LegacyAttestation];

pub(crate) fn in_layout(layout: Layout) -> AttestOptions {
    let mut options = AttestOptions::at(options().created);
    options.layout = layout;
    options
}

/// States something, with an error as its whole chain.
async fn state(
    setup: &Setup,
    signer: Signer<'_>,
    predicate: (&str, Value),
    options: &AttestOptions,
) -> Result<Attested, String> {
    let (kind, predicate) = predicate;
    let done = attest(&setup.client, &setup.target, signer, kind, predicate, options).await;
    done.map_err(|error: SignError| {
        let mut text = error.to_string();
        let mut next = std::error::Error::source(&error);
        while let Some(source) = next {
            text = format!("{text}: {source}");
            next = source.source();
        }
        text
    })
}

/// The statements that count, in order.
async fn stated(setup: &Setup, policy: &Policy, now: Timestamp) -> Vec<Statement> {
    let found = find_attestations(&setup.client, &setup.target).await.unwrap();
    let examined = examine(&setup.target, &found, policy, now);
    let good = examined.into_iter().filter_map(|one| one.verdict.ok());
    good.filter_map(|verified| verified.into_inner().statement)
        .collect()
}

fn predicates(statements: &[Statement]) -> Vec<(String, Value)> {
    statements
        .iter()
        .map(|one| (one.predicate_type.clone(), one.predicate.clone()))
        .collect()
}

fn document(raw: Option<impl AsRef<[u8]>>) -> Value {
    serde_json::from_slice(raw.unwrap().as_ref()).unwrap()
}

#[tokio::test]
async fn both_layouts_are_found_and_verified_again_with_every_kind_of_key() {
    for layout in LAYOUTS {
        for setup in setups().await {
            for (n, name) in ["p256", "p521", "rsa", "ed25519"].into_iter().enumerate() {
                let key = plain_key(name);
                let predicate = json!({ "n": n });
                let done = state(
                    &setup,
                    Signer::Key(&key),
                    (OTHER, predicate.clone()),
                    &in_layout(layout),
                )
                .await;
                let done = done.unwrap();
                assert_eq!(
                    (done.stored.layout, done.evidence, done.replaced.len()),
                    (layout, None, 0)
                );
                let found = stated(&setup, &policy(&key), now()).await;
                assert_eq!(predicates(&found), [(OTHER.to_owned(), predicate)]);
                assert_eq!(found[0].subject[0].name, setup.target.repository().to_string());
                assert_eq!(found[0].statement_type, "https://in-toto.io/Statement/v1");
            }
            setup.handle.shutdown().await;
        }
    }
}

#[tokio::test]
async fn attestations_of_the_older_layout_are_stored_as_cosign_stores_them_and_are_no_signatures() {
    let setup = Setup::new().await;
    let key = plain_key("p256");
    let layout = in_layout(Layout::LegacyAttestation);
    let done = state(&setup, Signer::Key(&key), (PROVENANCE, json!({})), &layout)
        .await
        .unwrap();
    let tag = attestation_tag(&setup.target.digest());
    assert_eq!(
        setup.registry.tag(REPOSITORY, tag.as_str()),
        Some(done.stored.manifest)
    );
    let manifest = document(setup.registry.manifest(REPOSITORY, tag.as_str()));
    let layer = &manifest["layers"][0];
    assert_eq!(layer["mediaType"], media_type::DSSE_ENVELOPE);
    assert_eq!(
        layer["annotations"],
        json!({ "dev.cosignproject.cosign/signature": "", "predicateType": PROVENANCE })
    );
    let envelope: Digest = layer["digest"].as_str().unwrap().parse().unwrap();
    let envelope = document(setup.registry.blob(REPOSITORY, &envelope));
    assert_eq!(envelope["payloadType"], "application/vnd.in-toto+json");
    // Those who ask for signatures do not look there, as cosign and Flux do not.
    let found = find(&setup.client, &setup.target).await.unwrap();
    assert!(verify(&setup.target, &found, &policy(&key), now()).is_err());
    setup.handle.shutdown().await;
}

#[tokio::test]
async fn a_bundle_says_its_predicate_type_outside() {
    let setup = Setup::new().await;
    let key = plain_key("p256");
    let done = state(
        &setup,
        Signer::Key(&key),
        (PROVENANCE, json!({})),
        &in_layout(Layout::Bundle),
    )
    .await;
    let manifest = done.unwrap().stored.manifest.to_string();
    let manifest = document(setup.registry.manifest(REPOSITORY, &manifest));
    assert_eq!(
        manifest["annotations"][annotation::SIGSTORE_BUNDLE_PREDICATE_TYPE],
        PROVENANCE
    );
    setup.handle.shutdown().await;
}

#[tokio::test]
async fn one_attestation_replaces_those_of_its_type_in_its_layout_and_nothing_else() {
    for layout in LAYOUTS {
        for setup in setups().await {
            let (mine, other) = (plain_key("p256"), plain_key("ed25519"));
            let beside = in_layout(layout);
            let mut replacing = beside;
            replacing.replace = true;
            sign(&setup.client, &setup.target, &mine, &options())
                .await
                .unwrap();
            let mut old = Vec::new();
            for (key, kind, n) in [(&mine, PROVENANCE, 1), (&other, PROVENANCE, 2), (&mine, OTHER, 3)] {
                let done = state(&setup, Signer::Key(key), (kind, json!({ "n": n })), &beside)
                    .await
                    .unwrap();
                if kind == PROVENANCE {
                    old.push(done.stored.manifest);
                }
            }
            let new = (PROVENANCE, json!({ "n": 4 }));
            let done = state(&setup, Signer::Key(&mine), new, &replacing).await.unwrap();
            assert_eq!(done.replaced.len(), 2, "{layout}");
            if layout == Layout::Bundle {
                let mut replaced = done.replaced.clone();
                replaced.sort();
                old.sort();
                assert_eq!(replaced, old);
                assert!(
                    old.iter()
                        .all(|one| setup.registry.manifest(REPOSITORY, &one.to_string()).is_none())
                );
                let digest = setup.target.digest();
                let listed = setup.client.referrers(setup.target.repository(), &digest, None);
                assert_eq!(listed.await.unwrap().len(), 3);
                let found = stated(&setup, &policy(&mine), now()).await;
                assert_eq!(found.len(), 3, "the signature, the other and the new one");
            } else {
                let tag = attestation_tag(&setup.target.digest());
                let image = document(setup.registry.manifest(REPOSITORY, tag.as_str()));
                let types: Vec<&Value> = image["layers"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|layer| &layer["annotations"]["predicateType"])
                    .collect();
                assert_eq!(types, [OTHER, PROVENANCE]);
            }
            // The signature is still good.
            let found = find(&setup.client, &setup.target).await.unwrap();
            assert!(verify(&setup.target, &found, &policy(&mine), now()).is_ok());
            setup.handle.shutdown().await;
        }
    }
}

#[tokio::test]
async fn n26_promotion_records_are_never_replaced() {
    let key = plain_key("p256");
    for layout in LAYOUTS {
        let setup = Setup::new().await;
        let beside = in_layout(layout);
        let mut replacing = beside;
        replacing.replace = true;
        for (options, done) in [(&beside, true), (&replacing, false), (&beside, true)] {
            let record = (PROMOTION_PREDICATE, json!({ "sequence": 1 }));
            let made = state(&setup, Signer::Key(&key), record, options).await;
            assert_eq!(made.is_ok(), done, "{made:?}");
            if let Err(why) = made {
                assert!(why.contains("are not replaced"), "{why}");
            }
        }
        let found = find_attestations(&setup.client, &setup.target).await.unwrap();
        assert_eq!(found.bundles.len() + found.attestations.len(), 2, "{layout}");
        setup.handle.shutdown().await;
    }
}

#[tokio::test]
async fn a_registry_that_does_not_delete_keeps_the_old_one_and_the_error_says_so() {
    let key = plain_key("p256");
    let mut replacing = in_layout(Layout::Bundle);
    replacing.replace = true;
    for (setup, fails) in [
        (Setup::new().await, true),
        (Setup::without_referrers_api().await, false),
    ] {
        let first = state(
            &setup,
            Signer::Key(&key),
            (PROVENANCE, json!({ "n": 1 })),
            &replacing,
        )
        .await;
        first.unwrap();
        setup.registry.inject(
            Fault::new(Effect::Status(http::StatusCode::METHOD_NOT_ALLOWED))
                .on(http::Method::DELETE)
                .always(),
        );
        let second = state(
            &setup,
            Signer::Key(&key),
            (PROVENANCE, json!({ "n": 2 })),
            &replacing,
        )
        .await;
        // Where the client keeps the list itself, taking it from there is enough.
        assert_eq!(second.is_err(), fails, "{second:?}");
        if let Err(said) = second {
            assert!(
                said.contains("is stored beside them") && said.contains("405"),
                "{said}"
            );
        }
        let count = stated(&setup, &policy(&key), now()).await.len();
        assert_eq!(count, if fails { 2 } else { 1 });
        setup.handle.shutdown().await;
    }
}

#[tokio::test]
async fn n36_what_cannot_be_attested_is_not_stored_or_logged() {
    let (server, setup) = (server().await, Setup::new().await);
    let sigstore = server.sigstore();
    let at = Timestamp::now();
    let hour = SignedDuration::from_hours(1);
    let make = |rekor, ahead| keyless(&sigstore.signing_config(rekor), root(sigstore), ahead);
    let good = make(Rekor::V1, SignedDuration::ZERO);
    let fresh = token(sigstore, at);
    let expired = token(sigstore, at - hour * 2);
    let long = json!({ "text": "x".repeat(97 << 20) });
    let tiled = make(Rekor::V2, SignedDuration::ZERO);
    let key = plain_key("p256");
    let small = json!({});
    for (signer, predicate, layout, says) in [
        (
            Signer::Identity(&good, &fresh),
            &long,
            Layout::Bundle,
            "verifiers read no bundle of more than 134217728",
        ),
        (
            Signer::Key(&key),
            &long,
            Layout::LegacyAttestation,
            "verifiers read no bundle of more than 134217728",
        ),
        (
            Signer::Identity(&good, &expired),
            &small,
            Layout::Bundle,
            "has expired",
        ),
        (
            Signer::Identity(&tiled, &fresh),
            &small,
            Layout::LegacyAttestation,
            "needs a Rekor v1 log",
        ),
        (
            Signer::Key(&key),
            &small,
            Layout::Legacy,
            "layout cosign payload cannot be written",
        ),
    ] {
        let done = state(&setup, signer, (OTHER, predicate.clone()), &in_layout(layout)).await;
        let said = done.unwrap_err();
        assert!(said.contains(says), "{says}: {said}");
        assert_eq!(setup.registry.tags(REPOSITORY), ["v1"]);
        assert!(
            find_attestations(&setup.client, &setup.target)
                .await
                .unwrap()
                .bundles
                .is_empty()
        );
    }
    assert_eq!(sigstore.log_size(Rekor::V1), 0);
    let missing = Target::new(setup.target.repository().clone(), Digest::of(b"missing"));
    let key = SigningKey::generate().unwrap();
    for layout in LAYOUTS {
        let done = attest(
            &setup.client,
            &missing,
            Signer::Key(&key),
            OTHER,
            json!({}),
            &in_layout(layout),
        )
        .await;
        assert!(matches!(done, Err(SignError::Artifact { .. })), "{done:?}");
    }
    setup.handle.shutdown().await;
}

#[tokio::test]
async fn a_registry_that_fails_is_no_registry_without_attestations() {
    let setup = Setup::new().await;
    let key = plain_key("p256");
    let layer = in_layout(Layout::LegacyAttestation);
    state(&setup, Signer::Key(&key), (PROVENANCE, json!({})), &layer)
        .await
        .unwrap();
    let fails = Fault::new(Effect::Status(http::StatusCode::FORBIDDEN));
    setup.registry.inject(fails.at(".att").always());
    assert!(
        find_attestations(&setup.client, &setup.target).await.is_err(),
        "the one that counts could be there"
    );
    // Beside a bundle it would not count.
    let bundle = in_layout(Layout::Bundle);
    state(&setup, Signer::Key(&key), (PROVENANCE, json!({})), &bundle)
        .await
        .unwrap();
    assert_eq!(stated(&setup, &policy(&key), now()).await.len(), 1);
    setup.handle.shutdown().await;
}

#[tokio::test]
async fn signatures_and_attestations_of_both_layouts_are_found_for_those_who_ask_for_both() {
    let setup = Setup::new().await;
    let key = plain_key("p256");
    let none = find_all(&setup.client, &setup.target, Sizes::default())
        .await
        .unwrap();
    assert!(none.bundles.is_empty() && none.payloads.is_empty() && none.attestations.is_empty());
    let legacy = options().in_layout(Layout::Legacy);
    sign(&setup.client, &setup.target, &key, &legacy).await.unwrap();
    let state = async |layout| {
        let (client, target, options) = (&setup.client, &setup.target, in_layout(layout));
        let predicate = json!({ "builder": "ci" });
        let signer = Signer::Key(&key);
        attest(client, target, signer, PROVENANCE, predicate, &options)
            .await
            .unwrap();
        find_all(client, target, Sizes::default()).await.unwrap()
    };
    let older = state(Layout::LegacyAttestation).await;
    assert_eq!(
        (
            older.bundles.len(),
            older.payloads.len(),
            older.attestations.len()
        ),
        (0, 1, 1)
    );
    // Beside a bundle they would not count.
    let both = state(Layout::Bundle).await;
    assert_eq!(
        (both.bundles.len(), both.payloads.len(), both.attestations.len()),
        (1, 0, 0)
    );
    setup.handle.shutdown().await;
}
