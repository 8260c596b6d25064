//! What is done to a manifest before it is applied, so that the API server's answer can be compared with it.
//!
//! Flux does this by decoding built-in types and encoding them again, which also writes zero values such as
//! `resources: {}`. Here only the fields that matter are changed; what an object does not say stays unsaid.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use weir_apis::{GroupVersionKind, Object};

/// Normalises a manifest (flux-controllers.md §3.6). Doing it twice is the same as doing it once.
///
/// - `status` goes away, except a CustomResourceDefinition's, which readiness needs;
/// - `metadata.creationTimestamp` and empty `labels` and `annotations` (`null`) go away;
/// - a Secret's `stringData` becomes base64 `data`, because server-side apply never removes it again;
/// - ports of pods and Services get `protocol: TCP`, which is part of their list key;
/// - a `caBundle` in a CustomResourceDefinition's conversion webhook that is no certificate goes away.
///
/// Fields of a wrong type are left for the API server to refuse, whose message is the better one.
pub fn normalize(object: &mut Object) {
    let gvk = object.gvk();
    if is_crd(&gvk) {
        drop_invalid_ca_bundle(object);
    } else {
        object.as_map_mut().remove("status");
    }
    let metadata = object.metadata_mut();
    metadata.remove("creationTimestamp");
    for field in ["labels", "annotations"] {
        if metadata.get(field).is_some_and(Value::is_null) {
            metadata.remove(field);
        }
    }
    if is_secret(&gvk) {
        encode_string_data(object.as_map_mut());
    }
    if gvk.group.is_empty() && gvk.kind == "Service" {
        default_protocol(object.as_map_mut().get_mut("spec"));
    }
    if let Some(path) = pod_spec_path(&gvk) {
        let spec = path
            .iter()
            .try_fold(object.as_map_mut().get_mut("spec"), |at, field| {
                Some(at?.get_mut(*field))
            })
            .flatten();
        let containers = spec
            .and_then(|s| s.get_mut("containers"))
            .and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            default_protocol(Some(container));
        }
    }
}

pub(crate) fn is_secret(gvk: &GroupVersionKind) -> bool {
    gvk.group.is_empty() && gvk.kind == "Secret"
}

pub(crate) fn is_crd(gvk: &GroupVersionKind) -> bool {
    gvk.group == "apiextensions.k8s.io" && gvk.kind == "CustomResourceDefinition"
}

/// Where below `spec` the pod spec of a built-in workload lies.
fn pod_spec_path(gvk: &GroupVersionKind) -> Option<&'static [&'static str]> {
    Some(match (gvk.group.as_str(), gvk.kind.as_str()) {
        ("", "Pod") => &[],
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet") | ("batch", "Job") => {
            &["template", "spec"]
        }
        ("batch", "CronJob") => &["jobTemplate", "spec", "template", "spec"],
        _ => return None,
    })
}

fn default_protocol(holder: Option<&mut Value>) {
    let ports = holder
        .and_then(|h| h.get_mut("ports"))
        .and_then(Value::as_array_mut);
    for port in ports.into_iter().flatten().filter_map(Value::as_object_mut) {
        let unset = match port.get("protocol") {
            None | Some(Value::Null) => true,
            Some(protocol) => protocol.as_str() == Some(""),
        };
        if unset {
            port.insert("protocol".into(), "TCP".into());
        }
    }
}

fn encode_string_data(secret: &mut Map<String, Value>) {
    // One value that is no text makes the whole Secret invalid; the API server says which.
    let readable = match secret.get("stringData") {
        Some(Value::Null) => true,
        Some(Value::Object(plain)) => plain.values().all(|v| v.is_string() || v.is_null()),
        _ => false,
    };
    if !readable {
        return;
    }
    if !matches!(secret.get("data"), None | Some(Value::Null | Value::Object(_))) {
        return;
    }
    let Some(Value::Object(plain)) = secret.remove("stringData") else {
        return;
    };
    if plain.is_empty() {
        return;
    }
    let data = secret.entry("data").or_insert(Value::Null);
    if data.is_null() {
        *data = Value::Object(Map::new());
    }
    if let Value::Object(data) = data {
        for (name, value) in plain {
            let encoded = STANDARD.encode(value.as_str().unwrap_or_default());
            data.insert(name, encoded.into());
        }
    }
}

fn drop_invalid_ca_bundle(crd: &mut Object) {
    let config = ["conversion", "webhook", "clientConfig"]
        .iter()
        .try_fold(crd.as_map_mut().get_mut("spec"), |at, field| {
            Some(at?.get_mut(*field))
        })
        .flatten()
        .and_then(Value::as_object_mut);
    let Some(config) = config else { return };
    let invalid = match config.get("caBundle") {
        Some(Value::String(text)) if !text.is_empty() => !holds_certificates(text),
        _ => false,
    };
    if invalid {
        config.remove("caBundle");
    }
}

/// Whether base64 text holds PEM certificates. The DER inside is checked for its outer frame only: this is
/// about placeholders such as `Cg==`, not about trust.
fn holds_certificates(text: &str) -> bool {
    let Ok(bytes) = STANDARD.decode(text) else {
        return false;
    };
    if bytes.is_empty() {
        return true;
    }
    let Ok(pem) = String::from_utf8(bytes) else {
        return false;
    };
    let mut found = false;
    let mut rest = pem.as_str();
    while let Some((_, after)) = rest.split_once("-----BEGIN CERTIFICATE-----") {
        let Some((body, after)) = after.split_once("-----END CERTIFICATE-----") else {
            return false;
        };
        let joined: String = body.split_whitespace().collect();
        if !STANDARD.decode(joined).is_ok_and(|der| is_der_sequence(&der)) {
            return false;
        }
        found = true;
        rest = after;
    }
    found
}

/// Whether bytes are one DER SEQUENCE from end to end.
fn is_der_sequence(der: &[u8]) -> bool {
    let Some((0x30, rest)) = der.split_first() else {
        return false;
    };
    let Some((&first, rest)) = rest.split_first() else {
        return false;
    };
    if first < 0x80 {
        return usize::from(first) == rest.len();
    }
    let octets = usize::from(first & 0x7f);
    if octets == 0 || octets > 4 {
        return false;
    }
    let Some((length, content)) = rest.split_at_checked(octets) else {
        return false;
    };
    let length = length
        .iter()
        .fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
    length == content.len()
}
