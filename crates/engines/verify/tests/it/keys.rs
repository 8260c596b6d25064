//! Reading public keys.

use proptest::prelude::*;
use weir_verify::{Algorithm, InvalidKey, PublicKey};

use crate::cases::{key, read};

#[test]
fn every_kind_that_cosign_takes_is_read_and_written_back() {
    let kinds = [
        ("p256", Algorithm::EcdsaP256),
        ("p384", Algorithm::EcdsaP384),
        ("p521", Algorithm::EcdsaP521),
        ("rsa", Algorithm::Rsa),
        ("ed25519", Algorithm::Ed25519),
    ];
    for (name, algorithm) in kinds {
        let key = key(name);
        assert_eq!(key.algorithm(), algorithm, "{name}");
        assert_eq!(
            key.to_pem().as_bytes(),
            read(&format!("keys/{name}.pub")),
            "{name}"
        );
        assert_eq!(PublicKey::from_pem(&key.to_pem()), Ok(key), "{name}");
    }
    assert_eq!(key("rsa-pkcs1"), key("rsa"));
}

#[test]
fn the_fingerprint_is_cosigns_hint() {
    // From a bundle and its key that cosign 3.1.3 made.
    let pem = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEyd0ndMp9d+tU0l52eIZ4UNpjEjIu
urHEODEIDI54yvq0+j/gHFndFvLWRcA1tl0udUDRgxDDQk49xvERHoUOVA==
-----END PUBLIC KEY-----";
    let key = PublicKey::from_pem(pem).unwrap();
    assert_eq!(
        key.fingerprint().hint(),
        "1OjDV96bNlG3MEF5f7NDeCB1xhRuhLBU3TdCi+UY88Y="
    );
}

#[test]
fn n36_what_is_no_usable_key_is_refused() {
    let refused = |pem: &str| PublicKey::from_pem(pem).unwrap_err();
    assert_eq!(refused(""), InvalidKey::NoPublicKey);
    assert_eq!(refused("cosign.pub"), InvalidKey::NoPublicKey);
    assert_eq!(
        refused(
            "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----"
        ),
        InvalidKey::NoPublicKey
    );
    assert_eq!(
        refused("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"),
        InvalidKey::NoPublicKey
    );
    assert_eq!(
        refused("-----BEGIN PUBLIC KEY-----\nAAAA"),
        InvalidKey::MalformedPem
    );
    assert_eq!(
        refused("-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----"),
        InvalidKey::MalformedPem
    );
    assert_eq!(
        refused("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"),
        InvalidKey::MalformedKey
    );
    let p224 = String::from_utf8(read("keys/p224.pub")).unwrap();
    assert_eq!(refused(&p224), InvalidKey::Unsupported);
}

#[test]
fn n36_a_point_off_the_curve_is_refused() {
    let mut der = key("p256").to_der().to_vec();
    *der.last_mut().unwrap() ^= 1;
    assert_eq!(PublicKey::from_der(&der).unwrap_err(), InvalidKey::Invalid);
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(36),
        ..ProptestConfig::default()
    })]

    #[test]
    fn n36_no_bytes_panic(mut at in 0_usize..91, byte: u8, cut in 0_usize..91) {
        let mut der = key("p256").to_der().to_vec();
        at %= der.len();
        der[at] = byte;
        drop(PublicKey::from_der(&der));
        der.truncate(cut);
        drop(PublicKey::from_der(&der));
    }
}
