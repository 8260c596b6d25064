//! One key, one vote: TUF counts signatures by the ids of keys, and an id is whatever the document says.

use std::collections::BTreeSet;

use data_encoding::HEXLOWER_PERMISSIVE;
use serde_json::Value;
use weir_verify::PublicKey;

/// SubjectPublicKeyInfo of an Ed25519 key up to the key itself (RFC 8410).
const ED25519: [u8; 12] = [
    0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// Refuses a document in which a role lists a key more than once, under one id or several: its signatures would be more than its
/// signers. What is no document at all is left to those who read it.
pub(super) fn distinct(document: &[u8]) -> Result<(), String> {
    let Ok(document) = serde_json::from_slice::<Value>(document) else {
        return Ok(());
    };
    let signed = &document["signed"];
    // A root lists its keys and roles itself, a list of targets those to whom it delegates.
    for place in [signed, &signed["delegations"]] {
        let roles: Vec<(&str, &Value)> = match &place["roles"] {
            Value::Object(roles) => roles.iter().map(|(name, role)| (name.as_str(), role)).collect(),
            Value::Array(roles) => roles
                .iter()
                .map(|role| (role["name"].as_str().unwrap_or_default(), role))
                .collect(),
            _ => Vec::new(),
        };
        for (name, role) in roles {
            let mut seen = BTreeSet::new();
            for id in role["keyids"].as_array().into_iter().flatten() {
                let id = id.as_str().unwrap_or_default();
                let Some(key) = place["keys"].get(id) else {
                    continue;
                };
                if !seen.insert(material(key)) {
                    return Err(format!("role {name:?} lists one key more than once"));
                }
            }
        }
    }
    Ok(())
}

/// The key in DER, whichever way it is written; its text where that cannot be read.
fn material(key: &Value) -> Vec<u8> {
    let text = key["keyval"]["public"].as_str().unwrap_or_default().trim();
    if let Ok(key) = PublicKey::from_pem(text) {
        return key.to_der().to_owned();
    }
    match HEXLOWER_PERMISSIVE.decode(text.as_bytes()) {
        Ok(raw) => [ED25519.as_slice(), &raw].concat(),
        Err(_) => text.as_bytes().to_owned(),
    }
}
