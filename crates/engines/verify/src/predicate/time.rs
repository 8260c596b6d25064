//! Of when a predicate is: the time that its own specification gives it.

use jiff::Timestamp;
use serde_json::Value;

use super::{CUSTOM, CYCLONEDX, OPENVEX, PredicateType, SLSA_V1, SLSA_V02, SPDX, VULN};
use crate::promotion::PROMOTION_PREDICATE;

/// A time that a predicate should have and that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no time such as \"2026-01-02T03:04:05Z\"")]
pub struct UnreadableTime(
    /// The field.
    pub &'static str,
);

/// The fields of a kind that say of when it is, the one that counts first.
fn fields(uri: &str) -> &'static [&'static str] {
    match uri {
        SLSA_V1 => &["runDetails.metadata.finishedOn", "runDetails.metadata.startedOn"],
        SLSA_V02 => &["metadata.buildFinishedOn", "metadata.buildStartedOn"],
        SPDX => &["creationInfo.created"],
        CYCLONEDX => &["metadata.timestamp"],
        OPENVEX => &["last_updated", "timestamp"],
        VULN => &["metadata.scanFinishedOn", "metadata.scanStartedOn"],
        PROMOTION_PREDICATE => &["time"],
        CUSTOM => &["Timestamp"],
        _ => &[],
    }
}

impl PredicateType {
    /// Of when a predicate of this kind is, and the field that says so: the end of a build or a scan, the creation of an SBOM, the
    /// last change of a VEX document. Nothing for a kind that is not known, or where the field, which most kinds may leave out, is
    /// not there. The signer says it; nobody else vouches for it.
    ///
    /// # Errors
    /// When the field is there and is no time.
    pub fn time_of(&self, predicate: &Value) -> Result<Option<(Timestamp, &'static str)>, UnreadableTime> {
        for field in fields(self.uri()) {
            let mut value = Some(predicate);
            for name in field.split('.') {
                value = value.and_then(|value| value.get(name));
            }
            match value {
                None | Some(Value::Null) => {}
                Some(value) => return read(value, field).map(Some),
            }
        }
        if self.uri() == SPDX {
            return spdx3(predicate);
        }
        Ok(None)
    }
}

fn read(value: &Value, field: &'static str) -> Result<(Timestamp, &'static str), UnreadableTime> {
    let time = value.as_str().and_then(|text| text.parse().ok());
    time.map(|time| (time, field)).ok_or(UnreadableTime(field))
}

/// Version 3: the document's own creation information, written in its place or somewhere else in the graph.
fn spdx3(predicate: &Value) -> Result<Option<(Timestamp, &'static str)>, UnreadableTime> {
    const FIELD: &str = "creationInfo.created of the SpdxDocument";
    let graph = predicate.get("@graph").and_then(Value::as_array);
    let graph = || graph.into_iter().flatten();
    let is = |key: &'static str, text: &str| {
        let text = text.to_owned();
        move |one: &&Value| one.get(key).and_then(Value::as_str) == Some(&*text)
    };
    let document = graph().find(is("type", "SpdxDocument"));
    let created = match document.and_then(|document| document.get("creationInfo")) {
        Some(Value::String(id)) => graph().find(is("@id", id)).and_then(|info| info.get("created")),
        Some(info) => info.get("created"),
        None => None,
    };
    created.map(|created| read(created, FIELD)).transpose()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_kind_has_its_time_where_its_specification_puts_it() {
        let time = "2026-02-01T00:00:00Z";
        for (kind, predicate, field) in [
            (
                "slsaprovenance1",
                json!({"runDetails": {"metadata": {"startedOn": "2026-01-01T00:00:00Z", "finishedOn": time}}}),
                Some("runDetails.metadata.finishedOn"),
            ),
            (
                "slsaprovenance1",
                json!({"runDetails": {"metadata": {"startedOn": time}}}),
                Some("runDetails.metadata.startedOn"),
            ),
            ("slsaprovenance1", json!({"runDetails": {}}), None),
            (
                "slsaprovenance",
                json!({"metadata": {"buildFinishedOn": time}}),
                Some("metadata.buildFinishedOn"),
            ),
            (
                "spdxjson",
                json!({"creationInfo": {"created": time}}),
                Some("creationInfo.created"),
            ),
            (
                "spdxjson",
                json!({"@graph": [
                    {"type": "CreationInfo", "@id": "_:other", "created": "2020-01-01T00:00:00Z"},
                    {"type": "CreationInfo", "@id": "_:own", "created": time},
                    {"type": "SpdxDocument", "creationInfo": "_:own"},
                ]}),
                Some("creationInfo.created of the SpdxDocument"),
            ),
            (
                "spdxjson",
                json!({"@graph": [{"type": "SpdxDocument", "creationInfo": {"created": time}}]}),
                Some("creationInfo.created of the SpdxDocument"),
            ),
            (
                "cyclonedx",
                json!({"metadata": {"timestamp": time}}),
                Some("metadata.timestamp"),
            ),
            ("cyclonedx", json!({"metadata": {"timestamp": null}}), None),
            (
                "openvex",
                json!({"timestamp": "2026-01-01T00:00:00Z", "last_updated": time}),
                Some("last_updated"),
            ),
            ("openvex", json!({"timestamp": time}), Some("timestamp")),
            (
                "vuln",
                json!({"metadata": {"scanFinishedOn": time}}),
                Some("metadata.scanFinishedOn"),
            ),
            (
                "https://weir.dev/promotion/v1",
                json!({"time": time}),
                Some("time"),
            ),
            (
                "custom",
                json!({"Data": "x", "Timestamp": time}),
                Some("Timestamp"),
            ),
            ("https://example.org/test-result/v1", json!({"time": time}), None),
        ] {
            let kind: PredicateType = kind.parse().unwrap();
            let found = kind.time_of(&predicate).unwrap();
            let expected = field.map(|field| (time.parse().unwrap(), field));
            assert_eq!(found, expected, "{kind} {predicate}");
        }
        let kind: PredicateType = "cyclonedx".parse().unwrap();
        for wrong in [json!("yesterday"), json!(1), json!("")] {
            assert!(kind.time_of(&json!({"metadata": {"timestamp": wrong}})).is_err());
        }
    }
}
