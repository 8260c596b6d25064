//! Artifacts that another process fetched and serves.

use anyhow::{Result, ensure};
use serde_json::json;
use weir_apis::ObjectRef;
use weir_apis::condition::{READY, Status};
use weir_oci::Digest;
use weir_real::{Ground, object};
use weir_store::archive::{Form, pack_tree};
use weir_store::{Store, Tree};

use super::text::config;

/// Points a source's status at an artifact, as its controller would.
async fn offer(
    ground: &Ground,
    source: &ObjectRef,
    url: &str,
    revision: &str,
    digest: Digest,
    size: usize,
) -> Result<()> {
    let status = json!({"status": {"artifact": {"url": url, "path": "app.tar.gz", "revision": revision,
        "digest": digest.to_string(), "size": size, "lastUpdateTime": "2026-01-01T00:00:00Z"}}});
    ground
        .client
        .merge_status(source, &status, "another-process")
        .await?;
    Ok(())
}

pub(crate) async fn n59_an_artifact_of_others_is_checked_and_its_address_too(ground: &Ground) -> Result<()> {
    let ns = "elsewhere";
    ground.namespace(ns).await?;
    let mut tree = Tree::default();
    tree.insert("a.yaml", config(ns, "a", "blue"))?;
    let packed = pack_tree(&tree, Form::Source)?;
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("app.tar.gz"), &packed.bytes)?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}", listener.local_addr()?);
    let router = weir_store::serve::router(&Store::open(folder.path())?);
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });

    // Suspended: no controller of ours touches it.
    let spec = json!({"interval": "1h", "url": "oci://registry.example/nothing", "suspend": true});
    let source = ground.source_with(ns, ns, spec).await?;
    let applied = ground.kustomization(ns, ns, json!({})).await?;
    let (right, wrong) = (Digest::of(&packed.bytes), Digest::of(b"something else"));
    let url = format!("{base}/app.tar.gz");
    let refused = [
        (
            format!("{base}/absent.tar.gz"),
            right,
            packed.bytes.len(),
            "does not exist",
        ),
        (url.clone(), wrong, packed.bytes.len(), "has the digest"),
        (url.clone(), right, 10, "is larger than"),
        (
            "http://169.254.169.254/app.tar.gz".into(),
            right,
            10,
            "link-local",
        ),
        ("file:///etc/passwd".into(), right, 10, "scheme"),
    ];
    for (i, (url, digest, size, why)) in refused.into_iter().enumerate() {
        offer(ground, &source, &url, &format!("v{i}@{digest}"), digest, size).await?;
        ground
            .until(&applied, |live| {
                let conditions = weir_apis::condition::Conditions::of(live);
                conditions.is(READY, Status::False)
                    && conditions
                        .get(READY)
                        .is_some_and(|c| c.reason == "ArtifactFailed" && c.message.contains(why))
            })
            .await?;
    }
    ensure!(
        ground
            .client
            .get(&object("v1", "ConfigMap", ns, "a"))
            .await?
            .is_none()
    );
    offer(
        ground,
        &source,
        &url,
        &format!("v9@{right}"),
        right,
        packed.bytes.len(),
    )
    .await?;
    ground.until_ready(&applied).await?;
    ground.get(&object("v1", "ConfigMap", ns, "a")).await?;
    serving.abort();
    Ok(())
}
