//! What must not get in does not, and what runs goes on running.

use anyhow::{Result, ensure};
use serde_json::json;
use weir_apis::condition::{Conditions, READY, STALLED, Status};
use weir_apis::key;
use weir_real::{Files, Ground, files, object};
use weir_trust::SigningKey;
use weir_verify::Layout;

fn tree(ns: &str, colour: &str) -> Files {
    let text = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  namespace: {ns}\ndata: {{colour: {colour}}}\n"
    );
    files([("a.yaml", &text)])
}

pub(crate) async fn unsigned_and_strange_and_tampered_artifacts_are_refused(ground: &Ground) -> Result<()> {
    let ns = "refusals";
    ground.namespace(ns).await?;
    let (key, stranger) = (SigningKey::generate()?, SigningKey::generate()?);
    ground
        .apply_json(
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys", "namespace": ns},
            "stringData": {"cosign.pub": key.public_key().to_pem()}}),
        )
        .await?;
    let good = ground.push(ns, &tree(ns, "blue")).await?;
    ground.sign(ns, good, &key, Layout::Bundle).await?;
    ground.tag(ns, good, "latest").await?;
    let spec = json!({"interval": "1h", "url": format!("oci://registry.example/{ns}"),
        "verify": {"provider": "cosign", "secretRef": {"name": "keys"}}});
    let source = ground.source_with(ns, ns, spec).await?;
    let applied = ground.kustomization(ns, ns, json!({})).await?;
    ground.until_applied(&applied, good).await?;
    let live = ground.until_ready(&source).await?;
    ensure!(Conditions::of(&live).is("SourceVerified", Status::True));

    let unsigned = ground.publish(ns, "latest", &tree(ns, "red")).await?;
    let strange = ground.push(ns, &tree(ns, "green")).await?;
    ground.sign(ns, strange, &stranger, Layout::Bundle).await?;
    let legacy = ground.push(ns, &tree(ns, "black")).await?;
    ground.sign(ns, legacy, &stranger, Layout::Legacy).await?;
    for (what, bad) in [
        ("unsigned", unsigned),
        ("strange", strange),
        ("strange, legacy", legacy),
    ] {
        ground.tag(ns, bad, "latest").await?;
        ground.reconcile(&source).await?;
        let refused = |live: &weir_apis::Object| {
            let conditions = Conditions::of(live);
            conditions
                .get("SourceVerified")
                .is_some_and(|c| c.status == Status::False && c.message.contains(&bad.to_string()))
                && conditions.is(READY, Status::False)
        };
        let live = ground.until(&source, refused).await?;
        let message = Conditions::of(&live)
            .get(READY)
            .map(|c| c.message.clone())
            .unwrap_or_default();
        ensure!(message.contains("no matching signatures"), "{what}: {message}");
        let kept = live
            .get(&["status", "artifact", "revision"])
            .and_then(|r| r.as_str())
            .unwrap_or_default();
        ensure!(kept.contains(&good.to_string()), "{what}: {kept}");
    }
    let settings = ground.get(&object("v1", "ConfigMap", ns, "settings")).await?;
    ensure!(settings.get(&["data", "colour"]) == Some(&json!("blue")));

    // The older layout counts as well as a bundle, with the right key.
    ground.sign(ns, legacy, &key, Layout::Legacy).await?;
    ground.reconcile(&source).await?;
    ground.until_applied(&applied, legacy).await?;
    Ok(())
}

pub(crate) async fn n42_n45_a_policy_that_cannot_be_checked_admits_nothing(ground: &Ground) -> Result<()> {
    let ns = "refusals-unbuilt";
    ground.namespace(ns).await?;
    ground.publish(ns, "latest", &tree(ns, "blue")).await?;
    let spec = json!({"interval": "1h", "url": format!("oci://registry.example/{ns}"),
        "verify": {"provider": "notation", "secretRef": {"name": "policy"}}});
    let source = ground.source_with(ns, ns, spec).await?;
    let message = ground
        .until_condition(&source, STALLED, Status::True, "FeatureGateDisabled")
        .await?;
    ensure!(message.contains("notation"), "{message}");
    ensure!(ground.get(&source).await?.get(&["status", "artifact"]).is_none());
    Ok(())
}

pub(crate) async fn n65_an_empty_source_prunes_nothing(ground: &Ground) -> Result<()> {
    let ns = "refusals-empty";
    ground.namespace(ns).await?;
    let digest = ground.publish(ns, "latest", &tree(ns, "blue")).await?;
    let source = ground.source(ns, ns).await?;
    let applied = ground.kustomization(ns, ns, json!({})).await?;
    ground.until_applied(&applied, digest).await?;
    ground
        .publish(ns, "latest", &files([("README.md", "nothing here")]))
        .await?;
    ground.reconcile(&source).await?;
    let message = ground
        .until_condition(&applied, READY, Status::False, "PruneFailed")
        .await?;
    ensure!(message.contains("refusing to delete"), "{message}");
    ground.get(&object("v1", "ConfigMap", ns, "settings")).await?;
    Ok(())
}

pub(crate) async fn n65_no_more_is_pruned_at_once_than_the_budget_allows(ground: &Ground) -> Result<()> {
    let ns = "refusals-budget";
    ground.namespace(ns).await?;
    let named = |names: &[&str]| -> Files {
        let text = |name: &str| {
            format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: {ns}\n")
        };
        names
            .iter()
            .map(|name| (format!("{name}.yaml"), text(name)))
            .collect()
    };
    let budget = |value: &str| json!({"metadata": {"annotations": {key::MAX_PRUNE: value}}});
    let digest = ground
        .publish(ns, "latest", &named(&["a", "b", "c", "d"]))
        .await?;
    let source = ground.source(ns, ns).await?;
    let applied = ground.kustomization(ns, ns, json!({})).await?;
    ground.until_applied(&applied, digest).await?;
    ground
        .client
        .merge(&applied, &budget("25%"), "administrator")
        .await?;

    let two_gone = ground.publish(ns, "latest", &named(&["a", "b"])).await?;
    ground.reconcile(&source).await?;
    let message = ground
        .until_condition(&applied, READY, Status::False, "PruneFailed")
        .await?;
    ensure!(
        message.contains("2 of 4 objects left the source") && message.contains(key::MAX_PRUNE),
        "{message}"
    );
    for name in ["a", "b", "c", "d"] {
        ground.get(&object("v1", "ConfigMap", ns, name)).await?;
    }

    ground
        .client
        .merge(&applied, &budget("2"), "administrator")
        .await?;
    ground.reconcile(&applied).await?;
    ground.until_applied(&applied, two_gone).await?;
    ground.until_gone(&object("v1", "ConfigMap", ns, "c")).await?;
    ground.until_gone(&object("v1", "ConfigMap", ns, "d")).await?;
    ground.get(&object("v1", "ConfigMap", ns, "a")).await?;

    ground
        .client
        .merge(&applied, &budget("some"), "administrator")
        .await?;
    ground.reconcile(&applied).await?;
    let message = ground
        .until_condition(&applied, STALLED, Status::True, "InvalidSpec")
        .await?;
    ensure!(message.contains(key::MAX_PRUNE), "{message}");
    Ok(())
}

/// A verdict is about one revision: that a newer one was signed, but could not be pulled, vouches for nothing else.
pub(crate) async fn a_verdict_on_another_revision_does_not_count(ground: &Ground) -> Result<()> {
    let ns = "refusals-verdict";
    ground.namespace(ns).await?;
    let key = SigningKey::generate()?;
    ground
        .apply_json(
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys", "namespace": ns},
            "stringData": {"cosign.pub": key.public_key().to_pem()}}),
        )
        .await?;
    let unsigned = ground.publish(ns, "latest", &tree(ns, "red")).await?;
    let source = ground.source(ns, ns).await?;
    ground.until_ready(&source).await?;

    let signed = ground.push(ns, &tree(ns, "blue")).await?;
    ground.sign(ns, signed, &key, Layout::Bundle).await?;
    let repository = ground.repository(ns)?;
    let manifest = ground.registry.manifest(&repository, &signed).await?.manifest;
    let layer = manifest
        .as_image()
        .and_then(|image| image.layers.first())
        .map(|layer| layer.digest);
    ensure!(layer.is_some_and(|layer| ground.owner.tamper_blob(&layer, "no longer what was signed")));
    ground.tag(ns, signed, "latest").await?;
    let spec = json!({"interval": "1h", "url": format!("oci://registry.example/{ns}"), "ref": {"tag": "latest"},
        "verify": {"provider": "cosign", "secretRef": {"name": "keys"}}});
    ground.source_with(ns, ns, spec).await?;
    ground
        .until_condition(&source, READY, Status::False, "OCIArtifactPullFailed")
        .await?;

    ground.tag(ns, unsigned, "latest").await?;
    ground.reconcile(&source).await?;
    let message = ground
        .until_condition(&source, READY, Status::False, "VerificationError")
        .await?;
    ensure!(message.contains("no matching signatures"), "{message}");
    Ok(())
}
