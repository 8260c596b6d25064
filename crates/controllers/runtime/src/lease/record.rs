//! What a Lease says.

use std::time::Duration;

use serde_json::{Value, json};
use weir_apis::Object;
use weir_cluster::Clock;

/// The fields of a Lease that an election reads. Absent and malformed ones read as empty: a Lease that nobody can
/// make sense of is free once it has not changed for as long as a lease lasts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Record {
    /// Who has it; empty when it was given back.
    pub(super) holder: String,
    /// How long others must leave it alone.
    pub(super) lasts: Option<Duration>,
    /// How often it changed hands.
    pub(super) transitions: i64,
    /// `acquireTime` as it was written.
    pub(super) acquired: Option<String>,
    /// All of the above and more, to see whether anything changed.
    pub(super) spec: Value,
    /// Version to replace.
    pub(super) version: String,
}

impl Record {
    pub(super) fn of(lease: &Object) -> Self {
        let spec = lease.get(&["spec"]).cloned().unwrap_or_default();
        let text = |field: &str| spec.get(field).and_then(Value::as_str).map(str::to_owned);
        let number = |field: &str| spec.get(field).and_then(Value::as_i64);
        Self {
            holder: text("holderIdentity").unwrap_or_default(),
            lasts: number("leaseDurationSeconds")
                .and_then(|seconds| u64::try_from(seconds).ok())
                .map(Duration::from_secs),
            transitions: number("leaseTransitions").unwrap_or_default(),
            acquired: text("acquireTime"),
            version: lease.resource_version().to_owned(),
            spec,
        }
    }
}

/// The `spec` of a lease that `holder` has for `lasts`, taken over from `old`.
pub(super) fn held(old: Option<&Record>, holder: &str, lasts: Duration, clock: &dyn Clock) -> Value {
    let now = micro_time(clock);
    let (acquired, transitions) = match old {
        Some(old) if old.holder == holder => (
            old.acquired.clone().unwrap_or_else(|| now.clone()),
            old.transitions,
        ),
        Some(old) => (now.clone(), old.transitions.saturating_add(1)),
        None => (now.clone(), 0),
    };
    json!({
        "holderIdentity": holder, "leaseDurationSeconds": lasts.as_secs(),
        "acquireTime": acquired, "renewTime": now, "leaseTransitions": transitions,
    })
}

/// The `spec` of a lease that nobody has. The duration can't be 0, and client-go writes 1.
pub(super) fn free(clock: &dyn Clock) -> Value {
    let now = micro_time(clock);
    json!({"holderIdentity": "", "leaseDurationSeconds": 1, "acquireTime": now, "renewTime": now})
}

/// `metav1.MicroTime`.
fn micro_time(clock: &dyn Clock) -> String {
    clock.now().strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}
