//! What each form does with a value.

use crate::error::Problem;
use crate::glob::Glob;
use crate::template::MAX_OUTPUT_BYTES;

/// The form of a `${…}` expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    /// `${v}`
    Plain,
    /// `${v:-d}` and its kin; `${v:+d}` and `${v:?d}` mean the same here.
    Default,
    /// `${#v}`
    Length,
    /// `${v^}`
    UpperFirst,
    /// `${v^^}`
    Upper,
    /// `${v,}`
    LowerFirst,
    /// `${v,,}`
    Lower,
    /// `${v:n}` and `${v:n:len}`
    Substring,
    /// `${v#p}`
    TrimShortestPrefix,
    /// `${v##p}`
    TrimLongestPrefix,
    /// `${v%p}`
    TrimShortestSuffix,
    /// `${v%%p}`
    TrimLongestSuffix,
    /// `${v/a/b}`
    ReplaceFirst,
    /// `${v//a/b}`
    ReplaceAll,
    /// `${v/#a/b}`
    ReplacePrefix,
    /// `${v/%a/b}`
    ReplaceSuffix,
}

impl Function {
    /// The result for `value` with the evaluated arguments.
    pub(crate) fn apply(self, value: &str, arguments: &[String]) -> Result<String, Problem> {
        let first = arguments.first().map(String::as_str);
        let second = arguments.get(1).map(String::as_str);
        Ok(match (self, first) {
            (Self::Default, _) if value.is_empty() => arguments.concat(),
            (Self::Length, _) => value.len().to_string(),
            (Self::Upper, _) => value.chars().map(upper).collect(),
            (Self::Lower, _) => value.chars().map(lower).collect(),
            (Self::UpperFirst, _) => map_first(value, upper),
            (Self::LowerFirst, _) => map_first(value, lower),
            (Self::Substring, Some(from)) => substring(value, from, second)?.to_owned(),
            (Self::TrimShortestPrefix, Some(pattern)) => trim_prefix(value, pattern, false).to_owned(),
            (Self::TrimLongestPrefix, Some(pattern)) => trim_prefix(value, pattern, true).to_owned(),
            (Self::TrimShortestSuffix, Some(pattern)) => trim_suffix(value, pattern, false),
            (Self::TrimLongestSuffix, Some(pattern)) => trim_suffix(value, pattern, true),
            (Self::ReplaceFirst, Some(old)) => value.replacen(old, second.unwrap_or_default(), 1),
            (Self::ReplaceAll, Some(old)) => replace_all(value, old, second.unwrap_or_default())?,
            (Self::ReplacePrefix, Some(old)) => match (value.strip_prefix(old), second) {
                (Some(rest), Some(new)) => format!("{new}{rest}"),
                _ => value.to_owned(),
            },
            (Self::ReplaceSuffix, Some(old)) => match (value.strip_suffix(old), second) {
                (Some(rest), Some(new)) => format!("{rest}{new}"),
                _ => value.to_owned(),
            },
            _ => value.to_owned(),
        })
    }
}

/// One character for one, as Go maps case: `ß` stays.
fn upper(c: char) -> char {
    single(c.to_uppercase()).unwrap_or(c)
}

fn lower(c: char) -> char {
    // The one letter whose lower case is two characters in Unicode's full mapping and one in the simple one.
    if c == '\u{130}' {
        'i'
    } else {
        single(c.to_lowercase()).unwrap_or(c)
    }
}

fn single(mut mapped: impl Iterator<Item = char>) -> Option<char> {
    mapped.next().filter(|_| mapped.next().is_none())
}

fn map_first(value: &str, map: fn(char) -> char) -> String {
    let mut rest = value.chars();
    rest.next()
        .map_or_else(String::new, |first| format!("{}{}", map(first), rest.as_str()))
}

/// Bytes from `from`, which counts from the end when negative, `length` of them, or up to `length` before
/// the end when that is negative. Arguments that are no numbers leave the value as it is.
fn substring<'v>(value: &'v str, from: &str, length: Option<&str>) -> Result<&'v str, Problem> {
    let size = i64::try_from(value.len()).unwrap_or(i64::MAX);
    let Ok(from) = from.parse::<i64>() else {
        return Ok(value);
    };
    let from = if from < 0 {
        size.saturating_add(from).max(0)
    } else {
        from
    };
    let end = match length {
        None => size,
        Some(length) => match length.parse::<i64>() {
            Err(_) => return Ok(value),
            Ok(length) if length < 0 => size.saturating_add(length),
            Ok(length) => from.saturating_add(length).min(size),
        },
    };
    if from >= end {
        return Ok("");
    }
    let range = (usize::try_from(from).ok()).zip(usize::try_from(end).ok());
    range
        .and_then(|(from, end)| value.get(from..end))
        .ok_or(Problem::CutsCharacter)
}

fn trim_prefix<'v>(value: &'v str, pattern: &str, longest: bool) -> &'v str {
    let Some(glob) = Glob::parse(pattern) else {
        return value;
    };
    let mut prefixes = glob.prefixes(value);
    let end = if longest { prefixes.last() } else { prefixes.next() };
    end.and_then(|end| value.get(end..)).unwrap_or(value)
}

/// Upstream reverses value and pattern, with the effect that escapes and classes in a suffix pattern mean
/// nothing sensible; kept, so that the same patterns match.
fn trim_suffix(value: &str, pattern: &str, longest: bool) -> String {
    let reversed: String = value.chars().rev().collect();
    let pattern: String = pattern.chars().rev().collect();
    trim_prefix(&reversed, &pattern, longest).chars().rev().collect()
}

/// Checks the size before building the text: a long value can be put into itself.
fn replace_all(value: &str, old: &str, new: &str) -> Result<String, Problem> {
    let added = value.matches(old).count().saturating_mul(new.len());
    if value.len().saturating_add(added) > MAX_OUTPUT_BYTES {
        return Err(Problem::TooLong);
    }
    Ok(value.replace(old, new))
}
