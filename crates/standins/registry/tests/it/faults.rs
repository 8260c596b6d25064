//! Misbehaviour on demand, and tampering.

use http::{Method, StatusCode};
use weir_oci::{Descriptor, Digest, ImageManifest, media_type};
use weir_standin_registry::{Effect, Fault, Options};

use crate::protocol::world;

fn manifest(note: &str) -> Vec<u8> {
    let mut manifest = ImageManifest::new(Descriptor::empty(), Vec::new());
    manifest.annotations.insert("note".to_owned(), note.to_owned());
    manifest.to_bytes().unwrap()
}

#[tokio::test]
async fn faults_apply_where_and_as_often_as_they_say() {
    let world = world(Options::default()).await;
    let digest = world.registry.put_blob("a", b"content".as_slice());
    let path = format!("/v2/a/blobs/{digest}");
    world.registry.inject(
        Fault::new(Effect::Status(StatusCode::IM_A_TEAPOT))
            .on(Method::GET)
            .at("/blobs/")
            .times(2),
    );
    let mut statuses = Vec::new();
    for (method, path) in [
        ("GET", "/v2/"),
        ("HEAD", &*path),
        ("GET", &*path),
        ("GET", &*path),
        ("GET", &*path),
    ] {
        statuses.push(world.send(method, path).await.status().as_u16());
    }
    assert_eq!(statuses, [200, 200, 418, 418, 200]);
    let seen: Vec<u16> = world.registry.seen().iter().map(|seen| seen.status).collect();
    assert_eq!(seen, statuses);
    world.registry.inject(Fault::new(Effect::Corrupt).always());
    assert_eq!(world.send("GET", &path).await.text().await.unwrap(), "bontent");
    world.registry.clear_faults();
    world.registry.inject(Fault::new(Effect::CutBody(3)));
    assert!(world.send("GET", &path).await.bytes().await.is_err());
    world
        .registry
        .inject(Fault::new(Effect::Body("other".into(), None)));
    assert_eq!(world.send("GET", &path).await.text().await.unwrap(), "other");
}

#[tokio::test]
async fn the_owner_can_tamper() {
    let world = world(Options {
        immutable_tags: true,
        ..Options::default()
    })
    .await;
    let registry = &world.registry;
    let first = registry
        .put_manifest("a", Some("v1"), manifest("1"), media_type::OCI_MANIFEST)
        .unwrap();
    let second = registry
        .put_manifest("a", None, manifest("2"), media_type::OCI_MANIFEST)
        .unwrap();
    registry.tamper_tag("a", "v1", second);
    assert_eq!(registry.tag("a", "v1"), Some(second));
    assert!(registry.tamper_manifest("a", &first.to_string(), manifest("3")));
    assert_eq!(registry.manifest("a", &first.to_string()).unwrap(), manifest("3"));
    let blob = registry.put_blob("a", b"x".as_slice());
    assert!(registry.tamper_blob(&blob, b"y".as_slice()));
    let body = world
        .send("GET", &format!("/v2/a/blobs/{blob}"))
        .await
        .text()
        .await
        .unwrap();
    assert_eq!(body, "y");
    assert!(!registry.tamper_blob(&Digest::of(b"?"), b"y".as_slice()));
    assert!(!registry.tamper_manifest("b", "v1", manifest("3")));
    assert!(
        registry
            .put_manifest("a", None, b"junk".as_slice(), media_type::OCI_MANIFEST)
            .is_err()
    );
}

#[tokio::test]
async fn shutting_down_ends_idle_connections_too() {
    let world = world(Options::default()).await;
    world.send("GET", "/v2/").await;
    let address = world.handle.addr();
    world.handle.shutdown().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
