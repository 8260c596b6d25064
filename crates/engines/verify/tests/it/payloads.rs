//! cosign's older payloads, good and tampered with.

use weir_verify::{COSIGN_SIGN_PREDICATE, Layout, PredicateTypes};

use crate::cases::{keys, names, reasons, set, verdict};

const ALL_KEYS: &[&str] = &["p256", "p384", "rsa", "ed25519"];

#[track_caller]
fn refused(name: &str, reason: &str) {
    let found = reasons(&set(&[], &[name]), keys(ALL_KEYS));
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with(reason), "{name}: {found:?}");
}

#[test]
fn good_payloads_count_and_say_for_which_repository() {
    for name in names("legacy").iter().filter(|name| name.starts_with("good-")) {
        let verified =
            verdict(&set(&[], &[name]), keys(ALL_KEYS)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let evidence = verified.evidence();
        assert_eq!(evidence.layout, Layout::Legacy);
        assert_eq!(
            evidence.signed_repository.as_deref(),
            Some("registry.example/org/app")
        );
        assert_eq!(evidence.predicate_type, None);
    }
}

#[test]
fn n40_a_signature_copied_from_another_artifact_is_refused() {
    refused("copied-from-other-artifact", "signed for another artifact");
    refused("payload-digest-with-tail", "signed for another artifact");
    refused("payload-digest-in-upper-case", "signed for another artifact");
}

#[test]
fn n40_the_repository_is_compared_when_asked() {
    let signed_elsewhere = set(&[], &["signed-for-other-repository"]);
    assert!(verdict(&signed_elsewhere, keys(ALL_KEYS)).is_ok());
    assert_eq!(
        reasons(&signed_elsewhere, keys(ALL_KEYS).for_same_repository_only()),
        ["signed for repository \"registry.example/org/other\""]
    );
    assert!(
        verdict(
            &set(&[], &["good-p256"]),
            keys(ALL_KEYS).for_same_repository_only()
        )
        .is_ok()
    );
}

#[test]
fn n36_signed_content_that_is_no_payload_is_refused() {
    refused(
        "payload-not-json",
        "payload is no simple-signing document (no JSON",
    );
    refused(
        "payload-empty-object",
        "payload is no simple-signing document (unexpected shape",
    );
    refused(
        "payload-type-unknown",
        "payload type \"something else\" is unknown",
    );
    refused("signature-not-base64", "signature is no base64");
}

#[test]
fn changed_content_and_foreign_signatures_are_refused() {
    refused(
        "payload-changed-after-signing",
        "signature is by none of the 4 keys, or the content was changed",
    );
    refused(
        "signed-by-other-key",
        "signature is by none of the 4 keys, or the content was changed",
    );
}

#[test]
fn n39_one_good_payload_among_bad_ones_is_enough() {
    let mixed = set(
        &[],
        &["signed-by-other-key", "copied-from-other-artifact", "good-rsa"],
    );
    assert_eq!(
        verdict(&mixed, keys(ALL_KEYS))
            .unwrap()
            .evidence()
            .passed_over
            .len(),
        2
    );
}

#[test]
fn n37_payloads_count_as_plain_signatures_only() {
    let only = |predicate: &str| {
        keys(ALL_KEYS).with_predicate_types(PredicateTypes::OneOf([predicate.to_owned()].into()))
    };
    let good = set(&[], &["good-p256"]);
    assert!(verdict(&good, only(COSIGN_SIGN_PREDICATE)).is_ok());
    assert!(verdict(&good, only("https://slsa.dev/provenance/v1")).is_err());
}
