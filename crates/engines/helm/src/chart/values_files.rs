//! Other default values for a chart, from files that it holds.

use std::sync::Arc;

use serde_json::Value;

use super::Chart;
use crate::values::{self, Table};

/// A chart's own file of default values.
const VALUES: &str = "values.yaml";

/// Why a chart cannot get its default values from these files. The messages are Flux's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValuesFilesError {
    /// The chart does not hold the file.
    #[error("failed to merge chart values: no values file found at path '{0}'")]
    Missing(String),
    /// The file holds no table of values.
    #[error("failed to merge chart values: unmarshaling values from '{file}' failed: {why}")]
    Malformed {
        /// Its path.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// There is nothing to replace.
    #[error("failed to locate values file: {VALUES}")]
    NoValues,
}

impl Chart {
    /// Replaces the chart's default values by those of some of its files, laid over each other; `values.yaml` stands for
    /// the values that it has. Gives the files that took part; none where they say what the chart says already.
    pub fn merge_values_files(
        &mut self,
        paths: &[String],
        ignore_missing: bool,
    ) -> Result<Vec<String>, ValuesFilesError> {
        let mut merged = Table::new();
        let mut used = Vec::new();
        for path in paths {
            let name = clean(path);
            if name == VALUES {
                values::overlay(&mut merged, self.values.as_deref().cloned().unwrap_or_default());
                used.push(path.clone());
                continue;
            }
            let Some(file) = self.files.iter().find(|file| file.name == name) else {
                if ignore_missing {
                    continue;
                }
                return Err(ValuesFilesError::Missing(path.clone()));
            };
            let read = values::parse(&file.text()).map_err(|error| ValuesFilesError::Malformed {
                file: path.clone(),
                why: error.to_string(),
            })?;
            values::overlay(&mut merged, read);
            used.push(path.clone());
        }
        let text = if merged.is_empty() {
            String::new()
        } else {
            weir_yaml::emit::sigs(&Value::Object(merged.clone()))
        };
        let own = self.raw.iter().position(|file| file.name == VALUES);
        let own = own.ok_or(ValuesFilesError::NoValues)?;
        let mut raw = self.raw.to_vec();
        match raw.get_mut(own) {
            Some(file) if file.data != text.as_bytes() => file.data = text.into(),
            _ => return Ok(Vec::new()),
        }
        self.raw = raw.into();
        self.values = Some(Arc::new(merged));
        Ok(used)
    }
}

/// Go's `filepath.Clean` of a path that should be relative.
fn clean(path: &str) -> String {
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{}", super::source::clean(path))
}
