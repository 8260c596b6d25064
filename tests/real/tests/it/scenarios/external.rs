//! Artifacts that others write and serve, as objects of their own kind.

use anyhow::{Result, ensure};
use bytes::Bytes;
use serde_json::json;
use weir_apis::condition::{STALLED, Status};
use weir_apis::{GroupVersionKind, ObjectRef};
use weir_oci::Digest;
use weir_real::{Ground, object, web};
use weir_store::archive::{Form, pack_tree};
use weir_store::{Store, Tree};

use super::text::config;

/// An ExternalArtifact whose status names a file that is served there.
async fn offer(
    ground: &Ground,
    ns: &str,
    name: &str,
    revision: &str,
    at: &str,
    content: &Bytes,
) -> Result<()> {
    let gvk = GroupVersionKind::new("source.toolkit.fluxcd.io", "v1", "ExternalArtifact");
    let reference = ObjectRef::new(gvk, ns, name);
    ground
        .apply_json(
            json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "ExternalArtifact",
            "metadata": {"name": name, "namespace": ns},
            "spec": {"sourceRef": {"kind": "ArtifactGenerator", "name": "maker"}}}),
        )
        .await?;
    let status = json!({"status": {"artifact": {"url": format!("{at}/{name}"), "path": name, "revision": revision,
        "digest": Digest::of(content).to_string(), "size": content.len(), "lastUpdateTime": "2026-01-01T00:00:00Z"}}});
    ground
        .client
        .merge_status(&reference, &status, "source-watcher")
        .await?;
    Ok(())
}

/// Where they are allowed, they are built and released from, and a new revision goes all the way by itself.
pub(crate) async fn what_others_offer_is_built_from(ground: &Ground) -> Result<()> {
    let ns = "external";
    ground.namespace(ns).await?;
    let folder = tempfile::tempdir()?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}", listener.local_addr()?);
    let router = weir_store::serve::router(&Store::open(folder.path())?);
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    let put = async |name: &str, revision: &str, content: Bytes| -> Result<()> {
        std::fs::write(folder.path().join(name), &content)?;
        offer(ground, ns, name, revision, &base, &content).await
    };
    let tree = |colour: &str| -> Result<Bytes> {
        let mut tree = Tree::default();
        tree.insert("a.yaml", config(ns, "a", colour))?;
        Ok(pack_tree(&tree, Form::Source)?.bytes)
    };
    let source = |name: &str| json!({"kind": "ExternalArtifact", "name": name});

    put("tree.tar.gz", "latest@sha256:0123", tree("blue")?).await?;
    let applied = ground
        .kustomization(ns, ns, json!({"sourceRef": source("tree.tar.gz")}))
        .await?;
    ground.until_ready(&applied).await?;
    let a = object("v1", "ConfigMap", ns, "a");
    ensure!(ground.get(&a).await?.get(&["data", "colour"]) == Some(&json!("blue")));
    put("tree.tar.gz", "latest@sha256:4567", tree("red")?).await?;
    ground
        .until(&a, |live| live.get(&["data", "colour"]) == Some(&json!("red")))
        .await?;

    // A digest in the revision goes into the chart's version, as for an OCIRepository.
    let revision = format!("latest@sha256:{}", "abcdef012345".repeat(5));
    put("chart.tgz", &revision, web("1.0.0")?).await?;
    let released = ground
        .helm_release(ns, json!({"chartRef": source("chart.tgz")}))
        .await?;
    let live = ground.until_revision(&released, 1).await?;
    let version = live.get(&["status", "lastAttemptedRevision"]).cloned();
    ensure!(version == Some(json!("1.0.0+abcdef012345")), "{version:?}");
    // Without one the version stays.
    put("chart.tgz", "main", web("1.1.0")?).await?;
    let live = ground.until_revision(&released, 2).await?;
    let version = live.get(&["status", "lastAttemptedRevision"]).cloned();
    ensure!(version == Some(json!("1.1.0")), "{version:?}");
    serving.abort();
    Ok(())
}

/// Where they are not, that is said.
pub(crate) async fn what_others_offer_is_refused_unless_that_is_allowed(ground: &Ground) -> Result<()> {
    let ns = "external-closed";
    ground.namespace(ns).await?;
    offer(ground, ns, "app", "main", "http://127.0.0.1:1", &Bytes::new()).await?;
    let source = json!({"kind": "ExternalArtifact", "name": "app"});
    let applied = ground.kustomization(ns, ns, json!({"sourceRef": source})).await?;
    let released = ground.helm_release(ns, json!({"chartRef": source})).await?;
    for refused in [applied, released] {
        let message = ground
            .until_condition(&refused, STALLED, Status::True, "AccessDenied")
            .await?;
        let wanted =
            format!("can't access 'ExternalArtifact/{ns}/app', ExternalArtifact feature gate is disabled");
        ensure!(message.starts_with(&wanted), "{message}");
    }
    Ok(())
}
