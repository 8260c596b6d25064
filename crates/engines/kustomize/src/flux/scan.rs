//! A kustomization file for a directory that has none.

use serde_json::{Map, Value, json};

use crate::error::{Error, ErrorKind, Result, Within};
use crate::files::{FileKind, Files, join};
use crate::kustomization::FILE_NAMES;
use crate::load;

/// Directories within each other; deeper is a loop of links or malice.
const DEPTH: usize = 128;

/// The name of a directory's kustomization file, if it has one.
pub(super) fn kustomization_file(files: &dyn Files, directory: &str) -> Result<Option<&'static str>> {
    for name in FILE_NAMES {
        let found = files.find(&join(directory, name)).map_err(unreadable)?;
        if found.is_some_and(|found| found.kind == FileKind::File) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

fn unreadable(error: crate::files::FileError) -> Error {
    Error::new(ErrorKind::NotFound, error.to_string())
}

/// Lists the manifests of a directory.
pub(super) fn make(files: &dyn Files, directory: &str) -> Result<Map<String, Value>> {
    let mut resources = Vec::new();
    scan(files, directory, ".", &mut resources, 0)?;
    let mut file = Map::new();
    file.insert("apiVersion".into(), "kustomize.config.k8s.io/v1beta1".into());
    file.insert("kind".into(), "Kustomization".into());
    if resources.is_empty() {
        // An empty file would be refused; a namespace for no objects does nothing.
        file.insert("namespace".into(), "_placeholder".into());
    } else {
        file.insert("resources".into(), json!(resources));
    }
    Ok(file)
}

fn scan(
    files: &dyn Files,
    directory: &str,
    relative: &str,
    resources: &mut Vec<String>,
    depth: usize,
) -> Result<()> {
    if depth > DEPTH {
        return Err(Error::invalid(format!(
            "directories below '{directory}' are nested too deep"
        )));
    }
    let mut entries = files.list(directory).map_err(unreadable)?;
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    for entry in entries {
        let path = join(directory, &entry.name);
        let name = format!("{relative}/{}", entry.name);
        if entry.kind == FileKind::Directory {
            if kustomization_file(files, &path)?.is_some() {
                resources.push(name);
            } else {
                scan(files, &path, &name, resources, depth + 1)?;
            }
            continue;
        }
        let is_manifest = matches!(entry.name.rsplit_once('.'), Some((_, "yaml" | "yml")));
        if is_manifest {
            let bytes = files.read(&path).map_err(unreadable)?;
            load::resources(&bytes).within(|| format!("failed to decode Kubernetes YAML from {path}"))?;
            resources.push(name);
        }
    }
    Ok(())
}
