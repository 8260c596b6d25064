//! Streams of changes.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use http_body::Frame;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use crate::body::CutError;
use crate::object;
use crate::read::Filter;
use crate::registry::Served;
use crate::request::{ApiRequest, ResourcePath};
use crate::server::Inner;
use crate::state::State;
use crate::status::{Cause, Failure};
use crate::table::Format;

/// No watch lasts longer than a year.
const MOST_SECONDS: u64 = 365 * 24 * 60 * 60;

/// A watch that is running.
pub(crate) struct Watch {
    served: Arc<Served>,
    filter: Filter,
    format: Format,
    /// Whether an event was shown already.
    shown: bool,
    /// Events up to this revision were sent or never asked for.
    seen: u64,
    queue: VecDeque<Bytes>,
    bookmarks: bool,
    bookmark_every: Duration,
    next_bookmark: Option<Instant>,
    timeout: Option<Duration>,
    deadline: Option<Instant>,
    /// Set when the stream ends after what is queued.
    done: bool,
}

impl Watch {
    /// Starts a watch, with its first events.
    pub(crate) fn start(
        state: &State,
        served: &Arc<Served>,
        path: &ResourcePath,
        request: &ApiRequest,
        format: Format,
        bookmark_every: Duration,
    ) -> Result<Self, Failure> {
        let filter = Filter::read(served, path, request)?;
        let wanted = request.param("resourceVersion");
        let initial_asked = request.flag("sendInitialEvents");
        let matching = request.param("resourceVersionMatch");
        if initial_asked && matching != "NotOlderThan" {
            let cause = Cause {
                reason: "FieldValueForbidden",
                message: "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
                    .to_owned(),
                field: "resourceVersionMatch".to_owned(),
            };
            return Err(Failure::invalid("meta.k8s.io", "ListOptions", "", &[cause]));
        }
        let newest = state.store.revision();
        let from: Option<u64> = match wanted {
            "" | "0" => None,
            text => Some(text.parse().map_err(|_| {
                Failure::unclassified(format!(
                    "resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax"
                ))
            })?),
        };
        let declined = request.param("sendInitialEvents") == "false";
        let sends_initial = initial_asked || from.is_none() && !declined;
        let mut watch = Self {
            served: Arc::clone(served),
            filter,
            format,
            shown: false,
            seen: if sends_initial {
                newest
            } else {
                from.unwrap_or(newest)
            },
            queue: VecDeque::new(),
            bookmarks: request.flag("allowWatchBookmarks"),
            bookmark_every,
            next_bookmark: None,
            timeout: request
                .param("timeoutSeconds")
                .parse()
                .ok()
                .filter(|seconds| *seconds > 0)
                .map(|seconds: u64| Duration::from_secs(seconds.min(MOST_SECONDS))),
            deadline: None,
            done: false,
        };
        if sends_initial {
            for value in state.store.all(&served.key).map(|value| served.present(value)) {
                if watch.filter.matches(&value) {
                    watch.push("ADDED", &value);
                }
            }
            if initial_asked && watch.bookmarks {
                watch.push_bookmark(newest, true);
            }
        } else if watch.seen < state.store.compacted() {
            let failure = Failure::expired(format!(
                "too old resource version: {} ({})",
                watch.seen,
                state.store.compacted()
            ));
            watch.push_raw("ERROR", &failure.status());
            watch.done = true;
        }
        Ok(watch)
    }

    /// Queues what happened since the last look.
    fn advance(&mut self, state: &State) {
        if self.done {
            return;
        }
        if self.seen < state.store.compacted() {
            let failure = Failure::expired(format!(
                "too old resource version: {} ({})",
                self.seen,
                state.store.compacted()
            ));
            self.push_raw("ERROR", &failure.status());
            self.done = true;
            return;
        }
        let changes: Vec<_> = state
            .store
            .changes_after(self.seen)
            .filter(|change| change.key == self.served.key)
            .cloned()
            .collect();
        for change in changes {
            let before = change.before.map(|value| self.served.present(&value));
            let after = change.after.map(|value| self.served.present(&value));
            let was = before.as_ref().is_some_and(|value| self.filter.matches(value));
            let is = after.as_ref().is_some_and(|value| self.filter.matches(value));
            match (was, is, before, after) {
                (false, true, _, Some(after)) => self.push("ADDED", &after),
                (true, true, _, Some(after)) => self.push("MODIFIED", &after),
                (true, false, Some(before), _) => {
                    // What is gone, or no longer selected, is shown as it was, at the revision it went.
                    let mut last = before.as_ref().clone();
                    object::set(
                        &mut last,
                        &["metadata", "resourceVersion"],
                        json!(change.revision.to_string()),
                    );
                    self.push("DELETED", &Arc::new(last));
                }
                _ => {}
            }
        }
        self.seen = self.seen.max(state.store.revision());
    }

    fn push(&mut self, kind: &str, value: &Arc<Value>) {
        let shown = self.format.show_event(&self.served, value, !self.shown);
        self.shown = true;
        self.push_raw(kind, &shown);
    }

    fn push_raw(&mut self, kind: &str, value: &Value) {
        let mut line = json!({"type": kind, "object": value}).to_string();
        line.push('\n');
        self.queue.push_back(Bytes::from(line));
    }

    fn push_bookmark(&mut self, revision: u64, ends_initial: bool) {
        let mut metadata = json!({"resourceVersion": revision.to_string()});
        if ends_initial {
            object::set(
                &mut metadata,
                &["annotations"],
                json!({"k8s.io/initial-events-end": "true"}),
            );
        }
        let bookmark = json!({"kind": self.served.resource.kind, "apiVersion": self.served.api_version(), "metadata": metadata});
        self.push_raw("BOOKMARK", &bookmark);
    }

    /// The frames of the answer's body. They end at the deadline, with the server, or after an error event.
    pub(crate) fn frames(
        mut self,
        inner: Weak<Inner>,
        changed: tokio::sync::watch::Receiver<u64>,
    ) -> impl futures::Stream<Item = Result<Frame<Bytes>, CutError>> + Send {
        self.deadline = self.timeout.map(|timeout| Instant::now() + timeout);
        self.next_bookmark = self.bookmarks.then(|| Instant::now() + self.bookmark_every);
        futures::stream::unfold(
            (self, inner, changed),
            |(mut watch, inner, mut changed)| async move {
                let line = watch.next(&inner, &mut changed).await?;
                Some((Ok(Frame::data(line)), (watch, inner, changed)))
            },
        )
    }

    async fn next(
        &mut self,
        inner: &Weak<Inner>,
        changed: &mut tokio::sync::watch::Receiver<u64>,
    ) -> Option<Bytes> {
        loop {
            if let Some(line) = self.queue.pop_front() {
                return Some(line);
            }
            if self.done {
                return None;
            }
            // Marked as seen before the look, so that a change right after it wakes the wait below.
            changed.borrow_and_update();
            inner.upgrade()?.with_state(|state| self.advance(state));
            if !self.queue.is_empty() {
                continue;
            }
            let deadline = self.deadline;
            let bookmark = self.next_bookmark;
            tokio::select! {
                result = changed.changed() => result.ok()?,
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    // The last word of a watch is where it got to.
                    if self.bookmarks {
                        self.push_bookmark(self.seen, false);
                    }
                    self.done = true;
                }
                () = sleep_until(bookmark.unwrap_or_else(Instant::now)), if bookmark.is_some() => {
                    self.next_bookmark = bookmark.map(|at| at + self.bookmark_every);
                    self.push_bookmark(self.seen, false);
                }
            }
        }
    }
}
