//! The same for a release: whatever the moment, the next process comes to exactly the chart that is published, with one
//! deployed revision, nothing pending, and nothing left of what was before.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use weir_apis::ObjectRef;
use weir_cluster::{Propagation, connect};
use weir_real::{Ground, object, source};
use weir_standin_registry::Options;

use super::Moment;
use super::line::{Cut, Line};
use crate::settings;

const NS: &str = "kill-release";
const HOOK: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: hook\n  annotations: {helm.sh/hook: \"pre-install,pre-upgrade\"}\n";

fn map(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{a: b}}\n")
}

/// Publishes a version of the chart: the first has `old`, the second `new` in its place.
async fn publish(ground: &Ground, second: bool) -> Result<()> {
    let (version, name) = if second {
        ("2.0.0", "new")
    } else {
        ("1.0.0", "old")
    };
    let own = map(name);
    let files = [
        ("templates/own.yaml", own.as_str()),
        ("templates/hook.yaml", HOOK),
    ];
    ground.publish_chart(NS, version, &files).await.map(drop)
}

fn line(ground: &mut Ground) -> Result<Line> {
    let server = ground.server.clone().context("a stand-in")?;
    let line = Line::new(server, Arc::default());
    ground.weirs = connect::in_process(line.clone(), "stand-in");
    Ok(line)
}

async fn until_version(ground: &Ground, web: &ObjectRef, version: &str) -> Result<()> {
    let prefix = format!("{version}+");
    ground
        .until(web, |live| {
            let history = live.get(&["status", "history"]);
            let newest = history
                .and_then(|h| h.pointer("/0/chartVersion"))
                .and_then(|v| v.as_str());
            let conditions = weir_apis::condition::Conditions::of(live);
            newest.is_some_and(|v| v.starts_with(&prefix))
                && conditions.is(weir_apis::condition::READY, weir_apis::condition::Status::True)
        })
        .await
        .map(drop)
}

/// One death and what follows. `false`: the work was done before the cut.
async fn one(moment: Moment, cut: Cut) -> Result<bool> {
    let mut ground = Ground::standin_closed(settings(), Options::default()).await?;
    ground.namespace(NS).await?;
    publish(&ground, false).await?;
    ground.source(NS, NS).await?;
    let web = ground.helm_release(NS, json!({})).await?;
    let first = line(&mut ground)?;
    if !matches!(moment, Moment::Install) {
        ground.open().await?;
        until_version(&ground, &web, "1.0.0").await?;
    }
    first.arm(cut);
    let work = async {
        match moment {
            Moment::Install => {
                ground.open().await?;
                until_version(&ground, &web, "1.0.0").await?;
            }
            Moment::Update => {
                publish(&ground, true).await?;
                ground.reconcile(&source(NS, NS)).await?;
                until_version(&ground, &web, "2.0.0").await?;
            }
            Moment::Deletion => {
                ground.client.delete(&web, Propagation::Background, None).await?;
                ground.until_gone(&web).await?;
            }
        }
        anyhow::Ok(())
    };
    let died = tokio::select! {
        biased;
        last = first.died() => Some(last),
        done = work => { done?; None }
    };
    ground.house = None;
    let Some(last) = died else {
        return Ok(false);
    };
    let after = async {
        ground.reopen_store()?;
        line(&mut ground)?;
        if matches!(moment, Moment::Deletion) {
            ground.open().await?;
            ground.until_gone(&web).await?;
            ground.has_records(NS, &[]).await?;
            return names(&ground, &[]).await;
        }
        // The newer version is published while nobody runs.
        publish(&ground, true).await?;
        ground.open().await?;
        ground.reconcile(&source(NS, NS)).await?;
        until_version(&ground, &web, "2.0.0").await?;
        names(&ground, &["hook", "new", "web-settings"]).await?;
        let statuses: Vec<String> = ground
            .records(NS)
            .await?
            .iter()
            .map(|r| r.status().as_str().to_owned())
            .collect();
        let (newest, before) = statuses.split_last().context("a record")?;
        ensure!(
            newest == "deployed" && before.iter().all(|s| s == "superseded" || s == "failed"),
            "{statuses:?}"
        );
        anyhow::Ok(())
    };
    let outcome: Result<()> = after.await;
    outcome.with_context(|| format!("cut at {last}")).map(|()| true)
}

/// Exactly these ConfigMaps are there.
async fn names(ground: &Ground, wanted: &[&str]) -> Result<()> {
    let gvk = object("v1", "ConfigMap", NS, "").gvk;
    let found = ground.client.list(&gvk, NS, "").await?;
    let mut names: Vec<&str> = found.iter().map(weir_apis::Object::name).collect();
    names.retain(|name| *name != "kube-root-ca.crt");
    // A removed release leaves its hooks, as Helm does.
    if wanted.is_empty() {
        names.retain(|name| *name != "hook");
    }
    names.sort_unstable();
    ensure!(names == wanted, "{names:?}");
    Ok(())
}

async fn every(moment: Moment, cut: fn(usize) -> Cut) {
    let mut failed = Vec::new();
    let mut n = 0;
    loop {
        n += 1;
        match one(moment, cut(n)).await {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => failed.push(format!("{:?}: {error:#}", cut(n))),
        }
        assert!(n < 500, "the work never ends before the cut");
    }
    println!(
        "{moment:?} of a release: {} deaths, {} failed",
        n - 1,
        failed.len()
    );
    assert!(n > 5, "too few requests to cut at: {n}");
    assert!(failed.is_empty(), "{moment:?}:\n{}", failed.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn killed_before_any_request_of_a_first_release_it_converges() {
    every(Moment::Install, Cut::Before).await;
}

#[tokio::test(start_paused = true)]
async fn killed_after_any_write_of_a_first_release_it_converges() {
    every(Moment::Install, Cut::AfterWrite).await;
}

#[tokio::test(start_paused = true)]
async fn killed_before_any_request_of_an_upgrade_it_converges() {
    every(Moment::Update, Cut::Before).await;
}

#[tokio::test(start_paused = true)]
async fn killed_after_any_write_of_an_upgrade_it_converges() {
    every(Moment::Update, Cut::AfterWrite).await;
}

#[tokio::test(start_paused = true)]
async fn killed_at_any_request_of_a_removal_it_removes_the_rest() {
    every(Moment::Deletion, Cut::Before).await;
    every(Moment::Deletion, Cut::AfterWrite).await;
}
