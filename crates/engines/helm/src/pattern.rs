//! Patterns of `.Files.Glob`: `*` stops at a slash, `**` does not, `?`, `[abc]`, `[!a-z]`, `{a,b}`, `\`.

use weir_re2::Pattern;

/// A compiled pattern.
pub(crate) struct Glob(Option<Pattern>);

impl Glob {
    /// Compiles; a pattern that makes no sense matches everything, as in Helm.
    pub(crate) fn new(glob: &str) -> Self {
        Self(translate(glob).and_then(|pattern| Pattern::new(&pattern).ok()))
    }

    pub(crate) fn matches(&self, path: &str) -> bool {
        self.0.as_ref().is_none_or(|pattern| pattern.is_match(path))
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
}
