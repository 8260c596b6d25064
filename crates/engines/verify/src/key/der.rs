//! The little DER needed to see what kind of key a SubjectPublicKeyInfo holds. The key itself is read by the
//! crypto library.

use super::{Algorithm, InvalidKey};
use crate::der::{BIT_STRING, INTEGER, OBJECT_ID, SEQUENCE, element, tagged};

/// 1.2.840.10045.2.1, ecPublicKey
const EC: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];
/// 1.2.840.113549.1.1.1, rsaEncryption
const RSA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];
/// 1.3.101.112, Ed25519
const ED25519: &[u8] = &[0x2B, 0x65, 0x70];
/// 1.2.840.10045.3.1.7, P-256
const P256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
/// 1.3.132.0.34, P-384
const P384: &[u8] = &[0x2B, 0x81, 0x04, 0x00, 0x22];
/// 1.3.132.0.35, P-521
const P521: &[u8] = &[0x2B, 0x81, 0x04, 0x00, 0x23];

/// What kind of key `spki` holds.
pub(super) fn algorithm(spki: &[u8]) -> Result<Algorithm, InvalidKey> {
    let (outer, rest) = element(spki, SEQUENCE).ok_or(InvalidKey::MalformedKey)?;
    let (identifier, key) = element(outer, SEQUENCE).ok_or(InvalidKey::MalformedKey)?;
    let (_, after_key) = element(key, BIT_STRING).ok_or(InvalidKey::MalformedKey)?;
    if !rest.is_empty() || !after_key.is_empty() {
        return Err(InvalidKey::MalformedKey);
    }
    let (kind, parameters) = element(identifier, OBJECT_ID).ok_or(InvalidKey::MalformedKey)?;
    match kind {
        RSA => Ok(Algorithm::Rsa),
        ED25519 => Ok(Algorithm::Ed25519),
        EC => match element(parameters, OBJECT_ID) {
            Some((P256, [])) => Ok(Algorithm::EcdsaP256),
            Some((P384, [])) => Ok(Algorithm::EcdsaP384),
            Some((P521, [])) => Ok(Algorithm::EcdsaP521),
            _ => Err(InvalidKey::Unsupported),
        },
        _ => Err(InvalidKey::Unsupported),
    }
}

/// Wraps a PKCS #1 RSAPublicKey as SubjectPublicKeyInfo.
pub(super) fn spki_of_rsa(pkcs1: &[u8]) -> Vec<u8> {
    let mut identifier = tagged(OBJECT_ID, RSA);
    identifier.extend([0x05, 0x00]);
    let mut bits = vec![0];
    bits.extend_from_slice(pkcs1);
    let mut content = tagged(SEQUENCE, &identifier);
    content.extend(tagged(BIT_STRING, &bits));
    tagged(SEQUENCE, &content)
}

/// How many bits the modulus of an RSA key has.
pub(super) fn rsa_bits(spki: &[u8]) -> Option<usize> {
    let (outer, _) = element(spki, SEQUENCE)?;
    let (_, key) = element(outer, SEQUENCE)?;
    let (bits, _) = element(key, BIT_STRING)?;
    let (numbers, _) = element(bits.get(1..)?, SEQUENCE)?;
    let (modulus, _) = element(numbers, INTEGER)?;
    let first = modulus.iter().position(|byte| *byte != 0)?;
    let zeros = usize::try_from(modulus.get(first)?.leading_zeros()).ok()?;
    Some((modulus.len() - first) * 8 - zeros)
}
