//! Tags and referrers: whole lists, or errors.

use http::{HeaderValue, StatusCode, header};
use weir_oci::{Digest, ImageIndex, media_type};
use weir_registry::{ClientOptions, ErrorKind, Limits};
use weir_standin_registry::{Effect, Fault, Options};

use crate::support::{attached, options, world, world_with};

fn limits(limits: Limits) -> ClientOptions {
    ClientOptions { limits, ..options() }
}

#[tokio::test]
async fn tags_come_page_by_page() {
    let world = world(Options {
        page_size: 3,
        ..Options::default()
    })
    .await;
    let expected: Vec<String> = (10..20).map(|n| format!("v{n}")).collect();
    for name in &expected {
        world.seed(name, b"x");
    }
    assert_eq!(world.client.tags(&world.repository).await.unwrap(), expected);
    assert_eq!(world.requests("GET", "/tags/list"), 4);
}

#[tokio::test]
async fn n25_a_list_past_its_cap_is_an_error_and_at_its_cap_is_not() {
    for (tags, pages, fine) in [(10, 4, true), (9, 4, false), (10, 3, false)] {
        let options = limits(Limits {
            tags,
            pages,
            ..Limits::default()
        });
        let world = world_with(
            Options {
                page_size: 3,
                ..Options::default()
            },
            options,
        )
        .await;
        for n in 10..20 {
            world.seed(&format!("v{n}"), b"x");
        }
        let outcome = world.client.tags(&world.repository).await;
        assert_eq!(outcome.is_ok(), fine, "{tags} tags, {pages} pages");
        if let Err(err) = outcome {
            assert!(matches!(err.kind(), ErrorKind::TooLarge { .. }), "{err:?}");
        }
    }
}

#[tokio::test]
async fn n25_referrers_past_their_cap_are_an_error() {
    for referrers_api in [true, false] {
        let options = limits(Limits {
            referrers: 2,
            ..Limits::default()
        });
        let world = world_with(
            Options {
                referrers_api,
                page_size: 1,
                ..Options::default()
            },
            options,
        )
        .await;
        let (digest, _) = world.seed("v1", b"x");
        let subject = world
            .client
            .resolve(&world.repository.at_digest(digest))
            .await
            .unwrap();
        let mut entries = Vec::new();
        for (count, note) in ["1", "2", "3"].into_iter().enumerate() {
            let raw = attached(&subject, "application/a", note);
            entries.push(weir_oci::Descriptor::of(media_type::OCI_MANIFEST, &raw));
            world
                .registry
                .put_manifest("org/app", None, raw, media_type::OCI_MANIFEST)
                .unwrap();
            if !referrers_api {
                let raw = ImageIndex::new(entries.clone()).to_bytes().unwrap();
                let list = digest.referrers_tag();
                world
                    .registry
                    .put_manifest("org/app", Some(list.as_str()), raw, media_type::OCI_INDEX)
                    .unwrap();
            }
            let outcome = world.client.referrers(&world.repository, &digest, None).await;
            assert_eq!(outcome.is_ok(), count < 2, "{count}");
        }
    }
}

#[tokio::test]
async fn n21_n25_a_next_page_elsewhere_or_going_in_circles_is_refused() {
    let world = world(Options::default()).await;
    world.seed("v1", b"x");
    for (link, insecure) in [
        (
            "<http://127.0.0.1:1/v2/org/app/tags/list?n=1>; rel=\"next\"",
            true,
        ),
        ("<https://evil.example/v2/org/app/tags/list>; rel=\"next\"", true),
        ("</v2/org/app/tags/list?n=1000>; rel=\"next\"", false),
    ] {
        let header = (header::LINK, HeaderValue::from_static(link));
        world
            .registry
            .inject(Fault::new(Effect::Headers(vec![header])).at("/tags/list"));
        let err = world.client.tags(&world.repository).await.unwrap_err();
        assert_eq!(
            matches!(err.kind(), ErrorKind::Insecure(_)),
            insecure,
            "{link}: {err:?}"
        );
    }
    // Two pages that name each other never end by themselves.
    let header = (
        header::LINK,
        HeaderValue::from_static("</v2/org/app/tags/list?x=1>; rel=\"next\""),
    );
    let back = (
        header::LINK,
        HeaderValue::from_static("</v2/org/app/tags/list?x=2>; rel=\"next\""),
    );
    world
        .registry
        .inject(Fault::new(Effect::Headers(vec![header])).at("x=2").always());
    world
        .registry
        .inject(Fault::new(Effect::Headers(vec![back])).at("/tags/list").always());
    let few = limits(Limits {
        pages: 20,
        ..Limits::default()
    });
    let client = weir_registry::Client::new(few).unwrap();
    let err = client.tags(&world.repository).await.unwrap_err();
    assert!(matches!(err.kind(), ErrorKind::TooLarge { .. }), "{err:?}");
}

#[tokio::test]
async fn n64_half_a_list_is_no_list() {
    let world = world(Options {
        page_size: 1,
        ..Options::default()
    })
    .await;
    world.seed("v1", b"x");
    world.seed("v2", b"x");
    world.registry.inject(
        Fault::new(Effect::Status(StatusCode::INTERNAL_SERVER_ERROR))
            .at("last=v1")
            .always(),
    );
    assert!(
        world
            .client
            .tags(&world.repository)
            .await
            .unwrap_err()
            .is_transient()
    );
}

#[tokio::test]
async fn the_fallback_is_read_for_each_way_of_saying_no() {
    let world = world(Options::default()).await;
    let (digest, _) = world.seed("v1", b"x");
    let entry = weir_oci::Descriptor::of(media_type::OCI_MANIFEST, b"signature");
    let list = ImageIndex::new(vec![entry.clone()]).to_bytes().unwrap();
    world
        .registry
        .put_manifest(
            "org/app",
            Some(digest.referrers_tag().as_str()),
            list,
            media_type::OCI_INDEX,
        )
        .unwrap();
    for effect in [
        Effect::Status(StatusCode::NOT_FOUND),
        Effect::Status(StatusCode::BAD_REQUEST),
        Effect::Status(StatusCode::NOT_ACCEPTABLE),
        Effect::Body("<html>".into(), Some("text/html".to_owned())),
    ] {
        world
            .registry
            .inject(Fault::new(effect.clone()).at("/referrers/"));
        let found = world
            .client
            .referrers(&world.repository, &digest, None)
            .await
            .unwrap();
        assert_eq!(found, std::slice::from_ref(&entry), "{effect:?}");
    }
    world
        .registry
        .inject(Fault::new(Effect::Status(StatusCode::FORBIDDEN)).at("/referrers/"));
    assert!(
        world
            .client
            .referrers(&world.repository, &digest, None)
            .await
            .unwrap_err()
            .is_access()
    );
}

#[tokio::test]
async fn no_list_is_an_empty_list() {
    for referrers_api in [true, false] {
        let world = world(Options {
            referrers_api,
            ..Options::default()
        })
        .await;
        world.seed("v1", b"x");
        assert!(
            world
                .client
                .referrers(&world.repository, &Digest::of(b"?"), None)
                .await
                .unwrap()
                .is_empty()
        );
    }
}
