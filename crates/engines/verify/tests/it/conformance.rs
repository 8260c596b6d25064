//! The bundles of sigstore-conformance: those that must verify do, and the others are refused for what is wrong
//! with them.

use std::path::{Path, PathBuf};

use weir_oci::Digest;
use weir_verify::{
    Blob, FoundBundle, Identity, IdentityPolicy, KeyPolicy, Part, Policy, PublicKey, Rejection, SignatureSet,
    Target, TrustRoot, verify, verify_blob,
};

use crate::cases::now;

/// Whom the suite's signatures are by where a case does not say.
const BEACON: &str = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";
/// Who vouches for it.
const ISSUER: &str = "https://token.actions.githubusercontent.com";

/// What is wrong with each case that must fail, as its README says.
const WRONG: &[(&str, Wrong)] = &[
    ("bundle-from-wrong-instance_fail", Wrong::Part(Part::LogEntry)),
    ("bundle-invalid-base64-signature_fail", Wrong::Reading("base64")),
    ("bundle-malformed-json_fail", Wrong::Reading("EOF")),
    ("bundle-negative-log-index_fail", Wrong::Reading("negative")),
    ("bundle-unknown-version_fail", Wrong::Reading("version")),
    ("checkpoint-bad-keyhint_fail", Wrong::Part(Part::Checkpoint)),
    ("checkpoint-wrong-roothash_fail", Wrong::Part(Part::Checkpoint)),
    ("dsse-mismatch-envelope_fail", Wrong::Part(Part::LogEntry)),
    ("dsse-mismatch-sig_fail", Wrong::Part(Part::LogEntry)),
    (
        "inclusion-proof-corrupted-hash_fail",
        Wrong::Part(Part::InclusionProof),
    ),
    // The log's promise is over the entry, so it is what no longer holds when the key in the entry is changed.
    ("incorrect-public-key_fail", Wrong::Part(Part::InclusionPromise)),
    ("integrated-time-in-future_fail", Wrong::Part(Part::Certificate)),
    ("intoto-expired-certificate_fail", Wrong::Part(Part::Certificate)),
    ("intoto-log-entry-mismatch_fail", Wrong::Part(Part::LogEntry)),
    (
        "intoto-missing-inclusion-proof_fail",
        Wrong::Part(Part::InclusionProof),
    ),
    ("invalid-inclusion-proof_fail", Wrong::Part(Part::InclusionProof)),
    ("message-digest-mismatch_fail", Wrong::Part(Part::Artifact)),
    (
        "rekor2-checkpoint-missing-log-signature_fail",
        Wrong::Reading("Invalid checkpoint format"),
    ),
    (
        "rekor2-checkpoint-missing-origin_fail",
        Wrong::Reading("Invalid checkpoint format"),
    ),
    (
        "rekor2-checkpoint-missing-root-hash_fail",
        Wrong::Reading("Invalid checkpoint format"),
    ),
    (
        "rekor2-checkpoint-no-matching-signature_fail",
        Wrong::Part(Part::Checkpoint),
    ),
    ("rekor2-dsse-invalid-sig_fail", Wrong::Part(Part::Signature)),
    ("rekor2-dsse-mismatch-envelope_fail", Wrong::Part(Part::LogEntry)),
    ("rekor2-dsse-mismatch-sig_fail", Wrong::Part(Part::LogEntry)),
    (
        "rekor2-no-inclusion-proof_fail",
        Wrong::Part(Part::InclusionProof),
    ),
    ("rekor2-no-timestamp_fail", Wrong::Part(Part::Timestamp)),
    (
        "rekor2-timestamp-outside-trust-root-tsa-validity_fail",
        Wrong::Part(Part::Timestamp),
    ),
    (
        "rekor2-timestamp-outside-tsa-cert-validity_fail",
        Wrong::Part(Part::Timestamp),
    ),
    (
        "rekor2-timestamp-payload-mismatch_fail",
        Wrong::Part(Part::Timestamp),
    ),
    (
        "rekor2-timestamp-untrusted-tsa-with-embedded-cert_fail",
        Wrong::Part(Part::Timestamp),
    ),
    (
        "rekor2-timestamp-untrusted-tsa-without-embedded-cert_fail",
        Wrong::Part(Part::Timestamp),
    ),
    (
        "rekor2-timestamp-with-incorrect-time_fail",
        Wrong::Part(Part::Certificate),
    ),
    ("set-invalid-signature_fail", Wrong::Part(Part::InclusionPromise)),
    ("signature-mismatch_fail", Wrong::Part(Part::Signature)),
    ("trust-root-tlog-missing-validity-start_fail", Wrong::Root),
    ("wrong-hashedrekord-artifact_fail", Wrong::Part(Part::LogEntry)),
    (
        "wrong-hashedrekord-cert-and-sig_fail",
        Wrong::Part(Part::LogEntry),
    ),
    ("wrong-hashedrekord-entry_fail", Wrong::Part(Part::LogEntry)),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Wrong {
    /// A part of the evidence.
    Part(Part),
    /// The bundle cannot be read, and the message says this.
    Reading(&'static str),
    /// The trust root cannot be read.
    Root,
    /// Something else.
    Other,
}

fn suite() -> Option<PathBuf> {
    let root = std::env::var_os("WEIR_CONFORMANCE").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/conformance"),
        PathBuf::from,
    );
    let suite = root.join("sigstore");
    if suite.is_dir() {
        return Some(suite);
    }
    println!("not run: no conformance data sigstore");
    None
}

fn cases(suite: &Path) -> Vec<(String, PathBuf)> {
    let entries = std::fs::read_dir(suite).unwrap();
    let mut cases: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .map(|folder| (folder.file_name().unwrap().to_str().unwrap().to_owned(), folder))
        .collect();
    cases.sort();
    cases
}

/// What a case is to be judged by.
fn policy(folder: &Path) -> Result<Policy, String> {
    let text = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
    let root = match std::fs::read(folder.join("trusted_root.json")) {
        Ok(json) => TrustRoot::from_json(&json).map_err(|error| error.to_string())?,
        Err(_) => TrustRoot::public_good(),
    };
    if let Some(pem) = text("key.pub") {
        let key = PublicKey::from_pem(&pem).unwrap();
        let policy = KeyPolicy::new([("key.pub".to_owned(), key)]).unwrap();
        return Ok(Policy::Keys(policy.in_log_of(root)));
    }
    let issuer = text("issuer").unwrap_or_else(|| ISSUER.to_owned());
    let subject = text("identity").unwrap_or_else(|| BEACON.to_owned());
    let identity = Identity::exact(issuer.trim(), subject.trim()).unwrap();
    Ok(Policy::Identities(IdentityPolicy::new(root, [identity]).unwrap()))
}

fn judge(suite: &Path, folder: &Path) -> Result<(), (Wrong, String)> {
    let artifact = std::fs::read(folder.join("artifact"))
        .or_else(|_| std::fs::read(suite.join("../sigstore-assets/a.txt")))
        .unwrap();
    let bundle = std::fs::read(folder.join("bundle.sigstore.json")).unwrap();
    let policy = policy(folder).map_err(|error| (Wrong::Root, error))?;
    let by_content = verify_blob(Blob::Content(&artifact), &bundle, &policy, now());
    // With the digest alone the verdict is the same.
    let by_digest = verify_blob(Blob::Digest(Digest::of(&artifact)), &bundle, &policy, now());
    assert_eq!(by_content, by_digest, "{}", folder.display());
    match by_content {
        Ok(_) => Ok(()),
        Err(Rejection::Untrusted(untrusted)) => Err((Wrong::Part(untrusted.part), untrusted.detail)),
        Err(other) => Err((Wrong::Other, other.to_string())),
    }
}

#[test]
fn n36_the_conformance_bundles_verify_or_are_refused_for_what_is_wrong() {
    let Some(suite) = suite() else { return };
    let (mut verified, mut refused, mut unexpected) = (0, 0, Vec::new());
    for (name, folder) in cases(&suite) {
        let wanted = WRONG
            .iter()
            .find(|(case, _)| *case == name)
            .map(|(_, wrong)| *wrong);
        if wanted.is_some() != name.ends_with("_fail") {
            unexpected.push(format!("{name}: no reason is known"));
        }
        match (judge(&suite, &folder), wanted) {
            (Ok(()), None) => verified += 1,
            (Err((Wrong::Part(Part::Bundle), detail)), Some(Wrong::Reading(what)))
                if detail.contains(what) =>
            {
                refused += 1;
            }
            (Err((found, _)), Some(wanted)) if found == wanted => refused += 1,
            (found, wanted) => unexpected.push(format!("{name}: {found:?} instead of {wanted:?}")),
        }
    }
    println!("sigstore: {verified} bundles verified, {refused} refused for the stated reason");
    assert!(unexpected.is_empty(), "{}", unexpected.join("\n"));
}

/// Each bundle is about a file, so in a registry none of them counts, by whatever key or identity.
#[test]
fn n40_no_conformance_bundle_counts_for_an_artifact_in_a_registry() {
    let Some(suite) = suite() else { return };
    for (name, folder) in cases(&suite) {
        let content = std::fs::read(folder.join("bundle.sigstore.json")).unwrap();
        let Ok(policy) = policy(&folder) else { continue };
        let target = Target::new(
            "registry.example/org/app".parse().unwrap(),
            Digest::of(b"artifact"),
        );
        let found = FoundBundle {
            manifest: Digest::of(&content),
            content,
        };
        let set = SignatureSet {
            bundles: vec![found],
            ..SignatureSet::default()
        };
        assert!(verify(&target, &set, &policy, now()).is_err(), "{name}");
    }
}
