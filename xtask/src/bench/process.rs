//! Whole processes, measured.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// How long a program is run again and again for a better figure.
const REPEAT: Duration = Duration::from_secs(3);
/// Runs of a program at most.
const RUNS: usize = 15;
/// Those for its memory.
const RUNS_FOR_MEMORY: usize = 5;

/// A folder that goes when it is dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays behind stays in the system's folder for such things.
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

/// A folder for what is measured, below the system's folder for such things.
pub(crate) fn folder(what: &str) -> Result<Folder> {
    let name = format!("weir-bench-{}-{what}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(Folder(folder))
}

/// A copy of a program in the folder, as an installation writes one. How much of a program its use brings into memory depends on
/// how the program came to be in the page cache: where it was read from the disk, or a linker wrote it here and there, the
/// kernel may map megabytes for a byte that is needed (ext4 since Linux 6.16).
pub(super) fn installed(program: &Path, folder: &Path) -> Result<PathBuf> {
    let name = program.file_name().context("a program has a name")?;
    let copy = folder.join(name);
    std::fs::copy(program, &copy).with_context(|| format!("cannot copy {}", program.display()))?;
    Ok(copy)
}

/// What the runs of a program took.
pub(super) struct Measured {
    pub(super) output: Vec<u8>,
    /// From the best on.
    pub(super) times: Vec<Duration>,
    /// Resident pages at most, in KiB, the median of some runs; 0 where they were not seen.
    pub(super) memory: u64,
    /// Those of them, in KiB, that are the process's own: without the program and the libraries, which all processes
    /// share and the system may drop at any time.
    pub(super) private: u64,
}

impl Measured {
    pub(super) fn best(&self) -> Duration {
        self.times.first().copied().unwrap_or_default()
    }

    pub(super) fn median(&self) -> Duration {
        self.times.get(self.times.len() / 2).copied().unwrap_or_default()
    }

    /// Best, median and peak as cells of a table.
    pub(super) fn figures(&self) -> String {
        format!(
            "{:.1} ms | {:.1} ms | {}",
            milliseconds(self.best()),
            milliseconds(self.median()),
            memory(self.memory),
        )
    }
}

impl std::fmt::Display for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "best {:.1} ms, median {:.1} ms of {}, peak {}, private {}",
            milliseconds(self.best()),
            milliseconds(self.median()),
            self.times.len(),
            memory(self.memory),
            memory(self.private),
        )
    }
}

pub(super) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

pub(super) fn mebibytes(kib: u64) -> f64 {
    f64::from(u32::try_from(kib).unwrap_or(u32::MAX)) / 1024.0
}

/// Memory as a person reads it; that of a program whose whole output fits into a pipe may have been missed.
pub(super) fn memory(kib: u64) -> String {
    match kib {
        0 => "not seen".to_owned(),
        kib => format!("{:.1} MiB", mebibytes(kib)),
    }
}

/// Runs a program until there is a figure to rely on. The first runs are for the memory, the others for the time.
pub(super) fn measure(command: impl Fn() -> Command) -> Result<Measured> {
    let begun = Instant::now();
    let (first, output) = peak_of(command())?;
    let mut peaks = vec![first];
    while begun.elapsed() < REPEAT && peaks.len() < RUNS_FOR_MEMORY {
        peaks.push(peak_of(command())?.0);
    }
    peaks.sort_unstable();
    let (memory, private) = peaks.get(peaks.len() / 2).copied().unwrap_or_default();
    let begun = Instant::now();
    let mut measured = Measured {
        output,
        times: Vec::new(),
        memory,
        private,
    };
    while measured.times.is_empty() || (begun.elapsed() < REPEAT && measured.times.len() < RUNS) {
        let (output, time) = once(command())?;
        ensure!(output == measured.output, "two runs print different things");
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

/// Runs a program: its memory at most, in KiB, all and private, and its output. The kernel is asked for the memory whenever a part of the
/// output was read: the program waits for somebody to read more, unless it is at its end.
fn peak_of(mut command: Command) -> Result<((u64, u64), Vec<u8>)> {
    let mut child = start(&mut command)?;
    let (mut memory, mut private) = (0, 0);
    let (mut output, mut part) = (Vec::new(), vec![0; 1 << 14]);
    loop {
        let read = child.1.read(&mut part)?;
        let seen = resident(child.0.id());
        memory = memory.max(seen.0);
        private = private.max(seen.1);
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
    Ok(((memory, private), output))
}

fn start(command: &mut Command) -> Result<(Child, ChildStdout)> {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot run {}", command.get_program().display()))?;
    let pipe = child.stdout.take().context("the program has no output")?;
    Ok((child, pipe))
}

/// Resident pages of a process, in KiB: at most so far, and those that are its own now; 0 where the kernel does not tell.
fn resident(process: u32) -> (u64, u64) {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok())
            .unwrap_or_default()
    };
    (field("VmHWM:"), field("RssAnon:"))
}
