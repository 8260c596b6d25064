//! What Prometheus is told about a controller's loop.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::time::sleep;
use weir_apis::Object;
use weir_runtime::conclude::Who;
use weir_runtime::{Controller, Deps, Draft, Failure, Key, Queue, Reconcile, Success, conclude};

use crate::ground::{Ground, kustomization};

/// Takes two seconds; what is called `bad` fails.
struct Slow(Deps);

impl Reconcile for Slow {
    async fn reconcile(&self, object: Arc<Object>, queue: &Queue) {
        sleep(Duration::from_secs(2)).await;
        let verdict = if object.name() == "bad" {
            Err(Failure::retry_after(
                "BuildFailed",
                Duration::from_hours(1),
                "broken",
            ))
        } else {
            Ok(Success {
                reason: "ReconciliationSucceeded",
                message: "done".into(),
                again: Some(Duration::from_hours(1)),
                at_latest: None,
            })
        };
        let who = Who {
            manager: "test",
            component: "test",
            stall_is_observed: false,
        };
        conclude(&self.0, queue, who, Draft::of(object), &verdict, None).await;
    }

    fn gone(&self, _: &Key) {}
}

fn has(text: &str, line: &str) {
    assert!(text.lines().any(|l| l == line), "no `{line}` in\n{text}");
}

#[tokio::test(start_paused = true)]
async fn reconciles_are_counted_and_series_go_with_their_object() {
    let ground = Ground::with_kinds().await;
    let deps = ground.deps();
    for name in ["good", "bad"] {
        ground.kustomization(name).await;
    }
    let kind = kustomization("x").gvk;
    let reconciler = Arc::new(Slow(deps.clone()));
    let controller = Controller::start(&deps, &kind, reconciler, &OnceLock::new())
        .await
        .unwrap();
    sleep(Duration::from_secs(1)).await;
    let busy = deps.metrics.render();
    has(
        &busy,
        "controller_runtime_active_workers{controller=\"kustomization\"} 2.0",
    );
    sleep(Duration::from_secs(9)).await;

    let text = deps.metrics.render();
    for line in [
        "# TYPE gotk_reconcile_duration_seconds histogram",
        "gotk_reconcile_duration_seconds_sum{kind=\"Kustomization\",name=\"good\",namespace=\"default\"} 2.0",
        "gotk_reconcile_duration_seconds_count{kind=\"Kustomization\",name=\"bad\",namespace=\"default\"} 1",
        "controller_runtime_reconcile_total{controller=\"kustomization\",result=\"requeue_after\"} 1",
        "controller_runtime_reconcile_total{controller=\"kustomization\",result=\"error\"} 1",
        "controller_runtime_reconcile_errors_total{controller=\"kustomization\"} 1",
        "controller_runtime_reconcile_time_seconds_bucket{le=\"60.0\",controller=\"kustomization\"} 2",
        "controller_runtime_active_workers{controller=\"kustomization\"} 0.0",
        "workqueue_depth{name=\"kustomization\",controller=\"kustomization\"} 0.0",
        "workqueue_adds_total{name=\"kustomization\",controller=\"kustomization\"} 2",
        "# EOF",
    ] {
        has(&text, line);
    }
    let buckets = |text: &str| {
        let of_good =
            |l: &&str| l.starts_with("gotk_reconcile_duration_seconds_bucket") && l.contains("\"good\"");
        text.lines().filter(of_good).count()
    };
    assert_eq!(buckets(&text), 11, "ten and infinity");
    assert!(text.contains("rest_client_requests_total{code=\"200\",host=\"stand-in\",method=\"PATCH\"}"));

    let policy = weir_cluster::Propagation::Background;
    ground
        .client
        .delete(&kustomization("good"), policy, None)
        .await
        .unwrap();
    sleep(Duration::from_secs(1)).await;
    let text = deps.metrics.render();
    assert_eq!(buckets(&text), 0);
    assert!(text.contains("name=\"bad\""));
    controller.stop().await;
}

#[tokio::test(start_paused = true)]
async fn series_do_not_come_back_when_the_object_goes_during_its_last_reconcile() {
    let ground = Ground::with_kinds().await;
    let deps = ground.deps();
    ground.kustomization("good").await;
    let kind = kustomization("x").gvk;
    let reconciler = Arc::new(Slow(deps.clone()));
    let controller = Controller::start(&deps, &kind, reconciler, &OnceLock::new())
        .await
        .unwrap();
    sleep(Duration::from_secs(1)).await;
    let policy = weir_cluster::Propagation::Background;
    ground
        .client
        .delete(&kustomization("good"), policy, None)
        .await
        .unwrap();
    sleep(Duration::from_secs(9)).await;
    let text = deps.metrics.render();
    assert!(!text.contains("name=\"good\""), "{text}");
    assert!(text.contains("controller_runtime_reconcile_total{controller=\"kustomization\""));
    controller.stop().await;
}
