//! What benchmarks of the controllers on a real kube-apiserver share.

use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;
use weir_apis::{GroupVersionKind, Object};
use weir_cluster::mirror::Change;
use weir_cluster::{Mirror, Write};

use crate::Ground;
use crate::process::Counts;

/// Requests of a benchmark's own that are under way at once.
pub const IN_FLIGHT: usize = 16;
/// Namespaces that the objects are spread over.
const NAMESPACES: usize = 10;

/// How many, run by run: the arguments, or else `usual`.
pub fn sizes(usual: usize) -> Result<Vec<usize>> {
    let sizes = std::env::args()
        .skip(1)
        .map(|n| {
            n.parse()
                .with_context(|| format!("{n:?} is no number: give how many, run by run"))
        })
        .collect::<Result<Vec<usize>>>()?;
    Ok(if sizes.is_empty() { vec![usual] } else { sizes })
}

/// The namespace of the `n`th.
pub fn namespace(n: usize) -> String {
    format!("bench-{}", n % NAMESPACES)
}

/// A real control plane with the namespaces, and no controllers; and how many server-side applies it takes in a second.
pub async fn ground() -> Result<(Arc<Ground>, f64)> {
    let ground = Arc::new(Ground::real_closed(weir_runtime::Settings::default()).await?);
    for n in 0..NAMESPACES {
        ground.namespace(&namespace(n)).await?;
    }
    let rate = raw_rate(&ground, 2000).await?;
    Ok((ground, rate))
}

async fn raw_rate(ground: &Arc<Ground>, count: usize) -> Result<f64> {
    let begun = Instant::now();
    each(ground, count, |ground, n| async move {
        let value = json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": format!("raw-{n}"), "namespace": namespace(n)}, "data": {"n": n.to_string()}});
        let write = Write { manager: "raw", force: true, dry_run: false };
        ground.client.apply(&Object::from_value(value)?, write).await?;
        Ok(())
    })
    .await?;
    Ok(f64::from(u32::try_from(count)?) / begun.elapsed().as_secs_f64())
}

/// Runs `work` for each of so many, some at a time.
pub async fn each<F, Fut>(ground: &Arc<Ground>, count: usize, work: F) -> Result<()>
where
    F: Fn(Arc<Ground>, usize) -> Fut,
    Fut: Future<Output = Result<()>> + Send + 'static,
{
    let permits = Arc::new(Semaphore::new(IN_FLIGHT));
    let mut tasks = JoinSet::new();
    for n in 0..count {
        let permit = permits.clone().acquire_owned().await?;
        let work = work(ground.clone(), n);
        tasks.spawn(async move {
            let _permit = permit;
            work.await
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}

/// Looks at each object of a kind, now and whenever it changes. Lists, even one in a quarter of a second, would cost the API
/// server as much as a fifth of what is measured.
pub async fn watch(
    ground: &Ground,
    gvk: &GroupVersionKind,
    selector: &str,
    look: impl Fn(&Object) + Send + Sync + 'static,
) -> Result<Mirror> {
    let resource = ground.client.resource(gvk).await?;
    let on_change = move |change: Change| change.new.iter().for_each(|object| look(object));
    Ok(Mirror::start(
        &ground.client,
        resource,
        "",
        selector,
        Arc::new(on_change),
    ))
}

/// What was counted since then.
pub fn since(now: &Counts, before: &Counts) -> Counts {
    now.iter()
        .map(|(key, n)| (key.clone(), n - before.get(key).copied().unwrap_or_default()))
        .filter(|(_, n)| *n > 0)
        .collect()
}

/// All that was counted.
pub fn total(counts: &Counts) -> u64 {
    counts.values().sum()
}

/// So much for each of so many.
pub fn ratio(total: u64, count: usize) -> f64 {
    // Counts of a benchmark fit a float exactly.
    f64::from(u32::try_from(total).unwrap_or(u32::MAX)) / f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// A row of a table in Markdown: what it is about, and a cell for each run.
pub fn row<R>(runs: &[R], name: &str, cell: impl Fn(&R) -> String) -> String {
    let cells: Vec<String> = runs.iter().map(cell).collect();
    format!("| {name} | {} |\n", cells.join(" | "))
}

/// The line below a table's head.
pub fn rule(runs: usize) -> String {
    format!("|{}\n", "---|".repeat(runs + 1))
}

/// What the last events were about, a line each: for a minute that should have been idle and was not.
pub async fn last_events(ground: &Ground) -> Result<Vec<String>> {
    let gvk = GroupVersionKind::new("", "v1", "Event");
    let mut events = ground.client.list(&gvk, "", "").await?;
    let text = |event: &Object, path: &[&str]| {
        event
            .get(path)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    events.sort_by_cached_key(|event| text(event, &["lastTimestamp"]));
    let last = events.iter().rev().take(5);
    Ok(last
        .map(|event| {
            format!(
                "{} {} {}: {}",
                text(event, &["lastTimestamp"]),
                text(event, &["involvedObject", "kind"]),
                text(event, &["reason"]),
                text(event, &["message"])
            )
        })
        .collect())
}
