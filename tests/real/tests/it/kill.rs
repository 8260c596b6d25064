//! `kill -9` at any moment: weir's line to the API server goes dead at one request, the process is gone with all that it
//! knew, and a new one takes over. It must come to exactly what is published, leave nothing behind, and never apply an
//! object differently than what was published.
//!
//! Each test cuts at every request in turn, until the work is done before the cut. Time is simulated; only the
//! registry is reached over sockets, in the same thread.

mod line;
mod release;
mod tree;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use weir_apis::inventory::Inventory;
use weir_apis::{ObjectRef, key};
use weir_cluster::{Propagation, connect};
use weir_real::{Ground, kustomization, source};
use weir_standin_registry::Options;

use crate::settings;
use line::{Applied, Cut, Line};

const NS: &str = "kill";
const REPO: &str = "tree";

/// What the process is doing when it dies.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// Its first apply.
    Install,
    /// An update.
    Update,
    /// Taking away what a deleted Kustomization applied.
    Deletion,
}

/// Whether the next process finds the artifacts that the dead one stored.
#[derive(Debug, Clone, Copy)]
enum Disk {
    Kept,
    Lost,
}

/// A cluster, and what every process of weir applied in it.
struct Scene {
    ground: Ground,
    applied: Arc<Mutex<Applied>>,
}

impl Scene {
    async fn new() -> Result<Self> {
        let ground = Ground::standin_closed(settings(), Options::default()).await?;
        ground.namespace(NS).await?;
        ground.publish(REPO, "latest", &tree::first()).await?;
        let spec = json!({"interval": "1h", "url": format!("oci://registry.example/{REPO}"), "ref": {"tag": "latest"}});
        ground.source_with(NS, REPO, spec).await?;
        ground
            .kustomization(NS, REPO, json!({"retryInterval": "1s"}))
            .await?;
        Ok(Self {
            ground,
            applied: Arc::default(),
        })
    }

    /// A line for the next process.
    fn line(&mut self) -> Result<Line> {
        let server = self.ground.server.clone().context("a stand-in")?;
        let line = Line::new(server, self.applied.clone());
        self.ground.weirs = connect::in_process(line.clone(), "stand-in");
        Ok(line)
    }

    /// Works through a moment with a process that dies at `cut`; `None` if it was done before.
    async fn until_cut(&mut self, moment: Moment, cut: Cut) -> Result<Option<String>> {
        let line = self.line()?;
        let applied = kustomization(NS, REPO);
        if !matches!(moment, Moment::Install) {
            self.ground.open().await?;
            self.ground.until_ready(&applied).await?;
        }
        line.arm(cut);
        let work = async {
            match moment {
                Moment::Install => {
                    self.ground.open().await?;
                    self.ground.until_ready(&applied).await?;
                }
                Moment::Update => {
                    let digest = self.ground.publish(REPO, "latest", &tree::second()).await?;
                    self.ground.reconcile(&source(NS, REPO)).await?;
                    self.ground.until_applied(&applied, digest).await?;
                }
                Moment::Deletion => {
                    self.ground
                        .client
                        .delete(&applied, Propagation::Background, None)
                        .await?;
                    self.ground.until_gone(&applied).await?;
                }
            }
            anyhow::Ok(())
        };
        let died = tokio::select! {
            biased;
            last = line.died() => Some(last),
            done = work => { done?; None }
        };
        self.ground.house = None;
        Ok(died)
    }

    /// Starts the next process.
    async fn start_again(&mut self, disk: Disk) -> Result<()> {
        match disk {
            Disk::Kept => self.ground.reopen_store()?,
            Disk::Lost => self.ground.lose_store()?,
        }
        self.line()?;
        self.ground.open().await
    }

    async fn uids(&self) -> Result<BTreeMap<ObjectRef, String>> {
        let mut uids = BTreeMap::new();
        for object in tree::all() {
            // A kind that is not served yet has no objects.
            if let Ok(Some(live)) = self.ground.client.get(&object).await {
                uids.insert(object, live.uid().to_owned());
            }
        }
        Ok(uids)
    }

    /// Exactly the second version is there, and the inventory says so.
    async fn is_second(&self, before: &BTreeMap<ObjectRef, String>, digest: weir_oci::Digest) -> Result<()> {
        let live = self
            .ground
            .until_applied(&kustomization(NS, REPO), digest)
            .await?;
        let wanted = tree::second_objects();
        let mut found = std::collections::BTreeSet::new();
        for object in tree::all() {
            let Some(live) = self.ground.client.get(&object).await? else {
                continue;
            };
            ensure!(
                live.label(key::KUSTOMIZATION_NAME) == Some(REPO),
                "{object} is not marked as ours"
            );
            if let (Some(uid), true) = (before.get(&object), wanted.contains(&object)) {
                ensure!(uid == live.uid(), "{object} was made anew");
            }
            found.insert(object);
        }
        ensure!(found == wanted, "live: {found:?}");
        let inventory: Inventory =
            serde_json::from_value(live.get(&["status", "inventory"]).cloned().unwrap_or_default())?;
        let entries: std::collections::BTreeSet<ObjectRef> = inventory
            .entries
            .iter()
            .map(weir_apis::inventory::Entry::reference)
            .collect::<Result<_, _>>()?;
        ensure!(
            entries == wanted && inventory.entries.len() == wanted.len(),
            "inventory: {entries:?}"
        );
        let settings = self
            .ground
            .get(&weir_real::object("v1", "ConfigMap", tree::SPACE, "settings"))
            .await?;
        ensure!(settings.get(&["data"]) == Some(&json!({"colour": "red"})));
        history(live.get(&["status", "history"]), digest)?;
        self.applied_as_published(2)
    }

    /// Nobody applied an object in more ways than there were versions: a process that starts again repeats what the
    /// dead one did, and never goes back.
    fn applied_as_published(&self, versions: usize) -> Result<()> {
        let applied = self.applied.lock().unwrap_or_else(PoisonError::into_inner);
        for (path, bodies) in &*applied {
            let most = if path.ends_with("/settings") { versions } else { 1 };
            ensure!(
                bodies.len() <= most,
                "{path} was applied in {} ways",
                bodies.len()
            );
        }
        Ok(())
    }

    /// Another reconcile finds nothing to do.
    async fn is_quiet(&self) -> Result<()> {
        let applied = kustomization(NS, REPO);
        let before = self.versions().await?;
        let token = "once more";
        let patch = json!({"metadata": {"annotations": {key::REQUESTED_AT: token}}});
        self.ground
            .client
            .merge(&applied, &patch, "administrator")
            .await?;
        let handled = |live: &weir_apis::Object| {
            live.get(&["status", "lastHandledReconcileAt"])
                .and_then(Value::as_str)
                == Some(token)
        };
        self.ground.until(&applied, handled).await?;
        ensure!(
            self.versions().await? == before,
            "a reconcile without a change wrote something"
        );
        Ok(())
    }

    async fn versions(&self) -> Result<Vec<String>> {
        let mut versions = Vec::new();
        for object in tree::second_objects() {
            let live = self.ground.get(&object).await?;
            // A Deployment's status moves by itself.
            versions.push(format!("{object} {}", live.generation()));
            if object.gvk.kind == "ConfigMap" {
                versions.push(live.resource_version().to_owned());
            }
        }
        Ok(versions)
    }
}

/// Each build and end once, each counted a few times at most, and the newest first.
fn history(history: Option<&Value>, digest: weir_oci::Digest) -> Result<()> {
    let entries = history.and_then(Value::as_array).cloned().unwrap_or_default();
    let mut seen = std::collections::BTreeSet::new();
    for entry in &entries {
        ensure!(
            seen.insert((
                entry["digest"].to_string(),
                entry["lastReconciledStatus"].to_string()
            )),
            "{entries:?}"
        );
        ensure!(
            entry["totalReconciliations"]
                .as_i64()
                .is_some_and(|n| (1..=3).contains(&n)),
            "{entries:?}"
        );
    }
    let newest = entries.first().context("an entry")?;
    ensure!(
        newest["metadata"]["revision"] == json!(format!("latest@{digest}")),
        "{entries:?}"
    );
    ensure!(
        newest["lastReconciledStatus"] == json!("ReconciliationSucceeded"),
        "{entries:?}"
    );
    ensure!(entries.len() <= 2, "{entries:?}");
    Ok(())
}

/// One death and what follows. `false`: the work was done before the cut.
async fn one(moment: Moment, cut: Cut, disk: Disk) -> Result<bool> {
    let mut scene = Scene::new().await?;
    let Some(last) = scene.until_cut(moment, cut).await? else {
        return Ok(false);
    };
    let after = async {
        let before = scene.uids().await?;
        if matches!(moment, Moment::Deletion) {
            scene.start_again(disk).await?;
            scene.ground.until_gone(&kustomization(NS, REPO)).await?;
            for object in tree::all() {
                if before.contains_key(&object) {
                    scene.ground.until_gone(&object).await?;
                }
            }
            return scene.applied_as_published(1);
        }
        // The newer version is published while nobody runs: the next process never sees the first.
        let digest = scene.ground.publish(REPO, "latest", &tree::second()).await?;
        scene.start_again(disk).await?;
        scene.is_second(&before, digest).await?;
        scene.is_quiet().await
    };
    after
        .await
        .with_context(|| format!("cut at {last}"))
        .map(|()| true)
}

async fn every(moment: Moment, cut: fn(usize) -> Cut, disk: Disk) {
    let mut failed = Vec::new();
    let mut n = 0;
    loop {
        n += 1;
        match one(moment, cut(n), disk).await {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => failed.push(format!("{:?}: {error:#}", cut(n))),
        }
        assert!(n < 500, "the work never ends before the cut");
    }
    println!(
        "{moment:?}, {:?}: {} deaths, {} failed",
        disk,
        n - 1,
        failed.len()
    );
    assert!(n > 5, "too few requests to cut at: {n}");
    assert!(failed.is_empty(), "{moment:?}, {disk:?}:\n{}", failed.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn killed_before_any_request_of_an_install_it_converges() {
    every(Moment::Install, Cut::Before, Disk::Kept).await;
}

#[tokio::test(start_paused = true)]
async fn killed_after_any_write_of_an_install_it_converges() {
    every(Moment::Install, Cut::AfterWrite, Disk::Lost).await;
}

#[tokio::test(start_paused = true)]
async fn killed_before_any_request_of_an_update_it_converges() {
    every(Moment::Update, Cut::Before, Disk::Lost).await;
}

#[tokio::test(start_paused = true)]
async fn killed_after_any_write_of_an_update_it_converges() {
    every(Moment::Update, Cut::AfterWrite, Disk::Kept).await;
}

#[tokio::test(start_paused = true)]
async fn killed_before_any_request_of_a_deletion_it_deletes_the_rest() {
    every(Moment::Deletion, Cut::Before, Disk::Lost).await;
}

#[tokio::test(start_paused = true)]
async fn killed_after_any_write_of_a_deletion_it_deletes_the_rest() {
    every(Moment::Deletion, Cut::AfterWrite, Disk::Kept).await;
}
