//! Charts.

pub(crate) mod decode;
mod dependency;
pub(crate) mod fields;
mod file;
mod ignore;
pub(crate) mod json;
mod load;
mod metadata;
mod package;
pub(crate) mod source;
mod values_files;

pub use dependency::{Dependency, Import, Lock};
pub use file::File;
pub(crate) use file::LeftOut;
pub use ignore::{IGNORE_FILE, Ignore, IgnoreError};
use load::Formats;
pub use load::LoadError;
pub(crate) use load::{TEMPLATES, Values, is_gzip, read_values};
pub use metadata::{API_V1, API_V2, Maintainer, Metadata};
pub use package::PackageError;
pub use source::{Entry, MAX_CHART_SIZE, MAX_FILE_SIZE, NoArchives, Unpack};
pub use values_files::ValuesFilesError;

use std::sync::Arc;

use crate::ahead::Ahead;
use crate::values::Table;

/// A chart with its subcharts. Copies share files and values.
#[derive(Clone, Debug, Default)]
pub struct Chart {
    /// Chart.yaml.
    pub metadata: Metadata,
    /// When Chart.yaml was last changed.
    pub modified: Option<crate::time::Time>,
    /// Chart.lock, in old charts requirements.lock.
    pub lock: Option<Lock>,
    /// values.yaml; `None` without one.
    pub values: Option<Arc<Table>>,
    /// values.schema.json.
    pub schema: Option<File>,
    /// The files below `templates/`.
    pub templates: Arc<[File]>,
    /// The files that are nothing else; templates see them as `.Files`.
    pub files: Arc<[File]>,
    /// All files, those of subcharts included, as they were read.
    pub raw: Arc<[File]>,
    /// Subcharts, by name of their folder or archive.
    pub dependencies: Vec<Self>,
    /// What Helm would print a warning about.
    pub warnings: Vec<String>,
}

/// A file of `crds/`.
#[derive(Clone, Debug)]
pub struct Crd<'c> {
    /// The file.
    pub file: &'c File,
    /// Its path with the charts that lead to it: `parent/charts/child/crds/x.yaml`.
    pub path: String,
}

impl Chart {
    /// Loads a chart from the files of its folder; .helmignore is heeded.
    pub fn from_folder(files: Vec<File>, unpack: &dyn Unpack) -> Result<Self, LoadError> {
        load::load(source::of_folder(files)?, unpack, Formats::Known)
    }

    /// The same whatever Chart.yaml calls its format, as Helm loads a chart that it lints.
    pub fn from_folder_of_any_format(files: Vec<File>, unpack: &dyn Unpack) -> Result<Self, LoadError> {
        load::load(source::of_folder(files)?, unpack, Formats::Any)
    }

    /// Loads a chart from its archive, which is also what the layer of a chart in a registry holds.
    pub fn from_archive(archive: &bytes::Bytes, unpack: &dyn Unpack) -> Result<Self, LoadError> {
        load::load(source::of_archive(archive, unpack, None)?, unpack, Formats::Known)
    }

    /// The same, while what can be begun with already is done elsewhere: see [`Ahead`].
    pub fn from_archive_ahead(
        archive: &bytes::Bytes,
        unpack: &dyn Unpack,
        ahead: &Ahead,
    ) -> Result<Self, LoadError> {
        let files = source::of_archive(archive, unpack, Some(ahead))?;
        load::load_ahead(files, unpack, Formats::Known, Some(ahead))
    }

    /// Loads a chart from the files that belong to it, in the order that counts for them.
    pub fn from_files(files: Vec<File>, unpack: &dyn Unpack) -> Result<Self, LoadError> {
        load::load(files, unpack, Formats::Known)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// The manifests of `crds/`, those of subcharts behind its own.
    pub fn crds(&self) -> Vec<Crd<'_>> {
        let mut crds = Vec::new();
        self.add_crds(self.name(), &mut crds);
        crds
    }

    fn add_crds<'c>(&'c self, path: &str, crds: &mut Vec<Crd<'c>>) {
        for file in own_crds(&self.files) {
            crds.push(Crd {
                file,
                path: format!("{path}/{}", file.name),
            });
        }
        for dependency in &self.dependencies {
            dependency.add_crds(&format!("{path}/charts/{}", dependency.name()), crds);
        }
    }

    /// Which of the dependencies in Chart.yaml are not there.
    pub fn missing_dependencies(&self) -> Vec<&str> {
        self.metadata
            .dependencies
            .iter()
            .flatten()
            .map(|wanted| wanted.name.as_str())
            .filter(|wanted| self.dependencies.iter().all(|chart| chart.name() != *wanted))
            .collect()
    }

    /// The README, if there is one.
    pub fn readme(&self) -> Option<&File> {
        self.files.iter().find(|file| {
            ["readme.md", "readme.txt", "readme"]
                .iter()
                .any(|name| file.name.eq_ignore_ascii_case(name))
        })
    }
}

/// The manifests below `crds/` among a chart's files.
pub(crate) fn own_crds(files: &[File]) -> impl Iterator<Item = &File> {
    files.iter().filter(|file| is_crd(&file.name))
}

/// Whether a path below a chart's folder is that of a manifest of `crds/`.
pub(crate) fn is_crd(path: &str) -> bool {
    path.starts_with("crds/")
        && path.rsplit_once('.').is_some_and(|(_, extension)| {
            ["yaml", "yml", "json"]
                .iter()
                .any(|known| extension.eq_ignore_ascii_case(known))
        })
}
