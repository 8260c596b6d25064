//! Questions about the fields of a document.

use std::str::FromStr;

use jiff::Timestamp;
use serde_json::Value;

use super::InvalidPredicate;

/// What a time that cannot be read is told.
const NO_TIME: &str = "is no time such as \"2026-01-02T03:04:05Z\"";

/// A document that is to be of some kind, or a part of one.
pub(crate) struct Shape<'v> {
    kind: &'static str,
    /// The names that lead to this part.
    within: Vec<String>,
    document: &'v Value,
}

type Answer = Result<(), InvalidPredicate>;

impl<'v> Shape<'v> {
    /// An object.
    pub(crate) fn of(kind: &'static str, document: &'v Value) -> Result<Self, InvalidPredicate> {
        Self::within(kind, Vec::new(), document)
    }

    fn within(
        kind: &'static str,
        within: Vec<String>,
        document: &'v Value,
    ) -> Result<Self, InvalidPredicate> {
        let shape = Self {
            kind,
            within,
            document,
        };
        if document.is_object() {
            Ok(shape)
        } else {
            Err(shape.wrong(&[], "is no object"))
        }
    }

    /// Whether there is a field of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.document.get(name).is_some()
    }

    /// The field is text, and not empty.
    pub(crate) fn text(&self, path: &[&str]) -> Answer {
        self.read_text(path).map(|_| ())
    }

    /// The field is text that starts like this.
    pub(crate) fn starting(&self, path: &[&str], start: &str) -> Answer {
        if self.read_text(path)?.starts_with(start) {
            return Ok(());
        }
        Err(self.wrong(path, format!("does not start with {start:?}")))
    }

    /// The field is one of these texts.
    pub(crate) fn one_of(&self, path: &[&str], texts: &[&str]) -> Answer {
        if texts.contains(&self.read_text(path)?) {
            return Ok(());
        }
        Err(self.wrong(path, format!("is not {:?}", texts.join(" or "))))
    }

    /// The field is a time as RFC 3339 writes it.
    pub(crate) fn time(&self, path: &[&str]) -> Answer {
        match self.read_text(path)?.parse::<Timestamp>() {
            Ok(_) => Ok(()),
            Err(_) => Err(self.wrong(path, NO_TIME)),
        }
    }

    /// The field is an object.
    pub(crate) fn object(&self, path: &[&str]) -> Answer {
        match self.field(path)? {
            Value::Object(_) => Ok(()),
            _ => Err(self.wrong(path, "is no object")),
        }
    }

    /// The field is a list.
    pub(crate) fn list(&self, path: &[&str]) -> Answer {
        match self.field(path)? {
            Value::Array(_) => Ok(()),
            _ => Err(self.wrong(path, "is no list")),
        }
    }

    /// The field is a list with something in it.
    pub(crate) fn filled_list(&self, path: &[&str]) -> Answer {
        self.list(path)?;
        match self.field(path)? {
            Value::Array(items) if items.is_empty() => Err(self.wrong(path, "is empty")),
            _ => Ok(()),
        }
    }

    /// Whether there is a field of this name that is not null.
    pub(crate) fn has_value(&self, name: &str) -> bool {
        self.document.get(name).is_some_and(|value| !value.is_null())
    }

    /// The time in the field, as RFC 3339 writes it.
    pub(crate) fn read_time(&self, path: &[&str]) -> Result<Timestamp, InvalidPredicate> {
        self.read(path, NO_TIME)
    }

    /// What the text of the field says; `problem` is said of one that cannot be read.
    pub(crate) fn read<T: FromStr>(&self, path: &[&str], problem: &str) -> Result<T, InvalidPredicate> {
        self.read_text(path)?
            .parse()
            .map_err(|_| self.wrong(path, problem))
    }

    /// What the texts of the list say.
    pub(crate) fn read_list<T: FromStr>(
        &self,
        path: &[&str],
        problem: &str,
    ) -> Result<Vec<T>, InvalidPredicate> {
        let Value::Array(items) = self.field(path)? else {
            return Err(self.wrong(path, "is no list"));
        };
        let read = |item: &Value| item.as_str().and_then(|text| text.parse().ok());
        let items: Option<Vec<T>> = items.iter().map(read).collect();
        items.ok_or_else(|| self.wrong(path, problem))
    }

    /// The whole number in the field, from 1.
    pub(crate) fn read_count(&self, path: &[&str]) -> Result<u64, InvalidPredicate> {
        match self.field(path)?.as_u64() {
            None | Some(0) => Err(self.wrong(path, "is no whole number from 1")),
            Some(number) => Ok(number),
        }
    }

    /// The object in the field.
    pub(crate) fn part(&self, name: &str) -> Result<Self, InvalidPredicate> {
        let within = self.inner(&[name]);
        Self::within(self.kind, within, self.field(&[name])?)
    }

    /// The objects of the list in the field.
    pub(crate) fn parts(&self, name: &str) -> Result<Vec<Self>, InvalidPredicate> {
        let Value::Array(items) = self.field(&[name])? else {
            return Err(self.wrong(&[name], "is no list"));
        };
        let items = items.iter().enumerate();
        let part = |(index, item)| Self::within(self.kind, self.inner(&[name, &format!("{index}")]), item);
        items.map(part).collect()
    }

    pub(crate) fn read_text(&self, path: &[&str]) -> Result<&'v str, InvalidPredicate> {
        match self.field(path)? {
            Value::String(text) if text.is_empty() => Err(self.wrong(path, "is empty")),
            Value::String(text) => Ok(text),
            _ => Err(self.wrong(path, "is no text")),
        }
    }

    fn field(&self, path: &[&str]) -> Result<&'v Value, InvalidPredicate> {
        let mut value = self.document;
        for (depth, name) in path.iter().enumerate() {
            let above = path.get(..depth).unwrap_or_default();
            let Value::Object(fields) = value else {
                return Err(self.wrong(above, "is no object"));
            };
            value = fields.get(*name).ok_or_else(|| {
                let missing = path.get(..=depth).unwrap_or(path);
                self.wrong(missing, "is missing")
            })?;
        }
        Ok(value)
    }

    fn inner(&self, path: &[&str]) -> Vec<String> {
        let inner = path.iter().map(|&name| name.to_owned());
        self.within.iter().cloned().chain(inner).collect()
    }

    pub(crate) fn wrong(&self, path: &[&str], problem: impl Into<String>) -> InvalidPredicate {
        InvalidPredicate::Field {
            kind: self.kind,
            path: self.inner(path),
            problem: problem.into(),
        }
    }
}
