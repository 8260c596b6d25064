//! What a plain scalar means: the table of yaml v2, on which sigs.k8s.io/yaml stands, and that of
//! yaml v3, on which kyaml stands.

use crate::number::{parse_go_int, parse_radix, parse_yaml_float};
use crate::timestamp;
use crate::{Style, Tag};

/// Whose table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// sigs.k8s.io/yaml (yaml v2): `yes`, `on` and `y` are booleans, dates are strings.
    Sigs,
    /// kyaml (yaml v3): only `true` and `false` are booleans, dates are timestamps.
    Kyaml,
}

/// The value of a scalar.
#[derive(Clone, Debug, PartialEq)]
pub enum Resolved {
    /// Nothing.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer in the range of `i64` or `u64`.
    Int(i128),
    /// A float; infinities and NaN included.
    Float(f64),
    /// The text itself.
    Str,
    /// A point in time, as RFC 3339 text.
    Timestamp(String),
}

impl Resolved {
    /// The tag that belongs to the value.
    pub fn tag(&self) -> Tag {
        match self {
            Self::Null => Tag::Null,
            Self::Bool(_) => Tag::Bool,
            Self::Int(_) => Tag::Int,
            Self::Float(_) => Tag::Float,
            Self::Str => Tag::Str,
            Self::Timestamp(_) => Tag::Timestamp,
        }
    }
}

/// Resolves a plain scalar without a tag.
pub fn resolve(text: &str, dialect: Dialect) -> Resolved {
    let Some(first) = text.bytes().next() else {
        return Resolved::Null;
    };
    match first {
        b'0'..=b'9' | b'+' | b'-' => resolve_number(text, dialect),
        b'.' => match text {
            ".nan" | ".NaN" | ".NAN" => Resolved::Float(f64::NAN),
            ".inf" | ".Inf" | ".INF" => Resolved::Float(f64::INFINITY),
            _ => parse_yaml_float(text).map_or(Resolved::Str, Resolved::Float),
        },
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => {
            resolve_word(text, dialect)
        }
        _ => Resolved::Str,
    }
}

fn resolve_word(text: &str, dialect: Dialect) -> Resolved {
    match text {
        "~" | "null" | "Null" | "NULL" => Resolved::Null,
        "true" | "True" | "TRUE" => Resolved::Bool(true),
        "false" | "False" | "FALSE" => Resolved::Bool(false),
        _ if dialect == Dialect::Kyaml => Resolved::Str,
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Resolved::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Resolved::Bool(false),
        _ => Resolved::Str,
    }
}

fn resolve_number(text: &str, dialect: Dialect) -> Resolved {
    match text {
        "+.inf" | "+.Inf" | "+.INF" => return Resolved::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Resolved::Float(f64::NEG_INFINITY),
        _ => {}
    }
    if let Some(time) = timestamp::to_rfc3339(text) {
        return Resolved::Timestamp(time);
    }
    let without_underscores;
    let plain = if text.contains('_') {
        without_underscores = text.replace('_', "");
        without_underscores.as_str()
    } else {
        text
    };
    if let Some(value) = parse_go_int(plain) {
        return Resolved::Int(value);
    }
    if let Some(value) = parse_yaml_float(plain) {
        return Resolved::Float(value);
    }
    // `0b-1` and the like: what Go tries once more behind the prefix.
    let prefixes: &[(&str, u32)] = match dialect {
        Dialect::Sigs => &[("0b", 2)],
        Dialect::Kyaml => &[("0b", 2), ("0o", 8)],
    };
    for (prefix, radix) in prefixes {
        if let Some(rest) = plain.strip_prefix(prefix) {
            let (negative, digits) = match rest.strip_prefix('-') {
                Some(digits) => (true, digits),
                None => (false, rest.strip_prefix('+').unwrap_or(rest)),
            };
            if let Some(value) = parse_radix(digits, *radix, negative, digits.len() != rest.len()) {
                return Resolved::Int(value);
            }
        }
    }
    Resolved::Str
}

/// Resolves a scalar as it stands in a tree: its text, type and style.
///
/// An untagged quoted scalar is a string. The sigs.k8s.io/yaml table looks at the notation alone,
/// unless a tag is written out. A type that the text does not fit is an error, in the
/// words that go-yaml uses.
pub fn resolve_tagged(
    text: &str,
    tag: Tag,
    tag_is_explicit: bool,
    style: Style,
    dialect: Dialect,
) -> Result<Resolved, String> {
    // The tag `!`, which says no more than that this is not to be resolved.
    let is_open = tag == Tag::None && tag_is_explicit && dialect == Dialect::Sigs;
    let plain = matches!(style, Style::Plain | Style::Flow) && !is_open;
    // The type that the kyaml table found when the node was read says nothing to the other.
    if tag == Tag::None || (dialect == Dialect::Sigs && !tag_is_explicit) {
        return Ok(if plain {
            resolve(text, dialect)
        } else {
            Resolved::Str
        });
    }
    match tag {
        Tag::Str | Tag::Other | Tag::Binary | Tag::Map | Tag::Seq | Tag::Merge => Ok(Resolved::Str),
        _ => {
            let found = resolve(text, dialect);
            if found.tag() == tag {
                return Ok(if plain || tag_is_explicit {
                    found
                } else {
                    Resolved::Str
                });
            }
            match (&found, tag) {
                // Go makes floats of its signed integers alone.
                #[expect(clippy::cast_precision_loss, reason = "what !!float asks for")]
                (Resolved::Int(value), Tag::Float) if *value <= i64::MAX.into() => {
                    Ok(Resolved::Float(*value as f64))
                }
                _ => Err(format!(
                    "cannot decode {} `{text}` as a {}",
                    found.tag().short(),
                    tag.short()
                )),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, sigs: Resolved, kyaml: Resolved) {
        assert_eq!(resolve(text, Dialect::Sigs), sigs, "sigs: {text}");
        assert_eq!(resolve(text, Dialect::Kyaml), kyaml, "kyaml: {text}");
    }

    fn both(text: &str, expected: Resolved) {
        check(text, expected.clone(), expected);
    }

    #[test]
    fn the_two_tables_differ_on_words_and_agree_on_numbers() {
        for word in ["yes", "on", "y", "Y"] {
            check(word, Resolved::Bool(true), Resolved::Str);
        }
        check("off", Resolved::Bool(false), Resolved::Str);
        both("true", Resolved::Bool(true));
        both("tRue", Resolved::Str);
        both("", Resolved::Null);
        both("0755", Resolved::Int(493));
        both("0o755", Resolved::Int(493));
        both("0b11", Resolved::Int(3));
        both("1_000", Resolved::Int(1000));
        both("0x1F", Resolved::Int(31));
        both("08", Resolved::Float(8.0));
        both("1e3", Resolved::Float(1000.0));
        both("-1", Resolved::Int(-1));
        both("18446744073709551615", Resolved::Int(18_446_744_073_709_551_615));
        both(
            "18446744073709551616",
            Resolved::Float(18_446_744_073_709_551_616.0),
        );
        both(".5", Resolved::Float(0.5));
        both("1.2.3", Resolved::Str);
        both("1:30", Resolved::Str);
        both("-", Resolved::Str);
        both(".inf", Resolved::Float(f64::INFINITY));
        both("<<", Resolved::Str);
        both("2024-01-01", Resolved::Timestamp("2024-01-01T00:00:00Z".into()));
    }

    #[test]
    fn a_type_that_does_not_fit_the_text_is_refused() {
        let error = resolve_tagged("abc", Tag::Int, false, Style::Plain, Dialect::Kyaml);
        assert_eq!(error, Err("cannot decode !!str `abc` as a !!int".into()));
    }
}
