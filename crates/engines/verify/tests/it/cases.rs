//! The case files, and how they are put before the engine.

use std::path::PathBuf;

use weir_oci::Digest;
use weir_verify::{
    FoundBundle, FoundPayload, KeyPolicy, NotVerified, PayloadMaterial, Policy, PublicKey, SignatureSet,
    Target, Verified, verify,
};

/// The content of a case file.
pub(crate) fn read(path: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cases")
        .join(path);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names of the cases in a folder, without their ending, in order.
pub(crate) fn names(folder: &str) -> Vec<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cases")
        .join(folder);
    let entries = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut names: Vec<String> = entries
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

/// The time of every verdict that does not say otherwise; after all recorded signatures.
pub(crate) fn now() -> jiff::Timestamp {
    "2026-11-01T00:00:00Z".parse().unwrap()
}

pub(crate) fn digest() -> Digest {
    String::from_utf8(read("DIGEST")).unwrap().trim().parse().unwrap()
}

pub(crate) fn target() -> Target {
    Target::new("registry.example/org/app".parse().unwrap(), digest())
}

pub(crate) fn key(name: &str) -> PublicKey {
    PublicKey::from_pem(&String::from_utf8(read(&format!("keys/{name}.pub"))).unwrap()).unwrap()
}

pub(crate) fn keys(names: &[&str]) -> KeyPolicy {
    KeyPolicy::new(names.iter().map(|name| ((*name).to_owned(), key(name)))).unwrap()
}

pub(crate) fn bundle(name: &str) -> FoundBundle {
    let content = read(&format!("bundles/{name}.json"));
    FoundBundle {
        manifest: Digest::of(&content),
        content,
    }
}

pub(crate) fn payload(name: &str) -> FoundPayload {
    let case: serde_json::Value = serde_json::from_slice(&read(&format!("legacy/{name}.json"))).unwrap();
    let content = case["payload"].as_str().unwrap().as_bytes().to_vec();
    let signature = case["signature"].as_str().unwrap().to_owned();
    FoundPayload {
        layer: Digest::of(&content),
        content,
        signature,
        material: PayloadMaterial::default(),
    }
}

pub(crate) fn set(bundles: &[&str], payloads: &[&str]) -> SignatureSet {
    SignatureSet {
        bundles: bundles.iter().map(|name| bundle(name)).collect(),
        payloads: payloads.iter().map(|name| payload(name)).collect(),
        ..SignatureSet::default()
    }
}

/// The verdict on the usual artifact.
pub(crate) fn verdict(signatures: &SignatureSet, policy: KeyPolicy) -> Result<Verified<Digest>, NotVerified> {
    verify(&target(), signatures, &Policy::Keys(policy), now())
}

/// The reasons for refusing, one a signature.
pub(crate) fn reasons(signatures: &SignatureSet, policy: KeyPolicy) -> Vec<String> {
    let error = verdict(signatures, policy).unwrap_err();
    error
        .refused
        .iter()
        .map(|refused| refused.reason.to_string())
        .collect()
}
