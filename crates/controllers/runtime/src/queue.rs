//! Whose turn it is.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use weir_apis::Object;
use weir_cluster::Mirror;

/// Namespace and name of an object of the queue's kind.
pub type Key = (String, String);

/// Keys waiting for their turn. A key is handed to one worker at a time; what is added while it is worked on
/// makes it come again afterwards, once.
#[derive(Debug, Default)]
pub struct Queue {
    state: Mutex<State>,
    changed: Notify,
    mirror: OnceLock<Weak<Mirror>>,
}

#[derive(Debug, Default)]
struct State {
    ready: VecDeque<Key>,
    queued: HashSet<Key>,
    running: HashSet<Key>,
    again: HashSet<Key>,
    timers: BTreeSet<(Instant, Key)>,
    due: HashMap<Key, Instant>,
    failures: HashMap<Key, u32>,
    adds: u64,
    closed: bool,
}

impl State {
    fn push(&mut self, key: Key, first: bool) {
        if self.running.contains(&key) {
            self.again.insert(key);
        } else if self.queued.insert(key.clone()) {
            self.adds += 1;
            if first {
                self.ready.push_front(key);
            } else {
                self.ready.push_back(key);
            }
        } else if first {
            self.ready.retain(|k| *k != key);
            self.ready.push_front(key);
        }
    }

    fn cancel_timer(&mut self, key: &Key) {
        if let Some(at) = self.due.remove(key) {
            self.timers.remove(&(at, key.clone()));
        }
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says where the objects of the keys are read.
    pub(crate) fn read_from(&self, mirror: &Arc<Mirror>) {
        // Set once: a queue belongs to one controller.
        let _already = self.mirror.set(Arc::downgrade(mirror));
    }

    /// Takes in an object as the API server has just stored it, so that its next turn does not begin with what was
    /// before: with an inventory that lacks what was applied, or without our finalizer.
    pub fn wrote(&self, object: &Object) {
        if let Some(mirror) = self.mirror.get().and_then(Weak::upgrade) {
            mirror.note(object.clone());
        }
    }

    /// Adds a key behind the others.
    pub fn add(&self, key: Key) {
        self.lock().push(key, false);
        self.changed.notify_one();
    }

    /// Adds a key before the others: a person is waiting for it.
    pub fn add_first(&self, key: Key) {
        self.lock().push(key, true);
        self.changed.notify_one();
    }

    /// Adds a key after some time. A later call for the same key replaces an earlier one.
    pub fn add_after(&self, key: Key, after: Duration) {
        let mut state = self.lock();
        state.cancel_timer(&key);
        let at = Instant::now() + after;
        state.due.insert(key.clone(), at);
        state.timers.insert((at, key));
        drop(state);
        self.changed.notify_one();
    }

    /// Adds a key after a pause that doubles with each call since [`Queue::forget_failures`].
    pub fn add_after_failure(&self, key: Key, first: Duration, longest: Duration) -> Duration {
        let failures = {
            let mut state = self.lock();
            let count = state.failures.entry(key.clone()).or_default();
            *count = count.saturating_add(1);
            *count
        };
        let pause = first
            .saturating_mul(2_u32.saturating_pow(failures - 1))
            .min(longest);
        self.add_after(key, pause);
        pause
    }

    /// The next failure is the first one again.
    pub fn forget_failures(&self, key: &Key) {
        self.lock().failures.remove(key);
    }

    /// The object is gone: forgets everything about the key.
    pub fn forget(&self, key: &Key) {
        let mut state = self.lock();
        state.failures.remove(key);
        state.cancel_timer(key);
    }

    /// The next key, when there is one. Its timer is cancelled. Call [`Queue::done`] afterwards.
    /// `None` once the queue is closed.
    pub async fn next(&self) -> Option<Key> {
        loop {
            let changed = self.changed.notified();
            let wake = {
                let mut state = self.lock();
                if state.closed {
                    return None;
                }
                let now = Instant::now();
                while let Some((at, key)) = state.timers.first().cloned() {
                    if at > now {
                        break;
                    }
                    state.timers.remove(&(at, key.clone()));
                    state.due.remove(&key);
                    state.push(key, false);
                }
                if let Some(key) = state.ready.pop_front() {
                    state.queued.remove(&key);
                    state.running.insert(key.clone());
                    state.cancel_timer(&key);
                    if !state.ready.is_empty() {
                        self.changed.notify_one();
                    }
                    return Some(key);
                }
                state.timers.first().map(|(at, _)| *at)
            };
            match wake {
                Some(at) => tokio::select! {
                    () = changed => {}
                    () = sleep_until(at) => {}
                },
                None => changed.await,
            }
        }
    }

    /// Work on a key has ended.
    pub fn done(&self, key: &Key) {
        let mut state = self.lock();
        state.running.remove(key);
        if state.again.remove(key) {
            state.push(key.clone(), false);
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Keys that wait for a turn now, those with a timer not counted.
    pub fn depth(&self) -> usize {
        self.lock().ready.len()
    }

    /// How often a key was put in line so far. One that comes again after its run counts when it does.
    pub fn adds(&self) -> u64 {
        self.lock().adds
    }

    /// Ends [`Queue::next`] for all.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_waiters();
        self.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        ("ns".into(), name.into())
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_added_while_running_comes_again_once() {
        let queue = Queue::default();
        queue.add(key("a"));
        let first = queue.next().await.unwrap();
        queue.add(key("a"));
        queue.add(key("a"));
        assert_eq!(queue.depth(), 0);
        queue.done(&first);
        assert_eq!(queue.next().await.unwrap(), key("a"));
        queue.done(&key("a"));
        assert_eq!(queue.depth(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_person_asked_for_comes_first() {
        let queue = Queue::default();
        for name in ["a", "b", "c"] {
            queue.add(key(name));
        }
        queue.add_first(key("c"));
        assert_eq!(queue.next().await.unwrap(), key("c"));
        assert_eq!(queue.next().await.unwrap(), key("a"));
    }

    #[tokio::test(start_paused = true)]
    async fn timers_are_replaced_and_cancelled_by_a_run() {
        let queue = Queue::default();
        let start = Instant::now();
        queue.add_after(key("a"), Duration::from_secs(100));
        queue.add_after(key("a"), Duration::from_secs(5));
        assert_eq!(queue.next().await.unwrap(), key("a"));
        assert_eq!(start.elapsed(), Duration::from_secs(5));
        queue.done(&key("a"));
        queue.add_after(key("b"), Duration::from_secs(500));
        assert_eq!(queue.next().await.unwrap(), key("b"));
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_double_up_to_a_limit() {
        let queue = Queue::default();
        let (first, longest) = (Duration::from_millis(750), Duration::from_secs(3));
        let pauses: Vec<u128> = (0..4)
            .map(|_| queue.add_after_failure(key("a"), first, longest).as_millis())
            .collect();
        assert_eq!(pauses, [750, 1500, 3000, 3000]);
        queue.forget_failures(&key("a"));
        assert_eq!(queue.add_after_failure(key("a"), first, longest).as_millis(), 750);
    }
}
