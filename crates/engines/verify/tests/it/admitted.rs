//! Verdicts, what they are carried over to, and policies from Secrets.

use std::collections::BTreeMap;

use weir_oci::Digest;
use weir_verify::{Admitted, Digested, InvalidKey, InvalidKeys, KeyPolicy, Signer};

use crate::cases::{digest, keys, read, set, verdict};

#[derive(Debug)]
struct Artifact(Digest);

impl Digested for Artifact {
    fn digest(&self) -> Digest {
        self.0
    }
}

#[test]
fn a_verdict_is_carried_over_to_the_same_digest_only() {
    let verified = verdict(&set(&["good-p256"], &[]), keys(&["p256"])).unwrap();
    assert!(verified.clone().bind(Artifact(digest())).is_ok());
    let error = verified.bind(Artifact(Digest::of(b"other"))).unwrap_err();
    assert_eq!(error.verified, digest());
}

#[test]
fn n45_the_description_says_whether_anything_was_verified() {
    let verified = Admitted::from(verdict(&set(&["good-p256"], &[]), keys(&["p256"])).unwrap());
    assert!(
        verified
            .describe()
            .starts_with("signature verified: sigstore bundle by key \"p256\" (sha256:")
    );
    assert!(verified.bind(Artifact(digest())).unwrap().evidence().is_some());

    let unverified = Admitted::without_policy(digest());
    assert_eq!(
        unverified.describe(),
        "unverified: no policy asks for a signature"
    );
    assert!(unverified.clone().bind(Artifact(Digest::of(b"other"))).is_err());
    assert!(unverified.bind(Artifact(digest())).unwrap().evidence().is_none());
}

#[test]
fn n36_a_policy_without_keys_cannot_be_made() {
    assert_eq!(
        KeyPolicy::new([]).unwrap_err().to_string(),
        "no public keys to verify with"
    );
}

#[test]
fn a_secrets_public_keys_make_a_policy() {
    let mut data = BTreeMap::from([
        ("one.pub".to_owned(), read("keys/rsa.pub")),
        ("two.pub".to_owned(), read("keys/p256.pub")),
        ("notes".to_owned(), b"no key".to_vec()),
    ]);
    let policy = KeyPolicy::from_secret_data(&data).unwrap();
    let verified = verdict(&set(&["good-p256"], &[]), policy).unwrap();
    assert!(matches!(&verified.evidence().signer, Signer::Key { name, .. } if name == "two.pub"));

    data.insert("three.pub".to_owned(), vec![0xFF]);
    let entry = "three.pub".to_owned();
    let source = InvalidKey::NoPublicKey;
    assert_eq!(
        KeyPolicy::from_secret_data(&data).unwrap_err(),
        InvalidKeys::Key { entry, source }
    );
    let none: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    assert_eq!(
        KeyPolicy::from_secret_data(&none).unwrap_err(),
        InvalidKeys::NoKeys
    );
}
