//! `helm lint` and `weir helm lint` of the same charts with the same options: generated charts with faults, and the charts
//! that people run.
//!
//! Equal is: the same text on standard output, the same summary, the same exit code. Findings whose words are not the same
//! are counted apart; they pass if all findings of both are of the same severity about the same path in the same order, and
//! those that differ are: what readers of YAML and of JSON say of broken text and of schemas that are none, lists and
//! findings of a schema that Go prints in the order of a map, and values in these, which weir does not show.

mod addresses;
mod alike;
mod faults;
mod schemas;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use weir_cli::{Exit, Io};

use self::alike::{Verdict, judge};
use super::chart::Release;
use super::run::{Arguments, sort_of};
use super::shrink::shrink;
use crate::dice::Dice;
use crate::pool;

/// How often helm is asked again before its answer counts as another: some of it hangs on the order of Go's maps.
const AGAIN: usize = 5;

/// What a linter printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// Standard output.
    pub(super) out: String,
    /// The error, which is the summary where a chart has failed.
    pub(super) error: String,
    pub(super) success: bool,
}

#[derive(Default)]
struct Count {
    same: usize,
    findings: usize,
    /// Sorts of messages, and how often each came.
    sorts: BTreeMap<String, usize>,
    words: BTreeMap<String, (String, String)>,
    other_words: usize,
    differ: Vec<(u64, Release)>,
}

impl Count {
    fn add(&mut self, verdict: &Verdict, theirs: &Said) {
        for line in theirs.out.lines().filter(|line| line.starts_with('[')) {
            self.findings += 1;
            let message = line.split_once(": ").map_or(line, |(_, message)| message);
            *self.sorts.entry(sort_of(message)).or_default() += 1;
        }
        match verdict {
            Verdict::Same => self.same += 1,
            Verdict::Words(theirs, ours) => {
                self.other_words += 1;
                self.words
                    .entry(sort_of(theirs))
                    .or_insert_with(|| (theirs.clone(), ours.clone()));
            }
            Verdict::Differ => {}
        }
    }
}

/// Lints generated charts with both; how many differ.
pub(super) fn run(arguments: &Arguments, program: &Path, seed: u64) -> Result<usize> {
    let (first, end) = arguments
        .only_lint
        .map_or((0, arguments.lints), |only| (only, only + 1));
    println!("helm: {} charts to lint, --seed {seed}", end - first);
    let begun = Instant::now();
    let count = Mutex::new(Count::default());
    pool::each(arguments.jobs, first, end, |number| {
        let release = faults::release(&mut Dice::new(seed, number));
        let (verdict, theirs, ours) = compare(program, &release)?;
        if arguments.show {
            println!("{}", release.show());
            print(&theirs, &ours);
        }
        let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
        count.add(&verdict, &theirs);
        if verdict == Verdict::Differ {
            count.differ.push((number, release));
        }
        if (number + 1 - first).is_multiple_of(500) {
            println!(
                "  {} of {} done, {} differ ({} s)",
                number + 1 - first,
                end - first,
                count.differ.len(),
                begun.elapsed().as_secs()
            );
        }
        Ok(())
    })?;
    let mut count = count.into_inner().unwrap_or_else(PoisonError::into_inner);
    count.differ.sort_by_key(|(number, _)| *number);
    for (number, release) in count.differ.iter().take(arguments.print) {
        report(program, seed, *number, release)?;
    }
    if arguments.messages {
        for (message, times) in &count.sorts {
            println!("{times:>7}  {message}");
        }
        for (theirs, ours) in count.words.values() {
            println!("-- other words\nhelm {theirs}\nweir {ours}");
        }
    }
    println!(
        "helm: {} charts linted, seed {seed}: {} findings of {} sorts; {} the same, {} but for the words of readers and schemas \
         ({} sorts), {} differ ({} s)",
        end - first,
        count.findings,
        count.sorts.len(),
        count.same,
        count.other_words,
        count.words.len(),
        count.differ.len(),
        begun.elapsed().as_secs()
    );
    Ok(count.differ.len())
}

/// Lints the charts of the fleet, and folders of charts named by WEIR_CHARTS; how many differ.
pub(super) fn fleet(arguments: &Arguments, program: &Path, archives: &[PathBuf]) -> Result<usize> {
    let mut paths = archives.to_vec();
    if let Some(folder) = std::env::var_os("WEIR_CHARTS") {
        charts_below(Path::new(&folder), &mut paths)?;
    }
    let count = Mutex::new((Count::default(), Vec::new()));
    let end = u64::try_from(paths.len())?;
    pool::each(arguments.jobs, 0, end, |number| {
        let Some(path) = paths.get(usize::try_from(number)?) else {
            return Ok(());
        };
        let path = path.to_string_lossy().into_owned();
        let command = ["lint", &path, "--with-subcharts"].map(str::to_owned);
        let home = tempfile::tempdir().context("no temporary folder")?;
        let (verdict, theirs, ours) = both(program, home.path(), &command)?;
        let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
        count.0.add(&verdict, &theirs);
        if verdict == Verdict::Differ {
            count.1.push((path, theirs, ours));
        }
        Ok(())
    })?;
    let (count, differ) = count.into_inner().unwrap_or_else(PoisonError::into_inner);
    for (path, theirs, ours) in differ.iter().take(arguments.print) {
        println!("== lint of {path} differs");
        print(theirs, ours);
    }
    println!(
        "helm: {} charts of people linted: {} findings; {} the same, {} but for words, {} differ",
        paths.len(),
        count.findings,
        count.same,
        count.other_words,
        differ.len()
    );
    Ok(differ.len())
}

/// Folders with a Chart.yaml, but for those within others.
fn charts_below(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    if folder.join("Chart.yaml").is_file() {
        found.push(folder.to_owned());
        return Ok(());
    }
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            charts_below(&path, found)?;
        }
    }
    Ok(())
}

/// Runs both in a folder of their own.
fn compare(program: &Path, release: &Release) -> Result<(Verdict, Said, Said)> {
    let folder = tempfile::tempdir().context("no temporary folder")?;
    release.write(folder.path())?;
    if release
        .arguments
        .iter()
        .any(|argument| argument.ends_with("chart.tgz"))
    {
        pack(folder.path())?;
    }
    let place = folder.path().to_string_lossy();
    let arguments: Vec<String> = ["lint".to_owned()]
        .into_iter()
        .chain(
            release
                .arguments
                .iter()
                .map(|argument| argument.replace("{}", &place)),
        )
        .collect();
    both(program, folder.path(), &arguments)
}

/// An archive of the chart beside its folder.
fn pack(folder: &Path) -> Result<()> {
    let status = Command::new("tar")
        .arg("-C")
        .arg(folder)
        .args(["--sort=name", "-czf"])
        .arg(folder.join("chart.tgz"))
        .arg("chart")
        .status()
        .context("cannot run tar")?;
    ensure!(status.success(), "tar failed");
    Ok(())
}

fn both(program: &Path, home: &Path, arguments: &[String]) -> Result<(Verdict, Said, Said)> {
    let ours = ours(arguments)?;
    let mut said = theirs(program, home, arguments)?;
    let mut verdict = judge(&said, &ours);
    for _ in 0..AGAIN {
        if verdict != Verdict::Differ {
            break;
        }
        said = theirs(program, home, arguments)?;
        verdict = judge(&said, &ours);
    }
    Ok((verdict, said, ours))
}

fn theirs(program: &Path, home: &Path, arguments: &[String]) -> Result<Said> {
    let output = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("HOME", home.join("home"))
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let error = text(&output.stderr);
    let error = error.lines().rfind(|line| line.starts_with("Error: "));
    Ok(Said {
        out: alike::without_unpacked(&text(&output.stdout)),
        error: error.unwrap_or_default().trim_start_matches("Error: ").to_owned(),
        success: output.status.success(),
    })
}

fn ours(arguments: &[String]) -> Result<Said> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (io, printed) = Io::captured();
    let mut io = io.with_clock(Arc::new(jiff::Timestamp::now));
    let arguments = ["weir", "helm"]
        .map(str::to_owned)
        .into_iter()
        .chain(arguments.iter().cloned());
    let run = std::panic::AssertUnwindSafe(|| runtime.block_on(weir_cli::run(arguments, &mut io)));
    let Ok(exit) = std::panic::catch_unwind(run) else {
        return Ok(Said {
            out: "PANIC".to_owned(),
            error: String::new(),
            success: false,
        });
    };
    let error = printed.stderr();
    let error = error.lines().rfind(|line| line.starts_with("error: "));
    Ok(Said {
        out: printed.stdout(),
        error: error.unwrap_or_default().trim_start_matches("error: ").to_owned(),
        success: exit == Exit::Success,
    })
}

fn report(program: &Path, seed: u64, number: u64, release: &Release) -> Result<()> {
    let files = shrink(&release.files, 120, false, |files| {
        let smaller = Release {
            files: files.clone(),
            ..release.clone()
        };
        Ok(compare(program, &smaller)?.0 == Verdict::Differ)
    })?;
    let small = Release {
        files,
        ..release.clone()
    };
    println!("== lint {number} differs\n{}", small.show());
    let (_, theirs, ours) = compare(program, &small)?;
    print(&theirs, &ours);
    println!("again: cargo xtask differential helm --seed {seed} --only-lint {number}\n");
    Ok(())
}

/// The lines that one has and the other has not.
fn print(theirs: &Said, ours: &Said) {
    let lines = |said: &Said| -> Vec<String> {
        let end = format!("{} ({})", said.error, said.success);
        said.out.lines().map(str::to_owned).chain([end]).collect()
    };
    let (theirs, ours) = (lines(theirs), lines(ours));
    for line in theirs.iter().filter(|line| !ours.contains(line)) {
        println!("helm {line}");
    }
    for line in ours.iter().filter(|line| !theirs.contains(line)) {
        println!("weir {line}");
    }
    if theirs == ours {
        println!("the same:\n{}", theirs.join("\n"));
    }
}
