//! Many templates, then many charts, then charts to lint, then D2's charts.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Result, bail};
use weir_control_plane::tools;

use super::charts;
use super::coverage::Coverage;
use super::engine::{Outcome, compare};
use super::fleet;
use super::lint;
use super::shrink::shrink;
use super::template::{Case, case};
use crate::dice::{Dice, seed_of_now};
use crate::oracle::{Answer, Oracle};

/// What to compare.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many templates.
    #[arg(long, default_value_t = 20_000)]
    pub(super) templates: u64,
    /// How many charts.
    #[arg(long, default_value_t = 2_000)]
    pub(super) charts: u64,
    /// How many sets of generated values each chart of the fleet gets; none leaves the fleet out.
    #[arg(long, default_value_t = 10)]
    pub(super) fleet: u64,
    /// The first choice of everything; a run with the same seed makes the same inputs.
    #[arg(long)]
    seed: Option<u64>,
    /// Only the template of this number.
    #[arg(long)]
    only_template: Option<u64>,
    /// Only the chart of this number.
    #[arg(long)]
    pub(super) only_chart: Option<u64>,
    /// How many charts with faults to lint.
    #[arg(long, default_value_t = 2_000)]
    pub(super) lints: u64,
    /// Only the chart to lint of this number.
    #[arg(long)]
    pub(super) only_lint: Option<u64>,
    /// How many charts at a time; as many as there are processors by default.
    #[arg(long)]
    pub(super) jobs: Option<usize>,
    /// Prints the input and both answers, equal or not. With --only-….
    #[arg(long)]
    pub(super) show: bool,
    /// How many differences to print.
    #[arg(long, default_value_t = 20)]
    pub(super) print: usize,
    /// Prints how often each message came, with numbers and names left out.
    #[arg(long)]
    pub(super) messages: bool,
}

#[derive(Default)]
struct Count {
    same: usize,
    both_fail: usize,
    words: usize,
    bounded: usize,
    unanswered: usize,
    differ: usize,
}

/// Renders generated inputs with both; an error if any differ.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let program = tools::path("gohelm")?;
    if !program.is_file() {
        bail!(
            "{} is not there; `cargo xtask tools helm` builds it",
            program.display()
        );
    }
    let seed = arguments.seed.unwrap_or_else(seed_of_now);
    // The engine must not fall over; where it does, one line is enough.
    std::panic::set_hook(Box::new(|info| eprintln!("{info}")));
    let mut oracle = Oracle::start(&program)?;
    let is_one =
        arguments.only_template.is_some() || arguments.only_chart.is_some() || arguments.only_lint.is_some();
    let mut differ = 0;
    if arguments.only_template.is_some() || (!is_one && arguments.templates > 0) {
        differ += templates(arguments, &mut oracle, seed)?;
    }
    drop(oracle);
    let helm = tools::path("helm")?;
    if arguments.only_chart.is_some() || (!is_one && arguments.charts > 0) {
        differ += charts::run(arguments, &helm, seed)?;
    }
    if arguments.only_lint.is_some() || (!is_one && arguments.lints > 0) {
        differ += lint::run(arguments, &helm, seed)?;
    }
    if !is_one && arguments.fleet > 0 {
        differ += fleet::run(arguments, &helm, seed)?;
    }
    if differ == 0 {
        return Ok(());
    }
    bail!("{differ} are rendered or linted differently")
}

fn templates(arguments: &Arguments, oracle: &mut Oracle, seed: u64) -> Result<usize> {
    let (first, end) = arguments
        .only_template
        .map_or((0, arguments.templates), |only| (only, only + 1));
    println!("helm: {} templates, --seed {seed}", end - first);
    let begun = Instant::now();
    let mut count = Count::default();
    let mut coverage = Coverage::default();
    let mut messages: BTreeMap<String, usize> = BTreeMap::new();
    for number in first..end {
        let case = case(&mut Dice::new(seed, number));
        let outcome = compare(oracle, &case)?;
        if arguments.show {
            println!("{}", case.show());
            print(&outcome);
        }
        match &outcome {
            Outcome::Same => {
                coverage.add(&case);
                count.same += 1;
            }
            Outcome::BothFail(message) => {
                *messages.entry(sort_of(message)).or_default() += 1;
                count.both_fail += 1;
            }
            Outcome::Words => count.words += 1,
            Outcome::Bounded => count.bounded += 1,
            Outcome::Unanswered => count.unanswered += 1,
            Outcome::Differ { .. } => {
                count.differ += 1;
                if count.differ <= arguments.print {
                    report(oracle, seed, number, &case)?;
                }
            }
        }
        if (number + 1 - first).is_multiple_of(5_000) {
            println!(
                "  {} of {} done, {} differ ({} s)",
                number + 1 - first,
                end - first,
                count.differ,
                begun.elapsed().as_secs()
            );
        }
    }
    if arguments.messages {
        for (message, count) in &messages {
            println!("{count:>7}  {message}");
        }
    }
    if arguments.only_template.is_none() {
        println!(
            "functions and actions, by the templates that render:\n{}",
            coverage.table()
        );
        let missed = coverage.missed();
        if !missed.is_empty() {
            println!("reached by none: {}", missed.join(", "));
        }
    }
    println!(
        "helm: {} templates, seed {seed}: {} the same, {} refused by both in the same words ({} sorts of message), {} but for the words of readers of YAML \
         and TOML, {} stopped by weir's limits, {} that Go takes too long for, {} differ ({} s)",
        end - first,
        count.same,
        count.both_fail,
        messages.len(),
        count.words,
        count.bounded,
        count.unanswered,
        count.differ,
        begun.elapsed().as_secs()
    );
    Ok(count.differ)
}

/// A message without what is the template's own: the last part of it, quoted text and numbers left out.
pub(super) fn sort_of(message: &str) -> String {
    let last = message.lines().last().unwrap_or_default();
    let last = last.rsplit(">: ").next().unwrap_or(last);
    let mut out = String::new();
    let mut quoted = None;
    for c in last.trim().chars() {
        match quoted {
            Some(mark) if c == mark => quoted = None,
            Some(_) => continue,
            None if matches!(c, '"' | '`' | '\'') => quoted = Some(c),
            None if c.is_ascii_digit() => {
                if !out.ends_with('0') {
                    out.push('0');
                }
                continue;
            }
            None => {}
        }
        out.push(c);
    }
    out.chars().take(120).collect()
}

/// Which sort of difference it is; a smaller case must show the same sort.
fn sort(outcome: &Outcome) -> Option<(bool, bool)> {
    match outcome {
        Outcome::Differ { theirs, ours } => Some((theirs.is_ok(), ours.is_ok())),
        _ => None,
    }
}

fn report(oracle: &mut Oracle, seed: u64, number: u64, case: &Case) -> Result<()> {
    let wanted = sort(&compare(oracle, case)?);
    let files = shrink(&case.files, 600, true, |files| {
        let smaller = Case {
            files: files.clone(),
            ..case.clone()
        };
        Ok(wanted.is_some() && sort(&compare(oracle, &smaller)?) == wanted)
    })?;
    let small = Case {
        files,
        ..case.clone()
    };
    println!("== template {number} differs");
    println!("{}", small.show().split("--- values").next().unwrap_or_default());
    print(&compare(oracle, &small)?);
    println!("again: cargo xtask differential helm --seed {seed} --only-template {number}\n");
    Ok(())
}

fn print(outcome: &Outcome) {
    match outcome {
        Outcome::Same => println!("the same"),
        Outcome::Words => println!("the same but for a reader's words"),
        Outcome::Bounded => println!("stopped by weir's limits"),
        Outcome::Unanswered => println!("no answer from Go"),
        Outcome::BothFail(message) => println!("both: {message}"),
        Outcome::Differ { theirs, ours } => println!("{}", difference(theirs, ours)),
    }
}

/// The two answers around their first difference.
pub(super) fn difference(theirs: &Answer, ours: &Answer) -> String {
    let (theirs, ours) = (format!("{theirs:?}"), format!("{ours:?}"));
    let common = theirs
        .chars()
        .zip(ours.chars())
        .take_while(|(a, b)| a == b)
        .count();
    format!("go   {}\nweir {}", around(&theirs, common), around(&ours, common))
}

/// The part of a text that is around a place, and its beginning.
fn around(text: &str, at: usize) -> String {
    let (before, after) = (160, 400);
    let from = at.saturating_sub(before);
    let part: String = text.chars().skip(from).take(before + after).collect();
    if from < before {
        return text.chars().take(at + after).collect();
    }
    let start: String = text.chars().take(40).collect();
    format!("{start} … {part}")
}
