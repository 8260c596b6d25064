//! Go's classes of characters.

use std::sync::LazyLock;

use weir_re2::Pattern;

static LETTER: LazyLock<Option<Pattern>> = LazyLock::new(|| Pattern::new(r"^\pL$").ok());
static DIGIT: LazyLock<Option<Pattern>> = LazyLock::new(|| Pattern::new(r"^\p{Nd}$").ok());
static PRINT: LazyLock<Option<Pattern>> = LazyLock::new(|| Pattern::new(r"^[\pL\pM\pN\pP\pS]$").ok());
static UPPER: LazyLock<Option<Pattern>> = LazyLock::new(|| Pattern::new(r"^\p{Lu}$").ok());
static NUMBER: LazyLock<Option<Pattern>> = LazyLock::new(|| Pattern::new(r"^\pN$").ok());
static PUNCT: LazyLock<Option<Pattern>> = LazyLock::new(|| Pattern::new(r"^\pP$").ok());
static TITLE: LazyLock<Option<Pattern>> = LazyLock::new(|| Pattern::new(r"^\p{Lt}$").ok());
static LOWER: LazyLock<Option<Pattern>> = LazyLock::new(|| Pattern::new(r"^\p{Ll}$").ok());

fn is(pattern: &LazyLock<Option<Pattern>>, c: char) -> bool {
    let mut buffer = [0; 4];
    pattern
        .as_ref()
        .is_some_and(|pattern| pattern.is_match(c.encode_utf8(&mut buffer)))
}

/// `unicode.IsLetter`
pub(crate) fn is_letter(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphabetic()
    } else {
        is(&LETTER, c)
    }
}

/// `unicode.IsDigit`
pub(crate) fn is_digit(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_digit()
    } else {
        is(&DIGIT, c)
    }
}

/// `unicode.IsNumber`
pub(crate) fn is_number(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_digit()
    } else {
        is(&NUMBER, c)
    }
}

/// `unicode.IsPunct`
pub(crate) fn is_punct(c: char) -> bool {
    is(&PUNCT, c)
}

/// `unicode.IsTitle`
pub(crate) fn is_title(c: char) -> bool {
    !c.is_ascii() && is(&TITLE, c)
}

/// `unicode.IsUpper`
pub(crate) fn is_upper(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_uppercase()
    } else {
        is(&UPPER, c)
    }
}

/// `unicode.IsLower`
pub(crate) fn is_lower(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_lowercase()
    } else {
        is(&LOWER, c)
    }
}

/// `unicode.IsPrint`
pub(crate) fn is_print(c: char) -> bool {
    if c.is_ascii() {
        matches!(c, ' '..='~')
    } else {
        is(&PRINT, c)
    }
}

/// `unicode.IsSpace`
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace()
}

/// `unicode.ToUpper`: one character for one.
pub(crate) fn to_upper(c: char) -> char {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(one), None) => one,
        _ => special_upper(c),
    }
}

/// `unicode.ToTitle`: one character for one.
pub(crate) fn to_title(c: char) -> char {
    match c {
        '\u{1c4}'..='\u{1c6}' => '\u{1c5}',
        '\u{1c7}'..='\u{1c9}' => '\u{1c8}',
        '\u{1ca}'..='\u{1cc}' => '\u{1cb}',
        '\u{1f1}'..='\u{1f3}' => '\u{1f2}',
        '\u{10d0}'..='\u{10fa}' | '\u{10fd}'..='\u{10ff}' => c,
        _ => to_upper(c),
    }
}

/// `unicode.ToLower`: one character for one.
pub(crate) fn to_lower(c: char) -> char {
    // The one character whose full lower case has two.
    if c == '\u{130}' {
        return 'i';
    }
    c.to_lowercase().next().unwrap_or(c)
}

/// Characters whose full upper case has several; most have no simple one.
fn special_upper(c: char) -> char {
    match c {
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => {
            char::from_u32(c as u32 + 8).unwrap_or(c)
        }
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => char::from_u32(c as u32 + 9).unwrap_or(c),
        _ => c,
    }
}

/// `strings.ToUpper`
pub(crate) fn upper(text: &str) -> String {
    if text.is_ascii() {
        text.to_ascii_uppercase()
    } else {
        text.chars().map(to_upper).collect()
    }
}

/// `strings.ToLower`
pub(crate) fn lower(text: &str) -> String {
    if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        text.chars().map(to_lower).collect()
    }
}
