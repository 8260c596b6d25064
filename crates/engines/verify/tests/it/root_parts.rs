//! Trust roots made of PEM files.

use jiff::Timestamp;
use serde_json::Value;
use weir_standin_sigstore::{Holder, Rekor, Sigstore};
use weir_verify::{
    AuthorityPart, Blob, Identity, IdentityPolicy, InvalidKey, InvalidPart, LogPart, Policy, RootParts,
    TrustRoot, TrustedFor, verify_blob,
};

use crate::cases::{digest, now};

fn pem(label: &str, base64: &Value) -> String {
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        base64.as_str().unwrap()
    )
}

fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn authority(entry: &Value) -> AuthorityPart {
    let chain = entry["certChain"]["certificates"].as_array().unwrap();
    AuthorityPart {
        url: entry["uri"].as_str().unwrap().to_owned(),
        chain: chain
            .iter()
            .map(|one| pem("CERTIFICATE", &one["rawBytes"]))
            .collect(),
        from: None,
        until: None,
    }
}

fn log(entry: &Value, origin: Option<&str>) -> LogPart {
    LogPart {
        url: entry["baseUrl"].as_str().unwrap().to_owned(),
        key: pem("PUBLIC KEY", &entry["publicKey"]["rawBytes"]),
        from: start(),
        until: None,
        origin: origin.map(str::to_owned),
    }
}

fn parts(root: &Value) -> RootParts {
    RootParts {
        certificate_authorities: vec![authority(&root["certificateAuthorities"][0])],
        certificate_logs: vec![log(&root["ctlogs"][0], None)],
        signature_logs: vec![
            log(&root["tlogs"][0], None),
            log(&root["tlogs"][1], Some("sigstore.standin.example")),
        ],
        timestamp_authorities: vec![authority(&root["timestampAuthorities"][0])],
    }
}

#[test]
fn a_root_of_an_instances_own_parts_is_its_root() {
    let sigstore = Sigstore::new(start());
    let mut theirs = sigstore.trusted_root();
    let made = parts(&theirs).to_json().unwrap();
    // Its subjects are of the certificates, which name the root by another name and no organisation.
    for field in ["certificateAuthorities", "timestampAuthorities"] {
        assert!(made[field][0]["subject"]["commonName"].is_string());
        theirs[field][0]["subject"] = made[field][0]["subject"].clone();
    }
    assert_eq!(made, theirs);
    let root = TrustRoot::from_json(made.to_string().as_bytes()).unwrap();
    let holder = Holder::new("https://ci.example", "release@example.org");
    let identity = Identity::exact("https://ci.example", "release@example.org").unwrap();
    let policy = Policy::Identities(IdentityPolicy::new(root, [identity]).unwrap());
    let statement = serde_json::to_vec(&weir_verify::Statement::cosign_signature(digest())).unwrap();
    let at = "2026-02-01T00:00:00Z".parse().unwrap();
    for rekor in [Rekor::V1, Rekor::V2] {
        let bundle = sigstore.sign_statement(&holder, &statement, at, rekor);
        verify_blob(
            Blob::Digest(digest()),
            bundle.to_string().as_bytes(),
            &policy,
            now(),
        )
        .unwrap();
    }
}

#[test]
fn what_makes_no_root_is_refused_by_its_place() {
    let theirs = Sigstore::new(start()).trusted_root();
    let wrong = |change: &dyn Fn(&mut RootParts)| {
        let mut parts = parts(&theirs);
        change(&mut parts);
        let error = parts.to_json().unwrap_err();
        (error.role, error.index, error.why)
    };
    let chain = |parts: &RootParts| -> Vec<String> {
        let blocks = parts.certificate_authorities[0]
            .chain
            .split_inclusive("-----END CERTIFICATE-----\n");
        blocks.map(str::to_owned).collect()
    };
    assert_eq!(
        wrong(&|parts| {
            let chain = chain(parts);
            parts.certificate_authorities[0].chain = format!("{}{}", chain[1], chain[0]);
        }),
        (TrustedFor::Certificates, 0, InvalidPart::Order(1))
    );
    for nothing in [
        "",
        "not PEM",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
    ] {
        assert_eq!(
            wrong(&|parts| parts.timestamp_authorities[0].chain = nothing.to_owned()),
            (TrustedFor::Timestamps, 0, InvalidPart::NoChain)
        );
    }
    let junk = pem("CERTIFICATE", &"AAAA".into());
    assert_eq!(
        wrong(&|parts| parts.certificate_authorities[0].chain = junk.clone()),
        (TrustedFor::Certificates, 0, InvalidPart::Certificate(1))
    );
    assert_eq!(
        wrong(&|parts| parts.signature_logs[1].key = junk.clone()),
        (
            TrustedFor::SignatureLog,
            1,
            InvalidPart::Key(InvalidKey::NoPublicKey)
        )
    );
    let until = "2025-12-31T00:00:00Z".parse().unwrap();
    assert_eq!(
        wrong(&|parts| parts.certificate_logs[0].until = Some(until)),
        (
            TrustedFor::CertificateLog,
            0,
            InvalidPart::Window { from: start(), until }
        )
    );
}
