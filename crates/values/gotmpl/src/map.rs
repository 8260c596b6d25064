//! Maps with string keys, shared and mutable.

use std::cell::RefCell;
use std::fmt;
use std::rc::{Rc, Weak};

use crate::entries::Entries;
use crate::{Str, Type, Value, ty, value};

/// A map. Clones are the same map: what one holder changes, all see. Iteration is in order of the keys' bytes.
///
/// No method hands out a borrow, so no use of one, however nested, can collide with another.
#[derive(Clone)]
pub struct Map {
    ty: Type,
    entries: Rc<Inner>,
}

#[derive(Default)]
struct Inner(RefCell<Entries>);

/// Without recursion: a template can nest maps as deep as its steps allow.
impl Drop for Inner {
    fn drop(&mut self) {
        let mut containers = Vec::new();
        std::mem::take(self.0.get_mut()).move_deep(&mut containers);
        value::drop_flat(&mut containers);
    }
}

impl Map {
    /// An empty `map[string]interface {}`.
    pub fn new() -> Self {
        Self::of(&ty::MAP_ANY)
    }

    /// An empty map of a type of kind map with string keys.
    pub fn of(ty: Type) -> Self {
        Self {
            ty,
            entries: Rc::default(),
        }
    }

    /// A map of a type with these entries.
    pub fn with(ty: Type, entries: impl IntoIterator<Item = (Str, Value)>) -> Self {
        Self {
            ty,
            entries: Rc::new(Inner(RefCell::new(entries.into_iter().collect()))),
        }
    }

    /// Its type.
    pub fn ty(&self) -> Type {
        self.ty
    }

    /// The type of its values.
    pub fn elem(&self) -> Type {
        self.ty.elem.unwrap_or(&ty::ANY)
    }

    /// The value of a key.
    pub fn get(&self, key: impl AsRef<[u8]>) -> Option<Value> {
        self.entries.0.borrow().get(key.as_ref()).cloned()
    }

    /// Whether it has the key.
    pub fn contains(&self, key: impl AsRef<[u8]>) -> bool {
        self.entries.0.borrow().get(key.as_ref()).is_some()
    }

    /// Sets a key.
    pub fn insert(&self, key: impl Into<Str>, value: impl Into<Value>) {
        let old = self.entries.0.borrow_mut().insert(key.into(), value.into());
        // Dropped with no borrow held: it may be the last holder of anything.
        drop(old);
    }

    /// Removes a key.
    pub fn remove(&self, key: impl AsRef<[u8]>) {
        let old = self.entries.0.borrow_mut().remove(key.as_ref());
        drop(old);
    }

    /// How many entries it has.
    pub fn len(&self) -> usize {
        self.entries.0.borrow().len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its keys now.
    pub fn keys(&self) -> Vec<Str> {
        self.entries
            .0
            .borrow()
            .iter()
            .map(|(key, _)| key.clone())
            .collect()
    }

    /// Its entries now.
    pub fn entries(&self) -> Vec<(Str, Value)> {
        self.entries
            .0
            .borrow()
            .iter()
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    }

    /// Whether both are the very same map.
    pub fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.entries, &other.entries)
    }

    /// The same map, seen as another type of the same shape: Go's conversion.
    #[must_use]
    pub fn retyped(&self, ty: Type) -> Self {
        Self {
            ty,
            entries: Rc::clone(&self.entries),
        }
    }

    /// A map of the same type and keys, with what becomes of the values; `value` must not touch this map.
    ///
    /// # Errors
    /// What `value` says first.
    pub fn map_values<E>(&self, value: impl FnMut(&Value) -> Result<Value, E>) -> Result<Self, E> {
        let entries = self.entries.0.borrow().map(value)?;
        Ok(Self {
            ty: self.ty,
            entries: Rc::new(Inner(RefCell::new(entries))),
        })
    }

    /// Whether nobody else holds it, and it holds containers.
    pub(crate) fn is_deep(&self) -> bool {
        Rc::strong_count(&self.entries) == 1
            && self
                .entries
                .0
                .borrow()
                .iter()
                .any(|(_, value)| value::is_container(value))
    }

    /// Drops it, but for values that are deep.
    pub(crate) fn move_deep(self, to: &mut Vec<Value>) {
        if let Ok(mut inner) = Rc::try_unwrap(self.entries) {
            std::mem::take(inner.0.get_mut()).move_deep(to);
        }
    }

    /// A reference that does not keep it.
    pub(crate) fn downgrade(&self) -> WeakMap {
        WeakMap(self.ty, Rc::downgrade(&self.entries))
    }

    /// Takes everything out of it.
    pub(crate) fn clear(&self) {
        let entries = std::mem::take(&mut *self.entries.0.borrow_mut());
        drop(entries);
    }

    /// Runs over the entries without copying them; `visit` must not touch this map.
    pub(crate) fn visit<E>(&self, mut visit: impl FnMut(&Str, &Value) -> Result<(), E>) -> Result<(), E> {
        self.entries
            .0
            .borrow()
            .iter()
            .try_for_each(|(key, value)| visit(key, value))
    }
}

/// A reference to a map that may be gone.
pub(crate) struct WeakMap(Type, Weak<Inner>);

impl WeakMap {
    pub(crate) fn upgrade(&self) -> Option<Map> {
        let entries = self.1.upgrade()?;
        Some(Map { ty: self.0, entries })
    }

    /// What tells it from other maps while it lives.
    pub(crate) fn address(&self) -> usize {
        self.1.as_ptr().addr()
    }
}

impl Default for Map {
    fn default() -> Self {
        Self::new()
    }
}

/// Prints the type and size only: a map may hold itself.
impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.ty, self.len())
    }
}

impl<K: Into<Str>> FromIterator<(K, Value)> for Map {
    fn from_iter<T: IntoIterator<Item = (K, Value)>>(iter: T) -> Self {
        Self::with(&ty::MAP_ANY, iter.into_iter().map(|(k, v)| (k.into(), v)))
    }
}
