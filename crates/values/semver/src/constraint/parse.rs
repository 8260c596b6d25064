//! Reading constraints.
//!
//! The Go library does this with four regular expressions. Their language is small: a group is a row of
//! `operator? version`, separated by white space or by one comma, where a version may hold wildcards. What is
//! odd in them is kept, because users' constraints were accepted by it: `|` counts as a version character
//! (which matters only inside hyphen ranges, since groups are split at `||` first), and a hyphen range is
//! rewritten in the text before anything else is read.

use super::{Constraint, ConstraintError, Group, MAX_CONSTRAINT_BYTES, MAX_CONSTRAINT_GROUPS};
use super::{Operator, Part, Precision};
use crate::version::{Loose, Version};

/// Longest first, so that `>=` is not read as `>`.
const OPERATORS: &[(&str, Operator)] = &[
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterEqual),
    ("=>", Operator::GreaterEqual),
    ("<=", Operator::LessEqual),
    ("=<", Operator::LessEqual),
    ("~>", Operator::Tilde),
    ("=", Operator::TildeOrEqual),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
    ("", Operator::TildeOrEqual),
];

pub(super) fn constraint(text: &str) -> Result<Constraint, ConstraintError> {
    if text.len() > MAX_CONSTRAINT_BYTES {
        return Err(ConstraintError::TooLong);
    }
    let text = rewrite_ranges(text);
    if text.split("||").count() > MAX_CONSTRAINT_GROUPS {
        return Err(ConstraintError::TooManyGroups);
    }
    let groups = text.split("||").map(group).collect::<Result<_, _>>()?;
    Ok(Constraint {
        groups,
        include_prereleases: false,
    })
}

fn group(text: &str) -> Result<Group, ConstraintError> {
    let improper = || ConstraintError::Improper(text.to_owned());
    // The shape of the whole group is checked before any version in it.
    let mut written = Vec::new();
    let mut rest = skip_space(text);
    loop {
        let (part, after) = take_part(rest).ok_or_else(improper)?;
        written.push(part);
        let spaced = skip_space(after);
        rest = match spaced.strip_prefix(',') {
            Some(after_comma) => skip_space(after_comma),
            None if spaced.is_empty() => break,
            None if spaced.len() < after.len() => spaced,
            None => return Err(improper()),
        };
    }
    let parts: Vec<Part> = written.into_iter().map(part).collect::<Result<_, _>>()?;
    let names_prerelease = parts.iter().any(|part| !part.version.prerelease().is_empty());
    Ok(Group {
        parts,
        names_prerelease,
    })
}

/// A comparison as written.
struct Written<'t> {
    sign: &'static str,
    operator: Operator,
    version: &'t str,
    pieces: Loose<'t>,
}

fn take_part(text: &str) -> Option<(Written<'_>, &str)> {
    let (sign, operator, rest) = OPERATORS
        .iter()
        .find_map(|(sign, operator)| Some((*sign, *operator, text.strip_prefix(sign)?)))?;
    let rest = skip_space(rest);
    let (pieces, after) = Loose::take(rest, is_version_character)?;
    let version = rest.get(..rest.len() - after.len())?;
    Some((
        Written {
            sign,
            operator,
            version,
            pieces,
        },
        after,
    ))
}

fn part(written: Written<'_>) -> Result<Part, ConstraintError> {
    let pieces = &written.pieces;
    let pre = pieces.pre.map(|pre| format!("-{pre}")).unwrap_or_default();
    let (precision, version) = match (pieces.major, pieces.minor, pieces.patch) {
        (major, _, _) if is_wildcard(major) => (Precision::Nothing, format!("0.0.0{pre}")),
        (major, minor, _) if minor.is_none_or(is_wildcard) => (Precision::Major, format!("{major}.0.0{pre}")),
        (major, Some(minor), patch) if patch.is_none_or(is_wildcard) => {
            (Precision::Minor, format!("{major}.{minor}.0{pre}"))
        }
        _ => (Precision::Full, written.version.to_owned()),
    };
    Ok(Part {
        operator: written.operator,
        written_operator: written.sign,
        written: written.version.to_owned(),
        version: Version::parse(&version).map_err(|_| ConstraintError::Version)?,
        precision,
    })
}

fn is_wildcard(text: &str) -> bool {
    matches!(text, "x" | "X" | "*")
}

fn is_version_character(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '|' | 'x' | 'X' | '*')
}

/// What Go's `\s` matches.
fn is_space(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\x0c' | '\r' | ' ')
}

fn skip_space(text: &str) -> &str {
    text.trim_start_matches(is_space)
}

/// Turns each `A - B` into `>= A, <= B `.
fn rewrite_ranges(text: &str) -> String {
    let mut out = text.to_owned();
    let mut rest = text;
    while let Some(range) = find_range(rest) {
        let replacement = format!(">= {}, <= {} ", range.from, range.to);
        // The first place with this text, as upstream does; it is the same place but for repeated ranges, for
        // which it makes no difference.
        out = out.replacen(range.whole, &replacement, 1);
        rest = range.after;
    }
    out
}

struct HyphenRange<'t> {
    whole: &'t str,
    from: &'t str,
    to: &'t str,
    after: &'t str,
}

/// The first `version - version` of `text`, with the white space around it.
fn find_range(text: &str) -> Option<HyphenRange<'_>> {
    let mut at = 0;
    loop {
        // One word at a time: the first version ends with its word, and the hyphen is a word of its own.
        let rest = text.get(at..)?;
        let word_start = at + (rest.len() - skip_space(rest).len());
        let word = text
            .get(word_start..)?
            .split(is_space)
            .next()
            .filter(|word| !word.is_empty())?;
        let word_end = word_start + word.len();
        if let Some(range) = range_at(text, at, word_start, word_end) {
            return Some(range);
        }
        at = word_end;
    }
}

fn range_at(text: &str, from: usize, word_start: usize, word_end: usize) -> Option<HyphenRange<'_>> {
    let after_word = text.get(word_end..)?;
    let hyphen = skip_space(after_word).strip_prefix('-')?;
    let second = skip_space(hyphen);
    if second.len() == hyphen.len() {
        return None;
    }
    let (_, after_second) = Loose::take(second, is_version_character)?;
    let to = second.get(..second.len() - after_second.len())?;
    // The version may start inside the word, as in `>=1.0 - 2.0`.
    let word = text.get(word_start..word_end)?;
    let (offset, version) = word.char_indices().find_map(|(offset, _)| {
        let tail = word.get(offset..)?;
        let (_, rest) = Loose::take(tail, is_version_character)?;
        rest.is_empty().then_some((offset, tail))
    })?;
    let start = if offset == 0 { from } else { word_start + offset };
    let after = skip_space(after_second);
    let whole = text.get(start..text.len() - after.len())?;
    Some(HyphenRange {
        whole,
        from: version,
        to,
        after,
    })
}
