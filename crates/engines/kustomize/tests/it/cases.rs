//! Our own cases: `tests/cases/AREA/CASE/{case.json,files/,expected.yaml}`. `UPDATE=1` rewrites what
//! is expected.

use std::path::Path;

use serde_json::Value;
use weir_kustomize::{Options, build};

use crate::support::tree;

#[test]
fn cases_build_as_expected() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut wrong = Vec::new();
    let mut count = 0;
    for area in folders(&root) {
        for case in folders(&area) {
            count += 1;
            let settings = std::fs::read_to_string(case.join("case.json")).unwrap();
            let settings: Value = serde_json::from_str(&settings).unwrap();
            let files = tree(&case.join("files"), "");
            let path = format!("/{}", settings["path"].as_str().unwrap());
            let built = build(&files, &path, &Options::default());
            let built = built.map_or_else(|error| error.chain(), |built| built.to_yaml());
            let expected = case.join("expected.yaml");
            if std::env::var_os("UPDATE").is_some() {
                std::fs::write(&expected, &built).unwrap();
            }
            if std::fs::read_to_string(&expected).unwrap() != built {
                wrong.push(format!("{}:\n{built}", case.display()));
            }
        }
    }
    assert!(count > 0);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn folders(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut folders: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}
