//! Measures the walk on a real kube-apiserver: many pairs of OCIRepository and Kustomization, from create to Ready, after
//! a new tag for all, idle, and after an edit; then again with more pairs. The `weir` binary beside this one runs the
//! controllers in a process of its own, so its memory and its requests are weir's alone. `cargo xtask bench walk` runs it.
#![expect(clippy::print_stdout, reason = "a benchmark prints its numbers")]

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use weir_apis::condition::{Conditions, READY, Status};
use weir_cluster::Mirror;
use weir_real::bench::{self, IN_FLIGHT, each, namespace, ratio, since, total};
use weir_real::process::{Counts, Weir};
use weir_real::{Files, Ground, files, kustomization, object, source};

fn main() -> Result<()> {
    let sizes = bench::sizes(100)?;
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
    let (ground, rate) = bench::ground().await?;
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
        for event in bench::last_events(&ground).await? {
            println!("    {event}");
        }
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

/// The numbers, a column for each run, as docs/benchmarks.md has them.
fn table(runs: &[Run]) -> String {
    let row = |name: &str, cell: &dyn Fn(&Run) -> String| bench::row(runs, name, cell);
    [
        row("", &|run| format!("{} pairs", run.pairs)),
        bench::rule(runs.len()),
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

fn name(n: usize) -> String {
    format!("pair-{n}")
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

/// What the administrator's watches have shown.
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
        let kustomizations = bench::watch(ground, &kind, "", move |object| {
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
        let configs = bench::watch(ground, &config, selector, move |object| {
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
