//! Texts that ask for too much, and texts that are not what they should be (N10, N11).

use std::fmt::Write;

use weir_yaml::{
    Dialect, Duplicates, Limits, ParseOptions, expand_aliases, parse_all, parse_all_with, parse_first_with,
    parse_one, to_json,
};

#[test]
fn n10_repeated_keys_are_refused_with_both_lines() {
    let error = parse_all("a:\n  b: 1\n  c: 2\n  b: 3\n").unwrap_err();
    assert_eq!((error.span.line, error.span.column), (4, 3));
    assert_eq!(
        error.to_string(),
        "yaml: line 4, column 3: mapping key \"b\" already defined at line 2"
    );
    // Behind the size at which an index takes over.
    let mut text: String = numbered(40, |n| format!("k{n}: 1\n"));
    text.push_str("k7: 2\n");
    let error = parse_all(&text).unwrap_err();
    assert!(error.message.ends_with("already defined at line 8"), "{error}");
}

#[test]
fn n10_repeated_keys_can_be_kept_and_then_the_last_wins() {
    let options = ParseOptions {
        duplicates: Duplicates::Keep,
        ..ParseOptions::default()
    };
    let documents = parse_all_with("a: 1\na: 2\n", options).unwrap();
    let value = to_json(documents[0].root.as_ref().unwrap(), Dialect::Sigs).unwrap();
    assert_eq!(value["a"], 2);
}

/// Of each value without JSON it is asked whether a later one replaces it: if that were a search, this would not end.
#[test]
fn n10_values_that_later_ones_replace_are_found_at_once() {
    let options = ParseOptions {
        duplicates: Duplicates::Keep,
        ..ParseOptions::default()
    };
    let mut text: String = numbered(20_000, |n| format!("k{n}: .nan\n"));
    text.push_str(&numbered(20_000, |n| format!("k{n}: {n}\n")));
    let documents = parse_all_with(&text, options).unwrap();
    let value = to_json(documents[0].root.as_ref().unwrap(), Dialect::Sigs).unwrap();
    assert_eq!(value["k19999"], 19_999);
}

#[test]
fn n10_a_billion_laughs_are_refused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..12 {
        let aliases = vec![format!("*a{}", n - 1); 10].join(", ");
        writeln!(text, "a{n}: &a{n} [{aliases}]").unwrap();
    }
    let mut node = parse_one(&text).unwrap();
    let error = expand_aliases(&mut node, Dialect::Kyaml).unwrap_err();
    assert_eq!(error.message, "document contains excessive aliasing");
}

#[test]
fn n10_an_anchor_within_itself_is_refused() {
    let mut node = parse_one("a: &a [1, *a]\n").unwrap();
    let error = expand_aliases(&mut node, Dialect::Kyaml).unwrap_err();
    assert_eq!(error.message, "anchor 'a' value contains itself");
    assert!(parse_one("a: *missing\n").is_err());
}

#[test]
fn n10_depth_is_bounded_at_the_limit_and_one_past_it() {
    let limits = Limits {
        depth: 20,
        ..Limits::default()
    };
    let options = ParseOptions {
        limits,
        ..ParseOptions::default()
    };
    for (open, close) in [("[", "]"), ("{a: ", "}")] {
        let nested = |n: usize| format!("{}1{}", open.repeat(n), close.repeat(n));
        assert!(parse_all_with(&nested(20), options).is_ok());
        assert!(parse_all_with(&nested(21), options).is_err());
    }
    let block = |n: usize| numbered(n, |i| format!("{}a:\n", " ".repeat(i)));
    assert!(parse_all_with(&block(20), options).is_ok());
    assert!(parse_all_with(&block(21), options).is_err());
    // Without a limit of one's own there still is one.
    assert!(parse_all(&"[".repeat(100_000)).is_err());
    assert!(parse_all(&"- ".repeat(100_000)).is_err());
}

#[test]
fn n10_size_and_number_of_nodes_are_bounded_at_the_limit_and_one_past_it() {
    let limits = Limits {
        bytes: 10,
        nodes: 4,
        ..Limits::default()
    };
    let options = ParseOptions {
        limits,
        ..ParseOptions::default()
    };
    assert!(parse_all_with("[1, 2, 3]\n", options).is_ok());
    assert!(parse_all_with("[1, 2, 3] \n", options).is_err());
    assert!(parse_all_with("[1,2,3,4]", options).is_err());
}

#[test]
fn n11_odd_documents_are_values_or_errors_but_no_panic() {
    for text in [
        "",
        "---\n",
        "--- \n---\n",
        "~",
        "# comment\n",
        "\u{feff}",
        "!!int abc",
        "{? [a]: b}",
        "? {a: b}\n: c",
        "- - -\n",
        "a: !!binary '***'",
        "%YAML 1.2\n---\n",
        "&a",
        "*a",
        "[",
        "]",
        "\0",
        "a: \u{7}",
        "!",
        "!<",
        "\"\\x",
        "|",
        ">",
        "|9\n",
        "---\n...\n---",
        "<<: 1",
        "<<: [[]]",
        "a: &a\nb: *a",
        "\u{2028}",
        "?",
        ":",
        "- :",
        "{",
        "}",
        ",",
        "'",
        "\"",
    ] {
        if let Ok(documents) = parse_all(text) {
            for document in documents {
                if let Some(root) = document.root {
                    drop(to_json(&root, Dialect::Sigs));
                    drop(to_json(&root, Dialect::Kyaml));
                    drop(weir_yaml::emit::kyaml(&root));
                }
            }
        }
    }
}

/// Lines by number.
fn numbered(count: usize, line: impl Fn(usize) -> String) -> String {
    let lines: Vec<String> = (0..count).map(line).collect();
    lines.concat()
}

#[test]
fn n10_lines_of_tabs_and_empty_keys_are_looked_at_once() {
    let tabs = format!("a: 1\n{}b: 2\n", "  \t\n".repeat(200_000));
    assert!(parse_all(&tabs).is_ok());
    let in_flow = format!("a: [1,\n{}]\n", "\t\n".repeat(200_000));
    assert!(parse_all(&in_flow).is_ok());
    let keys = format!("a: [{}]\n", "{? : 1}, ".repeat(100_000));
    assert!(parse_all(&keys).is_ok());
}

/// As the `Unmarshal` of sigs.k8s.io/yaml reads no further.
#[test]
fn what_follows_the_first_document_may_be_anything() {
    let options = ParseOptions {
        without_comments: true,
        ..ParseOptions::default()
    };
    let first = |text: &str| parse_first_with(text, options);
    let read = first("a: 1\n--- no\nb: 2\n").unwrap().unwrap();
    assert_eq!(
        to_json(&read.root.unwrap(), Dialect::Sigs).unwrap(),
        serde_json::json!({"a": 1})
    );
    assert!(first("a: 1\n").unwrap().is_some());
    assert!(first("").unwrap().is_none_or(|document| document.root.is_none()));
    assert!(first("a: 1\na: 2\n--- no\nb: 2\n").is_err(), "repeated keys");
    assert!(first("[a").is_err());
}
