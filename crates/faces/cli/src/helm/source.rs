//! Charts on this machine.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use jiff::Timestamp;
pub(crate) use weir_charts::Tgz;
use weir_helm::{Ahead, Chart, File, IGNORE_FILE, Ignore, LoadError, MAX_CHART_SIZE, MAX_FILE_SIZE};

use crate::{CommandError, run::Result};

/// Links that lead from one to the next are followed this far.
const MAX_DEPTH: usize = 64;

/// Loads the chart in a folder or an archive.
pub(super) fn load(path: &Path) -> Result<Chart> {
    load_with(path, |archive| Chart::from_archive(archive, &Tgz))
}

/// The same; work on what is in an archive is begun while the rest of it is unpacked.
pub(super) fn load_ahead(path: &Path, ahead: &Ahead) -> Result<Chart> {
    load_with(path, |archive| Chart::from_archive_ahead(archive, &Tgz, ahead))
}

fn load_with(
    path: &Path,
    from_archive: impl FnOnce(&Bytes) -> std::result::Result<Chart, LoadError>,
) -> Result<Chart> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(
                CommandError::user(format!("path {:?} not found", path.display().to_string()))
                    .hint("name the chart's folder or its .tgz"),
            );
        }
        Err(error) => return Err(CommandError::file("open", path, &error)),
    };
    let loaded = if metadata.is_dir() {
        let definition = path.join("Chart.yaml");
        if !definition.is_file() {
            return Err(CommandError::user(format!(
                "unable to detect chart at {}: Chart.yaml file is missing",
                path.display()
            )));
        }
        Chart::from_folder(folder(path)?, &Tgz)
    } else {
        let archive = fs::read(path).map_err(|error| CommandError::file("read", path, &error))?;
        if !archive.starts_with(&[0x1f, 0x8b]) {
            let is_yaml = path
                .extension()
                .is_some_and(|extension| extension == "yaml" || extension == "yml");
            let what = if is_yaml {
                "seems to be a YAML file, but expected a gzipped archive"
            } else {
                "does not appear to be a gzipped archive"
            };
            return Err(CommandError::user(format!("file '{}' {what}", path.display())));
        }
        from_archive(&archive.into())
    };
    loaded.map_err(|error| explain(path, &error))
}

fn explain(path: &Path, error: &LoadError) -> CommandError {
    CommandError::user(error.to_string()).hint(format!("look into {}", path.display()))
}

/// The files of a chart's folder, without what its .helmignore leaves out. Links are followed, as Helm does.
pub(super) fn folder(path: &Path) -> Result<Vec<File>> {
    let rules = fs::read(path.join(IGNORE_FILE)).ok();
    let rules = rules.as_deref().map(String::from_utf8_lossy);
    let ignore = Ignore::of_chart(rules.as_deref()).map_err(|error| CommandError::user(error.to_string()))?;
    let mut files = Vec::new();
    let mut total = 0;
    walk(path, "", &ignore, 0, &mut total, &mut files)?;
    Ok(files)
}

fn walk(
    folder: &Path,
    below: &str,
    ignore: &Ignore,
    depth: usize,
    total: &mut usize,
    files: &mut Vec<File>,
) -> Result<()> {
    if depth > MAX_DEPTH {
        return Err(CommandError::user(format!(
            "{}: folders are nested deeper than {MAX_DEPTH}, or links lead in a circle",
            folder.display()
        )));
    }
    let failed = |error| CommandError::file("read", folder, &error);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        let Some(name) = entry.file_name().to_str().map(|name| format!("{below}{name}")) else {
            return Err(CommandError::user(format!(
                "the path {} is not UTF-8",
                path.display()
            )));
        };
        // This follows links.
        let metadata = fs::metadata(&path).map_err(|error| CommandError::file("read", &path, &error))?;
        if ignore.ignores(&name, metadata.is_dir()) {
            continue;
        }
        if metadata.is_dir() {
            walk(&path, &format!("{name}/"), ignore, depth + 1, total, files)?;
            continue;
        }
        if !metadata.is_file() {
            return Err(CommandError::user(format!(
                "cannot load irregular file {} as it has file mode type bits set",
                path.display()
            )));
        }
        if metadata.len() > MAX_FILE_SIZE as u64 {
            return Err(CommandError::user(format!(
                "chart file {name:?} is larger than the maximum file size {MAX_FILE_SIZE}"
            )));
        }
        let content = fs::read(&path).map_err(|error| CommandError::file("read", &path, &error))?;
        *total += content.len();
        if *total > MAX_CHART_SIZE {
            return Err(CommandError::user(format!(
                "the chart is larger than the maximum size {MAX_CHART_SIZE}"
            )));
        }
        let mut file = File::new(name, content);
        if let Some(modified) = metadata
            .modified()
            .ok()
            .and_then(|time| Timestamp::try_from(time).ok())
        {
            file = file.at(modified);
        }
        files.push(file);
    }
    Ok(())
}
