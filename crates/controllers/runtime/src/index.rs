//! Which objects of a controller's kind refer to what, so that a change of what they refer to wakes them.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use weir_apis::Object;
use weir_cluster::mirror::Change;

use crate::Key;

/// Objects by what they refer to.
#[derive(Debug)]
pub struct Index<T> {
    refers_to: fn(&Object) -> BTreeSet<T>,
    users: Mutex<HashMap<T, BTreeSet<Key>>>,
}

impl<T: Clone + Ord + Hash> Index<T> {
    /// An empty index; `refers_to` reads what an object refers to.
    pub fn new(refers_to: fn(&Object) -> BTreeSet<T>) -> Self {
        Self {
            refers_to,
            users: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<T, BTreeSet<Key>>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in a change of one of the controller's objects.
    pub fn notice(&self, change: &Change) {
        let (old, new) = (change.old.as_deref(), change.new.as_deref());
        let Some(object) = new.or(old) else { return };
        let read = |object: Option<&Object>| object.map(self.refers_to).unwrap_or_default();
        let (before, after) = (read(old), read(new));
        if before == after {
            return;
        }
        let own = (object.namespace().to_owned(), object.name().to_owned());
        let mut users = self.lock();
        for gone in before.difference(&after) {
            if let Some(keys) = users.get_mut(gone) {
                keys.remove(&own);
                if keys.is_empty() {
                    users.remove(gone);
                }
            }
        }
        for added in after.difference(&before) {
            users.entry(added.clone()).or_default().insert(own.clone());
        }
    }

    /// Those that refer to `target`.
    pub fn users(&self, target: &T) -> Vec<Key> {
        self.lock().get(target).into_iter().flatten().cloned().collect()
    }
}
