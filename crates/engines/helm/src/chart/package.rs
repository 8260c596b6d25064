//! A chart as the files of its archive.

use bytes::Bytes;

use super::{API_V1, API_V2, Chart, File, Metadata};
use crate::time::Time;

/// A chart that cannot be packed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackageError {
    /// Chart.yaml says something that cannot be.
    #[error("chart validation: validation: {0}")]
    Invalid(String),
    /// The schema is no JSON.
    #[error("invalid JSON in values.schema.json")]
    Schema,
    /// Subcharts that Chart.yaml names are missing.
    #[error("found in Chart.yaml, but missing in charts/ directory: {0}")]
    Missing(String),
}

impl Chart {
    /// The files of its archive in Helm's order, each with the folders that it lies in. What has no time gets `now`.
    pub fn package(&self, now: Time) -> Result<Vec<File>, PackageError> {
        let mut metadata = self.metadata.clone();
        metadata.validate().map_err(PackageError::Invalid)?;
        let missing = self.missing_dependencies();
        if !missing.is_empty() {
            return Err(PackageError::Missing(missing.join(", ")));
        }
        let mut files = Vec::new();
        self.add_files("", now, &mut files)?;
        Ok(files)
    }

    fn add_files(&self, prefix: &str, now: Time, files: &mut Vec<File>) -> Result<(), PackageError> {
        let base = format!("{prefix}{}", self.name());
        let mut add = |name: &str, data: Bytes, modified: Option<Time>| {
            let modified = Some(modified.unwrap_or(now));
            files.push(File::of(format!("{base}/{name}"), data, modified));
        };
        // The dependencies of the first format stand in requirements.yaml.
        let definition = if self.metadata.api_version == API_V1 {
            Metadata {
                dependencies: Vec::new(),
                ..self.metadata.clone()
            }
            .to_yaml()
        } else {
            self.metadata.to_yaml()
        };
        add("Chart.yaml", definition.into(), self.modified);
        if let Some(lock) = self.lock.as_ref().filter(|_| self.metadata.api_version == API_V2) {
            add("Chart.lock", lock.to_yaml().into(), Time::parse(&lock.generated));
        }
        for file in self.raw.iter().filter(|file| file.name == "values.yaml") {
            add("values.yaml", file.data.clone(), file.modified);
        }
        if let Some(schema) = &self.schema {
            if serde_json::from_slice::<serde_json::Value>(&schema.data).is_err() {
                return Err(PackageError::Schema);
            }
            add("values.schema.json", schema.data.clone(), schema.modified);
        }
        for file in self.templates.iter().chain(self.files.iter()) {
            add(&file.name, file.data.clone(), file.modified);
        }
        for dependency in &self.dependencies {
            dependency.add_files(&format!("{base}/charts/"), now, files)?;
        }
        Ok(())
    }
}
