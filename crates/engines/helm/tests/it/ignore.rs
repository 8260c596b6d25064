//! Helm's own table of .helmignore.

use weir_helm::Ignore;

use crate::support::tables;

#[test]
fn helms_table_of_ignore_rules() {
    let Some(tables) = tables("helm-ignore.json") else {
        return;
    };
    let mut count = 0;
    for row in tables.iter().flat_map(|table| &table.rows) {
        let name = row["name"].as_str().unwrap();
        let rules = Ignore::parse(row["pattern"].as_str().unwrap()).unwrap();
        // Its folder of test files: everything without an extension, but for these, is a folder.
        let is_folder = matches!(
            name.trim_end_matches('/'),
            "cargo" | "mast" | "templates" | "." | ""
        );
        assert_eq!(
            rules.ignores(name, is_folder),
            row["expect"].as_bool().unwrap(),
            "{row}"
        );
        count += 1;
    }
    assert_eq!(count, 26);
}

#[test]
fn rules_that_cannot_be_are_refused_with_their_line() {
    let error = Ignore::parse("a\n# ** in a comment\n\n**/b\n").unwrap_err();
    assert_eq!(
        (error.line, error.message.as_str()),
        (4, "double-star (**) syntax is not supported")
    );
    assert_eq!(
        Ignore::parse("[a").unwrap_err().message,
        "syntax error in pattern"
    );
}

#[test]
fn what_lies_in_an_ignored_folder_is_ignored() {
    let rules = Ignore::of_chart(Some("\u{feff}.git/\n*.bak\n/secrets\n")).unwrap();
    for (path, expected) in [
        (".git/config", true),
        ("a/.git/config", true),
        ("a/b.bak", true),
        ("secrets/x", true),
        ("a/secrets/x", false),
        ("templates/.hidden", true),
        ("templates/a/.hidden", false),
        ("templates/a.yaml", false),
    ] {
        assert_eq!(rules.leaves_out(path), expected, "{path}");
    }
}
