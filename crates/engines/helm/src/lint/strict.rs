//! What a strict reader has against Chart.yaml: keys that come twice, and fields that nobody knows.

use std::fmt::Write as _;

use weir_gotmpl::quoted;
use weir_yaml::{Data, Dialect, Node, key_to_string};

use super::{Problem, Verdict};
use crate::chart::fields::{DEPENDENCY, MAINTAINER, METADATA};

pub(super) fn check(root: Option<&Node>) -> Verdict {
    let Some(root) = root else { return Ok(()) };
    let mut twice = Vec::new();
    duplicates(root, &mut twice);
    if let Some((first, _)) = twice.first() {
        let mut message = "error converting YAML to JSON: yaml: unmarshal errors:".to_owned();
        for (line, key) in &twice {
            // Writing to a String cannot fail.
            let _written = write!(message, "\n  line {line}: key {} already set in map", quoted(key));
        }
        return Err(Problem {
            message,
            line: Some(*first),
        });
    }
    match unknown(root, &METADATA) {
        None => Ok(()),
        Some((key, line)) => Err(Problem {
            message: format!(
                "error unmarshaling JSON: while decoding JSON: json: unknown field {}",
                quoted(&key)
            ),
            line: Some(line),
        }),
    }
}

/// Keys that their mapping has already, in the order of the text.
fn duplicates(node: &Node, twice: &mut Vec<(u32, String)>) {
    match node.data() {
        Data::Mapping(entries) => {
            let mut seen = Vec::with_capacity(entries.len());
            for (key, value) in entries {
                if let Some(name) = name_of(key) {
                    duplicates(value, twice);
                    if seen.contains(&name) {
                        twice.push((key.span().line, name));
                    } else {
                        seen.push(name);
                    }
                }
            }
        }
        Data::Sequence(items) => {
            for item in items {
                duplicates(item, twice);
            }
        }
        _ => {}
    }
}

fn name_of(key: &Node) -> Option<String> {
    key_to_string(key, Dialect::Sigs).ok()
}

/// The first field that is not known, in the order of JSON that Go writes: by key.
fn unknown(node: &Node, known: &[&str]) -> Option<(String, u32)> {
    let mut entries: Vec<(String, &Node, &Node)> = node
        .entries()?
        .iter()
        .filter_map(|(key, value)| Some((name_of(key)?, key, value)))
        .collect();
    entries.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    for (name, key, value) in entries {
        let is = |field: &&&str| field.eq_ignore_ascii_case(&name);
        let Some(field) = known.iter().find(is) else {
            return Some((name, key.span().line));
        };
        let within = match *field {
            "maintainers" => &MAINTAINER[..],
            "dependencies" => &DEPENDENCY[..],
            _ => continue,
        };
        let mut items = value.items().into_iter().flatten();
        if let Some(found) = items.find_map(|item| unknown(item, within)) {
            return Some(found);
        }
    }
    None
}
