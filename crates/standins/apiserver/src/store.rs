//! Objects by resource, and the log of what happened to them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::object;

/// Where objects of a resource are kept: group and plural name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) group: String,
    pub(crate) plural: String,
}

impl Key {
    pub(crate) fn new(group: &str, plural: &str) -> Self {
        Self {
            group: group.to_owned(),
            plural: plural.to_owned(),
        }
    }
}

/// Namespace (empty for cluster-scoped objects) and name.
pub(crate) type Place = (String, String);

/// Objects of one resource.
pub(crate) type Objects = BTreeMap<Place, Arc<Value>>;

/// One write: the object before and after.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) revision: u64,
    pub(crate) key: Key,
    pub(crate) before: Option<Arc<Value>>,
    /// `None` after a deletion.
    pub(crate) after: Option<Arc<Value>>,
}

/// All objects, at the newest revision, with a log that reaches back some way.
#[derive(Debug)]
pub(crate) struct Store {
    revision: u64,
    /// Changes up to this revision are no longer in the log.
    compacted: u64,
    objects: BTreeMap<Key, Objects>,
    log: VecDeque<Change>,
    log_limit: usize,
}

impl Store {
    pub(crate) fn new(log_limit: usize) -> Self {
        Self {
            revision: 1,
            compacted: 0,
            objects: BTreeMap::new(),
            log: VecDeque::new(),
            log_limit,
        }
    }

    /// The revision of the last write.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// The newest revision the log does not reach.
    pub(crate) fn compacted(&self) -> u64 {
        self.compacted
    }

    /// Forgets the log.
    pub(crate) fn compact(&mut self) {
        self.log.clear();
        self.compacted = self.revision;
    }

    pub(crate) fn get(&self, key: &Key, namespace: &str, name: &str) -> Option<&Arc<Value>> {
        self.objects
            .get(key)?
            .get(&(namespace.to_owned(), name.to_owned()))
    }

    /// Objects of a resource, in all namespaces.
    pub(crate) fn all<'a>(&'a self, key: &Key) -> impl Iterator<Item = &'a Arc<Value>> + use<'a> {
        self.objects.get(key).into_iter().flat_map(BTreeMap::values)
    }

    /// Every object of every resource.
    pub(crate) fn everything(&self) -> impl Iterator<Item = (&Key, &Place, &Arc<Value>)> {
        self.objects
            .iter()
            .flat_map(|(key, objects)| objects.iter().map(move |(place, value)| (key, place, value)))
    }

    /// The objects of a resource as they were at `revision`; `None` when the log does not reach back so far.
    pub(crate) fn snapshot(&self, key: &Key, revision: u64) -> Option<Objects> {
        if revision < self.compacted {
            return None;
        }
        let mut objects = self.objects.get(key).cloned().unwrap_or_default();
        for change in self
            .log
            .iter()
            .rev()
            .take_while(|change| change.revision > revision)
        {
            if change.key != *key {
                continue;
            }
            let Some(any) = change.before.as_ref().or(change.after.as_ref()) else {
                continue;
            };
            let place = (object::namespace(any).to_owned(), object::name(any).to_owned());
            match &change.before {
                Some(before) => objects.insert(place, Arc::clone(before)),
                None => objects.remove(&place),
            };
        }
        Some(objects)
    }

    /// Changes after `revision`, oldest first.
    pub(crate) fn changes_after(&self, revision: u64) -> impl Iterator<Item = &Change> {
        let start = self.log.partition_point(|change| change.revision <= revision);
        self.log.range(start..)
    }

    /// Writes an object under a new revision, which it then carries.
    pub(crate) fn put(&mut self, key: &Key, mut value: Value) -> Arc<Value> {
        self.revision += 1;
        object::metadata_mut(&mut value).insert("resourceVersion".into(), json!(self.revision.to_string()));
        let place = (
            object::namespace(&value).to_owned(),
            object::name(&value).to_owned(),
        );
        let value = Arc::new(value);
        let before = self
            .objects
            .entry(key.clone())
            .or_default()
            .insert(place, Arc::clone(&value));
        self.record(key, before, Some(Arc::clone(&value)));
        value
    }

    /// Removes an object. Gives it back as it was, with the revision of the deletion.
    pub(crate) fn delete(&mut self, key: &Key, namespace: &str, name: &str) -> Option<Arc<Value>> {
        let before = self
            .objects
            .get_mut(key)?
            .remove(&(namespace.to_owned(), name.to_owned()))?;
        self.revision += 1;
        self.record(key, Some(Arc::clone(&before)), None);
        let mut last = before.as_ref().clone();
        object::metadata_mut(&mut last).insert("resourceVersion".into(), json!(self.revision.to_string()));
        Some(Arc::new(last))
    }

    fn record(&mut self, key: &Key, before: Option<Arc<Value>>, after: Option<Arc<Value>>) {
        self.log.push_back(Change {
            revision: self.revision,
            key: key.clone(),
            before,
            after,
        });
        while self.log.len() > self.log_limit {
            if let Some(gone) = self.log.pop_front() {
                self.compacted = gone.revision;
            }
        }
    }
}
