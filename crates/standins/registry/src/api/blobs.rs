//! Blobs by digest.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::RANGE;
use http::request::Parts;
use http::{Method, StatusCode};

use super::{digest, empty, not_allowed, problem};
use crate::Registry;

impl Registry {
    pub(super) fn blob_verb(&self, parts: &Parts, name: &str, text: &str) -> Response {
        let digest = match digest(text) {
            Ok(digest) => digest,
            Err(refusal) => return refusal,
        };
        let Some(content) = self.state().blob(name, &digest) else {
            return problem(StatusCode::NOT_FOUND, "BLOB_UNKNOWN", "blob unknown to registry");
        };
        match parts.method {
            Method::GET | Method::HEAD => {
                let range = parts.headers.get(RANGE).and_then(|value| value.to_str().ok());
                let range = range.filter(|_| self.options().ranges);
                send(parts.method == Method::HEAD, text, &content, range)
            }
            Method::DELETE if self.options().deletion => {
                self.state().repository(name).blobs.remove(&digest);
                empty(StatusCode::ACCEPTED, &[])
            }
            _ => not_allowed(),
        }
    }
}

fn send(head: bool, digest: &str, content: &Bytes, range: Option<&str>) -> Response {
    let total = content.len();
    let (status, part, range) = match range {
        None => (StatusCode::OK, content.clone(), None),
        Some(range) => match parse_range(range, total) {
            Some((start, end)) => (
                StatusCode::PARTIAL_CONTENT,
                content.slice(start..end),
                Some(format!("bytes {start}-{}/{total}", end - 1)),
            ),
            None => {
                return empty(
                    StatusCode::RANGE_NOT_SATISFIABLE,
                    &[("content-range", format!("bytes */{total}"))],
                );
            }
        },
    };
    let mut headers = vec![
        ("content-length", part.len().to_string()),
        ("content-type", "application/octet-stream".to_owned()),
        ("docker-content-digest", digest.to_owned()),
        ("accept-ranges", "bytes".to_owned()),
    ];
    headers.extend(range.map(|range| ("content-range", range)));
    let mut response = empty(status, &headers);
    if !head {
        *response.body_mut() = Body::from(part);
    }
    response
}

/// Start and end (exclusive) of `bytes=a-`, `bytes=a-b` or `bytes=-last`, when it lies within `total`.
fn parse_range(range: &str, total: usize) -> Option<(usize, usize)> {
    let (start, end) = match range.strip_prefix("bytes=")?.split_once('-')? {
        ("", last) => (total.saturating_sub(last.parse().ok()?), total),
        (start, "") => (start.parse().ok()?, total),
        (start, end) => (
            start.parse().ok()?,
            end.parse::<usize>().ok()?.checked_add(1)?.min(total),
        ),
    };
    (start < end).then_some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_stay_within_the_content() {
        assert_eq!(parse_range("bytes=2-", 5), Some((2, 5)));
        assert_eq!(parse_range("bytes=0-99", 5), Some((0, 5)));
        assert_eq!(parse_range("bytes=5-", 5), None);
        assert_eq!(parse_range("bytes=3-1", 5), None);
        assert_eq!(parse_range("bytes=-2", 5), Some((3, 5)));
        assert_eq!(parse_range("bytes=-9", 5), Some((0, 5)));
        assert_eq!(parse_range("bytes=-0", 5), None);
        assert_eq!(parse_range("bytes=-", 5), None);
        assert_eq!(parse_range("bytes=0-18446744073709551615", 5), None);
    }
}
