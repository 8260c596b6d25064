//! Ignore rules against Flux's own cases.

use serde_json::Value;
use weir_store::archive::folder_rules;
use weir_store::ignore::IgnoreRules;

use crate::support::{conformance, tree};

fn texts(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .map(|list| list.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default()
}

#[test]
fn flux_s_own_cases_pass() {
    let Some(path) = conformance("tables/flux-sourceignore.json") else {
        return;
    };
    let tables: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut checked = 0;
    for table in &tables {
        let name = table["table"].as_str().unwrap();
        for row in table["rows"].as_array().unwrap() {
            let domain = texts(&row["domain"]).join("/");
            let vcs = ".git/\n.gitignore\n.gitmodules\n.gitattributes\n";
            let mut rules = IgnoreRules::none();
            match name {
                "TestReadPatterns" => rules.add(row["ignore"].as_str().unwrap(), &domain),
                "TestVCSPatterns" => rules.add(vcs, &domain),
                // The default set has no domain here: sources are packed from their root.
                "TestDefaultPatterns" if domain.is_empty() => rules = IgnoreRules::for_source([], None),
                _ => continue,
            }
            for (list, expected) in [("matches", true), ("mismatches", false)] {
                for path in texts(&row[list]) {
                    assert_eq!(
                        rules.excludes(path, false),
                        expected,
                        "{name}: {} {path}",
                        row["name"]
                    );
                    checked += 1;
                }
            }
        }
    }
    assert!(checked >= 18, "only {checked} checks");
}

#[test]
fn patterns_of_a_folder_hold_below_it_only() {
    let tree = tree(&[
        (".sourceignore", "root.txt\n"),
        ("d/.gitignore", "ignored\n"),
        ("z/.sourceignore", "last.txt\n"),
        ("a/b/.sourceignore", "subdir.txt\n"),
        (".git/.sourceignore", "*\n"),
    ]);
    let rules = IgnoreRules::for_tree(&tree, None);
    for (path, expected) in [
        ("root.txt", true),
        ("a/root.txt", true),
        ("e/last.txt", false),
        ("z/last.txt", true),
        ("a/c/subdir.txt", false),
        ("a/b/c/subdir.txt", true),
        ("d/ignored", false),
        ("image.png", false),
        (".git/HEAD", true),
    ] {
        assert_eq!(rules.excludes(path, false), expected, "{path}");
    }
    let folder = tempfile::tempdir().unwrap();
    weir_store::extract::write_tree(&tree, &folder.path().join("x")).unwrap();
    let rules = folder_rules(&folder.path().join("x"), Some("!root.txt\n")).unwrap();
    assert!(!rules.excludes("root.txt", false) && rules.excludes("z/last.txt", false));
}

#[test]
fn any_own_pattern_replaces_the_default_set_but_not_version_control() {
    let default = IgnoreRules::for_source([], None);
    let own = IgnoreRules::for_source([], Some("# only a comment\n\nx\n"));
    let none = IgnoreRules::for_source([], Some("# only a comment\n"));
    for path in ["a.jpg", ".github/x.yaml", "a/.sops.yaml", "x.tar.gz"] {
        assert!(
            default.excludes(path, false) && none.excludes(path, false),
            "{path}"
        );
        assert!(!own.excludes(path, false), "{path}");
    }
    assert!(own.excludes(".git/config", false) && own.excludes("x", false));
}

#[test]
fn a_push_leaves_out_pictures_but_no_build_files() {
    let rules = IgnoreRules::for_push("*.md\r\n");
    assert!(
        rules.excludes("a/b.png", false)
            && rules.excludes("README.md", false)
            && rules.excludes(".git", true)
    );
    assert!(!rules.excludes(".github/workflows/x.yaml", false) && !rules.excludes(".sops.yaml", false));
    assert!(!rules.excludes(".git", false), "a file of that name is no folder");
}
