//! URLs without user information and without query secrets.

use std::fmt;

use url::Url;

use crate::MASK;

/// Query parameters of the protocols weir speaks that never hold a secret (OCI distribution, Kubernetes,
/// token services). The value of any other parameter is hidden: a list of secret names would always be late.
const HARMLESS: &[&str] = &[
    "allowWatchBookmarks",
    "artifactType",
    "continue",
    "digest",
    "dryRun",
    "fieldManager",
    "fieldSelector",
    "fieldValidation",
    "force",
    "from",
    "labelSelector",
    "last",
    "limit",
    "mount",
    "n",
    "propagationPolicy",
    "resourceVersion",
    "resourceVersionMatch",
    "scope",
    "sendInitialEvents",
    "service",
    "timeoutSeconds",
    "watch",
];

/// Schemes whose URLs are recognised inside running text.
const SCHEMES: &[&str] = &["https", "http", "oci", "ssh", "git", "wss", "ws", "s3"];

/// A URL that prints without user, password, query secrets and fragment.
///
/// [`RedactedUrl::expose`] gives the whole URL, for making the request.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RedactedUrl(Url);

impl RedactedUrl {
    /// Wraps `url`.
    pub const fn new(url: Url) -> Self {
        Self(url)
    }

    /// The whole URL. Do not print what this returns.
    pub const fn expose(&self) -> &Url {
        &self.0
    }
}

impl From<Url> for RedactedUrl {
    fn from(url: Url) -> Self {
        Self(url)
    }
}

impl fmt::Display for RedactedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redact_parsed(self.0.clone()))
    }
}

impl fmt::Debug for RedactedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", redact_parsed(self.0.clone()))
    }
}

/// `url` as text without user, password, query secrets and fragment; as it was written when it has none of them, since
/// an identity's issuer with a slash more would be another one.
///
/// Text that is no URL is returned as it is, unless it holds an `@` after `//` or a `?`: then everything
/// that could be a secret is cut off.
pub fn redact_url(url: &str) -> String {
    match Url::parse(url) {
        Ok(parsed) if parsed.has_host() => {
            let whole = parsed.to_string();
            let redacted = redact_parsed(parsed);
            if redacted == whole {
                url.to_owned()
            } else {
                redacted
            }
        }
        _ => redact_unparsed(url),
    }
}

/// `text` with every URL in it redacted as by [`redact_url`]. For messages written by others.
pub fn redact_urls_in(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = next_url(rest) {
        let (before, from) = rest.split_at(start);
        let end = from.find(ends_url).unwrap_or(from.len());
        let (candidate, after) = from.split_at(end);
        // Punctuation that closes a sentence or a bracket is not part of the URL.
        let url = candidate.trim_end_matches(['.', ',', ';', ':', ')', ']', '}', '!']);
        out.push_str(before);
        out.push_str(&redact_url(url));
        out.push_str(candidate.strip_prefix(url).unwrap_or_default());
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Where the first URL of `text` starts.
fn next_url(text: &str) -> Option<usize> {
    text.match_indices("://").find_map(|(at, _)| {
        let before = text.get(..at)?;
        // The longest scheme that stands directly before, not inside a longer word.
        SCHEMES
            .iter()
            .filter_map(|scheme| before.len().checked_sub(scheme.len()).map(|from| (scheme, from)))
            .find_map(|(scheme, from)| {
                let matches = before
                    .get(from..)
                    .is_some_and(|word| word.eq_ignore_ascii_case(scheme));
                let bounded = before
                    .get(..from)
                    .is_some_and(|rest| !rest.chars().next_back().is_some_and(char::is_alphanumeric));
                (matches && bounded).then_some(from)
            })
    })
}

fn ends_url(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '`' | '<' | '>' | '\\')
}

fn redact_parsed(mut url: Url) -> String {
    // These fail only for URLs that cannot hold user information at all.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    if url.fragment().is_some() {
        url.set_fragment(Some(MASK));
    }
    if let Some(query) = url.query().map(redact_query) {
        url.set_query(Some(&query));
    }
    url.into()
}

fn redact_query(query: &str) -> String {
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((key, _)) if !HARMLESS.contains(&key) => format!("{key}={MASK}"),
        None if !pair.is_empty() && !HARMLESS.contains(&pair) => MASK.to_owned(),
        _ => pair.to_owned(),
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// The same for text that a URL parser refuses: cut bluntly.
fn redact_unparsed(text: &str) -> String {
    let (body, cut) = match text.find(['?', '#']) {
        Some(at) => (text.get(..at).unwrap_or_default(), true),
        None => (text, false),
    };
    let (scheme, rest) = match body.find("://") {
        Some(at) => body.split_at(at + 3),
        None => ("", body),
    };
    let authority_end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_end);
    // A user name or password may hold a slash that was not escaped, so look for `@` in the whole rest when
    // there is a scheme, and in the authority otherwise (`git@host:path`, `image@sha256:…` stay readable).
    let shown = if scheme.is_empty() {
        match authority.rsplit_once('@') {
            Some((user, host)) if user.contains(':') => format!("{host}{path}"),
            _ => rest.to_owned(),
        }
    } else {
        match rest.rsplit_once('@') {
            Some((_, host)) => host.to_owned(),
            None => rest.to_owned(),
        }
    };
    let tail = if cut { format!("?{MASK}") } else { String::new() };
    format!("{scheme}{shown}{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_nothing_to_hide_stay_as_they_were_written() {
        for url in [
            "https://ci.example",
            "HTTPS://CI.example:443/a/../b?scope=x",
            "oci://host",
        ] {
            assert_eq!(redact_url(url), url);
        }
        assert_eq!(redact_url("https://me:hunter2@ci.example"), "https://ci.example/");
        assert_eq!(
            redact_url("https:\\\\me:hunter2@ci.example"),
            "https://ci.example/"
        );
    }

    #[test]
    fn user_and_password_are_dropped() {
        assert_eq!(
            redact_url("https://user:pa%40ss@host:5000/v2/?n=10"),
            "https://host:5000/v2/?n=10"
        );
        assert_eq!(
            redact_url("oci://token@ghcr.io/org/repo"),
            "oci://ghcr.io/org/repo"
        );
    }

    #[test]
    fn n56_query_values_and_fragments_are_hidden_unless_known_harmless() {
        assert_eq!(
            redact_url(
                "https://acct.blob.core.windows.net/c?sv=2024&sig=abc%3D&digest=sha256:00#access_token=x"
            ),
            "https://acct.blob.core.windows.net/c?sv=*****&sig=*****&digest=sha256:00#*****"
        );
    }

    #[test]
    fn what_does_not_parse_is_cut() {
        assert_eq!(
            redact_url("https://user:pa/ss@ho st/path?sig=1"),
            "https://ho st/path?*****"
        );
        assert_eq!(
            redact_url("ghcr.io/org/repo@sha256:00"),
            "ghcr.io/org/repo@sha256:00"
        );
        assert_eq!(redact_url("user:pass@host/x"), "host/x");
    }

    #[test]
    fn urls_are_found_in_running_text() {
        assert_eq!(
            redact_urls_in("Get \"https://u:p@host/x?sig=1\": refused (see http://a:b@c/d.)"),
            "Get \"https://host/x?sig=*****\": refused (see http://c/d.)"
        );
        assert_eq!(redact_urls_in("no address here: a://b"), "no address here: a://b");
    }

    #[test]
    fn the_wrapper_prints_redacted_and_exposes_whole() {
        let url = RedactedUrl::new(Url::parse("https://u:p@h/").unwrap());
        assert_eq!(url.to_string(), "https://h/");
        assert_eq!(format!("{url:?}"), "\"https://h/\"");
        assert_eq!(url.expose().password(), Some("p"));
    }
}
