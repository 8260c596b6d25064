//! Many charts, several at a time.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::Result;

use super::chart::{Release, release};
use super::command::{Outcome, compare};
use super::run::{Arguments, difference, sort_of};
use super::shrink::shrink;
use crate::dice::Dice;
use crate::pool;

#[derive(Default)]
struct Found {
    same: usize,
    both_fail: usize,
    /// Messages that are the same, with numbers and quoted text left out.
    messages: BTreeMap<String, usize>,
    places: usize,
    differ: Vec<(u64, Release)>,
    /// Messages that are not the same word for word, and one number that has them.
    words: BTreeMap<String, (u64, String, String)>,
    /// How many of those that render had what.
    reached: BTreeMap<&'static str, usize>,
}

/// Renders generated charts with both; how many differ.
pub(super) fn run(arguments: &Arguments, program: &Path, seed: u64) -> Result<usize> {
    let (first, end) = arguments
        .only_chart
        .map_or((0, arguments.charts), |only| (only, only + 1));
    println!("helm: {} charts, --seed {seed}", end - first);
    let begun = Instant::now();
    let found = Mutex::new(Found::default());
    pool::each(arguments.jobs, first, end, |number| {
        let release = release(&mut Dice::new(seed, number));
        let outcome = compare(program, &release)?;
        if arguments.show {
            println!("{}", release.show());
            print(&outcome);
        }
        if (number + 1 - first).is_multiple_of(500) {
            println!(
                "  {} of {} done ({} s)",
                number + 1 - first,
                end - first,
                begun.elapsed().as_secs()
            );
        }
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Outcome::Same => {
                found.same += 1;
                for what in reached(&release) {
                    *found.reached.entry(what).or_default() += 1;
                }
            }
            Outcome::BothFail(message) => {
                found.both_fail += 1;
                *found.messages.entry(sort_of(&message)).or_default() += 1;
            }
            Outcome::Places { theirs, ours } => {
                found.places += 1;
                let sort = theirs
                    .lines()
                    .next()
                    .unwrap_or_default()
                    .chars()
                    .take(60)
                    .collect();
                found.words.entry(sort).or_insert((number, theirs, ours));
            }
            Outcome::Differ { .. } => found.differ.push((number, release)),
        }
        Ok(())
    })?;
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.differ.sort_by_key(|(number, _)| *number);
    for (number, release) in found.differ.iter().take(arguments.print) {
        report(program, seed, *number, release)?;
    }
    if arguments.messages {
        for (message, count) in &found.messages {
            println!("{count:>7}  {message}");
        }
        for (number, theirs, ours) in found.words.values() {
            println!("-- chart {number}: other words\nhelm {theirs}\nweir {ours}");
        }
    }
    if arguments.only_chart.is_none() {
        let reached: Vec<String> = found
            .reached
            .iter()
            .map(|(what, count)| format!("{count} {what}"))
            .collect();
        println!("charts that render, by what they have: {}", reached.join(", "));
        let missed: Vec<&str> = MARKS
            .iter()
            .map(|(what, _)| *what)
            .filter(|what| !found.reached.contains_key(what))
            .collect();
        if !missed.is_empty() {
            println!("reached by none: {}", missed.join(", "));
        }
    }
    println!(
        "helm: {} charts, seed {seed}: {} the same, {} refused by both in the same words, {} at the same places in other \
         words, {} differ ({} s)",
        end - first,
        found.same,
        found.both_fail,
        found.places,
        found.differ.len(),
        begun.elapsed().as_secs()
    );
    Ok(found.differ.len())
}

/// What charts have, and the text that shows it, in a file or an option.
const MARKS: &[(&str, &str)] = &[
    ("aliases", "alias:"),
    ("conditions", "condition:"),
    ("tags", "tags:"),
    ("imports", "import-values:"),
    ("libraries", "type: library"),
    ("old charts", "apiVersion: v1\nname"),
    ("globals", "global:"),
    ("nulls", ": null"),
    ("schemas", "\"type\": \"object\""),
    ("hooks", "helm.sh/hook:"),
    ("weights", "helm.sh/hook-weight"),
    ("policies", "helm.sh/hook-delete-policy"),
    ("versions of Kubernetes", "kubeVersion:"),
    ("definitions", "CustomResourceDefinition"),
    ("notes", "Hello {{"),
    ("ignored files", "# left out"),
    ("files", ".AsSecrets"),
    ("-f", "-f"),
    ("--set", "--set"),
    ("--set-string", "--set-string"),
    ("--set-json", "--set-json"),
    ("--set-literal", "--set-literal"),
    ("--set-file", "--set-file"),
    ("--kube-version", "--kube-version"),
    ("--api-versions", "--api-versions"),
    ("--namespace", "--namespace"),
    ("--show-only", "--show-only"),
    ("--is-upgrade", "--is-upgrade"),
    ("--include-crds", "--include-crds"),
    ("--no-hooks", "--no-hooks"),
    ("--skip-tests", "--skip-tests"),
    ("--skip-schema-validation", "--skip-schema-validation"),
];

fn reached(release: &Release) -> Vec<&'static str> {
    let has = |mark: &str| {
        release.arguments.iter().any(|argument| argument == mark)
            || !mark.starts_with('-') && release.files.values().any(|text| text.contains(mark))
    };
    MARKS
        .iter()
        .filter(|(_, mark)| has(mark))
        .map(|(what, _)| *what)
        .collect()
}

/// Which sort of difference it is; a smaller chart must show the same sort.
fn sort(outcome: &Outcome) -> Option<(Option<String>, bool)> {
    let beginning = |message: &String| message.chars().take(24).collect();
    match outcome {
        Outcome::Differ { theirs, ours } => Some((theirs.as_ref().err().map(beginning), ours.is_ok())),
        _ => None,
    }
}

fn report(program: &Path, seed: u64, number: u64, release: &Release) -> Result<()> {
    let wanted = sort(&compare(program, release)?);
    let files = shrink(&release.files, 150, false, |files| {
        let smaller = Release {
            files: files.clone(),
            ..release.clone()
        };
        Ok(wanted.is_some() && sort(&compare(program, &smaller)?) == wanted)
    })?;
    let small = Release {
        files,
        ..release.clone()
    };
    println!("== chart {number} differs\n{}", small.show());
    print(&compare(program, &small)?);
    println!("again: cargo xtask differential helm --seed {seed} --only-chart {number}\n");
    Ok(())
}

fn print(outcome: &Outcome) {
    match outcome {
        Outcome::Same => println!("the same"),
        Outcome::BothFail(message) => println!("both: {message}"),
        Outcome::Places { theirs, ours } => println!("helm {theirs}\nweir {ours}"),
        Outcome::Differ { theirs, ours } => println!("{}", difference(theirs, ours)),
    }
}
