//! Test data in place.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use weir_kustomize::MemoryFiles;

/// A folder of shared test data: from the environment, else beside the repository. `None`, with one
/// line saying so, if it is not there.
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

/// Reads a tree below a path into memory.
pub(crate) fn tree(folder: &Path, at: &str) -> MemoryFiles {
    let mut files = MemoryFiles::new();
    add(&mut files, folder, at);
    files
}

/// Adds a tree from disk below a path.
pub(crate) fn add(files: &mut MemoryFiles, folder: &Path, at: &str) {
    // A case may have no files at all.
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let entry = entry.unwrap();
        let name = format!("{at}/{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            add(files, &entry.path(), &name);
        } else {
            files.insert(&name, std::fs::read(entry.path()).unwrap());
        }
    }
}

/// Cases of a suite that are listed as not met.
pub(crate) fn known(suite: &str) -> BTreeMap<String, String> {
    let path = workspace().join("tests/conformance/known.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let mut known = BTreeMap::new();
    for block in text.split("[[case]]").skip(1) {
        let field = |name: &str| {
            block.lines().find_map(|line| {
                let (key, value) = line.split_once('=')?;
                (key.trim() == name).then(|| value.trim().trim_matches('"').to_owned())
            })
        };
        if field("suite").as_deref() == Some(suite) {
            known.insert(field("id").unwrap(), field("reason").unwrap());
        }
    }
    known
}

/// Judges outcomes by the list: what is not met must be listed, and the other way round.
pub(crate) fn judge(suite: &str, outcomes: Vec<(String, Result<(), String>)>) {
    let mut known = known(suite);
    let (mut met, mut listed) = (0, 0);
    let mut wrong = Vec::new();
    for (id, outcome) in outcomes {
        match (outcome, known.remove(&id)) {
            (Ok(()), None) => met += 1,
            (Err(_), Some(_)) => listed += 1,
            (Ok(()), Some(_)) => wrong.push(format!("{id}: met, but listed as not met")),
            (Err(reason), None) => wrong.push(format!("{id}: {reason}")),
        }
    }
    wrong.extend(
        known
            .into_keys()
            .map(|id| format!("{id}: listed, but there is no such case")),
    );
    eprintln!(
        "{suite}: {met} met, {} not met, {listed} of them listed",
        listed + wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
