//! `weir helm dependency list`.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use weir_helm::{Chart, Dependency};
use weir_semver::{Constraint, Version};

use super::super::source;
use crate::global::Context;
use crate::{Exit, run::Result};

#[derive(Debug, Args)]
pub(super) struct List {
    /// Folder or .tgz
    #[arg(value_name = "CHART", default_value = ".")]
    chart: PathBuf,
    /// Most characters of a column
    #[arg(long, value_name = "COUNT", default_value_t = 80)]
    max_col_width: usize,
}

impl List {
    pub(super) fn run(self, cx: &mut Context<'_>) -> Result {
        let chart = source::load(&self.chart)?;
        let charts = self.chart.join("charts");
        if chart.metadata.dependencies.is_empty() {
            let text = format!("WARNING: no dependencies at {}\n", charts.display());
            cx.io.print(&text)?;
            return Ok(Exit::Success);
        }
        let mut rows = vec![["NAME", "VERSION", "REPOSITORY", "STATUS"].map(str::to_owned)];
        for wanted in chart.metadata.dependencies.iter().flatten() {
            let status = status(&charts, wanted, &chart);
            rows.push([
                wanted.name.clone(),
                wanted.version.clone(),
                wanted.repository.clone(),
                status.to_owned(),
            ]);
        }
        cx.io.print(&table(&rows, self.max_col_width))?;
        cx.io.print("\n")?;
        for path in entries(&charts) {
            let is_archive = path.extension().is_some_and(|extension| extension == "tgz");
            if !path.is_dir() && !is_archive {
                continue;
            }
            let shown = path.display().to_string();
            match source::load(&path) {
                Err(_) => cx.io.print(&format!("WARNING: {shown:?} is not a chart.\n"))?,
                Ok(found) => {
                    let mut wanted = chart.metadata.dependencies.iter().flatten();
                    if wanted.all(|wanted| wanted.name != found.name()) {
                        cx.io
                            .print(&format!("WARNING: {shown:?} is not in Chart.yaml.\n"))?;
                    }
                }
            }
        }
        Ok(Exit::Success)
    }
}

/// Columns as wide as their widest cell, with a tab between them; what is wider than allowed is cut.
fn table(rows: &[[String; 4]], most: usize) -> String {
    let cut = |cell: &str| -> String {
        if cell.chars().count() <= most {
            return cell.to_owned();
        }
        let mut short: String = cell.chars().take(most.saturating_sub(3)).collect();
        short.push_str("...");
        short
    };
    let rows: Vec<[String; 4]> = rows
        .iter()
        .map(|row| row.each_ref().map(|cell| cut(cell)))
        .collect();
    let mut widths = [0; 4];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut out = String::new();
    for row in &rows {
        let cells: Vec<String> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        out.push_str(&cells.join("\t"));
        out.push('\n');
    }
    out
}

/// What lies in a folder, by name.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = found.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
}

fn status(charts: &Path, wanted: &Dependency, parent: &Chart) -> &'static str {
    let version_of = |path: &Path| -> Option<String> {
        let name = path.file_name()?.to_str()?;
        let rest = name.strip_prefix(&format!("{}-", wanted.name))?;
        rest.strip_suffix(".tgz").map(str::to_owned)
    };
    let archives: Vec<PathBuf> = entries(charts)
        .into_iter()
        .filter(|path| version_of(path).is_some())
        .collect();
    let candidates: Vec<&PathBuf> = if archives.len() > 1 {
        let is_version =
            |path: &&PathBuf| version_of(path).is_some_and(|version| Version::parse_strict(&version).is_ok());
        archives.iter().filter(is_version).collect()
    } else {
        archives.iter().collect()
    };
    match candidates.as_slice() {
        [only] => {
            return match source::load(only) {
                Err(_) => "corrupt",
                Ok(found) if found.name() != wanted.name => "misnamed",
                Ok(found) => fits(&found, wanted).unwrap_or("ok"),
            };
        }
        [] => {}
        _ => return "too many matches",
    }
    let unpacked = parent
        .dependencies
        .iter()
        .rfind(|chart| chart.name() == wanted.name);
    unpacked.map_or("missing", |found| fits(found, wanted).unwrap_or("unpacked"))
}

/// Why a chart is not the one that is wanted.
fn fits(found: &Chart, wanted: &Dependency) -> Option<&'static str> {
    if found.metadata.version == wanted.version {
        return None;
    }
    match (
        Constraint::parse(&wanted.version),
        Version::parse(&found.metadata.version),
    ) {
        (Ok(range), Ok(version)) if range.matches(&version) => None,
        (Ok(_), Ok(_)) => Some("wrong version"),
        _ => Some("invalid version"),
    }
}
