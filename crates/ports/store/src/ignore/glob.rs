//! Go's `filepath.Match`, on one path component.

/// A component's pattern. A malformed one matches nothing, as in Flux's matcher.
#[derive(Debug, Clone)]
pub(super) struct Glob(Option<Vec<Token>>);

#[derive(Debug, Clone)]
enum Token {
    /// Exactly this character.
    Literal(char),
    /// `?`
    One,
    /// `*`
    Any,
    /// `[a-z]`, `[^x]`
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Glob {
    pub(super) fn new(pattern: &str) -> Self {
        Self(parse(pattern))
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let Some(tokens) = &self.0 else { return false };
        let text: Vec<char> = text.chars().collect();
        // Greedy with one way back: enough for `*`, and linear in the product of the lengths (N16).
        let (mut token, mut at) = (0, 0);
        let mut way_back: Option<(usize, usize)> = None;
        while at < text.len() {
            match tokens.get(token) {
                Some(Token::Any) => {
                    way_back = Some((token + 1, at));
                    token += 1;
                    continue;
                }
                Some(one) if text.get(at).is_some_and(|c| one.takes(*c)) => {
                    token += 1;
                    at += 1;
                    continue;
                }
                _ => {}
            }
            let Some((next, from)) = way_back else {
                return false;
            };
            way_back = Some((next, from + 1));
            (token, at) = (next, from + 1);
        }
        tokens.iter().skip(token).all(|token| matches!(token, Token::Any))
    }
}

impl Token {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::Literal(literal) => *literal == c,
            Self::One => true,
            Self::Any => false,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated
            }
        }
    }
}

fn parse(pattern: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        tokens.push(match c {
            '*' => Token::Any,
            '?' => Token::One,
            '\\' => Token::Literal(chars.next()?),
            '[' => {
                let negated = chars.next_if_eq(&'^').is_some();
                let mut ranges = Vec::new();
                while ranges.is_empty() || chars.next_if_eq(&']').is_none() {
                    let low = class_char(&mut chars)?;
                    let high = if chars.next_if_eq(&'-').is_some() {
                        class_char(&mut chars)?
                    } else {
                        low
                    };
                    ranges.push((low, high));
                }
                Token::Class { negated, ranges }
            }
            c => Token::Literal(c),
        });
    }
    Some(tokens)
}

/// A character of a class; Go wants `-` and `]` escaped.
fn class_char(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    match chars.next()? {
        '-' | ']' => None,
        '\\' => chars.next(),
        c => Some(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_agrees_with_go_on_its_own_cases() {
        // From the documentation and behaviour of path/filepath.Match.
        for (pattern, text, expected) in [
            ("abc", "abc", true),
            ("*", "abc", true),
            ("*c", "abc", true),
            ("a*", "a", true),
            ("a*b*c*d*e*", "axbxcxdxe", true),
            ("a*b?c*x", "abxbbxdbxebxczzx", true),
            ("a*b?c*x", "abxbbxdbxebxczzy", false),
            ("ab[c]", "abc", true),
            ("ab[b-d]", "abc", true),
            ("ab[e-g]", "abc", false),
            ("ab[^c]", "abc", false),
            ("ab[^e-g]", "abc", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "ab", false),
            ("a?b", "a☺b", true),
            ("a[^a]b", "a☺b", true),
            ("[a-ζ]*", "α", true),
            ("*[a-ζ]", "A", false),
            ("[\\]a]", "]", true),
            ("[\\-]", "-", true),
            ("[x\\-]", "-", true),
            ("[]a]", "]", false),
            ("[-]", "-", false),
            ("[x-]", "x", false),
            ("[-x]", "x", false),
            ("[", "a", false),
            ("[^", "a", false),
            ("[^bc", "a", false),
            ("a[", "a", false),
            ("a[", "ab", false),
            ("\\", "\\", false),
            ("*x", "xxx", true),
            ("", "", true),
            ("", "a", false),
            ("[!a]", "b", false),
        ] {
            assert_eq!(Glob::new(pattern).matches(text), expected, "{pattern:?} {text:?}");
        }
    }
}
