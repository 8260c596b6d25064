//! What the tests share: tables, the list of what is not met, a host.

use std::collections::BTreeMap;
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

/// What is listed as not met.
fn known(suite: &str) -> BTreeMap<String, String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../tests/conformance/known.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let mut known = BTreeMap::new();
    for block in text.split("[[case]]").skip(1) {
        let field = |name: &str| {
            block.lines().find_map(|line| {
                let (key, value) = line.split_once('=')?;
                (key.trim() == name).then(|| value.trim().trim_matches('"').to_owned())
            })
        };
        if field("suite").as_deref() == Some(suite) {
            known.insert(field("id").unwrap(), field("reason").unwrap());
        }
    }
    known
}

/// Judges outcomes by the list: what is not met must be listed, and the other way round.
pub(crate) fn judge(suite: &str, outcomes: Vec<(String, Result<(), String>)>) {
    let mut known = known(suite);
    let (mut met, mut listed) = (0, 0);
    let mut wrong = Vec::new();
    for (id, outcome) in outcomes {
        match (outcome, known.remove(&id)) {
            (Ok(()), None) => met += 1,
            (Err(_), Some(_)) => listed += 1,
            (Ok(()), Some(_)) => wrong.push(format!("{id}: met, but listed as not met")),
            (Err(reason), None) => wrong.push(format!("{id}: {reason}")),
        }
    }
    wrong.extend(
        known
            .into_keys()
            .map(|id| format!("{id}: listed, but there is no such case")),
    );
    println!(
        "{suite}: {met} met, {} not met, {listed} of them listed",
        listed + wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
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
