//! Taking a version text apart, without judging the pieces.

/// The pieces of a version text, not yet checked.
pub(crate) struct Loose<'t> {
    pub(crate) major: &'t str,
    pub(crate) minor: Option<&'t str>,
    pub(crate) patch: Option<&'t str>,
    pub(crate) pre: Option<&'t str>,
    pub(crate) metadata: Option<&'t str>,
}

impl<'t> Loose<'t> {
    /// Takes the longest version off the front of `text`: `v?N(.N)?(.N)?(-PRE)?(+META)?`, where `N` is made of
    /// the characters that `number` accepts. Returns the pieces and what follows.
    pub(crate) fn take(text: &'t str, number: fn(char) -> bool) -> Option<(Self, &'t str)> {
        let rest = text.strip_prefix('v').unwrap_or(text);
        let (major, rest) = take_while(rest, number)?;
        let (minor, rest) = take_after(rest, '.', |rest| take_while(rest, number));
        let (patch, rest) = match minor {
            Some(_) => take_after(rest, '.', |rest| take_while(rest, number)),
            None => (None, rest),
        };
        let (pre, rest) = take_after(rest, '-', take_dotted);
        let (metadata, rest) = take_after(rest, '+', take_dotted);
        Some((
            Self {
                major,
                minor,
                patch,
                pre,
                metadata,
            },
            rest,
        ))
    }
}

fn take_while(text: &str, accepts: impl Fn(char) -> bool) -> Option<(&str, &str)> {
    let end = text.find(|c| !accepts(c)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn take_after<'t>(
    text: &'t str,
    mark: char,
    take: impl Fn(&'t str) -> Option<(&'t str, &'t str)>,
) -> (Option<&'t str>, &'t str) {
    match text.strip_prefix(mark).and_then(take) {
        Some((piece, rest)) => (Some(piece), rest),
        None => (None, text),
    }
}

/// `[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*`
fn take_dotted(text: &str) -> Option<(&str, &str)> {
    let (first, mut rest) = take_while(text, is_identifier)?;
    let mut end = first.len();
    while let Some((piece, after)) = rest
        .strip_prefix('.')
        .and_then(|rest| take_while(rest, is_identifier))
    {
        end += 1 + piece.len();
        rest = after;
    }
    Some(text.split_at(end))
}

pub(super) fn is_identifier(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-'
}

pub(super) fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}
