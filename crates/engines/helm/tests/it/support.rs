//! Test data in place, and charts from disk and archives.

use std::io::Read;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde_json::{Map, Value};
use weir_helm::{Chart, Entry, File, Unpack};

/// A folder of shared test data: from the environment, else beside the repository. `None`, with one line saying so, if
/// it is not there.
pub(crate) fn shared(variable: &str, folder: &str) -> Option<PathBuf> {
    let path =
        std::env::var_os(variable).map_or_else(|| workspace().join("../shared").join(folder), PathBuf::from);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("not run: no {folder} data (set {variable})");
    None
}

/// The root of the workspace.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

/// A table of rows, and where it comes from.
pub(crate) struct Rows {
    pub(crate) source: String,
    pub(crate) rows: Vec<Value>,
}

/// The tables of a file.
pub(crate) fn tables(name: &str) -> Option<Vec<Rows>> {
    let path = shared("WEIR_CONFORMANCE", "conformance")?
        .join("tables")
        .join(name);
    let tables: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let tables = tables.as_array().unwrap().iter().map(|table| Rows {
        source: table["source"].as_str().unwrap().to_owned(),
        rows: table["rows"].as_array().unwrap().clone(),
    });
    Some(tables.collect())
}

/// The table that a line of a file holds.
pub(crate) fn at<'t>(tables: &'t [Rows], place: &str) -> &'t [Value] {
    let found = tables.iter().find(|table| table.source.ends_with(place));
    &found.unwrap_or_else(|| panic!("no table {place}")).rows
}

/// Rows keyed by name as the map that they were.
pub(crate) fn keyed(rows: &[Value]) -> Map<String, Value> {
    rows.iter()
        .map(|row| (row["$key"].as_str().unwrap().to_owned(), row["$row"].clone()))
        .collect()
}

/// Opens archives with the tar crate.
pub(crate) struct Tgz;

impl Unpack for Tgz {
    fn unpack(
        &self,
        archive: &Bytes,
        limit: usize,
        wanted: &dyn Fn(&str, usize) -> bool,
        found: &mut dyn FnMut(Entry),
    ) -> Result<(), String> {
        let mut bytes = Vec::new();
        flate2::read::MultiGzDecoder::new(archive.as_ref())
            .take(limit as u64 * 2)
            .read_to_end(&mut bytes)
            .map_err(|error| error.to_string())?;
        let mut archive = tar::Archive::new(bytes.as_slice());
        for entry in archive.entries().map_err(|error| error.to_string())? {
            let mut entry = entry.map_err(|error| error.to_string())?;
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let mut data = Vec::new();
            entry.read_to_end(&mut data).map_err(|error| error.to_string())?;
            let size = data.len();
            if !wanted(&path, size) {
                data.clear();
            }
            found(Entry {
                path,
                data: data.into(),
                size,
                modified: None,
            });
        }
        Ok(())
    }
}

/// A chart from a folder or an archive on disk.
pub(crate) fn chart(path: &Path) -> Chart {
    if path.is_file() {
        let archive = std::fs::read(path).unwrap();
        return Chart::from_archive(&archive.into(), &Tgz)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    Chart::from_folder(folder(path), &Tgz).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files of a folder.
pub(crate) fn folder(path: &Path) -> Vec<File> {
    let mut files = Vec::new();
    walk(path, "", &mut files);
    files
}

fn walk(folder: &Path, below: &str, files: &mut Vec<File>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{below}{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            walk(&entry.path(), &format!("{name}/"), files);
        } else {
            files.push(File::new(name, std::fs::read(entry.path()).unwrap()));
        }
    }
}

/// A chart of files in memory.
pub(crate) fn memory(files: &[(&str, &str)]) -> Chart {
    let files = files
        .iter()
        .map(|(name, text)| File::new(*name, text.as_bytes().to_vec()))
        .collect();
    Chart::from_files(files, &Tgz).unwrap()
}

/// Numbers that mean the same are the same.
pub(crate) fn same(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

/// A host whose answers are always the same.
#[derive(Default)]
pub(crate) struct Fixed {
    drawn: u8,
}

impl weir_gotmpl::Host for Fixed {
    fn random(&mut self, bytes: &mut [u8]) -> Result<(), weir_gotmpl::CallError> {
        for byte in bytes {
            self.drawn = self.drawn.wrapping_mul(13).wrapping_add(7);
            *byte = self.drawn;
        }
        Ok(())
    }

    fn now(&mut self) -> Result<i128, weir_gotmpl::CallError> {
        Ok(1_700_000_000_000_000_000)
    }

    fn certificate(
        &mut self,
        _: &weir_gotmpl::CertificateRequest<'_>,
    ) -> Result<(String, String), weir_gotmpl::CallError> {
        let pem = |what: &str| format!("-----BEGIN {what}-----\nAAAA\n-----END {what}-----\n");
        Ok((pem("CERTIFICATE"), pem("RSA PRIVATE KEY")))
    }

    fn private_key(&mut self, _: weir_gotmpl::KeyKind) -> Result<String, weir_gotmpl::CallError> {
        Ok("PRIVATE KEY\n".to_owned())
    }
}
