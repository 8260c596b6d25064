//! What was read from texts that come again and again.

use std::hash::BuildHasher;

use crate::table::Table;
use crate::{Str, Value};

/// How many texts are told apart.
const TEXTS: usize = 4096;
/// Bytes of texts whose values are kept: some ten times as much memory at most.
const KEPT: usize = 512 << 10;

/// The values of texts. Charts read the same defaults for each thing that they make, and copying a value takes a tenth of
/// the time that reading takes.
///
/// What came once only is not kept.
#[derive(Default)]
pub(crate) struct Repeated {
    /// By hash.
    texts: Table<u64, Option<(Str, Value)>>,
    kept: usize,
}

/// Whether a text is known.
pub(crate) enum Known {
    /// This is a copy of its value, which nobody else holds.
    Value(Value),
    /// Its value is worth to be kept.
    Again,
    No,
}

impl Repeated {
    /// Looks a text up, and takes note of it.
    pub(crate) fn look_up(&mut self, text: &Str) -> Known {
        let hash = self.texts.hasher().hash_one(text);
        match self.texts.get(&hash) {
            Some(Some((known, value))) if known == text => Known::Value(value.copied()),
            Some(None) if self.kept + text.len() <= KEPT => Known::Again,
            Some(_) => Known::No,
            None => {
                if self.texts.len() < TEXTS {
                    self.texts.insert(hash, None);
                }
                Known::No
            }
        }
    }

    /// Keeps a copy of a text's value.
    pub(crate) fn keep(&mut self, text: &Str, value: &Value) {
        let hash = self.texts.hasher().hash_one(text);
        self.kept += text.len();
        self.texts.insert(hash, Some((text.clone(), value.copied())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Map;

    fn value() -> Value {
        let inner = Map::new();
        inner.insert("b", 1.to_string());
        let map = Map::new();
        map.insert("a", inner);
        map.into()
    }

    #[test]
    fn a_value_is_kept_when_its_text_comes_again_and_nobody_can_change_it() {
        let mut repeated = Repeated::default();
        let text = Str::from("a: {b: 1}");
        assert!(matches!(repeated.look_up(&text), Known::No));
        assert!(matches!(repeated.look_up(&text), Known::Again));
        let first = value();
        repeated.keep(&text, &first);
        let change = |value: &Value| {
            let inner = value.as_map().unwrap().get("a").unwrap();
            assert_eq!(inner.as_map().unwrap().get("b").unwrap().as_str(), Some("1"));
            inner.as_map().unwrap().insert("b", "changed");
        };
        change(&first);
        for _ in 0..2 {
            let Known::Value(copy) = repeated.look_up(&text) else {
                panic!("it is kept");
            };
            change(&copy);
        }
        assert!(matches!(repeated.look_up(&"a: {b: 2}".into()), Known::No));
    }

    #[test]
    fn what_is_kept_has_a_limit() {
        let mut repeated = Repeated::default();
        let text = Str::from("x".repeat(KEPT / 2 + 1));
        assert!(matches!(repeated.look_up(&text), Known::No));
        assert!(matches!(repeated.look_up(&text), Known::Again));
        repeated.keep(&text, &value());
        let other = Str::from("y".repeat(KEPT / 2));
        assert!(matches!(repeated.look_up(&other), Known::No));
        assert!(matches!(repeated.look_up(&other), Known::No));
        assert!(matches!(repeated.look_up(&text), Known::Value(_)));
    }
}
