//! What a signature says, as `weir sign`, `weir attest` and `weir verify` print it.

use serde_json::{Map, Value, json};
use weir_verify::{Evidence, Signer};

use crate::output::put;

/// Who signed, when, in which logs, from what: for a line.
pub(crate) fn by(evidence: &Evidence) -> String {
    let mut text = match &evidence.signer {
        Signer::Key {
            name, fingerprint, ..
        } => format!("by key {name} ({fingerprint})"),
        Signer::Identity {
            subject,
            issuer,
            signed_at,
            ..
        } => format!("by {subject} (issuer {issuer}) at {signed_at}"),
        signer => format!("by {signer}"),
    };
    for place in &evidence.logged {
        put(&mut text, format_args!(", in {} at {}", place.log, place.index));
    }
    if let Signer::Identity {
        source: Some((repository, commit)),
        ..
    } = &evidence.signer
    {
        put(&mut text, format_args!(", built from {repository}"));
        if let Some(commit) = commit {
            put(&mut text, format_args!("@{commit}"));
        }
    }
    if let Some(predicate_type) = &evidence.predicate_type {
        put(&mut text, format_args!(", states {predicate_type}"));
    }
    if let Some(repository) = &evidence.signed_repository {
        put(&mut text, format_args!(", made for {repository}"));
    }
    text
}

/// The same as data.
pub(crate) fn put_evidence(map: &mut Map<String, Value>, evidence: &Evidence) {
    match &evidence.signer {
        Signer::Key {
            name, fingerprint, ..
        } => {
            map.insert("keyName".into(), json!(name));
            map.insert("key".into(), json!(fingerprint.to_string()));
        }
        Signer::Identity {
            subject,
            issuer,
            signed_at,
            source,
            ..
        } => {
            map.insert("subject".into(), json!(subject));
            map.insert("issuer".into(), json!(issuer));
            map.insert("signedAt".into(), json!(signed_at.to_string()));
            if let Some((repository, commit)) = source {
                map.insert(
                    "source".into(),
                    json!({ "repository": repository, "commit": commit }),
                );
            }
        }
        _ => {}
    }
    if !evidence.logged.is_empty() {
        let logged = evidence.logged.iter();
        let logged: Vec<Value> = logged
            .map(|place| json!({ "log": place.log, "index": place.index }))
            .collect();
        map.insert("logged".into(), json!(logged));
    }
}
