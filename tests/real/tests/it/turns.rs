//! A real helm and HelmReleases take turns on one release: helm 4 and helm 3, one after the other.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use weir_apis::ObjectRef;
use weir_apis::condition::READY;
use weir_cluster::Propagation;
use weir_control_plane::{Helm, Revision, tools};
use weir_real::{Ground, chart_files, object};

use crate::scenarios::helm::{change, message, reconciled};
use crate::{is_real_wanted, settings};

/// What the chart has besides its ConfigMap: a hook that runs on installations alone, notes, and a test.
const OTHERS: &[(&str, &str)] = &[
    (
        "templates/first.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: first\n  annotations: {helm.sh/hook: pre-install}\ndata: {revision: \"{{ .Release.Revision }}\"}\n",
    ),
    (
        "templates/probe.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: probe\n  annotations: {helm.sh/hook: test}\n",
    ),
    ("templates/NOTES.txt", "colour {{ .Values.colour }}\n"),
];

/// A helm of one major version.
struct Kind {
    program: &'static str,
    /// How it applies what it installs, as records have it after an upgrade that keeps to it.
    method: &'static str,
    /// What its rollbacks and upgrades need in order to write over what others wrote.
    force: &'static [&'static str],
}

const KINDS: [Kind; 2] = [
    Kind {
        program: "helm",
        method: "ssa",
        force: &["--force-conflicts"],
    },
    Kind {
        program: "helm3",
        method: "csa",
        force: &[],
    },
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn helm_and_helm_releases_take_turns() -> Result<()> {
    let what = "turns of helm and HelmReleases";
    let is_required = std::env::var("WEIR_REAL").is_ok_and(|wanted| wanted == "required");
    let missing = KINDS.iter().find(|kind| tools::find(kind.program).is_none());
    if let (Some(kind), false) = (missing, is_required) {
        println!(
            "not run: {what} (`cargo xtask tools` has not built {})",
            kind.program
        );
        return Ok(());
    }
    if !is_real_wanted(what) {
        return Ok(());
    }
    let ground = Ground::real(settings()).await?;
    for kind in &KINDS {
        we_take_over(&ground, kind)
            .await
            .with_context(|| format!("a release of {}", kind.program))?;
        it_takes_over(&ground, kind)
            .await
            .with_context(|| format!("{} on a release of ours", kind.program))?;
    }
    Ok(())
}

async fn stage(ground: &Ground, kind: &Kind, what: &str) -> Result<(String, Helm)> {
    let ns = format!("turns-{what}-{}", kind.program);
    ground.chart_stage(&ns, OTHERS).await?;
    let kubeconfig = ground.kubeconfig_path().context("a real control plane")?;
    let helm = Helm::new(kind.program, kubeconfig, &ns)?;
    Ok((ns, helm))
}

fn chart(helm: &Helm, version: &str) -> Result<String> {
    let files = chart_files(version, OTHERS);
    let files = files.iter().map(|(path, text)| (path.as_str(), text.as_bytes()));
    Ok(format!("{}/web", helm.unpack(version, files)?))
}

/// Waits until a revision of ours is deployed, and checks what it left in the cluster.
async fn is_at(ground: &Ground, web: &ObjectRef, revision: i64, colour: &str) -> Result<()> {
    let live = ground.until_revision(web, revision).await?;
    let ready = message(&live, READY)?;
    ensure!(ready.starts_with("True UpgradeSucceeded"), "{ready}");
    has(ground, &web.namespace, colour).await
}

async fn has(ground: &Ground, ns: &str, colour: &str) -> Result<()> {
    let found = ground.setting(ns, "colour").await?;
    ensure!(found == Some(json!(colour)), "{found:?}, not {colour}");
    Ok(())
}

/// Nothing is left of the release, as helm sees it and as the cluster does.
async fn is_gone(ground: &Ground, helm: &Helm, web: &ObjectRef) -> Result<()> {
    ground.client.delete(web, Propagation::Background, None).await?;
    ground.until_gone(web).await?;
    ensure!(helm.json(&["list"]).await? == json!([]));
    ensure!(helm.history("web").await.is_err());
    ground.has_records(&web.namespace, &[]).await?;
    ensure!(ground.setting(&web.namespace, "colour").await?.is_none());
    Ok(())
}

/// Runs a command that writes, with what this helm needs for that.
async fn write(helm: &Helm, kind: &Kind, arguments: &[&str]) -> Result<()> {
    helm.run(&[arguments, kind.force].concat()).await.map(drop)
}

async fn we_take_over(ground: &Ground, kind: &Kind) -> Result<()> {
    let (ns, helm) = stage(ground, kind, "theirs").await?;
    helm.run(&["install", "web", &chart(&helm, "1.0.0")?, "--set", "colour=red"])
        .await?;
    has(ground, &ns, "red").await?;
    let settings = object("v1", "ConfigMap", &ns, "web-settings");
    let uid = ground.get(&settings).await?.uid().to_owned();

    let web = ground
        .helm_release(&ns, json!({"values": {"colour": "green"}}))
        .await?;
    // An upgrade, and nothing is made anew.
    is_at(ground, &web, 2, "green").await?;
    ensure!(ground.get(&settings).await?.uid() == uid, "it was made anew");
    let first = ground.get(&object("v1", "ConfigMap", &ns, "first")).await?;
    ensure!(
        first.get(&["data", "revision"]) == Some(&json!("1")),
        "the hook of installations ran again"
    );
    ground
        .has_records(&ns, &[(1, "superseded"), (2, "deployed")])
        .await?;
    let records = ground.records(&ns).await?;
    let method = records.last().map(|record| record.apply_method.as_str());
    ensure!(method == Some(kind.method), "{method:?}");
    reads(&helm, &ns, ground, &json!({"colour": "green"})).await?;

    // It goes back to its own, and forward with another; each time the object has the last word.
    write(&helm, kind, &["rollback", "web", "1", "--wait"]).await?;
    has(ground, &ns, "red").await?;
    reconciled(ground, &web).await?;
    is_at(ground, &web, 4, "green").await?;
    let next = chart(&helm, "1.0.1")?;
    write(
        &helm,
        kind,
        &["upgrade", "web", &next, "--set", "colour=pink", "--wait"],
    )
    .await?;
    has(ground, &ns, "pink").await?;
    reconciled(ground, &web).await?;
    is_at(ground, &web, 6, "green").await?;
    is_gone(ground, &helm, &web).await
}

/// What helm reads of a release of ours is what is there.
async fn reads(helm: &Helm, ns: &str, ground: &Ground, values: &Value) -> Result<()> {
    let records = ground.records(ns).await?;
    let last = records.last().context("a record")?;
    let metadata = last.chart.as_ref().and_then(|chart| chart.metadata.as_ref());
    let version = metadata.map(|m| m.version.clone()).context("a version")?;
    ensure!(version.starts_with("1.0.0+"), "{version}");
    let listed = helm.json(&["list"]).await?;
    let (entry, revision) = (&listed[0], last.version.to_string());
    ensure!(
        entry["name"] == "web"
            && entry["namespace"] == ns
            && entry["revision"] == revision.as_str()
            && entry["status"] == "deployed"
            && entry["chart"] == format!("web-{version}")
            && entry["app_version"] == "7",
        "{listed}"
    );
    let history = helm.history("web").await?;
    let newest = history.last();
    let wanted = Revision::new(
        last.version,
        "deployed",
        &format!("web-{version}"),
        "Upgrade complete",
    );
    ensure!(newest == Some(&wanted), "{newest:?}, not {wanted:?}");
    ensure!(history.len() == records.len(), "{history:?}");
    let found = helm.json(&["get", "values", "web"]).await?;
    ensure!(found == *values, "{found}");
    let manifest = helm.run(&["get", "manifest", "web"]).await?;
    ensure!(manifest.trim() == last.manifest.trim(), "{manifest}");
    ensure!(
        manifest.contains("helm.toolkit.fluxcd.io/name: web"),
        "{manifest}"
    );
    let hooks = helm.run(&["get", "hooks", "web"]).await?;
    ensure!(
        hooks.contains("pre-install") && hooks.contains("probe"),
        "{hooks}"
    );
    let colour = values["colour"].as_str().unwrap_or_default();
    let notes = helm.run(&["get", "notes", "web"]).await?;
    ensure!(notes.contains(&format!("colour {colour}")), "{notes}");
    let status = helm.json(&["status", "web"]).await?;
    ensure!(status["info"]["status"] == "deployed", "{status}");
    Ok(())
}

async fn it_takes_over(ground: &Ground, kind: &Kind) -> Result<()> {
    let (ns, helm) = stage(ground, kind, "ours").await?;
    let web = ground
        .helm_release(&ns, json!({"values": {"colour": "red"}}))
        .await?;
    ground.until_revision(&web, 1).await?;
    change(ground, &web, json!({"values": {"colour": "green"}})).await?;
    is_at(ground, &web, 2, "green").await?;
    reads(&helm, &ns, ground, &json!({"colour": "green"})).await?;
    let first = helm.json(&["get", "values", "web", "--revision", "1"]).await?;
    ensure!(first == json!({"colour": "red"}), "{first}");

    // Back to our first revision, and we carry on after that.
    write(&helm, kind, &["rollback", "web", "1", "--wait"]).await?;
    has(ground, &ns, "red").await?;
    let history = helm.history("web").await?;
    let last = history.last().context("a revision")?;
    ensure!(
        last.number == 3 && last.status == "deployed" && last.description == "Rollback to 1",
        "{history:?}"
    );
    reconciled(ground, &web).await?;
    is_at(ground, &web, 4, "green").await?;
    change(ground, &web, json!({"values": {"colour": "black"}})).await?;
    is_at(ground, &web, 5, "black").await?;
    ground
        .has_records(
            &ns,
            &[
                (1, "superseded"),
                (2, "superseded"),
                (3, "superseded"),
                (4, "superseded"),
                (5, "deployed"),
            ],
        )
        .await?;
    reads(&helm, &ns, ground, &json!({"colour": "black"})).await?;
    is_gone(ground, &helm, &web).await
}
