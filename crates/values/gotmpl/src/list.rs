//! Lists: Go's slices.

use std::cell::OnceCell;
use std::rc::Rc;

use crate::{Type, Value, ty};

/// A list, shared by all who hold it.
#[derive(Clone, Debug)]
pub struct List(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    ty: Type,
    items: Vec<Value>,
    /// sprig's `sortAlpha` sorts a `[]string` in place, so that every holder sees it sorted. Nothing else
    /// changes a list.
    sorted: OnceCell<Vec<Value>>,
}

impl List {
    /// A list of any values: `[]interface {}`.
    pub fn new(items: Vec<Value>) -> Self {
        Self::of(&ty::LIST_ANY, items)
    }

    /// A `[]string`.
    pub fn strings<T: Into<Value>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::of(&ty::LIST_STRING, items.into_iter().map(Into::into).collect())
    }

    /// A list of a type of kind slice; the items must be of its element type.
    pub fn of(ty: Type, items: Vec<Value>) -> Self {
        Self(Rc::new(Inner {
            ty,
            items,
            sorted: OnceCell::new(),
        }))
    }

    /// Its type.
    pub fn ty(&self) -> Type {
        self.0.ty
    }

    /// The type of its elements.
    pub fn elem(&self) -> Type {
        self.0.ty.elem.unwrap_or(&ty::ANY)
    }

    /// Its items.
    pub fn items(&self) -> &[Value] {
        self.0.sorted.get().unwrap_or(&self.0.items)
    }

    /// How many it has.
    pub fn len(&self) -> usize {
        self.0.items.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.0.items.is_empty()
    }

    /// Whether both are the very same list.
    pub fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// An address that identifies the list while it lives.
    pub(crate) fn address(&self) -> usize {
        Rc::as_ptr(&self.0).addr()
    }

    /// Sorts a list of strings for every holder.
    pub(crate) fn sort_strings(&self) {
        self.0.sorted.get_or_init(|| {
            let mut items = self.0.items.clone();
            items.sort_by(|a, b| match (a, b) {
                (Value::Str(a), Value::Str(b)) => a.cmp(b),
                _ => std::cmp::Ordering::Equal,
            });
            items
        });
    }
}

impl FromIterator<Value> for List {
    fn from_iter<T: IntoIterator<Item = Value>>(iter: T) -> Self {
        Self::new(iter.into_iter().collect())
    }
}
