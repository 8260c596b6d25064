//! What is read when somebody asks for it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use tokio::time::Instant;
use weir_cluster::RequestCounter;

use super::{Outcome, WatchedQueue, process};
use crate::{Key, Queue};

type Labels = Vec<(&'static str, String)>;

/// Queues, reconciles under way, API servers.
#[derive(Debug, Default)]
pub(super) struct Live(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    queues: BTreeMap<String, WatchedQueue>,
    requests: BTreeMap<String, RequestCounter>,
    running: BTreeMap<(String, Key), (Instant, Outcome)>,
}

impl Live {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn watch_queue(&self, controller: &str, queue: Weak<Queue>, concurrent: usize) {
        let watched = WatchedQueue { queue, concurrent };
        self.lock().queues.insert(controller.to_owned(), watched);
    }

    pub(super) fn count_requests(&self, host: &str, counter: RequestCounter) {
        self.lock().requests.insert(host.to_owned(), counter);
    }

    pub(super) fn begin(&self, kind: &str, key: &Key) {
        let id = (kind.to_owned(), key.clone());
        self.lock().running.insert(id, (Instant::now(), Outcome::Success));
    }

    pub(super) fn concluded(&self, kind: &str, key: &Key, outcome: Outcome) {
        if let Some(run) = self.lock().running.get_mut(&(kind.to_owned(), key.clone())) {
            run.1 = outcome;
        }
    }

    pub(super) fn end(&self, kind: &str, key: &Key) -> Outcome {
        let run = self.lock().running.remove(&(kind.to_owned(), key.clone()));
        run.map_or(Outcome::Success, |(_, outcome)| outcome)
    }
}

impl Collector for Live {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let (queues, requests, running) = {
            let state = self.lock();
            let queues: Vec<_> = state
                .queues
                .iter()
                .filter_map(|(name, watched)| {
                    Some((name.clone(), watched.queue.upgrade()?, watched.concurrent))
                })
                .collect();
            let mut running: BTreeMap<String, (u64, f64)> = BTreeMap::new();
            for ((kind, _), (begun, _)) in &state.running {
                let (count, longest) = running.entry(kind.to_lowercase()).or_default();
                *count += 1;
                *longest = longest.max(begun.elapsed().as_secs_f64());
            }
            (queues, state.requests.clone(), running)
        };
        let queue = |name: &String| vec![("name", name.clone()), ("controller", name.clone())];
        let controller = |name: &String| vec![("controller", name.clone())];
        let busy = |name: &String| running.get(name).copied().unwrap_or_default();
        gauges(
            &mut encoder,
            "workqueue_depth",
            "Current depth of workqueue",
            queues.iter().map(|(n, q, _)| (queue(n), count(q.depth()))),
        )?;
        counters(
            &mut encoder,
            "workqueue_adds",
            "Total number of adds handled by workqueue",
            queues.iter().map(|(n, q, _)| (queue(n), q.adds())),
        )?;
        gauges(
            &mut encoder,
            "workqueue_longest_running_processor_seconds",
            "How many seconds has the longest running processor for workqueue been running",
            queues.iter().map(|(n, _, _)| (queue(n), busy(n).1)),
        )?;
        gauges(
            &mut encoder,
            "controller_runtime_active_workers",
            "Number of currently used workers per controller",
            queues.iter().map(|(n, _, _)| {
                (
                    controller(n),
                    f64::from(u32::try_from(busy(n).0).unwrap_or(u32::MAX)),
                )
            }),
        )?;
        gauges(
            &mut encoder,
            "controller_runtime_max_concurrent_reconciles",
            "Maximum number of concurrent reconciles per controller",
            queues.iter().map(|(n, _, c)| (controller(n), count(*c))),
        )?;
        counters(
            &mut encoder,
            "rest_client_requests",
            "Number of HTTP requests, partitioned by status code, method, and host",
            requests
                .iter()
                .flat_map(|(host, counter)| rest_client(host, counter)),
        )?;
        process::encode(&mut encoder)
    }
}

/// client-go's labels: a watch is a GET, and a request without an answer has the code `<error>`.
fn rest_client(host: &str, counter: &RequestCounter) -> Vec<(Labels, u64)> {
    let mut sums: BTreeMap<(String, String), u64> = BTreeMap::new();
    for ((verb, code), count) in counter.counts() {
        let code = if code == 0 {
            "<error>".to_owned()
        } else {
            code.to_string()
        };
        let method = if verb == "WATCH" { "GET".to_owned() } else { verb };
        *sums.entry((code, method)).or_default() += count;
    }
    sums.into_iter()
        .map(|((code, method), count)| {
            (
                vec![("code", code), ("host", host.to_owned()), ("method", method)],
                count,
            )
        })
        .collect()
}

fn count(value: usize) -> f64 {
    f64::from(u32::try_from(value).unwrap_or(u32::MAX))
}

fn gauges(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    series: impl Iterator<Item = (Labels, f64)>,
) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (labels, value) in series {
        ConstGauge::new(value).encode(metric.encode_family(&labels)?)?;
    }
    Ok(())
}

fn counters(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    series: impl Iterator<Item = (Labels, u64)>,
) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (labels, value) in series {
        ConstCounter::new(value).encode(metric.encode_family(&labels)?)?;
    }
    Ok(())
}
