//! How many requests were made.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts requests to the API server by verb and status, for the metrics endpoint, the benchmarks and the
/// tests that say "nothing was written".
#[derive(Debug, Clone, Default)]
pub struct RequestCounter(Arc<Mutex<BTreeMap<(String, u16), u64>>>);

impl RequestCounter {
    pub(crate) fn add(&self, verb: &str, code: u16) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((verb.to_owned(), code)).or_default() += 1;
    }

    /// Requests so far, by HTTP method (`WATCH` for watches) and status (0 where none came).
    pub fn counts(&self) -> BTreeMap<(String, u16), u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Requests so far.
    pub fn total(&self) -> u64 {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .sum()
    }

    /// Requests so far that may have changed something.
    pub fn writes(&self) -> u64 {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts
            .iter()
            .filter(|((verb, _), _)| !matches!(verb.as_str(), "GET" | "WATCH"))
            .map(|(_, n)| n)
            .sum()
    }
}
