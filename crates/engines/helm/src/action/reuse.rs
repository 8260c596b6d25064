//! An upgrade that keeps the values of the revision before it (`helm upgrade --reuse-values`, Flux's `preserveValues`).

use std::sync::Arc;

use crate::chart::Chart;
use crate::coalesce::{Nulls, TypeMismatch, coalesce_tables, coalesce_values};
use crate::release::Release;
use crate::values::Table;

/// The values of an upgrade from `current`: those given, over those that `current` was given.
pub fn reused(values: &Table, current: &Release) -> Table {
    match &current.config {
        Some(config) => coalesce_tables(values, config, Nulls::Delete),
        None => values.clone(),
    }
}

/// The chart of such an upgrade: its own defaults give way to all that `current` was rendered with, so that defaults that
/// a new chart brings stay out, as in Helm.
pub fn with_values_of(chart: &Chart, current: &Release) -> Result<Chart, TypeMismatch> {
    let record = current.chart.as_ref();
    let old = Chart {
        metadata: record.and_then(|r| r.metadata.clone()).unwrap_or_default(),
        values: record.and_then(|r| r.values.clone()),
        ..Chart::default()
    };
    let config = current.config.clone().unwrap_or_default();
    let values = coalesce_values(&old, &config, Nulls::Delete)?;
    Ok(Chart {
        values: Some(Arc::new(values)),
        ..chart.clone()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::release::ChartRecord;

    fn table(value: Value) -> Table {
        value.as_object().cloned().unwrap_or_default()
    }

    fn release(defaults: Value, config: Value) -> Release {
        Release {
            chart: Some(ChartRecord {
                values: Some(Arc::new(table(defaults))),
                ..ChartRecord::default()
            }),
            config: Some(table(config)),
            ..Release::default()
        }
    }

    #[test]
    fn what_was_given_stays_and_what_is_given_wins() {
        let current = release(
            json!({"a": 1.0, "b": {"c": 1.0, "d": 1.0}}),
            json!({"b": {"c": 2.0}, "list": [1.0]}),
        );
        let values = reused(&table(json!({"b": {"e": 3.0}, "list": [2.0]})), &current);
        assert_eq!(
            Value::Object(values.clone()),
            json!({"b": {"c": 2.0, "e": 3.0}, "list": [2.0]})
        );
        // Once it is kept, keeping it again changes nothing: that is how a release in sync is known.
        let next = Release {
            config: Some(values.clone()),
            ..current.clone()
        };
        assert_eq!(
            reused(&table(json!({"b": {"e": 3.0}, "list": [2.0]})), &next),
            values
        );
        let newer = Chart {
            values: Some(Arc::new(table(json!({"a": 9.0, "new": true})))),
            ..Chart::default()
        };
        let chart = with_values_of(&newer, &current).unwrap();
        assert_eq!(
            json!(chart.values.as_deref()),
            json!({"a": 1.0, "b": {"c": 2.0, "d": 1.0}, "list": [1.0]})
        );
        assert_eq!(
            reused(&table(json!({"x": 1.0})), &Release::default()),
            table(json!({"x": 1.0}))
        );
    }
}
