//! Words: case, abbreviation, wrapping.

#![expect(clippy::unnecessary_wraps, reason = "the functions of a table have one type")]

use crate::families::args::{Result, fail, int, slice, text};
use crate::unicode::{
    is_digit, is_letter, is_lower, is_number, is_punct, is_space, is_title, is_upper, to_lower, to_title,
    to_upper,
};
use crate::{Entry, Env, Signature, Str, Value, ty};

/// The one that slim-sprig has too.
pub(super) static TITLE: &[Entry] = &[("title", ONE, title)];

pub(super) static WORDS: &[Entry] = &[
    ("untitle", ONE, untitle),
    ("swapcase", ONE, swap_case),
    ("nospace", ONE, no_space),
    ("initials", ONE, initials),
    ("abbrev", Signature::new(&[&ty::INT, &ty::STRING]), |_, args| {
        abbreviate(&text(args, 1), 0, int(args, 0))
    }),
    (
        "abbrevboth",
        Signature::new(&[&ty::INT, &ty::INT, &ty::STRING]),
        abbrev_both,
    ),
    ("wrap", Signature::new(&[&ty::INT, &ty::STRING]), |env, args| {
        wrap(env, &text(args, 1), int(args, 0), &Str::default(), false)
    }),
    (
        "wrapWith",
        Signature::new(&[&ty::INT, &ty::STRING, &ty::STRING]),
        |env, args| wrap(env, &text(args, 2), int(args, 0), &text(args, 1), true),
    ),
    ("snakecase", ONE, |_, args| {
        Ok(Value::from(lower_case_words(&text(args, 0).to_str(), '_')))
    }),
    ("kebabcase", ONE, |_, args| {
        Ok(Value::from(lower_case_words(&text(args, 0).to_str(), '-')))
    }),
    ("camelcase", ONE, |_, args| {
        Ok(Value::from(pascal_case(&text(args, 0).to_str())))
    }),
];

const ONE: Signature = Signature {
    params: &[&ty::STRING],
    variadic: false,
};

/// `strings.Title`
fn title(_: &mut Env<'_>, args: &[Value]) -> Result {
    let mut before = ' ';
    let titled: String = text(args, 0)
        .to_str()
        .chars()
        .map(|c| {
            let starts = is_separator(before);
            before = c;
            if starts { to_title(c) } else { c }
        })
        .collect();
    Ok(Value::from(titled))
}

fn is_separator(c: char) -> bool {
    if c.is_ascii() {
        return !(c.is_ascii_alphanumeric() || c == '_');
    }
    !is_letter(c) && !is_digit(c) && is_space(c)
}

fn untitle(_: &mut Env<'_>, args: &[Value]) -> Result {
    let mut next = true;
    let untitled: String = text(args, 0)
        .to_str()
        .chars()
        .map(|c| {
            if is_space(c) {
                next = true;
                c
            } else if std::mem::take(&mut next) {
                to_lower(c)
            } else {
                c
            }
        })
        .collect();
    Ok(Value::from(untitled))
}

fn swap_case(_: &mut Env<'_>, args: &[Value]) -> Result {
    let mut after_space = true;
    let swapped: String = text(args, 0)
        .to_str()
        .chars()
        .map(|c| {
            if is_upper(c) || is_title(c) {
                after_space = false;
                to_lower(c)
            } else if is_lower(c) {
                if std::mem::take(&mut after_space) {
                    to_title(c)
                } else {
                    to_upper(c)
                }
            } else {
                after_space = is_space(c);
                c
            }
        })
        .collect();
    Ok(Value::from(swapped))
}

/// A byte as the character of that number, which is how goutils goes through text.
fn latin1(text: &Str) -> impl Iterator<Item = char> + '_ {
    text.as_bytes().iter().map(|b| char::from(*b))
}

fn no_space(_: &mut Env<'_>, args: &[Value]) -> Result {
    let text = text(args, 0);
    if !latin1(&text).any(is_space) {
        return Ok(Value::Str(text));
    }
    Ok(Value::from(
        latin1(&text).filter(|c| !is_space(*c)).collect::<String>(),
    ))
}

fn initials(_: &mut Env<'_>, args: &[Value]) -> Result {
    let mut gap = true;
    let text = text(args, 0);
    let initials = latin1(&text).filter(|c| {
        if is_space(*c) {
            gap = true;
            false
        } else {
            std::mem::take(&mut gap)
        }
    });
    Ok(Value::from(initials.collect::<String>()))
}

fn abbrev_both(_: &mut Env<'_>, args: &[Value]) -> Result {
    let (left, right) = (int(args, 0), int(args, 1));
    if right < 4 || left > 0 && right < 7 {
        return Ok(Value::Str(text(args, 2)));
    }
    abbreviate(&text(args, 2), left, right)
}

fn abbreviate(text: &Str, offset: i64, width: i64) -> Result {
    let len = i64::try_from(text.len()).unwrap_or(i64::MAX);
    if width < 4 || len <= width {
        return Ok(Value::Str(text.clone()));
    }
    let mut offset = offset.min(len);
    if len - offset < width - 3 {
        offset = len - (width - 3);
    }
    let dots = |part: Str, before: bool, after: bool| {
        let mut out = if before { b"...".to_vec() } else { Vec::new() };
        out.extend_from_slice(part.as_bytes());
        if after {
            out.extend_from_slice(b"...");
        }
        Value::Str(out.into())
    };
    if offset <= 4 {
        return Ok(dots(slice(text, None, Some(width - 3))?, false, true));
    }
    if width < 7 {
        return Ok(Value::from(""));
    }
    if offset + width - 3 < len {
        let rest = slice(text, Some(offset), None)?;
        if width - 3 < 4 {
            return Ok(dots(Str::default(), true, false));
        }
        return match abbreviate(&rest, 0, width - 3)? {
            Value::Str(part) => Ok(dots(part, true, false)),
            other => Ok(other),
        };
    }
    Ok(dots(slice(text, Some(len - (width - 3)), None)?, true, false))
}

fn wrap(env: &mut Env<'_>, text: &Str, width: i64, line_break: &Str, cut_words: bool) -> Result {
    let bytes = text.as_bytes();
    let line_break = if line_break.is_empty() {
        b"\n".as_slice()
    } else {
        line_break.as_bytes()
    };
    let width = usize::try_from(width.max(1)).map_err(|_| fail("width out of range"))?;
    let mut out = Vec::with_capacity(bytes.len());
    let mut offset = 0;
    let part = |from: usize, to: usize| bytes.get(from..to).unwrap_or_default();
    while bytes.len().saturating_sub(offset) > width {
        env.spend(1)?;
        env.reserve(line_break.len())?;
        if bytes.get(offset) == Some(&b' ') {
            offset += 1;
            continue;
        }
        let window = part(offset, offset + width + 1);
        if let Some(space) = window.iter().rposition(|b| *b == b' ') {
            out.extend_from_slice(part(offset, offset + space));
            out.extend_from_slice(line_break);
            offset += space + 1;
        } else if cut_words {
            out.extend_from_slice(part(offset, offset + width));
            out.extend_from_slice(line_break);
            offset += width;
        } else {
            let end = offset + width;
            match part(end, bytes.len()).iter().position(|b| *b == b' ') {
                None => {
                    out.extend_from_slice(part(offset, bytes.len()));
                    offset = bytes.len();
                }
                Some(space) => {
                    out.extend_from_slice(part(offset, end + space));
                    out.extend_from_slice(line_break);
                    offset = end + space + 1;
                }
            }
        }
    }
    out.extend_from_slice(part(offset, bytes.len()));
    env.reserve(out.len())?;
    Ok(Value::Str(out.into()))
}

fn is_connector(c: char) -> bool {
    c == '-' || c == '_' || is_space(c)
}

/// `xstrings.ToPascalCase`
fn pascal_case(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    // Connectors in front stay.
    let mut last = None;
    let mut in_capitals = false;
    for c in chars.by_ref() {
        if is_connector(c) {
            out.push(c);
            continue;
        }
        in_capitals = is_upper(c);
        last = Some(to_upper(c));
        break;
    }
    let Some(mut current) = last else {
        // Go prints the last connector twice.
        out.extend(text.chars().last());
        return out;
    };
    for c in chars {
        let before = std::mem::replace(&mut current, c);
        if is_connector(current) && is_connector(before) {
            out.push(before);
            continue;
        }
        if is_connector(before) {
            in_capitals = is_upper(current);
            current = to_upper(current);
        } else {
            if in_capitals {
                if is_upper(current) {
                    current = to_lower(current);
                } else {
                    in_capitals = false;
                }
            }
            out.push(before);
        }
    }
    out.push(current);
    out
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    None,
    Number,
    Upper,
    Alphabet,
    Connector,
    Punctuation,
    Other,
}

/// Letters, but for the Chinese ones that xstrings knows of.
fn is_alphabet(c: char) -> bool {
    is_letter(c) && !matches!(c as u32, 0x3400..=0x4d85 | 0x4e00..=0x9fcc | 0x2_0000..=0x2_b81d)
}

/// Takes the next word off the text.
fn next_word<'t>(text: &mut &'t str) -> (Word, &'t str) {
    let whole = *text;
    let Some(first) = whole.chars().next() else {
        return (Word::None, "");
    };
    let run = |from: usize, fits: &dyn Fn(char) -> bool| {
        let rest = whole.get(from..).unwrap_or_default();
        from + rest.find(|c| !fits(c)).unwrap_or(rest.len())
    };
    let after_first = first.len_utf8();
    let small = |c: char| is_alphabet(c) && !is_upper(c);
    let (word, end) = if is_connector(first) {
        (Word::Connector, run(0, &is_connector))
    } else if is_punct(first) {
        (Word::Punctuation, run(0, &is_punct))
    } else if is_upper(first) {
        let second = whole.get(after_first..).and_then(|rest| rest.chars().next());
        let end = match second {
            Some(second) if is_upper(second) => {
                let end = run(0, &is_upper);
                let next = whole.get(end..).and_then(|rest| rest.chars().next());
                // "HTTPStatus" is "HTTP" and "Status".
                if next.is_some_and(is_alphabet) {
                    let last = whole.get(..end).and_then(|word| word.chars().next_back());
                    end - last.map_or(0, char::len_utf8)
                } else {
                    end
                }
            }
            Some(second) if is_alphabet(second) => run(after_first, &small),
            _ => after_first,
        };
        (Word::Upper, end)
    } else if is_alphabet(first) {
        (Word::Alphabet, run(0, &small))
    } else if is_number(first) {
        (Word::Number, run(0, &is_number))
    } else {
        let other = |c: char| !(is_connector(c) || is_alphabet(c) || is_number(c) || is_punct(c));
        (Word::Other, run(after_first, &other))
    };
    let (head, tail) = whole.split_at_checked(end).unwrap_or((whole, ""));
    *text = tail;
    (word, head)
}

fn push_lower(out: &mut String, word: Word, text: &str, connector: char) {
    if !matches!(word, Word::Upper | Word::Connector) {
        out.push_str(text);
        return;
    }
    out.extend(
        text.chars()
            .map(|c| if is_connector(c) { connector } else { to_lower(c) }),
    );
}

/// `xstrings.ToSnakeCase` and `ToKebabCase`
fn lower_case_words(text: &str, connector: char) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    let (mut kind, mut word) = next_word(&mut rest);
    while !rest.is_empty() {
        if kind != Word::Connector {
            push_lower(&mut out, kind, word, connector);
        }
        let (before, last) = (kind, word);
        (kind, word) = next_word(&mut rest);
        match before {
            Word::Number => {
                while matches!(kind, Word::Alphabet | Word::Number) {
                    push_lower(&mut out, kind, word, connector);
                    (kind, word) = next_word(&mut rest);
                }
                if !matches!(kind, Word::None | Word::Punctuation | Word::Connector) {
                    out.push(connector);
                }
            }
            Word::Connector => push_lower(&mut out, before, last, connector),
            Word::Punctuation => {}
            _ => {
                if kind != Word::Number {
                    if !matches!(kind, Word::Connector | Word::Punctuation) {
                        out.push(connector);
                    }
                    continue;
                }
                if rest.is_empty() {
                    continue;
                }
                let last = word;
                (kind, word) = next_word(&mut rest);
                if kind != Word::Alphabet {
                    // A number belongs to the word before: "Bld4Floor" is "bld4_floor".
                    push_lower(&mut out, Word::Number, last, connector);
                    if !matches!(kind, Word::Connector | Word::Punctuation) {
                        out.push(connector);
                    }
                    continue;
                }
                // With small letters behind it, it begins a new one: "HTTP2xx" is "http_2xx".
                out.push(connector);
                push_lower(&mut out, Word::Number, last, connector);
                while matches!(kind, Word::Alphabet | Word::Number) {
                    push_lower(&mut out, kind, word, connector);
                    (kind, word) = next_word(&mut rest);
                }
                if !matches!(kind, Word::None | Word::Connector | Word::Punctuation) {
                    out.push(connector);
                }
            }
        }
    }
    push_lower(&mut out, kind, word, connector);
    out
}
