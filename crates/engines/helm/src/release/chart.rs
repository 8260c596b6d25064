//! The chart in a release record.

use std::sync::Arc;

use bytes::Bytes;

use crate::chart::{Chart, File, Lock, Metadata};
use crate::coalesce;
use crate::time::Time;
use crate::tree::{Defaults, Node};
use crate::values::Table;

/// A chart as a release record keeps it: without its subcharts, but with their values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChartRecord {
    /// Chart.yaml, after conditions and tags have been decided.
    pub metadata: Option<Metadata>,
    /// Chart.lock.
    pub lock: Option<Lock>,
    /// The templates.
    pub templates: Arc<[File]>,
    /// The values.
    pub values: Option<Arc<Table>>,
    /// values.schema.json.
    pub schema: Option<Bytes>,
    /// When that was last changed.
    pub schema_modified: Option<Time>,
    /// The other files.
    pub files: Arc<[File]>,
    /// When Chart.yaml was last changed.
    pub modified: Option<Time>,
}

impl ChartRecord {
    /// Of a chart that has been prepared for a render.
    pub(crate) fn of(chart: &Chart, prepared: &Node) -> Self {
        Self {
            metadata: Some(prepared.metadata.clone()),
            lock: chart.lock.clone(),
            templates: Arc::clone(&chart.templates),
            values: match &prepared.values {
                Defaults::File { kept, .. } => kept.clone(),
                Defaults::Merged(values) => Some(Arc::new(coalesce::to_table(values))),
            },
            schema: chart.schema.as_ref().map(|schema| schema.data.clone()),
            schema_modified: chart.schema.as_ref().and_then(|schema| schema.modified),
            files: Arc::clone(&chart.files),
            modified: chart.modified,
        }
    }
}
