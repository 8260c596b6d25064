//! What the tree keeps.

use weir_yaml::{
    Dialect, Duplicates, ParseOptions, Style, Tag, parse_all, parse_all_with, parse_one, to_json,
};

#[test]
fn scalars_know_their_place_style_and_comment() {
    let text = "spec:\n  image: \"app:1.0\" # {\"$imagepolicy\": \"a:b\"}\n";
    let root = parse_one(text).unwrap();
    let image = root.at(&["spec", "image"]).unwrap();
    assert_eq!(image.as_str(), Some("app:1.0"));
    assert_eq!(image.style, Style::DoubleQuoted);
    assert_eq!(
        &text[image.span.start as usize..image.span.end as usize],
        "\"app:1.0\""
    );
    assert_eq!((image.span.line, image.span.column), (2, 10));
    let comments = image.comments().unwrap();
    assert_eq!(comments.line, "# {\"$imagepolicy\": \"a:b\"}");
}

#[test]
fn empty_and_written_nulls_are_told_apart() {
    let root = parse_one("a:\nb: ~\nc: null\n").unwrap();
    let texts: Vec<_> = root
        .entries()
        .unwrap()
        .iter()
        .map(|(_, v)| v.as_str().unwrap())
        .collect();
    assert_eq!(texts, ["", "~", "null"]);
    assert!(
        root.entries()
            .unwrap()
            .iter()
            .all(|(_, value)| value.tag == Tag::Null)
    );
}

#[test]
fn documents_are_counted_and_empty_ones_have_no_content() {
    let documents = parse_all("a: 1\n---\n# nothing\n---\nb: 2\n").unwrap();
    assert_eq!(documents.len(), 3);
    assert!(documents[1].root.as_ref().is_none_or(weir_yaml::Node::is_null));
}

#[test]
fn merge_keys_yield_to_own_keys_and_earlier_sources() {
    let root = parse_one("base: &b {x: 1, w: 1}\nother: &o {w: 2, z: 2}\nmerged:\n  <<: [*b, *o]\n  x: 3\n")
        .unwrap();
    for dialect in [Dialect::Sigs, Dialect::Kyaml] {
        let value = to_json(&root, dialect).unwrap();
        assert_eq!(value["merged"].to_string(), r#"{"w":1,"x":3,"z":2}"#);
    }
}

#[test]
fn the_dialects_differ_on_words_dates_and_keys() {
    let root = parse_one("y: yes\ndate: 2024-01-01\noctal: 0755\n").unwrap();
    let sigs = to_json(&root, Dialect::Sigs).unwrap();
    assert_eq!(sigs["true"], true);
    assert_eq!(sigs["date"], "2024-01-01");
    let kyaml = to_json(&root, Dialect::Kyaml).unwrap();
    assert_eq!(kyaml["y"], "yes");
    assert_eq!(kyaml["date"], "2024-01-01T00:00:00Z");
    assert_eq!((&sigs["octal"], &kyaml["octal"]), (&493.into(), &493.into()));
}

#[test]
fn a_value_that_a_later_one_replaces_may_be_anything() {
    let options = ParseOptions {
        duplicates: Duplicates::Keep,
        ..ParseOptions::default()
    };
    for text in ["a: .nan\na: 1\n", "a: {~: 1}\na: 1\n"] {
        let documents = parse_all_with(text, options).unwrap();
        let value = to_json(documents[0].root.as_ref().unwrap(), Dialect::Sigs).unwrap();
        assert_eq!(value.to_string(), r#"{"a":1}"#);
    }
}

#[test]
fn what_stands_under_null_has_no_place_in_kyamls_json() {
    let root = parse_one("~: 1\na: 2\n").unwrap();
    assert_eq!(to_json(&root, Dialect::Kyaml).unwrap().to_string(), r#"{"a":2}"#);
}
