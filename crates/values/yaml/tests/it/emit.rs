//! Printed text.

use serde_json::json;
use weir_yaml::{Node, emit, from_json, parse_all, parse_one};

fn same(text: &str) {
    assert_eq!(emit::kyaml(&parse_one(text).unwrap()), text);
}

#[test]
fn kyaml_prints_comments_styles_and_order_as_read() {
    same(
        "# head\nb: 1 # line\n# above a\na:\n- 'x'\n- \"y\" # second\n# third\n- {k: v, l: [1, 2]}\nc: |\n  one\n  two\nd: >-\n  folded\n",
    );
    same("a: &x\n  k: v\nb: *x\nc: !foo bar\nd: {}\ne: []\n");
    same("- - 1\n  - 2\n- k: v\n  l:\n  - m\n");
}

#[test]
fn kyaml_can_indent_sequences() {
    let node = parse_one("a:\n- b\n- c: d\n").unwrap();
    assert_eq!(
        emit::kyaml_with(&node, emit::SequenceIndent::Wide),
        "a:\n  - b\n  - c: d\n"
    );
}

#[test]
fn kyaml_keeps_the_comments_around_a_document() {
    let text = "# about this file\n\n# about a\na: 1\n";
    let documents = parse_all(text).unwrap();
    assert_eq!(emit::document(&documents[0], emit::SequenceIndent::Compact), text);
}

#[test]
fn strings_that_would_read_as_something_else_are_quoted() {
    let node = Node::mapping(vec![
        (Node::plain("a"), Node::string("true")),
        (Node::plain("b"), Node::string("1")),
        (Node::plain("c"), Node::string("yes")),
        (Node::plain("d"), Node::string("two\nlines")),
        (Node::plain("e"), Node::string("- x")),
    ]);
    assert_eq!(
        emit::kyaml(&node),
        "a: \"true\"\nb: \"1\"\nc: yes\nd: |-\n  two\n  lines\ne: '- x'\n"
    );
}

#[test]
fn sigs_sorts_keys_naturally_and_folds_long_lines() {
    let value = json!({
        "a10": 1, "a2": 2, "B": 3, "_x": 4, "yes": "no", "n": null, "f": 1.5, "big": 1e21,
        "whole": 3.0, "empty": "", "list": [[], {}, [1]], "tab": "a\tb",
        "text": "one\ntwo\n", "trailing": "one \ntwo",
        "long": "word ".repeat(20).trim(),
    });
    assert_eq!(
        emit::sigs(&value),
        "_x: 4\nB: 3\na2: 2\na10: 1\nbig: 1e+21\nempty: \"\"\nf: 1.5\nlist:\n- []\n- {}\n- - 1\n\
         long: word word word word word word word word word word word word word word word word\n  \
         word word word word\n\"n\": null\ntab: \"a\\tb\"\ntext: |\n  one\n  two\n\
         trailing: \"one \\ntwo\"\nwhole: 3\n\"yes\": \"no\"\n"
    );
    assert_eq!(
        emit::sigs_stream(&[json!({"a": 1}), json!({"b": 2})]),
        "a: 1\n---\nb: 2\n"
    );
}

#[test]
fn json_values_survive_the_way_through_a_tree() {
    let value = json!({"a": [1, -2, 2.5, "x", "true", null, false], "b": {"c": {}}});
    let node = from_json(&value);
    assert_eq!(
        weir_yaml::to_json(&node, weir_yaml::Dialect::Kyaml).unwrap(),
        value
    );
    let read = parse_one(&emit::kyaml(&node)).unwrap();
    assert_eq!(
        weir_yaml::to_json(&read, weir_yaml::Dialect::Kyaml).unwrap(),
        value
    );
}

#[test]
fn keys_whose_order_goes_round_in_circles_are_printed_all_the_same() {
    let letters = ["a", "1", "0", "-", ".", "x10", "9", "_"];
    let mut map = serde_json::Map::new();
    for a in letters {
        for b in letters {
            for c in letters {
                map.insert(format!("k{a}{b}{c}"), json!(1));
            }
        }
    }
    let lines = emit::sigs(&serde_json::Value::Object(map.clone()));
    assert_eq!(lines.lines().count(), map.len());
}
