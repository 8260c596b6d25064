//! `weir kustomize build` against kustomize, whole processes in the same run.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use weir_control_plane::tools;

use super::trees::Tree;

/// Deployments up to which kustomize is run where nothing else is asked for: it takes minutes for more.
const REFERENCE: usize = 1000;
/// How long a program is run again and again for a better figure.
const REPEAT: Duration = Duration::from_secs(3);
/// Runs of a program at most.
const RUNS: usize = 15;

/// Builds an overlay of each size with both programs, and prints what they took.
pub(super) fn compare(sizes: &[usize], all: bool, weir: &Path) -> Result<()> {
    let kustomize = tools::path("kustomize")?;
    let mut rows = Vec::new();
    for &deployments in sizes {
        println!("{deployments} Deployments");
        let folder = tempdir(deployments)?;
        let overlay = Tree::Overlay.write(&folder.0, deployments)?;
        let ours = measure(|| ours(weir, &overlay))?;
        println!("  weir       {ours}");
        let theirs = if all || deployments <= REFERENCE {
            let theirs = measure(|| {
                let mut command = Command::new(&kustomize);
                command.arg("build").arg(&overlay);
                command
            })?;
            println!("  kustomize  {theirs}");
            ensure!(
                ours.output == theirs.output,
                "the outputs for {deployments} Deployments differ"
            );
            Some(theirs)
        } else {
            None
        };
        rows.push((deployments, ours, theirs));
    }
    println!("\n{}", table(&rows));
    Ok(())
}

/// Builds trees that have many of one thing, and prints how time and memory grow from size to size.
pub(super) fn growth(sizes: &[usize], weir: &Path) -> Result<()> {
    let mut lines = vec![
        format!(
            "| many | {} |",
            sizes
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" | ")
        ),
        format!("|---|{}", "---|".repeat(sizes.len())),
    ];
    for tree in Tree::GROWTH {
        let mut cells = Vec::new();
        let mut before: Option<Duration> = None;
        for &deployments in sizes {
            let folder = tempdir(deployments)?;
            let path = tree.write(&folder.0, deployments)?;
            let measured = measure(|| ours(weir, &path))?;
            println!("{} of {deployments}: {measured}", tree.name());
            let best = measured.best();
            let grown = before.map_or(String::new(), |before| {
                format!(" (× {:.1})", best.as_secs_f64() / before.as_secs_f64())
            });
            cells.push(format!(
                "{:.1} ms{grown}, {}",
                milliseconds(best),
                memory(measured.memory)
            ));
            before = Some(best);
        }
        lines.push(format!("| {} | {} |", tree.name(), cells.join(" | ")));
    }
    println!(
        "\nBest time (growth since the size before), peak memory\n\n{}",
        lines.join("\n")
    );
    Ok(())
}

fn ours(weir: &Path, folder: &Path) -> Command {
    let mut command = Command::new(weir);
    command.args(["kustomize", "build"]).arg(folder);
    command
}

/// A folder that goes when it is dropped.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays behind stays in the system's folder for such things.
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

fn tempdir(deployments: usize) -> Result<Folder> {
    let name = format!("weir-kustomize-bench-{}-{deployments}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(Folder(folder))
}

/// What the runs of a program took.
struct Measured {
    output: Vec<u8>,
    times: Vec<Duration>,
    /// Resident pages at most, in KiB.
    memory: u64,
}

impl Measured {
    fn best(&self) -> Duration {
        self.times.first().copied().unwrap_or_default()
    }

    fn median(&self) -> Duration {
        self.times.get(self.times.len() / 2).copied().unwrap_or_default()
    }
}

impl std::fmt::Display for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "best {:.1} ms, median {:.1} ms of {}, peak {}",
            milliseconds(self.best()),
            milliseconds(self.median()),
            self.times.len(),
            memory(self.memory),
        )
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn mebibytes(kib: u64) -> f64 {
    f64::from(u32::try_from(kib).unwrap_or(u32::MAX)) / 1024.0
}

/// Memory as a person reads it; that of a program whose whole output fits into a pipe may have been missed.
fn memory(kib: u64) -> String {
    match kib {
        0 => "not seen".to_owned(),
        kib => format!("{:.1} MiB", mebibytes(kib)),
    }
}

/// Runs a program until there is a figure to rely on. The first run is for the memory, the others for the time.
fn measure(command: impl Fn() -> Command) -> Result<Measured> {
    let (memory, output) = peak_of(command())?;
    let begun = Instant::now();
    let mut measured = Measured {
        output,
        times: Vec::new(),
        memory,
    };
    while measured.times.is_empty() || (begun.elapsed() < REPEAT && measured.times.len() < RUNS) {
        let (output, time) = once(command())?;
        ensure!(
            output == measured.output,
            "two runs on one tree print different things"
        );
        measured.times.push(time);
    }
    measured.times.sort();
    Ok(measured)
}

/// Runs a program: its output, and how long it took to its end.
fn once(mut command: Command) -> Result<(Vec<u8>, Duration)> {
    let begun = Instant::now();
    let mut child = start(&mut command)?;
    let mut output = Vec::new();
    child.1.read_to_end(&mut output)?;
    let status = child.0.wait()?;
    let time = begun.elapsed();
    ensure!(
        status.success(),
        "{} failed: {status}",
        command.get_program().display()
    );
    Ok((output, time))
}

/// Runs a program: its memory at most, in KiB, and its output. The kernel is asked for the memory whenever a part of the
/// output was read: the program waits for somebody to read more, unless it is at its end.
fn peak_of(mut command: Command) -> Result<(u64, Vec<u8>)> {
    let mut child = start(&mut command)?;
    let (mut memory, mut output, mut part) = (0, Vec::new(), vec![0; 1 << 14]);
    loop {
        let read = child.1.read(&mut part)?;
        memory = memory.max(peak(child.0.id()).unwrap_or_default());
        match part.get(..read) {
            Some(read) if !read.is_empty() => output.extend_from_slice(read),
            _ => break,
        }
    }
    let status = child.0.wait()?;
    ensure!(
        status.success(),
        "{} failed: {status}",
        command.get_program().display()
    );
    Ok((memory, output))
}

fn start(command: &mut Command) -> Result<(Child, ChildStdout)> {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot run {}", command.get_program().display()))?;
    let pipe = child.stdout.take().context("the program has no output")?;
    Ok((child, pipe))
}

/// Resident pages of a process at most so far, in KiB; nothing where the kernel does not tell.
fn peak(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn table(rows: &[(usize, Measured, Option<Measured>)]) -> String {
    let mut lines = vec![
        "| Deployments | weir best | median | peak | kustomize best | median | peak | times faster | share of memory | \
         ms a Deployment |"
            .to_owned(),
        "|---|---|---|---|---|---|---|---|---|---|".to_owned(),
    ];
    for (deployments, ours, theirs) in rows {
        let each = milliseconds(ours.best()) / f64::from(u32::try_from(*deployments).unwrap_or(u32::MAX));
        let own = figures(ours);
        let (reference, faster, share) = match theirs {
            Some(theirs) => (
                figures(theirs),
                format!(
                    "{:.1}",
                    theirs.median().as_secs_f64() / ours.median().as_secs_f64()
                ),
                if ours.memory == 0 || theirs.memory == 0 {
                    "not seen".to_owned()
                } else {
                    format!(
                        "{:.0} %",
                        100.0 * mebibytes(ours.memory) / mebibytes(theirs.memory)
                    )
                },
            ),
            None => (" | | ".to_owned(), String::new(), String::new()),
        };
        lines.push(format!(
            "| {deployments} | {own} | {reference} | {faster} | {share} | {each:.2} |"
        ));
    }
    lines.join("\n")
}

fn figures(measured: &Measured) -> String {
    format!(
        "{:.1} ms | {:.1} ms | {}",
        milliseconds(measured.best()),
        milliseconds(measured.median()),
        memory(measured.memory)
    )
}
