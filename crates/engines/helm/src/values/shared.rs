//! Values whose tables and lists are shared, as Go's maps and slices are: what is set through one holder shows in the
//! others. Flux sets values from objects over inline ones that way, and the outcome depends on who holds what.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value;

use super::Table;

/// A shared table.
#[derive(Clone, Debug, Default)]
pub(super) struct Map(pub(super) Rc<RefCell<BTreeMap<String, Shared>>>);

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Shared {
    /// Neither list nor table.
    Leaf(Value),
    List(Rc<RefCell<Vec<Self>>>),
    Map(Map),
}

impl Shared {
    pub(super) fn of(value: Value) -> Self {
        match value {
            Value::Array(items) => {
                Self::List(Rc::new(RefCell::new(items.into_iter().map(Self::of).collect())))
            }
            Value::Object(table) => Self::Map(Map::of(table)),
            leaf => Self::Leaf(leaf),
        }
    }

    fn value(&self) -> Value {
        match self {
            Self::Leaf(value) => value.clone(),
            Self::List(items) => items.borrow().iter().map(Self::value).collect(),
            Self::Map(map) => Value::Object(map.table()),
        }
    }
}

impl Map {
    pub(super) fn of(table: Table) -> Self {
        let entries = table.into_iter().map(|(key, value)| (key, Shared::of(value)));
        Self(Rc::new(RefCell::new(entries.collect())))
    }

    pub(super) fn table(&self) -> Table {
        self.0
            .borrow()
            .iter()
            .map(|(key, value)| (key.clone(), value.value()))
            .collect()
    }

    pub(super) fn get(&self, key: &str) -> Option<Shared> {
        self.0.borrow().get(key).cloned()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// Sets a key, unless it is empty.
    pub(super) fn put(&self, key: String, value: Shared) {
        if !key.is_empty() {
            self.0.borrow_mut().insert(key, value);
        }
    }

    /// A new table of both: tables within both merge into new ones, everything else is held by it and by whoever held
    /// it before.
    pub(super) fn over(&self, under: &Self) -> Self {
        let merged = Self(Rc::new(RefCell::new(under.0.borrow().clone())));
        for (key, value) in self.0.borrow().iter() {
            let value = match (merged.get(key), value) {
                (Some(Shared::Map(under)), Shared::Map(over)) => Shared::Map(over.over(&under)),
                (_, value) => value.clone(),
            };
            merged.0.borrow_mut().insert(key.clone(), value);
        }
        merged
    }
}
