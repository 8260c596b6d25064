//! The YAML test suite: event trees.

use std::fmt::Write;

use serde_json::Value;
use weir_yaml::{
    Data, Dialect, Document, Duplicates, Node, ParseOptions, Style, parse_all_with, parse_one, to_json,
};

use crate::support::conformance;
use weir_conformance::judge;
use weir_conformance::yaml_test_suite::visible;

#[test]
fn event_trees_are_those_of_the_suite() {
    let Some(root) = conformance() else {
        return;
    };
    let mut outcomes = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(root.join("yaml-test-suite"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    for path in files {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let cases = to_json(
            &parse_one(&std::fs::read_to_string(&path).unwrap()).unwrap(),
            Dialect::Kyaml,
        )
        .unwrap();
        let mut tree = Value::Null;
        for (number, case) in cases.as_array().unwrap().iter().enumerate() {
            // What a later case leaves out is as in the one before.
            if !case["tree"].is_null() {
                tree = case["tree"].clone();
            }
            let fails = case["fail"] == true;
            let Some(yaml) = case["yaml"].as_str() else {
                continue;
            };
            let outcome = check(&visible(yaml), tree.as_str().unwrap_or_default(), fails);
            outcomes.push((format!("{name}-{number}"), outcome));
        }
    }
    judge("yaml-test-suite", outcomes);
}

fn check(yaml: &str, tree: &str, fails: bool) -> Result<(), String> {
    let options = ParseOptions {
        duplicates: Duplicates::Keep,
        ..ParseOptions::default()
    };
    match (parse_all_with(yaml, options), fails) {
        (Ok(_), true) => Err("accepted, but must be refused".into()),
        (Err(_), true) => Ok(()),
        (Err(error), false) => Err(error.to_string()),
        (Ok(documents), false) => {
            let ours = events(&documents);
            // Whether documents are marked, and the tag `!`, is not kept in the tree.
            let theirs: Vec<String> = visible(tree)
                .lines()
                .map(|line| line.trim().replace(" <!>", ""))
                .map(|line| match line.split(' ').next() {
                    Some(mark @ ("+DOC" | "-DOC")) => mark.to_owned(),
                    _ => line,
                })
                .filter(|line| !line.is_empty())
                .collect();
            if ours == theirs {
                return Ok(());
            }
            Err(format!("{ours:?} instead of {theirs:?}"))
        }
    }
}

fn events(documents: &[Document]) -> Vec<String> {
    let mut out = vec!["+STR".to_owned()];
    for document in documents {
        out.push("+DOC".into());
        if let Some(root) = &document.root {
            node(root, &mut out);
        }
        out.push("-DOC".into());
    }
    out.push("-STR".into());
    out
}

fn node(node_: &Node, out: &mut Vec<String>) {
    let mut properties = String::new();
    if let Some(anchor) = node_.anchor() {
        write!(properties, " &{anchor}").unwrap();
    }
    if node_.tag_is_explicit() && node_.tag() != weir_yaml::Tag::None {
        let tag = node_.tag_text().replace("!!", "tag:yaml.org,2002:");
        write!(properties, " <{tag}>").unwrap();
    }
    let flow = node_.style() == Style::Flow;
    match node_.data() {
        Data::Scalar(text) => {
            let mark = match node_.style() {
                Style::SingleQuoted => '\'',
                Style::DoubleQuoted => '"',
                Style::Literal => '|',
                Style::Folded => '>',
                _ => ':',
            };
            out.push(
                format!("=VAL{properties} {mark}{}", escape(text))
                    .trim()
                    .to_owned(),
            );
        }
        Data::Alias(name) => out.push(format!("=ALI *{name}")),
        Data::Sequence(items) => {
            out.push(format!("+SEQ{}{properties}", if flow { " []" } else { "" }));
            for item in items {
                node(item, out);
            }
            out.push("-SEQ".into());
        }
        Data::Mapping(entries) => {
            out.push(format!("+MAP{}{properties}", if flow { " {}" } else { "" }));
            for (key, value) in entries {
                node(key, out);
                node(value, out);
            }
            out.push("-MAP".into());
        }
    }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('\n', "\\n")
        .replace('\t', "\\t")
        .replace('\r', "\\r")
        .replace('\u{8}', "\\b")
        .replace('\0', "\\0")
}
