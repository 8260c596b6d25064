//! Private keys, as cosign makes and reads them.

use std::collections::BTreeMap;

use weir_redact::{SecretBytes, SecretString};
use weir_trust::{KEY_ENTRY, KeyError, PASSWORD_ENTRY, PUBLIC_KEY_ENTRY, SecretError, SigningKey};
use weir_verify::PublicKey;

use crate::support::{case, cosign_key, password, plain_key};

#[test]
fn keys_that_cosign_encrypted_are_read_and_sign() {
    for name in ["p256", "p521", "rsa", "ed25519", "p256-old-label"] {
        let key = cosign_key(name);
        let public = case(&format!("keys/{}.pub", name.trim_end_matches("-old-label")));
        assert_eq!(*key.public_key(), PublicKey::from_pem(&public).unwrap(), "{name}");
        let signature = key.sign(b"message").unwrap();
        assert!(key.public_key().verifies(b"message", &signature), "{name}");
        assert!(!key.public_key().verifies(b"another", &signature), "{name}");
    }
}

#[test]
fn a_key_is_written_encrypted_and_read_back() {
    let key = SigningKey::generate().unwrap();
    let pem = key
        .to_encrypted_pem(&SecretString::from("correct horse"))
        .unwrap();
    assert!(pem.starts_with("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n"));
    let read = SigningKey::from_pem(&pem, Some(&SecretString::from("correct horse"))).unwrap();
    assert_eq!(read.public_key(), key.public_key());
    let wrong = SigningKey::from_pem(&pem, Some(&SecretString::from("wrong")));
    assert_eq!(wrong.unwrap_err(), KeyError::WrongPassword);
}

#[test]
fn a_plain_key_needs_no_password() {
    for name in ["p256", "p521", "rsa", "ed25519"] {
        let public = PublicKey::from_pem(&case(&format!("keys/{name}.pub"))).unwrap();
        assert_eq!(*plain_key(name).public_key(), public, "{name}");
    }
}

#[test]
fn what_is_no_usable_key_is_refused() {
    let refused =
        |pem: &str, password: Option<&SecretString>| SigningKey::from_pem(pem, password).unwrap_err();
    assert_eq!(refused("", None), KeyError::NoPrivateKey);
    assert_eq!(refused(&case("keys/p256.pub"), None), KeyError::NoPrivateKey);
    assert_eq!(refused(&case("keys/sec1-p256.pem"), None), KeyError::NoPrivateKey);
    assert_eq!(refused(&case("keys/p256.key"), None), KeyError::PasswordNeeded);
    assert_eq!(
        refused(&case("keys/p384.key"), Some(&password())),
        KeyError::Unsupported
    );
    assert_eq!(
        refused(
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
            None
        ),
        KeyError::Unsupported
    );
    assert_eq!(
        refused("-----BEGIN PRIVATE KEY-----\nAAAA", None),
        KeyError::MalformedPem
    );
}

/// A key file with this JSON in it.
fn encrypted(json: &str) -> String {
    use base64::Engine as _;
    let body = base64::engine::general_purpose::STANDARD.encode(json);
    format!(
        "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n{body}\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n"
    )
}

#[test]
fn costs_out_of_bounds_and_other_ciphers_are_refused() {
    let json = |kdf: &str, n: u64, cipher: &str| {
        encrypted(&format!(
            r#"{{"kdf":{{"name":"{kdf}","params":{{"N":{n},"r":8,"p":1}},"salt":"AAAA"}},"cipher":{{"name":"{cipher}","nonce":"AAAA"}},"ciphertext":"AAAA"}}"#
        ))
    };
    let refused = |pem: &str| SigningKey::from_pem(pem, Some(&password())).unwrap_err();
    assert_eq!(
        refused(&json("scrypt", 1 << 30, "nacl/secretbox")),
        KeyError::UnsupportedEncryption
    );
    assert_eq!(
        refused(&json("scrypt", 65_535, "nacl/secretbox")),
        KeyError::UnsupportedEncryption
    );
    assert_eq!(
        refused(&json("scrypt", 0, "nacl/secretbox")),
        KeyError::UnsupportedEncryption
    );
    assert_eq!(
        refused(&json("argon2", 65_536, "nacl/secretbox")),
        KeyError::UnsupportedEncryption
    );
    assert_eq!(
        refused(&json("scrypt", 65_536, "aes")),
        KeyError::UnsupportedEncryption
    );
    assert_eq!(
        refused(&json("scrypt", 65_536, "nacl/secretbox")),
        KeyError::MalformedEncryption
    );
    assert_eq!(refused(&encrypted("{}")), KeyError::MalformedEncryption);
}

#[test]
fn n56_a_key_prints_as_its_public_key() {
    let key = plain_key("p256");
    assert_eq!(format!("{key:?}"), format!("SigningKey({:?})", key.public_key()));
}

#[test]
fn a_pair_goes_into_a_secret_and_comes_back() {
    let key = SigningKey::generate().unwrap();
    let data = key.to_secret_data(&password()).unwrap();
    assert_eq!(
        data.keys().map(String::as_str).collect::<Vec<_>>(),
        [KEY_ENTRY, PASSWORD_ENTRY, PUBLIC_KEY_ENTRY]
    );
    assert_eq!(
        SigningKey::from_secret_data(&data).unwrap().public_key(),
        key.public_key()
    );
}

#[test]
fn a_secret_with_missing_or_foreign_entries_is_refused() {
    let entry = |name: &str, text: String| (name.to_owned(), SecretBytes::from(text.into_bytes()));
    assert_eq!(
        SigningKey::from_secret_data(&BTreeMap::new()).unwrap_err(),
        SecretError::Missing(KEY_ENTRY)
    );
    let mut data = BTreeMap::from([entry(KEY_ENTRY, case("keys/p256.key"))]);
    assert_eq!(
        SigningKey::from_secret_data(&data).unwrap_err(),
        SecretError::Key(KeyError::WrongPassword)
    );
    data.extend([
        entry(PASSWORD_ENTRY, "pw".to_owned()),
        entry(PUBLIC_KEY_ENTRY, case("keys/rsa.pub")),
    ]);
    assert_eq!(
        SigningKey::from_secret_data(&data).unwrap_err(),
        SecretError::OtherPublicKey
    );
    data.extend([entry(PUBLIC_KEY_ENTRY, case("keys/p256.pub"))]);
    assert!(SigningKey::from_secret_data(&data).is_ok());
}
