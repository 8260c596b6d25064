//! What a person sees while a command waits: a line that moves, on a terminal only.

use std::pin::pin;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Work that ends sooner shows nothing: a line that flashes by is noise.
const PATIENCE: Duration = Duration::from_millis(400);

/// How often the line moves.
const TICK: Duration = Duration::from_millis(100);

/// Runs `work`; while it goes on, a terminal shows `what` and for how long it has been going on.
pub(crate) async fn shown<F: Future>(on_terminal: bool, what: &str, work: F) -> F::Output {
    let mut work = pin!(work);
    if !on_terminal {
        return work.await;
    }
    if let Ok(output) = tokio::time::timeout(PATIENCE, &mut work).await {
        return output;
    }
    let line = Line::new(what);
    let output = work.await;
    drop(line);
    output
}

/// The line, which is gone when this is dropped, also when the work is cancelled.
struct Line(ProgressBar);

impl Line {
    fn new(what: &str) -> Self {
        let bar = ProgressBar::new_spinner().with_elapsed(PATIENCE);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(TICK);
        Self(bar)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn work_is_done_once_and_its_output_comes_back() {
        for on_terminal in [false, true] {
            for pause in [Duration::ZERO, PATIENCE * 3] {
                let work = async {
                    tokio::time::sleep(pause).await;
                    7
                };
                assert_eq!(shown(on_terminal, "counting", work).await, 7);
            }
        }
    }
}
