//! Many trees, several at a time.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use weir_control_plane::tools;

use super::compare::{Answer, Outcome, compare, ours};
use super::coverage::Coverage;
use super::directory;
use super::shrink::shrink;
use super::tree::Tree;
use crate::dice::{Dice, seed_of_now};
use crate::{kept, pool};

/// What to compare.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many trees.
    #[arg(long, default_value_t = 2000)]
    count: u64,
    /// The first choice of everything; a run with the same seed makes the same trees.
    #[arg(long)]
    seed: Option<u64>,
    /// Only the tree of this number.
    #[arg(long)]
    only: Option<u64>,
    /// How many at a time; as many as there are processors by default.
    #[arg(long)]
    jobs: Option<usize>,
    /// Leaves trees that differ as large as they were found.
    #[arg(long)]
    whole: bool,
    /// Prints the tree and both answers, equal or not. With --only.
    #[arg(long)]
    show: bool,
    /// Compares a folder's own tree instead of generated ones: what was kept of a difference, or a case being written.
    #[arg(long, requires = "target")]
    folder: Option<PathBuf>,
    /// The directory in that folder to build.
    #[arg(long, requires = "folder")]
    target: Option<String>,
    /// Prints the messages of trees that both refuse.
    #[arg(long)]
    refusals: bool,
    /// Builds with weir alone: to see what the generator makes.
    #[arg(long)]
    alone: bool,
}

#[derive(Default)]
struct Counts {
    same: AtomicUsize,
    both_fail: AtomicUsize,
    crashed: AtomicUsize,
    explained: AtomicUsize,
    misprinted: AtomicUsize,
    done: AtomicUsize,
    /// What the trees that both build have reached.
    coverage: Mutex<Coverage>,
}

/// Builds generated trees with kustomize and the engine; an error if any differ.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let program = tools::path("kustomize")?;
    if !program.is_file() && !arguments.alone {
        bail!(
            "{} is not there; `cargo xtask tools kustomize` builds it",
            program.display()
        );
    }
    if let (Some(folder), Some(target)) = (&arguments.folder, &arguments.target) {
        print_outcome(&compare(&program, &Tree::read(folder, target)?)?);
        return Ok(());
    }
    let seed = arguments.seed.unwrap_or_else(seed_of_now);
    if let (Some(only), true) = (arguments.only, arguments.show) {
        return show(&program, seed, only);
    }
    let (first, end) = arguments
        .only
        .map_or((0, arguments.count), |only| (only, only + 1));
    println!("kustomize: {} trees, --seed {seed}", end - first);
    // The engine must not fall over; where it does, one line is enough.
    std::panic::set_hook(Box::new(|info| eprintln!("{info}")));
    let counts = Counts::default();
    let found: Mutex<Vec<(u64, Tree)>> = Mutex::new(Vec::new());
    let begun = Instant::now();
    pool::each(arguments.jobs, first, end, |number| {
        let tree = directory::tree(&mut Dice::new(seed, number));
        let outcome = if arguments.alone {
            alone(&tree)
        } else {
            compare(&program, &tree)?
        };
        match outcome {
            Outcome::Same => {
                if let Ok(mut coverage) = counts.coverage.lock() {
                    coverage.add(&tree);
                }
                counts.same.fetch_add(1, Ordering::Relaxed)
            }
            Outcome::Crashed => counts.crashed.fetch_add(1, Ordering::Relaxed),
            Outcome::Explained => counts.explained.fetch_add(1, Ordering::Relaxed),
            Outcome::Misprinted => counts.misprinted.fetch_add(1, Ordering::Relaxed),
            Outcome::BothFail { theirs, ours } => {
                if arguments.refusals {
                    println!("{number} kustomize: {}\n{number} weir: {ours}", theirs.trim_end());
                }
                counts.both_fail.fetch_add(1, Ordering::Relaxed)
            }
            Outcome::Differ { .. } => {
                let mut found = found.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                found.push((number, tree));
                found.len()
            }
        };
        let done = counts.done.fetch_add(1, Ordering::Relaxed) + 1;
        if done.is_multiple_of(100) {
            let different = found.lock().map_or(0, |found| found.len());
            println!(
                "  {done} of {} done, {different} differ ({} s)",
                end - first,
                begun.elapsed().as_secs()
            );
        }
        Ok(())
    })?;
    let mut found = found
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    found.sort_by_key(|(number, _)| *number);
    for (number, tree) in &found {
        report(arguments, &program, seed, *number, tree)?;
    }
    if let Ok(coverage) = counts.coverage.lock() {
        println!("trees that build, by what is in them:\n{}", coverage.table());
        let missed = coverage.missed();
        if !missed.is_empty() {
            println!("reached by none: {}", missed.join(", "));
        }
    }
    println!(
        "kustomize: {} trees, seed {seed}: {} the same, {} refused by both, {} that kustomize panics on, {} of which it cannot read its own print, {} refused by weir on purpose, {} differ ({} s)",
        counts.done.load(Ordering::Relaxed),
        counts.same.load(Ordering::Relaxed),
        counts.both_fail.load(Ordering::Relaxed),
        counts.crashed.load(Ordering::Relaxed),
        counts.misprinted.load(Ordering::Relaxed),
        counts.explained.load(Ordering::Relaxed),
        found.len(),
        begun.elapsed().as_secs()
    );
    if found.is_empty() {
        return Ok(());
    }
    bail!("{} trees are built differently", found.len())
}

/// Only weir's side, as if the other had said the same.
fn alone(tree: &Tree) -> Outcome {
    match ours(tree) {
        Ok(_) => Outcome::Same,
        Err(ours) => Outcome::BothFail {
            theirs: String::new(),
            ours,
        },
    }
}

/// Where trees that differ are kept.
fn keep(seed: u64, number: u64) -> PathBuf {
    kept::folder()
        .join("differential")
        .join(format!("kustomize-{seed}-{number}"))
}

fn report(arguments: &Arguments, program: &Path, seed: u64, number: u64, tree: &Tree) -> Result<()> {
    let small = if arguments.whole {
        tree.clone()
    } else {
        shrink(program, tree, 200)?
    };
    let folder = keep(seed, number);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| format!("cannot clear {}", folder.display()))?;
    }
    tree.write(&folder.join("tree"))?;
    small.write(&folder.join("small"))?;
    println!("== tree {number} differs");
    println!("{}", small.show());
    print_outcome(&compare(program, &small)?);
    println!("kept in {}", folder.display());
    println!("again: cargo xtask differential kustomize --seed {seed} --only {number}\n");
    Ok(())
}

fn show(program: &Path, seed: u64, number: u64) -> Result<()> {
    let tree = directory::tree(&mut Dice::new(seed, number));
    println!("{}", tree.show());
    print_outcome(&compare(program, &tree)?);
    Ok(())
}

fn print_outcome(outcome: &Outcome) {
    match outcome {
        Outcome::Same => println!("the same"),
        Outcome::Crashed => println!("kustomize panics"),
        Outcome::Misprinted => println!("kustomize cannot read its own print"),
        Outcome::Explained => println!("refused by weir on purpose"),
        Outcome::BothFail { theirs, ours } => println!("kustomize: {}\nweir: {ours}", theirs.trim_end()),
        Outcome::Differ {
            theirs: Ok(theirs),
            ours: Ok(ours),
        } => print!("{}", line_difference(theirs, ours)),
        Outcome::Differ { theirs, ours } => {
            let text = |answer: &Answer| match answer {
                Ok(text) => format!("builds:\n{text}"),
                Err(text) => format!("fails: {}", text.trim_end()),
            };
            println!("kustomize {}\nweir {}", text(theirs), text(ours));
        }
    }
}

/// The lines from the first to the last that differ, with a few around.
fn line_difference(theirs: &str, ours: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (theirs.split('\n').collect(), ours.split('\n').collect());
    let front = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let back = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let back = back.min(a.len() - front).min(b.len() - front);
    let mut text = String::new();
    let mut part = |lines: &[&str], from: usize, to: usize, mark: &str| {
        for line in lines.get(from..to).unwrap_or_default() {
            text.push_str(mark);
            text.push_str(line);
            text.push('\n');
        }
    };
    part(&a, front.saturating_sub(4), front, "  ");
    part(&a, front, a.len() - back, "k ");
    part(&b, front, b.len() - back, "w ");
    text
}
