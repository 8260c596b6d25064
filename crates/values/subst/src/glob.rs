//! The patterns of `${v#p}` and its kin: `*`, `?`, `[a-z]`, `[^a]` and `\` escapes. `*` matches `/` too.

/// A parsed pattern.
pub(crate) struct Glob(Vec<Piece>);

enum Piece {
    /// `*`
    Anything,
    /// `?`
    One,
    Literal(char),
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Glob {
    /// Reads a pattern; nothing when it is malformed (such a pattern matches nothing).
    pub(crate) fn parse(pattern: &str) -> Option<Self> {
        let mut rest = pattern.chars().peekable();
        let mut pieces = Vec::new();
        while let Some(c) = rest.next() {
            pieces.push(match c {
                '*' => Piece::Anything,
                '?' => Piece::One,
                '\\' => Piece::Literal(rest.next()?),
                '[' => class(&mut rest)?,
                c => Piece::Literal(c),
            });
        }
        Some(Self(pieces))
    }

    /// The ends (byte offsets, ascending) of every prefix of `text` that the whole pattern matches, without
    /// the empty prefix. Takes time in proportion to text times pattern, whatever the pattern.
    pub(crate) fn prefixes<'a>(&'a self, text: &'a str) -> impl Iterator<Item = usize> + 'a {
        // `reached[i]`: what was read so far matches the first i pieces.
        let mut reached = vec![false; self.0.len() + 1];
        if let Some(first) = reached.first_mut() {
            *first = true;
        }
        self.skip_stars(&mut reached);
        text.char_indices().filter_map(move |(at, c)| {
            let mut next = vec![false; reached.len()];
            for (index, piece) in self.0.iter().enumerate() {
                if !reached.get(index).is_some_and(|is| *is) {
                    continue;
                }
                let to = if matches!(piece, Piece::Anything) {
                    index
                } else {
                    index + 1
                };
                if piece.accepts(c)
                    && let Some(state) = next.get_mut(to)
                {
                    *state = true;
                }
            }
            self.skip_stars(&mut next);
            reached = next;
            reached.last().is_some_and(|is| *is).then_some(at + c.len_utf8())
        })
    }

    /// A star may match nothing.
    fn skip_stars(&self, reached: &mut [bool]) {
        for (index, piece) in self.0.iter().enumerate() {
            if matches!(piece, Piece::Anything)
                && reached.get(index).is_some_and(|is| *is)
                && let Some(state) = reached.get_mut(index + 1)
            {
                *state = true;
            }
        }
    }
}

impl Piece {
    fn accepts(&self, c: char) -> bool {
        match self {
            Self::Anything | Self::One => true,
            Self::Literal(literal) => *literal == c,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| *low <= c && c <= *high) != *negated
            }
        }
    }
}

type Chars<'p> = std::iter::Peekable<std::str::Chars<'p>>;

/// What stands between `[` and `]`; at least one range.
fn class(rest: &mut Chars<'_>) -> Option<Piece> {
    let negated = rest.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    loop {
        if !ranges.is_empty() && rest.next_if_eq(&']').is_some() {
            return Some(Piece::Class { negated, ranges });
        }
        let low = class_end(rest)?;
        let high = if rest.next_if_eq(&'-').is_some() {
            class_end(rest)?
        } else {
            low
        };
        ranges.push((low, high));
    }
}

/// One end of a range: `-` and `]` must be escaped.
fn class_end(rest: &mut Chars<'_>) -> Option<char> {
    let c = match rest.next()? {
        '-' | ']' => return None,
        '\\' => rest.next()?,
        c => c,
    };
    // The class must go on after it.
    rest.peek().is_some().then_some(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, text: &str, expected: &[usize]) {
        let found: Vec<usize> = Glob::parse(pattern).unwrap().prefixes(text).collect();
        assert_eq!(found, expected, "{pattern} on {text}");
    }

    #[test]
    fn prefixes_are_found() {
        check("*/", "a/b/c", &[2, 4]);
        check("a", "ab", &[1]);
        check("", "ab", &[]);
        check("*", "ab", &[1, 2]);
        check("a*b?", "aabxbb", &[4, 6]);
        check("[^a-c]\\*", "x*y", &[2]);
        check("?", "éa", &[2]);
    }

    #[test]
    fn malformed_patterns_are_refused() {
        for pattern in ["[", "[]", "[]a]", "[a", "[a-", "[a-]", "[-a]", "\\", "[\\", "a*["] {
            assert!(Glob::parse(pattern).is_none(), "{pattern}");
        }
    }

    #[test]
    fn n16_many_stars_take_linear_time() {
        let pattern = "*a".repeat(50);
        assert_eq!(
            Glob::parse(&pattern)
                .unwrap()
                .prefixes(&"b".repeat(20_000))
                .count(),
            0
        );
    }
}
