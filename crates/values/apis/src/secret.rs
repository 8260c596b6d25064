//! Reading Secrets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use weir_redact::SecretBytes;

use crate::Object;

/// The decoded value of a Secret's key; `None` where the key is absent or its value is not base64.
pub fn value(secret: &Object, key: &str) -> Option<SecretBytes> {
    decode(secret.get(&["data", key])?.as_str()?)
}

/// All decoded values of a Secret by key, in the order of the keys. A value that is not base64 comes as `None`.
pub fn values(secret: &Object) -> impl Iterator<Item = (&str, Option<SecretBytes>)> {
    let data = secret
        .get(&["data"])
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    data.map(|(key, value)| (key.as_str(), value.as_str().and_then(decode)))
}

/// A value as a Secret or a kubeconfig holds it.
pub fn encode(value: &[u8]) -> String {
    STANDARD.encode(value)
}

fn decode(text: &str) -> Option<SecretBytes> {
    STANDARD.decode(text).ok().map(SecretBytes::new)
}
