//! How fast charts render: what each part takes, and the whole against Helm in the same run.
//!
//! `cargo bench -p weir-helm [-- WORD]` with the test data beside the repository.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a benchmark prints, and fails loudly"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use weir_helm::{Chart, Options, Table, parse, render};

#[path = "../tests/it/support.rs"]
#[expect(dead_code, reason = "the tests use the rest of it")]
mod support;

/// A chart, its values and what it is rendered as.
struct Case {
    name: String,
    chart: PathBuf,
    values: Option<PathBuf>,
}

fn best<T>(runs: usize, mut run: impl FnMut() -> T) -> Duration {
    (0..runs)
        .map(|_| {
            let start = Instant::now();
            drop(run());
            start.elapsed()
        })
        .min()
        .unwrap_or_default()
}

fn load(path: &Path) -> Chart {
    support::chart(path)
}

fn values(case: &Case) -> Table {
    case.values
        .as_ref()
        .map(|path| parse(&std::fs::read_to_string(path).unwrap()).unwrap())
        .unwrap_or_default()
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    if let Some(root) = support::shared("WEIR_D2", "d2") {
        cases.push(Case {
            name: "kube-prometheus-stack".into(),
            chart: root.join("charts/kube-prometheus-stack-86.2.0.tgz"),
            values: Some(root.join("expected/helm/kube-prometheus-stack.staging.values.yaml")),
        });
    }
    if let Some(root) = support::shared("WEIR_CONFORMANCE", "conformance") {
        let root = root.join("charts");
        for case in [
            "docs--examples--features--integrations--multiple",
            "tests--platform--otlp-gateway",
            "docs--examples--metrics-tuning",
            "tests--integration--service-integrations--loki",
            "tests--platform--grafana-cloud--ihub--minimal",
        ] {
            cases.push(Case {
                name: case.to_owned(),
                chart: root.join("charts/k8s-monitoring/k8s-monitoring"),
                values: Some(root.join("cases/k8s-monitoring").join(case).join("values.yaml")),
            });
        }
    }
    cases
}

fn main() {
    let word = std::env::args()
        .nth(1)
        .filter(|word| !word.starts_with("--"))
        .unwrap_or_default();
    let helm =
        std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/weir/tools/helm-v4.2.4/helm"));
    for case in cases().iter().filter(|case| case.name.contains(&word)) {
        let (chart, table) = (load(&case.chart), values(case));
        let loading = best(5, || load(&case.chart));
        let options = Options::new("bench", "default");
        if let Err(error) = render(&chart, &table, &options, &mut support::Fixed::default(), None) {
            println!("{}: {error}", case.name);
            continue;
        }
        let rendering = best(5, || {
            render(&chart, &table, &options, &mut support::Fixed::default(), None)
        });
        let whole = loading + rendering;
        print!("{}: load {loading:?}, render {rendering:?}", case.name);
        if let Some(helm) = helm.as_ref().filter(|helm| helm.is_file()) {
            let theirs = best(2, || {
                let mut command = Command::new(helm);
                command.args(["template", "bench"]).arg(&case.chart);
                if let Some(values) = &case.values {
                    command.arg("-f").arg(values);
                }
                command.stdout(Stdio::null()).status().unwrap()
            });
            print!(
                "; helm {theirs:?}, {:.1} times as long",
                theirs.as_secs_f64() / whole.as_secs_f64()
            );
        }
        println!();
    }
}
