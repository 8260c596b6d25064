//! The order of functions in the program: those that run lie together.
//!
//! A page of the program that is needed brings the 64 KiB around it into the process. Functions that run lie scattered
//! over 38 MiB, in the order in which crates are linked, and each brings fifteen pages that nobody asked for. So the build
//! script of the program has the linker put first what the commands run that people wait for. This writes the list, of
//! what valgrind has seen them run. Where a name in it is out of date, its function lies where it would without.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::bench;

/// The list, below the checkout's root.
const LIST: &str = "crates/faces/weir/layout.txt";
/// What the list begins with.
const HEAD: &str =
    "# Functions that lie together at the front of the program. Written by `cargo xtask layout`.";
/// What a name's hash begins with, in the names that rustc gives.
const HASH: &str = "17h";
/// What LLVM's own number begins with.
const LLVM: &str = ".llvm.";
/// Instances of a generic function have one name but for the hash. All of them are named by it while that brings no more
/// than this many times the code that runs.
const OVER: u64 = 2;

/// Watches `weir`, built for release, at what it is to be fast at, and writes the list.
pub(crate) fn write(weir: Option<&Path>) -> Result<()> {
    let weir = bench::given_or_built(weir)?;
    let sizes = sizes(&weir)?;
    let folder = bench::folder("layout")?;
    let mut runs = Vec::new();
    for commands in bench::commands(folder.path())? {
        let mut seen = BTreeSet::new();
        for arguments in commands {
            println!("{}", arguments.join(" "));
            seen.extend(executed(&weir, &arguments, folder.path())?);
        }
        seen.retain(|name| sizes.contains_key(name));
        runs.push(seen);
    }
    let path = crate::root()?.join(LIST);
    std::fs::write(&path, listed(&runs, &sizes))
        .with_context(|| format!("cannot write {}", path.display()))?;
    let all: BTreeSet<&String> = runs.iter().flatten().collect();
    let bytes: u64 = all.iter().filter_map(|name| sizes.get(*name)).sum();
    println!(
        "{} functions, {} KiB: {}",
        all.len(),
        bytes / 1024,
        path.display()
    );
    Ok(())
}

/// The functions of a program by their names in it, and how many bytes each has.
fn sizes(program: &Path) -> Result<BTreeMap<String, u64>> {
    let output = Command::new("nm")
        .args(["--print-size", "--defined-only"])
        .arg(program)
        .output()
        .context("cannot run nm; it is in the package binutils")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let function = |line: &str| {
        let mut fields = line.split(' ');
        let (_, size, kind, name) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let is_code = matches!(kind, "t" | "T" | "w" | "W");
        is_code.then_some((name.to_owned(), u64::from_str_radix(size, 16).ok()?))
    };
    let sizes: BTreeMap<_, _> = text.lines().filter_map(function).collect();
    ensure!(!sizes.is_empty(), "{} has no symbols", program.display());
    Ok(sizes)
}

/// The functions that a run of the program executes.
fn executed(program: &Path, arguments: &[String], folder: &Path) -> Result<BTreeSet<String>> {
    let seen = folder.join("callgrind");
    let mut to = std::ffi::OsString::from("--callgrind-out-file=");
    to.push(&seen);
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--demangle=no", "--compress-strings=no"])
        .arg(to)
        .arg(program)
        .args(arguments)
        .env("HOME", folder)
        .output()
        .context("cannot run valgrind; it is in the package of that name")?;
    ensure!(
        output.status.success(),
        "{} failed: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    let text = std::fs::read_to_string(&seen).context("valgrind has written nothing")?;
    // A recursive function stands there once a depth, as name'2.
    let name = |line: &str| Some(line.strip_prefix("fn=")?.split('\'').next()?.to_owned());
    Ok(text.lines().filter_map(name).collect())
}

/// The names, a pattern a line: what only the first runs execute, what all do, what only the others do.
fn listed(runs: &[BTreeSet<String>], sizes: &BTreeMap<String, u64>) -> String {
    let by_stem = |names: &mut dyn Iterator<Item = (&String, &u64)>| {
        let mut sums: BTreeMap<String, u64> = BTreeMap::new();
        for (name, size) in names {
            *sums.entry(stem(name).to_owned()).or_default() += size;
        }
        sums
    };
    let all: BTreeSet<&String> = runs.iter().flatten().collect();
    let instances = by_stem(&mut sizes.iter());
    let executed = by_stem(&mut sizes.iter().filter(|(name, _)| all.contains(name)));
    let pattern = |name: &String| {
        let stem = stem(name);
        let sum = |of: &BTreeMap<String, u64>| of.get(stem).copied().unwrap_or_default();
        if stem.len() < name.len() && sum(&instances) <= OVER * sum(&executed) {
            return format!("{stem}{HASH}*");
        }
        // What LLVM appends to names that several parts of the program share changes with every build.
        match name.find(LLVM).and_then(|at| name.get(..at)) {
            Some(own) => format!("{own}*"),
            None => name.clone(),
        }
    };
    let mut patterns: BTreeMap<String, Vec<bool>> = BTreeMap::new();
    for (at, run) in runs.iter().enumerate() {
        for name in run {
            let by = patterns
                .entry(pattern(name))
                .or_insert_with(|| vec![false; runs.len()]);
            if let Some(by) = by.get_mut(at) {
                *by = true;
            }
        }
    }
    let mut groups: BTreeMap<Vec<bool>, Vec<String>> = BTreeMap::new();
    for (pattern, by) in patterns {
        groups.entry(by).or_default().push(pattern);
    }
    let together = groups.remove(&vec![true; runs.len()]);
    let mut alone: Vec<_> = groups.into_values().collect();
    let rest = alone.split_off(alone.len().min(1));
    let order = alone.into_iter().chain(together).chain(rest).flatten();
    std::iter::once(HEAD.to_owned())
        .chain(order)
        .map(|line| line + "\n")
        .collect()
}

/// A function's name without its hash.
fn stem(name: &str) -> &str {
    let hash = name.match_indices(HASH).find(|(at, _)| {
        let digits = name.get(at + HASH.len()..at + HASH.len() + 16);
        digits.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
    });
    match hash {
        Some((at, _)) => name.get(..at).unwrap_or(name),
        None => name,
    }
}
