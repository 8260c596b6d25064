//! Many texts, one after the other: the Go process answers in microseconds.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use weir_control_plane::tools;

use super::answers::Answers;
use super::compare::{Aspect, Outcome, compare};
use super::shrink::shrink;
use super::suite;
use super::texts::text;
use crate::dice::{Dice, seed_of_now};
use crate::oracle::Oracle;

/// What to compare.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many texts.
    #[arg(long, default_value_t = 20_000)]
    count: u64,
    /// The first choice of everything; a run with the same seed makes the same texts.
    #[arg(long)]
    seed: Option<u64>,
    /// Only the text of this number.
    #[arg(long)]
    only: Option<u64>,
    /// Prints the text and all answers, equal or not. With --only.
    #[arg(long)]
    show: bool,
    /// The texts of yaml-test-suite in this folder instead of generated ones.
    #[arg(long, value_name = "FOLDER")]
    suite: Option<PathBuf>,
    /// Only this: kyaml, sigs, strict, again, printed or comments.
    #[arg(long)]
    aspect: Option<String>,
    /// How many differences to print.
    #[arg(long, default_value_t = 20)]
    print: usize,
}

#[derive(Default)]
struct Count {
    same: usize,
    both_refuse: usize,
    unjudged: usize,
    lenient: usize,
    differ: usize,
}

/// Reads and writes generated texts; an error if any differ.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let program = tools::path("goyaml")?;
    if !program.is_file() {
        bail!(
            "{} is not there; `cargo xtask tools yaml` builds it",
            program.display()
        );
    }
    let seed = arguments.seed.unwrap_or_else(seed_of_now);
    let suite = arguments.suite.as_deref().map(suite::texts).transpose()?;
    let count = match &suite {
        Some(texts) => u64::try_from(texts.len())?,
        None => arguments.count,
    };
    let (first, end) = arguments.only.map_or((0, count), |only| (only, only + 1));
    println!("yaml: {} texts, --seed {seed}", end - first);
    std::panic::set_hook(Box::new(|info| eprintln!("{info}")));
    let mut oracle = Oracle::start(&program)?;
    let mut counts: BTreeMap<Aspect, Count> = BTreeMap::new();
    let mut printed = 0;
    let begun = Instant::now();
    for number in first..end {
        let text = match &suite {
            None => text(&mut Dice::new(seed, number)),
            Some(texts) => {
                let chosen = usize::try_from(number).ok().and_then(|at| texts.get(at));
                let (name, text) = chosen.context("the suite has no such text")?;
                if arguments.show {
                    println!("{name}");
                }
                text.clone()
            }
        };
        let answers = Answers::about(&mut oracle, &text)?;
        if arguments.show {
            println!("{text}\n{answers:#?}");
        }
        for aspect in Aspect::ALL {
            if arguments
                .aspect
                .as_ref()
                .is_some_and(|name| name != aspect.name())
            {
                continue;
            }
            let count = counts.entry(aspect).or_default();
            match compare(&text, &answers, aspect) {
                Outcome::Same => count.same += 1,
                Outcome::BothRefuse => count.both_refuse += 1,
                Outcome::Unjudged => count.unjudged += 1,
                Outcome::Lenient => count.lenient += 1,
                Outcome::Differ { .. } if answers.change(&mut oracle, &text)? => count.unjudged += 1,
                Outcome::Differ { .. } => {
                    count.differ += 1;
                    printed += 1;
                    if printed <= arguments.print {
                        report(&mut oracle, seed, number, &text, aspect)?;
                    }
                    // What is read differently is written differently, too.
                    break;
                }
            }
        }
        if (number + 1 - first).is_multiple_of(10_000) {
            println!(
                "  {} of {} done, {printed} differ ({} s)",
                number + 1 - first,
                end - first,
                begun.elapsed().as_secs()
            );
        }
    }
    for (aspect, count) in &counts {
        println!(
            "yaml, seed {seed}: {:8} {} the same, {} refused by both, {} differ, {} read by weir alone, {} without an answer to compare with",
            aspect.name(),
            count.same,
            count.both_refuse,
            count.differ,
            count.lenient,
            count.unjudged
        );
    }
    println!(
        "yaml: {} texts, seed {seed}: {printed} differ ({} s)",
        end - first,
        begun.elapsed().as_secs()
    );
    if printed == 0 {
        return Ok(());
    }
    bail!("{printed} texts are read or written differently")
}

fn report(oracle: &mut Oracle, seed: u64, number: u64, text: &str, aspect: Aspect) -> Result<()> {
    let small = shrink(oracle, text, aspect)?;
    println!("== text {number} differs: {}\n{small:?}\n{small}", aspect.name());
    let answers = Answers::about(oracle, &small)?;
    if let Outcome::Differ { theirs, ours } = compare(&small, &answers, aspect) {
        println!("go   {theirs:?}\nweir {ours:?}");
    }
    println!(
        "again: cargo xtask differential yaml --seed {seed} --only {number} (and --suite, if that was given)\n"
    );
    Ok(())
}
