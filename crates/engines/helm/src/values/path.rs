//! Paths in dot notation.

use serde_json::Value;

use super::Table;

/// The table at a path, or the part of the path where there is none.
pub fn table<'v, 'p>(values: &'v Table, path: &'p str) -> Result<&'v Table, &'p str> {
    path.split('.').try_fold(values, |table, part| {
        table.get(part).and_then(Value::as_object).ok_or(part)
    })
}

/// The value at a path, unless it is a table.
pub fn value_at<'v>(values: &'v Table, path: &str) -> Option<&'v Value> {
    let (tables, key) = path.rsplit_once('.').map_or((None, path), |(tables, key)| (Some(tables), key));
    let table = match tables {
        Some(tables) => self::table(values, tables).ok()?,
        None => values,
    };
    table.get(key).filter(|value| !value.is_object())
}
