//! Resolving and reading.

use futures::TryStreamExt as _;
use http::{Method, StatusCode};
use tokio::io::AsyncReadExt as _;
use weir_oci::{Digest, media_type};
use weir_registry::{ErrorKind, Limits};
use weir_standin_registry::{Effect, Fault, Options};

use crate::support::{noise, options, tag, world, world_with};

#[tokio::test]
async fn a_tag_resolves_to_the_digest_it_points_to() {
    let world = world(Options::default()).await;
    let (digest, _) = world.seed("v1", b"content");
    let resolved = world
        .client
        .resolve(&world.repository.at_tag(tag("v1")))
        .await
        .unwrap();
    assert_eq!(resolved.digest, digest);
    assert_eq!(resolved.media_type, media_type::OCI_MANIFEST);
    assert_eq!(world.requests("GET", "/manifests/"), 0, "a HEAD is enough");
    let again = world
        .client
        .resolve(&world.repository.at_tag(tag("v1")).pinned(digest))
        .await
        .unwrap();
    assert_eq!(again, resolved);
}

#[tokio::test]
async fn a_registry_whose_head_says_too_little_is_asked_with_get() {
    let world = world(Options::default()).await;
    let (digest, _) = world.seed("v1", b"content");
    let header = http::HeaderName::from_static("docker-content-digest");
    for fault in [
        Effect::Status(StatusCode::METHOD_NOT_ALLOWED),
        Effect::WithoutHeader(header),
    ] {
        world.registry.inject(Fault::new(fault).on(Method::HEAD));
        let resolved = world
            .client
            .resolve(&world.repository.at_tag(tag("v1")))
            .await
            .unwrap();
        assert_eq!(resolved.digest, digest);
    }
    assert_eq!(world.requests("GET", "/manifests/v1"), 2);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let world = world(Options::default()).await;
    let err = world
        .client
        .resolve(&world.repository.at_tag(tag("v1")))
        .await
        .unwrap_err();
    assert!(err.is_not_found(), "{err:?}");
    assert_eq!(err.to_string(), format!("cannot resolve {}:v1", world.repository));
    assert!(matches!(err.kind(), ErrorKind::NotFound(problem) if problem.codes == ["MANIFEST_UNKNOWN"]));
    let digest = Digest::of(b"x");
    assert!(
        world
            .client
            .manifest(&world.repository, &digest)
            .await
            .unwrap_err()
            .is_not_found()
    );
    assert_eq!(
        world
            .client
            .blob_exists(&world.repository, &digest)
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn manifest_and_blob_come_back_as_they_are() {
    let world = world(Options::default()).await;
    let content = noise(300_000);
    let (digest, layer) = world.seed("v1", &content);
    let fetched = world.client.manifest(&world.repository, &digest).await.unwrap();
    assert_eq!(Digest::of(&fetched.raw), digest);
    assert_eq!(
        fetched.manifest.as_image().unwrap().layers,
        std::slice::from_ref(&layer)
    );
    assert_eq!(
        world
            .client
            .blob_bytes(&world.repository, &layer, 1 << 20)
            .await
            .unwrap(),
        content
    );
    assert_eq!(
        world
            .client
            .blob_exists(&world.repository, &layer.digest)
            .await
            .unwrap(),
        Some(layer.size)
    );
    let mut read = Vec::new();
    let mut reader = world
        .client
        .blob(&world.repository, &layer)
        .await
        .unwrap()
        .into_reader();
    reader.read_to_end(&mut read).await.unwrap();
    assert_eq!(read, content);
}

#[tokio::test]
async fn a_blob_goes_to_a_file_whole_or_not_at_all() {
    let world = world(Options::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("blob");
    let (_, layer) = world.seed("v1", &noise(100_000));
    world.registry.inject(Fault::new(Effect::Corrupt).at("/blobs/"));
    assert!(
        world
            .client
            .blob_to_file(&world.repository, &layer, &path)
            .await
            .is_err()
    );
    assert!(!path.exists());
    world
        .client
        .blob_to_file(&world.repository, &layer, &path)
        .await
        .unwrap();
    assert_eq!(Digest::of(&std::fs::read(&path).unwrap()), layer.digest);
    let err = world
        .client
        .blob_to_file(&world.repository, &layer, &path)
        .await
        .unwrap_err();
    assert!(
        matches!(err.kind(), ErrorKind::File(_)),
        "an existing file is left alone"
    );
}

#[tokio::test]
async fn a_blob_that_breaks_off_is_resumed_where_it_stood() {
    let world = world(Options::default()).await;
    let content = noise(200_000);
    let (_, layer) = world.seed("v1", &content);
    world
        .registry
        .inject(Fault::new(Effect::CutBody(120_000)).at("/blobs/"));
    assert_eq!(
        world
            .client
            .blob_bytes(&world.repository, &layer, 1 << 20)
            .await
            .unwrap(),
        content
    );
    let statuses: Vec<u16> = world
        .registry
        .seen()
        .iter()
        .filter(|seen| seen.path.contains("/blobs/"))
        .map(|seen| seen.status)
        .collect();
    assert_eq!(statuses, [200, 206]);
}

#[tokio::test]
async fn without_ranges_a_blob_is_read_again_and_still_checked() {
    let world = world(Options {
        ranges: false,
        ..Options::default()
    })
    .await;
    let content = noise(200_000);
    let (_, layer) = world.seed("v1", &content);
    world
        .registry
        .inject(Fault::new(Effect::CutBody(120_001)).at("/blobs/"));
    let chunks: Vec<bytes::Bytes> = world
        .client
        .blob(&world.repository, &layer)
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(chunks.concat(), content);
}

#[tokio::test]
async fn a_blob_that_breaks_off_for_ever_ends_in_an_error() {
    let world = world(Options::default()).await;
    let (_, layer) = world.seed("v1", &noise(50_000));
    world
        .registry
        .inject(Fault::new(Effect::CutBody(0)).at("/blobs/").always());
    let err = world
        .client
        .blob_bytes(&world.repository, &layer, 1 << 20)
        .await
        .unwrap_err();
    assert!(err.is_transient(), "{err:?}");
}

#[tokio::test]
async fn n25_sizes_have_caps() {
    let limits = Limits {
        manifest_bytes: 100,
        ..Limits::default()
    };
    let world = world_with(
        Options::default(),
        weir_registry::ClientOptions { limits, ..options() },
    )
    .await;
    let (digest, layer) = world.seed("v1", b"0123456789");
    let err = world
        .client
        .manifest(&world.repository, &digest)
        .await
        .unwrap_err();
    assert!(
        matches!(err.kind(), ErrorKind::TooLarge { limit: 100, .. }),
        "{err:?}"
    );
    assert!(
        world
            .client
            .blob_bytes(&world.repository, &layer, 10)
            .await
            .is_ok()
    );
    world.registry.forget_seen();
    assert!(
        world
            .client
            .blob_bytes(&world.repository, &layer, 9)
            .await
            .is_err()
    );
    assert_eq!(
        world.requests("GET", "/blobs/"),
        0,
        "nothing is asked for that could not be taken"
    );
}
