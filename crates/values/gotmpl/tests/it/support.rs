//! What the tests share: tables, the list of what is not met, a host.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value as Json;
use weir_gotmpl::{
    CallError, CertificateRequest, Functions, Host, KeyKind, Limits, MissingKey, Options, Set, Value,
};

/// Prints one line and gives nothing when the tables are not there.
pub(crate) fn tables(file: &str) -> Option<Vec<Json>> {
    let root = std::env::var_os("WEIR_CONFORMANCE").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/conformance"),
        PathBuf::from,
    );
    let Ok(text) = std::fs::read_to_string(root.join("tables").join(file)) else {
        println!("not run: no conformance data for {file}");
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

/// Random bytes that are always the same, a clock that stands still, keys that are none.
pub(crate) struct Still(pub(crate) u64);

impl Host for Still {
    fn random(&mut self, bytes: &mut [u8]) -> Result<(), CallError> {
        for byte in bytes {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *byte = self.0.to_be_bytes()[2];
        }
        Ok(())
    }

    fn now(&mut self) -> Result<i128, CallError> {
        Ok(1_700_000_000 * 1_000_000_000)
    }

    fn zone(&mut self, name: &str, _: i64) -> Option<(i32, String)> {
        match name {
            "UTC" | "" => Some((0, "UTC".to_owned())),
            "EST" => Some((-5 * 3600, "EST".to_owned())),
            _ => None,
        }
    }

    fn private_key(&mut self, kind: KeyKind) -> Result<String, CallError> {
        Ok(format!("-----BEGIN {kind:?} PRIVATE KEY-----\n"))
    }

    fn certificate(&mut self, request: &CertificateRequest<'_>) -> Result<(String, String), CallError> {
        let signed = if request.signer.is_some() {
            "signed"
        } else {
            "self"
        };
        Ok((
            format!("-----BEGIN CERTIFICATE----- {} {signed}", request.common_name),
            "key".to_owned(),
        ))
    }
}

/// A run of one template.
pub(crate) fn run_with(
    functions: Functions,
    missing_key: MissingKey,
    template: &str,
    data: &Value,
    limits: &Limits,
) -> Result<String, String> {
    let options = Options {
        name: "gotpl".to_owned(),
        missing_key,
        ..Options::default()
    };
    let mut set = Set::new(Arc::new(functions), options);
    set.parse("x", template).map_err(|error| error.to_string())?;
    let out = set
        .execute("x", data, &mut Still(1), limits)
        .map_err(|error| error.to_string())?;
    Ok(out.to_string())
}

/// A run of one template with Helm's functions and JSON data.
pub(crate) fn helm(template: &str, data: &Json) -> Result<String, String> {
    run_with(
        Functions::helm(),
        MissingKey::Zero,
        template,
        &Value::from_json(data),
        &Limits::default(),
    )
}
