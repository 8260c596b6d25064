//! Members of a collection.

use std::ops::{Deref, DerefMut};

/// A vector as large as a pointer: most nodes of a tree are no collections, and need room for nothing more.
#[expect(
    clippy::box_collection,
    reason = "the vector itself would be three pointers in every node"
)]
#[derive(Clone, Debug)]
pub struct List<T>(Option<Box<Vec<T>>>);

impl<T: 'static> List<T> {
    /// Members up to which a list gets no room for more than it has.
    const TIGHT: usize = 16;
    const EMPTY: &'static Vec<T> = &Vec::new();

    /// An empty list.
    pub const fn new() -> Self {
        Self(None)
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
        self.0.map(|members| *members).unwrap_or_default()
    }
}

impl<T: 'static> Default for List<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: 'static> Deref for List<T> {
    type Target = Vec<T>;

    fn deref(&self) -> &Vec<T> {
        self.0.as_deref().unwrap_or(Self::EMPTY)
    }
}

impl<T: 'static> DerefMut for List<T> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        self.0.get_or_insert_default()
    }
}

impl<T: 'static> From<Vec<T>> for List<T> {
    fn from(members: Vec<T>) -> Self {
        Self((!members.is_empty()).then(|| Box::new(members)))
    }
}

impl<T: 'static> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(members: I) -> Self {
        members.into_iter().collect::<Vec<_>>().into()
    }
}

impl<T: 'static> IntoIterator for List<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.into_vec().into_iter()
    }
}

impl<'a, T: 'static> IntoIterator for &'a List<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a, T: 'static> IntoIterator for &'a mut List<T> {
    type Item = &'a mut T;
    type IntoIter = std::slice::IterMut<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        match &mut self.0 {
            Some(members) => members.iter_mut(),
            None => [].iter_mut(),
        }
    }
}
