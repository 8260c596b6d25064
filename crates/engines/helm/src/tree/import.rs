//! `import-values`: values of subcharts that go up into their parent.

use weir_gotmpl::Map;

use super::enable::table;
use super::{Defaults, Node};
use crate::chart::Import;
use crate::coalesce::{self, Nulls, TypeMismatch};

/// Imports all the way up, the deepest charts first. A chart with dependencies gets all values of its subcharts into its
/// own on the way, whether it imports any or not; release records show that.
pub(super) fn import(chart: &mut Node, warnings: &mut Vec<String>) -> Result<(), TypeMismatch> {
    for child in &mut chart.dependencies {
        import(child, warnings)?;
    }
    if chart.metadata.dependencies.is_empty() {
        return Ok(());
    }
    let values = Map::new();
    coalesce::coalesce(chart, &values, Nulls::Keep, warnings)?;
    let imported = Map::new();
    for dependency in chart.metadata.dependencies.iter_mut().flatten() {
        let mut done = Vec::new();
        for import in std::mem::take(&mut dependency.import_values) {
            let (child, parent) = match import {
                Import::Table { child, parent } => (child, parent),
                Import::Export(name) => (format!("exports.{name}"), ".".to_owned()),
                Import::Other => continue,
            };
            let path = format!("{}.{child}", dependency.name);
            match table(&values, &path) {
                Ok(found) => coalesce::tables(&imported, &nest(&parent, found), Nulls::Keep, warnings),
                Err(part) => warnings.push(format!(
                    "ImportValues missing table from chart {}: {part:?} is not a table",
                    dependency.name
                )),
            }
            done.push(Import::Table { child, parent });
        }
        dependency.import_values = done;
    }
    // The parent's own values go over what is imported.
    let values = coalesce::copy_table(&values);
    coalesce::tables(&values, &imported, Nulls::Keep, warnings);
    chart.values = Defaults::Merged(values);
    Ok(())
}

/// A table below a path, `.` for no path.
fn nest(path: &str, table: Map) -> Map {
    if path == "." {
        return table;
    }
    path.split('.').rev().fold(table, |inner, part| {
        let outer = Map::new();
        outer.insert(part, inner);
        outer
    })
}
