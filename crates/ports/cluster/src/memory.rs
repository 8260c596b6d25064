//! What was applied last, so that an object nobody touched needs no request.
//!
//! After a write the API server returns the object with a resource version. As long as the watch shows that very
//! version, and the desired object is the same, a server-side apply would change nothing: that is exact, and
//! costs nothing. When somebody else writes, the version moves; if the change is only to status or bookkeeping
//! (a Deployment's replica counts), the memory follows, otherwise it is drift and the object must be asked for.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use weir_apis::{Object, ObjectRef};
use weir_plan::{Desired, KnownUnchanged, LastApplied};

/// Group, kind, namespace, name: another version of an object is the same object. The namespace is the API server's,
/// so a cluster-scoped object has none even where its manifest names one.
type Key = (String, String, String, String);

/// What was applied last, by object.
#[derive(Debug, Default)]
pub struct Memory(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    applied: HashMap<Key, LastApplied>,
    /// Objects that are being written, with the versions that the watch has shown meanwhile.
    in_flight: HashMap<Key, Vec<String>>,
}

/// What a change that the watch shows means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// The echo of a write of ours, or a change to status and bookkeeping only.
    Harmless,
    /// A write of ours is under way; [`Memory::finish`] will tell.
    Undecided,
    /// Somebody else changed the object.
    Foreign,
}

impl Memory {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Proof that applying `desired` would change nothing, if `live` is exactly what the last apply of an equal
    /// object left behind.
    pub fn is_unchanged(&self, desired: &Desired, live: &Object) -> Option<KnownUnchanged> {
        self.lock()
            .applied
            .get(&key(&live.reference()))?
            .still_holds(desired, live)
    }

    /// A write begins: what the watch shows from now on may be its echo.
    pub fn begin(&self, object: &ObjectRef) {
        self.lock().in_flight.entry(key(object)).or_default();
    }

    /// The write ended with `stored`, or failed. Returns whether somebody else wrote in between.
    pub fn finish(&self, object: &ObjectRef, stored: Option<LastApplied>) -> bool {
        let key = key(object);
        let mut state = self.lock();
        let seen = state.in_flight.remove(&key).unwrap_or_default();
        match stored {
            Some(applied) => {
                let foreign = seen.iter().any(|v| is_after(v, &applied.resource_version));
                state.applied.insert(key, applied);
                foreign
            }
            None => !seen.is_empty(),
        }
    }

    /// An object was found to be as desired, without a write.
    pub fn remember(&self, object: &ObjectRef, applied: LastApplied) {
        self.lock().applied.insert(key(object), applied);
    }

    /// The object is no longer ours.
    pub fn forget(&self, object: &ObjectRef) {
        self.lock().applied.remove(&key(object));
    }

    /// Takes in a change that the watch shows.
    pub fn notice(&self, old: Option<&Object>, new: Option<&Object>) -> Notice {
        let Some(object) = new.or(old) else {
            return Notice::Harmless;
        };
        let key = key(&object.reference());
        let mut state = self.lock();
        if let Some(seen) = state.in_flight.get_mut(&key) {
            seen.push(object.resource_version().to_owned());
            return Notice::Undecided;
        }
        let Some(applied) = state.applied.get_mut(&key) else {
            // Not applied in this process' life: nothing to compare with. Its owner looks at it when its turn comes.
            return Notice::Harmless;
        };
        let Some(new) = new else {
            state.applied.remove(&key);
            return Notice::Foreign;
        };
        if applied.resource_version == new.resource_version()
            || is_after(&applied.resource_version, new.resource_version())
        {
            return Notice::Harmless;
        }
        match old {
            Some(old) if applied.resource_version == old.resource_version() && same_content(old, new) => {
                new.resource_version().clone_into(&mut applied.resource_version);
                Notice::Harmless
            }
            _ => Notice::Foreign,
        }
    }
}

fn key(object: &ObjectRef) -> Key {
    (
        object.gvk.group.clone(),
        object.gvk.kind.clone(),
        object.namespace.clone(),
        object.name.clone(),
    )
}

/// Whether one resource version comes after another. They are opaque by contract; where they are no numbers,
/// any other version counts as later.
fn is_after(a: &str, b: &str) -> bool {
    match (a.parse::<u64>(), b.parse::<u64>()) {
        (Ok(a), Ok(b)) => a > b,
        _ => a != b,
    }
}

/// Equal but for status and the API server's bookkeeping. Labels, annotations, finalizers and owners count.
fn same_content(old: &Object, new: &Object) -> bool {
    const BOOKKEEPING: [&str; 3] = ["resourceVersion", "managedFields", "generation"];
    let rest = |o: &Object| o.as_map().len() - usize::from(o.as_map().contains_key("status"));
    if old.generation() != new.generation() || rest(old) != rest(new) {
        return false;
    }
    let fields = old
        .as_map()
        .iter()
        .filter(|(field, _)| *field != "status" && *field != "metadata");
    for (field, value) in fields {
        if new.as_map().get(field) != Some(value) {
            return false;
        }
    }
    let (Some(old), Some(new)) = (old.metadata(), new.metadata()) else {
        return false;
    };
    let kept = |f: &&String| !BOOKKEEPING.contains(&f.as_str());
    old.keys().filter(kept).count() == new.keys().filter(kept).count()
        && old
            .keys()
            .filter(kept)
            .all(|field| old.get(field) == new.get(field))
}
