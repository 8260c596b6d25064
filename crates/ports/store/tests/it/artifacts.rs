//! Flux artifacts: their bytes, and the way to a registry and back.

use weir_oci::{Descriptor, Digest, ImageIndex, ImageManifest, Platform, Repository, Tag, media_type};
use weir_registry::{BlobSource, Client, ClientOptions, PlainHttp};
use weir_standin_registry::{Handle, Options, Registry};
use weir_store::archive::{Form, Packed, Summary, pack_tree};
use weir_store::extract::{self, Symlinks};
use weir_store::flux::{LayerSelector, Metadata, PullError, artifact, pull, push, select_layer};
use weir_store::{Limits, Tree};

use crate::support::tree;

fn metadata() -> Metadata {
    Metadata {
        created: "2026-11-24T03:04:05.678Z".parse().unwrap(),
        source: "https://github.com/org/repo".to_owned(),
        revision: "refs/heads/main@sha1:5a9f".to_owned(),
        annotations: [("team".to_owned(), "a".to_owned())].into(),
    }
}

#[test]
fn configuration_and_manifest_are_written_as_flux_writes_them() {
    let layer = Summary {
        digest: Digest::of(b"layer"),
        size: 5,
        diff_id: Digest::of(b"tar"),
    };
    let made = artifact(&layer, &metadata()).unwrap();
    let config = format!(
        r#"{{"architecture":"","created":"2026-11-24T03:04:05Z","history":[{{"created":"0001-01-01T00:00:00Z"}}],"os":"","rootfs":{{"type":"layers","diff_ids":["{}"]}},"config":{{}}}}"#,
        layer.diff_id
    );
    assert_eq!(made.config, config);
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.cncf.flux.config.v1+json","size":{},"digest":"{}"}},"layers":[{{"mediaType":"application/vnd.cncf.flux.content.v1.tar+gzip","size":5,"digest":"{}"}}],"annotations":{{"org.opencontainers.image.created":"2026-11-24T03:04:05Z","org.opencontainers.image.revision":"refs/heads/main@sha1:5a9f","org.opencontainers.image.source":"https://github.com/org/repo","team":"a"}}}}"#,
        config.len(),
        Digest::of(config.as_bytes()),
        layer.digest,
    );
    assert_eq!(made.raw, manifest);
    assert_eq!(made.digest, Digest::of(manifest.as_bytes()));
}

#[test]
fn own_annotations_win_and_a_reproducible_artifact_is_from_the_epoch() {
    let layer = Summary {
        digest: Digest::of(b"layer"),
        size: 5,
        diff_id: Digest::of(b"tar"),
    };
    let mut metadata = Metadata::default();
    let made = artifact(&layer, &metadata).unwrap();
    assert_eq!(
        made.manifest.annotations["org.opencontainers.image.created"],
        "1970-01-01T00:00:00Z"
    );
    metadata.annotations.insert(
        "org.opencontainers.image.created".to_owned(),
        "2001-02-03T04:05:06Z".to_owned(),
    );
    let made = artifact(&layer, &metadata).unwrap();
    assert!(
        std::str::from_utf8(&made.config)
            .unwrap()
            .contains(r#""created":"2001-02-03T04:05:06Z""#)
    );
}

struct World {
    registry: Registry,
    client: Client,
    repository: Repository,
    _handle: Handle,
}

async fn world() -> World {
    let registry = Registry::new(Options::default());
    let handle = registry.start().await.unwrap();
    let repository = format!("{}/org/app", handle.host()).parse().unwrap();
    let options = ClientOptions {
        plain_http: PlainHttp::Loopback,
        ..ClientOptions::default()
    };
    World {
        registry,
        client: Client::new(options).unwrap(),
        repository,
        _handle: handle,
    }
}

fn content() -> (Tree, Packed) {
    let tree = tree(&[("app/a.yaml", "kind: A\n"), ("app/b.yaml", "kind: B\n")]);
    let packed = pack_tree(&tree, Form::Push).unwrap();
    (tree, packed)
}

#[tokio::test]
async fn an_artifact_is_pushed_and_pulled() {
    let world = world().await;
    let (tree, packed) = content();
    let source = BlobSource::Bytes(packed.bytes.clone());
    let tag = Tag::new("v1").unwrap();
    let pushed = push(
        &world.client,
        &world.repository,
        Some(&tag),
        source,
        &packed.summary,
        &metadata(),
    )
    .await
    .unwrap();
    assert_eq!(world.registry.tag("org/app", "v1"), Some(pushed.digest));
    let pulled = pull(
        &world.client,
        &world.repository,
        &pushed.digest,
        &LayerSelector::default(),
        1 << 20,
    )
    .await
    .unwrap();
    assert_eq!((pulled.manifest, &pulled.content), (pushed.digest, &packed.bytes));
    assert_eq!(pulled.annotations["team"], "a");
    let read = extract::tree(&pulled.content[..], &Limits::default(), Symlinks::Drop).unwrap();
    assert_eq!(read, tree);
}

#[tokio::test]
async fn n24_changed_content_is_not_pulled() {
    let world = world().await;
    let (_, packed) = content();
    let source = BlobSource::Bytes(packed.bytes.clone());
    let pushed = push(
        &world.client,
        &world.repository,
        None,
        source,
        &packed.summary,
        &metadata(),
    )
    .await
    .unwrap();
    let mut other = packed.bytes.to_vec();
    other[20] ^= 1;
    assert!(world.registry.tamper_blob(&pushed.layer.digest, other));
    let err = pull(
        &world.client,
        &world.repository,
        &pushed.digest,
        &LayerSelector::default(),
        1 << 20,
    )
    .await
    .unwrap_err();
    assert!(matches!(err, PullError::Registry(_)), "{err:?}");
}

#[tokio::test]
async fn an_archive_that_changed_after_packing_is_not_published() {
    let world = world().await;
    let (_, packed) = content();
    let source = BlobSource::Bytes(bytes::Bytes::from_static(b"something else"));
    let tag = Tag::new("v1").unwrap();
    assert!(
        push(
            &world.client,
            &world.repository,
            Some(&tag),
            source,
            &packed.summary,
            &metadata()
        )
        .await
        .is_err()
    );
    assert_eq!(world.registry.tag("org/app", "v1"), None);
}

#[tokio::test]
async fn an_index_gives_its_image_for_linux_amd64() {
    let world = world().await;
    let (_, packed) = content();
    let source = BlobSource::Bytes(packed.bytes.clone());
    let pushed = push(
        &world.client,
        &world.repository,
        None,
        source,
        &packed.summary,
        &metadata(),
    )
    .await
    .unwrap();
    let image = world
        .client
        .manifest(&world.repository, &pushed.digest)
        .await
        .unwrap()
        .descriptor();
    for (os, architecture, fine) in [("linux", "amd64", true), ("linux", "arm64", false)] {
        let mut entry = image.clone();
        entry.platform = Some(Platform {
            os: os.into(),
            architecture: architecture.into(),
            ..Platform::default()
        });
        let raw = ImageIndex::new(vec![entry]).to_bytes().unwrap();
        let digest = world
            .registry
            .put_manifest("org/app", None, raw, media_type::OCI_INDEX)
            .unwrap();
        let pulled = pull(
            &world.client,
            &world.repository,
            &digest,
            &LayerSelector::default(),
            1 << 20,
        )
        .await;
        match pulled {
            Ok(pulled) => assert!(fine && pulled.manifest == pushed.digest),
            Err(err) => assert!(!fine && matches!(err, PullError::NoPlatform), "{err:?}"),
        }
    }
}

#[test]
fn a_layer_is_chosen_by_its_exact_type_or_is_the_first() {
    let chart = Descriptor::of(media_type::HELM_CHART, b"chart");
    let provenance = Descriptor::of(media_type::HELM_PROVENANCE, b"prov");
    let image = ImageManifest::new(Descriptor::empty(), vec![provenance.clone(), chart.clone()]);
    let choose = |wanted: Option<&str>| {
        let selector = LayerSelector {
            media_type: wanted.map(str::to_owned),
            ..LayerSelector::default()
        };
        select_layer(&image, &selector).cloned()
    };
    assert_eq!(choose(None).unwrap(), provenance);
    assert_eq!(choose(Some("")).unwrap(), provenance);
    assert_eq!(choose(Some(media_type::HELM_CHART)).unwrap(), chart);
    assert!(matches!(
        choose(Some("application/vnd.cncf.helm")),
        Err(PullError::NoSuchLayer(_))
    ));
    let empty = ImageManifest::new(Descriptor::empty(), Vec::new());
    assert!(matches!(
        select_layer(&empty, &LayerSelector::default()),
        Err(PullError::NoLayers)
    ));
}
