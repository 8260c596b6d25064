//! What a map holds.

use std::collections::{BTreeMap, btree_map};
use std::slice;

use crate::{Str, Value, value};

/// Up to this many entries lie in a list. More would make inserting slow: all behind the place have to move.
const FEW: usize = 32;

/// Entries in order of the keys' bytes.
///
/// Nearly all maps of a chart's values are small. A tree has room for eleven entries even where there is one, and copying
/// it is building it anew; a list takes what it needs and is copied as it lies there.
#[derive(Debug)]
pub(crate) enum Entries {
    Few(Vec<(Str, Value)>),
    Many(BTreeMap<Str, Value>),
}

impl Default for Entries {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

/// Where a key is in a list, or where it belongs.
fn place(list: &[(Str, Value)], key: &[u8]) -> Result<usize, usize> {
    list.binary_search_by(|(known, _)| known.as_bytes().cmp(key))
}

impl Entries {
    pub(crate) fn get(&self, key: &[u8]) -> Option<&Value> {
        match self {
            // Most keys are told apart by their lengths alone, which lie in the list.
            Self::Few(list) => {
                let mut entries = list.iter();
                let found = entries.find(|(known, _)| known.as_bytes() == key);
                found.map(|(_, value)| value)
            }
            Self::Many(tree) => tree.get(key),
        }
    }

    /// Gives back the value that the key had.
    pub(crate) fn insert(&mut self, key: Str, value: Value) -> Option<Value> {
        let list = match self {
            Self::Many(tree) => return tree.insert(key, value),
            Self::Few(list) => list,
        };
        // Who copies or reads comes with keys in order.
        let is_last = list.last().is_none_or(|(last, _)| *last < key);
        let at = match if is_last {
            Err(list.len())
        } else {
            place(list, key.as_bytes())
        } {
            Ok(at) => {
                return list.get_mut(at).map(|(_, slot)| std::mem::replace(slot, value));
            }
            Err(at) => at,
        };
        if list.len() < FEW {
            list.insert(at, (key, value));
        } else {
            let mut tree: BTreeMap<_, _> = std::mem::take(list).into_iter().collect();
            tree.insert(key, value);
            *self = Self::Many(tree);
        }
        None
    }

    pub(crate) fn remove(&mut self, key: &[u8]) -> Option<Value> {
        match self {
            Self::Few(list) => place(list, key).ok().map(|at| list.remove(at).1),
            Self::Many(tree) => tree.remove(key),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Few(list) => list.len(),
            Self::Many(tree) => tree.len(),
        }
    }

    pub(crate) fn iter(&self) -> Iter<'_> {
        match self {
            Self::Few(list) => Iter::Few(list.iter()),
            Self::Many(tree) => Iter::Many(tree.iter()),
        }
    }

    /// The same keys with what becomes of their values.
    pub(crate) fn map<E>(&self, mut value: impl FnMut(&Value) -> Result<Value, E>) -> Result<Self, E> {
        let pairs = self.iter().map(|(key, old)| Ok((key.clone(), value(old)?)));
        Ok(match self {
            Self::Few(list) => {
                let mut copy = Vec::with_capacity(list.len());
                for pair in pairs {
                    copy.push(pair?);
                }
                Self::Few(copy)
            }
            Self::Many(_) => Self::Many(pairs.collect::<Result<_, E>>()?),
        })
    }

    /// See [`value::move_deep`].
    pub(crate) fn move_deep(self, to: &mut Vec<Value>) {
        match self {
            Self::Few(list) => value::move_deep(list.into_iter().map(|(_, value)| value), to),
            Self::Many(tree) => value::move_deep(tree.into_values(), to),
        }
    }
}

/// Of a repeated key the last value counts.
impl FromIterator<(Str, Value)> for Entries {
    fn from_iter<T: IntoIterator<Item = (Str, Value)>>(iter: T) -> Self {
        let mut entries = Self::default();
        let iter = iter.into_iter();
        if let Self::Few(list) = &mut entries {
            list.reserve_exact(iter.size_hint().0.min(FEW));
        }
        for (key, value) in iter {
            entries.insert(key, value);
        }
        entries
    }
}

/// Goes over entries in order.
pub(crate) enum Iter<'e> {
    Few(slice::Iter<'e, (Str, Value)>),
    Many(btree_map::Iter<'e, Str, Value>),
}

impl<'e> Iterator for Iter<'e> {
    type Item = (&'e Str, &'e Value);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Few(list) => list.next().map(|(key, value)| (key, value)),
            Self::Many(tree) => tree.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Self::Few(list) => list.size_hint(),
            Self::Many(tree) => tree.size_hint(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(entries: &Entries) -> Vec<(String, i64)> {
        let number = |value: &Value| match value {
            Value::Int(number, _) => *number,
            _ => -1,
        };
        entries
            .iter()
            .map(|(key, value)| (key.to_string(), number(value)))
            .collect()
    }

    /// Does the same to entries and to a tree, with keys in an order that jumps about.
    #[test]
    fn entries_are_those_of_a_tree_whatever_their_number() {
        for count in [0_u64, 1, 2, 11, 31, 32, 33, 100, 300] {
            let mut entries = Entries::default();
            let mut tree = BTreeMap::new();
            for step in 0..count * 2 {
                let key = format!("{:x}", step * 7919 % (count + 3));
                let number = i64::try_from(step).unwrap();
                let old = entries.insert(key.as_str().into(), Value::int(number));
                assert_eq!(old.is_some(), tree.insert(key.clone(), number).is_some(), "{key}");
                assert_eq!(entries.len(), tree.len());
                if step % 5 == 0 {
                    let key = format!("{:x}", step * 31 % (count + 3));
                    let removed = entries.remove(key.as_bytes());
                    assert_eq!(removed.is_some(), tree.remove(&key).is_some(), "{key}");
                }
            }
            let expected: Vec<(String, i64)> = tree.into_iter().collect();
            assert_eq!(shown(&entries), expected, "{count}");
            for (key, _) in &expected {
                assert!(entries.get(key.as_bytes()).is_some());
            }
            assert!(entries.get(b"none").is_none());
            let copy = entries.map(|value| Ok::<_, ()>(value.clone())).unwrap();
            assert_eq!(shown(&copy), expected, "{count}");
            let again = entries
                .iter()
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            assert_eq!(shown(&again), expected, "{count}");
        }
    }

    #[test]
    fn of_a_repeated_key_the_last_value_counts() {
        let pairs = ["b", "a", "b", "c", "a"].into_iter().zip(0..);
        let entries: Entries = pairs
            .map(|(key, number)| (Str::from(key), Value::int(number)))
            .collect();
        let expected = [("a", 4), ("b", 2), ("c", 3)].map(|(key, number)| (key.to_owned(), number));
        assert_eq!(shown(&entries), expected);
    }
}
