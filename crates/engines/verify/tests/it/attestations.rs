//! Attestations in both layouts: whether they count, why not, and what they state.

use jiff::Timestamp;
use serde_json::{Value, json};
use weir_oci::Digest;
use weir_standin_sigstore::{Holder, Rekor, Sigstore};
use weir_verify::{
    Examined, FoundAttestation, FoundBundle, Identity, IdentityPolicy, KeyPolicy, Layout, Part,
    PayloadMaterial, Policy, PredicateTypes, Rejection, SignatureSet, Statement, TrustRoot, examine, verify,
};

use crate::cases::{bundle, digest, keys, names, now, payload, target};

const ISSUER: &str = "https://ci.example";
const SUBJECT: &str = "https://ci.example/org/app/release.yml@refs/heads/main";
const PROVENANCE: &str = "https://slsa.dev/provenance/v1";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn sigstore() -> Sigstore {
    Sigstore::new(at("2026-01-01T00:00:00Z"))
}

fn provenance() -> Value {
    let statement = Statement::about(&target(), PROVENANCE, json!({ "buildDefinition": {} }));
    serde_json::to_value(statement).unwrap()
}

/// A statement by the usual identity, as a bundle.
fn signed(sigstore: &Sigstore, statement: &Value, rekor: Rekor) -> Value {
    let holder = Holder::new(ISSUER, SUBJECT);
    let text = statement.to_string();
    sigstore.sign_statement(&holder, text.as_bytes(), at("2026-02-01T12:00:00Z"), rekor)
}

fn as_bundle(bundle: &Value) -> SignatureSet {
    let content = bundle.to_string().into_bytes();
    SignatureSet {
        bundles: vec![FoundBundle {
            manifest: Digest::of(&content),
            content,
        }],
        ..SignatureSet::default()
    }
}

/// The same envelope in the older layout.
fn as_layer(sigstore: &Sigstore, bundle: &Value) -> SignatureSet {
    let (content, annotations) = sigstore.older_attestation(bundle);
    SignatureSet {
        attestations: vec![FoundAttestation {
            layer: Digest::of(content.as_bytes()),
            content: content.into_bytes(),
            material: PayloadMaterial {
                certificate: Some(annotations.certificate),
                chain: Some(annotations.chain),
                log_entry: Some(annotations.log_entry),
                timestamp: None,
            },
        }],
        ..SignatureSet::default()
    }
}

fn policy(sigstore: &Sigstore, subject: &str) -> IdentityPolicy {
    let root = TrustRoot::from_json(sigstore.trusted_root().to_string().as_bytes()).unwrap();
    IdentityPolicy::new(root, [Identity::exact(ISSUER, subject).unwrap()]).unwrap()
}

fn only(types: &[&str]) -> PredicateTypes {
    PredicateTypes::OneOf(types.iter().map(|&text| text.to_owned()).collect())
}

fn alone(set: &SignatureSet, policy: IdentityPolicy) -> Result<Statement, Rejection> {
    let policy = Policy::Identities(policy);
    let mut all = examine(&target(), set, &policy, now());
    assert_eq!(all.len(), 1);
    let Examined { verdict, .. } = all.remove(0);
    // Both ways of asking say the same.
    assert_eq!(verify(&target(), set, &policy, now()).is_ok(), verdict.is_ok());
    verdict.map(|verified| verified.into_inner().statement.unwrap())
}

/// An envelope of the older layout, signed with a key: that of a case.
fn layer(case: &str) -> FoundAttestation {
    let bundle: Value = serde_json::from_slice(&bundle(case).content).unwrap();
    let content = bundle["dsseEnvelope"].to_string().into_bytes();
    FoundAttestation {
        layer: Digest::of(&content),
        content,
        material: PayloadMaterial::default(),
    }
}

#[test]
fn attestations_of_every_kind_count_and_give_what_they_state() {
    let sigstore = sigstore();
    let v1 = signed(&sigstore, &provenance(), Rekor::V1);
    for set in [
        as_bundle(&v1),
        as_bundle(&signed(&sigstore, &provenance(), Rekor::V2)),
        as_layer(&sigstore, &v1),
    ] {
        for types in [PredicateTypes::Any, only(&[PROVENANCE])] {
            let policy = policy(&sigstore, SUBJECT).with_predicate_types(types);
            let statement = alone(&set, policy).unwrap();
            assert_eq!(serde_json::to_value(statement).unwrap(), provenance());
        }
    }
}

/// A key's envelope is good or bad in either layout for the same reason.
#[test]
fn n37_an_envelope_of_the_older_layout_is_judged_as_in_a_bundle() {
    let (mut good, mut bad) = (0, 0);
    for name in names("bundles") {
        let bundle = bundle(&name);
        let Ok(content) = serde_json::from_slice::<Value>(&bundle.content) else {
            continue;
        };
        // What is wrong outside the envelope cannot be wrong here.
        let material = &content["verificationMaterial"];
        if name.starts_with("unread")
            || !content["dsseEnvelope"].is_object()
            || !material["publicKey"].is_object()
        {
            continue;
        }
        let all = || keys(&["p256", "p384", "p521", "rsa", "ed25519"]);
        let reason = |set: &SignatureSet, policy: KeyPolicy| {
            let examined = examine(&target(), set, &Policy::Keys(policy), now());
            examined[0].verdict.as_ref().err().cloned()
        };
        let bundled = SignatureSet {
            bundles: vec![bundle],
            ..SignatureSet::default()
        };
        let older = SignatureSet {
            attestations: vec![layer(&name)],
            ..SignatureSet::default()
        };
        let (bundled, older) = (reason(&bundled, all()), reason(&older, all()));
        assert_eq!(bundled, older, "{name}");
        if older.is_none() {
            good += 1;
        } else {
            bad += 1;
        }
        assert_eq!(older.is_none(), name.starts_with("good"), "{name}: {older:?}");
    }
    assert!(good >= 10 && bad >= 10, "{good} good, {bad} bad");
}

#[test]
fn n37_another_type_or_subject_does_not_count_in_either_layout() {
    let sigstore = sigstore();
    let mut other = provenance();
    other["subject"][0]["digest"]["sha256"] = Digest::of(b"other").hex().into();
    let mut named_only = provenance();
    named_only["subject"][0]["digest"] = json!({ "sha512": digest().hex().repeat(2) });
    let sets = |statement: &Value| {
        let bundle = signed(&sigstore, statement, Rekor::V1);
        [as_bundle(&bundle), as_layer(&sigstore, &bundle)]
    };
    for set in sets(&provenance()) {
        let policy = policy(&sigstore, SUBJECT).with_predicate_types(only(&["https://spdx.dev/Document"]));
        assert_eq!(
            alone(&set, policy),
            Err(Rejection::PredicateType(PROVENANCE.to_owned()))
        );
    }
    for statement in [other, named_only] {
        for set in sets(&statement) {
            assert_eq!(
                alone(&set, policy(&sigstore, SUBJECT)),
                Err(Rejection::OtherArtifact)
            );
        }
    }
}

#[test]
fn n37_of_several_subjects_one_must_be_the_artifact() {
    let sigstore = sigstore();
    let mut several = provenance();
    let first = json!({ "name": "other", "digest": { "sha256": Digest::of(b"other").hex() } });
    several["subject"]
        .as_array_mut()
        .unwrap()
        .insert(0, first.clone());
    let mut others = provenance();
    others["subject"] = json!([first, { "name": "third", "digest": { "sha512": digest().hex().repeat(2) } }]);
    for (statement, counts) in [(several, true), (others, false)] {
        let bundle = signed(&sigstore, &statement, Rekor::V1);
        for set in [as_bundle(&bundle), as_layer(&sigstore, &bundle)] {
            let found = alone(&set, policy(&sigstore, SUBJECT)).map(|_| ());
            let wanted = if counts {
                Ok(())
            } else {
                Err(Rejection::OtherArtifact)
            };
            assert_eq!(found, wanted);
        }
    }
}

#[test]
fn n38_an_attestation_by_somebody_else_does_not_count() {
    let sigstore = sigstore();
    let bundle = signed(&sigstore, &provenance(), Rekor::V1);
    for set in [as_bundle(&bundle), as_layer(&sigstore, &bundle)] {
        let found = alone(&set, policy(&sigstore, "https://ci.example/other"));
        assert!(matches!(found, Err(Rejection::OtherIdentity { .. })), "{found:?}");
    }
}

#[test]
fn n30_an_attestation_of_the_older_layout_needs_a_log_entry_of_its_own() {
    let sigstore = sigstore();
    let bundle = signed(&sigstore, &provenance(), Rekor::V1);
    let mut other = provenance();
    other["predicate"] = json!({ "buildDefinition": { "buildType": "x" } });
    let other = as_layer(&sigstore, &signed(&sigstore, &other, Rekor::V1));
    let part = |change: &dyn Fn(&mut FoundAttestation)| {
        let mut set = as_layer(&sigstore, &bundle);
        change(&mut set.attestations[0]);
        match alone(&set, policy(&sigstore, SUBJECT)) {
            Err(Rejection::Untrusted(untrusted)) => untrusted.part,
            found => panic!("{found:?}"),
        }
    };
    assert_eq!(part(&|found| found.material.log_entry = None), Part::LogEntry);
    assert_eq!(
        part(&|found| found.material.log_entry = Some("{}".to_owned())),
        Part::LogEntry
    );
    let entry = other.attestations[0].material.log_entry.clone();
    assert_eq!(
        part(&|found| found.material.log_entry.clone_from(&entry)),
        Part::LogEntry
    );
    // The promise is of the entry's own body and time.
    let shifted = |found: &mut FoundAttestation| {
        let mut entry: Value = serde_json::from_str(found.material.log_entry.as_deref().unwrap()).unwrap();
        let time = entry["Payload"]["integratedTime"].as_i64().unwrap();
        entry["Payload"]["integratedTime"] = (time + 1).into();
        found.material.log_entry = Some(entry.to_string());
    };
    assert_eq!(part(&shifted), Part::InclusionPromise);
}

#[test]
fn n36_an_attestation_of_the_older_layout_that_was_changed_does_not_count() {
    let sigstore = sigstore();
    let bundle = signed(&sigstore, &provenance(), Rekor::V1);
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut set = as_layer(&sigstore, &bundle);
        let found = &mut set.attestations[0];
        let mut envelope: Value = serde_json::from_slice(&found.content).unwrap();
        change(&mut envelope);
        found.content = envelope.to_string().into_bytes();
        alone(&set, policy(&sigstore, SUBJECT)).unwrap_err()
    };
    let encode = |text: &str| {
        use base64::Engine as _;
        Value::from(base64::engine::general_purpose::STANDARD.encode(text))
    };
    let swapped = provenance()
        .to_string()
        .replace("buildDefinition", "buildDefinitioN");
    for (rejection, what) in [
        (
            changed(&|envelope| envelope["payload"] = encode(&swapped)),
            "payload",
        ),
        (
            changed(&|envelope| envelope["payloadType"] = "text/plain".into()),
            "payload type",
        ),
        (
            changed(&|envelope| envelope["signatures"] = json!([])),
            "no signature",
        ),
        (changed(&|envelope| envelope["extra"] = json!(1)), "unknown field"),
        (changed(&|envelope| *envelope = json!([])), "no object"),
    ] {
        println!("{what}: {rejection}");
    }
}

#[test]
fn n36_no_change_of_a_byte_of_an_envelope_panics_or_lends_a_signature() {
    let good = layer("good-p256");
    let policy = Policy::Keys(keys(&["p256"]));
    let statement = |content: Vec<u8>| {
        let set = SignatureSet {
            attestations: vec![FoundAttestation {
                content,
                ..good.clone()
            }],
            ..SignatureSet::default()
        };
        let verdict = examine(&target(), &set, &policy, now()).remove(0).verdict;
        verdict.ok().map(|verified| verified.into_inner().statement)
    };
    let wanted = statement(good.content.clone());
    assert!(wanted.is_some());
    for at in 0..good.content.len() {
        for flip in [1, 0x20, 0x80] {
            let mut content = good.content.clone();
            content[at] ^= flip;
            // Where it still counts, it states the same: a byte of the JSON's form was changed.
            if let Some(found) = statement(content) {
                assert_eq!(Some(found), wanted, "byte {at}");
            }
        }
    }
}

#[test]
fn older_attestations_do_not_count_beside_a_bundle_and_the_reason_is_given() {
    let policy = Policy::Keys(keys(&["p256"]));
    let mut set = SignatureSet {
        payloads: vec![payload("good-p256")],
        attestations: vec![layer("good-provenance")],
        ..SignatureSet::default()
    };
    let examined = examine(&target(), &set, &policy, now());
    assert!(examined.iter().all(|one| one.verdict.is_ok()));
    let layouts: Vec<Layout> = examined.iter().map(|one| one.layout).collect();
    assert_eq!(layouts, [Layout::Legacy, Layout::LegacyAttestation]);
    assert_eq!(layouts[1].to_string(), "cosign attestation");

    set.bundles.push(bundle("signed-by-other-key"));
    assert!(verify(&target(), &set, &policy, now()).is_err());
    let examined = examine(&target(), &set, &policy, now());
    let reasons: Vec<bool> = examined
        .iter()
        .map(|one| matches!(one.verdict, Err(Rejection::BundlesOnly)))
        .collect();
    assert_eq!(reasons, [false, true, true]);
    assert!(examined[0].verdict.is_err());
}

#[test]
fn a_statement_can_be_read_without_believing_it() {
    let found = bundle("subject-of-other-artifact")
        .unverified_statement()
        .unwrap();
    assert!(!found.is_about(digest()));
    let found = layer("good-provenance").unverified_statement().unwrap();
    assert!(found.is_about(digest()));
    for (case, because) in [
        ("message-signature", "signs a message"),
        ("payload-not-json", "no in-toto statement"),
        ("payload-type-plain-text", "text/plain"),
        ("unread-empty", "malformed"),
    ] {
        let said = bundle(case).unverified_statement().unwrap_err().to_string();
        assert!(said.contains(because), "{case}: {said}");
    }
}
