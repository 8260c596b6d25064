//! Charts in a registry.

use bytes::Bytes;
use serde_json::Value;
use weir_charts::{RegistryError, Tgz, pack, pull, push, tag_of, version_of};
use weir_helm::{Chart, File};
use weir_oci::{Digest, Repository, media_type};
use weir_registry::{Client, ClientOptions, PlainHttp};
use weir_standin_registry::{Handle, Options, Registry};

const LIMIT: u64 = 1 << 20;

async fn registry() -> (Registry, Handle, Client) {
    let registry = Registry::new(Options::default());
    let handle = registry.start().await.unwrap();
    let options = ClientOptions {
        plain_http: PlainHttp::Loopback,
        ..ClientOptions::default()
    };
    (registry, handle, Client::new(options).unwrap())
}

fn chart(version: &str) -> (Chart, Bytes) {
    let definition = format!(
        "apiVersion: v2\nname: web\nversion: {version}\nappVersion: '3'\ndescription: a <web>\nhome: https://web.example\nsources: [https://git.example/web]\nmaintainers:\n- {{name: ann, email: ann@web.example}}\n- name: bob\nannotations:\n  org.opencontainers.image.title: another\n  licence: free\n"
    );
    let files = vec![
        File::new("Chart.yaml", definition),
        File::new("values.yaml", "a: 1\n"),
    ];
    let chart = Chart::from_folder(files, &Tgz).unwrap();
    let archive = pack(&chart, jiff::Timestamp::UNIX_EPOCH).unwrap();
    (chart, archive)
}

#[tokio::test]
async fn what_is_pushed_is_pulled_and_looks_as_helms() {
    let (registry, handle, client) = registry().await;
    let repository = Repository::new(&handle.addr().to_string(), "charts/web").unwrap();
    let (chart, archive) = chart("1.2.0+7");
    let provenance = Bytes::from_static(b"signed");
    let pushed = push(
        &client,
        &repository,
        &chart.metadata,
        archive.clone(),
        Some(provenance.clone()),
        "2026-01-02T03:04:05Z",
    )
    .await
    .unwrap();
    assert_eq!(pushed.tag.as_str(), "1.2.0_7");
    assert_eq!(version_of(pushed.tag.as_str()), "1.2.0+7");
    let raw = registry.manifest("charts/web", "1.2.0_7").unwrap();
    assert_eq!(Digest::of(&raw), pushed.digest);
    let manifest: Value = serde_json::from_slice(&raw).unwrap();
    // Helm writes neither a media type nor an artifact type into it.
    assert!(raw.starts_with(
        br#"{"schemaVersion":2,"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"#
    ));
    assert_eq!(manifest["layers"].as_array().unwrap().len(), 2);
    let expected = serde_json::json!({
        "licence": "free",
        "org.opencontainers.image.authors": "ann (ann@web.example), bob",
        "org.opencontainers.image.created": "2026-01-02T03:04:05Z",
        "org.opencontainers.image.description": "a <web>",
        "org.opencontainers.image.source": "https://git.example/web",
        "org.opencontainers.image.title": "web",
        "org.opencontainers.image.url": "https://web.example",
        "org.opencontainers.image.version": "1.2.0+7",
    });
    assert_eq!(manifest["annotations"], expected);
    let pulled = pull(&client, &repository, &pushed.digest, true, LIMIT)
        .await
        .unwrap();
    assert_eq!((pulled.archive, pulled.provenance), (archive, Some(provenance)));
    assert!(!pulled.is_legacy);
    let pulled = pull(&client, &repository, &pushed.digest, false, LIMIT)
        .await
        .unwrap();
    assert_eq!(pulled.provenance, None);
}

#[tokio::test]
async fn what_is_no_chart_is_refused() {
    let (registry, handle, client) = registry().await;
    let repository = Repository::new(&handle.addr().to_string(), "charts/web").unwrap();
    let layer = registry.put_blob("charts/web", b"content".as_slice());
    let config = registry.put_blob("charts/web", b"{}".as_slice());
    let put = |config_type: &str, layer_type: &str| {
        let manifest = format!(
            r#"{{"schemaVersion":2,"config":{{"mediaType":"{config_type}","digest":"{config}","size":2}},"layers":[{{"mediaType":"{layer_type}","digest":"{layer}","size":7}}]}}"#
        );
        registry
            .put_manifest("charts/web", None, manifest, media_type::OCI_MANIFEST)
            .unwrap()
    };
    let image = put(media_type::OCI_CONFIG, media_type::HELM_CHART);
    let error = pull(&client, &repository, &image, false, LIMIT)
        .await
        .unwrap_err();
    assert!(matches!(error, RegistryError::Config), "{error}");
    let other = put(media_type::HELM_CONFIG, media_type::OCI_LAYER_GZIP);
    let error = pull(&client, &repository, &other, false, LIMIT)
        .await
        .unwrap_err();
    assert!(matches!(error, RegistryError::Layer(_)), "{error}");
    let old = put(media_type::HELM_CONFIG, "application/tar+gzip");
    assert!(
        pull(&client, &repository, &old, false, LIMIT)
            .await
            .unwrap()
            .is_legacy
    );
    let error = pull(&client, &repository, &old, false, 6).await.unwrap_err();
    assert!(matches!(error, RegistryError::Registry(_)), "{error}");
    let index = r#"{"schemaVersion":2,"manifests":[]}"#;
    let index = registry
        .put_manifest("charts/web", None, index, media_type::OCI_INDEX)
        .unwrap();
    let error = pull(&client, &repository, &index, false, LIMIT)
        .await
        .unwrap_err();
    assert!(matches!(error, RegistryError::Index(_)), "{error}");
    assert!(tag_of("1.0.0/../x").is_err());
}
