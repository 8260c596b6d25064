//! Sigstore bundles, good and tampered with.

use proptest::prelude::*;
use weir_oci::Digest;
use weir_verify::{
    Bundle, FoundBundle, Layout, MAX_BUNDLE_BYTES, MAX_SIGNATURES, Policy, PredicateTypes, SignatureSet,
    Signer, Target, verify,
};

use crate::cases::{bundle, digest, key, keys, names, now, payload, read, reasons, set, target, verdict};

const ALL_KEYS: &[&str] = &["p256", "p384", "p521", "rsa", "ed25519"];

#[track_caller]
fn refused(name: &str, reason: &str) {
    let found = reasons(&set(&[name], &[]), keys(ALL_KEYS));
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with(reason), "{name}: {found:?}");
}

#[test]
fn good_bundles_of_every_kind_of_key_count() {
    let mut good = 0;
    for name in names("bundles").iter().filter(|name| name.starts_with("good-")) {
        let verified =
            verdict(&set(&[name], &[]), keys(ALL_KEYS)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(*verified.get(), digest(), "{name}");
        assert_eq!(verified.evidence().layout, Layout::Bundle);
        good += 1;
    }
    assert_eq!(good, 11);
}

#[test]
fn nothing_but_good_bundles_counts() {
    for name in names("bundles").iter().filter(|name| !name.starts_with("good-")) {
        assert!(verdict(&set(&[name], &[]), keys(ALL_KEYS)).is_err(), "{name}");
    }
}

#[test]
fn the_evidence_names_key_layout_and_predicate() {
    let verified = verdict(&set(&["good-provenance"], &[]), keys(&["other", "p256"])).unwrap();
    let evidence = verified.evidence();
    let Signer::Key {
        name, fingerprint, ..
    } = &evidence.signer
    else {
        panic!("{:?}", evidence.signer)
    };
    assert_eq!(*fingerprint, key("p256").fingerprint());
    assert_eq!(name, "p256");
    assert_eq!(evidence.source, bundle("good-provenance").manifest);
    assert_eq!(
        evidence.predicate_type.as_deref(),
        Some("https://slsa.dev/provenance/v1")
    );
    assert_eq!(
        evidence.to_string(),
        format!(
            "sigstore bundle by key \"p256\" ({}), predicate type https://slsa.dev/provenance/v1",
            key("p256").fingerprint()
        )
    );
}

#[test]
fn changed_content_and_foreign_signatures_are_refused() {
    for name in [
        "payload-changed-after-signing",
        "payload-type-changed-after-signing",
        "signature-bit-flipped",
        "signed-by-other-key",
        "hint-of-trusted-key-signature-of-other",
    ] {
        refused(
            name,
            "signature is by none of the 5 keys, or the content was changed",
        );
    }
}

#[test]
fn n36_signed_content_that_is_no_statement_is_refused() {
    refused(
        "payload-not-json",
        "payload is no in-toto statement (no JSON at line 1",
    );
    refused(
        "payload-empty-object",
        "payload is no in-toto statement (unexpected shape",
    );
    refused(
        "payload-type-plain-text",
        "payload type \"text/plain\" is no in-toto statement",
    );
    refused(
        "statement-type-unknown",
        "statement type \"https://example.com/Statement\" is unknown",
    );
    refused("subject-missing", "statement has no subject");
}

#[test]
fn n36_no_signatures_are_no_success() {
    let error = verdict(&SignatureSet::default(), keys(&["p256"])).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "no matching signatures were found for 'registry.example/org/app@{}': the artifact has no signatures",
            digest()
        )
    );
    refused("no-signatures", "envelope has 0 signatures instead of one");
    refused("two-signatures", "envelope has 2 signatures instead of one");
    refused(
        "no-key-and-no-certificate",
        "bundle names neither key nor certificate",
    );
    refused(
        "certificate-instead-of-key",
        "signed with a certificate, and keys are asked for",
    );
    refused("message-signature", "bundle signs a message, not a statement");
}

#[test]
fn n37_a_statement_about_something_else_is_refused() {
    refused("subject-of-other-artifact", "signed for another artifact");
    refused("subject-digest-under-sha512", "signed for another artifact");
    refused("subject-digest-in-upper-case", "signed for another artifact");
}

#[test]
fn n37_a_predicate_type_that_is_not_asked_for_is_refused() {
    let only = |predicate: &str| {
        keys(&["p256"]).with_predicate_types(PredicateTypes::OneOf([predicate.to_owned()].into()))
    };
    let provenance = set(&["good-provenance"], &[]);
    assert!(verdict(&provenance, only("https://slsa.dev/provenance/v1")).is_ok());
    assert_eq!(
        reasons(&provenance, only(weir_verify::COSIGN_SIGN_PREDICATE)),
        ["predicate type \"https://slsa.dev/provenance/v1\" is not asked for"]
    );
}

#[test]
fn n39_one_good_signature_by_any_key_is_enough() {
    let mixed = set(&["signed-by-other-key", "payload-not-json", "good-p256"], &[]);
    let verified = verdict(&mixed, keys(&["rsa", "p256"])).unwrap();
    assert_eq!(verified.evidence().passed_over.len(), 2);
    assert_eq!(verified.evidence().source, bundle("good-p256").manifest);
}

#[test]
fn n39_each_signature_that_did_not_count_is_listed() {
    let mixed = set(&["signed-by-other-key", "subject-of-other-artifact"], &[]);
    let message = verdict(&mixed, keys(&["p256"])).unwrap_err().to_string();
    assert_eq!(
        message,
        format!(
            "no matching signatures were found for '{}': sigstore bundle {}: signature is not by the key, or \
             the content was changed; sigstore bundle {}: signed for another artifact",
            target(),
            bundle("signed-by-other-key").manifest,
            bundle("subject-of-other-artifact").manifest,
        )
    );
}

#[test]
fn n40_a_good_bundle_is_good_for_its_own_digest_only() {
    let other = Target::new(
        "registry.example/org/app".parse().unwrap(),
        Digest::of(b"another artifact"),
    );
    let policy = Policy::Keys(keys(&["p256"]));
    assert!(verify(&other, &set(&["good-p256"], &[]), &policy, now()).is_err());
    assert!(verify(&other, &set(&["subject-of-other-artifact"], &[]), &policy, now()).is_ok());
}

#[test]
fn where_a_bundle_can_be_read_older_payloads_do_not_count() {
    let both = set(&["signed-by-other-key"], &["good-p256"]);
    assert_eq!(reasons(&both, keys(&["p256"])).len(), 1);
}

#[test]
fn where_no_bundle_can_be_read_older_payloads_count() {
    for name in names("bundles").iter().filter(|name| name.starts_with("unread-")) {
        let both = set(&[name], &["good-p256"]);
        let verified = verdict(&both, keys(&["p256"])).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(verified.evidence().layout, Layout::Legacy);
        assert_eq!(verified.evidence().passed_over.len(), 1, "{name}");
    }
}

#[test]
fn n25_signatures_past_the_limit_are_not_looked_at() {
    let mut many = SignatureSet {
        bundles: vec![bundle("signed-by-other-key"); MAX_SIGNATURES - 1],
        ..SignatureSet::default()
    };
    many.bundles.push(bundle("good-p256"));
    assert!(verdict(&many, keys(&["p256"])).is_ok());
    many.bundles.insert(0, bundle("signed-by-other-key"));
    let reasons = reasons(&many, keys(&["p256"]));
    assert_eq!(
        reasons.last().map(String::as_str),
        Some("more than 200 signatures, the rest was not looked at")
    );
}

#[test]
fn n25_a_bundle_of_any_length_is_not_read() {
    let content = vec![b' '; MAX_BUNDLE_BYTES + 1];
    assert_eq!(
        Bundle::from_json(&content).unwrap_err().to_string(),
        "bundle is longer than 134217728 bytes"
    );
}

#[test]
fn the_payload_of_a_bundle_says_nothing_about_the_repository() {
    let policy = keys(&["p256"]).for_same_repository_only();
    assert_eq!(
        reasons(&set(&["good-p256"], &[]), policy),
        ["signed for no named repository"]
    );
    assert!(payload("good-p256").content.starts_with(b"{\"critical\""));
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(37),
        ..ProptestConfig::default()
    })]

    #[test]
    fn n36_no_change_of_a_byte_panics_or_lends_a_signature(at in 0_usize..900, byte: u8) {
        let mut content = read("bundles/good-p256.json");
        let at = at % content.len();
        content[at] = byte;
        let found = FoundBundle { manifest: Digest::of(&content), content };
        let set = SignatureSet { bundles: vec![found], ..SignatureSet::default() };
        // It may still be good: white space, the hint and the like are not signed. But never for another digest.
        drop(verdict(&set, keys(&["p256"])));
        let other = Target::new("registry.example/org/app".parse().unwrap(), Digest::of(b"x"));
        prop_assert!(verify(&other, &set, &Policy::Keys(keys(&["p256"])), now()).is_err());
    }
}
