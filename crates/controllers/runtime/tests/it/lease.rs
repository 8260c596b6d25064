//! One leader at a time.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use weir_apis::{GroupVersionKind, Object, ObjectRef};
use weir_cluster::connect;
use weir_runtime::lease::{InvalidElection, Timings};
use weir_runtime::{Election, Leader};
use weir_standin_apiserver::Fault;

use crate::ground::{Ground, number, text};

fn election(identity: &str) -> Election {
    Election {
        namespace: "default".into(),
        name: "weir-leader-election".into(),
        identity: identity.into(),
        timings: Timings::default(),
    }
}

async fn acquire(ground: &Ground, identity: &str) -> Leader {
    Leader::acquire(ground.client.clone(), ground.clock.clone(), election(identity))
        .await
        .expect("the stand-in answers")
}

async fn within(ground: &Ground, identity: &str, limit: u64) -> Option<Leader> {
    timeout(Duration::from_secs(limit), acquire(ground, identity))
        .await
        .ok()
}

async fn stored(ground: &Ground) -> Object {
    let gvk = GroupVersionKind::new("coordination.k8s.io", "v1", "Lease");
    let reference = ObjectRef::new(gvk, "default", "weir-leader-election");
    ground
        .client
        .get(&reference)
        .await
        .expect("the stand-in answers")
        .expect("the stand-in answers")
}

#[tokio::test(start_paused = true)]
async fn one_of_two_leads_and_stays_leader() {
    let ground = Ground::new();
    let first = acquire(&ground, "a").await;
    assert!(within(&ground, "b", 600).await.is_none());
    assert!(first.is_leading());
    let lease = stored(&ground).await;
    assert_eq!(text(&lease, &["spec", "holderIdentity"]), "a");
    assert_eq!(number(&lease, &["spec", "leaseDurationSeconds"]), 35);
    assert_eq!(number(&lease, &["spec", "leaseTransitions"]), 0);
    assert!(text(&lease, &["spec", "acquireTime"]).starts_with("2026-01-01T00:00:00.0"));
    assert!(text(&lease, &["spec", "renewTime"]) > "2026-01-01T00:09:50");
}

#[tokio::test(start_paused = true)]
async fn of_two_that_start_together_exactly_one_leads() {
    let ground = Ground::new();
    let both = tokio::join!(within(&ground, "a", 60), within(&ground, "b", 60));
    assert!(matches!(both, (Some(_), None) | (None, Some(_))), "{both:?}");
}

#[tokio::test(start_paused = true)]
async fn after_the_leader_dies_another_takes_over_once_the_lease_has_run_out() {
    let ground = Ground::new();
    drop(acquire(&ground, "a").await);
    let begun = Instant::now();
    let second = acquire(&ground, "b").await;
    // A lease's length after the first look, found at the next try.
    let waited = begun.elapsed();
    assert!((35..=40).contains(&waited.as_secs()), "{waited:?}");
    assert!(second.is_leading());
    assert_eq!(number(&stored(&ground).await, &["spec", "leaseTransitions"]), 1);
}

#[tokio::test(start_paused = true)]
async fn a_released_lease_is_free_at_the_next_try() {
    let ground = Ground::new();
    let first = acquire(&ground, "a").await;
    let next = async {
        let leader = acquire(&ground, "b").await;
        (Instant::now(), leader)
    };
    let released = async {
        sleep(Duration::from_secs(100)).await;
        first.release().await;
        Instant::now()
    };
    let ((taken, second), released) = tokio::join!(next, released);
    assert!(
        taken - released <= Duration::from_secs(5),
        "{:?}",
        taken - released
    );
    assert!(second.is_leading());
    drop(second);
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_cannot_renew_steps_down_before_another_may_follow() {
    let ground = Ground::new();
    let isolated = connect::in_process(ground.server.clone(), "stand-in");
    let first = Leader::acquire(isolated, ground.clock.clone(), election("a"))
        .await
        .unwrap();
    // Nobody reaches the API server for 25 s: no harm. Then nobody does for longer.
    ground.server.set_fault_rule(Box::new(|_| Some(Fault::Cut)));
    sleep(Duration::from_secs(20)).await;
    ground.server.clear_fault_rule();
    sleep(Duration::from_secs(6)).await;
    assert!(first.is_leading());
    ground
        .server
        .set_fault_rule(Box::new(|_| Some(Fault::Refuse { code: 500 })));
    let begun = Instant::now();
    first.lost().await;
    assert!(!first.is_leading());
    let waited = begun.elapsed();
    assert!(
        waited <= Duration::from_secs(30) && waited > Duration::from_secs(20),
        "{waited:?}"
    );
    ground.server.clear_fault_rule();
    // Giving back what is lost does nothing.
    first.release().await;
    assert_eq!(text(&stored(&ground).await, &["spec", "holderIdentity"]), "a");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_somebody_else_took_is_lost_at_the_next_renewal() {
    let ground = Ground::new();
    let first = acquire(&ground, "a").await;
    let reference = stored(&ground).await.reference();
    let patch = serde_json::json!({"spec": {"holderIdentity": "intruder"}});
    ground.client.merge(&reference, &patch, "test").await.unwrap();
    timeout(Duration::from_secs(6), first.lost()).await.unwrap();
    first.release().await;
    assert_eq!(
        text(&stored(&ground).await, &["spec", "holderIdentity"]),
        "intruder"
    );
}

#[tokio::test(start_paused = true)]
async fn a_renewal_whose_answer_was_cut_off_still_counts() {
    let ground = Ground::new();
    let first = acquire(&ground, "a").await;
    let rule = Fault::on_nth(1, Fault::CutAnswer, |r| r.verb == "patch");
    ground.server.set_fault_rule(rule);
    sleep(Duration::from_mins(2)).await;
    assert!(first.is_leading());
}

#[tokio::test(start_paused = true)]
async fn times_written_in_a_lease_are_not_compared_with_the_own_clock() {
    let ground = Ground::new();
    drop(acquire(&ground, "a").await);
    let reference = stored(&ground).await.reference();
    // The holder's clock is years behind: by what it wrote the lease has long run out.
    let patch = serde_json::json!({"spec": {"renewTime": "2020-01-01T00:00:00.000000Z"}});
    ground.client.merge(&reference, &patch, "test").await.unwrap();
    assert!(within(&ground, "b", 34).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_deleted_lease_is_made_anew_by_its_holder() {
    let ground = Ground::new();
    let first = acquire(&ground, "a").await;
    let reference = stored(&ground).await.reference();
    let policy = weir_cluster::Propagation::Background;
    ground.client.delete(&reference, policy, None).await.unwrap();
    sleep(Duration::from_secs(10)).await;
    assert!(first.is_leading());
    assert_eq!(text(&stored(&ground).await, &["spec", "holderIdentity"]), "a");
}

#[tokio::test(start_paused = true)]
async fn an_election_without_identity_is_refused() {
    let ground = Ground::new();
    let refused = Leader::acquire(ground.client.clone(), ground.clock.clone(), election("")).await;
    assert!(matches!(refused, Err(InvalidElection::NoIdentity { .. })));
}
