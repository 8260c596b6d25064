//! Patterns for whole texts. Nearly all that people write are plain names, which need no engine.

use weir_re2::Pattern;

use crate::error::{Error, Result};

/// A text of which each dot stands for any character but a line feed; nothing else in it has a
/// meaning to the pattern language.
#[derive(Clone, Debug)]
pub(crate) struct Plain {
    text: String,
    has_dots: bool,
}

impl Plain {
    /// `None` if the pattern says more.
    pub(crate) fn new(pattern: &str) -> Option<Self> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_/:.".contains(c);
        pattern.chars().all(is_plain).then(|| Self {
            text: pattern.to_owned(),
            has_dots: pattern.contains('.'),
        })
    }

    /// What follows, if the text starts with this.
    pub(crate) fn strip<'t>(&self, text: &'t str) -> Option<&'t str> {
        if let Some(rest) = text.strip_prefix(self.text.as_str()) {
            return Some(rest);
        }
        if !self.has_dots {
            return None;
        }
        let mut rest = text.chars();
        for expected in self.text.chars() {
            let c = rest.next()?;
            if c != expected && (expected != '.' || c == '\n') {
                return None;
            }
        }
        Some(rest.as_str())
    }
}

impl Plain {
    /// Whether some text could be matched by this and by another one of the same length, of which the text is given.
    pub(crate) fn meets(&self, other: &str) -> bool {
        let mut pairs = self.text.chars().zip(other.chars());
        pairs.all(|(a, b)| a == b || a == '.' || b == '.')
    }
}

/// A pattern that matches texts as a whole; an empty one matches all.
#[derive(Debug)]
pub(crate) enum Whole {
    Any,
    Plain(Plain),
    Pattern(Pattern),
}

impl Whole {
    pub(crate) fn new(pattern: &str) -> Result<Self> {
        if pattern.is_empty() {
            return Ok(Self::Any);
        }
        match Plain::new(pattern) {
            Some(plain) => Ok(Self::Plain(plain)),
            None => compile(&format!("^(?:{pattern})$")).map(Self::Pattern),
        }
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Plain(plain) => plain.strip(text) == Some(""),
            Self::Pattern(pattern) => pattern.is_match(text),
        }
    }

    /// The one text that matches, if there is only one.
    pub(crate) fn only(&self) -> Option<&str> {
        match self {
            Self::Plain(plain) if !plain.has_dots => Some(&plain.text),
            _ => None,
        }
    }
}

/// Compiles a pattern.
pub(crate) fn compile(pattern: &str) -> Result<Pattern> {
    Pattern::new(pattern)
        .map_err(|error| Error::invalid(format!("error parsing regexp '{pattern}': {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_match_as_the_pattern_would() {
        let texts = [
            "", "web", "web-1", "a.b", "axb", "a\nb", "aéb", "a.bc", "xa.b", "apps/v1",
        ];
        for pattern in ["web", "a.b", "apps/v1", ".", "...", "web-1"] {
            let plain = Whole::new(pattern).unwrap();
            assert!(matches!(plain, Whole::Plain(_)), "{pattern}");
            let compiled = compile(&format!("^(?:{pattern})$")).unwrap();
            for text in texts {
                assert_eq!(plain.matches(text), compiled.is_match(text), "{pattern} {text:?}");
            }
        }
        assert!(matches!(Whole::new("web|api").unwrap(), Whole::Pattern(_)));
    }
}
