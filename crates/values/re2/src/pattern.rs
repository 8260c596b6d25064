//! A compiled pattern and what can be asked of it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::error::{ErrorCode, PatternError};
use crate::expand;
use crate::parse::{Parsed, parse};

/// The most memory a compiled pattern may take, in bytes. Large enough for a thousand Unicode letters in a
/// row; a pattern that needs more is refused as too large.
const COMPILED_LIMIT: usize = 64 << 20;

/// How deep the translated pattern may nest. Each level of the pattern becomes at most a few of the
/// translation, and the depth of the pattern itself is limited while reading.
const NEST_LIMIT: u32 = 10_000;

/// A compiled pattern, cheap to clone.
#[derive(Clone)]
pub struct Pattern {
    source: String,
    regex: regex::Regex,
    names: Arc<[Option<String>]>,
}

/// A place where a pattern matches.
pub type Match<'t> = regex::Match<'t>;

/// The groups of one match.
#[derive(Debug)]
pub struct Captures<'t> {
    groups: regex::Captures<'t>,
    names: Arc<[Option<String>]>,
}

impl<'t> Captures<'t> {
    /// The group of that number, if it took part in the match. Number 0 is the whole match.
    pub fn get(&self, index: usize) -> Option<Match<'t>> {
        self.groups.get(index)
    }

    /// The first group of that name that took part in the match.
    pub fn name(&self, name: &str) -> Option<Match<'t>> {
        let named = self
            .names
            .iter()
            .enumerate()
            .filter(|(_, known)| known.as_deref() == Some(name));
        named.map(|(index, _)| index).find_map(|index| self.get(index))
    }

    /// Every group, the whole match first; those that did not take part are nothing.
    pub fn iter(&self) -> impl Iterator<Item = Option<Match<'t>>> + '_ {
        self.groups.iter()
    }
}

impl Pattern {
    /// Reads and compiles a pattern.
    ///
    /// # Errors
    /// When Go would refuse it, or when it is too large once compiled.
    pub fn new(source: &str) -> Result<Self, PatternError> {
        let Parsed { translated, names } = parse(source)?;
        let too_large = || PatternError::new(ErrorCode::Large, source);
        // The translation means the same, so what can go wrong here is its size only.
        let mut builder = regex::RegexBuilder::new(&translated);
        builder.size_limit(COMPILED_LIMIT).nest_limit(NEST_LIMIT);
        let regex = builder.build().map_err(|_| too_large())?;
        Ok(Self {
            source: source.to_owned(),
            regex,
            names: names.into(),
        })
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// Whether it matches anywhere in `text`. Anchors are up to the pattern.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// The first match.
    pub fn find<'t>(&self, text: &'t str) -> Option<Match<'t>> {
        self.regex.find(text)
    }

    /// All matches that do not overlap, in order.
    pub fn find_iter<'t>(&self, text: &'t str) -> impl Iterator<Item = Match<'t>> {
        self.regex.find_iter(text)
    }

    /// The first match with its groups.
    pub fn captures<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        let groups = self.regex.captures(text)?;
        Some(Captures {
            groups,
            names: Arc::clone(&self.names),
        })
    }

    /// All matches that do not overlap, with their groups, in order.
    pub fn captures_iter<'t>(&self, text: &'t str) -> impl Iterator<Item = Captures<'t>> {
        let groups = self.regex.captures_iter(text);
        groups.map(|groups| Captures {
            groups,
            names: Arc::clone(&self.names),
        })
    }

    /// The names of the groups, by number; the first is the whole match and has none.
    pub fn capture_names(&self) -> impl Iterator<Item = Option<&str>> {
        self.names.iter().map(Option::as_deref)
    }

    /// `template` with `$1`, `${name}` and their kin replaced from `captures`, as Go's `Expand`.
    pub fn expand(&self, template: &str, captures: &Captures<'_>) -> String {
        let mut out = String::new();
        expand::expand(template, captures, &mut out);
        out
    }

    /// `text` with every match replaced by `template`, as Go's `ReplaceAllString`.
    pub fn replace_all(&self, text: &str, template: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut copied = 0;
        for groups in self.regex.captures_iter(text) {
            let captures = Captures {
                groups,
                names: Arc::clone(&self.names),
            };
            let Some(whole) = captures.get(0) else { continue };
            out.push_str(text.get(copied..whole.start()).unwrap_or_default());
            expand::expand(template, &captures, &mut out);
            copied = whole.end();
        }
        out.push_str(text.get(copied..).unwrap_or_default());
        out
    }

    /// The same with a replacement that is taken as it is, as Go's `ReplaceAllLiteralString`.
    pub fn replace_all_literal(&self, text: &str, replacement: &str) -> String {
        self.regex
            .replace_all(text, regex::NoExpand(replacement))
            .into_owned()
    }

    /// The parts of `text` between matches, at most `limit` of them when there is one, as Go's `Split`.
    pub fn split<'t>(&self, text: &'t str, limit: Option<usize>) -> Vec<&'t str> {
        if limit == Some(0) {
            return Vec::new();
        }
        if text.is_empty() && !self.source.is_empty() {
            return vec![""];
        }
        let mut parts = Vec::new();
        let (mut begin, mut end) = (0, 0);
        for found in self.find_iter(text).take(limit.unwrap_or(usize::MAX)) {
            if limit.is_some_and(|limit| parts.len() + 1 == limit) {
                break;
            }
            end = found.start();
            // An empty match at the very start splits nothing off.
            if found.end() != 0 {
                parts.push(text.get(begin..end).unwrap_or_default());
            }
            begin = found.end();
        }
        if end != text.len() {
            parts.push(text.get(begin..).unwrap_or_default());
        }
        parts
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({:?})", self.source)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Pattern {}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(source: &str) -> Result<Self, PatternError> {
        Self::new(source)
    }
}

/// A pattern that matches `text` and nothing else, as Go's `QuoteMeta`.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
