//! Death at any moment: the line to the API server goes dead at one request, the action is gone with all that it knew,
//! and another process does what a caller would: it unlocks, and tries again. It must come to the same end.
//!
//! Each test cuts at every request in turn, until the action is done before the cut. Time is simulated.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use tokio::sync::Notify;
use weir_apis::GroupVersionKind;
use weir_releases::{InstallOptions, Reason, RollbackOptions, Template, UninstallOptions, UpgradeOptions};
use weir_standin_apiserver::Fault;

use crate::ground::{Failing as _, Ground, Stage, chart, config, configs, hook, template};
use crate::scenarios::watched;

const NS: &str = "cut";

/// What is being done when the process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Install,
    Upgrade,
    Rollback,
    Uninstall,
}

/// Where the line goes dead.
#[derive(Debug, Clone, Copy)]
enum Cut {
    /// Before the n-th request reaches the server, counted from 1.
    Before(usize),
    /// After the server has carried out the n-th write, before its answer arrives.
    AfterWrite(usize),
}

fn first() -> Template {
    version("1.0.0", "one", "gone")
}

fn second() -> Template {
    version("2.0.0", "two", "new")
}

fn version(version: &str, word: &str, name: &str) -> Template {
    let web = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  selector: {matchLabels: {a: b}}\n  \
               template:\n    metadata: {labels: {a: b}}\n    spec:\n      containers:\n      - {name: web, image: \
               'example/web:1'}\n";
    let chart = chart(
        version,
        &[
            ("templates/a.yaml", &config("a", &format!("word: {word}"))),
            ("templates/b.yaml", &config(name, "other: word")),
            ("templates/web.yaml", web),
            (
                "templates/c.yaml",
                &hook("early", "pre-install,pre-upgrade,pre-rollback,pre-delete", 0, ""),
            ),
            (
                "templates/d.yaml",
                &hook(
                    "late",
                    "post-install,post-upgrade,post-rollback,post-delete",
                    0,
                    "hook-succeeded",
                ),
            ),
        ],
    );
    template(&chart, json!({}))
}

/// Lets the line go dead; says at which request, once it is.
struct Line {
    dead: Arc<AtomicBool>,
    last: Arc<Mutex<String>>,
    died: Arc<Notify>,
}

impl Line {
    fn arm(ground: &Ground, cut: Cut) -> Result<Self> {
        let line = Self {
            dead: Arc::default(),
            last: Arc::default(),
            died: Arc::default(),
        };
        let (dead, last, died) = (line.dead.clone(), line.last.clone(), line.died.clone());
        let (mut requests, mut writes) = (0, 0);
        let server = ground.server.as_ref().context("a stand-in")?;
        server.set_fault_rule(Box::new(move |record| {
            if dead.load(Ordering::SeqCst) {
                return Some(Fault::Cut);
            }
            let is_write = record.is_write();
            requests += 1;
            writes += usize::from(is_write);
            let fault = match cut {
                Cut::Before(n) if requests == n => Fault::Cut,
                Cut::AfterWrite(n) if is_write && writes == n => Fault::CutAnswer,
                _ => return None,
            };
            dead.store(true, Ordering::SeqCst);
            *last.lock().unwrap_or_else(PoisonError::into_inner) = format!("{} {}", record.verb, record.path);
            died.notify_one();
            Some(fault)
        }));
        Ok(line)
    }

    /// Waits until the line is dead.
    async fn is_dead(&self) {
        self.died.notified().await;
        // The server carries out what it has got.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn act(stage: &Stage, moment: Moment) -> Result<()> {
    match moment {
        Moment::Install => stage.install(first(), &InstallOptions::default()).await?,
        Moment::Upgrade => stage.upgrade(second(), &UpgradeOptions::default()).await?,
        Moment::Rollback => {
            let options = RollbackOptions {
                version: 1,
                ..RollbackOptions::default()
            };
            stage.rollback(&options).await?
        }
        Moment::Uninstall => stage.uninstall(&UninstallOptions::default()).await?,
    };
    Ok(())
}

/// What a caller does who finds a release in whatever state.
async fn act_again(stage: &Stage, moment: Moment) -> Result<()> {
    stage.unlock().await?;
    let is_there = !stage.revisions().await?.is_empty();
    match moment {
        Moment::Install if is_there => {
            stage.upgrade(first(), &UpgradeOptions::default()).await?;
        }
        Moment::Uninstall if !is_there => {
            let error = stage.uninstall(&UninstallOptions::default()).await.failure()?;
            ensure!(error.reason == Reason::Missing, "{error}");
        }
        _ => act(stage, moment).await?,
    }
    Ok(())
}

/// What is in the namespace, without what only tells when and how often.
async fn state(stage: &Stage) -> Result<Vec<Value>> {
    let mut state = Vec::new();
    for (api_version, kind) in [("v1", "ConfigMap"), ("apps/v1", "Deployment")] {
        let gvk = GroupVersionKind::from_api_version(api_version, kind);
        for object in stage.client.list(&gvk, &stage.namespace, "").await? {
            let mut owned = object
                .get(&["metadata", "managedFields"])
                .cloned()
                .unwrap_or_default();
            for entry in owned.as_array_mut().into_iter().flatten() {
                entry["time"] = Value::Null;
            }
            state.push(json!({
                "kind": kind, "name": object.name(), "data": object.get(&["data"]), "spec": object.get(&["spec"]),
                "labels": object.get(&["metadata", "labels"]),
                "annotations": object.get(&["metadata", "annotations"])
                    .and_then(|all| all.get("meta.helm.sh/release-name")),
                "managers": owned.as_array().map(|all| all.iter().filter(|one| one.get("subresource").is_none())
                    .cloned().collect::<Vec<_>>()),
            }));
        }
    }
    Ok(state)
}

/// The scene before the moment.
async fn scene(moment: Moment) -> Result<(Ground, Stage)> {
    let ground = Ground::standin();
    let stage = ground.stage(NS).await?;
    if moment != Moment::Install {
        act(&stage, Moment::Install).await?;
    }
    if moment == Moment::Rollback {
        act(&stage, Moment::Upgrade).await?;
    }
    Ok((ground, stage))
}

/// One death and what follows. `false`: the action was done before the cut.
async fn one(moment: Moment, cut: Cut, wanted: &[Value]) -> Result<bool> {
    let (ground, stage) = scene(moment).await?;
    let line = Line::arm(&ground, cut)?;
    // The next process has a client of its own: nothing is known, the types neither.
    let process = Stage::new(
        weir_cluster::connect::in_process(ground.server.clone().context("a stand-in")?, "stand-in"),
        NS,
    );
    let died = tokio::select! {
        biased;
        () = line.is_dead() => true,
        // An action that the cut made fail at once has died as well.
        done = act(&process, moment) => {
            let is_dead = line.dead.load(Ordering::SeqCst);
            if !is_dead {
                done?;
            }
            is_dead
        }
    };
    ground.server.as_ref().context("a stand-in")?.clear_fault_rule();
    if !died {
        return Ok(false);
    }
    let last = line.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let after = async {
        act_again(&stage, moment).await?;
        let found = state(&stage).await?;
        if found != wanted {
            bail!("found {}, wanted {}", json!(found), json!(wanted));
        }
        let revisions = stage.revisions().await?;
        let deployed = revisions
            .iter()
            .filter(|(_, status, _)| status == "deployed")
            .count();
        let is_last = revisions.last().is_none_or(|(_, status, _)| status == "deployed");
        ensure!(
            is_last && deployed == usize::from(moment != Moment::Uninstall),
            "{revisions:?}"
        );
        anyhow::Ok(())
    };
    after
        .await
        .with_context(|| format!("cut at {last}"))
        .map(|()| true)
}

async fn every(moment: Moment, cut: fn(usize) -> Cut) -> Result<()> {
    let (_ground, stage) = scene(moment).await?;
    act(&stage, moment).await?;
    let wanted = state(&stage).await?;
    let mut failed = Vec::new();
    let mut n = 0;
    loop {
        n += 1;
        match one(moment, cut(n), &wanted).await {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => failed.push(format!("{:?}: {error:#}", cut(n))),
        }
        ensure!(n < 500, "the action never ends before the cut");
    }
    println!("{moment:?}: {} deaths, {} failed", n - 1, failed.len());
    ensure!(n > 5, "too few requests to cut at: {n}");
    ensure!(failed.is_empty(), "{moment:?}:\n{}", failed.join("\n"));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn cut_before_any_request_an_install_converges() -> Result<()> {
    every(Moment::Install, Cut::Before).await
}

#[tokio::test(start_paused = true)]
async fn cut_after_any_write_an_install_converges() -> Result<()> {
    every(Moment::Install, Cut::AfterWrite).await
}

#[tokio::test(start_paused = true)]
async fn cut_before_any_request_an_upgrade_converges() -> Result<()> {
    every(Moment::Upgrade, Cut::Before).await
}

#[tokio::test(start_paused = true)]
async fn cut_after_any_write_an_upgrade_converges() -> Result<()> {
    every(Moment::Upgrade, Cut::AfterWrite).await
}

#[tokio::test(start_paused = true)]
async fn cut_before_any_request_a_rollback_converges() -> Result<()> {
    every(Moment::Rollback, Cut::Before).await
}

#[tokio::test(start_paused = true)]
async fn cut_after_any_write_a_rollback_converges() -> Result<()> {
    every(Moment::Rollback, Cut::AfterWrite).await
}

#[tokio::test(start_paused = true)]
async fn cut_before_any_request_a_removal_converges() -> Result<()> {
    every(Moment::Uninstall, Cut::Before).await
}

#[tokio::test(start_paused = true)]
async fn cut_after_any_write_a_removal_converges() -> Result<()> {
    every(Moment::Uninstall, Cut::AfterWrite).await
}

/// What is waited for becomes ready while nothing can be watched.
#[tokio::test(start_paused = true)]
async fn cut_while_it_waits_an_install_goes_on() -> Result<()> {
    let ground = Ground::standin();
    let stage = watched::stage(&ground, NS).await?;
    let server = ground.server.as_ref().context("a stand-in")?;
    let (cut, seen) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
    server.set_fault_rule(Box::new({
        let (cut, seen) = (cut.clone(), seen.clone());
        move |record| {
            let is_look = matches!(record.verb.as_str(), "list" | "watch");
            if !is_look || record.resource != "configmaps" || !cut.load(Ordering::SeqCst) {
                return None;
            }
            seen.fetch_add(1, Ordering::SeqCst);
            Some(Fault::Cut)
        }
    }));
    let b = stage.config("b");
    let meanwhile = async {
        stage.until(&b, |_| true).await?;
        tokio::time::sleep(Duration::from_secs(5)).await;
        let patch = json!({"data": {"ready": "yes"}});
        stage.client.merge(&b, &patch, "somebody").await?;
        tokio::time::sleep(Duration::from_secs(5)).await;
        cut.store(false, Ordering::SeqCst);
        anyhow::Ok(())
    };
    let options = InstallOptions::default();
    let template = configs("1.0.0", &[("b", "ready: 'no'")]);
    let (done, meanwhile) = tokio::join!(stage.install(template, &options), meanwhile);
    meanwhile?;
    done?;
    ensure!(seen.load(Ordering::SeqCst) > 2, "the line was never dead");
    Ok(())
}
