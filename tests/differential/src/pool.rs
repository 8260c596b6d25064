//! Many inputs, several at a time.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, anyhow};

/// Does `work` for each number from `first` up to `end`, by so many threads; as many as there are processors by default. The
/// first error of a thread ends that thread, and in the end the whole.
pub(crate) fn each(
    jobs: Option<usize>,
    first: u64,
    end: u64,
    work: impl Fn(u64) -> Result<()> + Sync,
) -> Result<()> {
    let processors = || {
        std::thread::available_parallelism()
            .ok()
            .map(std::num::NonZero::get)
    };
    let jobs = jobs.or_else(processors).unwrap_or(2);
    let next = AtomicU64::new(first);
    let worker = || -> Result<()> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= end {
                return Ok(());
            }
            work(number)?;
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(worker)).collect();
        for worker in workers {
            worker.join().map_err(|_| anyhow!("a worker panicked"))??;
        }
        Ok(())
    })
}
