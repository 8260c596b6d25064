//! Our own cases: `tests/cases/AREA/CASE/{case.json,files/,expected.yaml}`. `UPDATE=1` rewrites what
//! is expected.

use std::path::Path;

use serde_json::Value;
use weir_kustomize::{Cache, Options, build, build_cached, print};

use crate::support::tree;

#[test]
fn cases_build_as_expected() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut wrong = Vec::new();
    let mut count = 0;
    let cache = Cache::new(1 << 20);
    for area in folders(&root) {
        for case in folders(&area) {
            count += 1;
            let settings = std::fs::read_to_string(case.join("case.json")).unwrap();
            let settings: Value = serde_json::from_str(&settings).unwrap();
            let files = tree(&case.join("files"), "");
            let path = format!("/{}", settings["path"].as_str().unwrap());
            let built = build(&files, &path, &Options::default());
            let built = built.map_or_else(|error| error.chain(), |built| built.to_yaml());
            // What other cases have parsed changes nothing, the first time or later.
            for _ in 0..2 {
                let again = build_cached(&files, &path, &Options::default(), &cache);
                let again = again.map_or_else(|error| error.chain(), |again| again.to_yaml());
                assert_eq!(again, built, "{}", case.display());
            }
            let printed = print(&files, &path, &Options::default(), None);
            let printed = printed.map_or_else(|error| error.chain(), |printed| printed.parts().collect());
            assert_eq!(printed, built, "{}", case.display());
            let expected = case.join("expected.yaml");
            if std::env::var_os("UPDATE").is_some() {
                std::fs::write(&expected, &built).unwrap();
            }
            if std::fs::read_to_string(&expected).unwrap() != built {
                wrong.push(format!("{}:\n{built}", case.display()));
            }
        }
    }
    assert!(count > 0 && cache.hits() > count);
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
