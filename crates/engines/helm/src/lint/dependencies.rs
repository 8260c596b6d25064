//! What Chart.yaml says that a chart needs, and what is in charts/.

use std::collections::BTreeSet;

use super::{Findings, Folder, Loaded, Problem, Severity, Verdict};
use crate::chart::Chart;

pub(super) fn check(folder: &dyn Folder, chart: Loaded<'_>, findings: &mut Findings) {
    let chart = match chart {
        Ok(chart) => chart,
        Err(message) => {
            let problem = Problem::from(format!("unable to load chart\n\t{message}"));
            findings.rule(Severity::Error, "", Err(problem));
            return;
        }
    };
    let path = folder.path();
    findings.rule(Severity::Error, path, unmentioned(chart));
    findings.rule(Severity::Error, path, unique(chart));
    let missing = named(
        "chart directory is missing these dependencies: ",
        &chart.missing_dependencies(),
    );
    findings.rule(Severity::Warning, path, missing);
}

fn named(words: &str, names: &[&str]) -> Verdict {
    if names.is_empty() {
        return Ok(());
    }
    Err(format!("{words}{}", names.join(",")).into())
}

fn unmentioned(chart: &Chart) -> Verdict {
    let wanted = || chart.metadata.dependencies.iter().flatten();
    let names: Vec<&str> = chart
        .dependencies
        .iter()
        .map(Chart::name)
        .filter(|name| wanted().all(|wanted| wanted.name != *name))
        .collect();
    named("chart metadata is missing these dependencies: ", &names)
}

fn unique(chart: &Chart) -> Verdict {
    let mut seen = BTreeSet::new();
    let again: Vec<&str> = chart
        .metadata
        .dependencies
        .iter()
        .flatten()
        .map(crate::chart::Dependency::key)
        .filter(|key| !seen.insert(*key))
        .collect();
    named("multiple dependencies with name or alias: ", &again)
}
