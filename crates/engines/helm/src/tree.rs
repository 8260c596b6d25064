//! A chart with those of its subcharts that take part, ready to be rendered: conditions and tags decided, aliases made,
//! values imported.

mod enable;
mod import;

pub(crate) use enable::{fits, table};

use std::sync::Arc;

use weir_gotmpl::{Map, Str, Value};

use crate::chart::{Chart, File, Metadata};
use crate::coalesce::{self, TypeMismatch};
use crate::values::Table;

/// A chart as it takes part in a render. It lives on one thread; the chart that it is made of is shared.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) metadata: Metadata,
    pub(crate) values: Defaults,
    pub(crate) schema: Option<File>,
    pub(crate) templates: Arc<[File]>,
    pub(crate) files: Arc<[File]>,
    pub(crate) dependencies: Vec<Self>,
}

/// A chart's own values.
#[derive(Clone, Debug)]
pub(crate) enum Defaults {
    /// As values.yaml has them; nothing without one.
    File {
        /// As they are kept.
        kept: Option<Arc<Table>>,
        /// As templates see them: read once, since they are asked for several times.
        seen: Map,
    },
    /// With those of its subcharts, and what was imported from them.
    Merged(Map),
}

impl Node {
    /// The chart as it is.
    pub(crate) fn of(chart: &Chart) -> Self {
        Self {
            metadata: chart.metadata.clone(),
            values: Defaults::File {
                kept: chart.values.clone(),
                seen: chart.values.as_deref().map(coalesce::table).unwrap_or_default(),
            },
            schema: chart.schema.clone(),
            templates: Arc::clone(&chart.templates),
            files: Arc::clone(&chart.files),
            dependencies: chart.dependencies.iter().map(Self::of).collect(),
        }
    }

    /// Decides which subcharts take part, given the user's values, and imports their values where it is asked for.
    pub(crate) fn prepare(&mut self, values: &Map, warnings: &mut Vec<String>) -> Result<(), TypeMismatch> {
        enable::enable(self, values, "", warnings)?;
        import::import(self, warnings)
    }

    pub(crate) fn name(&self) -> &str {
        &self.metadata.name
    }

    /// The own values, by key: to be copied, and not to be changed.
    pub(crate) fn defaults(&self) -> Vec<(Str, Value)> {
        match &self.values {
            Defaults::File { seen: values, .. } | Defaults::Merged(values) => values.entries(),
        }
    }
}
