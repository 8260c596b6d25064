//! Where in a kustomization file something went wrong.

use std::fmt;

/// A field of a kustomization file, or of an entry of one of its lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Path of the file, as the [`crate::Files`] that were given have it.
    pub file: String,
    /// From the top of the file: `patches`, `[2]`, `target`.
    pub steps: Vec<Step>,
}

/// One step from a value into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A field of a mapping.
    Field(String),
    /// An item of a list, from 0.
    Item(usize),
}

impl Place {
    /// A field, or an entry of it.
    pub(crate) fn new(file: String, field: &str, item: Option<usize>) -> Self {
        let mut steps = vec![Step::Field(field.to_owned())];
        steps.extend(item.map(Step::Item));
        Self { file, steps }
    }
}

impl From<&String> for Step {
    /// A part of a path as messages have it: `[2]` is an item.
    fn from(part: &String) -> Self {
        let item = part.strip_prefix('[').and_then(|p| p.strip_suffix(']'));
        match item.and_then(|number| number.parse().ok()) {
            Some(number) => Self::Item(number),
            None => Self::Field(part.clone()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        for (number, step) in self.steps.iter().enumerate() {
            match step {
                Step::Field(name) if number == 0 => write!(f, ": {name}")?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Item(item) => write!(f, "[{item}]")?,
            }
        }
        Ok(())
    }
}
