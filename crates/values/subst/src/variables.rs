//! The values to insert.

use std::collections::BTreeMap;
use std::fmt;

/// What the name of every variable must match, in Flux's words.
pub const NAME_PATTERN: &str = "^[_[:alpha:]][_[:alpha:][:digit:]]*$";

/// Names and values, in the order of the names.
///
/// Newlines are dropped from every value, so that a value cannot add lines, and with them keys, to a YAML
/// document. Printing shows the names only: values may come from Secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, String>);

/// A name that is not allowed, whether or not the text uses it. The message is Flux's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' var name is invalid, must match '{NAME_PATTERN}'")]
pub struct InvalidName(String);

impl Variables {
    /// Sets a variable, replacing an earlier value of the same name.
    ///
    /// # Errors
    /// When `name` does not match [`NAME_PATTERN`].
    pub fn set(&mut self, name: impl Into<String>, value: &str) -> Result<(), InvalidName> {
        let name = name.into();
        if !is_valid_name(&name) {
            return Err(InvalidName(name));
        }
        self.0.insert(name, value.replace('\n', ""));
        Ok(())
    }

    /// The value of a variable, if it is known.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether no variable is known. Flux substitutes nothing at all then, unless told to.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of variables.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Names and values, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

fn is_valid_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|first| first == b'_' || first.is_ascii_alphabetic())
        && bytes.all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        let mut variables = Variables::default();
        for name in ["a", "_", "A_1", "_9"] {
            assert_eq!(variables.set(name, ""), Ok(()), "{name}");
        }
        for name in ["", "1a", "a-b", "a.b", "é", "a "] {
            assert!(variables.set(name, "").is_err(), "{name}");
        }
        assert_eq!(
            variables.set("a-b", "").map_err(|error| error.to_string()),
            Err("'a-b' var name is invalid, must match '^[_[:alpha:]][_[:alpha:][:digit:]]*$'".to_owned())
        );
    }

    #[test]
    fn n19_newlines_are_dropped_from_values() {
        let mut variables = Variables::default();
        variables.set("v", "a\nkind: ClusterRole\r\n").unwrap();
        assert_eq!(variables.get("v"), Some("akind: ClusterRole\r"));
    }

    #[test]
    fn n56_printing_shows_no_values() {
        let mut variables = Variables::default();
        variables.set("token", "s3cr3t").unwrap();
        assert_eq!(format!("{variables:?}"), "{\"token\"}");
    }
}
