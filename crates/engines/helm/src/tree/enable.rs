//! Which subcharts take part.

use weir_gotmpl::{Map, Value};
use weir_semver::{Constraint, Version};

use super::Node;
use crate::chart::Dependency;
use crate::coalesce::{self, Nulls, TypeMismatch};

/// Whether a version fits a range; nothing fits a range that cannot be read.
pub(crate) fn fits(range: &str, version: &str) -> bool {
    match (Constraint::parse(range), Version::parse(version)) {
        (Ok(range), Ok(version)) => range.matches(&version),
        _ => false,
    }
}

/// Drops the subcharts that are switched off and renames those with an alias, all the way down. `path` is where the
/// chart's values stand in the top chart's, with a dot at its end.
pub(super) fn enable(
    chart: &mut Node,
    values: &Map,
    path: &str,
    warnings: &mut Vec<String>,
) -> Result<(), TypeMismatch> {
    if chart.metadata.dependencies.is_empty() {
        return Ok(());
    }
    let mut wanted: Vec<Dependency> = std::mem::take(&mut chart.metadata.dependencies)
        .into_iter()
        .flatten()
        .collect();
    let found = std::mem::take(&mut chart.dependencies);
    let is_meant = |dependency: &Dependency, child: &Node| {
        child.name() == dependency.name && fits(&dependency.version, &child.metadata.version)
    };
    // What Chart.yaml does not name takes part as it is, and comes first.
    chart.dependencies = found
        .iter()
        .filter(|child| !wanted.iter().any(|dependency| is_meant(dependency, child)))
        .cloned()
        .collect();
    for dependency in &mut wanted {
        if let Some(child) = found.iter().find(|child| is_meant(dependency, child)) {
            let mut child = child.clone();
            if !dependency.alias.is_empty() {
                child.metadata.name.clone_from(&dependency.alias);
            }
            chart.dependencies.push(child);
        }
        if !dependency.alias.is_empty() {
            dependency.name.clone_from(&dependency.alias);
        }
        dependency.enabled = true;
    }
    let merged = coalesce::copy_table(values);
    coalesce::coalesce(chart, &merged, Nulls::Delete, warnings)?;
    by_tags(&mut wanted, &merged, warnings);
    by_conditions(&mut wanted, &merged, path, warnings);
    let is_off = |name: &str| {
        wanted
            .iter()
            .any(|dependency| !dependency.enabled && dependency.name == name)
    };
    chart.dependencies.retain(|child| !is_off(child.name()));
    for child in &mut chart.dependencies {
        let path = format!("{path}{}.", child.name());
        enable(child, &merged, &path, warnings)?;
    }
    let kept: Vec<Dependency> = wanted
        .iter()
        .filter(|dependency| !is_off(&dependency.name))
        .cloned()
        .collect();
    chart.metadata.dependencies = kept.into_iter().map(Some).collect();
    Ok(())
}

/// A dependency is on if one of its tags is, off if one is off and none is on.
fn by_tags(wanted: &mut [Dependency], values: &Map, warnings: &mut Vec<String>) {
    let Some(Value::Map(tags)) = values.get("tags") else {
        return;
    };
    for dependency in wanted {
        let mut on = false;
        let mut off = false;
        for tag in &dependency.tags {
            match tags.get(tag) {
                Some(Value::Bool(true)) => on = true,
                Some(Value::Bool(false)) => off = true,
                Some(_) => warnings.push(format!(
                    "returned non-bool value: tag {tag} of chart {}",
                    dependency.name
                )),
                None => {}
            }
        }
        dependency.enabled = on || !off;
    }
}

/// The first boolean that one of the paths leads to decides, over tags too.
fn by_conditions(wanted: &mut [Dependency], values: &Map, path: &str, warnings: &mut Vec<String>) {
    for dependency in wanted {
        for condition in dependency
            .condition
            .trim()
            .split(',')
            .filter(|condition| !condition.is_empty())
        {
            match at(values, &format!("{path}{condition}")) {
                Some(Value::Bool(value)) => {
                    dependency.enabled = value;
                    break;
                }
                Some(_) => warnings.push(format!(
                    "returned non-bool value: path {condition} of chart {}",
                    dependency.name
                )),
                None => {}
            }
        }
    }
}

/// The value at a path, unless it is a table.
fn at(values: &Map, path: &str) -> Option<Value> {
    let (tables, key) = path
        .rsplit_once('.')
        .map_or((None, path), |(tables, key)| (Some(tables), key));
    let table = match tables {
        Some(tables) => table(values, tables).ok()?,
        None => values.clone(),
    };
    table.get(key).filter(|value| !matches!(value, Value::Map(_)))
}

/// The table at a path, or the part of the path where there is none.
pub(crate) fn table<'p>(values: &Map, path: &'p str) -> Result<Map, &'p str> {
    let mut table = values.clone();
    for part in path.split('.') {
        match table.get(part) {
            Some(Value::Map(next)) => table = next,
            _ => return Err(part),
        }
    }
    Ok(table)
}
