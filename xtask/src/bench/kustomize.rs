//! `weir kustomize build` against kustomize, whole processes in the same run.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use weir_control_plane::tools;

use super::trees;

/// Deployments up to which kustomize is run where nothing else is asked for: it takes minutes for more.
const REFERENCE: usize = 1000;
/// How long a program is run again and again for a better figure.
const REPEAT: Duration = Duration::from_secs(3);
/// Runs of a program at most.
const RUNS: usize = 15;

/// Builds an overlay of each size with both programs, and prints what they took.
pub(super) fn run(sizes: &[usize], all: bool, weir: &Path) -> Result<()> {
    let kustomize = tools::path("kustomize")?;
    let mut rows = Vec::new();
    for &deployments in sizes {
        println!("{deployments} Deployments");
        let folder = tempdir(deployments)?;
        let overlay = trees::overlay(&folder.0, deployments)?;
        let ours = measure(|| {
            let mut command = Command::new(weir);
            command.args(["kustomize", "build"]).arg(&overlay);
            command
        })?;
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
            "best {:.1} ms, median {:.1} ms of {}, peak {:.1} MiB",
            milliseconds(self.best()),
            milliseconds(self.median()),
            self.times.len(),
            mebibytes(self.memory),
        )
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn mebibytes(kib: u64) -> f64 {
    f64::from(u32::try_from(kib).unwrap_or(u32::MAX)) / 1024.0
}

/// Runs a program until there is a figure to rely on.
fn measure(command: impl Fn() -> Command) -> Result<Measured> {
    let begun = Instant::now();
    let mut measured = Measured {
        output: Vec::new(),
        times: Vec::new(),
        memory: 0,
    };
    while measured.times.is_empty() || (begun.elapsed() < REPEAT && measured.times.len() < RUNS) {
        let (output, time, memory) = once(command())?;
        measured.output = output;
        measured.times.push(time);
        measured.memory = measured.memory.max(memory);
    }
    measured.times.sort();
    Ok(measured)
}

/// Runs a program and waits for its end. Both programs print when all is done, and more than a pipe holds: so they wait,
/// at their largest, until somebody reads, and then the kernel can be asked for their memory.
fn once(mut command: Command) -> Result<(Vec<u8>, Duration, u64)> {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let begun = Instant::now();
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot run {}", command.get_program().display()))?;
    let mut pipe = child.stdout.take().context("the program has no output")?;
    let mut output = vec![0];
    let read = pipe.read(&mut output)?;
    output.truncate(read);
    let memory = peak(child.id());
    pipe.read_to_end(&mut output)?;
    let status = child.wait()?;
    let time = begun.elapsed();
    if !status.success() {
        bail!("{} failed: {status}", command.get_program().display());
    }
    Ok((output, time, memory.unwrap_or_default()))
}

/// Resident pages of a process at most so far, in KiB; nothing where the kernel does not tell.
fn peak(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn table(rows: &[(usize, Measured, Option<Measured>)]) -> String {
    let mut lines = vec![
        "| Deployments | weir best | median | peak | kustomize best | median | peak | times faster | share of memory |"
            .to_owned(),
        "|---|---|---|---|---|---|---|---|---|".to_owned(),
    ];
    for (deployments, ours, theirs) in rows {
        let own = figures(ours);
        let (reference, faster, share) = match theirs {
            Some(theirs) => (
                figures(theirs),
                format!(
                    "{:.1}",
                    theirs.median().as_secs_f64() / ours.median().as_secs_f64()
                ),
                format!(
                    "{:.0} %",
                    100.0 * mebibytes(ours.memory) / mebibytes(theirs.memory)
                ),
            ),
            None => (" | | ".to_owned(), String::new(), String::new()),
        };
        lines.push(format!(
            "| {deployments} | {own} | {reference} | {faster} | {share} |"
        ));
    }
    lines.join("\n")
}

fn figures(measured: &Measured) -> String {
    format!(
        "{:.1} ms | {:.1} ms | {:.1} MiB",
        milliseconds(measured.best()),
        milliseconds(measured.median()),
        mebibytes(measured.memory)
    )
}
