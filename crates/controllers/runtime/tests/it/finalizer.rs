//! The finalizer never costs somebody else theirs.

use serde_json::json;
use weir_apis::key::FINALIZER;
use weir_runtime::finalizer::{hold, is_held, release};

use crate::ground::{Ground, kustomization};

#[tokio::test(start_paused = true)]
async fn a_change_in_between_is_a_conflict_and_loses_nothing() {
    let ground = Ground::with_kinds().await;
    let stale = ground.kustomization("apps").await;
    let patch = json!({"metadata": {"finalizers": ["example.com/other"]}});
    ground
        .client
        .merge(&kustomization("apps"), &patch, "test")
        .await
        .unwrap();
    let refused = hold(&ground.client, &stale, "test").await.unwrap_err();
    assert!(refused.is_conflict(), "{refused}");

    let fresh = ground.get(&kustomization("apps")).await;
    let held = hold(&ground.client, &fresh, "test").await.unwrap();
    assert!(is_held(&held));
    assert_eq!(
        held.finalizers().collect::<Vec<_>>(),
        ["example.com/other", FINALIZER]
    );

    assert!(
        release(&ground.client, &fresh, "test")
            .await
            .unwrap_err()
            .is_conflict()
    );
    release(&ground.client, &held, "test").await.unwrap();
    let live = ground.get(&kustomization("apps")).await;
    assert_eq!(live.finalizers().collect::<Vec<_>>(), ["example.com/other"]);
}

#[tokio::test(start_paused = true)]
async fn releasing_what_is_gone_is_fine() {
    let ground = Ground::with_kinds().await;
    let object = ground.kustomization("apps").await;
    let held = hold(&ground.client, &object, "test").await.unwrap();
    let policy = weir_cluster::Propagation::Background;
    ground
        .client
        .delete(&held.reference(), policy, None)
        .await
        .unwrap();
    let deleting = ground.get(&held.reference()).await;
    assert!(deleting.is_being_deleted());
    release(&ground.client, &deleting, "test").await.unwrap();
    assert!(ground.client.get(&held.reference()).await.unwrap().is_none());
    release(&ground.client, &deleting, "test").await.unwrap();
}
