//! What an action tells while it works: a few lines, the last of which end up in failure events.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::Value;
use weir_redact::Mask;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When it was told first.
    pub at: Timestamp,
    /// What was told, in Helm's words: `creating resource(s): {"resources":3}`.
    pub text: String,
    /// When it was told last, and how often after the first time.
    pub again: Option<(Timestamp, u32)>,
}

impl fmt::Display for Line {
    /// As helm-controller prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.text)?;
        if let Some((last, count)) = self.again {
            write!(f, "\n{last}: {}", self.text)?;
            if count > 1 {
                write!(f, " ({} duplicate lines omitted)", count - 1)?;
            }
        }
        Ok(())
    }
}

/// The last lines that were told, secrets masked.
pub struct Log {
    keep: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    lines: VecDeque<Line>,
    mask: Mask,
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log")
            .field("keep", &self.keep)
            .finish_non_exhaustive()
    }
}

impl Log {
    /// A log that keeps the last `keep` lines. What `mask` knows is hidden in lines and in errors; values of Secrets in
    /// manifests are added by themselves.
    pub fn new(keep: usize, mask: Mask) -> Self {
        Self {
            keep,
            inner: Mutex::new(Inner {
                lines: VecDeque::new(),
                mask,
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lines, the oldest first.
    pub fn lines(&self) -> Vec<Line> {
        self.lock().lines.iter().cloned().collect()
    }

    /// A text with what is secret hidden.
    pub fn mask(&self, text: &str) -> String {
        self.lock().mask.apply(text).into_owned()
    }

    /// Learns secrets.
    pub(crate) fn learn(&self, teach: impl FnOnce(&mut Mask)) {
        teach(&mut self.lock().mask);
    }

    /// Tells something. `about` is an object of details.
    pub(crate) fn tell(&self, now: Timestamp, text: &str, about: &Value) {
        let mut inner = self.lock();
        let text = inner.mask.apply(&format!("{text}: {about}")).into_owned();
        tracing::debug!(target: "weir_releases", "{text}");
        if let Some(last) = inner.lines.back_mut()
            && last.text == text
        {
            last.again = Some((now, last.again.map_or(1, |(_, count)| count + 1)));
            return;
        }
        let again = None;
        inner.lines.push_back(Line { at: now, text, again });
        while inner.lines.len() > self.keep {
            inner.lines.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn n56_the_last_lines_stay_and_secrets_do_not_show() {
        let log = Log::new(2, ["hunter2-long"].into_iter().collect());
        let now = Timestamp::UNIX_EPOCH;
        log.tell(now, "first", &json!({}));
        log.tell(now, "second", &json!({"error": "bad hunter2-long"}));
        for _ in 0..3 {
            log.tell(now, "third", &json!({"n": 1}));
        }
        let lines: Vec<String> = log.lines().iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "1970-01-01T00:00:00Z: second: {\"error\":\"bad *****\"}",
                "1970-01-01T00:00:00Z: third: {\"n\":1}\n1970-01-01T00:00:00Z: third: {\"n\":1} (1 duplicate lines omitted)",
            ]
        );
    }
}
