//! Hiding known secret values in text.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroize;

use crate::MASK;

/// Values shorter than this (in bytes) are hidden only where they stand as a word of their own: hiding every
/// `1` of a text would make it unreadable and hide nothing.
const SHORTEST_ANYWHERE: usize = 4;

/// Encoded forms and single lines shorter than this (in bytes) are not looked for, for the same reason.
const SHORTEST_DERIVED: usize = 6;

/// A set of known secret values that hides them in any text.
///
/// A value is found as it is, in base64 (both alphabets, also as the middle of a longer encoded text, as in a
/// docker `auth` entry), percent-encoded, escaped as in JSON, and line by line when it has several lines.
/// Values under four bytes are found only as whole words. Printing the set shows how many values it holds.
#[derive(Clone, Default)]
pub struct Mask {
    /// What to look for, in no particular order; a set so that adding a value twice costs nothing.
    needles: BTreeSet<Vec<u8>>,
    /// Short values, found as whole words.
    words: BTreeSet<Vec<u8>>,
}

impl Mask {
    /// Adds a secret text. An empty one is ignored.
    pub fn add(&mut self, value: &str) {
        self.add_bytes(value.as_bytes());
    }

    /// Adds secret bytes, which need not be text.
    pub fn add_bytes(&mut self, value: &[u8]) {
        self.add_form(value);
        let trimmed = value.trim_ascii();
        if trimmed.len() < value.len() {
            self.add_form(trimmed);
        }
        if trimmed.contains(&b'\n') {
            for line in trimmed.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii) {
                if line.len() >= SHORTEST_DERIVED {
                    self.needles.insert(line.to_vec());
                }
            }
        }
        for mut form in encoded(value) {
            if form.len() >= SHORTEST_DERIVED {
                self.needles.insert(form);
            } else {
                form.zeroize();
            }
        }
    }

    /// Whether no value has been added.
    pub fn is_empty(&self) -> bool {
        self.needles.is_empty() && self.words.is_empty()
    }

    /// `text` with every known value replaced by [`MASK`]. Values that overlap are hidden together.
    pub fn apply<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut found: Vec<Range<usize>> = Vec::new();
        for needle in &self.needles {
            found.extend(occurrences(text.as_bytes(), needle));
        }
        for word in &self.words {
            found.extend(occurrences(text.as_bytes(), word).filter(|range| stands_alone(text, range)));
        }
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        found.sort_by_key(|range| (range.start, range.end));
        Cow::Owned(replace(text, &found))
    }

    fn add_form(&mut self, value: &[u8]) {
        if value.len() >= SHORTEST_ANYWHERE {
            self.needles.insert(value.to_vec());
        } else if !value.is_empty() {
            self.words.insert(value.to_vec());
        }
    }
}

impl Drop for Mask {
    fn drop(&mut self) {
        for mut value in std::mem::take(&mut self.needles)
            .into_iter()
            .chain(std::mem::take(&mut self.words))
        {
            value.zeroize();
        }
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mask({} forms)", self.needles.len() + self.words.len())
    }
}

impl<S: AsRef<str>> FromIterator<S> for Mask {
    fn from_iter<I: IntoIterator<Item = S>>(values: I) -> Self {
        let mut mask = Self::default();
        for value in values {
            mask.add(value.as_ref());
        }
        mask
    }
}

/// The forms in which `value` may stand inside other formats.
fn encoded(value: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        // Whole: as a Secret's `data` shows it. Padding that follows is no secret.
        forms.push(engine.encode(value).into_bytes());
        // As the middle of something longer, at each of the three alignments: the characters that depend on
        // this value only.
        for shift in 0..3_usize {
            let mut padded = vec![0_u8; shift];
            padded.extend_from_slice(value);
            let text = engine.encode(&padded).into_bytes();
            let first = (shift * 8).div_ceil(6);
            let last = padded.len() * 8 / 6;
            if let Some(middle) = text.get(first..last) {
                forms.push(middle.to_vec());
            }
            padded.zeroize();
        }
    }
    if let Ok(text) = std::str::from_utf8(value) {
        forms.push(
            url::form_urlencoded::byte_serialize(value)
                .collect::<String>()
                .into_bytes(),
        );
        forms.push(percent(value).into_bytes());
        let quoted_otherwise = |c: char| c.is_control() || "\"\\<>&\u{2028}\u{2029}".contains(c);
        let styles = if text.contains(quoted_otherwise) {
            Style::ALL
        } else {
            &[]
        };
        for &style in styles {
            let once = escaped(text, style);
            // Within what is quoted itself: a message in an event, an object in a message.
            forms.push(escaped(&once, Style::Json).into_bytes());
            forms.push(once.into_bytes());
        }
    }
    forms.retain(|form| form.as_slice() != value);
    forms
}

/// `value` with everything but RFC 3986's unreserved characters as `%XX`.
fn percent(value: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for byte in value {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            out.push(char::from(*byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Whose quotes a text stands between.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// JSON's, and those of double-quoted YAML.
    Json,
    /// JSON's as Go writes it, safe within HTML.
    Html,
    /// Go's `%q`, as API servers quote values.
    Go,
    /// Rust's `{:?}`.
    Rust,
}

impl Style {
    const ALL: &'static [Self] = &[Self::Json, Self::Html, Self::Go, Self::Rust];
}

/// `value` as it stands between quotes.
fn escaped(value: &str, style: Style) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for c in value.chars() {
        let code = u32::from(c);
        // Writing to a String cannot fail.
        let _written = match (c, style) {
            ('"', _) => write!(out, "\\\""),
            ('\\', _) => write!(out, "\\\\"),
            ('\n', _) => write!(out, "\\n"),
            ('\r', _) => write!(out, "\\r"),
            ('\t', _) => write!(out, "\\t"),
            ('\u{7}', Style::Go) => write!(out, "\\a"),
            ('\u{8}', Style::Rust) => write!(out, "\\u{{8}}"),
            ('\u{8}', _) => write!(out, "\\b"),
            ('\u{c}', Style::Rust) => write!(out, "\\u{{c}}"),
            ('\u{c}', _) => write!(out, "\\f"),
            ('\u{b}', Style::Go) => write!(out, "\\v"),
            ('<' | '>' | '&' | '\u{2028}' | '\u{2029}', Style::Html) => write!(out, "\\u{code:04x}"),
            (_, Style::Json | Style::Html) if code < 0x20 => write!(out, "\\u{code:04x}"),
            (_, Style::Go) if code < 0x20 || code == 0x7f => write!(out, "\\x{code:02x}"),
            (_, Style::Rust) if code < 0x20 || code == 0x7f => write!(out, "\\u{{{code:x}}}"),
            _ => write!(out, "{c}"),
        };
    }
    out
}

/// Every place where `needle` stands in `text`, overlapping ones included.
fn occurrences<'a>(text: &'a [u8], needle: &'a [u8]) -> impl Iterator<Item = Range<usize>> + 'a {
    let first = needle.first().copied();
    text.iter()
        .enumerate()
        .filter(move |(_, byte)| Some(**byte) == first)
        .filter_map(move |(at, _)| {
            let end = at.checked_add(needle.len())?;
            (text.get(at..end)? == needle).then_some(at..end)
        })
}

fn stands_alone(text: &str, range: &Range<usize>) -> bool {
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let before = text.get(..range.start).and_then(|part| part.chars().next_back());
    let after = text.get(range.end..).and_then(|part| part.chars().next());
    !word(before) && !word(after)
}

/// `text` with the sorted ranges replaced, joining those that overlap. Ranges of bytes that cut a
/// character are widened to whole characters.
fn replace(text: &str, found: &[Range<usize>]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut masked_to = 0;
    for range in found {
        let start = text.floor_char_boundary(range.start);
        let end = text.ceil_char_boundary(range.end);
        if start >= masked_to {
            out.push_str(text.get(masked_to..start).unwrap_or_default());
            out.push_str(MASK);
        }
        masked_to = masked_to.max(end);
    }
    out.push_str(text.get(masked_to..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::*;

    fn mask(values: &[&str]) -> Mask {
        values.iter().collect()
    }

    #[test]
    fn n56_plain_and_base64_forms_are_hidden() {
        let mask = mask(&["correct-horse"]);
        assert_eq!(mask.apply("x correct-horse y"), "x ***** y");
        assert_eq!(mask.apply("data: Y29ycmVjdC1ob3JzZQ=="), "data: *****==");
        let auth = STANDARD.encode("robot:correct-horse");
        assert!(mask.apply(&auth).contains(MASK), "{auth}");
    }

    #[test]
    fn n56_lines_escapes_and_percent_forms_are_hidden() {
        let mask = mask(&["first line\nsecond \"line\"\n", "p@ss/word"]);
        assert_eq!(
            mask.apply("  first line\n  second \"line\"\n"),
            "  *****\n  *****\n"
        );
        assert_eq!(mask.apply(r#""first line\nsecond \"line\"\n""#), r#""*****""#);
        assert_eq!(mask.apply("https://u:p%40ss%2Fword@h"), "https://u:*****@h");
    }

    #[test]
    fn n56_quoted_forms_are_hidden() {
        let mask = mask(&["<tab>\t\u{1} & \u{7f}"]);
        for quoted in [
            r#""<tab>\t\u0001 & ""#.replace("& ", "& \u{7f}"),
            r#""\u003ctab\u003e\t\u0001 \u0026 "#.to_owned() + "\u{7f}\"",
            r#""<tab>\t\x01 & \x7f""#.to_owned(),
            format!("{:?}", "<tab>\t\u{1} & \u{7f}"),
        ] {
            assert_eq!(mask.apply(&quoted), r#""*****""#, "{quoted}");
        }
        let message = r#"{"message":"got \"<tab>\\t\\u0001 & \""}"#.replace("& ", "& \u{7f}");
        assert_eq!(mask.apply(&message), r#"{"message":"got \"*****\""}"#);
    }

    #[test]
    fn overlapping_values_are_hidden_together() {
        assert_eq!(mask(&["abcdef", "defghi"]).apply("-abcdefghi-"), "-*****-");
        assert_eq!(mask(&["aaaa"]).apply("aaaaaa"), "*****");
        assert_eq!(mask(&["abcd"]).apply("abcdabcd"), "**********");
    }

    #[test]
    fn short_values_are_hidden_as_words_only() {
        assert_eq!(mask(&["on"]).apply("one on one"), "one ***** one");
        assert_eq!(mask(&[""]).apply("text"), "text");
        assert!(mask(&[""]).is_empty());
    }

    #[test]
    fn printing_the_set_shows_no_value() {
        assert!(!format!("{:?}", mask(&["correct-horse"])).contains("horse"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: proptest::test_runner::RngSeed::Fixed(56), ..ProptestConfig::default() })]

        #[test]
        fn n56_no_known_value_survives(
            secrets in proptest::collection::vec("[a-zA-Z0-9+/=:é\n\"]{4,20}", 1..4),
            parts in proptest::collection::vec("[ -~é\n]{0,12}", 1..5),
        ) {
            let mask: Mask = secrets.iter().collect();
            let mut text = String::new();
            for (index, part) in parts.iter().enumerate() {
                text.push_str(part);
                let secret = secrets.get(index % secrets.len()).map(String::as_str).unwrap_or_default();
                text.push_str(secret);
                text.push_str(&STANDARD.encode(secret));
            }
            let shown = mask.apply(&text);
            for secret in &secrets {
                prop_assert!(!shown.contains(secret.as_str()), "{secret:?} in {shown:?}");
                prop_assert!(!shown.contains(&STANDARD.encode(secret)), "{secret:?} encoded in {shown:?}");
            }
        }
    }
}
