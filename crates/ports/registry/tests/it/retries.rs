//! Trying again, and giving up.

use std::time::Duration;

use http::{HeaderValue, StatusCode, header};
use weir_registry::{Client, ClientOptions, ErrorKind, Limits, RetryOptions, Timeouts};
use weir_standin_registry::{Effect, Fault, Options};

use crate::support::{noise, options, world, world_with};

#[tokio::test]
async fn failures_that_pass_are_tried_again() {
    let world = world(Options::default()).await;
    world.seed("v1", b"x");
    for status in [408, 429, 500, 502, 503, 504] {
        world.registry.inject(
            Fault::new(Effect::Status(StatusCode::from_u16(status).unwrap()))
                .at("/tags/")
                .times(2),
        );
        assert_eq!(
            world.client.tags(&world.repository).await.unwrap(),
            ["v1"],
            "{status}"
        );
    }
}

#[tokio::test]
async fn failures_that_stay_are_not() {
    let world = world(Options::default()).await;
    world.seed("v1", b"x");
    world.client.ping(&world.repository).await.unwrap();
    for status in [400, 403, 404, 405, 501] {
        world.registry.forget_seen();
        world
            .registry
            .inject(Fault::new(Effect::Status(StatusCode::from_u16(status).unwrap())).at("/tags/"));
        assert!(world.client.tags(&world.repository).await.is_err());
        assert_eq!(world.requests("GET", "/tags/"), 1, "{status}");
    }
}

#[tokio::test]
async fn a_wait_longer_than_allowed_is_an_error_that_says_how_long() {
    let world = world(Options::default()).await;
    let wait = vec![(header::RETRY_AFTER, HeaderValue::from_static("86400"))];
    world.client.ping(&world.repository).await.unwrap();
    world
        .registry
        .inject(Fault::new(Effect::Answer(StatusCode::TOO_MANY_REQUESTS, wait)).always());
    let err = world.client.tags(&world.repository).await.unwrap_err();
    let expected = Some(Duration::from_hours(24));
    assert!(
        matches!(err.kind(), ErrorKind::RateLimited { retry_after, .. } if *retry_after == expected),
        "{err:?}"
    );
    assert_eq!(world.requests("GET", "/tags/"), 1);
}

#[tokio::test]
async fn the_budget_is_shared_by_all_requests() {
    let retry = RetryOptions {
        base_delay: Duration::ZERO,
        budget: 3,
        attempts: 4,
        ..RetryOptions::default()
    };
    let world = world_with(Options::default(), ClientOptions { retry, ..options() }).await;
    world.client.ping(&world.repository).await.unwrap();
    world.registry.inject(
        Fault::new(Effect::Status(StatusCode::BAD_GATEWAY))
            .at("/tags/")
            .always(),
    );
    for requests in [4, 5, 6] {
        assert!(world.client.tags(&world.repository).await.is_err());
        assert_eq!(world.requests("GET", "/tags/"), requests);
    }
}

#[tokio::test]
async fn n25_a_registry_that_never_answers_is_given_up() {
    let timeouts = Timeouts {
        request: Duration::from_millis(100),
        ..Timeouts::default()
    };
    let retry = RetryOptions {
        attempts: 1,
        ..RetryOptions::default()
    };
    let world = world_with(
        Options::default(),
        ClientOptions {
            timeouts,
            retry,
            ..options()
        },
    )
    .await;
    world.registry.inject(Fault::new(Effect::Hang).always());
    let err = world.client.tags(&world.repository).await.unwrap_err();
    assert!(matches!(err.kind(), ErrorKind::Timeout), "{err:?}");
}

#[tokio::test]
async fn n25_a_blob_that_drips_is_given_up() {
    let timeouts = Timeouts {
        blob: Duration::from_millis(100),
        ..Timeouts::default()
    };
    let limits = Limits {
        slowest_transfer: 1 << 30,
        ..Limits::default()
    };
    let world = world_with(
        Options::default(),
        ClientOptions {
            timeouts,
            limits,
            ..options()
        },
    )
    .await;
    let (_, layer) = world.seed("v1", &noise(100));
    world
        .registry
        .inject(Fault::new(Effect::Hang).at("/blobs/").always());
    let err = world
        .client
        .blob_bytes(&world.repository, &layer, 1000)
        .await
        .unwrap_err();
    assert!(matches!(err.kind(), ErrorKind::Timeout), "{err:?}");
}

#[tokio::test]
async fn nobody_at_the_other_end_is_no_connection() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let repository = format!("{}/org/app", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    drop(listener);
    let err = Client::new(options())
        .unwrap()
        .tags(&repository)
        .await
        .unwrap_err();
    assert!(
        matches!(err.kind(), ErrorKind::Connect(_)) && err.is_transient(),
        "{err:?}"
    );
}
