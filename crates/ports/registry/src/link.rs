//! The `Link` header of paged lists (RFC 8288, as the distribution spec uses it).

use http::HeaderMap;
use url::Url;

use crate::endpoint::Endpoint;
use crate::error::{ErrorKind, Target};
use crate::{Result, address};

/// The address of the next page, resolved against the current one.
pub(crate) fn next(headers: &HeaderMap, current: &Url) -> Option<Url> {
    headers
        .get_all(http::header::LINK)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .find_map(next_in)
        .and_then(|target| current.join(target).ok())
}

/// Checks where a page says the next one is: the registry's own origin, and not the page itself (security cases
/// N21, N25).
pub(crate) fn next_page(target: &Target, endpoint: &Endpoint, current: &Url, next: Url) -> Result<Url> {
    if !address::same_origin(&endpoint.base, &next) {
        let host = next.host_str().unwrap_or_default();
        return Err(target.error(ErrorKind::Insecure(format!(
            "a next page at another server, {host}"
        ))));
    }
    if next == *current {
        return Err(target.error(ErrorKind::Protocol(
            "a page that names itself as the next one".to_owned(),
        )));
    }
    Ok(next)
}

fn next_in(value: &str) -> Option<&str> {
    let mut rest = value;
    while let Some((_, after)) = rest.split_once('<') {
        let (target, after) = after.split_once('>')?;
        // Parameters reach up to the next link. A comma inside a quoted parameter would end them early; no
        // registry sends one.
        let (parameters, following) = after.split_once(',').unwrap_or((after, ""));
        let is_next = parameters.split(';').any(|parameter| {
            parameter.trim().split_once('=').is_some_and(|(name, value)| {
                name.trim().eq_ignore_ascii_case("rel") && value.trim().trim_matches('"') == "next"
            })
        });
        if is_next {
            return Some(target);
        }
        rest = following;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_link_is_found_among_others() {
        assert_eq!(next_in("</v2/a?last=b>; rel=\"next\""), Some("/v2/a?last=b"));
        assert_eq!(next_in("</p>; rel=prev, </n>; title=x; REL=next"), Some("/n"));
        assert_eq!(next_in("</p>; rel=prev"), None);
        assert_eq!(next_in("<unclosed"), None);
        assert_eq!(next_in(""), None);
    }
}
