//! Writing.

use bytes::Bytes;
use http::{Method, StatusCode};
use weir_oci::{Descriptor, Digest, media_type};
use weir_registry::{BlobSource, ClientOptions, ErrorKind, Limits};
use weir_standin_registry::{Effect, Fault, Options};

use crate::support::{attached, manifest, noise, options, tag, world, world_with};

fn small_chunks() -> ClientOptions {
    ClientOptions {
        limits: Limits {
            upload_chunk: 10_000,
            ..Limits::default()
        },
        ..options()
    }
}

#[tokio::test]
async fn an_artifact_goes_up_and_comes_back() {
    let world = world(Options::default()).await;
    let (client, repository) = (&world.client, &world.repository);
    let layer = client
        .push_blob(repository, media_type::FLUX_CONTENT, noise(1000))
        .await
        .unwrap();
    assert_eq!(layer, Descriptor::of(media_type::FLUX_CONTENT, &noise(1000)));
    client
        .push_blob(repository, media_type::OCI_EMPTY, Bytes::from_static(b"{}"))
        .await
        .unwrap();
    let raw = manifest(&noise(1000));
    let digest = client
        .push_manifest(
            repository,
            Some(&tag("v1")),
            raw.clone(),
            media_type::OCI_MANIFEST,
        )
        .await
        .unwrap();
    assert_eq!(digest, Digest::of(&raw));
    assert_eq!(world.registry.tag("org/app", "v1"), Some(digest));
    client.tag(repository, &digest, &tag("v2")).await.unwrap();
    assert_eq!(world.registry.tag("org/app", "v2"), Some(digest));
}

#[tokio::test]
async fn what_is_there_is_not_sent_again() {
    let world = world(Options::default()).await;
    world
        .client
        .push_blob(&world.repository, "x", noise(10))
        .await
        .unwrap();
    world
        .client
        .push_blob(&world.repository, "x", noise(10))
        .await
        .unwrap();
    assert_eq!(world.requests("POST", "/blobs/uploads/"), 1);
}

#[tokio::test]
async fn a_large_blob_goes_up_in_chunks_from_memory_and_from_a_file() {
    let world = world_with(Options::default(), small_chunks()).await;
    let content = noise(35_000);
    let digest = world
        .client
        .push_blob(&world.repository, "x", content.clone())
        .await
        .unwrap()
        .digest;
    assert_eq!(world.requests("PATCH", "/blobs/uploads/"), 4);
    assert_eq!(world.registry.blob("org/app", &digest).unwrap(), content);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("content");
    let content = noise(45_001);
    std::fs::write(&path, &content).unwrap();
    let pushed = world
        .client
        .push_blob(&world.repository, "x", BlobSource::File(path.clone()))
        .await
        .unwrap();
    assert_eq!(pushed, Descriptor::of("x", &content));
    assert_eq!(world.registry.blob("org/app", &pushed.digest).unwrap(), content);
    std::fs::write(&path, b"short").unwrap();
    world
        .client
        .push_blob(&world.repository, "x", BlobSource::File(path))
        .await
        .unwrap();
}

#[tokio::test]
async fn an_upload_goes_on_where_the_registry_stands() {
    let world = world_with(Options::default(), small_chunks()).await;
    let content = noise(35_000);
    // The chunk arrives, but the answer does not: repeating it is out of order, and the registry says so.
    world.registry.inject(
        Fault::new(Effect::CutBody(0))
            .on(Method::PATCH)
            .at("/blobs/uploads/"),
    );
    world.registry.inject(
        Fault::new(Effect::Status(StatusCode::SERVICE_UNAVAILABLE))
            .on(Method::PATCH)
            .at("/blobs/uploads/")
            .times(2),
    );
    let digest = world
        .client
        .push_blob(&world.repository, "x", content.clone())
        .await
        .unwrap()
        .digest;
    assert_eq!(world.registry.blob("org/app", &digest).unwrap(), content);
}

#[tokio::test]
async fn an_out_of_step_upload_asks_for_its_place() {
    let world = world_with(Options::default(), small_chunks()).await;
    let content = noise(25_000);
    world.registry.inject(
        Fault::new(Effect::Status(StatusCode::RANGE_NOT_SATISFIABLE))
            .on(Method::PATCH)
            .at("/blobs/uploads/"),
    );
    let digest = world
        .client
        .push_blob(&world.repository, "x", content.clone())
        .await
        .unwrap()
        .digest;
    assert_eq!(world.registry.blob("org/app", &digest).unwrap(), content);
    assert_eq!(world.requests("GET", "/blobs/uploads/"), 1);
}

#[tokio::test]
async fn a_blob_is_mounted_from_a_neighbour() {
    let world = world(Options::default()).await;
    let digest = world.registry.put_blob("org/other", b"shared".as_slice());
    let other = format!("{}/org/other", world.repository.registry())
        .parse()
        .unwrap();
    assert!(
        world
            .client
            .mount_blob(&world.repository, &digest, &other)
            .await
            .unwrap()
    );
    assert!(world.registry.blob("org/app", &digest).is_some());
    let unknown = Digest::of(b"unknown");
    assert!(
        !world
            .client
            .mount_blob(&world.repository, &unknown, &other)
            .await
            .unwrap()
    );
    assert_eq!(
        world.requests("DELETE", "/blobs/uploads/"),
        1,
        "the upload opened instead is closed"
    );
    let elsewhere = "elsewhere.example/org/app".parse().unwrap();
    assert!(
        !world
            .client
            .mount_blob(&world.repository, &digest, &elsewhere)
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn n24_what_is_no_manifest_is_not_pushed() {
    let world = world(Options::default()).await;
    for (kind, body) in [
        (media_type::OCI_MANIFEST, b"{}".to_vec()),
        (media_type::OCI_INDEX, manifest(b"x")),
    ] {
        let err = world
            .client
            .push_manifest(&world.repository, None, body, kind)
            .await
            .unwrap_err();
        assert!(matches!(err.kind(), ErrorKind::Manifest(_)), "{err:?}");
    }
    assert_eq!(world.requests("PUT", ""), 0);
}

#[tokio::test]
async fn an_immutable_tag_stays() {
    let world = world(Options {
        immutable_tags: true,
        incomplete_manifests: true,
        ..Options::default()
    })
    .await;
    let push = |layer: &'static [u8]| {
        let (client, repository) = (world.client.clone(), world.repository.clone());
        async move {
            client
                .push_manifest(
                    &repository,
                    Some(&tag("v1")),
                    manifest(layer),
                    media_type::OCI_MANIFEST,
                )
                .await
        }
    };
    let digest = push(b"a").await.unwrap();
    push(b"a").await.unwrap();
    let err = push(b"b").await.unwrap_err();
    assert!(
        matches!(err.kind(), ErrorKind::Status { status: 409, .. }),
        "{err:?}"
    );
    assert_eq!(world.registry.tag("org/app", "v1"), Some(digest));
}

#[tokio::test]
async fn tags_and_manifests_are_deleted() {
    let world = world(Options::default()).await;
    let (digest, _) = world.seed("v1", b"x");
    world
        .client
        .tag(&world.repository, &digest, &tag("v2"))
        .await
        .unwrap();
    world
        .client
        .delete_tag(&world.repository, &tag("v2"))
        .await
        .unwrap();
    assert_eq!(world.registry.tags("org/app"), ["v1"]);
    world
        .client
        .delete_manifest(&world.repository, &digest)
        .await
        .unwrap();
    assert!(world.registry.tags("org/app").is_empty());
    assert!(
        world
            .client
            .delete_manifest(&world.repository, &digest)
            .await
            .unwrap_err()
            .is_not_found()
    );
}

#[tokio::test]
async fn attaching_keeps_the_list_where_the_registry_does_not() {
    for referrers_api in [true, false] {
        let world = world(Options {
            referrers_api,
            ..Options::default()
        })
        .await;
        let (client, repository) = (&world.client, &world.repository);
        let (digest, _) = world.seed("v1", b"x");
        let subject = client.resolve(&repository.at_digest(digest)).await.unwrap();
        let mut expected = Vec::new();
        for (kind, note) in [
            ("application/a", "1"),
            ("application/b", "2"),
            ("application/a", "3"),
        ] {
            let raw = attached(&subject, kind, note);
            let pushed = client
                .push_manifest(repository, None, raw.clone(), media_type::OCI_MANIFEST)
                .await
                .unwrap();
            client
                .push_manifest(repository, None, raw, media_type::OCI_MANIFEST)
                .await
                .unwrap();
            expected.push((pushed, kind));
        }
        let mut found: Vec<_> = client
            .referrers(repository, &digest, None)
            .await
            .unwrap()
            .into_iter()
            .map(|entry| (entry.digest, entry.artifact_type.unwrap()))
            .collect();
        found.sort();
        let mut expected: Vec<_> = expected
            .into_iter()
            .map(|(digest, kind)| (digest, kind.to_owned()))
            .collect();
        expected.sort();
        assert_eq!(found, expected, "referrers API: {referrers_api}");
        assert_eq!(
            client
                .referrers(repository, &digest, Some("application/b"))
                .await
                .unwrap()
                .len(),
            1
        );
        let listed = world
            .registry
            .tag("org/app", digest.referrers_tag().as_str())
            .is_some();
        assert_eq!(listed, !referrers_api, "the tag is kept only where it is needed");
    }
}

/// An attached manifest goes, and so does its entry in the list that clients keep.
#[tokio::test]
async fn an_attached_manifest_is_removed_with_its_entry_in_the_list() {
    for referrers_api in [true, false] {
        let world = world(Options {
            referrers_api,
            ..Options::default()
        })
        .await;
        let (client, repository) = (&world.client, &world.repository);
        let (digest, _) = world.seed("v1", b"x");
        let subject = client.resolve(&repository.at_digest(digest)).await.unwrap();
        let mut pushed = Vec::new();
        for note in ["1", "2", "3"] {
            let raw = attached(&subject, "application/a", note);
            let done = client.push_manifest(repository, None, raw, media_type::OCI_MANIFEST);
            pushed.push(done.await.unwrap());
        }
        let remove = async |one: &Digest| client.delete_referrer(repository, &digest, one).await;
        let listed = async || {
            let found = client.referrers(repository, &digest, None).await.unwrap();
            let mut found: Vec<Digest> = found.into_iter().map(|entry| entry.digest).collect();
            found.sort();
            found
        };
        remove(&pushed[0]).await.unwrap();
        let mut left = pushed[1..].to_vec();
        left.sort();
        assert_eq!(listed().await, left);
        let manifest = |one: &Digest| world.registry.manifest("org/app", &one.to_string());
        assert!(manifest(&pushed[0]).is_none() && manifest(&pushed[1]).is_some());
        assert!(remove(&pushed[0]).await.unwrap_err().is_not_found());

        // Many registries do not delete. Where clients keep the list, what is not in it is not attached.
        let refusal = Fault::new(Effect::Status(StatusCode::METHOD_NOT_ALLOWED));
        world.registry.inject(refusal.on(Method::DELETE).always());
        let done = remove(&pushed[1]).await;
        assert_eq!(done.is_ok(), !referrers_api, "{done:?}");
        assert_eq!(listed().await.len(), if referrers_api { 2 } else { 1 });
        assert!(manifest(&pushed[1]).is_some());
        if let Err(error) = done {
            assert!(error.is_unsupported(), "{error}");
        }
    }
}
