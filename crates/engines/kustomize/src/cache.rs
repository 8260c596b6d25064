//! What builds may share: parsed files, by their content.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use weir_yaml::{Data, Node};

use crate::error::Result;

/// Parsed files that several builds share.
///
/// The caller owns it and decides which builds see it. A file is known by the SHA-256 of its content
/// alone, so it does not matter from which tree, path or revision it comes, and nothing in here can
/// be out of date. What was used least recently goes when the bound is reached.
#[derive(Debug)]
pub struct Cache {
    /// Bytes, estimated.
    bound: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    files: HashMap<Key, Entry>,
    /// Keys by the time of their last use.
    order: BTreeMap<u64, Key>,
    clock: u64,
    size: usize,
    hits: u64,
}

type Key = [u8; 32];

#[derive(Debug)]
struct Entry {
    objects: Arc<[Node]>,
    size: usize,
    used: u64,
}

impl Cache {
    /// An empty cache that keeps trees of about so many bytes.
    pub fn new(bound: usize) -> Self {
        Self {
            bound,
            inner: Mutex::default(),
        }
    }

    /// Bytes in use, estimated; never more than the bound.
    pub fn size(&self) -> usize {
        self.lock().size
    }

    /// How many files did not have to be parsed.
    pub fn hits(&self) -> u64 {
        self.lock().hits
    }

    /// The objects of a file, parsed by `parse` if its content is not known. Failures are not kept.
    pub(crate) fn objects(
        &self,
        content: &[u8],
        parse: impl FnOnce(&[u8]) -> Result<Vec<Node>>,
    ) -> Result<Vec<Node>> {
        let key = digest(content);
        if let Some(known) = self.lock().get(&key) {
            return Ok(known.to_vec());
        }
        let objects = parse(content)?;
        let size = objects.iter().map(size).sum::<usize>() + size_of::<Entry>();
        // Half of the bound for one file would push out everything else.
        if size <= self.bound / 2 {
            let objects = objects.clone().into();
            self.lock().put(key, objects, size, self.bound);
        }
        Ok(objects)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // The lock is never held where something could panic half-way through a change.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn get(&mut self, key: &Key) -> Option<Arc<[Node]>> {
        let entry = self.files.get_mut(key)?;
        self.clock += 1;
        self.order.remove(&entry.used);
        entry.used = self.clock;
        self.order.insert(self.clock, *key);
        self.hits += 1;
        Some(Arc::clone(&entry.objects))
    }

    fn put(&mut self, key: Key, objects: Arc<[Node]>, size: usize, bound: usize) {
        if self.files.contains_key(&key) {
            // Another build was faster.
            return;
        }
        while self.size + size > bound {
            let Some((_, oldest)) = self.order.pop_first() else {
                break;
            };
            if let Some(gone) = self.files.remove(&oldest) {
                self.size -= gone.size;
            }
        }
        self.clock += 1;
        self.size += size;
        self.order.insert(self.clock, key);
        let used = self.clock;
        self.files.insert(key, Entry { objects, size, used });
    }
}

fn digest(content: &[u8]) -> Key {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, content);
    let mut key = Key::default();
    for (to, from) in key.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    key
}

/// Bytes that a tree takes, without what the allocator adds.
fn size(node: &Node) -> usize {
    let comments = node
        .comments()
        .map_or(0, |c| c.head.len() + c.line.len() + c.foot.len());
    let inner = match node.data() {
        Data::Scalar(text) => text.len(),
        Data::Alias(name) => name.len(),
        Data::Sequence(items) => items.iter().map(size).sum(),
        Data::Mapping(entries) => entries.iter().map(|(key, value)| size(key) + size(value)).sum(),
    };
    size_of::<Node>() + comments + inner
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load;

    fn file(number: usize) -> Vec<u8> {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c-{number}}}\n").into_bytes()
    }

    fn put(cache: &Cache, number: usize) {
        cache.objects(&file(number), load::objects).unwrap();
    }

    #[test]
    fn what_was_used_least_recently_goes_at_the_bound() {
        let probe = Cache::new(usize::MAX);
        put(&probe, 0);
        let cache = Cache::new(probe.size() * 3);
        for number in [0, 1, 2, 0, 3] {
            put(&cache, number);
        }
        assert_eq!((cache.hits(), cache.size()), (1, probe.size() * 3));
        put(&cache, 0);
        assert_eq!(cache.hits(), 2, "the first was used again, so the second went");
        put(&cache, 1);
        assert_eq!(cache.hits(), 2);
    }

    #[test]
    fn what_does_not_parse_and_what_is_too_large_is_not_kept() {
        let cache = Cache::new(100);
        assert!(cache.objects(b"a: [", load::objects).is_err());
        put(&cache, 0);
        assert_eq!(cache.size(), 0);
    }
}
