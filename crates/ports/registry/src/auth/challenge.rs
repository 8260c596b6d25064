//! `WWW-Authenticate`, as registries use it.

use std::collections::BTreeMap;

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;
use url::Url;

/// What a registry wants to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// Nothing.
    None,
    /// User name and password.
    Basic,
    /// A token from `realm`.
    Bearer {
        realm: Url,
        service: Option<String>,
        /// The scope the registry named for this request.
        scope: Option<String>,
    },
}

impl Challenge {
    /// The strongest challenge among the headers of a 401: bearer before basic.
    pub(crate) fn parse(headers: &HeaderMap) -> Option<Self> {
        let all: Vec<Self> = headers
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .filter_map(Self::parse_one)
            .collect();
        all.iter()
            .find(|challenge| matches!(challenge, Self::Bearer { .. }))
            .or_else(|| all.first())
            .cloned()
    }

    fn parse_one(value: &str) -> Option<Self> {
        let value = value.trim();
        let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let parameters = parameters(rest);
        Some(Self::Bearer {
            realm: parameters.get("realm")?.parse().ok()?,
            service: parameters.get("service").cloned(),
            scope: parameters.get("scope").cloned(),
        })
    }
}

/// `key="value",key=value`, with backslash escapes inside quotes; names in lower case, the first of a name wins.
fn parameters(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches([' ', ',', '\t']).to_ascii_lowercase();
        let (value, remaining) = value(after.trim_start());
        found.entry(name).or_insert(value);
        rest = remaining;
    }
    found
}

fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = text.split_once(',').unwrap_or((text, ""));
        return (value.trim().to_owned(), rest);
    };
    let mut value = String::new();
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => value.extend(chars.next()),
            c => value.push(c),
        }
    }
    (value, chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(values: &[&str]) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, value.parse().unwrap());
        }
        Challenge::parse(&headers)
    }

    #[test]
    fn bearer_is_read_with_commas_in_the_scope() {
        let challenge = parse(&[
            "Basic realm=\"x\"",
            "Bearer realm=\"https://auth.example/token\", service=registry.example,scope=\"repository:a/b:pull,push\"",
        ]);
        assert_eq!(
            challenge,
            Some(Challenge::Bearer {
                realm: "https://auth.example/token".parse().unwrap(),
                service: Some("registry.example".to_owned()),
                scope: Some("repository:a/b:pull,push".to_owned()),
            })
        );
    }

    #[test]
    fn broken_challenges_are_none_at_all() {
        assert_eq!(parse(&["Bearer realm=\"not a url\""]), None);
        assert_eq!(parse(&["Bearer service=\"x\""]), None);
        assert_eq!(parse(&["Negotiate"]), None);
        assert_eq!(parse(&["Bearer realm=\"unclosed"]), None);
        assert_eq!(parse(&["basic"]), Some(Challenge::Basic));
        assert_eq!(parse(&[]), None);
    }
}
