//! Events on the API server.

use std::time::Duration;

use weir_runtime::{Event, Severity};

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
