//! The protocol: from a request to the verb it asks for.

mod blobs;
mod lists;
mod manifests;
mod uploads;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderValue, Method, Request, StatusCode};
use weir_oci::{Digest, Tag};

use crate::access::Want;
use crate::owner::Seen;
use crate::{Registry, fault};

/// Manifests and token requests are read whole.
const SMALL_BODY: usize = 8 << 20;

/// Which object a path names.
#[derive(Debug, PartialEq, Eq)]
enum Route<'a> {
    Ping,
    Token,
    Manifest(&'a str, &'a str),
    Blob(&'a str, &'a str),
    Uploads(&'a str),
    Upload(&'a str, &'a str),
    Tags(&'a str),
    Referrers(&'a str, &'a str),
}

pub(crate) async fn handle(State(registry): State<Registry>, request: Request<Body>) -> Response {
    let mut seen = Seen {
        method: request.method().to_string(),
        path: request
            .uri()
            .path_and_query()
            .map(ToString::to_string)
            .unwrap_or_default(),
        authorization: request
            .headers()
            .get(http::header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(' ').next())
            .map(str::to_owned),
        status: 0,
    };
    let effect = fault::take(&mut registry.state().faults, request.method(), &seen.path);
    let early = match &effect {
        // Noted before the wait, which may have no end.
        Some(effect @ (fault::Effect::Hang | fault::Effect::Slow(_))) => {
            registry.state().remember(seen.clone());
            fault::before(effect).await
        }
        Some(effect) => fault::before(effect).await,
        None => None,
    };
    let response = match early {
        Some(response) => response,
        None => registry.answer(request).await,
    };
    let response = match effect {
        Some(effect) => fault::after(effect, response).await,
        None => response,
    };
    seen.status = response.status().as_u16();
    registry.state().remember(seen);
    response
}

impl Registry {
    async fn answer(&self, request: Request<Body>) -> Response {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let Some(route) = route(&path) else {
            return problem(StatusCode::NOT_FOUND, "NAME_INVALID", "no such path");
        };
        if route == Route::Token {
            return match axum::body::to_bytes(body, SMALL_BODY).await {
                Ok(body) => self.token(&parts, &body),
                Err(_) => problem(StatusCode::BAD_REQUEST, "UNSUPPORTED", "unreadable body"),
            };
        }
        if let Some(refusal) = self.check(&parts, &wants(&route, &parts)) {
            return refusal;
        }
        match route {
            Route::Ping => Response::new(Body::from("{}")),
            // Answered above, before credentials are asked for.
            Route::Token => problem(StatusCode::NOT_FOUND, "UNSUPPORTED", "no tokens here"),
            Route::Manifest(name, selector) => self.manifest_verb(&parts, body, name, selector).await,
            Route::Blob(name, digest) => self.blob_verb(&parts, name, digest),
            Route::Uploads(name) => self.start_upload(&parts, body, name).await,
            Route::Upload(name, id) => self.upload_verb(&parts, body, name, id).await,
            Route::Tags(name) => self.list_tags(&parts, name),
            Route::Referrers(name, digest) => self.list_referrers(&parts, name, digest),
        }
    }
}

/// Names hold slashes, so the end of the path decides.
fn route(path: &str) -> Option<Route<'_>> {
    if matches!(path, "/v2" | "/v2/") {
        return Some(Route::Ping);
    }
    if path == "/token" {
        return Some(Route::Token);
    }
    let rest = path.strip_prefix("/v2/")?;
    let found = if let Some(name) = rest.strip_suffix("/tags/list") {
        Route::Tags(name)
    } else if let Some((name, id)) = rest.rsplit_once("/blobs/uploads/") {
        if id.is_empty() {
            Route::Uploads(name)
        } else {
            Route::Upload(name, id)
        }
    } else if let Some(name) = rest.strip_suffix("/blobs/uploads") {
        Route::Uploads(name)
    } else {
        let (head, last) = rest.rsplit_once('/')?;
        let (name, kind) = head.rsplit_once('/')?;
        match kind {
            "manifests" => Route::Manifest(name, last),
            "blobs" => Route::Blob(name, last),
            "referrers" => Route::Referrers(name, last),
            _ => return None,
        }
    };
    let name = found.name();
    weir_oci::Repository::new("localhost", name).ok().map(|_| found)
}

impl<'a> Route<'a> {
    const fn name(&self) -> &'a str {
        match self {
            Self::Ping | Self::Token => "",
            Self::Manifest(name, _)
            | Self::Blob(name, _)
            | Self::Uploads(name)
            | Self::Upload(name, _)
            | Self::Tags(name)
            | Self::Referrers(name, _) => name,
        }
    }
}

fn wants<'a>(route: &Route<'a>, parts: &Parts) -> Vec<Want<'a>> {
    let want = |action| Want {
        repository: route.name(),
        action,
    };
    match route {
        Route::Ping | Route::Token => Vec::new(),
        Route::Uploads(_) | Route::Upload(..) => vec![want("push")],
        _ if parts.method == Method::DELETE => vec![want("delete")],
        _ if parts.method == Method::PUT => vec![want("push")],
        _ => vec![want("pull")],
    }
}

/// The value of a query parameter.
fn query(parts: &Parts, wanted: &str) -> Option<String> {
    let query = parts.uri.query()?;
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == wanted)
        .map(|(_, value)| value.into_owned())
}

/// A digest in a path or query, or the refusal.
#[expect(clippy::result_large_err, reason = "the error is the answer to send")]
fn digest(text: &str) -> Result<Digest, Response> {
    text.parse()
        .map_err(|_| problem(StatusCode::BAD_REQUEST, "DIGEST_INVALID", "no sha256 digest"))
}

fn is_selector(text: &str) -> bool {
    text.parse::<Digest>().is_ok() || Tag::new(text).is_ok()
}

/// An empty answer with headers.
fn empty(status: StatusCode, headers: &[(&'static str, String)]) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(*name, value);
        }
    }
    response
}

/// The protocol's error body.
pub(crate) fn problem(status: StatusCode, code: &str, message: &str) -> Response {
    let body = serde_json::json!({"errors": [{"code": code, "message": message}]});
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(
        http::header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

fn not_allowed() -> Response {
    problem(
        StatusCode::METHOD_NOT_ALLOWED,
        "UNSUPPORTED",
        "not supported here",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_path_decides() {
        assert_eq!(route("/v2/a/b/manifests/v1"), Some(Route::Manifest("a/b", "v1")));
        assert_eq!(route("/v2/a/blobs/uploads/"), Some(Route::Uploads("a")));
        assert_eq!(route("/v2/a/blobs/uploads/x"), Some(Route::Upload("a", "x")));
        assert_eq!(
            route("/v2/manifests/manifests/x"),
            Some(Route::Manifest("manifests", "x"))
        );
        assert_eq!(route("/v2/a/tags/list"), Some(Route::Tags("a")));
        assert_eq!(route("/v2/A/tags/list"), None);
        assert_eq!(route("/v2/a/../b/tags/list"), None);
        assert_eq!(route("/"), None);
    }
}
