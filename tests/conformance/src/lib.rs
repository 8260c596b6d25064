//! The list of other projects' cases that are not met, and how outcomes are judged by it: `known.toml` beside this crate.

#![expect(clippy::print_stderr, reason = "a suite says how many of its cases are met")]

pub mod yaml_test_suite;

use std::collections::BTreeMap;

/// Judges outcomes, by the id of the case, by the list: what is not met must be listed, and the other way round.
///
/// # Panics
/// When the two differ, with all differences.
pub fn judge(suite: &str, outcomes: Vec<(String, Result<(), String>)>) {
    let mut known = known(suite);
    let (mut met, mut listed) = (0, 0);
    let mut wrong = Vec::new();
    for (id, outcome) in outcomes {
        match (outcome, known.remove(&id)) {
            (Ok(()), None) => met += 1,
            (Err(_), Some(_)) => listed += 1,
            (Ok(()), Some(_)) => wrong.push(format!("{id}: met, but listed as not met")),
            (Err(reason), None) => wrong.push(format!("{id}: {reason}")),
        }
    }
    wrong.extend(
        known
            .into_keys()
            .map(|id| format!("{id}: listed, but there is no such case")),
    );
    eprintln!(
        "{suite}: {met} met, {} not met, {listed} of them listed",
        listed + wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Cases of a suite that are listed as not met.
fn known(suite: &str) -> BTreeMap<String, String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/known.toml");
    let text = std::fs::read_to_string(path).expect("known.toml can be read");
    let mut known = BTreeMap::new();
    for block in text.split("[[case]]").skip(1) {
        let field = |name: &str| {
            block.lines().find_map(|line| {
                let (key, value) = line.split_once('=')?;
                (key.trim() == name).then(|| value.trim().trim_matches('"').to_owned())
            })
        };
        if field("suite").as_deref() == Some(suite) {
            known.insert(field("id").expect("an id"), field("reason").expect("a reason"));
        }
    }
    known
}
