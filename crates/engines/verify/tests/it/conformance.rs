//! The bundles of sigstore-conformance, as far as they concern keys: they are read or refused for what they are,
//! and none of them, being about files or signed with certificates, counts for an artifact.

use std::path::PathBuf;

use weir_oci::Digest;
use weir_verify::{Bundle, FoundBundle, KeyPolicy, Policy, PublicKey, SignatureSet, Target, verify};

use crate::cases::key;

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

/// What cannot even be read. The good ones are of versions 0.1 and 0.2, which cosign reads for files but which do
/// not count in a registry.
const UNREADABLE: &[&str] = &[
    "bundle-invalid-base64-signature_fail",
    "bundle-malformed-json_fail",
    "bundle-unknown-version_fail",
    "happy-path-v0.1",
    "intoto-with-custom-trust-root",
    "trust-root-tlog-validity-end-inclusive",
];

#[test]
fn n36_bundles_are_read_or_refused_and_none_counts_for_an_artifact() {
    let Some(suite) = suite() else { return };
    let (mut read, mut refused, mut unexpected) = (0, 0, Vec::new());
    for entry in std::fs::read_dir(&suite).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let content = std::fs::read(folder.join("bundle.sigstore.json")).unwrap();
        match Bundle::from_json(&content) {
            Ok(_) => read += 1,
            Err(_) => refused += 1,
        }
        if Bundle::from_json(&content).is_err()
            && !name.ends_with("_fail")
            && !UNREADABLE.contains(&name.as_str())
        {
            unexpected.push(format!("{name}: {:?}", Bundle::from_json(&content)));
        }
        if UNREADABLE.contains(&name.as_str()) && Bundle::from_json(&content).is_ok() {
            unexpected.push(format!("{name} was read"));
        }
        let pem = std::fs::read_to_string(folder.join("key.pub")).ok();
        let key = pem.map_or_else(|| key("p256"), |pem| PublicKey::from_pem(&pem).unwrap());
        let policy = Policy::Keys(KeyPolicy::new([("key.pub".to_owned(), key)]).unwrap());
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
            payloads: Vec::new(),
        };
        if verify(&target, &set, &policy).is_ok() {
            unexpected.push(format!("{name} counts"));
        }
    }
    println!("sigstore: {read} bundles read, {refused} refused while reading, none counts for an artifact");
    assert!(unexpected.is_empty(), "{}", unexpected.join("\n"));
}
