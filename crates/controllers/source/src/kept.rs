//! Values that need not be found again, up to a number.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// Values by what they follow from. The oldest are forgotten when there are too many.
#[derive(Debug)]
pub(crate) struct Kept<K, V> {
    most: usize,
    inner: Mutex<Inner<K, V>>,
}

#[derive(Debug)]
struct Inner<K, V> {
    values: HashMap<K, V>,
    /// In the order of their coming.
    order: VecDeque<K>,
}

impl<K: Eq + Hash + Clone, V: Clone> Kept<K, V> {
    /// Nothing yet, and at most this many later.
    pub(crate) fn new(most: usize) -> Self {
        let inner = Inner {
            values: HashMap::new(),
            order: VecDeque::new(),
        };
        Self {
            most,
            inner: Mutex::new(inner),
        }
    }

    pub(crate) fn get(&self, key: &K) -> Option<V> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.values.get(key).cloned()
    }

    pub(crate) fn put(&self, key: K, value: V) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.values.insert(key.clone(), value).is_none() {
            inner.order.push_back(key);
        }
        while inner.order.len() > self.most {
            if let Some(oldest) = inner.order.pop_front() {
                inner.values.remove(&oldest);
            }
        }
    }

    /// The value of this key, which is found where it is not there. What cannot be found is not kept.
    pub(crate) fn get_or<E>(&self, key: &K, find: impl FnOnce() -> Result<V, E>) -> Result<V, E> {
        if let Some(value) = self.get(key) {
            return Ok(value);
        }
        let value = find()?;
        self.put(key.clone(), value.clone());
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten() {
        let kept = Kept::new(2);
        for number in 0..3 {
            kept.put(number, "once");
            kept.put(number, "again");
        }
        assert_eq!(
            [kept.get(&0), kept.get(&1), kept.get(&2)],
            [None, Some("again"), Some("again")]
        );
    }

    #[test]
    fn what_cannot_be_found_is_looked_for_again() {
        let kept = Kept::new(2);
        assert_eq!(kept.get_or(&0, || Err("no")), Err("no"));
        assert_eq!(kept.get_or(&0, || Ok::<_, &str>(1)), Ok(1));
        assert_eq!(kept.get_or(&0, || Err("no")), Ok(1));
    }
}
