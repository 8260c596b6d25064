//! The life of a release: who owns it, who may do what, and how it ends.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use weir_apis::condition::{READY, Status};
use weir_apis::key;
use weir_cluster::Propagation;
use weir_helm::Status as Helm;
use weir_real::{Ground, helm_release, object};
use weir_releases::Storage;

use super::{change, message, until_exhausted};

pub(crate) async fn a_suspended_one_rests_and_leaves_its_release(ground: &Ground) -> Result<()> {
    let ns = "hr-suspend";
    ground.chart_stage(ns, &[]).await?;
    let web = ground.helm_release(ns, json!({})).await?;
    ground.until_revision(&web, 1).await?;
    change(
        ground,
        &web,
        json!({"suspend": true, "values": {"colour": "red"}}),
    )
    .await?;
    ground.reconcile(&web).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    ensure!(ground.setting(ns, "colour").await? == Some(json!("blue")));
    ground.client.delete(&web, Propagation::Background, None).await?;
    ground.until_gone(&web).await?;
    ground.has_records(ns, &[(1, "deployed")]).await?;
    // A release that is there is taken over by an upgrade.
    let web = ground
        .helm_release(ns, json!({"values": {"colour": "green"}}))
        .await?;
    let live = ground.until_revision(&web, 2).await?;
    ensure!(message(&live, READY)?.starts_with("True UpgradeSucceeded"));
    ensure!(ground.setting(ns, "colour").await? == Some(json!("green")));
    Ok(())
}

pub(crate) async fn a_deleted_one_takes_its_release_with_it(ground: &Ground) -> Result<()> {
    let ns = "hr-delete";
    ground.chart_stage(ns, &[]).await?;
    let web = ground.helm_release(ns, json!({})).await?;
    ground.until_revision(&web, 1).await?;
    ground.client.delete(&web, Propagation::Background, None).await?;
    ground.until_gone(&web).await?;
    ground.has_records(ns, &[]).await?;
    ensure!(ground.setting(ns, "colour").await?.is_none());
    Ok(())
}

pub(crate) async fn a_deleted_one_does_not_wait_for_an_account_that_is_gone(ground: &Ground) -> Result<()> {
    let ns = "hr-delete-ns";
    ground.chart_stage(ns, &[]).await?;
    ground.tenant(ns, "cluster-admin").await?;
    let web = ground
        .helm_release(ns, json!({"serviceAccountName": "tenant"}))
        .await?;
    ground.until_revision(&web, 1).await?;
    let account = object("v1", "ServiceAccount", ns, "tenant");
    ground
        .client
        .delete(&account, Propagation::Background, None)
        .await?;
    ground.client.delete(&web, Propagation::Background, None).await?;
    ground.until_gone(&web).await?;
    ground.has_records(ns, &[(1, "deployed")]).await
}

pub(crate) async fn n15_templates_look_up_with_the_tenant_s_rights(ground: &Ground) -> Result<()> {
    let (ns, other) = ("hr-tenant", "hr-tenant-other");
    ground.namespace(other).await?;
    for namespace in [ns, other] {
        ground.namespace(namespace).await?;
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "word", "namespace": namespace},
            "stringData": {"word": namespace}});
        ground.apply_json(secret).await?;
    }
    let lookup = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: looked-up}\ndata:\n  word: {{ (lookup \"v1\" \"Secret\" .Values.from \"word\").data.word | b64dec }}\n";
    ground
        .chart_stage(ns, &[("templates/lookup.yaml", lookup)])
        .await?;
    ground.tenant(ns, "cluster-admin").await?;
    let fields = json!({"serviceAccountName": "tenant", "values": {"from": ns}});
    let web = ground.helm_release(ns, fields).await?;
    ground.until_revision(&web, 1).await?;
    let found = ground.get(&object("v1", "ConfigMap", ns, "looked-up")).await?;
    ensure!(found.get(&["data", "word"]) == Some(&json!(ns)));
    change(ground, &web, json!({"values": {"from": other}})).await?;
    let text = ground
        .until_condition(&web, READY, Status::False, "UpgradeFailed")
        .await?;
    ensure!(
        text.contains("forbidden") && text.contains(&format!("system:serviceaccount:{ns}:tenant")),
        "{text}"
    );
    Ok(())
}

pub(crate) async fn what_others_did_with_helm_is_taken_over(ground: &Ground) -> Result<()> {
    let ns = "hr-unmanaged";
    ground.chart_stage(ns, &[]).await?;
    let web = ground.helm_release(ns, json!({})).await?;
    ground.until_revision(&web, 1).await?;
    let storage = Storage::new(ground.client.clone(), ns, "helm");
    let mut last = storage.last("web").await?.context("a record")?;
    last.version = 2;
    last.manifest.push_str("# somebody else's\n");
    storage.create(&last, 0, jiff::Timestamp::UNIX_EPOCH).await?;
    ground.reconcile(&web).await?;
    let live = ground.until_revision(&web, 3).await?;
    ensure!(message(&live, READY)?.starts_with("True UpgradeSucceeded"));
    let history = live.get(&["status", "history"]).cloned().unwrap_or_default();
    ensure!(history.as_array().is_some_and(|h| h.len() == 1), "{history}");
    Ok(())
}

pub(crate) async fn a_pending_one_is_unlocked(ground: &Ground) -> Result<()> {
    let ns = "hr-pending";
    ground.chart_stage(ns, &[]).await?;
    let web = ground.helm_release(ns, json!({})).await?;
    ground.until_revision(&web, 1).await?;
    let storage = Storage::new(ground.client.clone(), ns, "helm");
    let mut last = storage.last("web").await?.context("a record")?;
    last.version = 2;
    if let Some(info) = &mut last.info {
        info.status = Helm::PendingUpgrade;
    }
    storage.create(&last, 0, jiff::Timestamp::UNIX_EPOCH).await?;
    ground.reconcile(&web).await?;
    ground.until_revision(&web, 3).await?;
    let records = ground.records(ns).await?;
    let second = records.iter().find(|r| r.version == 2).context("the second")?;
    let info = second.info.clone().unwrap_or_default();
    ensure!(
        info.description == "Release unlocked from stale 'pending-upgrade' state",
        "{info:?}"
    );
    Ok(())
}

pub(crate) async fn requests_revive_what_is_exhausted(ground: &Ground) -> Result<()> {
    let ns = "hr-revive";
    ground.chart_stage(ns, &[]).await?;
    let web = ground
        .helm_release(ns, json!({"values": {"broken": true}}))
        .await?;
    until_exhausted(ground, &web, READY).await?;
    let ask = async |annotation: &str, token: &str| {
        let both = json!({"metadata": {"annotations": {key::REQUESTED_AT: token, annotation: token}}});
        ground.client.merge(&web, &both, "administrator").await?;
        anyhow::Ok(())
    };
    let revisions = async || anyhow::Ok(ground.records(ns).await?.len());
    let before = revisions().await?;
    // Without the other annotation a request changes nothing.
    ground.reconcile(&web).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    ensure!(revisions().await? == before);
    for (annotation, field, token) in [
        (key::FORCE_AT, "lastHandledForceAt", "t1"),
        (key::RESET_AT, "lastHandledResetAt", "t2"),
    ] {
        let before = revisions().await?;
        ask(annotation, token).await?;
        ground
            .until(&web, |live| {
                live.get(&["status", field]) == Some(&json!(token))
                    && live.get(&["status", "lastHandledReconcileAt"]) == Some(&json!(token))
            })
            .await?;
        ensure!(revisions().await? == before + 1, "{annotation}");
    }
    Ok(())
}

pub(crate) async fn nothing_changed_writes_nothing(ground: &Ground) -> Result<()> {
    let ns = "hr-quiet";
    ground.chart_stage(ns, &[]).await?;
    let fields = json!({"interval": "1s", "driftDetection": {"mode": "enabled"}});
    let web = ground.helm_release(ns, fields).await?;
    ground.until_revision(&web, 1).await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let before = ground.get(&web).await?.resource_version().to_owned();
    let settings = object("v1", "ConfigMap", ns, "web-settings");
    let of_settings = ground.get(&settings).await?.resource_version().to_owned();
    tokio::time::sleep(Duration::from_secs(4)).await;
    ensure!(ground.get(&web).await?.resource_version() == before);
    ensure!(ground.get(&settings).await?.resource_version() == of_settings);
    ground.has_records(ns, &[(1, "deployed")]).await?;
    change(ground, &helm_release(ns, "web"), json!({"suspend": true})).await?;
    Ok(())
}

pub(crate) async fn another_cluster_is_released_to(ground: &Ground) -> Result<()> {
    let ns = "hr-remote";
    ground.chart_stage(ns, &[]).await?;
    let web = ground
        .helm_release(
            ns,
            json!({"kubeConfig": {"secretRef": {"name": "elsewhere"}}, "targetNamespace": "hr-remote-target",
                "releaseName": "web", "install": {"createNamespace": true}}),
        )
        .await?;
    let text = ground
        .until_condition(&web, READY, Status::False, "RESTClientError")
        .await?;
    ensure!(
        text == format!("spec.kubeConfig.secretRef: Secret '{ns}/elsewhere': not found"),
        "{text}"
    );
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "elsewhere", "namespace": ns,
        "labels": {"reconcile.fluxcd.io/watch": "Enabled"}}, "stringData": {"value": ground.kubeconfig().await?}});
    ground.apply_json(secret).await?;
    ground.until_revision(&web, 1).await?;
    ground
        .get(&object("v1", "ConfigMap", "hr-remote-target", "web-settings"))
        .await?;
    Ok(())
}
