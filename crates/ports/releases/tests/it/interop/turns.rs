//! helm and weir take turns on one release.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use weir_control_plane::Revision;
use weir_helm::{Release, storage_name};
use weir_releases::{InstallOptions, RollbackOptions, TestOptions, UninstallOptions, UpgradeOptions};

use super::{helm, unpack};
use crate::ground::{Ground, NAME, Stage, chart, config, hook, managers, template};

fn version(number: &str, word: &str, name: &str) -> weir_helm::Chart {
    chart(
        number,
        &[
            ("values.yaml", "colour: red\n"),
            ("templates/NOTES.txt", "colour {{ .Values.colour }}\n"),
            ("templates/a.yaml", &config("a", &format!("word: {word}"))),
            ("templates/b.yaml", &config(name, "colour: {{ .Values.colour }}")),
            (
                "templates/c.yaml",
                &hook("early", "pre-install,pre-upgrade", 0, ""),
            ),
            ("templates/d.yaml", &hook("probe", "test", 0, "")),
        ],
    )
}

async fn word(stage: &Stage) -> Result<Option<Value>> {
    let live = stage.get(&stage.config("a")).await?;
    Ok(live.get(&["data", "word"]).cloned())
}

pub(super) async fn helm_reads_what_we_wrote(ground: &Ground) -> Result<()> {
    let stage = ground.stage("interop-reads").await?;
    let helm = helm(ground, &stage.namespace)?;
    let values = || json!({"colour": "blue"});
    stage
        .install(
            template(&version("1.0.0", "one", "b"), values()),
            &InstallOptions::default(),
        )
        .await?;
    let done = stage
        .upgrade(
            template(&version("1.0.1", "two", "c"), values()),
            &UpgradeOptions::default(),
        )
        .await?;
    let found = helm.json(&["list"]).await?;
    let entry = &found[0];
    ensure!(
        entry["name"] == NAME
            && entry["revision"] == "2"
            && entry["status"] == "deployed"
            && entry["chart"] == "web-1.0.1"
            && entry["app_version"] == "7"
            && entry["namespace"] == "interop-reads",
        "{found}"
    );
    let wanted = [
        Revision::new(1, "superseded", "web-1.0.0", "Install complete"),
        Revision::new(2, "deployed", "web-1.0.1", "Upgrade complete"),
    ];
    ensure!(
        helm.history(NAME).await? == wanted,
        "{:?}",
        helm.history(NAME).await?
    );
    let manifest = helm.run(&["get", "manifest", NAME]).await?;
    ensure!(manifest.trim() == done.release.manifest.trim(), "{manifest}");
    ensure!(helm.json(&["get", "values", NAME]).await? == values());
    ensure!(helm.run(&["get", "notes", NAME]).await?.contains("colour blue"));
    ensure!(helm.run(&["get", "hooks", NAME]).await?.contains("early"));
    let first = helm.run(&["get", "manifest", NAME, "--revision", "1"]).await?;
    ensure!(first.contains("word: one"), "{first}");
    let status = helm.json(&["status", NAME]).await?;
    ensure!(
        status["info"]["status"] == "deployed" && status["info"]["description"] == "Upgrade complete",
        "{status}"
    );
    ensure!(status["hooks"][0]["last_run"]["phase"] == "Succeeded", "{status}");
    Ok(())
}

pub(super) async fn helm_goes_on_where_we_stopped(ground: &Ground) -> Result<()> {
    let stage = ground.stage("interop-helm").await?;
    let helm = helm(ground, &stage.namespace)?;
    stage
        .install(
            template(&version("1.0.0", "one", "b"), json!({"colour": "blue"})),
            &InstallOptions::default(),
        )
        .await?;
    stage
        .upgrade(
            template(&version("1.0.1", "two", "c"), json!({"colour": "blue"})),
            &UpgradeOptions::default(),
        )
        .await?;
    let third = unpack(&helm, &version("1.0.2", "three", "d"))?;
    helm.run(&["upgrade", NAME, &third, "--force-conflicts", "--wait"])
        .await?;
    ensure!(word(&stage).await? == Some(json!("three")));
    ensure!(
        stage.configs().await? == ["a", "d", "early"],
        "{:?}",
        stage.configs().await?
    );
    helm.run(&["rollback", NAME, "1", "--force-conflicts", "--wait"])
        .await?;
    ensure!(word(&stage).await? == Some(json!("one")));
    ensure!(
        stage.configs().await? == ["a", "b", "early"],
        "{:?}",
        stage.configs().await?
    );
    stage
        .has_revisions(&[
            (1, "superseded"),
            (2, "superseded"),
            (3, "superseded"),
            (4, "deployed"),
        ])
        .await?;
    // And back to us, after both.
    stage
        .upgrade(
            template(&version("1.0.3", "four", "e"), json!({})),
            &UpgradeOptions::default(),
        )
        .await?;
    ensure!(word(&stage).await? == Some(json!("four")));
    ensure!(
        stage.configs().await? == ["a", "e", "early"],
        "{:?}",
        stage.configs().await?
    );
    helm.run(&["uninstall", NAME]).await?;
    ensure!(stage.configs().await? == ["early"] && stage.revisions().await?.is_empty());
    Ok(())
}

pub(super) async fn we_go_on_where_helm_stopped(ground: &Ground) -> Result<()> {
    let stage = ground.stage("interop-weir").await?;
    let helm = helm(ground, &stage.namespace)?;
    let first = unpack(&helm, &version("1.0.0", "one", "b"))?;
    helm.run(&["install", NAME, &first, "--set", "colour=blue"])
        .await?;
    let second = unpack(&helm, &version("1.0.1", "two", "c"))?;
    helm.run(&["upgrade", NAME, &second]).await?;
    let done = stage
        .upgrade(
            template(&version("1.0.2", "three", "d"), json!({})),
            &UpgradeOptions::default(),
        )
        .await?;
    ensure!(done.release.version == 3 && done.release.apply_method == "ssa");
    ensure!(word(&stage).await? == Some(json!("three")));
    ensure!(
        stage.configs().await? == ["a", "d", "early"],
        "{:?}",
        stage.configs().await?
    );
    stage.test(&TestOptions::default()).await?;
    let options = RollbackOptions {
        version: 1,
        ..RollbackOptions::default()
    };
    stage.rollback(&options).await?;
    let wanted = [
        Revision::new(1, "superseded", "web-1.0.0", "Install complete"),
        Revision::new(2, "superseded", "web-1.0.1", "Upgrade complete"),
        Revision::new(3, "superseded", "web-1.0.2", "Upgrade complete"),
        Revision::new(4, "deployed", "web-1.0.0", "Rollback to 1"),
    ];
    ensure!(
        helm.history(NAME).await? == wanted,
        "{:?}",
        helm.history(NAME).await?
    );
    ensure!(word(&stage).await? == Some(json!("one")));
    ensure!(helm.json(&["get", "values", NAME]).await? == json!({"colour": "blue"}));
    stage.uninstall(&UninstallOptions::default()).await?;
    ensure!(helm.json(&["list"]).await? == json!([]));
    ensure!(
        stage.configs().await? == ["early", "probe"],
        "{:?}",
        stage.configs().await?
    );
    Ok(())
}

/// What Helm 3 writes otherwise: no method, and empty texts for times that are not there.
fn as_helm_3(record: &str) -> Result<Value> {
    let mut record: Value = serde_json::from_str(record)?;
    record
        .as_object_mut()
        .context("an object")?
        .remove("apply_method");
    record["info"]["deleted"] = json!("");
    for hook in record["hooks"].as_array_mut().into_iter().flatten() {
        hook["last_run"] = json!({"started_at": "", "completed_at": "", "phase": ""});
    }
    Ok(record)
}

pub(super) async fn a_record_of_helm_3_is_read_and_upgraded(ground: &Ground) -> Result<()> {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    let stage = ground.stage("interop-helm-3").await?;
    let helm = helm(ground, &stage.namespace)?;
    let first = unpack(&helm, &version("1.0.0", "one", "b"))?;
    helm.run(&["install", NAME, &first, "--server-side=false"])
        .await?;
    let record = stage.storage.get(NAME, 1).await?.context("a record")?;
    ensure!(record.apply_method == "csa");
    // Not packed, as records once were.
    let old = STANDARD.encode(as_helm_3(&record.to_json())?.to_string());
    let secret = stage.object("v1", "Secret", &storage_name(NAME, 1));
    let patch = json!({"data": {"release": STANDARD.encode(old)}});
    stage.client.merge(&secret, &patch, "helm-3").await?;
    let read: Release = stage.storage.get(NAME, 1).await?.context("a record")?;
    ensure!(
        read.apply_method.is_empty() && read.manifest == record.manifest,
        "{read:?}"
    );
    ensure!(helm.history(NAME).await?.len() == 1, "helm cannot read it");
    let done = stage
        .upgrade(
            template(&version("1.0.1", "two", "c"), json!({})),
            &UpgradeOptions::default(),
        )
        .await?;
    // As it was applied, so it goes on.
    ensure!(done.release.apply_method == "csa");
    ensure!(word(&stage).await? == Some(json!("two")));
    ensure!(
        stage.configs().await? == ["a", "c", "early"],
        "{:?}",
        stage.configs().await?
    );
    let live = stage.get(&stage.config("c")).await?;
    ensure!(
        managers(&live)
            .values()
            .flatten()
            .all(|operation| operation == "Update"),
        "{:?}",
        managers(&live)
    );
    helm.run(&["rollback", NAME, "1"]).await?;
    ensure!(word(&stage).await? == Some(json!("one")));
    stage.uninstall(&UninstallOptions::default()).await?;
    Ok(())
}
