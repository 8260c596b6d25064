//! The charts of the D2 reference fleet, which people run: with their own values, with the fleet's, and with values
//! generated from theirs.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use serde_json::{Map, Value};

use super::command::{ours, theirs};
use super::lint;
use super::run::{Arguments, difference};
use crate::dice::Dice;
use crate::oracle::Answer;
use crate::pool;

/// A render of a chart from an archive.
struct Render {
    name: String,
    arguments: Vec<String>,
    values: Option<String>,
}

/// Renders all of them with both; how many differ.
pub(super) fn run(arguments: &Arguments, program: &Path, seed: u64) -> Result<usize> {
    let root = std::env::var_os("WEIR_D2").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/d2"),
        PathBuf::from,
    );
    if !root.is_dir() {
        println!("helm: the fleet is not compared: no D2 data (set WEIR_D2)");
        return Ok(0);
    }
    let begun = Instant::now();
    let renders = renders(&root, program, seed, arguments.fleet)?;
    println!(
        "helm: {} renders of the fleet's charts, --seed {seed}",
        renders.len()
    );
    let failed = AtomicUsize::new(0);
    let differ: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let end = u64::try_from(renders.len())?;
    pool::each(arguments.jobs, 0, end, |number| {
        let Some(render) = renders.get(usize::try_from(number)?) else {
            return Ok(());
        };
        match compare(program, render)? {
            Verdict::Same => {}
            Verdict::BothFail => {
                failed.fetch_add(1, Ordering::Relaxed);
            }
            Verdict::Differ(text) => differ.lock().unwrap_or_else(PoisonError::into_inner).push(text),
        }
        Ok(())
    })?;
    let differ = differ.into_inner().unwrap_or_else(PoisonError::into_inner);
    for text in differ.iter().take(arguments.print) {
        println!("{text}");
    }
    println!(
        "helm: {} renders of the fleet's charts, seed {seed}: {} refused by both at the same places, {} differ ({} s)",
        renders.len(),
        failed.load(Ordering::Relaxed),
        differ.len(),
        begun.elapsed().as_secs()
    );
    Ok(differ.len() + lint::fleet(arguments, program, &archives(&root)?)?)
}

/// The fleet's charts.
fn archives(root: &Path) -> Result<Vec<PathBuf>> {
    let mut charts = Vec::new();
    for folder in ["charts", "charts/newer"] {
        for entry in std::fs::read_dir(root.join(folder))? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "tgz") {
                charts.push(path);
            }
        }
    }
    charts.sort();
    Ok(charts)
}

/// Every chart with its own values, the fleet's releases, and so many sets of generated values for each chart.
fn renders(root: &Path, program: &Path, seed: u64, generated: u64) -> Result<Vec<Render>> {
    let mut renders = Vec::new();
    let charts = archives(root)?;
    for (index, chart) in charts.iter().enumerate() {
        let name = chart
            .file_stem()
            .and_then(|name| name.to_str())
            .unwrap_or_default()
            .to_owned();
        let path = chart.to_string_lossy().into_owned();
        let command = ["template", "rel", &path, "--include-crds"]
            .map(str::to_owned)
            .to_vec();
        renders.push(Render {
            name: format!("{name}, its own values"),
            arguments: command.clone(),
            values: None,
        });
        let own = own_values(program, &path)?;
        for number in 0..generated {
            let mut dice = Dice::new(seed, index as u64 * 1_000_000 + number);
            let values = changed(&mut dice, &own);
            renders.push(Render {
                name: format!("{name}, generated values {number}"),
                arguments: command.clone(),
                values: Some(serde_json::to_string_pretty(&Value::Object(values))?),
            });
        }
    }
    let index = std::fs::read_to_string(root.join("expected/helm/index.tsv"))?;
    for line in index.lines().skip(1) {
        let mut fields = line.split('\t');
        let mut field = || fields.next().with_context(|| format!("index.tsv: {line}"));
        let (case, release, namespace, chart) = (field()?, field()?, field()?, field()?);
        let path = root.join("charts").join(chart).to_string_lossy().into_owned();
        renders.push(Render {
            name: case.to_owned(),
            arguments: ["template", release, &path, "--namespace", namespace]
                .map(str::to_owned)
                .to_vec(),
            values: Some(std::fs::read_to_string(
                root.join(format!("expected/helm/{case}.values.yaml")),
            )?),
        });
    }
    Ok(renders)
}

/// The chart's values.yaml, as data.
fn own_values(program: &Path, chart: &str) -> Result<Map<String, Value>> {
    let folder = tempfile::tempdir()?;
    let arguments = ["show", "values", chart].map(str::to_owned);
    let text =
        theirs(program, folder.path(), &arguments)?.map_err(|message| anyhow!("{chart}: {message}"))?;
    weir_helm::parse(&text).map_err(|error| anyhow!("{chart}: {error}"))
}

/// Some of a table's entries with other values, most of them of the same type.
fn changed(dice: &mut Dice, values: &Map<String, Value>) -> Map<String, Value> {
    let mut out = Map::new();
    for (key, value) in values {
        if let Value::Object(inner) = value
            && dice.chance(50)
        {
            let inner = changed(dice, inner);
            if !inner.is_empty() {
                out.insert(key.clone(), Value::Object(inner));
            }
            continue;
        }
        if !dice.chance(12) {
            continue;
        }
        let other = match value {
            _ if dice.chance(6) => Value::Null,
            Value::Bool(value) => Value::Bool(!value),
            Value::Number(_) => Value::from(dice.below(5)),
            Value::String(text) if text.is_empty() => Value::from(dice.pick(&["set", "1", "a-b", "1.2.3"])),
            Value::String(text) => {
                Value::from(dice.pick(&[format!("{text}x").as_str(), "other", "", "0", text.as_str()]))
            }
            Value::Array(items) if items.is_empty() => continue,
            Value::Array(items) => {
                Value::Array(items.iter().take(dice.below(items.len() + 1)).cloned().collect())
            }
            Value::Object(inner) if inner.is_empty() => serde_json::json!({"key": "value", "other": "1"}),
            Value::Object(_) => Value::Object(Map::new()),
            Value::Null => Value::from(dice.pick(&["set", "true"])),
        };
        out.insert(key.clone(), other);
    }
    out
}

enum Verdict {
    Same,
    BothFail,
    Differ(String),
}

fn compare(program: &Path, render: &Render) -> Result<Verdict> {
    let folder = tempfile::tempdir().context("no temporary folder")?;
    let mut arguments = render.arguments.clone();
    if let Some(values) = &render.values {
        let path = folder.path().join("values.yaml");
        std::fs::write(&path, values)?;
        arguments.extend(["-f".to_owned(), path.to_string_lossy().into_owned()]);
    }
    let helm = || theirs(program, folder.path(), &arguments);
    let (first, ours) = (helm()?, ours(&arguments)?);
    let differ = |theirs: &Answer, ours: &Answer| {
        Verdict::Differ(format!(
            "== {} differs\n{}\n{}",
            render.name,
            render.values.as_deref().unwrap_or_default(),
            difference(theirs, ours)
        ))
    };
    Ok(match (&first, &ours) {
        (Ok(theirs), Ok(text)) if theirs == text => Verdict::Same,
        // Passwords and keys are random: lines that differ from one run of helm to the next are not compared.
        (Ok(theirs), Ok(text)) => match helm()? {
            Ok(again) if is_same_but_for_chance(theirs, &again, text) => Verdict::Same,
            _ => differ(&first, &ours),
        },
        (Err(theirs), Err(text)) if super::command::fails_alike(theirs, text) => Verdict::BothFail,
        _ => differ(&first, &ours),
    })
}

fn is_same_but_for_chance(theirs: &str, again: &str, ours: &str) -> bool {
    let (a, b, c): (Vec<&str>, Vec<&str>, Vec<&str>) = (
        theirs.lines().collect(),
        again.lines().collect(),
        ours.lines().collect(),
    );
    a.len() == c.len() && a.len() == b.len() && a.iter().zip(&b).zip(&c).all(|((a, b), c)| a == c || a != b)
}
