//! Lists: Go's slices.

use std::cell::OnceCell;
use std::rc::Rc;

use crate::{Type, Value, ty, value};

/// A list, shared by all who hold it.
#[derive(Clone, Debug)]
pub struct List {
    ty: Type,
    inner: Rc<Inner>,
}

#[derive(Debug)]
struct Inner {
    items: Vec<Value>,
    /// sprig's `sortAlpha` sorts a `[]string` in place, so that every holder sees it sorted. Nothing else
    /// changes a list.
    sorted: OnceCell<Vec<Value>>,
}

/// Without recursion: a template can nest lists as deep as its steps allow.
impl Drop for Inner {
    fn drop(&mut self) {
        let items = std::mem::take(&mut self.items);
        if let Some(sorted) = self.sorted.take() {
            drop(sorted);
        }
        let mut containers = Vec::new();
        value::move_deep(items, &mut containers);
        value::drop_flat(&mut containers);
    }
}

impl List {
    /// Whether nobody else holds it, and it holds containers.
    pub(crate) fn is_deep(&self) -> bool {
        Rc::strong_count(&self.inner) == 1 && self.inner.items.iter().any(value::is_container)
    }

    /// Drops it, but for items that are deep.
    pub(crate) fn move_deep(self, to: &mut Vec<Value>) {
        if let Ok(mut inner) = Rc::try_unwrap(self.inner) {
            value::move_deep(std::mem::take(&mut inner.items), to);
        }
    }

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
        Self {
            ty,
            inner: Rc::new(Inner {
                items,
                sorted: OnceCell::new(),
            }),
        }
    }

    /// Its type.
    pub fn ty(&self) -> Type {
        self.ty
    }

    /// The type of its elements.
    pub fn elem(&self) -> Type {
        self.ty.elem.unwrap_or(&ty::ANY)
    }

    /// The same list, seen as another type of the same shape: Go's conversion.
    #[must_use]
    pub fn retyped(&self, ty: Type) -> Self {
        Self {
            ty,
            inner: Rc::clone(&self.inner),
        }
    }

    /// Its items.
    pub fn items(&self) -> &[Value] {
        self.inner.sorted.get().unwrap_or(&self.inner.items)
    }

    /// How many it has.
    pub fn len(&self) -> usize {
        self.inner.items.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.inner.items.is_empty()
    }

    /// Whether both are the very same list.
    pub fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.inner, &other.inner)
    }

    /// Sorts a list of strings for every holder.
    pub(crate) fn sort_strings(&self) {
        self.inner.sorted.get_or_init(|| {
            let mut items = self.inner.items.clone();
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
