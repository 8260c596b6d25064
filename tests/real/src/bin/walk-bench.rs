//! Measures the walk on a real kube-apiserver: many pairs of OCIRepository and Kustomization, from create to Ready, after
//! a new tag for all, idle, and after an edit. Everything runs in this process but the API server, so the memory
//! counts weir, the registry and the publisher together. `cargo xtask bench` runs it.
#![expect(clippy::print_stdout, reason = "a benchmark prints its numbers")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use weir_apis::condition::{Conditions, READY, Status};
use weir_apis::{GroupVersionKind, Object};
use weir_cluster::Write;
use weir_real::{Files, Ground, files, kustomization, object, source};
use weir_runtime::Settings;

/// Requests under way at once when the API server's own speed is measured.
const IN_FLIGHT: usize = 16;
/// Namespaces that the pairs are spread over.
const NAMESPACES: usize = 10;

fn main() -> Result<()> {
    let pairs: usize = std::env::args()
        .nth(1)
        .map_or(Ok(100), |n| n.parse())
        .context("usage: walk-bench [PAIRS]")?;
    tokio::runtime::Runtime::new()?.block_on(measure(pairs))
}

async fn measure(pairs: usize) -> Result<()> {
    let ground = Arc::new(Ground::real(Settings::default()).await?);
    for n in 0..NAMESPACES {
        ground.namespace(&format!("bench-{n}")).await?;
    }
    let rate = raw_rate(&ground, 2000).await?;
    println!("raw server-side apply, {IN_FLIGHT} in flight: {rate:.0} a second");

    publish(&ground, pairs, 1).await?;
    let before = ground.weirs.counter().counts();
    let begun = Instant::now();
    create(&ground, pairs).await?;
    until_all(&ground, pairs, "1").await?;
    let took = begun.elapsed().as_secs_f64();
    let counts = since(&ground.weirs.counter().counts(), &before);
    println!(
        "{pairs} pairs of four objects, create to all Ready: {took:.1} s (30,000/R = {:.1} s for 1,000)",
        30_000.0 / rate
    );
    println!(
        "requests a pair: {:.1} ({counts:?})",
        per(counts.values().sum(), pairs)
    );

    publish(&ground, pairs, 2).await?;
    let before = ground.weirs.counter().counts();
    let begun = Instant::now();
    each(&ground, pairs, |ground, n| async move {
        ground.reconcile(&source(&namespace(n), &name(n))).await
    })
    .await?;
    until_all(&ground, pairs, "2").await?;
    let counts = since(&ground.weirs.counter().counts(), &before);
    println!(
        "a new tag for all, to all Ready: {:.1} s; requests a pair: {:.1}",
        begun.elapsed().as_secs_f64(),
        per(counts.values().sum(), pairs)
    );

    sleep(Duration::from_secs(5)).await;
    let before = ground.weirs.counter().counts();
    sleep(Duration::from_mins(1)).await;
    let counts = since(&ground.weirs.counter().counts(), &before);
    println!(
        "requests over an idle minute: {} {counts:?}",
        counts.values().sum::<u64>()
    );

    let settings = object("v1", "ConfigMap", &namespace(0), &format!("{}-a", name(0)));
    ground
        .client
        .merge(&settings, &json!({"data": {"version": "edited"}}), "somebody")
        .await?;
    let begun = Instant::now();
    ground
        .until(&settings, |live| {
            live.get(&["data", "version"]) == Some(&json!("2"))
        })
        .await?;
    println!("an edit is put back after {} ms", begun.elapsed().as_millis());
    println!("peak memory: {} MiB", peak_memory()?);
    Ok(())
}

fn namespace(n: usize) -> String {
    format!("bench-{}", n % NAMESPACES)
}

fn name(n: usize) -> String {
    format!("pair-{n}")
}

fn per(total: u64, pairs: usize) -> f64 {
    // Counts of a benchmark fit a float exactly.
    f64::from(u32::try_from(total).unwrap_or(u32::MAX)) / f64::from(u32::try_from(pairs).unwrap_or(u32::MAX))
}

fn since(
    now: &BTreeMap<(String, u16), u64>,
    before: &BTreeMap<(String, u16), u64>,
) -> BTreeMap<(String, u16), u64> {
    now.iter()
        .map(|(key, n)| (key.clone(), n - before.get(key).copied().unwrap_or_default()))
        .filter(|(_, n)| *n > 0)
        .collect()
}

fn tree(n: usize, version: usize) -> Files {
    let (ns, name) = (namespace(n), name(n));
    let config = |suffix: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}-{suffix}\n  namespace: {ns}\ndata:\n  version: \"{version}\"\n"
        )
    };
    let account =
        format!("apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {name}\n  namespace: {ns}\n");
    let service = format!(
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\n  namespace: {ns}\nspec:\n  selector: {{app: {name}}}\n  ports:\n    - port: 80\n"
    );
    files([
        ("a.yaml", &config("a")),
        ("b.yaml", &config("b")),
        ("c.yaml", &account),
        ("d.yaml", &service),
    ])
}

/// Runs `work` for each pair, some at a time.
async fn each<F, Fut>(ground: &Arc<Ground>, pairs: usize, work: F) -> Result<()>
where
    F: Fn(Arc<Ground>, usize) -> Fut,
    Fut: Future<Output = Result<()>> + Send + 'static,
{
    let permits = Arc::new(Semaphore::new(IN_FLIGHT));
    let mut tasks = JoinSet::new();
    for n in 0..pairs {
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

async fn publish(ground: &Arc<Ground>, pairs: usize, version: usize) -> Result<()> {
    each(ground, pairs, move |ground, n| async move {
        ground
            .publish(&name(n), "latest", &tree(n, version))
            .await
            .map(drop)
    })
    .await
}

async fn create(ground: &Arc<Ground>, pairs: usize) -> Result<()> {
    each(ground, pairs, |ground, n| async move {
        ground.source(&namespace(n), &name(n)).await?;
        ground
            .kustomization(&namespace(n), &name(n), json!({"interval": "1h"}))
            .await
            .map(drop)
    })
    .await
}

/// Waits until every Kustomization is Ready and the last pair's object has this version. Looks by lists, once a
/// quarter of a second, over the administrator's client.
async fn until_all(ground: &Arc<Ground>, pairs: usize, version: &str) -> Result<()> {
    let gvk: GroupVersionKind = kustomization("", "").gvk;
    loop {
        let ready = ground.client.list(&gvk, "", "").await?;
        let ready = ready
            .iter()
            .filter(|k| Conditions::of(k).is(READY, Status::True))
            .count();
        if ready == pairs {
            let config = ground
                .client
                .list(
                    &object("v1", "ConfigMap", "", "").gvk,
                    "",
                    "kustomize.toolkit.fluxcd.io/name",
                )
                .await?;
            let current = config
                .iter()
                .filter(|c| c.get(&["data", "version"]).and_then(Value::as_str) == Some(version));
            if current.count() == 2 * pairs {
                return Ok(());
            }
        }
        sleep(Duration::from_millis(250)).await;
    }
}

fn peak_memory() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find(|l| l.starts_with("VmHWM:"))
        .context("no VmHWM in /proc/self/status")?;
    let kib: u64 = line
        .split_whitespace()
        .nth(1)
        .context("VmHWM has no value")?
        .parse()?;
    Ok(kib / 1024)
}
