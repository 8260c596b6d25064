//! Questions about the fields of a document.

use jiff::Timestamp;
use serde_json::Value;

use super::InvalidPredicate;

/// A document that is to be of some kind.
pub(super) struct Shape<'v> {
    kind: &'static str,
    document: &'v Value,
}

type Answer = Result<(), InvalidPredicate>;

impl<'v> Shape<'v> {
    /// An object.
    pub(super) fn of(kind: &'static str, document: &'v Value) -> Result<Self, InvalidPredicate> {
        let shape = Self { kind, document };
        if document.is_object() {
            Ok(shape)
        } else {
            Err(shape.wrong(&[], "is no object"))
        }
    }

    /// Whether there is a field of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.document.get(name).is_some()
    }

    /// The field is text, and not empty.
    pub(super) fn text(&self, path: &[&str]) -> Answer {
        self.read_text(path).map(|_| ())
    }

    /// The field is text that starts like this.
    pub(super) fn starting(&self, path: &[&str], start: &str) -> Answer {
        if self.read_text(path)?.starts_with(start) {
            return Ok(());
        }
        Err(self.wrong(path, format!("does not start with {start:?}")))
    }

    /// The field is one of these texts.
    pub(super) fn one_of(&self, path: &[&str], texts: &[&str]) -> Answer {
        if texts.contains(&self.read_text(path)?) {
            return Ok(());
        }
        Err(self.wrong(path, format!("is not {:?}", texts.join(" or "))))
    }

    /// The field is a time as RFC 3339 writes it.
    pub(super) fn time(&self, path: &[&str]) -> Answer {
        match self.read_text(path)?.parse::<Timestamp>() {
            Ok(_) => Ok(()),
            Err(_) => Err(self.wrong(path, "is no time such as \"2026-01-02T03:04:05Z\"")),
        }
    }

    /// The field is an object.
    pub(super) fn object(&self, path: &[&str]) -> Answer {
        match self.field(path)? {
            Value::Object(_) => Ok(()),
            _ => Err(self.wrong(path, "is no object")),
        }
    }

    /// The field is a list.
    pub(super) fn list(&self, path: &[&str]) -> Answer {
        match self.field(path)? {
            Value::Array(_) => Ok(()),
            _ => Err(self.wrong(path, "is no list")),
        }
    }

    /// The field is a list with something in it.
    pub(super) fn filled_list(&self, path: &[&str]) -> Answer {
        self.list(path)?;
        match self.field(path)? {
            Value::Array(items) if items.is_empty() => Err(self.wrong(path, "is empty")),
            _ => Ok(()),
        }
    }

    fn read_text(&self, path: &[&str]) -> Result<&'v str, InvalidPredicate> {
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

    fn wrong(&self, path: &[&str], problem: impl Into<String>) -> InvalidPredicate {
        InvalidPredicate::Field {
            kind: self.kind,
            path: path.iter().map(|&name| name.to_owned()).collect(),
            problem: problem.into(),
        }
    }
}
