//! `weir helm template` against helm, whole processes in the same run.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use weir_control_plane::tools;

use super::process::{Measured, installed, measure, mebibytes, milliseconds};

/// How many of the heaviest cases of the k8s-monitoring chart are measured.
const HEAVIEST: usize = 5;
/// How much faster weir is to be.
const FASTER: [f64; 2] = [8.0, 10.0];
/// What part of helm's memory weir may take.
const SHARE: f64 = 1.0 / 3.0;

/// A chart with values.
struct Case {
    name: String,
    arguments: Vec<String>,
}

/// What both took.
struct Row {
    name: String,
    size: usize,
    ours: Measured,
    theirs: Measured,
}

impl Row {
    fn faster(&self) -> f64 {
        self.theirs.best().as_secs_f64() / self.ours.best().as_secs_f64()
    }

    /// weir's part of helm's memory, where both were seen.
    fn share(&self) -> Option<f64> {
        (self.ours.memory > 0 && self.theirs.memory > 0)
            .then(|| mebibytes(self.ours.memory) / mebibytes(self.theirs.memory))
    }
}

/// Renders large charts with both programs, and prints what they took, as a table or as JSON.
pub(super) fn compare(weir: &Path, as_json: bool) -> Result<()> {
    let home = super::process::folder("helm")?;
    let weir = installed(weir, home.path())?;
    let reference = reference(home.path())?;
    // JSON stands alone.
    let say = |text: &str| {
        if !as_json {
            println!("{text}");
        }
    };
    let mut rows = Vec::new();
    for case in cases(&reference)? {
        say(&case.name);
        let ours = measure(|| {
            let mut command = Command::new(&weir);
            command
                .arg("helm")
                .args(&case.arguments)
                .env("HOME", home.path())
                .env("TZ", "UTC");
            command
        })?;
        say(&format!("  weir  {ours}"));
        let theirs = measure(|| reference(&case.arguments))?;
        say(&format!("  helm  {theirs}"));
        ensure!(
            ours.output == theirs.output,
            "the outputs for {} differ",
            case.name
        );
        rows.push(Row {
            name: case.name,
            size: theirs.output.len(),
            ours,
            theirs,
        });
    }
    if as_json {
        println!("{}", serde_json::to_string_pretty(&report(&rows))?);
    } else {
        println!("{}", table(&rows));
    }
    Ok(())
}

/// The arguments with which weir is measured.
pub(super) fn commands(home: &Path) -> Result<Vec<Vec<String>>> {
    let with = |case: Case| ["helm".to_owned()].into_iter().chain(case.arguments).collect();
    Ok(cases(&reference(home)?)?.into_iter().map(with).collect())
}

/// helm with such arguments. What a person has configured is not measured.
fn reference(home: &Path) -> Result<impl Fn(&[String]) -> Command> {
    let helm = installed(&tools::path("helm")?, home)?;
    Ok(move |arguments: &[String]| {
        let mut command = Command::new(&helm);
        command
            .args(arguments)
            .env_clear()
            .env("HOME", home)
            .env("TZ", "UTC");
        command
    })
}

/// The folder that holds other projects' charts and cases: beside the checkout, or where the variable says.
fn shared(variable: &str, name: &str) -> Result<PathBuf> {
    let path = match std::env::var_os(variable) {
        Some(path) => path.into(),
        None => crate::root()?.join("../shared").join(name),
    };
    ensure!(path.is_dir(), "{} is no folder; set {variable}", path.display());
    path.canonicalize()
        .with_context(|| format!("cannot find {}", path.display()))
}

/// Two charts that many people run, and the heaviest cases of the largest chart with cases.
fn cases(reference: &dyn Fn(&[String]) -> Command) -> Result<Vec<Case>> {
    let charts = shared("WEIR_D2", "d2")?.join("charts");
    let mut cases = Vec::new();
    // Without a password of its own Grafana gets another one in each run.
    let steady = ["--set", "grafana.adminPassword=measured"].map(str::to_owned);
    for (name, more) in [("kube-prometheus-stack", &steady[..]), ("cert-manager", &[])] {
        let path = newest(&charts, name)?;
        let file = path.file_stem().unwrap_or_default().to_string_lossy();
        cases.push(Case {
            name: file.into_owned(),
            arguments: arguments("rel", &path, more),
        });
    }
    let before = cases.len();
    for case in monitoring(&shared("WEIR_CONFORMANCE", "conformance")?.join("charts"))? {
        let output = reference(&case.arguments).output().context("cannot run helm")?;
        // A chart that makes passwords prints others each time: nothing to compare.
        let again = reference(&case.arguments).output().context("cannot run helm")?;
        if output.status.success() && output.stdout == again.stdout {
            cases.push(case);
        }
        if cases.len() == before + HEAVIEST {
            return Ok(cases);
        }
    }
    bail!("fewer than {HEAVIEST} cases of k8s-monitoring render")
}

/// The archive of a chart, of several the last one by name.
fn newest(folder: &Path, name: &str) -> Result<PathBuf> {
    let begin = format!("{name}-");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        if file.starts_with(&begin) && file.ends_with(".tgz") {
            found.push(path);
        }
    }
    found.sort();
    found
        .pop()
        .with_context(|| format!("no {name} in {}", folder.display()))
}

/// The cases of the k8s-monitoring chart, from the one with the largest rendering on.
fn monitoring(root: &Path) -> Result<Vec<Case>> {
    let index = std::fs::read(root.join("index.json")).context("cannot read the index of cases")?;
    let index: Vec<Value> = serde_json::from_slice(&index).context("the index of cases")?;
    let mut cases = Vec::new();
    for entry in &index {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
        let (id, chart) = (text("id"), text("chart"));
        if !chart.contains("k8s-monitoring") {
            continue;
        }
        let texts = |name: &str| {
            let list = entry.get(name).and_then(Value::as_array);
            list.into_iter().flatten().filter_map(Value::as_str)
        };
        let mut more = vec!["--namespace".to_owned(), text("namespace").to_owned()];
        if !text("kube_version").is_empty() {
            more.extend(["--kube-version".to_owned(), text("kube_version").to_owned()]);
        }
        for version in texts("api_versions") {
            more.extend(["--api-versions".to_owned(), version.to_owned()]);
        }
        for values in texts("values") {
            let path = root.join("cases").join(id).join(values);
            more.extend(["--values".to_owned(), path.to_string_lossy().into_owned()]);
        }
        let rendered = root.join("cases").join(id).join("expected.yaml");
        let size = std::fs::metadata(&rendered)
            .with_context(|| format!("cannot read {}", rendered.display()))?
            .len();
        let case = Case {
            name: id.to_owned(),
            arguments: arguments(text("release"), &root.join(chart), &more),
        };
        cases.push((size, case));
    }
    cases.sort_by(|(a, first), (b, second)| b.cmp(a).then_with(|| first.name.cmp(&second.name)));
    Ok(cases.into_iter().map(|(_, case)| case).collect())
}

fn arguments(release: &str, chart: &Path, more: &[String]) -> Vec<String> {
    let chart = chart.to_string_lossy().into_owned();
    ["template".to_owned(), release.to_owned(), chart]
        .into_iter()
        .chain(more.iter().cloned())
        .collect()
}

fn table(rows: &[Row]) -> String {
    let mut lines = vec![
        "| chart | KiB rendered | weir best | median | peak | helm best | median | peak | times faster | share of memory |"
            .to_owned(),
        "|---|---|---|---|---|---|---|---|---|---|".to_owned(),
    ];
    for row in rows {
        let share = row.share().map_or_else(
            || "not seen".to_owned(),
            |share| format!("{:.0} %", 100.0 * share),
        );
        lines.push(format!(
            "| {} | {} | {} | {} | {:.1} | {share} |",
            row.name,
            row.size / 1024,
            row.ours.figures(),
            row.theirs.figures(),
            row.faster(),
        ));
    }
    lines.push(format!(
        "\nWanted: {} to {} times as fast, {:.0} % of the memory at most.",
        FASTER[0],
        FASTER[1],
        100.0 * SHARE
    ));
    for row in rows {
        if row.faster() < FASTER[0] {
            lines.push(format!("{} is too slow: {:.1} times", row.name, row.faster()));
        }
        if let Some(share) = row.share().filter(|share| *share > SHARE) {
            lines.push(format!(
                "{} takes too much memory: {:.0} %",
                row.name,
                100.0 * share
            ));
        }
    }
    lines.join("\n")
}

fn report(rows: &[Row]) -> Value {
    let took = |measured: &Measured| {
        json!({
            "best_ms": milliseconds(measured.best()),
            "median_ms": milliseconds(measured.median()),
            "runs": measured.times.len(),
            "peak_kib": (measured.memory > 0).then_some(measured.memory),
        })
    };
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "chart": row.name,
                "bytes": row.size,
                "weir": took(&row.ours),
                "helm": took(&row.theirs),
                "times_faster": row.faster(),
                "share_of_memory": row.share(),
            })
        })
        .collect();
    json!({"wanted": {"times_faster": FASTER, "share_of_memory": SHARE}, "charts": rows})
}
