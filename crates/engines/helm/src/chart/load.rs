//! Files into a chart.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Chart;
use super::decode;
use super::dependency::Lock;
use super::file::File;
use super::ignore::IgnoreError;
use super::json::API_VERSION;
use super::metadata::{API_V1, API_V2, Metadata};
use super::source::{self, MAX_CHART_SIZE, MAX_FILE_SIZE, Unpack};
use crate::ahead::Ahead;
use crate::values::{self, ValuesError};

/// Where templates are, below their chart's folder.
pub(crate) const TEMPLATES: &str = "templates/";

/// Subcharts are not nested deeper than this.
const MAX_DEPTH: usize = 32;

/// Files that are no chart. The words are Helm's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The archive cannot be read.
    #[error("unable to load chart archive: {0}")]
    Archive(String),
    /// A path in the archive leads elsewhere.
    #[error("{0}: {1:?}")]
    Path(&'static str, String),
    /// All files together are too large.
    #[error("decompressed chart is larger than the maximum size {MAX_CHART_SIZE}")]
    ChartSize,
    /// A file is too large.
    #[error("decompressed chart file {0:?} is larger than the maximum file size {MAX_FILE_SIZE}")]
    FileSize(String),
    /// There are no files.
    #[error("no files in chart archive")]
    Empty,
    /// .helmignore has a bad rule.
    #[error(transparent)]
    Ignore(#[from] IgnoreError),
    /// There is no Chart.yaml.
    #[error("Chart.yaml file is missing")]
    NoMetadata,
    /// The chart format is not one that is known.
    #[error("unsupported chart version (apiVersion {0:?}; v1 and v2 are supported)")]
    Version(String),
    /// A file does not hold what it should.
    #[error("cannot load {file}: {message}")]
    File {
        /// Its name.
        file: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// Chart.yaml says something that cannot be.
    #[error("validation: {0}")]
    Invalid(String),
    /// A subchart cannot be loaded.
    #[error("error unpacking subchart {name} in {chart}: {source}")]
    Subchart {
        /// Its folder or archive below `charts/`.
        name: String,
        /// The chart that holds it.
        chart: String,
        /// Why.
        source: Box<Self>,
    },
    /// Subcharts within each other without end.
    #[error("subcharts are nested deeper than {MAX_DEPTH}")]
    Depth,
}

/// Which chart formats may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Formats {
    /// Those that are known.
    Known,
    /// Whatever a chart calls its format, it is read as the second one. Helm reads charts so that it lints, and
    /// subcharts.
    Any,
}

pub(super) fn load(files: Vec<File>, unpack: &dyn Unpack, formats: Formats) -> Result<Chart, LoadError> {
    load_ahead(files, unpack, formats, None)
}

/// The same with what has been begun while the files came.
pub(super) fn load_ahead(
    files: Vec<File>,
    unpack: &dyn Unpack,
    formats: Formats,
    ahead: Option<&Ahead>,
) -> Result<Chart, LoadError> {
    let mut from = Loading {
        unpack,
        ahead,
        left: MAX_CHART_SIZE * 4,
    };
    load_at(files, formats, 0, &mut from)
}

/// What charts are loaded with.
struct Loading<'a> {
    unpack: &'a dyn Unpack,
    ahead: Option<&'a Ahead>,
    /// What the archives within archives may unpack to, all together.
    left: usize,
}

/// Loads at a depth.
fn load_at(
    mut files: Vec<File>,
    formats: Formats,
    depth: usize,
    from: &mut Loading<'_>,
) -> Result<Chart, LoadError> {
    if depth > MAX_DEPTH {
        return Err(LoadError::Depth);
    }
    // Those of subcharts too: each is parsed, and what is parsed points into it.
    for file in files.iter_mut().filter(|file| file.name.contains(TEMPLATES)) {
        file.share_text();
    }
    let mut parts = Parts::default();
    // Chart.yaml first, wherever it stands.
    for file in files.iter().filter(|file| file.name == "Chart.yaml") {
        parts.definition(file, formats)?;
    }
    let values = files.iter().rfind(|file| file.name == "values.yaml");
    std::thread::scope(|scope| {
        // The values of a large chart take as long to read as everything below it: both at once.
        let reader = values.map(|file| {
            let read = move || read_values(file);
            if let Some(ahead) = from.ahead.filter(|ahead| ahead.has_begun(file)) {
                Reading::Begun(ahead, file)
            } else if file.data.len() < WORTH_A_THREAD {
                Reading::Done(read())
            } else {
                Reading::Apart(scope.spawn(read))
            }
        });
        load_rest(parts, &files, depth, from, reader)
    })
}

/// Bytes of values from which on they are read on a thread of their own.
const WORTH_A_THREAD: usize = 32 << 10;

pub(crate) type Values = Result<Arc<values::Table>, LoadError>;

/// Values that are read already, or by another thread.
enum Reading<'s> {
    Done(Values),
    Begun(&'s Ahead, &'s File),
    Apart(std::thread::ScopedJoinHandle<'s, Values>),
}

impl Reading<'_> {
    fn finish(self) -> Values {
        match self {
            Self::Done(values) => values,
            Self::Begun(ahead, file) => ahead.values(file).unwrap_or_else(|| read_values(file)),
            Self::Apart(reader) => reader.join().unwrap_or_else(|_| {
                Err(LoadError::File {
                    file: "values.yaml",
                    message: "the reader broke down".to_owned(),
                })
            }),
        }
    }
}

pub(crate) fn read_values(file: &File) -> Values {
    let parsed = if let Ok(text) = file.yaml() {
        values::parse(text)
    } else {
        // They are read line by line, and each gets its end first.
        let ended = File::new("values.yaml", [&file.data[..], b"\n"].concat());
        Err(ValuesError::Yaml(ended.yaml().err().unwrap_or_default()))
    };
    parsed.map(Arc::new).map_err(|error| LoadError::File {
        file: "values.yaml",
        message: error.to_string(),
    })
}

fn load_rest(
    mut parts: Parts,
    files: &[File],
    depth: usize,
    from: &mut Loading<'_>,
    values: Option<Reading<'_>>,
) -> Result<Chart, LoadError> {
    for file in files {
        parts.add(file)?;
    }
    let described = describe(
        parts.metadata.take(),
        std::mem::take(&mut parts.subcharts),
        depth,
        from,
    );
    // Helm reads values with the other files, so that what is wrong with them is said first.
    let values = values.map(Reading::finish).transpose()?;
    let (metadata, dependencies) = described?;
    Ok(Chart {
        metadata,
        modified: parts.modified,
        lock: parts.lock,
        values,
        schema: parts.schema,
        templates: parts.templates.into(),
        files: parts.files.into(),
        raw: files.to_vec().into(),
        dependencies,
        warnings: parts.warnings,
    })
}

/// The checked definition, and the charts below.
fn describe(
    metadata: Option<Metadata>,
    subcharts: BTreeMap<String, Vec<File>>,
    depth: usize,
    from: &mut Loading<'_>,
) -> Result<(Metadata, Vec<Chart>), LoadError> {
    let mut metadata = metadata.ok_or(LoadError::NoMetadata)?;
    metadata.validate().map_err(LoadError::Invalid)?;
    let mut dependencies = Vec::new();
    for (name, files) in subcharts {
        let loaded = subchart(&name, files, depth, from).map_err(|source| LoadError::Subchart {
            name: name.clone(),
            chart: metadata.name.clone(),
            source: Box::new(source),
        })?;
        dependencies.extend(loaded);
    }
    Ok((metadata, dependencies))
}

fn subchart(
    name: &str,
    files: Vec<File>,
    depth: usize,
    from: &mut Loading<'_>,
) -> Result<Option<Chart>, LoadError> {
    if name.starts_with(['_', '.']) {
        return Ok(None);
    }
    if extension(name) == Some("tgz") {
        let Some(file) = files.first().filter(|file| file.name == name) else {
            let found = files.first().map_or("", |file| &file.name);
            return Err(LoadError::Archive(format!("expected {name}, got {found}")));
        };
        let files = source::of_archive(&file.data, from.unpack, None)?;
        let size: usize = files.iter().map(|file| file.data.len()).sum();
        from.left = from.left.checked_sub(size).ok_or(LoadError::ChartSize)?;
        return load_at(files, Formats::Any, depth + 1, from).map(Some);
    }
    // A file that lies in `charts/` itself is no chart.
    let files: Vec<File> = files
        .into_iter()
        .filter_map(|mut file| {
            file.name = file.name.split_once('/')?.1.to_owned();
            Some(file)
        })
        .collect();
    load_at(files, Formats::Any, depth + 1, from).map(Some)
}

#[derive(Default)]
struct Parts {
    metadata: Option<Metadata>,
    modified: Option<crate::time::Time>,
    lock: Option<Lock>,
    schema: Option<File>,
    templates: Vec<File>,
    files: Vec<File>,
    subcharts: BTreeMap<String, Vec<File>>,
    warnings: Vec<String>,
}

impl Parts {
    fn definition(&mut self, file: &File, formats: Formats) -> Result<(), LoadError> {
        let metadata = self.metadata.get_or_insert_default();
        let mut read = || {
            let Some(root) = decode::document(file.yaml()?)? else {
                return Ok(());
            };
            // Helm asks for the format first, with no eye for what the other fields are.
            if formats == Formats::Known {
                API_VERSION.check(&root)?;
            }
            metadata.merge_node(&root)
        };
        read().map_err(|message| LoadError::File {
            file: "Chart.yaml",
            message,
        })?;
        // Helm 2 knew no apiVersion.
        if metadata.api_version.is_empty() {
            API_V1.clone_into(&mut metadata.api_version);
        }
        let is_known = matches!(metadata.api_version.as_str(), API_V1 | API_V2);
        if !is_known && formats == Formats::Known {
            return Err(LoadError::Version(metadata.api_version.clone()));
        }
        self.modified = file.modified;
        Ok(())
    }

    fn add(&mut self, file: &File) -> Result<(), LoadError> {
        match file.name.as_str() {
            // Both are read apart.
            "Chart.yaml" | "values.yaml" => {}
            "Chart.lock" => self.lock = lock(file, "Chart.lock")?,
            "values.schema.json" => self.schema = Some(file.clone()),
            "requirements.yaml" => {
                let metadata = self.metadata.get_or_insert_default();
                let is_old = metadata.api_version == API_V1;
                let merged = file.yaml().and_then(|text| metadata.merge(text));
                merged.map_err(|message| LoadError::File {
                    file: "requirements.yaml",
                    message,
                })?;
                self.old_style(file, is_old, "Dependencies are handled in Chart.yaml since apiVersion \"v2\". We recommend migrating dependencies to Chart.yaml.");
            }
            "requirements.lock" => {
                self.lock = lock(file, "requirements.lock")?;
                let is_old = self.metadata.get_or_insert_default().api_version == API_V1;
                self.old_style(file, is_old, "Dependency locking is handled in Chart.lock since apiVersion \"v2\". We recommend migrating to Chart.lock.");
            }
            name if name.starts_with(TEMPLATES) => self.templates.push(file.clone()),
            name => match name.strip_prefix("charts/") {
                Some(below) if extension(below) != Some("prov") => {
                    let folder = below
                        .split_once('/')
                        .map_or(below, |(folder, _)| folder)
                        .to_owned();
                    let mut file = file.clone();
                    below.clone_into(&mut file.name);
                    self.subcharts.entry(folder).or_default().push(file);
                }
                _ => self.files.push(file.clone()),
            },
        }
        Ok(())
    }

    /// What belongs to the first format is an ordinary file in it, and worth a warning in the second.
    fn old_style(&mut self, file: &File, is_old: bool, warning: &str) {
        if is_old {
            self.files.push(file.clone());
        } else {
            self.warnings.push(format!("Warning: {warning}"));
        }
    }
}

fn lock(file: &File, name: &'static str) -> Result<Option<Lock>, LoadError> {
    let parsed = file.yaml().and_then(Lock::parse);
    parsed.map_err(|message| LoadError::File { file: name, message })
}

/// Go's `filepath.Ext` without the dot: what follows the last dot of the last part.
fn extension(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map(|(_, extension)| extension)
}

/// Whether bytes look like a gzipped archive.
pub(crate) fn is_gzip(data: &[u8]) -> bool {
    data.starts_with(&[0x1f, 0x8b, 0x08])
}

#[cfg(test)]
mod tests;
