//! Time and memory of one input.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::Input;

/// Far more than any input takes, also on a busy machine.
const HANG: Duration = Duration::from_mins(1);
/// Pages of four KiB that one input may add for as long as it is treated: a gibibyte.
const GROWTH: u64 = 1 << 18;
/// Pages that all inputs together may leave behind: 64 MiB. Allocators keep some; runs over 100,000 inputs held 8 to 13.
const LEAK: u64 = 1 << 14;

#[derive(Default)]
struct State {
    running: Option<Running>,
}

struct Running {
    since: Instant,
    /// In memory before it.
    pages: u64,
    input: Input,
}

/// Looks after the input that is being treated.
pub(super) struct Watch {
    state: Arc<Mutex<State>>,
    /// In memory before the first input.
    pages: u64,
    /// The longest that an input took.
    slowest: std::cell::Cell<Duration>,
    folder: PathBuf,
}

impl Watch {
    /// Starts to look; an input that hangs or takes too much memory is written to the folder, and the
    /// process ends.
    pub(super) fn start(folder: PathBuf) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let (shared, place) = (Arc::clone(&state), folder.clone());
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(Duration::from_millis(200));
                let state = shared.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(running) = &state.running else { continue };
                let name = if running.since.elapsed() > HANG {
                    "hang"
                } else if resident().saturating_sub(running.pages) > GROWTH {
                    "growth"
                } else {
                    continue;
                };
                write(&place, name, &running.input);
                println!(
                    "an input is in the way: {name}; kept in {}",
                    place.join(name).display()
                );
                std::process::exit(1);
            }
        });
        Self {
            state,
            pages: resident(),
            slowest: std::cell::Cell::default(),
            folder,
        }
    }

    /// An input is begun.
    pub(super) fn begin(&self, input: &Input) {
        let running = Running {
            since: Instant::now(),
            pages: resident(),
            input: input.clone(),
        };
        self.state.lock().unwrap_or_else(PoisonError::into_inner).running = Some(running);
    }

    /// It is done; an error if all of them together left much memory behind.
    pub(super) fn end(&self) -> Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(running) = state.running.take() else {
            return Ok(());
        };
        self.slowest.set(self.slowest.get().max(running.since.elapsed()));
        let left = resident().saturating_sub(self.pages);
        if left > LEAK {
            write(&self.folder, "leak", &running.input);
            bail!(
                "{} MiB more than at the start are held; the last input is kept in {}",
                left / 256,
                self.folder.join("leak").display()
            );
        }
        Ok(())
    }

    /// The longest that an input took, and the memory held, in words.
    pub(super) fn words(&self) -> String {
        format!(
            "slowest {} ms, {} MiB held",
            self.slowest.get().as_millis(),
            resident() / 256
        )
    }

    /// Nothing more is to be looked after.
    pub(super) fn rest(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).running = None;
    }
}

fn write(folder: &std::path::Path, name: &str, input: &Input) {
    for (path, content) in input {
        let path = folder.join(name).join(path.trim_start_matches('/'));
        let written = path
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(&path, content));
        if let Err(error) = written {
            println!("cannot write {}: {error}", path.display());
        }
    }
}

/// Pages in memory; 0 where the system does not say.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split(' ')
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .unwrap_or_default()
}
