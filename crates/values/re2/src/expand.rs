//! Go's replacement templates: `$1`, `${1}`, `$name`, `${name}`, `$$`.

use crate::pattern::Captures;

/// Appends `template` to `out`, with every `$…` replaced by the group it names. A group that does not exist or
/// did not take part gives nothing; a `$` without a name stays. `$1x` names the group `1x`: write `${1}x`.
pub(crate) fn expand(template: &str, captures: &Captures<'_>, out: &mut String) {
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = take_name(after) {
            let group = index(name).map_or_else(|| captures.name(name), |index| captures.get(index));
            out.push_str(group.map_or("", |group| group.as_str()));
            rest = after;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
}

fn take_name(text: &str) -> Option<(&str, &str)> {
    let (inner, braced) = match text.strip_prefix('{') {
        Some(inner) => (inner, true),
        None => (text, false),
    };
    let end = inner
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(inner.len());
    let (name, rest) = inner.split_at(end);
    if name.is_empty() {
        return None;
    }
    let rest = if braced { rest.strip_prefix('}')? } else { rest };
    Some((name, rest))
}

/// A name that is a group's number: digits without a leading zero, below 10⁹.
fn index(name: &str) -> Option<usize> {
    let digits = name.len() <= 9 && name.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || (name.len() > 1 && name.starts_with('0')) {
        return None;
    }
    name.parse().ok()
}
