//! One release of D2's, at each point of its life.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use weir_apis::condition::{Conditions, READY, REMEDIATED, Status};
use weir_apis::{GroupVersionKind, Object, ObjectRef};
use weir_cluster::Propagation;
use weir_control_plane::{Helm, tools};
use weir_helm::Release;
use weir_real::Ground;
use weir_releases::Storage;

use super::Versions;
use super::rendered::{Rendered, expected};

/// A release may take that long: the largest has more than a hundred objects, and their controllers must become ready.
const PATIENCE: Duration = Duration::from_mins(4);

/// The HelmReleases of D2's namespaces.
pub(super) async fn all(ground: &Ground) -> Result<Vec<ObjectRef>> {
    let gvk = GroupVersionKind::new("helm.toolkit.fluxcd.io", "v2", "HelmRelease");
    let mut all = Vec::new();
    for namespace in ["cert-manager", "monitoring", "backend", "frontend"] {
        let found = ground.client.list(&gvk, namespace, "").await?;
        all.extend(found.iter().map(Object::reference));
    }
    Ok(all)
}

fn newest(live: &Object) -> Option<i64> {
    let history = live.get(&["status", "history"])?;
    history.pointer("/0/version").and_then(Value::as_i64)
}

fn storage(ground: &Ground, release: &ObjectRef) -> Storage {
    Storage::new(ground.client.clone(), &release.namespace, "administrator")
}

/// Waits until a revision is deployed, and gives its record.
async fn runs(ground: &Ground, release: &ObjectRef, revision: i64) -> Result<Release> {
    let is_there = |live: &Object| {
        let observed = live
            .get(&["status", "observedGeneration"])
            .and_then(Value::as_i64);
        newest(live) == Some(revision)
            && Conditions::of(live).is(READY, Status::True)
            && observed == Some(live.generation())
    };
    ground.until_within(release, PATIENCE, is_there).await?;
    let last = storage(ground, release).last(&release.name).await?;
    let last = last.context("a record")?;
    ensure!(last.version == revision, "revision {}", last.version);
    ensure!(last.status().as_str() == "deployed", "{}", last.status().as_str());
    Ok(last)
}

/// The chart that D2 names is deployed, and what was rendered is what helm renders; and it is in the cluster.
pub(super) async fn installed(
    ground: &Ground,
    data: &Path,
    release: &ObjectRef,
    revision: i64,
    versions: &Versions,
) -> Result<()> {
    let outcome = async {
        let record = runs(ground, release, revision).await?;
        is_as_expected(ground, data, &record, versions).await?;
        helm_reads(ground, &record).await
    };
    let what = || format!("{release} is not installed at revision {revision}");
    outcome.await.with_context(what)
}

/// The version of a release's chart that D2 names, and the next one.
fn of_chart<'v>(record: &Release, versions: &'v Versions) -> Result<&'v (String, String)> {
    let metadata = record.chart.as_ref().and_then(|chart| chart.metadata.as_ref());
    let suffix = format!("/{}", metadata.context("a chart")?.name);
    let chart = versions.iter().find(|(chart, _)| chart.ends_with(&suffix));
    chart
        .map(|(_, pair)| pair)
        .with_context(|| format!("no chart {suffix}"))
}

async fn is_as_expected(ground: &Ground, data: &Path, record: &Release, versions: &Versions) -> Result<()> {
    let wanted = expected(data, &record.name)?;
    let (old, _) = of_chart(record, versions)?;
    let found = Rendered::of_record(record, old)?;
    let beside = found.difference(&wanted)?;
    // What a chart has in `crds/` is in no manifest.
    for definition in beside {
        ground.get(&definition).await?;
    }
    for object in objects(ground, record).await? {
        ground.get(&object).await?;
    }
    Ok(())
}

/// helm says the same of it, where there is a helm and a cluster that it can ask.
async fn helm_reads(ground: &Ground, record: &Release) -> Result<()> {
    let (Some(kubeconfig), true) = (ground.kubeconfig_path(), tools::find("helm").is_some()) else {
        return Ok(());
    };
    let helm = Helm::new("helm", kubeconfig, &record.namespace)?;
    let history = helm.history(&record.name).await?;
    let last = history.last().context("a revision")?;
    ensure!(
        last.number == record.version && last.status == "deployed",
        "{history:?}"
    );
    let listed = helm
        .json(&["list", "--filter", &format!("^{}$", record.name)])
        .await?;
    ensure!(listed[0]["chart"] == last.chart, "{listed}, not {}", last.chart);
    let manifest = helm.run(&["get", "manifest", &record.name]).await?;
    ensure!(manifest.trim() == record.manifest.trim(), "{manifest}");
    let values = helm.json(&["get", "values", &record.name]).await?;
    let config = json!(record.config.clone().unwrap_or_default());
    ensure!(is_same(&values, &config), "{values}, not {config}");
    Ok(())
}

/// Numbers are floats in values that were read from YAML.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| is_same(a, b)))
        }
        (a, b) => a == b,
    }
}

/// Where D2 asks for it, what somebody changes or deletes is put back, and makes no revision.
pub(super) async fn put_back(ground: &Ground, release: &ObjectRef) -> Result<()> {
    let own = ground.get(release).await?;
    if own.get(&["spec", "driftDetection", "mode"]) != Some(&json!("enabled")) {
        return Ok(());
    }
    let record = runs(ground, release, 1).await?;
    let objects = objects(ground, &record).await?;
    let of_kind = |kind: &str| {
        let found = objects.iter().find(|object| object.gvk.kind == kind);
        found.with_context(|| format!("{release} has no {kind}"))
    };
    let (edited, deleted) = (of_kind("Deployment")?, of_kind("Service")?);
    let key = "app.kubernetes.io/managed-by";
    let edit = json!({"metadata": {"labels": {key: "somebody"}}});
    ground.client.merge(edited, &edit, "somebody").await?;
    ground
        .client
        .delete(deleted, Propagation::Background, None)
        .await?;
    ground.reconcile(release).await?;
    let what = || format!("{release}: drift is not put back");
    let is_ours = |live: &Object| live.label(key) == Some("Helm");
    for object in [deleted, edited] {
        ground
            .until_within(object, PATIENCE, is_ours)
            .await
            .with_context(what)?;
    }
    runs(ground, release, 1).await.map(drop).with_context(what)
}

/// The next version of its chart is deployed.
pub(super) async fn upgraded(
    ground: &Ground,
    release: &ObjectRef,
    revision: i64,
    versions: &Versions,
) -> Result<()> {
    let record = runs(ground, release, revision)
        .await
        .with_context(|| format!("{release} is not upgraded"))?;
    let metadata = record.chart.as_ref().and_then(|chart| chart.metadata.as_ref());
    let metadata = metadata.context("a chart")?;
    let (_, wanted) = of_chart(&record, versions)?;
    let wanted = format!("{}+", wanted.trim_start_matches('v'));
    ensure!(
        metadata.version.starts_with(&wanted),
        "{release} is at {}, not {wanted}",
        metadata.version
    );
    helm_reads(ground, &record).await
}

/// Real helms, where there are some and a cluster that they can reach.
pub(super) struct Helms {
    kubeconfig: PathBuf,
    /// Each with what its rollbacks need in order to write over what others wrote.
    programs: Vec<(&'static str, &'static [&'static str])>,
}

impl Helms {
    pub(super) fn of(ground: &Ground) -> Option<Self> {
        let mut programs: Vec<(&str, &[&str])> = vec![("helm", &["--force-conflicts"]), ("helm3", &[])];
        programs.retain(|(program, _)| tools::find(program).is_some());
        (!programs.is_empty()).then_some(Self {
            kubeconfig: ground.kubeconfig_path()?,
            programs,
        })
    }

    /// One of them, by turns, rolls the `n`th release back from the third revision to the second, behind our back; and it
    /// is asked for a reconcile.
    pub(super) async fn go_back(
        &self,
        ground: &Ground,
        n: usize,
        release: &ObjectRef,
        versions: &Versions,
    ) -> Result<()> {
        let (program, force) = self.programs[n % self.programs.len()];
        let what = || format!("{program} rolls {release} back");
        let helm = Helm::new(program, self.kubeconfig.clone(), &release.namespace)?;
        let rollback = [&["rollback", release.name.as_str(), "2"], force].concat();
        helm.run(&rollback).await.with_context(what)?;
        let last = storage(ground, release).last(&release.name).await?;
        let last = last.context("a record")?;
        let info = last.info.clone().unwrap_or_default();
        ensure!(
            last.version == 4 && info.description == "Rollback to 2" && info.status.as_str() == "deployed",
            "{release}: {info:?}"
        );
        let (_, newer) = of_chart(&last, versions)?;
        let metadata = last.chart.as_ref().and_then(|chart| chart.metadata.as_ref());
        let version = metadata.map(|metadata| metadata.version.as_str());
        let newer = newer.trim_start_matches('v');
        ensure!(
            version.is_some_and(|version| version.starts_with(newer)),
            "{version:?}, not {newer}"
        );
        ground.reconcile(release).await
    }
}

/// A revision that the API server refused was followed by a rollback to the one before, `good`, which is what helm
/// renders. Five revisions are remembered.
pub(super) async fn rolled_back(
    ground: &Ground,
    data: &Path,
    release: &ObjectRef,
    versions: &Versions,
    good: i64,
) -> Result<()> {
    let is_there = |live: &Object| {
        let remediated = Conditions::of(live).get(REMEDIATED).cloned();
        remediated.is_some_and(|c| c.status == Status::True && c.reason == "RollbackSucceeded")
    };
    let what = || format!("{release} is not rolled back");
    ground
        .until_within(release, PATIENCE, is_there)
        .await
        .with_context(what)?;
    let history = storage(ground, release).history(&release.name).await?;
    let kept = history
        .iter()
        .map(|r| (r.version, r.status().as_str().to_owned()));
    let kept: Vec<(i64, String)> = kept.collect();
    let wanted = [
        (good - 2, "superseded"),
        (good - 1, "superseded"),
        (good, "superseded"),
        (good + 1, "failed"),
        (good + 2, "deployed"),
    ];
    let wanted = wanted.map(|(version, status)| (version, status.to_owned()));
    ensure!(kept == wanted, "{release}: {kept:?}");
    let last = history.last().context("a record")?;
    let info = last.info.clone().unwrap_or_default();
    let description = format!("Rollback to {good}");
    ensure!(info.description == description, "{release}: {info:?}");
    let outcome = async {
        is_as_expected(ground, data, last, versions).await?;
        helm_reads(ground, last).await
    };
    outcome.await.with_context(what)
}

/// The objects of a record's manifest, without those that stay when it goes.
async fn objects(ground: &Ground, record: &Release) -> Result<Vec<ObjectRef>> {
    let mut references = Vec::new();
    for mut object in weir_helm::action::from_manifest(&record.manifest)? {
        if weir_helm::action::is_kept(&object) {
            continue;
        }
        if object.namespace().is_empty() {
            object.set_namespace(&record.namespace);
        }
        references.push(ground.client.scoped(&object.reference()).await?);
    }
    Ok(references)
}

/// What goes when the release does.
pub(super) async fn leaving(ground: &Ground, release: &ObjectRef) -> Result<Vec<ObjectRef>> {
    let last = storage(ground, release).last(&release.name).await?;
    objects(ground, &last.context("a record")?).await
}

/// Nothing of it is left.
pub(super) async fn removed(ground: &Ground, release: &ObjectRef, objects: &[ObjectRef]) -> Result<()> {
    ground.until_gone_within(release, PATIENCE).await?;
    let records = storage(ground, release).history(&release.name).await?;
    ensure!(records.is_empty(), "records are left");
    for object in objects {
        ground.until_gone(object).await?;
    }
    Ok(())
}
