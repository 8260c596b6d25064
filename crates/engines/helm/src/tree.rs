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
    File(Option<Arc<Table>>),
    /// With those of its subcharts, and what was imported from them.
    Merged(Map),
}

impl Node {
    /// The chart as it is.
    pub(crate) fn of(chart: &Chart) -> Self {
        Self {
            metadata: chart.metadata.clone(),
            values: Defaults::File(chart.values.clone()),
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

    /// The own values, by key.
    pub(crate) fn defaults(&self) -> Vec<(Str, Default<'_>)> {
        match &self.values {
            Defaults::File(None) => Vec::new(),
            Defaults::File(Some(table)) => table
                .iter()
                .map(|(key, value)| (key.as_str().into(), Default::Json(value)))
                .collect(),
            Defaults::Merged(map) => map
                .entries()
                .into_iter()
                .map(|(key, value)| (key, Default::Value(value)))
                .collect(),
        }
    }
}

/// A value of a chart; it is copied before anybody can change it.
pub(crate) enum Default<'c> {
    Json(&'c serde_json::Value),
    Value(Value),
}

impl Default<'_> {
    /// A copy of its own.
    pub(crate) fn copy(&self) -> Value {
        match self {
            Self::Json(json) => coalesce::value(json),
            Self::Value(value) => coalesce::copy(value),
        }
    }
}
