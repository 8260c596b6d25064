//! Patterns of `.Files.Glob`: `*` stops at a slash, `**` does not, `?`, `[abc]`, `[!a-z]`, `{a,b}`, `\`.

use weir_re2::Pattern;

/// Bytes of a simple pattern at most: the work for each character of a path grows with it.
const LONGEST: usize = 256;

/// A pattern that is ready to match.
pub(crate) enum Glob {
    /// Without classes, alternatives and escapes.
    Simple(Simple),
    /// Any other; one that makes no sense is nothing.
    Any(Option<Pattern>),
}

impl Glob {
    /// Compiles; a pattern that makes no sense matches everything, as in Helm.
    pub(crate) fn new(glob: &str) -> Self {
        if glob.len() > LONGEST || glob.contains(['[', '{', '}', '\\']) {
            Self::Any(translate(glob).and_then(|pattern| Pattern::new(&pattern).ok()))
        } else {
            Self::Simple(Simple::new(glob))
        }
    }

    pub(crate) fn matches(&self, path: &str) -> bool {
        match self {
            Self::Simple(pattern) => pattern.matches(path),
            Self::Any(pattern) => pattern.as_ref().is_none_or(|pattern| pattern.is_match(path)),
        }
    }
}

/// A pattern of stars, question marks and characters. A regular expression takes longer to compile than all files of a
/// chart take to be matched with this.
pub(crate) struct Simple {
    /// What every path that matches begins with.
    begin: String,
    /// What follows it.
    rest: Vec<Part>,
}

enum Part {
    Char(char),
    /// `?`
    One,
    /// `*`
    Star,
    /// `**`
    Stars,
}

impl Simple {
    fn new(glob: &str) -> Self {
        let (begin, rest) = glob.split_at(glob.find(['*', '?']).unwrap_or(glob.len()));
        let mut parts = Vec::new();
        let mut chars = rest.chars().peekable();
        while let Some(c) = chars.next() {
            parts.push(match c {
                '*' => {
                    let mut part = Part::Star;
                    while chars.next_if_eq(&'*').is_some() {
                        part = Part::Stars;
                    }
                    part
                }
                '?' => Part::One,
                other => Part::Char(other),
            });
        }
        Self {
            begin: begin.to_owned(),
            rest: parts,
        }
    }

    /// Goes over the path once with all places of the pattern that it may be at.
    fn matches(&self, path: &str) -> bool {
        let Some(path) = path.strip_prefix(&self.begin) else {
            return false;
        };
        let mut here = vec![0];
        self.add_behind_stars(&mut here);
        for c in path.chars() {
            let mut next = Vec::with_capacity(here.len() + 1);
            for at in here {
                let goes_on = match self.rest.get(at) {
                    Some(Part::Char(wanted)) => (*wanted == c).then_some(at + 1),
                    Some(Part::One) => (c != '/').then_some(at + 1),
                    Some(Part::Star) => (c != '/').then_some(at),
                    Some(Part::Stars) => Some(at),
                    None => None,
                };
                // They come in order, so that what is there already came last.
                if let Some(at) = goes_on
                    && next.last() != Some(&at)
                {
                    next.push(at);
                }
            }
            self.add_behind_stars(&mut next);
            here = next;
            if here.is_empty() {
                return false;
            }
        }
        here.last() == Some(&self.rest.len())
    }

    /// Adds the places to which stars lead that stand for nothing.
    fn add_behind_stars(&self, places: &mut Vec<usize>) {
        let mut index = 0;
        while let Some(at) = places.get(index).copied() {
            index += 1;
            let is_star = matches!(self.rest.get(at), Some(Part::Star | Part::Stars));
            if is_star && places.get(index) != Some(&(at + 1)) {
                places.insert(index, at + 1);
            }
        }
    }
}

/// The pattern as a regular expression; nothing if it is malformed.
fn translate(glob: &str) -> Option<String> {
    let mut out = String::from("^(?s:");
    let mut depth = 0_usize;
    let mut chars = glob.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' => {
                let mut any = false;
                while chars.next_if_eq(&'*').is_some() {
                    any = true;
                }
                out.push_str(if any { ".*" } else { "[^/]*" });
            }
            '?' => out.push_str("[^/]"),
            '\\' => literal(chars.next()?, &mut out),
            '[' => class(&mut chars, &mut out)?,
            '{' => {
                depth += 1;
                out.push_str("(?:");
            }
            '}' => {
                depth = depth.checked_sub(1)?;
                out.push(')');
            }
            ',' if depth > 0 => out.push('|'),
            other => literal(other, &mut out),
        }
    }
    out.push_str(")$");
    (depth == 0).then_some(out)
}

fn class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) -> Option<()> {
    out.push('[');
    if chars.next_if_eq(&'!').is_some() {
        out.push('^');
    }
    let mut is_empty = true;
    loop {
        match chars.next()? {
            ']' if !is_empty => break,
            ']' => return None,
            '\\' => literal(chars.next()?, out),
            '-' if !is_empty && chars.peek().is_some_and(|next| *next != ']') => out.push('-'),
            other => literal(other, out),
        }
        is_empty = false;
    }
    out.push(']');
    Some(())
}

fn literal(c: char, out: &mut String) {
    if c.is_ascii_punctuation() {
        out.push('\\');
    }
    out.push(c);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stop_at_slashes_unless_there_are_two() {
        for (glob, path, expected) in [
            ("story/**", "story/a/b.txt", true),
            ("story/*", "story/a/b.txt", false),
            ("story/*", "story/a.txt", true),
            ("**.yaml", "a/b/c.yaml", true),
            ("*.yaml", "a/b.yaml", false),
            ("{a,b}/*.json", "b/x.json", true),
            ("{a,b}/*.json", "c/x.json", false),
            ("f[!a-c]o", "fdo", true),
            ("f[a-c]o", "fdo", false),
            ("f?o", "f/o", false),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
            ("{a", "anything", true),
        ] {
            assert_eq!(Glob::new(glob).matches(path), expected, "{glob} on {path}");
        }
    }

    #[test]
    fn a_simple_pattern_matches_what_its_regular_expression_matches() {
        let globs = [
            "", "*", "**", "***", "?", "*?", "?*", "a*", "*a", "**a", "a**", "*a*", "**/a", "*/a", "a/**/b",
            "a**b*c", "*.yaml", "**.yaml", "a*b*a*b", "**a*/b?", "a,b", "a.b", "^a$", "ä*", "?ä", "*\n",
            "a?/*", "**/**",
        ];
        let paths = [
            "", "a", "b", "/", "a/", "/a", "aa", "ab", "a/b", "a/a", "a/x/b", "a/x/y/b", "axbyc", "abab",
            "aababb", "x.yaml", "d/x.yaml", "a,b", "a.b", "axb", "^a$", "ä", "äx", "xä", "a\n", "ax/y",
            "aa/bb", "a/b/c",
        ];
        for glob in globs {
            let pattern = Pattern::new(&translate(glob).unwrap()).unwrap();
            for path in paths {
                assert_eq!(
                    Simple::new(glob).matches(path),
                    pattern.is_match(path),
                    "{glob:?} on {path:?}"
                );
            }
        }
    }
}
