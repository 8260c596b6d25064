//! Events on the API server.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::time::sleep;
use weir_apis::{Object, reason};
use weir_cluster::notify::Endpoint;
use weir_runtime::{Event, Recorder, Severity};

use crate::ground::{Ground, number, text};

#[tokio::test(start_paused = true)]
async fn the_same_event_is_counted_rather_than_repeated() {
    let ground = Ground::with_kinds().await;
    let deps = ground.deps();
    let object = ground.kustomization("apps").await;
    for _ in 0..3 {
        let event = Event::new(Severity::Warning, "BuildFailed", "broken").with("revision", "r1");
        deps.events.record(&object, event, "kustomize-controller");
        tokio::time::sleep(Duration::from_secs(7)).await;
    }
    let events = ground.events().await;
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert_eq!(number(event, &["count"]), 3);
    assert_eq!(text(event, &["firstTimestamp"]), "2026-01-01T00:00:00Z");
    assert_eq!(text(event, &["lastTimestamp"]), "2026-01-01T00:00:14Z");
    assert_eq!(text(event, &["type"]), "Warning");
    assert_eq!(text(event, &["involvedObject", "uid"]), object.uid());
    assert_eq!(text(event, &["source", "component"]), "kustomize-controller");
    assert_eq!(
        event.annotation("kustomize.toolkit.fluxcd.io/revision"),
        Some("r1")
    );
}

#[tokio::test(start_paused = true)]
async fn another_message_is_another_event() {
    let ground = Ground::with_kinds().await;
    let deps = ground.deps();
    let object = ground.kustomization("apps").await;
    for message in ["one", "two"] {
        deps.events.record(
            &object,
            Event::new(Severity::Normal, "Progressing", message),
            "test",
        );
    }
    assert_eq!(ground.events().await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_counted_event_that_was_deleted_is_written_anew() {
    let ground = Ground::with_kinds().await;
    let deps = ground.deps();
    let object = ground.kustomization("apps").await;
    let record = || {
        let event = Event::new(Severity::Normal, "Progressing", "again");
        deps.events.record(&object, event, "test");
    };
    record();
    let first = ground.events().await.remove(0);
    let policy = weir_cluster::Propagation::Background;
    ground
        .client
        .delete(&first.reference(), policy, None)
        .await
        .unwrap();
    record();
    let events = ground.events().await;
    assert_eq!(events.len(), 1);
    assert_ne!(events[0].name(), first.name());
}

#[tokio::test(start_paused = true)]
async fn a_long_message_is_cut_at_a_character_to_what_the_server_takes() {
    let ground = Ground::with_kinds().await;
    let deps = ground.deps();
    let object = ground.kustomization("apps").await;
    let event = Event::new(Severity::Normal, "Progressing", "é".repeat(2000));
    deps.events.record(&object, event, "test");
    let events = ground.events().await;
    let message = text(&events[0], &["message"]);
    assert!(
        message.len() <= 1024 && message.ends_with("é..."),
        "{}",
        message.len()
    );
}

/// What an endpoint was told, and how many of the first attempts it refuses.
#[derive(Clone, Default)]
struct Told {
    events: Arc<Mutex<Vec<Value>>>,
    refusals: Arc<AtomicUsize>,
}

async fn take(State(told): State<Told>, Json(event): Json<Value>) -> StatusCode {
    let left = told.refusals.load(Ordering::SeqCst);
    if left > 0 {
        told.refusals.store(left - 1, Ordering::SeqCst);
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    told.events
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(event);
    StatusCode::ACCEPTED
}

// Real time: a real socket waits for it.
#[tokio::test]
async fn an_endpoint_is_told_in_the_form_of_flux_even_if_it_was_away() {
    let ground = Ground::with_kinds().await;
    let told = Told::default();
    told.refusals.store(1, Ordering::SeqCst);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = Endpoint::new(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let router = Router::new().route("/", post(take)).with_state(told.clone());
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    let recorder = Recorder::start(ground.client.clone(), ground.clock.clone()).telling(
        endpoint,
        "pod-1".into(),
        ground.clock.clone(),
    );
    let mut object = Object::clone(&*ground.kustomization("app").await);
    object.set_annotation("event.toolkit.fluxcd.io/team", "blue");
    let object = Arc::new(object);
    let event =
        Event::new(Severity::Normal, reason::SUCCEEDED, "all is well").with("revision", "latest@sha256:1");
    recorder.record(&object, event, "kustomize-controller");
    let event = Event::new(Severity::Warning, reason::BUILD_FAILED, "x".repeat(50_000));
    recorder.record(&object, event, "kustomize-controller");
    let events = loop {
        let events = told.events.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if events.len() == 2 {
            break events;
        }
        sleep(Duration::from_millis(20)).await;
    };
    serving.abort();
    assert_eq!(
        events[0],
        json!({
            "involvedObject": {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
                "namespace": "default", "name": "app", "uid": object.uid(), "resourceVersion": object.resource_version()},
            "severity": "info", "timestamp": events[0]["timestamp"], "message": "all is well", "reason": "Succeeded",
            "metadata": {"kustomize.toolkit.fluxcd.io/revision": "latest@sha256:1", "event.toolkit.fluxcd.io/team": "blue"},
            "reportingController": "kustomize-controller", "reportingInstance": "pod-1",
        })
    );
    assert_eq!(events[1]["severity"], "error");
    assert_eq!(events[1]["message"].as_str().map(str::len), Some(39_000));
}

#[test]
fn an_address_that_is_none_is_refused() {
    for address in ["notification-controller", "ftp://host/", ""] {
        let error = Endpoint::new(address).unwrap_err();
        assert!(
            error.to_string().contains("is no http:// or https:// address"),
            "{error}"
        );
    }
}
