//! Character classes: ranges, Perl's and POSIX's named ones, Unicode's.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, HirKind};

use crate::scripts::{CATEGORIES, CATEGORY_ALIASES, SCRIPTS};

const DIGIT: &[(char, char)] = &[('0', '9')];
const SPACE: &[(char, char)] = &[('\t', '\n'), ('\x0c', '\r'), (' ', ' ')];
const WORD: &[(char, char)] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];

const POSIX: &[(&str, &[(char, char)])] = &[
    ("alnum", &[('0', '9'), ('A', 'Z'), ('a', 'z')]),
    ("alpha", &[('A', 'Z'), ('a', 'z')]),
    ("ascii", &[('\0', '\x7f')]),
    ("blank", &[('\t', '\t'), (' ', ' ')]),
    ("cntrl", &[('\0', '\x1f'), ('\x7f', '\x7f')]),
    ("digit", DIGIT),
    ("graph", &[('!', '~')]),
    ("lower", &[('a', 'z')]),
    ("print", &[(' ', '~')]),
    ("punct", &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')]),
    ("space", &[('\t', '\r'), (' ', ' ')]),
    ("upper", &[('A', 'Z')]),
    ("word", WORD),
    ("xdigit", &[('0', '9'), ('A', 'F'), ('a', 'f')]),
];

/// The class of code points from `low` to `high`; surrogates, which no text holds, are left out.
pub(crate) fn range(low: u32, high: u32) -> ClassUnicode {
    let mut class = ClassUnicode::empty();
    for (low, high) in [(low, high.min(0xD7FF)), (low.max(0xE000), high)] {
        if let (Some(low), Some(high)) = (char::from_u32(low), char::from_u32(high))
            && low <= high
        {
            class.push(ClassUnicodeRange::new(low, high));
        }
    }
    class
}

/// The class in the `regex` crate's syntax. Every character is written by its number, so that none can mean
/// something else.
pub(crate) fn written(class: &ClassUnicode) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    let code = u32::from;
    // Writing to a String cannot fail.
    match class.ranges() {
        // No character at all: an intersection of two that share none.
        [] => out.push_str("[a&&b]"),
        [only] if only.start() == only.end() => {
            let _ = write!(out, "\\x{{{:x}}}", code(only.start()));
        }
        ranges => {
            out.push('[');
            for range in ranges {
                let _ = write!(
                    out,
                    "\\x{{{:x}}}-\\x{{{:x}}}",
                    code(range.start()),
                    code(range.end())
                );
            }
            out.push(']');
        }
    }
    out
}

/// `\d` and its kin, by their letter.
pub(crate) fn perl(letter: char, fold: bool) -> Option<ClassUnicode> {
    let ranges = match letter.to_ascii_lowercase() {
        'd' => DIGIT,
        's' => SPACE,
        'w' => WORD,
        _ => return None,
    };
    Some(group(ranges, fold, letter.is_ascii_uppercase()))
}

/// `[:alpha:]` and its kin, by what stands between the colons.
pub(crate) fn posix(name: &str, fold: bool) -> Option<ClassUnicode> {
    let (name, negated) = match name.strip_prefix('^') {
        Some(name) => (name, true),
        None => (name, false),
    };
    let (_, ranges) = POSIX.iter().find(|(known, _)| *known == name)?;
    Some(group(ranges, fold, negated))
}

/// `\p{Greek}` and its kin, by the name, compared as Unicode's TR18 asks: without regard to case, spaces,
/// hyphens and underscores.
pub(crate) fn unicode(name: &str, fold: bool, negated: bool) -> Option<ClassUnicode> {
    let wanted = loose(name);
    let mut class = match wanted.as_str() {
        "any" => range(0, 0x0010_FFFF),
        "ascii" => range(0, 0x7F),
        "assigned" => {
            let mut class = property("gc=Cn")?;
            class.negate();
            class
        }
        // Surrogates: no text holds one, and the `regex` crate has no such class.
        "cs" | "surrogate" => ClassUnicode::empty(),
        _ => property(&canonical(&wanted)?)?,
    };
    if fold {
        class.case_fold_simple();
    }
    if negated {
        class.negate();
    }
    Some(class)
}

fn group(ranges: &[(char, char)], fold: bool, negated: bool) -> ClassUnicode {
    let ranges = ranges
        .iter()
        .map(|(low, high)| ClassUnicodeRange::new(*low, *high));
    let mut class = ClassUnicode::new(ranges);
    if fold {
        class.case_fold_simple();
    }
    if negated {
        class.negate();
    }
    class
}

fn loose(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, '_' | '-' | ' '))
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// The query for a name that Go knows.
fn canonical(wanted: &str) -> Option<String> {
    let same = |known: &&&str| loose(known) == wanted;
    if let Some(category) = CATEGORIES.iter().find(same) {
        return Some(format!("gc={category}"));
    }
    if let Some(script) = SCRIPTS.iter().find(same) {
        return Some(format!("sc={script}"));
    }
    let (_, category) = CATEGORY_ALIASES
        .iter()
        .find(|(known, _)| loose(known) == wanted)?;
    Some(format!("gc={category}"))
}

fn property(query: &str) -> Option<ClassUnicode> {
    let hir = regex_syntax::parse(&format!(r"\p{{{query}}}")).ok()?;
    match hir.into_kind() {
        HirKind::Class(Class::Unicode(class)) => Some(class),
        // A class of a single character is read as that character.
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).ok()?;
            let ranges = text.chars().map(|c| ClassUnicodeRange::new(c, c));
            Some(ClassUnicode::new(ranges))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_name_is_a_class() {
        let aliases = CATEGORY_ALIASES.iter().map(|(alias, _)| alias);
        for name in CATEGORIES.iter().chain(SCRIPTS).chain(aliases) {
            assert!(unicode(name, false, false).is_some(), "{name}");
        }
    }

    #[test]
    fn names_that_go_does_not_know_are_refused() {
        for name in ["", "Grek", "Alphabetic", "gc=L", "L&", "IsGreek"] {
            assert!(unicode(name, false, false).is_none(), "{name}");
        }
    }
}
