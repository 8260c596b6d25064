//! Conditions, with the bookkeeping rules of Flux (flux-controllers.md §1.1).

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Object;
use crate::time::Time;

/// The object is in the state that its spec asks for.
pub const READY: &str = "Ready";
/// Work is under way (abnormal-true: absent when there is none).
pub const RECONCILING: &str = "Reconciling";
/// Nothing will be tried again until the object changes (abnormal-true).
pub const STALLED: &str = "Stalled";
/// What was applied is healthy.
pub const HEALTHY: &str = "Healthy";
/// A HelmRelease's last installation or upgrade.
pub const RELEASED: &str = "Released";
/// A HelmRelease's last release failed, and what was done about it.
pub const REMEDIATED: &str = "Remediated";
/// The tests of a HelmRelease's chart.
pub const TEST_SUCCESS: &str = "TestSuccess";
/// Live objects differ from what a HelmRelease released (abnormal-true).
pub const DRIFTED: &str = "Drifted";
/// The artifact of the observed revision is stored.
pub const ARTIFACT_IN_STORAGE: &str = "ArtifactInStorage";
/// A newer artifact exists than the stored one (abnormal-true).
pub const ARTIFACT_OUTDATED: &str = "ArtifactOutdated";
/// The artifact's signature was checked.
pub const SOURCE_VERIFIED: &str = "SourceVerified";
/// The artifact can't be fetched (abnormal-true).
pub const FETCH_FAILED: &str = "FetchFailed";
/// The chart can't be made of what was fetched (abnormal-true).
pub const BUILD_FAILED: &str = "BuildFailed";
/// The artifact can't be stored (abnormal-true).
pub const STORAGE_OPERATION_FAILED: &str = "StorageOperationFailed";

/// Longest message, in bytes, that the API server accepts in a condition.
const MAX_MESSAGE: usize = 32_768;

/// Whether something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Status {
    /// It holds.
    True,
    /// It does not.
    False,
    /// Nobody knows yet.
    Unknown,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        })
    }
}

/// One condition of an object's status (`metav1.Condition`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// Type of the condition, such as `Ready`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it holds.
    #[schemars(with = "String", extend("enum" = ["True", "False", "Unknown"]))]
    pub status: Status,
    /// Why, as one CamelCase word.
    #[serde(default)]
    pub reason: String,
    /// Why, as a sentence.
    #[serde(default)]
    pub message: String,
    /// Generation of the object that this was said of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// When status, reason or message last changed.
    pub last_transition_time: Time,
}

/// The conditions of one object while a reconcile changes them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions(Vec<Condition>);

impl Conditions {
    /// The conditions an object carries. Entries of another shape are dropped: nothing can be told from them.
    pub fn of(object: &Object) -> Self {
        let list = object
            .get(&["status", "conditions"])
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        Self(
            list.into_iter()
                .filter_map(|value| Condition::deserialize(value).ok())
                .collect(),
        )
    }

    /// The condition of a type.
    pub fn get(&self, kind: &str) -> Option<&Condition> {
        self.0.iter().find(|c| c.kind == kind)
    }

    /// Whether the condition of a type has this status.
    pub fn is(&self, kind: &str, status: Status) -> bool {
        self.get(kind).is_some_and(|c| c.status == status)
    }

    /// Sets a condition. The transition time moves when status, reason or message differ; message is
    /// trimmed and cut to what the API server accepts.
    pub fn set(
        &mut self,
        kind: &str,
        status: Status,
        reason: &str,
        message: &str,
        generation: i64,
        now: Time,
    ) {
        let message = cut(message.trim(), MAX_MESSAGE);
        match self.0.iter_mut().find(|c| c.kind == kind) {
            Some(old) => {
                if old.status != status || old.reason != reason || old.message != message {
                    old.last_transition_time = now;
                }
                old.status = status;
                reason.clone_into(&mut old.reason);
                old.message = message;
                old.observed_generation = Some(generation);
            }
            None => self.0.push(Condition {
                kind: kind.into(),
                status,
                reason: reason.into(),
                message,
                observed_generation: Some(generation),
                last_transition_time: now,
            }),
        }
    }

    /// Takes a condition away.
    pub fn remove(&mut self, kind: &str) {
        self.0.retain(|c| c.kind != kind);
    }

    /// The conditions in the order in which Flux stores them: Stalled, Reconciling, Ready, then the others
    /// by highest observed generation and type.
    pub fn sorted(&self) -> Vec<Condition> {
        let rank = |c: &Condition| match c.kind.as_str() {
            STALLED => 0,
            RECONCILING => 1,
            READY => 2,
            _ => 3,
        };
        let mut list = self.0.clone();
        list.sort_by(|a, b| {
            let by_generation = || match rank(a) {
                3 => b.observed_generation.cmp(&a.observed_generation),
                _ => std::cmp::Ordering::Equal,
            };
            rank(a)
                .cmp(&rank(b))
                .then_with(by_generation)
                .then_with(|| a.kind.cmp(&b.kind))
        });
        list
    }
}

/// The text, cut to so many bytes at a character; the last three of a cut one are `...`, as Flux does it.
pub fn cut(message: &str, longest: usize) -> String {
    if message.len() <= longest {
        return message.to_owned();
    }
    let mut end = longest.saturating_sub(3);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}...", message.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Time {
        Time::new(jiff::Timestamp::from_second(second).unwrap())
    }

    #[test]
    fn transition_time_moves_only_with_status_reason_or_message() {
        let mut conditions = Conditions::default();
        conditions.set(READY, Status::True, "Succeeded", "done", 1, at(1));
        conditions.set(READY, Status::True, "Succeeded", " done ", 2, at(5));
        assert_eq!(conditions.get(READY).unwrap().last_transition_time, at(1));
        assert_eq!(conditions.get(READY).unwrap().observed_generation, Some(2));
        conditions.set(READY, Status::True, "Succeeded", "done again", 2, at(9));
        assert_eq!(conditions.get(READY).unwrap().last_transition_time, at(9));
    }

    #[test]
    fn long_messages_are_cut_at_a_character() {
        let text = cut(&"é".repeat(MAX_MESSAGE), MAX_MESSAGE);
        assert!(text.len() <= MAX_MESSAGE && text.ends_with("..."));
    }

    #[test]
    fn order_is_that_of_flux() {
        let mut conditions = Conditions::default();
        for (kind, generation) in [("B", 1), ("A", 1), ("Z", 2), (READY, 1), (RECONCILING, 1)] {
            conditions.set(kind, Status::True, "R", "", generation, at(1));
        }
        let order: Vec<String> = conditions.sorted().into_iter().map(|c| c.kind).collect();
        assert_eq!(order, [RECONCILING, READY, "Z", "A", "B"]);
    }
}
