//! What a chart is loaded from.

use bytes::Bytes;

use super::file::File;
use super::ignore::Ignore;
use super::load::LoadError;
use crate::ahead::Ahead;

/// A chart's archive is at most this large when unpacked, as in Helm.
pub const MAX_CHART_SIZE: usize = 100 << 20;
/// A file of a chart is at most this large.
pub const MAX_FILE_SIZE: usize = 5 << 20;

/// An entry of an archive: a regular file, as its header names it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Path in the archive, the top folder included.
    pub path: String,
    /// Content; empty where it was not wanted.
    pub data: Bytes,
    /// How many bytes of content the archive has.
    pub size: usize,
    /// When it was last changed.
    pub modified: Option<crate::time::Time>,
}

/// Opens `.tgz` archives: of the chart itself, and of charts below its `charts/`.
pub trait Unpack {
    /// Hands on the regular files of a gzipped tar archive, in its order, folders and extension headers left out. Content that is not
    /// wanted, by path and size, may be left out. After an error nothing that was handed on counts.
    ///
    /// An implementation need not read on when the files together exceed `limit` bytes, and says so in its error.
    fn unpack(
        &self,
        archive: &Bytes,
        limit: usize,
        wanted: &dyn Fn(&str, usize) -> bool,
        found: &mut dyn FnMut(Entry),
    ) -> Result<(), String>;
}

/// Opens nothing: for charts whose subcharts are known to be folders.
#[derive(Clone, Copy, Debug)]
pub struct NoArchives;

impl Unpack for NoArchives {
    fn unpack(
        &self,
        _: &Bytes,
        _: usize,
        _: &dyn Fn(&str, usize) -> bool,
        _: &mut dyn FnMut(Entry),
    ) -> Result<(), String> {
        Err("archives cannot be opened here".into())
    }
}

/// The files of a chart's archive: without the top folder, paths cleaned, limits kept. What is worth beginning with while the
/// rest is unpacked is begun with.
///
/// Refused are paths that lead out of the chart, drives, a Chart.yaml that is in no folder, and what is too large.
pub(crate) fn of_archive(
    archive: &Bytes,
    unpack: &dyn Unpack,
    ahead: Option<&Ahead>,
) -> Result<Vec<File>, LoadError> {
    let mut left = MAX_CHART_SIZE;
    let mut files = Vec::new();
    let mut refused = None;
    let wanted = |path: &str, size| ahead.is_none_or(|ahead| ahead.wants(path, size));
    let mut found = |entry: Entry| {
        if refused.is_some() {
            return;
        }
        let is_left_out = entry.data.len() != entry.size;
        match file_of(entry, &mut left) {
            Ok((top, mut file)) => {
                if let Some(ahead) = ahead {
                    if is_left_out {
                        file.left_out = Some(ahead.left_out());
                    } else {
                        ahead.offer(&top, &mut file);
                    }
                }
                files.push(file);
            }
            Err(error) => refused = Some(error),
        }
    };
    let unpacked = unpack.unpack(archive, MAX_CHART_SIZE, &wanted, &mut found);
    // What is wrong with the archive itself is said first.
    unpacked.map_err(LoadError::Archive)?;
    if let Some(error) = refused {
        return Err(error);
    }
    if files.is_empty() {
        return Err(LoadError::Empty);
    }
    Ok(files)
}

/// A chart's file, and the top folder that it is in.
fn file_of(entry: Entry, left: &mut usize) -> Result<(String, File), LoadError> {
    let delimiter = if entry.path.contains('\\') { '\\' } else { '/' };
    let (top, below) = entry.path.split_once(delimiter).unwrap_or((&entry.path, ""));
    let below = below.replace(delimiter, "/");
    if below.starts_with('/') {
        return Err(LoadError::Path(
            "chart illegally contains absolute paths",
            entry.path,
        ));
    }
    let name = clean(&below);
    if name.is_empty() {
        return Err(LoadError::Path(
            "chart illegally contains content outside the base directory",
            entry.path,
        ));
    }
    if name.starts_with("..") {
        return Err(LoadError::Path(
            "chart illegally references parent directory",
            entry.path,
        ));
    }
    let bytes = name.as_bytes();
    if bytes.first().is_some_and(u8::is_ascii_alphabetic) && bytes.get(1..3) == Some(b":/") {
        return Err(LoadError::Path(
            "chart contains illegally named files",
            entry.path,
        ));
    }
    if top == "Chart.yaml" {
        return Err(LoadError::Path("chart yaml not in base directory", entry.path));
    }
    if entry.size > MAX_FILE_SIZE {
        return Err(LoadError::FileSize(entry.path));
    }
    *left = left
        .checked_sub(entry.size)
        .filter(|left| *left > 0)
        .ok_or(LoadError::ChartSize)?;
    let mut file = File::new(name, entry.data);
    file.modified = entry.modified;
    Ok((top.to_owned(), file))
}

/// The files of a chart's folder that belong to the chart, in the order in which Helm walks it.
pub(crate) fn of_folder(mut files: Vec<File>) -> Result<Vec<File>, LoadError> {
    let rules = files
        .iter()
        .find(|file| file.name == super::ignore::IGNORE_FILE)
        .map(|file| file.text().into_owned());
    let ignore = Ignore::of_chart(rules.as_deref())?;
    files.retain(|file| !ignore.leaves_out(&file.name));
    if let Some(large) = files.iter().find(|file| file.data.len() > MAX_FILE_SIZE) {
        return Err(LoadError::FileSize(large.name.clone()));
    }
    files.sort_by(|a, b| a.name.split('/').cmp(b.name.split('/')));
    Ok(files)
}

/// Go's `path.Clean` of a relative path; empty where Go says `.`.
pub(super) fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
