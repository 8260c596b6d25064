//! Patterns that let in more than they seem to.

use std::fmt;

/// A way in which a pattern is loose.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Loose {
    /// It matches every text.
    Everything,
    /// Anything may come before what it matches.
    Start,
    /// Anything may come after what it matches.
    End,
    /// A dot between letters stands for any character.
    Dot(String),
    /// A word that goes on: `org.*` takes `org-evil` too.
    OpenWord(String),
}

impl fmt::Display for Loose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => f.write_str("matches everything"),
            Self::Start => f.write_str("is not anchored at its beginning: begin it with '^'"),
            Self::End => f.write_str("is not anchored at its end: end it with '$'"),
            Self::Dot(around) => write!(
                f,
                "has a '.' in '{around}' that matches any character: write '\\.'"
            ),
            Self::OpenWord(word) => write!(
                f,
                "goes on after '{word}' without a separator, so longer words match too"
            ),
        }
    }
}

/// In which ways `pattern` is loose, each at most once.
pub fn looseness(pattern: &str) -> Vec<Loose> {
    let tokens = tokens(pattern);
    if matches_everything(&tokens) {
        return vec![Loose::Everything];
    }
    let mut found = Vec::new();
    let branches: Vec<&[Token]> = branches(&tokens);
    if branches
        .iter()
        .any(|branch| branch.first() != Some(&Token::Start))
    {
        found.push(Loose::Start);
    }
    if branches.iter().any(|branch| branch.last() != Some(&Token::End)) {
        found.push(Loose::End);
    }
    found.extend(loose_dot(&tokens));
    found.extend(open_word(&tokens));
    found
}

/// As much of a pattern's syntax as is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Start,
    End,
    Dot,
    Repeat(char),
    Open,
    Close,
    Or,
    Literal(char),
    /// A class, an assertion, an escape for many characters.
    Other,
}

fn tokens(pattern: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        let token = match c {
            '^' => Token::Start,
            '$' => Token::End,
            '.' => Token::Dot,
            '|' => Token::Or,
            ')' => Token::Close,
            '*' | '+' | '?' => Token::Repeat(c),
            '{' => {
                // A repetition when it ends; Go takes others for literals, which is no matter here.
                while chars.next_if(|c| *c != '}').is_some() {}
                chars.next();
                Token::Repeat('{')
            }
            '(' => {
                if chars.next_if_eq(&'?').is_some() {
                    // Flags or a name, up to what the group holds; a group of flags alone holds nothing.
                    let mut last = None;
                    while let Some(c) = chars.next_if(|c| !matches!(c, ':' | ')' | '>')) {
                        last = Some(c);
                    }
                    if chars.peek() == Some(&')') && last.is_some() {
                        chars.next();
                        continue;
                    }
                    chars.next();
                }
                Token::Open
            }
            '[' => {
                let mut first = true;
                while let Some(c) = chars.next() {
                    match c {
                        '\\' => drop(chars.next()),
                        '^' if first => continue,
                        ']' if !first => break,
                        _ => {}
                    }
                    first = false;
                }
                Token::Other
            }
            '\\' => match chars.next() {
                Some('A') => Token::Start,
                Some('z') => Token::End,
                Some('Q') => {
                    let mut quoted = Vec::new();
                    while let Some(c) = chars.next() {
                        if c == '\\' && chars.next_if_eq(&'E').is_some() {
                            break;
                        }
                        quoted.push(Token::Literal(c));
                    }
                    tokens.extend(quoted);
                    continue;
                }
                Some(c) if !c.is_alphanumeric() => Token::Literal(c),
                _ => Token::Other,
            },
            c => Token::Literal(c),
        };
        tokens.push(token);
    }
    tokens
}

/// The alternatives at the top, out of one group around everything but the anchors.
fn branches(tokens: &[Token]) -> Vec<&[Token]> {
    let mut branches = Vec::new();
    let (mut depth, mut from) = (0_usize, 0);
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Open => depth += 1,
            Token::Close => depth = depth.saturating_sub(1),
            Token::Or if depth == 0 => {
                branches.push(tokens.get(from..at).unwrap_or_default());
                from = at + 1;
            }
            _ => {}
        }
    }
    branches.push(tokens.get(from..).unwrap_or_default());
    branches
}

fn matches_everything(tokens: &[Token]) -> bool {
    branches(tokens).into_iter().any(|branch| {
        let mut rest = branch;
        while let [Token::Start | Token::Open, inner @ ..] = rest {
            rest = inner;
        }
        while let [inner @ .., Token::End | Token::Close] = rest {
            rest = inner;
        }
        matches!(
            rest,
            [] | [Token::Dot, Token::Repeat('*' | '+')]
                | [Token::Dot, Token::Repeat('*' | '+'), Token::Repeat('?')]
        )
    })
}

fn loose_dot(tokens: &[Token]) -> Option<Loose> {
    let at = tokens.windows(3).position(|three| {
        matches!(three, [Token::Literal(before), Token::Dot, Token::Literal(after)]
            if before.is_alphanumeric() && after.is_alphanumeric())
    })?;
    let literal = |token: &Token| match token {
        Token::Literal(c) if c.is_alphanumeric() => Some(*c),
        _ => None,
    };
    let (before, after) = tokens.split_at_checked(at + 1)?;
    let mut head: Vec<char> = before.iter().rev().map_while(literal).collect();
    head.reverse();
    let tail = after.iter().skip(1).map_while(literal);
    let around: String = head.into_iter().chain(['.']).chain(tail).collect();
    Some(Loose::Dot(around))
}

fn open_word(tokens: &[Token]) -> Option<Loose> {
    let at = tokens.windows(3).position(|three| {
        matches!(three, [Token::Literal(before), Token::Dot, Token::Repeat('*' | '+')] if before.is_alphanumeric())
    })?;
    let before = tokens.get(..=at)?;
    let mut word: Vec<char> = before
        .iter()
        .rev()
        .map_while(|token| match token {
            Token::Literal(c) if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') => Some(*c),
            _ => None,
        })
        .collect();
    word.reverse();
    Some(Loose::OpenWord(word.into_iter().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, expect: &[Loose]) {
        assert_eq!(looseness(pattern), expect, "{pattern}");
    }

    #[test]
    fn n38_loose_patterns_are_told() {
        check(r"^https://token\.actions\.githubusercontent\.com$", &[]);
        check(r"^https://github\.com/controlplaneio-fluxcd/d2-apps/.*$", &[]);
        check(r"^(a|b)$", &[]);
        check(r"^\Qa.b\E$", &[]);
        check(r"(?i)^a$", &[]);
        check(r"^a[.]b{2}$", &[]);
        check(".*", &[Loose::Everything]);
        check("^.*$", &[Loose::Everything]);
        check("^.+$", &[Loose::Everything]);
        check("^(.*)$", &[Loose::Everything]);
        check("", &[Loose::Everything]);
        check("^a$|.*", &[Loose::Everything]);
        check("^a|b$", &[Loose::Start, Loose::End]);
        check("a", &[Loose::Start, Loose::End]);
        check(r"^a\$", &[Loose::End]);
        check(
            "^https://github.com/org/repo$",
            &[Loose::Dot("github.com".into())],
        );
        check(
            r"^https://github\.com/my-org.*$",
            &[Loose::OpenWord("my-org".into())],
        );
    }
}
