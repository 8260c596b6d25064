//! From verdicts to conditions, events and wake-ups.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use weir_apis::Object;
use weir_apis::condition::{Conditions, READY, RECONCILING, STALLED, Status};
use weir_runtime::conclude::Who;
use weir_runtime::{Deps, Draft, Failure, Queue, Success, Verdict, conclude};

use crate::ground::{Ground, kustomization, number, text};

const SOURCE: Who = Who {
    manager: "test-status",
    component: "test-controller",
    stall_is_observed: true,
};
const OTHER: Who = Who {
    stall_is_observed: false,
    ..SOURCE
};
const INTERVAL: Duration = Duration::from_mins(10);

#[expect(clippy::unnecessary_wraps, reason = "a verdict is what conclude takes")]
fn success() -> Verdict {
    Ok(Success {
        reason: "ReconciliationSucceeded",
        message: "Applied revision: 1".into(),
        again: Some(INTERVAL),
        at_latest: None,
    })
}

async fn end(ground: &Ground, deps: &Deps, queue: &Queue, who: Who, verdict: &Verdict) -> Arc<Object> {
    let reference = kustomization("apps");
    let draft = Draft::of(ground.get(&reference).await);
    conclude(deps, queue, who, draft, verdict, None).await;
    ground.get(&reference).await
}

async fn wait(queue: &Queue) -> Duration {
    let begun = Instant::now();
    let key = queue.next().await.expect("the stand-in answers");
    queue.done(&key);
    begun.elapsed()
}

#[tokio::test(start_paused = true)]
async fn success_sets_ready_and_writes_nothing_the_second_time() {
    let ground = Ground::with_kinds().await;
    let (deps, queue) = (ground.deps(), Queue::default());
    ground.kustomization("apps").await;
    let live = end(&ground, &deps, &queue, SOURCE, &success()).await;
    let conditions = Conditions::of(&live);
    assert!(conditions.is(READY, Status::True));
    assert_eq!(conditions.get(READY).unwrap().observed_generation, Some(1));
    assert!(conditions.get(RECONCILING).is_none() && conditions.get(STALLED).is_none());
    assert_eq!(number(&live, &["status", "observedGeneration"]), 1);
    assert_eq!(ground.events().await.len(), 1);

    let again = end(&ground, &deps, &queue, SOURCE, &success()).await;
    assert_eq!(again.resource_version(), live.resource_version());
    assert_eq!(ground.writes(|r| r.resource == "kustomizations/status"), 1);
    // Being ready as before is no news.
    let events = ground.events().await;
    assert_eq!(events.len(), 1);
    assert_eq!(number(&events[0], &["count"]), 1);
}

#[tokio::test(start_paused = true)]
async fn what_ends_before_the_interval_is_looked_at_again_then() {
    let ground = Ground::with_kinds().await;
    let (mut deps, queue) = (ground.deps(), Queue::default());
    deps.settings.interval_jitter_percent = 0;
    ground.kustomization("apps").await;
    for (again, at_latest, waits) in [
        (Some(600), Some(90), 90),
        (Some(600), Some(6000), 600),
        (None, Some(90), 90),
        (Some(600), Some(0), 0),
    ] {
        let success = Success {
            reason: "Succeeded",
            message: "done".into(),
            again: again.map(Duration::from_secs),
            at_latest: at_latest.map(Duration::from_secs),
        };
        end(&ground, &deps, &queue, SOURCE, &Ok(success)).await;
        assert_eq!(wait(&queue).await.as_secs(), waits, "{again:?} {at_latest:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stall_ends_in_stalled_without_another_try() {
    let ground = Ground::with_kinds().await;
    let (deps, queue) = (ground.deps(), Queue::default());
    ground.kustomization("apps").await;
    let stall = Err(Failure::stalled("InvalidURL", "no such scheme"));
    let live = end(&ground, &deps, &queue, OTHER, &stall).await;
    let conditions = Conditions::of(&live);
    assert!(conditions.is(READY, Status::False) && conditions.is(STALLED, Status::True));
    assert!(conditions.get(RECONCILING).is_none());
    assert_eq!(number(&live, &["status", "observedGeneration"]), -1);
    let nothing = tokio::time::timeout(Duration::from_hours(24), queue.next()).await;
    assert!(nothing.is_err());
    // For sources a stall counts as observed.
    let live = end(&ground, &deps, &queue, SOURCE, &stall).await;
    assert_eq!(number(&live, &["status", "observedGeneration"]), 1);
}

#[tokio::test(start_paused = true)]
async fn failures_are_retried_with_growing_pauses_that_a_success_resets() {
    let ground = Ground::with_kinds().await;
    let (deps, queue) = (ground.deps(), Queue::default());
    ground.kustomization("apps").await;
    let failure = Err(Failure::retry("BuildFailed", "broken"));
    for millis in [750, 1500, 3000] {
        let live = end(&ground, &deps, &queue, SOURCE, &failure).await;
        let conditions = Conditions::of(&live);
        assert_eq!(
            conditions.get(RECONCILING).unwrap().reason,
            "ProgressingWithRetry"
        );
        assert!(conditions.get(STALLED).is_none());
        assert_eq!(wait(&queue).await.as_millis(), millis);
    }
    end(&ground, &deps, &queue, SOURCE, &success()).await;
    end(&ground, &deps, &queue, SOURCE, &failure).await;
    assert_eq!(wait(&queue).await.as_millis(), 750);
    let fixed = Err(Failure::retry_after(
        "BuildFailed",
        Duration::from_secs(42),
        "broken",
    ));
    end(&ground, &deps, &queue, SOURCE, &fixed).await;
    assert_eq!(wait(&queue).await.as_secs(), 42);
}

#[tokio::test(start_paused = true)]
async fn waiting_is_no_warning() {
    let ground = Ground::with_kinds().await;
    let (deps, queue) = (ground.deps(), Queue::default());
    ground.kustomization("apps").await;
    let waiting = Err(Failure::waiting(
        "DependencyNotReady",
        Duration::from_secs(30),
        "waits for infra",
    ));
    let live = end(&ground, &deps, &queue, SOURCE, &waiting).await;
    assert_eq!(
        Conditions::of(&live).get(RECONCILING).unwrap().reason,
        "Progressing"
    );
    assert_eq!(wait(&queue).await.as_secs(), 30);
    let events = ground.events().await;
    assert_eq!(text(&events[0], &["type"]), "Normal");
    assert_eq!(text(&events[0], &["reason"]), "DependencyNotReady");
}

#[tokio::test(start_paused = true)]
async fn a_handled_request_is_echoed() {
    let ground = Ground::with_kinds().await;
    let (deps, queue) = (ground.deps(), Queue::default());
    ground.kustomization("apps").await;
    let patch = json!({"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": "now"}}});
    ground
        .client
        .merge(&kustomization("apps"), &patch, "test")
        .await
        .unwrap();
    let live = end(&ground, &deps, &queue, SOURCE, &success()).await;
    assert_eq!(text(&live, &["status", "lastHandledReconcileAt"]), "now");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_came_meanwhile_is_for_the_next_turn() {
    let ground = Ground::with_kinds().await;
    let (deps, queue) = (ground.deps(), Queue::default());
    let request =
        |token: &str| json!({"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": token}}});
    let reference = kustomization("apps");
    ground.kustomization("apps").await;
    let ask = async |token: &str| {
        let asked = ground.client.merge(&reference, &request(token), "test").await;
        Arc::new(asked.unwrap())
    };
    let mut draft = Draft::of(ask("first").await);
    // What a status written in the middle of a turn brings back.
    draft.object = ask("second").await;
    conclude(&deps, &queue, SOURCE, draft, &success(), None).await;
    let live = ground.get(&reference).await;
    assert_eq!(text(&live, &["status", "lastHandledReconcileAt"]), "first");
}

#[tokio::test(start_paused = true)]
async fn wake_ups_spread_within_the_jitter_and_are_the_same_for_the_same_object() {
    let ground = Ground::with_kinds().await;
    let mut deps = ground.deps();
    deps.settings.interval_jitter_percent = 10;
    let mut seen = std::collections::BTreeSet::new();
    for index in 0..40 {
        let name = format!("k{index}");
        let object = ground.kustomization(&name).await;
        let queue = Queue::default();
        for round in 0..2 {
            let draft = Draft::of(object.clone());
            conclude(&deps, &queue, SOURCE, draft, &success(), None).await;
            let waited = wait(&queue).await;
            assert!(
                (INTERVAL.mul_f64(0.9)..=INTERVAL.mul_f64(1.1)).contains(&waited),
                "{waited:?}"
            );
            assert_eq!(
                seen.insert(waited.as_millis() / 10),
                round == 0,
                "{name}: {waited:?}"
            );
        }
    }
    deps.settings.interval_jitter_percent = 0;
    let queue = Queue::default();
    let draft = Draft::of(ground.get(&kustomization("k0")).await);
    conclude(&deps, &queue, SOURCE, draft, &success(), None).await;
    assert_eq!(wait(&queue).await, INTERVAL);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_gone_is_not_looked_at_again() {
    let ground = Ground::with_kinds().await;
    let (deps, queue) = (ground.deps(), Queue::default());
    let object = ground.kustomization("apps").await;
    let policy = weir_cluster::Propagation::Background;
    ground
        .client
        .delete(&kustomization("apps"), policy, None)
        .await
        .unwrap();
    let stored = conclude(&deps, &queue, SOURCE, Draft::of(object), &success(), None).await;
    assert!(stored.is_none());
    assert!(
        tokio::time::timeout(Duration::from_hours(1), queue.next())
            .await
            .is_err()
    );
}

#[tokio::test(start_paused = true)]
async fn null_removes_a_status_field_and_an_absent_one_needs_no_write() {
    let ground = Ground::with_kinds().await;
    let deps = ground.deps();
    let object = ground.kustomization("apps").await;
    let mut draft = Draft::of(object);
    draft.field("lastAppliedRevision", json!("r1"));
    let live = draft.write(&deps, "test-status").await.unwrap().unwrap();
    let mut draft = Draft::of(Arc::new(live));
    draft.field("lastAppliedRevision", Value::Null);
    let live = draft.write(&deps, "test-status").await.unwrap().unwrap();
    assert_eq!(live.get(&["status", "lastAppliedRevision"]), None);
    let mut draft = Draft::of(Arc::new(live));
    draft.field("lastAppliedRevision", Value::Null);
    assert!(draft.write(&deps, "test-status").await.unwrap().is_none());
}
