//! Time and memory of one input.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::Input;

/// Far more than any input takes, also on a busy machine.
const HANG: Duration = Duration::from_mins(1);
/// Pages of four KiB that one input may add: a gibibyte.
const GROWTH: u64 = 1 << 18;

#[derive(Default)]
struct State {
    running: Option<(Instant, Input)>,
}

/// Looks after the input that is being treated.
pub(super) struct Watch {
    state: Arc<Mutex<State>>,
    pages: std::cell::Cell<u64>,
    folder: PathBuf,
}

impl Watch {
    /// Starts to look; an input that hangs is written to the folder, and the process ends.
    pub(super) fn start(folder: PathBuf) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let (shared, place) = (Arc::clone(&state), folder.clone());
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(Duration::from_secs(1));
                let state = shared.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some((_, input)) = state.running.as_ref().filter(|(since, _)| since.elapsed() > HANG) {
                    write(&place, "hang", input);
                    println!("an input hangs; kept in {}", place.join("hang").display());
                    std::process::exit(1);
                }
            }
        });
        Self {
            state,
            pages: std::cell::Cell::new(resident()),
            folder,
        }
    }

    /// An input is begun.
    pub(super) fn begin(&self, input: &Input) {
        self.pages.set(resident());
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.running = Some((Instant::now(), input.clone()));
    }

    /// It is done; an error if it left much memory behind.
    pub(super) fn end(&self) -> Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let running = state.running.take();
        let grown = resident().saturating_sub(self.pages.get());
        if let Some((_, input)) = running.filter(|_| grown > GROWTH) {
            write(&self.folder, "growth", &input);
            bail!(
                "an input took {} MiB; kept in {}",
                grown / 256,
                self.folder.join("growth").display()
            );
        }
        Ok(())
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
