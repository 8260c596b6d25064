//! How cosign encrypts a private key: the password through scrypt, the key in a NaCl secret box, all in JSON
//! (the format of go-securesystemslib, once of The Update Framework).

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto_secretbox::aead::{Aead as _, KeyInit as _};
use crypto_secretbox::{Key, Nonce, XSalsa20Poly1305};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::KeyError;

const KDF: &str = "scrypt";
const CIPHER: &str = "nacl/secretbox";

/// The cost that cosign writes: 64 MiB and some tenths of a second.
const LOG_N: u8 = 16;
const R: u32 = 8;
const P: u32 = 1;

/// The bounds of what is read. Above them a crafted file could take any memory; cosign itself reads 2¹⁵, 2¹⁶
/// and 2¹⁷.
const LOG_N_READ: std::ops::RangeInclusive<u8> = 10..=18;

const SALT_BYTES: usize = 32;
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

#[derive(Serialize, Deserialize)]
struct Sealed {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Serialize, Deserialize)]
struct Kdf {
    name: String,
    params: Parameters,
    salt: String,
}

#[derive(Serialize, Deserialize)]
struct Parameters {
    #[serde(rename = "N")]
    n: u32,
    r: u32,
    p: u32,
}

#[derive(Serialize, Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

/// Decrypts.
pub(super) fn open(sealed: &[u8], password: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let sealed: Sealed = serde_json::from_slice(sealed).map_err(|_| KeyError::MalformedEncryption)?;
    if sealed.kdf.name != KDF || sealed.cipher.name != CIPHER {
        return Err(KeyError::UnsupportedEncryption);
    }
    let Parameters { n, r, p } = sealed.kdf.params;
    let log_n = u8::try_from(n.checked_ilog2().unwrap_or_default()).unwrap_or_default();
    if !n.is_power_of_two() || !LOG_N_READ.contains(&log_n) || (r, p) != (R, P) {
        return Err(KeyError::UnsupportedEncryption);
    }
    let decode = |text: &str| STANDARD.decode(text).map_err(|_| KeyError::MalformedEncryption);
    let nonce: [u8; NONCE_BYTES] = decode(&sealed.cipher.nonce)?
        .try_into()
        .map_err(|_| KeyError::MalformedEncryption)?;
    let cipher = cipher(password, &decode(&sealed.kdf.salt)?, log_n)?;
    let opened = cipher.decrypt(&Nonce::from(nonce), decode(&sealed.ciphertext)?.as_slice());
    opened.map(Zeroizing::new).map_err(|_| KeyError::WrongPassword)
}

/// Encrypts.
pub(super) fn seal(content: &[u8], password: &[u8]) -> Result<Vec<u8>, KeyError> {
    let mut salt = [0; SALT_BYTES];
    let mut nonce = [0; NONCE_BYTES];
    rand::fill(&mut salt).map_err(|_| KeyError::Crypto)?;
    rand::fill(&mut nonce).map_err(|_| KeyError::Crypto)?;
    let cipher = cipher(password, &salt, LOG_N)?;
    let ciphertext = cipher
        .encrypt(&Nonce::from(nonce), content)
        .map_err(|_| KeyError::Crypto)?;
    let sealed = Sealed {
        kdf: Kdf {
            name: KDF.to_owned(),
            params: Parameters {
                n: 1 << LOG_N,
                r: R,
                p: P,
            },
            salt: STANDARD.encode(salt),
        },
        cipher: Cipher {
            name: CIPHER.to_owned(),
            nonce: STANDARD.encode(nonce),
        },
        ciphertext: STANDARD.encode(ciphertext),
    };
    serde_json::to_vec(&sealed).map_err(|_| KeyError::Crypto)
}

fn cipher(password: &[u8], salt: &[u8], log_n: u8) -> Result<XSalsa20Poly1305, KeyError> {
    let parameters =
        scrypt::Params::new(log_n, R, P, KEY_BYTES).map_err(|_| KeyError::UnsupportedEncryption)?;
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    scrypt::scrypt(password, salt, &parameters, key.as_mut()).map_err(|_| KeyError::Crypto)?;
    Ok(XSalsa20Poly1305::new(Key::from_slice(key.as_ref())))
}
