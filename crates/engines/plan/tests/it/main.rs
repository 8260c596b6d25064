//! Tests of the plan engine through its public interface.

#![expect(clippy::unwrap_used, reason = "a test whose data is not as it says must fail")]

mod cel;
mod conformance;
mod drift;
mod plan;
mod properties;
mod prune;
mod readiness;
mod takeover;

use serde_json::Value;
use weir_apis::Object;

/// An object from JSON that is known to be one.
fn object(value: Value) -> Object {
    Object::from_value(value).expect("test data is an object")
}

/// The instant that tests call "now".
fn now() -> jiff::Timestamp {
    "2026-01-01T00:00:00Z".parse().expect("test data is a time")
}
