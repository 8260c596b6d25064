//! The numbers of a counted repetition.

/// The upper end of `{n}`, `{n,}` and `{n,m}`.
#[derive(Clone, Copy)]
pub(super) enum Counted {
    Same,
    Unbounded,
    /// Nothing when the number is beyond all limits.
    To(Option<u32>),
}

/// Reads `{n}`, `{n,}` or `{n,m}` off the front: its length and its numbers, of which one that is beyond all
/// limits is nothing. Anything else is no repetition at all.
pub(super) fn counts(text: &str) -> Option<(usize, Option<u32>, Counted)> {
    let inner = text.strip_prefix('{')?;
    let (min, rest) = number(inner)?;
    let (max, rest) = match rest.strip_prefix(',') {
        None => (Counted::Same, rest),
        Some(rest) if rest.starts_with('}') => (Counted::Unbounded, rest),
        Some(rest) => {
            let (max, rest) = number(rest)?;
            (Counted::To(max), rest)
        }
    };
    let rest = rest.strip_prefix('}')?;
    Some((text.len() - rest.len(), min, max))
}

/// Digits without a leading zero.
fn number(text: &str) -> Option<(Option<u32>, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    Some((digits.parse().ok(), rest))
}
