//! What mutation starts from: the conformance data and our own cases.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::{Input, Subject};

/// Longer files teach little and take long.
const LONGEST: usize = 20_000;

pub(super) fn load(subject: Subject) -> Result<Vec<Input>> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let conformance = std::env::var_os("WEIR_CONFORMANCE")
        .map_or_else(|| workspace.join("../shared/conformance"), PathBuf::from);
    let mut corpus = Vec::new();
    let roots = [
        workspace.join("crates/engines/kustomize/tests/cases"),
        conformance.join("kustomize"),
    ];
    match subject {
        // All of these are generated.
        Subject::Templates | Subject::Charts => corpus.push(vec![("/none".to_owned(), Vec::new())]),
        Subject::Records => {
            let records = workspace.join("crates/engines/helm/tests/cases/record");
            let mut files = Vec::new();
            walk(&records, &records, &mut files);
            files.retain(|(path, _)| path == "/release.json");
            corpus.extend(files.into_iter().map(|file| vec![file]));
        }
        Subject::Yaml => {
            let mut files = Vec::new();
            for root in roots
                .iter()
                .chain([&conformance.join("yaml-test-suite"), &conformance.join("flux")])
            {
                walk(root, root, &mut files);
            }
            corpus.extend(files.into_iter().map(|file| vec![file]));
        }
        Subject::Kustomize => {
            for root in &roots {
                for area in folders(root) {
                    for case in folders(&area) {
                        let mut files = Vec::new();
                        walk(&case.join("files"), &case.join("files"), &mut files);
                        corpus.push(files);
                    }
                }
            }
        }
    }
    corpus.retain(|input: &Input| !input.is_empty());
    if corpus.is_empty() {
        bail!("there is nothing to start from");
    }
    Ok(corpus)
}

fn folders(root: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(root) else {
        return Vec::new();
    };
    let mut folders: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

fn walk(root: &Path, folder: &Path, files: &mut Input) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            walk(root, &path, files);
            continue;
        }
        let Ok(content) = std::fs::read(&path) else {
            continue;
        };
        if let Some(name) = path.strip_prefix(root).ok().and_then(Path::to_str)
            && content.len() <= LONGEST
        {
            files.push((format!("/{name}"), content));
        }
    }
}
