//! How a chart's values, its subcharts' and the user's become one table.
//!
//! The tables are the templates' own maps, shared and changed in place as in Go: where Helm lets two charts hold the
//! same table of globals, they hold the same here, so that what leaks there leaks here.

use std::convert::Infallible;

use serde_json::{Number, Value as Json};
use weir_gotmpl::{List, Map, Value, ty};

use crate::tree::Node;
use crate::values::Table;

/// The key of the values that every subchart sees.
const GLOBAL: &str = "global";

/// Whether nulls are kept for a later pass, or delete what they stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nulls {
    /// They are kept: merging.
    Keep,
    /// They delete: coalescing.
    Delete,
}

/// Two values for one key that do not go together, in Helm's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("type mismatch on {chart}: {found}")]
pub struct TypeMismatch {
    /// The subchart whose values are no table.
    pub chart: String,
    /// What they are.
    pub found: String,
}

/// Lays values over those of a chart and its subcharts. The values are changed; give a copy.
pub(crate) fn coalesce(
    chart: &Node,
    values: &Map,
    nulls: Nulls,
    warnings: &mut Vec<String>,
) -> Result<(), TypeMismatch> {
    Coalescer { nulls, warnings }.chart(chart, values, "")
}

/// Lays `over` over `under`, and gives it; both are changed.
pub(crate) fn tables(over: &Map, under: &Map, nulls: Nulls, warnings: &mut Vec<String>) {
    Coalescer { nulls, warnings }.tables(over, under, "", nulls);
}

/// The values that a chart's templates would see: those given, over those of the chart and its subcharts.
pub fn coalesce_values(chart: &crate::Chart, values: &Table, nulls: Nulls) -> Result<Table, TypeMismatch> {
    let merged = table(values);
    coalesce(&Node::of(chart), &merged, nulls, &mut Vec::new())?;
    Ok(to_table(&merged))
}

/// Lays one table over another, as [`coalesce_values`] does with the tables within; where one has a table and the other
/// has none, what lies on top stays.
pub fn coalesce_tables(over: &Table, under: &Table, nulls: Nulls) -> Table {
    let over = table(over);
    tables(&over, &table(under), nulls, &mut Vec::new());
    to_table(&over)
}

struct Coalescer<'w> {
    nulls: Nulls,
    warnings: &'w mut Vec<String>,
}

impl Coalescer<'_> {
    fn chart(&mut self, chart: &Node, values: &Map, prefix: &str) -> Result<(), TypeMismatch> {
        self.own(chart, values, prefix);
        let prefix = join(prefix, chart.name());
        for child in &chart.dependencies {
            let name = child.name();
            let of_child = match values.get(name) {
                None => {
                    let table = Map::new();
                    values.insert(name, table.clone());
                    table
                }
                Some(Value::Map(table)) => table,
                Some(other) => {
                    return Err(TypeMismatch {
                        chart: name.to_owned(),
                        found: describe(&other),
                    });
                }
            };
            self.globals(&of_child, values, &prefix);
            self.chart(child, &of_child, &prefix)?;
        }
        Ok(())
    }

    /// The chart's own defaults under the values.
    fn own(&mut self, chart: &Node, values: &Map, prefix: &str) {
        let prefix = join(prefix, chart.name());
        for (key, default) in chart.defaults() {
            match values.get(&key) {
                Some(Value::Nil) if self.nulls == Nulls::Delete => values.remove(&key),
                Some(Value::Map(over)) => match copy(&default) {
                    Value::Map(under) => {
                        let is_child = chart
                            .dependencies
                            .iter()
                            .any(|child| child.name().as_bytes() == key.as_bytes());
                        let nulls = if is_child { Nulls::Keep } else { self.nulls };
                        if nulls == Nulls::Delete {
                            drop_nulls(&under);
                        }
                        self.tables(&over, &under, &join(&prefix, &key.to_str()), nulls);
                    }
                    Value::Nil => {}
                    _ => self
                        .warnings
                        .push(format!("warning: skipped value for {prefix}.{key}: Not a table.")),
                },
                Some(_) => {}
                None => {
                    let default = copy(&default);
                    if self.nulls == Nulls::Delete {
                        match &default {
                            Value::Nil => continue,
                            Value::Map(table) => drop_nulls(table),
                            _ => {}
                        }
                    }
                    values.insert(key, default);
                }
            }
        }
    }

    /// Hands the globals of a chart down to a subchart.
    fn globals(&mut self, child: &Map, parent: &Map, prefix: &str) {
        let of_child = match child.get(GLOBAL) {
            None => Map::new(),
            Some(Value::Map(table)) => table,
            Some(_) => {
                self.warnings
                    .push("warning: skipping globals because destination global is not a table.".to_owned());
                return;
            }
        };
        let of_parent = match parent.get(GLOBAL) {
            None => Map::new(),
            Some(Value::Map(table)) => table,
            Some(_) => {
                self.warnings
                    .push("warning: skipping globals because source global is not a table.".to_owned());
                return;
            }
        };
        for (key, value) in of_parent.entries() {
            match (value, of_child.get(&key)) {
                (Value::Map(value), known) => {
                    // A copy of the top level only: what lies deeper is shared with the parent, as in Helm.
                    let copy: Map = value.entries().into_iter().collect();
                    match known {
                        None => of_child.insert(key, copy),
                        Some(Value::Map(known)) => {
                            self.tables(&copy, &known, &join(prefix, &key.to_str()), Nulls::Keep);
                            of_child.insert(key, copy);
                        }
                        Some(_) => self.warnings.push(format!(
                            "Conflict: cannot merge map onto non-map for {key:?}. Skipping."
                        )),
                    }
                }
                (_, Some(Value::Map(_))) => self.warnings.push(format!("key {key} is table. Skipping")),
                (value, _) => of_child.insert(key, value),
            }
        }
        child.insert(GLOBAL, of_child);
    }

    /// What both have merges, what only `under` has is added to `over`.
    fn tables(&mut self, over: &Map, under: &Map, prefix: &str, nulls: Nulls) {
        let before: Vec<_> = under
            .entries()
            .into_iter()
            .filter(|(_, value)| !matches!(value, Value::Nil))
            .map(|(key, _)| key)
            .collect();
        for (key, value) in over.entries() {
            if matches!(value, Value::Nil) {
                under.insert(key, Value::Nil);
            }
        }
        for (key, value) in under.entries() {
            match (over.get(&key), value) {
                // A null over a default deletes it; a null over nothing stays.
                (Some(Value::Nil), _) if nulls == Nulls::Delete && before.binary_search(&key).is_ok() => {
                    over.remove(&key);
                }
                (None, value) => over.insert(key, value),
                (Some(Value::Map(over)), Value::Map(under)) => {
                    self.tables(&over, &under, &join(prefix, &key.to_str()), nulls);
                }
                (Some(_), Value::Map(table)) => self.warnings.push(format!(
                    "warning: cannot overwrite table with non table for {} ({})",
                    join(prefix, &key.to_str()),
                    describe(&Value::Map(table))
                )),
                (Some(Value::Map(_)), value) if !matches!(value, Value::Nil) => self.warnings.push(format!(
                    "warning: destination for {} is a table. Ignoring non-table value ({})",
                    join(prefix, &key.to_str()),
                    describe(&value)
                )),
                (Some(_), _) => {}
            }
        }
    }
}

fn join(prefix: &str, key: &str) -> String {
    if prefix.is_empty() {
        key.to_owned()
    } else {
        format!("{prefix}.{key}")
    }
}

/// A value for a message: the value would be long, and may be a secret, so its type must do for what is no scalar.
fn describe(value: &Value) -> String {
    value.type_name().to_owned()
}

/// Removes nulls, at any depth of tables.
pub(crate) fn drop_nulls(table: &Map) {
    for (key, value) in table.entries() {
        match value {
            Value::Nil => table.remove(&key),
            Value::Map(table) => drop_nulls(&table),
            _ => {}
        }
    }
}

/// A copy that shares nothing that can change.
pub(crate) fn copy(value: &Value) -> Value {
    match value {
        Value::Map(table) => Value::Map(copy_table(table)),
        Value::List(list) => Value::List(List::of(list.ty(), list.items().iter().map(copy).collect())),
        other => other.clone(),
    }
}

/// The same for a table.
pub(crate) fn copy_table(table: &Map) -> Map {
    let Ok(copied) = table.map_values(|value| Ok::<_, Infallible>(copy(value)));
    copied.retyped(&ty::MAP_ANY)
}

/// A value of the values' own form as templates see it.
pub(crate) fn value(json: &Json) -> Value {
    Value::read_json(json, &|number| match number.as_i64() {
        Some(integer) => Value::int64(integer),
        None => Value::float(number.as_f64().unwrap_or_default()),
    })
}

/// The same for a table.
pub(crate) fn table(table: &Table) -> Map {
    table
        .iter()
        .map(|(key, json)| (key.as_str(), value(json)))
        .collect()
}

/// A table of templates in the values' own form. What is neither scalar, list nor table is left out.
pub(crate) fn to_table(map: &Map) -> Table {
    map.entries()
        .iter()
        .map(|(key, value)| (key.to_str().into_owned(), to_json(value)))
        .collect()
}

/// The same for a value.
pub(crate) fn to_json(value: &Value) -> Json {
    match value {
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(value, _) => Json::Number((*value).into()),
        Value::Uint(value, _) => Json::Number((*value).into()),
        Value::Float(value, _) => Number::from_f64(*value).map_or(Json::Null, Json::Number),
        Value::Str(text) | Value::Number(text) => Json::String(text.to_str().into_owned()),
        Value::List(list) => list.items().iter().map(to_json).collect(),
        Value::Map(map) => Json::Object(to_table(map)),
        _ => Json::Null,
    }
}
