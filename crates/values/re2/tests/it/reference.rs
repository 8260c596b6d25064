//! Recorded answers of Go 1.26's `regexp`, see tests/cases/SOURCE.

use serde_json::{Map, Value};
use weir_re2::Pattern;

#[test]
fn every_recorded_answer_of_go_holds() {
    let cases: Value = serde_json::from_str(include_str!("../cases/reference.json")).unwrap();
    let template = cases["template"].as_str().unwrap();
    let rows = cases["rows"].as_array().unwrap();
    let failed: Vec<String> = rows.iter().filter_map(|row| difference(row, template)).collect();
    println!(
        "{} of {} recorded answers hold",
        rows.len() - failed.len(),
        rows.len()
    );
    assert!(
        failed.is_empty(),
        "{} differ:\n{}",
        failed.len(),
        failed.join("\n")
    );
}

/// How weir's answer differs from the recorded one, if it does.
fn difference(row: &Value, template: &str) -> Option<String> {
    let source = row["pattern"].as_str().unwrap();
    let pattern = match (Pattern::new(source), row["error"].as_str()) {
        (Err(error), Some(message)) if error.to_string() == message => return None,
        (Ok(pattern), None) => pattern,
        (found, expected) => return Some(format!("{source:?}: {found:?}, expected {expected:?}")),
    };
    let names: Vec<String> = pattern
        .capture_names()
        .map(|name| name.unwrap_or_default().to_owned())
        .collect();
    if row["names"].is_array() && serde_json::to_value(&names).unwrap() != row["names"] {
        return Some(format!("{source:?}: names {names:?}"));
    }
    for text in row["unmatched"].as_array().into_iter().flatten() {
        let text = text.as_str().unwrap();
        if pattern.is_match(text) {
            return Some(format!("{source:?} matches {text:?}"));
        }
    }
    let empty = Map::new();
    for (text, expected) in row["matches"].as_object().unwrap_or(&empty) {
        let found = serde_json::to_value(matches(&pattern, text)).unwrap();
        if found != *expected {
            return Some(format!("{source:?} on {text:?}: {found}, expected {expected}"));
        }
        let replaced = pattern.replace_all(text, template);
        if row["replaced"][text] != replaced.as_str() {
            return Some(format!(
                "{source:?} on {text:?}: {replaced:?}, expected {}",
                row["replaced"][text]
            ));
        }
        let split = serde_json::to_value(pattern.split(text, Some(3))).unwrap();
        if row["split"][text] != split {
            return Some(format!(
                "{source:?} on {text:?}: {split}, expected {}",
                row["split"][text]
            ));
        }
    }
    None
}

/// All matches with the ends of their groups, as Go lists them.
fn matches(pattern: &Pattern, text: &str) -> Vec<Vec<i64>> {
    let ends = |found: Option<weir_re2::Match<'_>>| match found {
        Some(found) => [found.start(), found.end()].map(|end| i64::try_from(end).unwrap()),
        None => [-1, -1],
    };
    pattern
        .captures_iter(text)
        .map(|captures| captures.iter().flat_map(ends).collect())
        .collect()
}
