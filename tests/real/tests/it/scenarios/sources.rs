//! Which artifact a source takes.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use weir_apis::condition::{READY, Status};
use weir_real::{Files, Ground, files, object};
use weir_standin_registry::{Effect, Fault};
use weir_trust::SigningKey;
use weir_verify::Layout;

use super::text::config;

fn tree(ns: &str, colour: &str) -> Files {
    files([("a.yaml", &config(ns, "settings", colour))])
}

fn url(name: &str) -> String {
    format!("oci://registry.example/{name}")
}

fn artifact(live: &weir_apis::Object, field: &str) -> String {
    live.get(&["status", "artifact", field])
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

pub(crate) async fn a_range_takes_the_highest_version_and_follows_it(ground: &Ground) -> Result<()> {
    let ns = "sources-range";
    ground.namespace(ns).await?;
    for (tag, colour) in [
        ("1.0.0", "a"),
        ("1.2.0", "b"),
        ("1.10.0", "c"),
        ("2.0.0", "d"),
        ("1.11.0-rc.1", "e"),
    ] {
        ground.publish(ns, tag, &tree(ns, colour)).await?;
    }
    let spec = json!({"interval": "1h", "url": url(ns), "ref": {"semver": "1.x"}});
    let source = ground.source_with(ns, ns, spec).await?;
    let live = ground.until_ready(&source).await?;
    ensure!(
        artifact(&live, "revision").starts_with("1.10.0@sha256:"),
        "{}",
        artifact(&live, "revision")
    );
    ground.publish(ns, "1.11.0", &tree(ns, "f")).await?;
    ground.reconcile(&source).await?;
    ground
        .until(&source, |live| {
            artifact(live, "revision").starts_with("1.11.0@sha256:")
        })
        .await?;
    Ok(())
}

pub(crate) async fn a_digest_stays_whatever_tags_do(ground: &Ground) -> Result<()> {
    let ns = "sources-digest";
    ground.namespace(ns).await?;
    let digest = ground.publish(ns, "latest", &tree(ns, "blue")).await?;
    ground.publish(ns, "latest", &tree(ns, "red")).await?;
    let spec =
        json!({"interval": "1h", "url": url(ns), "ref": {"tag": "latest", "digest": digest.to_string()}});
    let source = ground.source_with(ns, ns, spec).await?;
    let live = ground.until_ready(&source).await?;
    ensure!(
        artifact(&live, "revision") == digest.to_string(),
        "{}",
        artifact(&live, "revision")
    );
    Ok(())
}

pub(crate) async fn a_copied_layer_is_kept_as_it_is(ground: &Ground) -> Result<()> {
    let ns = "sources-copy";
    ground.namespace(ns).await?;
    let digest = ground.publish(ns, "latest", &tree(ns, "blue")).await?;
    let kind = "application/vnd.cncf.flux.content.v1.tar+gzip";
    let spec = json!({"interval": "1h", "url": url(ns), "ref": {"tag": "latest"},
        "layerSelector": {"mediaType": kind, "operation": "copy"}});
    let source = ground.source_with(ns, ns, spec).await?;
    let live = ground.until_ready(&source).await?;
    let raw = ground
        .owner
        .manifest(ns, &digest.to_string())
        .context("the manifest")?;
    let manifest: Value = serde_json::from_slice(&raw)?;
    ensure!(
        Some(artifact(&live, "digest").as_str()) == manifest["layers"][0]["digest"].as_str(),
        "{manifest}"
    );
    let missing = json!({"spec": {"layerSelector": {"mediaType": "application/none", "operation": "copy"}}});
    ground.client.merge(&source, &missing, "administrator").await?;
    ground
        .until_condition(&source, READY, Status::False, "OCIArtifactLayerOperationFailed")
        .await?;
    Ok(())
}

pub(crate) async fn n22_n43_a_tag_that_moves_after_the_check_is_not_followed(ground: &Ground) -> Result<()> {
    let ns = "sources-moving";
    ground.namespace(ns).await?;
    let key = SigningKey::generate()?;
    ground
        .apply_json(
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys", "namespace": ns},
            "stringData": {"cosign.pub": key.public_key().to_pem()}}),
        )
        .await?;
    let bad = ground.push(ns, &tree(ns, "red")).await?;
    let good = ground.push(ns, &tree(ns, "blue")).await?;
    ground.sign(ns, good, &key, Layout::Bundle).await?;
    ground.tag(ns, good, "latest").await?;
    // The look for signatures takes long enough for the tag to move.
    ground
        .owner
        .inject(Fault::new(Effect::Slow(Duration::from_secs(1))).at(format!("{ns}/referrers/")));
    let spec = json!({"interval": "1h", "url": url(ns), "ref": {"tag": "latest"},
        "verify": {"provider": "cosign", "secretRef": {"name": "keys"}}});
    let before = ground.owner.seen().len();
    let source = ground.source_with(ns, ns, spec).await?;
    let applied = ground.kustomization(ns, ns, json!({})).await?;
    let asked = || {
        ground
            .owner
            .seen()
            .iter()
            .skip(before)
            .any(|s| s.path.ends_with(&format!("{ns}/manifests/latest")))
    };
    let begun = tokio::time::Instant::now();
    while !asked() {
        ensure!(
            begun.elapsed() < Duration::from_secs(30),
            "nobody asked for the tag"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    ground.owner.tamper_tag(ns, "latest", bad);
    let live = ground.until_ready(&source).await?;
    ensure!(
        artifact(&live, "revision") == format!("latest@{good}"),
        "{}",
        artifact(&live, "revision")
    );
    ground.until_applied(&applied, good).await?;
    let settings = ground.get(&object("v1", "ConfigMap", ns, "settings")).await?;
    ensure!(settings.get(&["data", "colour"]) == Some(&json!("blue")));
    ensure!(
        !ground
            .owner
            .seen()
            .iter()
            .skip(before)
            .any(|s| s.path.contains(&bad.to_string())),
        "the other digest was asked for"
    );
    Ok(())
}
