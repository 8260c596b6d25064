//! From a verdict to conditions, events and the next wake-up: the one place where that happens.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use weir_apis::condition::{Conditions, READY, RECONCILING, STALLED, Status};
use weir_apis::time::Time;
use weir_apis::{Object, key, reason};
use weir_cluster::ApiError;

use crate::{Deps, Event, Failure, Kind, Queue, Severity, Verdict};

/// An object's status while a reconcile works on it.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The object as it was read.
    pub object: Arc<Object>,
    /// Its conditions, with what this reconcile found out.
    pub conditions: Conditions,
    /// Other status fields to change; `null` removes one.
    pub fields: Map<String, Value>,
    /// Whether the events of this reconcile have been recorded already, so that its end is not one of its own.
    pub told: bool,
    /// The generation that is worked on. A newer one may be stored by the time that something is written.
    generation: i64,
    /// What was asked for by annotation when this reconcile began. A newer request is for the next one.
    requested: Option<String>,
}

impl Draft {
    /// A draft that changes nothing yet.
    pub fn of(object: Arc<Object>) -> Self {
        Self {
            conditions: Conditions::of(&object),
            generation: object.generation(),
            requested: object.annotation(key::REQUESTED_AT).map(ToOwned::to_owned),
            object,
            fields: Map::new(),
            told: false,
        }
    }

    /// The generation that is worked on.
    pub fn generation(&self) -> i64 {
        self.generation
    }

    /// Sets a condition for the generation that is worked on.
    pub fn set(&mut self, kind: &str, status: Status, reason: &str, message: &str, now: Time) {
        self.conditions
            .set(kind, status, reason, message, self.generation, now);
    }

    /// Sets another status field.
    pub fn field(&mut self, name: &str, value: Value) {
        self.fields.insert(name.into(), value);
    }

    /// The merge patch that brings the stored status to this draft, or `None` where it is there already.
    fn patch(&self) -> Option<Value> {
        let stored = self.object.get(&["status"]).and_then(Value::as_object);
        let mut wanted = self.fields.clone();
        wanted.insert("conditions".into(), json!(self.conditions.sorted()));
        wanted.retain(|name, value| match stored.and_then(|s| s.get(name)) {
            Some(old) => old != value,
            None => !value.is_null(),
        });
        (!wanted.is_empty()).then(|| json!({"status": wanted}))
    }

    /// Writes the status if it differs from what is stored, and returns the object as it is then.
    pub async fn write(&self, deps: &Deps, manager: &'static str) -> Result<Option<Object>, ApiError> {
        match self.patch() {
            Some(patch) => deps
                .client
                .merge_status(&self.object.reference(), &patch, manager)
                .await
                .map(Some),
            None => Ok(None),
        }
    }
}

/// Who is concluding.
#[derive(Debug, Clone, Copy)]
pub struct Who {
    /// Field manager of the status.
    pub manager: &'static str,
    /// Name of the controller in events.
    pub component: &'static str,
    /// Whether a stall counts as observed (it does for sources, not for Kustomizations).
    pub stall_is_observed: bool,
}

/// Ends a reconcile: sets Ready, Reconciling and Stalled, writes the status if it changed, records `event` or
/// the failure, and schedules the next look. Returns the object as stored, when it was written.
pub async fn conclude(
    deps: &Deps,
    queue: &Queue,
    who: Who,
    mut draft: Draft,
    verdict: &Verdict,
    event: Option<Event>,
) -> Option<Object> {
    if let Err(Failure {
        kind: Kind::Waiting(after),
        quiet: true,
        ..
    }) = verdict
    {
        queue.add_after(
            (
                draft.object.namespace().to_owned(),
                draft.object.name().to_owned(),
            ),
            *after,
        );
        return None;
    }
    let now = Time::new(deps.clock.now());
    let generation = draft.generation;
    if let Some(token) = draft.requested.take() {
        draft.fields.insert("lastHandledReconcileAt".into(), token.into());
    }
    let was_ready = Conditions::of(&draft.object).is(READY, Status::True);
    match verdict {
        Ok(success) => {
            draft.conditions.remove(RECONCILING);
            draft.conditions.remove(STALLED);
            draft.set(READY, Status::True, success.reason, &success.message, now);
            draft
                .fields
                .insert("observedGeneration".into(), generation.into());
        }
        Err(failure) => apply_failure(&mut draft, failure, who, now),
    }
    let object = draft.object.clone();
    let told = draft.told;
    let key = (object.namespace().to_owned(), object.name().to_owned());
    deps.metrics.concluded(object.kind(), &key, verdict);
    let stored = match draft.write(deps, who.manager).await {
        Ok(stored) => stored,
        Err(error) if error.is_not_found() => return None,
        Err(error) => {
            tracing::warn!(object = %object.reference(), %error, "cannot write the status, trying again");
            queue.add_after_failure(key, deps.settings.min_retry_delay, deps.settings.max_retry_delay);
            return None;
        }
    };
    if let Some(stored) = &stored {
        queue.wrote(stored);
    }
    match verdict {
        Ok(success) => {
            queue.forget_failures(&key);
            if let Some(event) = event {
                deps.events.record(&object, event, who.component);
            } else if !was_ready && !told {
                let event = Event::new(Severity::Normal, success.reason, success.message.clone());
                deps.events.record(&object, event, who.component);
            }
            let jittered = |again| jitter(again, deps.settings.interval_jitter_percent, &object);
            let again = success.again.map(jittered).into_iter();
            if let Some(wait) = again.chain(success.at_latest).min() {
                queue.add_after(key, wait);
            }
        }
        Err(failure) => {
            if !told {
                let severity = if matches!(failure.kind, Kind::Waiting(_)) {
                    Severity::Normal
                } else {
                    Severity::Warning
                };
                deps.events.record(
                    &object,
                    Event::new(severity, failure.reason, failure.message.clone()),
                    who.component,
                );
            }
            match failure.kind {
                Kind::Stalled => queue.forget_failures(&key),
                Kind::Waiting(after) | Kind::Retry(Some(after)) => queue.add_after(key, after),
                Kind::Settled(after) => {
                    queue.forget_failures(&key);
                    queue.add_after(key, jitter(after, deps.settings.interval_jitter_percent, &object));
                }
                Kind::Retry(None) => {
                    queue.add_after_failure(
                        key,
                        deps.settings.min_retry_delay,
                        deps.settings.max_retry_delay,
                    );
                }
            }
        }
    }
    stored
}

fn apply_failure(draft: &mut Draft, failure: &Failure, who: Who, now: Time) {
    let (reason, message) = match failure.ready.as_deref() {
        Some((reason, message)) => (reason.as_str(), message.as_str()),
        None => (failure.reason, failure.message.as_str()),
    };
    draft.set(READY, Status::False, reason, message, now);
    let why = match failure.kind {
        Kind::Stalled | Kind::Settled(_) => None,
        Kind::Waiting(_) => Some(reason::PROGRESSING),
        Kind::Retry(_) => Some(reason::PROGRESSING_WITH_RETRY),
    };
    match why {
        Some(why) => draft.set(RECONCILING, Status::True, why, &failure.message, now),
        None => draft.conditions.remove(RECONCILING),
    }
    let stalled = failure.kind == Kind::Stalled;
    if stalled {
        draft.set(STALLED, Status::True, failure.reason, &failure.message, now);
    } else {
        draft.conditions.remove(STALLED);
    }
    if failure.observed || (stalled && who.stall_is_observed) {
        let generation = draft.generation;
        draft
            .fields
            .insert("observedGeneration".into(), generation.into());
    }
}

/// The interval, moved by up to `percent` in either direction. The same object always gets the same share, so that
/// nothing here depends on chance, and different objects get different ones, so that they spread.
fn jitter(interval: Duration, percent: u8, object: &Object) -> Duration {
    if percent == 0 {
        return interval;
    }
    // FNV-1a over the uid, mapped to -1.0 ..= 1.0.
    let hash = object.uid().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3)
    });
    let share = f64::from(u32::try_from(hash >> 32).unwrap_or_default()) / f64::from(u32::MAX) * 2.0 - 1.0;
    interval.mul_f64(1.0 + share * f64::from(percent.min(100)) / 100.0)
}
