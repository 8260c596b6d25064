//! What annotations and `spec.force` ask for, one object at a time.

use anyhow::{Result, ensure};
use serde_json::json;
use weir_apis::condition::{READY, Status};
use weir_apis::{Object, key};
use weir_real::{Files, Ground, files, object};

use super::text::{annotated, config, web};

fn colour(live: &Object) -> Option<&str> {
    live.get(&["data", "colour"])?.as_str()
}

pub(crate) async fn force_makes_an_object_anew_where_a_field_cannot_change(ground: &Ground) -> Result<()> {
    let ns = "policy-force";
    ground.namespace(ns).await?;
    let first = ground
        .publish(ns, "latest", &files([("web.yaml", &web(ns, "one"))]))
        .await?;
    let source = ground.source(ns, ns).await?;
    let applied = ground.kustomization(ns, ns, json!({})).await?;
    ground.until_applied(&applied, first).await?;
    let deployment = object("apps/v1", "Deployment", ns, "web");
    let uid = ground.get(&deployment).await?.uid().to_owned();
    let second = ground
        .publish(ns, "latest", &files([("web.yaml", &web(ns, "two"))]))
        .await?;
    ground.reconcile(&source).await?;
    let message = ground
        .until_condition(&applied, READY, Status::False, "ReconciliationFailed")
        .await?;
    ensure!(message.contains("immutable"), "{message}");
    ensure!(
        ground.get(&deployment).await?.uid() == uid,
        "made anew without being asked to"
    );
    let force = json!({"spec": {"force": true}});
    ground.client.merge(&applied, &force, "administrator").await?;
    ground.until_applied(&applied, second).await?;
    let live = ground.get(&deployment).await?;
    ensure!(
        live.uid() != uid && live.get(&["spec", "selector", "matchLabels"]) == Some(&json!({"app": "two"}))
    );
    Ok(())
}

pub(crate) async fn annotations_choose_how_an_object_is_applied(ground: &Ground) -> Result<()> {
    let ns = "policy-ssa";
    ground.namespace(ns).await?;
    for name in ["merged", "present", "ignored", "disabled"] {
        let theirs = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": ns},
            "data": {"theirs": "stays", "colour": "black"}});
        ground
            .client
            .create(&Object::from_value(theirs)?, "kubectl-client-side-apply")
            .await?;
    }
    let tree = files([
        ("merged.yaml", &annotated(ns, "merged", "blue", "ssa: Merge")),
        (
            "present.yaml",
            &annotated(ns, "present", "blue", "ssa: IfNotPresent"),
        ),
        (
            "absent.yaml",
            &annotated(ns, "absent", "blue", "ssa: IfNotPresent"),
        ),
        ("ignored.yaml", &annotated(ns, "ignored", "blue", "ssa: Ignore")),
        (
            "disabled.yaml",
            &annotated(ns, "disabled", "blue", "reconcile: disabled"),
        ),
    ]);
    let digest = ground.publish(ns, "latest", &tree).await?;
    ground.source(ns, ns).await?;
    let applied = ground.kustomization(ns, ns, json!({})).await?;
    ground.until_applied(&applied, digest).await?;
    for (name, wanted, theirs) in [
        ("merged", "blue", true),
        ("present", "black", true),
        ("absent", "blue", false),
        ("ignored", "black", true),
        ("disabled", "black", true),
    ] {
        let live = ground.get(&object("v1", "ConfigMap", ns, name)).await?;
        ensure!(colour(&live) == Some(wanted), "{name}: {:?}", live.get(&["data"]));
        ensure!(
            live.get(&["data", "theirs"]).is_some() == theirs,
            "{name}: {:?}",
            live.get(&["data"])
        );
    }
    Ok(())
}

pub(crate) async fn annotations_keep_an_object_that_left(ground: &Ground) -> Result<()> {
    let ns = "policy-prune";
    ground.namespace(ns).await?;
    let keep = annotated(ns, "keep", "blue", "prune: disabled");
    let tree = files([
        ("keep.yaml", &keep),
        ("go.yaml", &config(ns, "go", "blue")),
        ("stay.yaml", &config(ns, "stay", "blue")),
    ]);
    let first = ground.publish(ns, "latest", &tree).await?;
    let source = ground.source(ns, ns).await?;
    let applied = ground.kustomization(ns, ns, json!({})).await?;
    ground.until_applied(&applied, first).await?;
    let second = ground
        .publish(ns, "latest", &files([("stay.yaml", &config(ns, "stay", "blue"))]))
        .await?;
    ground.reconcile(&source).await?;
    ground.until_applied(&applied, second).await?;
    ground.until_gone(&object("v1", "ConfigMap", ns, "go")).await?;
    ground.get(&object("v1", "ConfigMap", ns, "keep")).await?;
    Ok(())
}

pub(crate) async fn fields_of_kubectl_are_taken_over(ground: &Ground) -> Result<()> {
    let ns = "policy-kubectl";
    ground.namespace(ns).await?;
    let settings = object("v1", "ConfigMap", ns, "settings");
    let theirs = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": ns,
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}},
        "data": {"colour": "black", "forgotten": "yes"}});
    ground
        .client
        .create(&Object::from_value(theirs)?, "kubectl-client-side-apply")
        .await?;
    let digest = ground
        .publish(
            ns,
            "latest",
            &files([("a.yaml", &config(ns, "settings", "blue"))]),
        )
        .await?;
    ground.source(ns, ns).await?;
    let applied = ground.kustomization(ns, ns, json!({})).await?;
    ground.until_applied(&applied, digest).await?;
    let live = ground.get(&settings).await?;
    ensure!(
        live.get(&["data"]) == Some(&json!({"colour": "blue"})),
        "{:?}",
        live.get(&["data"])
    );
    ensure!(
        live.annotation("kubectl.kubernetes.io/last-applied-configuration")
            .is_none()
    );
    Ok(())
}

pub(crate) async fn deletion_policy_orphan_leaves_objects(ground: &Ground) -> Result<()> {
    let ns = "policy-orphan";
    ground.namespace(ns).await?;
    let digest = ground
        .publish(
            ns,
            "latest",
            &files([("a.yaml", &config(ns, "settings", "blue"))]),
        )
        .await?;
    ground.source(ns, ns).await?;
    let applied = ground
        .kustomization(ns, ns, json!({"deletionPolicy": "Orphan"}))
        .await?;
    ground.until_applied(&applied, digest).await?;
    ground
        .client
        .delete(&applied, weir_cluster::Propagation::Background, None)
        .await?;
    ground.until_gone(&applied).await?;
    let live = ground.get(&object("v1", "ConfigMap", ns, "settings")).await?;
    ensure!(!live.is_being_deleted());
    Ok(())
}

pub(crate) async fn a_suspended_kustomization_rests_until_it_is_resumed(ground: &Ground) -> Result<()> {
    let ns = "policy-suspend";
    ground.namespace(ns).await?;
    let tree = |colour: &str| -> Files { files([("a.yaml", &config(ns, "settings", colour))]) };
    let first = ground.publish(ns, "latest", &tree("blue")).await?;
    let source = ground.source(ns, ns).await?;
    let applied = ground.kustomization(ns, ns, json!({})).await?;
    ground.until_applied(&applied, first).await?;
    ground
        .client
        .merge(&applied, &json!({"spec": {"suspend": true}}), "administrator")
        .await?;
    let second = ground.publish(ns, "latest", &tree("red")).await?;
    ground.reconcile(&source).await?;
    ground
        .until(&source, |live| {
            live.get(&["status", "artifact", "revision"])
                .and_then(|r| r.as_str())
                .is_some_and(|r| r.contains(&second.to_string()))
        })
        .await?;
    ground.reconcile(&applied).await?;
    // Another one of the same source shows that the controllers had their chance.
    let other = ground
        .apply_json(json!({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
            "metadata": {"name": "other", "namespace": ns},
            "spec": {"interval": "1h", "prune": false, "path": "./", "namePrefix": "other-", "sourceRef": {"kind": "OCIRepository", "name": ns}}}))
        .await?
        .reference();
    ground.until_applied(&other, second).await?;
    let settings = object("v1", "ConfigMap", ns, "settings");
    ensure!(colour(&ground.get(&settings).await?) == Some("blue"));
    ensure!(ground.get(&settings).await?.label(key::KUSTOMIZATION_NAME) == Some(ns));
    ground
        .client
        .merge(&applied, &json!({"spec": {"suspend": false}}), "administrator")
        .await?;
    ground.until_applied(&applied, second).await?;
    ensure!(colour(&ground.get(&settings).await?) == Some("red"));
    Ok(())
}
