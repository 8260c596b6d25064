//! A request, taken apart as kube-apiserver does it.

use bytes::Bytes;
use http::{HeaderMap, Method};

use crate::options::User;

/// What a path under `/api` or `/apis` names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ResourcePath {
    pub(crate) group: String,
    pub(crate) version: String,
    /// Empty: all namespaces, or a cluster-scoped resource.
    pub(crate) namespace: String,
    pub(crate) resource: String,
    pub(crate) name: String,
    pub(crate) subresource: String,
    /// The deprecated `/watch/` prefix.
    pub(crate) watch: bool,
}

/// A whole request.
#[derive(Debug, Clone)]
pub(crate) struct ApiRequest {
    pub(crate) method: Method,
    /// Path parts between slashes, percent-decoded, empty ones left out.
    pub(crate) parts: Vec<String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) user: User,
    /// A token that came in the path.
    pub(crate) token: Option<String>,
    /// Whether the request came through a socket.
    pub(crate) is_remote: bool,
}

impl ApiRequest {
    /// The first value of a query parameter, empty when absent.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value.as_str())
    }

    /// Whether a query parameter says true, in Go's reading.
    pub(crate) fn flag(&self, name: &str) -> bool {
        matches!(self.param(name), "1" | "t" | "T" | "true" | "TRUE" | "True")
    }

    /// A header's text, empty when absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The media type of the body, without parameters.
    pub(crate) fn content_type(&self) -> &str {
        self.header("content-type")
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
    }

    /// The path, written again.
    pub(crate) fn path(&self) -> String {
        format!("/{}", self.parts.join("/"))
    }

    /// What the path names, when it names a resource.
    pub(crate) fn resource(&self) -> Option<ResourcePath> {
        let parts: Vec<&str> = self.parts.iter().map(String::as_str).collect();
        let (group, version, rest) = match parts.as_slice() {
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return None,
        };
        let (watch, rest) = match rest {
            ["watch", rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let mut path = ResourcePath {
            group: group.into(),
            version: version.into(),
            watch,
            ..ResourcePath::default()
        };
        let rest = match rest {
            [] => return None,
            // `/namespaces/x` and its own subresources are about the namespace itself.
            ["namespaces", _] | ["namespaces", _, "status" | "finalize"] => rest,
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() => {
                (*namespace).clone_into(&mut path.namespace);
                rest
            }
            rest => rest,
        };
        let mut rest = rest.iter();
        let mut next = || rest.next().copied().unwrap_or_default().to_owned();
        path.resource = next();
        path.name = next();
        path.subresource = next();
        Some(path)
    }

    /// The verb that authorization sees.
    pub(crate) fn verb(&self, path: &ResourcePath) -> &'static str {
        match self.method {
            Method::GET | Method::HEAD if path.watch || self.flag("watch") => "watch",
            Method::GET | Method::HEAD if path.name.is_empty() => "list",
            Method::GET | Method::HEAD => "get",
            Method::POST => "create",
            Method::PUT => "update",
            Method::PATCH => "patch",
            Method::DELETE if path.name.is_empty() => "deletecollection",
            Method::DELETE => "delete",
            _ => "",
        }
    }
}

/// Splits and decodes a path.
pub(crate) fn read_path(path: &str) -> Vec<String> {
    path.split('/')
        .filter(|part| !part.is_empty())
        .map(decode)
        .collect()
}

fn decode(part: &str) -> String {
    // A path part is no form: `+` stays, so it is escaped before the form decoder sees it.
    let escaped = part.replace('+', "%2B");
    url::form_urlencoded::parse(format!("x={}", escaped.replace('&', "%26").replace('=', "%3D")).as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

/// Reads a query string.
pub(crate) fn read_query(query: Option<&str>) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .into_owned()
        .collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, Method};

    use super::{ApiRequest, read_path, read_query};
    use crate::options::User;

    fn check(path: &str, expected: [&str; 6]) {
        let request = ApiRequest {
            method: Method::GET,
            parts: read_path(path),
            query: read_query(None),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            user: User::default(),
            token: None,
            is_remote: false,
        };
        let found = request.resource().expect("a resource");
        let found = [
            found.group,
            found.version,
            found.namespace,
            found.resource,
            found.name,
            found.subresource,
        ];
        assert_eq!(found.each_ref().map(String::as_str), expected, "{path}");
    }

    #[test]
    fn paths_name_resources() {
        check("/api/v1/pods", ["", "v1", "", "pods", "", ""]);
        check("/api/v1/namespaces/a", ["", "v1", "", "namespaces", "a", ""]);
        check(
            "/api/v1/namespaces/a/finalize",
            ["", "v1", "", "namespaces", "a", "finalize"],
        );
        check(
            "/api/v1/namespaces/a/pods/p/log",
            ["", "v1", "a", "pods", "p", "log"],
        );
        check(
            "/apis/apps/v1/namespaces/a/deployments/d/scale",
            ["apps", "v1", "a", "deployments", "d", "scale"],
        );
        check(
            "/apis/apps/v1/watch/deployments",
            ["apps", "v1", "", "deployments", "", ""],
        );
    }

    #[test]
    fn an_escaped_slash_stays_inside_its_part() {
        check(
            "/api/v1/namespaces/a/pods/x%2F..%2Fy+z",
            ["", "v1", "a", "pods", "x/../y+z", ""],
        );
    }
}
