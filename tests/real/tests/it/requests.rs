//! How many requests a HelmRelease costs the API server, its HelmChart's included.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use weir_apis::{ObjectRef, key};
use weir_charts::{Tgz, pack};
use weir_helm::{Chart, File};
use weir_real::{Ground, object};

use crate::scenarios::helm::repository::repository;
use crate::scenarios::helm::{change, reconciled};
use crate::settings;

const CHART: &[(&str, &str)] = &[
    ("Chart.yaml", "apiVersion: v2\nname: app\nversion: 1.0.0\n"),
    ("values.yaml", "message: hello\n"),
    (
        "templates/service.yaml",
        "apiVersion: v1\nkind: Service\nmetadata: {name: {{ .Release.Name }}}\nspec:\n  ports: [{port: 80}]\n  selector: {app: {{ .Release.Name }}}\n",
    ),
    (
        "templates/deployment.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: {{ .Release.Name }}}\nspec:\n  replicas: 0\n  selector: {matchLabels: {app: {{ .Release.Name }}}}\n  template:\n    metadata: {labels: {app: {{ .Release.Name }}}}\n    spec:\n      containers:\n      - {name: app, image: 'example/app:1', env: [{name: MESSAGE, value: {{ .Values.message }}}]}\n",
    ),
];

/// What weir has asked so far.
type Counts = BTreeMap<(String, u16), u64>;

/// Waits until nothing more is asked, and gives what was asked since then.
async fn asked(ground: &Ground, before: &Counts) -> Counts {
    // Events are written in the background.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let now = ground.weirs.counter().counts();
    let all = now.into_iter().map(|(what, count)| {
        let before = before.get(&what).copied().unwrap_or_default();
        (what, count - before)
    });
    all.filter(|(_, count)| *count > 0).collect()
}

fn at_most(most: u64, asked: &Counts, what: &str) -> Result<()> {
    let all: u64 = asked.values().sum();
    ensure!(all <= most, "{all} requests {what}, {most} are needed: {asked:?}");
    Ok(())
}

/// What was read of objects and of the cluster itself, watches left out.
fn gets(asked: &Counts) -> u64 {
    let all = asked.iter().filter(|((verb, _), _)| verb == "GET");
    all.map(|(_, count)| count).sum()
}

async fn release(ground: &Ground, ns: &str, name: &str) -> Result<ObjectRef> {
    let chart =
        json!({"chart": "app", "version": "1.x", "sourceRef": {"kind": "HelmRepository", "name": "charts"}});
    let value = json!({"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": name, "namespace": ns}, "spec": {"interval": "1h", "chart": {"spec": chart}}});
    Ok(ground.apply_json(value).await?.reference())
}

/// A release of a Deployment and a Service, as podinfo is one.
async fn no_request_is_made_that_could_be_left_out(ground: &Ground) -> Result<()> {
    let ns = "hr-requests";
    ground.namespace(ns).await?;
    let files = CHART
        .iter()
        .map(|(name, content)| File::new(*name, (*content).to_owned()));
    let chart = Chart::from_folder(files.collect(), &Tgz)?;
    let archive = pack(&chart, jiff::Timestamp::UNIX_EPOCH)?;
    ground.push_chart(&format!("{ns}/app"), archive).await?;
    let url = format!("oci://registry.example/{ns}");
    repository(ground, ns, json!({"type": "oci", "url": url})).await?;
    // What is asked once in a process' life is asked for this one.
    let first = release(ground, ns, "first").await?;
    ground.until_revision(&first, 1).await?;
    tokio::time::sleep(Duration::from_secs(12)).await;
    let second = release(ground, ns, "second").await?;
    ground.until_revision(&second, 1).await?;

    let counts = || ground.weirs.counter().counts();
    let before = asked_before(ground).await;
    let web = release(ground, ns, "web").await?;
    ground.until_revision(&web, 1).await?;
    // The finalizer; the HelmChart, its status, and an event about each of the two; a look at two objects that may belong
    // to somebody else; the revision; two objects; a watch of the Deployment; the revision's end, an event, the status.
    let installing = asked(ground, &before).await;
    at_most(14, &installing, "to install")?;
    let log = ground
        .server
        .as_ref()
        .map(weir_standin_apiserver::ApiServer::requests);
    let reads = log
        .iter()
        .flatten()
        .filter(|one| one.resource == "secrets" && one.verb == "list");
    ensure!(
        reads.filter(|one| one.namespace == ns).count() == 0,
        "release records were listed although a watch shows them"
    );

    let before = counts();
    change(ground, &web, json!({"values": {"message": "good morning"}})).await?;
    ground.until_revision(&web, 2).await?;
    // The revision, two objects, a watch, the ends of two revisions, an event, the status.
    let upgrading = asked(ground, &before).await;
    at_most(8, &upgrading, "for new values")?;

    let before = counts();
    let live = reconciled(ground, &web).await?;
    ensure!(live.annotation(key::REQUESTED_AT).is_some());
    // The records, since somebody asks; and that the request was handled.
    let looking = asked(ground, &before).await;
    at_most(2, &looking, "to find that nothing has changed")?;
    let deployment = ground.get(&object("apps/v1", "Deployment", ns, "web")).await?;
    let message = deployment
        .to_value()
        .pointer("/spec/template/spec/containers/0/env/0/value")
        .cloned();
    ensure!(message == Some(json!("good morning")), "{message:?}");

    // What the cluster can do is asked anew where it is not to be remembered.
    let before = counts();
    let spec = json!({"persistentClient": false, "values": {"message": "good evening"}});
    change(ground, &web, spec).await?;
    ground.until_revision(&web, 3).await?;
    let anew = asked(ground, &before).await;
    ensure!(
        gets(&anew) > gets(&upgrading),
        "without a persistent client {anew:?}, with one {upgrading:?}"
    );
    Ok(())
}

/// What was asked before a measurement, with the log of a stand-in emptied.
async fn asked_before(ground: &Ground) -> Counts {
    tokio::time::sleep(Duration::from_secs(2)).await;
    if let Some(server) = &ground.server {
        server.clear_requests();
    }
    ground.weirs.counter().counts()
}

#[tokio::test(start_paused = true)]
async fn a_release_asks_for_little_on_the_stand_in() -> Result<()> {
    let ground = Ground::standin(settings()).await?;
    no_request_is_made_that_could_be_left_out(&ground).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_asks_for_little_on_kube_apiserver() -> Result<()> {
    if !crate::is_real_wanted("requests of a release on kube-apiserver") {
        return Ok(());
    }
    let ground = Ground::real(settings()).await?;
    no_request_is_made_that_could_be_left_out(&ground).await
}
