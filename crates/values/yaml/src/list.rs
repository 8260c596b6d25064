//! Members of a collection.

use std::ops::{Deref, DerefMut};

use thin_vec::ThinVec;

/// A vector as large as a pointer: a node has no room for more. Length and members are one piece of memory, and an empty
/// list is none.
#[derive(Clone, Debug)]
pub struct List<T>(ThinVec<T>);

impl<T> List<T> {
    /// Members up to which a list gets no room for more than it has.
    const TIGHT: usize = 16;

    /// An empty list.
    pub const fn new() -> Self {
        Self(ThinVec::new())
    }

    /// Appends a member. Short lists are many and seldom grow, so that these are kept tight.
    pub fn add(&mut self, member: T) {
        if self.len() < Self::TIGHT {
            self.reserve_exact(1);
        }
        self.push(member);
    }

    /// The members alone.
    pub fn into_vec(self) -> Vec<T> {
        self.into_iter().collect()
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Deref for List<T> {
    type Target = ThinVec<T>;

    fn deref(&self) -> &ThinVec<T> {
        &self.0
    }
}

impl<T> DerefMut for List<T> {
    fn deref_mut(&mut self) -> &mut ThinVec<T> {
        &mut self.0
    }
}

impl<T> From<Vec<T>> for List<T> {
    fn from(members: Vec<T>) -> Self {
        Self(members.into())
    }
}

impl<T> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(members: I) -> Self {
        Self(members.into_iter().collect())
    }
}

impl<T> IntoIterator for List<T> {
    type Item = T;
    type IntoIter = thin_vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a List<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a, T> IntoIterator for &'a mut List<T> {
    type Item = &'a mut T;
    type IntoIter = std::slice::IterMut<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}
