//! Signatures by identities, good and tampered with. They are made by a stand-in for Sigstore, and then changed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use weir_oci::Digest;
use weir_standin_sigstore::{Holder, Options, Rekor, Sigstore};
use weir_verify::{
    FoundBundle, FoundPayload, Identity, IdentityPolicy, InvalidTrustRoot, Layout, Part, PayloadMaterial,
    Policy, PredicateTypes, Rejection, SignatureSet, Signer, SimpleSigning, Statement, TrustRoot, Verified,
    verify,
};

use crate::cases::{digest, keys, now, set, target};

const ISSUER: &str = "https://token.actions.githubusercontent.com";
const SUBJECT: &str = "https://github.com/org/app/.github/workflows/release.yml@refs/heads/main";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn signed_at() -> Timestamp {
    at("2026-02-01T12:00:00Z")
}

pub(crate) fn sigstore() -> Sigstore {
    Sigstore::new(at("2026-01-01T00:00:00Z"))
}

fn holder() -> Holder {
    Holder::new(ISSUER, SUBJECT)
}

fn statement(digest: Digest) -> Vec<u8> {
    serde_json::to_vec(&Statement::cosign_signature(digest)).unwrap()
}

pub(crate) fn bundle(sigstore: &Sigstore, rekor: Rekor) -> Value {
    sigstore.sign_statement(&holder(), &statement(digest()), signed_at(), rekor)
}

pub(crate) fn root(sigstore: &Sigstore) -> TrustRoot {
    changed_root(sigstore, |_| {})
}

pub(crate) fn changed_root(sigstore: &Sigstore, change: impl FnOnce(&mut Value)) -> TrustRoot {
    let mut json = sigstore.trusted_root();
    change(&mut json);
    TrustRoot::from_json(json.to_string().as_bytes()).unwrap()
}

pub(crate) fn policy(root: TrustRoot) -> IdentityPolicy {
    IdentityPolicy::new(root, [Identity::exact(ISSUER, SUBJECT).unwrap()]).unwrap()
}

fn found(bundle: &Value) -> FoundBundle {
    let content = bundle.to_string().into_bytes();
    FoundBundle {
        manifest: Digest::of(&content),
        content,
    }
}

pub(crate) fn one(bundle: &Value) -> SignatureSet {
    SignatureSet {
        bundles: vec![found(bundle)],
        ..SignatureSet::default()
    }
}

pub(crate) fn judge(set: &SignatureSet, policy: IdentityPolicy) -> Result<Verified<Digest>, Rejection> {
    verify(&target(), set, &Policy::Identities(policy), now())
        .map_err(|error| error.refused.into_iter().next().unwrap().reason)
}

#[track_caller]
pub(crate) fn refused_for(part: Part, bundle: &Value, root: TrustRoot) {
    match judge(&one(bundle), policy(root)) {
        Err(Rejection::Untrusted(untrusted)) => assert_eq!(untrusted.part, part, "{untrusted}"),
        other => panic!("{other:?}"),
    }
}

fn legacy(sigstore: &Sigstore, payload: &[u8]) -> FoundPayload {
    let signed = sigstore.sign_payload(&holder(), payload, signed_at());
    FoundPayload {
        layer: Digest::of(payload),
        content: payload.to_vec(),
        signature: signed.signature,
        material: PayloadMaterial {
            certificate: Some(signed.certificate),
            chain: Some(signed.chain),
            log_entry: Some(signed.log_entry),
            timestamp: None,
        },
    }
}

fn payload(digest: Digest) -> Vec<u8> {
    let repository = target().repository().clone();
    SimpleSigning::new(&repository, digest, [].into())
        .to_json()
        .unwrap()
}

fn payloads(payload: FoundPayload) -> SignatureSet {
    SignatureSet {
        payloads: vec![payload],
        ..SignatureSet::default()
    }
}

/// Changes the byte in the middle of a field that is base64.
fn flip(value: &mut Value) {
    let mut bytes = STANDARD.decode(value.as_str().unwrap()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    *value = STANDARD.encode(bytes).into();
}

#[test]
fn good_signatures_of_every_kind_count() {
    let sigstore = sigstore();
    for rekor in [Rekor::V1, Rekor::V2] {
        let verified = judge(&one(&bundle(&sigstore, rekor)), policy(root(&sigstore))).unwrap();
        assert_eq!(*verified.get(), digest());
        let evidence = verified.evidence();
        assert_eq!(evidence.layout, Layout::Bundle);
        assert_eq!(evidence.logged.len(), 1);
        let Signer::Identity {
            subject,
            issuer,
            signed_at: time,
            ..
        } = &evidence.signer
        else {
            panic!("{evidence:?}")
        };
        assert_eq!(
            (subject.as_str(), issuer.as_str(), *time),
            (SUBJECT, ISSUER, signed_at())
        );
        assert_eq!(
            evidence.to_string(),
            format!(
                "sigstore bundle by \"{SUBJECT}\" (issuer \"{ISSUER}\"), predicate type https://sigstore.dev/cosign/sign/v1"
            )
        );
    }
    let mut old = legacy(&sigstore, &payload(digest()));
    assert!(judge(&payloads(old.clone()), policy(root(&sigstore))).is_ok());
    let signed = sigstore.sign_payload(&holder(), &old.content, signed_at());
    old.signature = signed.signature;
    old.material = PayloadMaterial {
        certificate: Some(signed.certificate),
        chain: Some(signed.chain),
        log_entry: Some(signed.log_entry),
        timestamp: Some(signed.timestamp),
    };
    let verified = judge(&payloads(old), policy(root(&sigstore))).unwrap();
    assert_eq!(verified.evidence().layout, Layout::Legacy);
}

#[test]
fn a_build_says_its_source() {
    let sigstore = sigstore();
    let build = holder().of("https://github.com/org/app", "0123abcd");
    let bundle = sigstore.sign_statement(&build, &statement(digest()), signed_at(), Rekor::V1);
    let verified = judge(&one(&bundle), policy(root(&sigstore))).unwrap();
    let Signer::Identity {
        source: Some((repository, commit)),
        ..
    } = &verified.evidence().signer
    else {
        panic!("{:?}", verified.evidence())
    };
    assert_eq!(
        (repository.as_str(), commit.as_deref()),
        ("https://github.com/org/app", Some("0123abcd"))
    );
}

#[test]
fn n30_a_log_entry_of_another_signature_is_refused() {
    let sigstore = sigstore();
    for rekor in [Rekor::V1, Rekor::V2] {
        let good = bundle(&sigstore, rekor);
        // Another artifact; the same artifact signed again, so by another key; the same by somebody else.
        for other in [
            sigstore.sign_statement(&holder(), &statement(Digest::of(b"x")), signed_at(), rekor),
            bundle(&sigstore, rekor),
            sigstore.sign_statement(
                &Holder::new(ISSUER, "https://x"),
                &statement(digest()),
                signed_at(),
                rekor,
            ),
        ] {
            let mut mixed = good.clone();
            mixed["verificationMaterial"]["tlogEntries"] =
                other["verificationMaterial"]["tlogEntries"].clone();
            refused_for(Part::LogEntry, &mixed, root(&sigstore));
            // A good one beside it does not make up for it.
            let entry = good["verificationMaterial"]["tlogEntries"][0].clone();
            mixed["verificationMaterial"]["tlogEntries"]
                .as_array_mut()
                .unwrap()
                .push(entry);
            refused_for(Part::LogEntry, &mixed, root(&sigstore));
        }
    }
    let mut mixed = legacy(&sigstore, &payload(digest()));
    mixed.material.log_entry = legacy(&sigstore, &payload(digest())).material.log_entry;
    let reason = judge(&payloads(mixed), policy(root(&sigstore))).unwrap_err();
    assert!(
        matches!(&reason, Rejection::Untrusted(why) if why.part == Part::LogEntry),
        "{reason}"
    );
}

#[test]
fn n31_a_time_that_nobody_signed_is_no_time() {
    let sigstore = sigstore();
    let mut proof_only = bundle(&sigstore, Rekor::V1);
    let entry = proof_only["verificationMaterial"]["tlogEntries"][0]
        .as_object_mut()
        .unwrap();
    entry.remove("inclusionPromise").unwrap();
    refused_for(Part::Timestamp, &proof_only, root(&sigstore));

    // With a timestamp there is a time, and it is that one.
    let signature = STANDARD
        .decode(
            proof_only["dsseEnvelope"]["signatures"][0]["sig"]
                .as_str()
                .unwrap(),
        )
        .unwrap();
    let stamped = signed_at() + jiff::SignedDuration::from_mins(2);
    proof_only["verificationMaterial"]["timestampVerificationData"] = sigstore.stamps(&signature, stamped);
    let verified = judge(&one(&proof_only), policy(root(&sigstore))).unwrap();
    assert!(
        matches!(verified.evidence().signer, Signer::Identity { signed_at, .. } if signed_at == stamped),
        "{verified:?}"
    );

    let mut moved = bundle(&sigstore, Rekor::V1);
    let time = (signed_at().as_second() + 60).to_string();
    moved["verificationMaterial"]["tlogEntries"][0]["integratedTime"] = time.into();
    refused_for(Part::InclusionPromise, &moved, root(&sigstore));
}

#[test]
fn n31_a_time_in_the_future_is_no_time() {
    let sigstore = sigstore();
    for rekor in [Rekor::V1, Rekor::V2] {
        let set = one(&bundle(&sigstore, rekor));
        let policy = Policy::Identities(policy(root(&sigstore)));
        let second = jiff::SignedDuration::from_secs(1);
        assert!(verify(&target(), &set, &policy, signed_at()).is_ok());
        let error = verify(&target(), &set, &policy, signed_at() - second).unwrap_err();
        assert!(error.to_string().contains("is in the future"), "{error}");
    }
}

#[test]
fn n32_a_head_that_the_log_did_not_sign_is_refused() {
    let sigstore = sigstore();
    for rekor in [Rekor::V1, Rekor::V2] {
        let mut forged = bundle(&sigstore, rekor);
        let envelope =
            &mut forged["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["checkpoint"]["envelope"];
        let text = envelope.as_str().unwrap().trim_end().to_owned();
        let (head, signature) = text.rsplit_once(' ').unwrap();
        let mut signature = Value::from(signature);
        flip(&mut signature);
        *envelope = format!("{head} {}\n", signature.as_str().unwrap()).into();
        refused_for(Part::Checkpoint, &forged, root(&sigstore));
    }

    // Signed by a trusted log, but not by the one that the entry names.
    let mut foreign = bundle(&sigstore, Rekor::V1);
    let signature = STANDARD
        .decode(foreign["dsseEnvelope"]["signatures"][0]["sig"].as_str().unwrap())
        .unwrap();
    foreign["verificationMaterial"]["timestampVerificationData"] = sigstore.stamps(&signature, signed_at());
    let entry = &mut foreign["verificationMaterial"]["tlogEntries"][0];
    entry.as_object_mut().unwrap().remove("inclusionPromise").unwrap();
    entry["logId"] = sigstore.trusted_root()["tlogs"][1]["logId"].clone();
    refused_for(Part::Checkpoint, &foreign, root(&sigstore));

    let mut wrong_root = bundle(&sigstore, Rekor::V1);
    drop(bundle(&sigstore, Rekor::V1));
    let proof = &mut wrong_root["verificationMaterial"]["tlogEntries"][0]["inclusionProof"];
    flip(&mut proof["rootHash"]);
    refused_for(Part::Checkpoint, &wrong_root, root(&sigstore));
}

#[test]
fn n32_an_entry_that_is_not_in_the_tree_is_refused() {
    let sigstore = sigstore();
    for rekor in [Rekor::V1, Rekor::V2] {
        drop(bundle(&sigstore, rekor));
        let mut moved = bundle(&sigstore, rekor);
        flip(&mut moved["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["hashes"][0]);
        refused_for(Part::InclusionProof, &moved, root(&sigstore));
        let mut bare = bundle(&sigstore, rekor);
        let entry = bare["verificationMaterial"]["tlogEntries"][0]
            .as_object_mut()
            .unwrap();
        entry.remove("inclusionProof").unwrap();
        refused_for(Part::InclusionProof, &bare, root(&sigstore));
    }
}

#[test]
fn n33_two_entries_of_one_log_are_one_log() {
    let sigstore = sigstore();
    let two = 2.try_into().unwrap();
    let mut twice = bundle(&sigstore, Rekor::V1);
    let again = sigstore.log(&twice, signed_at(), Rekor::V1);
    twice["verificationMaterial"]["tlogEntries"]
        .as_array_mut()
        .unwrap()
        .push(again);
    assert!(judge(&one(&twice), policy(root(&sigstore))).is_ok());
    assert_eq!(
        judge(&one(&twice), policy(root(&sigstore)).in_distinct_logs(two)).unwrap_err(),
        Rejection::FewLogs { found: 1, wanted: 2 }
    );

    let mut both = bundle(&sigstore, Rekor::V1);
    let other = sigstore.log(&both, signed_at(), Rekor::V2);
    both["verificationMaterial"]["tlogEntries"]
        .as_array_mut()
        .unwrap()
        .push(other);
    let verified = judge(&one(&both), policy(root(&sigstore)).in_distinct_logs(two)).unwrap();
    assert_eq!(verified.evidence().logged.len(), 2);

    let mut same = bundle(&sigstore, Rekor::V1);
    let entry = same["verificationMaterial"]["tlogEntries"][0].clone();
    same["verificationMaterial"]["tlogEntries"]
        .as_array_mut()
        .unwrap()
        .push(entry);
    refused_for(Part::LogEntry, &same, root(&sigstore));
}

#[test]
fn n34_keys_and_authorities_count_in_their_time_only() {
    let sigstore = sigstore();
    let before = json!({ "start": "2026-01-01T00:00:00Z", "end": "2026-02-01T11:59:59Z" });
    let exactly = json!({ "start": "2026-01-01T00:00:00Z", "end": "2026-02-01T12:00:00Z" });
    for (rekor, log) in [(Rekor::V1, 0), (Rekor::V2, 1)] {
        let bundle = bundle(&sigstore, rekor);
        let with = |window: &Value| {
            changed_root(&sigstore, |json| {
                json["tlogs"][log]["publicKey"]["validFor"] = window.clone();
            })
        };
        let part = if rekor == Rekor::V1 {
            Part::InclusionPromise
        } else {
            Part::LogEntry
        };
        refused_for(part, &bundle, with(&before));
        assert!(judge(&one(&bundle), policy(with(&exactly))).is_ok());
        for (field, part) in [
            ("certificateAuthorities", Part::Certificate),
            ("ctlogs", Part::CertificateLog),
        ] {
            let with = |window: &Value| {
                changed_root(&sigstore, |json| {
                    let one = &mut json[field][0];
                    let place = if field == "ctlogs" {
                        &mut one["publicKey"]
                    } else {
                        one
                    };
                    place["validFor"] = window.clone();
                })
            };
            refused_for(part, &bundle, with(&before));
            assert!(judge(&one(&bundle), policy(with(&exactly))).is_ok());
        }
    }
    // Not trusted yet at the time of the verdict.
    let later = changed_root(&sigstore, |json| {
        json["certificateAuthorities"][0]["validFor"] = json!({ "start": "2026-01-15T00:00:00Z" });
    });
    let bundle = bundle(&sigstore, Rekor::V1);
    assert!(judge(&one(&bundle), policy(later)).is_ok());
}

#[test]
fn n34_an_expired_intermediate_or_certificate_is_refused() {
    let from = at("2026-01-01T00:00:00Z");
    for (until, good) in [("2026-01-31T00:00:00Z", false), ("2026-02-01T12:00:00Z", true)] {
        let options = Options {
            intermediate_until: Some(at(until)),
            ..Options::default()
        };
        let sigstore = Sigstore::with(from, &options);
        for rekor in [Rekor::V1, Rekor::V2] {
            let bundle = bundle(&sigstore, rekor);
            if good {
                assert!(judge(&one(&bundle), policy(root(&sigstore))).is_ok());
            } else {
                refused_for(Part::Certificate, &bundle, root(&sigstore));
            }
        }
        let old = legacy(&sigstore, &payload(digest()));
        assert_eq!(judge(&payloads(old), policy(root(&sigstore))).is_ok(), good);
    }

    // The certificate lives ten minutes; what is logged later was not signed in its life.
    let sigstore = sigstore();
    let mut late = bundle(&sigstore, Rekor::V1);
    let after = signed_at() + jiff::SignedDuration::from_mins(11);
    late["verificationMaterial"]["tlogEntries"] = json!([sigstore.log(&late, after, Rekor::V1)]);
    refused_for(Part::Certificate, &late, root(&sigstore));
}

#[test]
fn n34_of_several_authorities_each_one_counts_in_its_own_time() {
    // The old instance ended when the new one began, and so did its intermediate certificate some days before.
    let options = Options {
        intermediate_until: Some(at("2026-02-10T00:00:00Z")),
        ..Options::default()
    };
    let old = Sigstore::with(at("2026-01-01T00:00:00Z"), &options);
    let new = Sigstore::new(at("2026-02-15T00:00:00Z"));
    let both = |end: Option<&str>| {
        changed_root(&old, |json| {
            if let Some(end) = end {
                json["certificateAuthorities"][0]["validFor"]["end"] = end.into();
            }
            let mut more = new.trusted_root();
            for field in [
                "certificateAuthorities",
                "ctlogs",
                "tlogs",
                "timestampAuthorities",
            ] {
                let more = more[field].as_array_mut().unwrap();
                json[field].as_array_mut().unwrap().append(more);
            }
        })
    };
    let signed = |sigstore: &Sigstore, when: &str, rekor| {
        sigstore.sign_statement(&holder(), &statement(digest()), at(when), rekor)
    };
    for rekor in [Rekor::V1, Rekor::V2] {
        for (sigstore, when, good) in [
            (&old, "2026-02-01T12:00:00Z", true),
            (&old, "2026-02-12T12:00:00Z", false),
            (&new, "2026-02-14T12:00:00Z", false),
            (&new, "2026-02-20T12:00:00Z", true),
        ] {
            let bundle = signed(sigstore, when, rekor);
            for end in [None, Some("2026-02-15T00:00:00Z")] {
                let verdict = judge(&one(&bundle), policy(both(end)));
                assert_eq!(verdict.is_ok(), good, "{when} {end:?}: {verdict:?}");
            }
            // What the root says of an authority is as good as its certificates.
            if good && when < "2026-02-10" {
                let verdict = judge(&one(&bundle), policy(both(Some("2026-01-31T00:00:00Z"))));
                assert!(verdict.is_err(), "{verdict:?}");
            }
        }
    }
    let listed = both(None).trusted();
    assert_eq!(listed.len(), 10);
    let ended: Vec<_> = both(Some("2026-02-15T00:00:00Z"))
        .trusted()
        .into_iter()
        .filter(|one| !one.is_trusted_at(now()))
        .collect();
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0].certificates.len(), 2);
    assert_eq!(
        ended[0].certificates[0].subject,
        "weir stand-in intermediate, weir stand-in"
    );
    let (_, until) = ended[0].certificates[0].valid.unwrap();
    assert_eq!(until, at("2026-02-10T00:00:00Z"));
}

#[test]
fn n35_timestamps_count_by_a_trusted_authority_and_for_this_signature_only() {
    let sigstore = sigstore();
    let good = bundle(&sigstore, Rekor::V2);
    let signature = STANDARD
        .decode(good["dsseEnvelope"]["signatures"][0]["sig"].as_str().unwrap())
        .unwrap();
    let stamped = |stamps: Value| {
        let mut changed = good.clone();
        changed["verificationMaterial"]["timestampVerificationData"] = stamps;
        changed
    };
    let stranger = self::sigstore();
    refused_for(
        Part::Timestamp,
        &stamped(stranger.stamps(&signature, signed_at())),
        root(&sigstore),
    );
    refused_for(
        Part::Timestamp,
        &stamped(sigstore.stamps(b"another", signed_at())),
        root(&sigstore),
    );
    refused_for(Part::Timestamp, &stamped(json!({})), root(&sigstore));
    let late = signed_at() + jiff::SignedDuration::from_mins(11);
    refused_for(
        Part::Certificate,
        &stamped(sigstore.stamps(&signature, late)),
        root(&sigstore),
    );
    // One bad timestamp beside a good one is a bad sign.
    let mut both = good["verificationMaterial"]["timestampVerificationData"].clone();
    let bad = stranger.stamps(&signature, signed_at())["rfc3161Timestamps"][0].clone();
    both["rfc3161Timestamps"].as_array_mut().unwrap().push(bad);
    refused_for(Part::Timestamp, &stamped(both), root(&sigstore));

    let before = json!({ "start": "2026-01-01T00:00:00Z", "end": "2026-02-01T11:59:59Z" });
    let ended = changed_root(&sigstore, |json| {
        json["timestampAuthorities"][0]["validFor"] = before;
    });
    refused_for(Part::Timestamp, &good, ended);
    let none = changed_root(&sigstore, |json| json["timestampAuthorities"] = json!([]));
    refused_for(Part::Timestamp, &good, none);
}

#[test]
fn n36_what_cannot_be_read_or_is_not_there_is_no_signature() {
    let sigstore = sigstore();
    let at = signed_at();
    for (payload, reason) in [
        (b"not json".to_vec(), "failed to parse in-toto statement"),
        (b"{}".to_vec(), "failed to parse in-toto statement"),
    ] {
        let bundle = sigstore.sign_statement(&holder(), &payload, at, Rekor::V1);
        let why = judge(&one(&bundle), policy(root(&sigstore)))
            .unwrap_err()
            .to_string();
        assert!(why.contains(reason), "{why}");
    }
    let text = sigstore.sign_envelope(&holder(), "text/plain", &statement(digest()), at, Rekor::V1);
    assert!(judge(&one(&text), policy(root(&sigstore))).is_err());

    let mut unlogged = bundle(&sigstore, Rekor::V2);
    unlogged["verificationMaterial"]["tlogEntries"] = json!([]);
    refused_for(Part::LogEntry, &unlogged, root(&sigstore));
    let mut empty = bundle(&sigstore, Rekor::V1);
    empty["verificationMaterial"]["certificate"]["rawBytes"] = "".into();
    assert!(judge(&one(&empty), policy(root(&sigstore))).is_err());
    let mut chain = bundle(&sigstore, Rekor::V1);
    let material = chain["verificationMaterial"].as_object_mut().unwrap();
    material.remove("certificate").unwrap();
    material.insert("x509CertificateChain".to_owned(), json!({ "certificates": [] }));
    assert!(judge(&one(&chain), policy(root(&sigstore))).is_err());

    let good = legacy(&sigstore, &payload(digest()));
    for break_it in [
        (|m: &mut PayloadMaterial| m.certificate = None) as fn(&mut PayloadMaterial),
        |m| m.certificate = Some(String::new()),
        |m| m.log_entry = None,
        |m| m.log_entry = Some("{}".to_owned()),
        |m| m.chain = Some("-----BEGIN CERTIFICATE-----".to_owned()),
        |m| m.timestamp = Some("{}".to_owned()),
    ] {
        let mut broken = good.clone();
        break_it(&mut broken.material);
        assert!(
            judge(&payloads(broken.clone()), policy(root(&sigstore))).is_err(),
            "{:?}",
            broken.material
        );
    }
}

#[test]
fn n36_keys_and_identities_are_not_taken_for_each_other() {
    let sigstore = sigstore();
    let by_key = judge(&set(&["good-p256"], &[]), policy(root(&sigstore))).unwrap_err();
    assert_eq!(by_key, Rejection::Key);
    let by_key = judge(&set(&[], &["good-p256"]), policy(root(&sigstore))).unwrap_err();
    assert_eq!(by_key, Rejection::Key);
    let bundle = one(&bundle(&sigstore, Rekor::V1));
    let error = verify(&target(), &bundle, &Policy::Keys(keys(&["p256"])), now()).unwrap_err();
    assert_eq!(error.refused[0].reason, Rejection::Certificate);
    // The key of a signature that is not logged is not enough where a log is asked for.
    let logged = Policy::Keys(keys(&["p256"]).in_log_of(root(&sigstore)));
    assert!(verify(&target(), &set(&["good-p256"], &[]), &logged, now()).is_err());
}

#[test]
fn n36_another_instance_is_not_trusted() {
    let (ours, theirs) = (sigstore(), sigstore());
    refused_for(Part::LogEntry, &bundle(&theirs, Rekor::V1), root(&ours));
    // Logged with us, but certified elsewhere.
    let mut mixed = bundle(&theirs, Rekor::V1);
    mixed["verificationMaterial"]["tlogEntries"] = json!([ours.log(&mixed, signed_at(), Rekor::V1)]);
    refused_for(Part::Certificate, &mixed, root(&ours));
    // Certified by us, but published in a log of certificates that is not ours.
    let root = changed_root(&ours, |json| {
        json["ctlogs"] = theirs.trusted_root()["ctlogs"].clone();
    });
    refused_for(Part::CertificateLog, &bundle(&ours, Rekor::V1), root);
}

#[test]
fn n37_a_statement_about_something_else_or_of_another_kind_is_refused() {
    let sigstore = sigstore();
    let mut provenance = Statement::cosign_signature(digest());
    provenance.predicate_type = "https://slsa.dev/provenance/v1".to_owned();
    let payload = serde_json::to_vec(&provenance).unwrap();
    let bundle = sigstore.sign_statement(&holder(), &payload, signed_at(), Rekor::V2);
    let only = |kind: &str| {
        policy(root(&sigstore)).with_predicate_types(PredicateTypes::OneOf([kind.to_owned()].into()))
    };
    assert!(judge(&one(&bundle), only("https://slsa.dev/provenance/v1")).is_ok());
    assert_eq!(
        judge(&one(&bundle), only(weir_verify::COSIGN_SIGN_PREDICATE)).unwrap_err(),
        Rejection::PredicateType("https://slsa.dev/provenance/v1".to_owned())
    );
    let other = sigstore.sign_statement(&holder(), &statement(Digest::of(b"x")), signed_at(), Rekor::V2);
    assert_eq!(
        judge(&one(&other), policy(root(&sigstore))).unwrap_err(),
        Rejection::OtherArtifact
    );
}

#[test]
fn n38_issuer_and_subject_must_both_match() {
    let sigstore = sigstore();
    let set = one(&bundle(&sigstore, Rekor::V1));
    let by = |issuer: &str, subject: &str| {
        let identity = Identity::patterns(issuer, subject).unwrap();
        judge(&set, IdentityPolicy::new(root(&sigstore), [identity]).unwrap())
    };
    // Found anywhere, as Go's MatchString and so as Flux.
    assert!(by("githubusercontent", "org/app").is_ok());
    assert!(
        by(
            r"^https://token\.actions\.githubusercontent\.com$",
            r"^https://github\.com/org/app/"
        )
        .is_ok()
    );
    for (issuer, subject) in [
        (r"^https://gitlab\.com$", "org/app"),
        ("githubusercontent", "org/other"),
        (r"^githubusercontent", "org/app"),
        ("githubusercontent", "(?-i)ORG/APP"),
        (
            r"^https://token\.actions\.githubusercontent\.com$",
            r"^https://github\.com/org/app$",
        ),
    ] {
        let reason = by(issuer, subject).unwrap_err();
        assert_eq!(
            reason,
            Rejection::OtherIdentity {
                subjects: vec![SUBJECT.to_owned()],
                issuer: ISSUER.to_owned()
            },
        );
    }
    assert_eq!(
        by("gitlab", "org").unwrap_err().to_string(),
        format!("signed by \"{SUBJECT}\" (issuer \"{ISSUER}\"), which is none of the identities asked for")
    );
    assert!(Identity::patterns("", "a").is_err());
    assert!(Identity::patterns("a", "").is_err());
    assert!(Identity::patterns("a", "(").is_err());
    assert!(IdentityPolicy::new(root(&sigstore), []).is_err());
    let loose = Identity::patterns("githubusercontent", "github.com/org")
        .unwrap()
        .warnings();
    assert!(
        loose.iter().any(|text| text.contains("any character")),
        "{loose:?}"
    );
}

#[test]
fn n38_look_alikes_and_hidden_lines_match_nothing() {
    let sigstore = sigstore();
    // A Cyrillic letter in an address; a line that ends before the part that is trusted.
    for subject in [
        "https://github.com/\u{43e}rg/app",
        "https://evil.example/\nhttps://github.com/org/app",
        "https://github.com/org/app\0",
    ] {
        let forged = Holder::new(ISSUER, subject);
        let bundle = sigstore.sign_statement(&forged, &statement(digest()), signed_at(), Rekor::V1);
        let all = Identity::patterns("(?s).*", "(?s).*").unwrap();
        let policy = IdentityPolicy::new(root(&sigstore), [all]).unwrap();
        assert!(judge(&one(&bundle), policy).is_err(), "{subject:?}");
    }
}

#[test]
fn n39_one_good_signature_by_any_identity_is_enough() {
    let sigstore = sigstore();
    let stranger = Holder::new("https://accounts.example", "somebody@example.org");
    let bad = sigstore.sign_statement(&stranger, &statement(digest()), signed_at(), Rekor::V1);
    let good = bundle(&sigstore, Rekor::V2);
    let mixed = SignatureSet {
        bundles: vec![found(&bad), found(&good)],
        ..SignatureSet::default()
    };
    let verified = judge(&mixed, policy(root(&sigstore))).unwrap();
    assert_eq!(verified.evidence().passed_over.len(), 1);
    assert_eq!(verified.evidence().source, found(&good).manifest);

    let either = [
        Identity::exact(ISSUER, SUBJECT).unwrap(),
        Identity::exact("https://accounts.example", "somebody@example.org").unwrap(),
    ];
    let either = IdentityPolicy::new(root(&sigstore), either).unwrap();
    assert!(judge(&one(&bad), either.clone()).is_ok());
    assert!(judge(&one(&good), either).is_ok());
    // Each identity is a pair: the issuer of one with the subject of the other is nobody.
    let crossed = Holder::new("https://accounts.example", SUBJECT);
    let crossed = sigstore.sign_statement(&crossed, &statement(digest()), signed_at(), Rekor::V1);
    let both = [
        Identity::exact(ISSUER, SUBJECT).unwrap(),
        Identity::exact("https://accounts.example", "somebody@example.org").unwrap(),
    ];
    assert!(
        judge(
            &one(&crossed),
            IdentityPolicy::new(root(&sigstore), both).unwrap()
        )
        .is_err()
    );
    assert!(
        judge(
            &one(&crossed),
            IdentityPolicy::any_identity_unsafe(root(&sigstore))
        )
        .is_ok()
    );
}

#[test]
fn n40_a_signature_is_good_for_its_own_artifact_only() {
    let sigstore = sigstore();
    let copied = legacy(&sigstore, &payload(Digest::of(b"another")));
    assert_eq!(
        judge(&payloads(copied), policy(root(&sigstore))).unwrap_err(),
        Rejection::OtherArtifact
    );
    let mut swapped = legacy(&sigstore, &payload(Digest::of(b"another")));
    swapped.content = payload(digest());
    assert!(judge(&payloads(swapped), policy(root(&sigstore))).is_err());

    let elsewhere = SimpleSigning::new(
        &"registry.example/other/app".parse().unwrap(),
        digest(),
        [].into(),
    );
    let elsewhere = payloads(legacy(&sigstore, &elsewhere.to_json().unwrap()));
    assert!(judge(&elsewhere, policy(root(&sigstore))).is_ok());
    assert_eq!(
        judge(&elsewhere, policy(root(&sigstore)).for_same_repository_only()).unwrap_err(),
        Rejection::OtherRepository("registry.example/other/app".to_owned())
    );
}

#[test]
fn n44_names_outside_an_authoritys_constraints_are_refused() {
    let options = Options {
        only_domain: Some("example.org".to_owned()),
        ..Options::default()
    };
    let constrained = Sigstore::with(at("2026-01-01T00:00:00Z"), &options);
    // Constraints on such names are not understood, so they shut everybody out, the permitted too.
    for subject in [
        "https://evil.example/app",
        "a@evil.example",
        "https://example.org/app",
        "a@example.org",
    ] {
        let holder = Holder::new(ISSUER, subject);
        let anyone = |sigstore: &Sigstore| {
            let bundle = sigstore.sign_statement(&holder, &statement(digest()), signed_at(), Rekor::V1);
            judge(&one(&bundle), IdentityPolicy::any_identity_unsafe(root(sigstore)))
        };
        let reason = anyone(&constrained).unwrap_err();
        assert!(
            matches!(&reason, Rejection::Untrusted(why) if why.part == Part::Certificate),
            "{reason}"
        );
        assert!(anyone(&sigstore()).is_ok());
    }
}

#[test]
fn n45_nothing_unknown_is_passed_over() {
    let sigstore = sigstore();
    let mut unknown = bundle(&sigstore, Rekor::V1);
    unknown["verificationMaterial"]["trustMe"] = true.into();
    assert!(matches!(
        judge(&one(&unknown), policy(root(&sigstore))),
        Err(Rejection::Bundle(_))
    ));
    let read = |change: fn(&mut Value)| {
        let mut json = sigstore.trusted_root();
        change(&mut json);
        TrustRoot::from_json(json.to_string().as_bytes()).unwrap_err()
    };
    assert!(matches!(
        read(|json| json["mediaType"] = "text/plain".into()),
        InvalidTrustRoot::MediaType(_)
    ));
    assert!(matches!(
        read(|json| json["tlogs"] = json!([])),
        InvalidTrustRoot::NoLog
    ));
    assert!(matches!(
        read(|json| json["tlogs"][0]["publicKey"]["validFor"] = json!({})),
        InvalidTrustRoot::Malformed(_)
    ));
    assert!(matches!(
        read(|json| json["certificateAuthorities"] = json!([])),
        InvalidTrustRoot::NoAuthority
    ));
    assert!(TrustRoot::from_json(b"{").is_err());
}

#[test]
fn n23_every_part_of_a_policy_is_in_its_fingerprint() {
    let sigstore = sigstore();
    let root = root(&sigstore);
    let identity = |issuer: &str, subject: &str| {
        IdentityPolicy::new(root.clone(), [Identity::exact(issuer, subject).unwrap()]).unwrap()
    };
    let pattern = |issuer: &str, subject: &str| {
        IdentityPolicy::new(root.clone(), [Identity::patterns(issuer, subject).unwrap()]).unwrap()
    };
    let policies = [
        Policy::Identities(identity("a", "b")),
        Policy::Identities(identity("ab", "c")),
        Policy::Identities(identity("a", "bc")),
        Policy::Identities(pattern("a", "b")),
        Policy::Identities(identity("a", "b").for_same_repository_only()),
        Policy::Identities(identity("a", "b").in_distinct_logs(2.try_into().unwrap())),
        Policy::Identities(
            identity("a", "b").with_predicate_types(PredicateTypes::OneOf(["x".to_owned()].into())),
        ),
        Policy::Identities(IdentityPolicy::any_identity_unsafe(root.clone())),
        Policy::Identities(IdentityPolicy::any_identity_unsafe(TrustRoot::public_good())),
        Policy::Keys(keys(&["p256"])),
        Policy::Keys(keys(&["p384"])),
        Policy::Keys(keys(&["p256", "p384"])),
        Policy::Keys(keys(&["p256"]).in_log_of(root.clone())),
    ];
    let fingerprints: std::collections::BTreeSet<_> = policies.iter().map(Policy::fingerprint).collect();
    assert_eq!(fingerprints.len(), policies.len());
    assert_eq!(
        Policy::Identities(identity("a", "b")).fingerprint(),
        policies[0].fingerprint()
    );
}

#[test]
fn the_shipped_root_is_the_crates() {
    let theirs = sigstore_verify::trust_root::SIGSTORE_PRODUCTION_TRUSTED_ROOT;
    assert_eq!(
        TrustRoot::public_good().fingerprint(),
        Digest::of(theirs.as_bytes())
    );
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(36),
        cases: 200,
        ..ProptestConfig::default()
    })]

    #[test]
    fn n36_no_change_of_a_certificate_or_entry_panics_or_lends_a_signature(at in 0_usize..100_000, bit in 0_u8..8, field in 0_usize..5) {
        let sigstore = sigstore();
        let mut changed = bundle(&sigstore, Rekor::V2);
        let material = &mut changed["verificationMaterial"];
        let value = match field {
            0 => &mut material["certificate"]["rawBytes"],
            1 => &mut material["tlogEntries"][0]["canonicalizedBody"],
            2 => &mut material["timestampVerificationData"]["rfc3161Timestamps"][0]["signedTimestamp"],
            3 => &mut changed["dsseEnvelope"]["payload"],
            _ => &mut changed["dsseEnvelope"]["signatures"][0]["sig"],
        };
        let mut bytes = STANDARD.decode(value.as_str().unwrap()).unwrap();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        *value = STANDARD.encode(bytes).into();
        // A timestamp's wrapping is not signed; everything else here is.
        if field != 2 {
            prop_assert!(judge(&one(&changed), policy(root(&sigstore))).is_err());
        } else if let Ok(verified) = judge(&one(&changed), policy(root(&sigstore))) {
            let same = matches!(verified.evidence().signer, Signer::Identity { signed_at: time, .. } if time == signed_at());
            prop_assert!(same);
        }
    }
}
