//! Measures the walk on a real kube-apiserver: many pairs of OCIRepository and Kustomization, from create to Ready, after
//! a new tag for all, idle, and after an edit; then again with more pairs. The `weir` binary beside this one runs the
//! controllers in a process of its own, so its memory and its requests are weir's alone. `cargo xtask bench walk` runs it.
#![expect(clippy::print_stdout, reason = "a benchmark prints its numbers")]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use weir_apis::condition::{Conditions, READY, Status};
use weir_apis::{GroupVersionKind, Object};
use weir_cluster::mirror::Change;
use weir_cluster::{Mirror, Write};
use weir_real::process::{Counts, Weir};
use weir_real::{Files, Ground, files, kustomization, object, source};
use weir_runtime::Settings;

/// Requests under way at once when the API server's own speed is measured.
const IN_FLIGHT: usize = 16;
/// Namespaces that the pairs are spread over.
const NAMESPACES: usize = 10;

fn main() -> Result<()> {
    let sizes = std::env::args()
        .skip(1)
        .map(|n| n.parse().context("usage: walk-bench [PAIRS...]"))
        .collect::<Result<Vec<usize>>>()?;
    let sizes = if sizes.is_empty() { vec![100] } else { sizes };
    let runtime = tokio::runtime::Runtime::new()?;
    let mut runs = Vec::new();
    for pairs in sizes {
        println!("{pairs} pairs");
        runs.push(runtime.block_on(measure(pairs))?);
    }
    println!("\n{}", table(&runs));
    Ok(())
}

/// What one run found.
struct Run {
    pairs: usize,
    rate: f64,
    create: f64,
    create_requests: Counts,
    create_processor: f64,
    update: f64,
    update_requests: Counts,
    idle_requests: Counts,
    drift: u128,
    memory: u64,
}

async fn measure(pairs: usize) -> Result<Run> {
    let ground = Arc::new(Ground::real_closed(Settings::default()).await?);
    for n in 0..NAMESPACES {
        ground.namespace(&format!("bench-{n}")).await?;
    }
    let rate = raw_rate(&ground, 2000).await?;
    println!("  raw server-side apply, {IN_FLIGHT} in flight: {rate:.0} a second");
    let weir = Weir::start(&ground).await?;
    let seen = Seen::start(&ground).await?;

    publish(&ground, pairs, 1).await?;
    let before = weir.requests().await?;
    let busy = weir.processor_seconds()?;
    let begun = Instant::now();
    create(&ground, pairs).await?;
    seen.until_all(pairs, "1").await;
    let create = begun.elapsed().as_secs_f64();
    let create_processor = weir.processor_seconds()? - busy;
    let create_requests = since(&weir.requests().await?, &before);
    println!(
        "  create to all Ready: {create:.1} s, {create_requests:?}, {create_processor:.1} s of the processor"
    );

    publish(&ground, pairs, 2).await?;
    let before = weir.requests().await?;
    let begun = Instant::now();
    each(&ground, pairs, |ground, n| async move {
        ground.reconcile(&source(&namespace(n), &name(n))).await
    })
    .await?;
    seen.until_all(pairs, "2").await;
    let update = begun.elapsed().as_secs_f64();
    let update_requests = since(&weir.requests().await?, &before);
    println!("  a new tag for all, to all Ready: {update:.1} s, {update_requests:?}");

    sleep(Duration::from_secs(5)).await;
    let before = weir.requests().await?;
    sleep(Duration::from_mins(1)).await;
    let idle_requests = since(&weir.requests().await?, &before);
    println!("  requests over an idle minute: {idle_requests:?}");
    if !idle_requests.is_empty() {
        last_events(&ground).await?;
    }

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
    let drift = begun.elapsed().as_millis();
    let memory = weir.peak_memory()?;
    println!("  an edit is put back after {drift} ms; peak memory {memory} MiB");
    Ok(Run {
        pairs,
        rate,
        create,
        create_requests,
        create_processor,
        update,
        update_requests,
        idle_requests,
        drift,
        memory,
    })
}

/// Says what the last events were about, where a minute that should be idle was not.
async fn last_events(ground: &Ground) -> Result<()> {
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
    for event in events.iter().rev().take(5) {
        println!(
            "    {} {} {}: {}",
            text(event, &["lastTimestamp"]),
            text(event, &["involvedObject", "kind"]),
            text(event, &["reason"]),
            text(event, &["message"])
        );
    }
    Ok(())
}

/// The numbers, a column for each run, as docs/benchmarks.md has them.
fn table(runs: &[Run]) -> String {
    let row = |name: &str, cell: &dyn Fn(&Run) -> String| {
        let cells: Vec<String> = runs.iter().map(cell).collect();
        format!("| {name} | {} |\n", cells.join(" | "))
    };
    let total = |counts: &Counts| counts.values().sum::<u64>();
    [
        row("", &|run| format!("{} pairs", run.pairs)),
        format!("|{}\n", "---|".repeat(runs.len() + 1)),
        row("R, a second", &|run| format!("{:.0}", run.rate)),
        row("create to all Ready", &|run| format!("{:.1} s", run.create)),
        row("the same in raw applies a pair (wanted: 30)", &|run| {
            format!("{:.1}", run.create * run.rate * ratio(1, run.pairs))
        }),
        row("weir's processor time until then", &|run| {
            format!("{:.1} s", run.create_processor)
        }),
        row("requests a pair until then", &|run| {
            format!("{:.1}", ratio(total(&run.create_requests), run.pairs))
        }),
        row("a new tag for all, to all Ready", &|run| {
            format!("{:.1} s", run.update)
        }),
        row("requests a pair, new tag", &|run| {
            format!("{:.1}", ratio(total(&run.update_requests), run.pairs))
        }),
        row("requests over an idle minute", &|run| {
            total(&run.idle_requests).to_string()
        }),
        row("an edit is put back after", &|run| format!("{} ms", run.drift)),
        row("weir's peak memory", &|run| format!("{} MiB", run.memory)),
    ]
    .concat()
}

fn namespace(n: usize) -> String {
    format!("bench-{}", n % NAMESPACES)
}

fn name(n: usize) -> String {
    format!("pair-{n}")
}

fn ratio(total: u64, pairs: usize) -> f64 {
    // Counts of a benchmark fit a float exactly.
    f64::from(u32::try_from(total).unwrap_or(u32::MAX)) / f64::from(u32::try_from(pairs).unwrap_or(u32::MAX))
}

fn since(now: &Counts, before: &Counts) -> Counts {
    now.iter()
        .map(|(key, n)| (key.clone(), n - before.get(key).copied().unwrap_or_default()))
        .filter(|(_, n)| *n > 0)
        .collect::<BTreeMap<_, _>>()
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

/// What the administrator's watches have shown. Lists, even one in a quarter of a second, would cost the API server as much
/// as a fifth of what is measured.
struct Seen {
    kustomizations: Mirror,
    configs: Mirror,
    /// Names of the Kustomizations that are Ready.
    ready: Shared<HashSet<String>>,
    /// The version in each ConfigMap that was applied, by name.
    versions: Shared<HashMap<String, String>>,
}

type Shared<T> = Arc<Mutex<T>>;

impl Seen {
    async fn start(ground: &Ground) -> Result<Self> {
        let ready: Shared<HashSet<String>> = Arc::default();
        let versions: Shared<HashMap<String, String>> = Arc::default();
        let is_ready = ready.clone();
        let kind = kustomization("", "").gvk;
        let kustomizations = Self::watch(ground, &kind, "", move |object| {
            let mut ready = is_ready.lock().unwrap_or_else(PoisonError::into_inner);
            if Conditions::of(object).is(READY, Status::True) {
                ready.insert(object.name().to_owned());
            } else {
                ready.remove(object.name());
            }
        });
        let known = versions.clone();
        let selector = "kustomize.toolkit.fluxcd.io/name";
        let config = object("v1", "ConfigMap", "", "").gvk;
        let configs = Self::watch(ground, &config, selector, move |object| {
            let version = object.get(&["data", "version"]).and_then(Value::as_str);
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(object.name().to_owned(), version.unwrap_or_default().to_owned());
        });
        Ok(Self {
            kustomizations: kustomizations.await?,
            configs: configs.await?,
            ready,
            versions,
        })
    }

    async fn watch(
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

    /// Waits until every Kustomization is Ready and every ConfigMap has this version.
    async fn until_all(&self, pairs: usize, version: &str) {
        self.kustomizations.synced().await;
        self.configs.synced().await;
        loop {
            let ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner).len();
            let current = self
                .versions
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .values()
                .filter(|known| *known == version)
                .count();
            if ready == pairs && current == 2 * pairs {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
    }
}
