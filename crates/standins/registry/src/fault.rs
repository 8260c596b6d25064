//! How the registry misbehaves on demand.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::StreamExt as _;
use http::{HeaderName, HeaderValue, Method, StatusCode};

/// A wrong answer to the requests it applies to, as often as it says.
#[derive(Debug, Clone)]
pub struct Fault {
    method: Option<Method>,
    path: String,
    times: u32,
    pub(crate) effect: Effect,
}

/// What is wrong with the answer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Effect {
    /// This status, without doing anything.
    Status(StatusCode),
    /// This status with these headers, without doing anything.
    Answer(StatusCode, Vec<(HeaderName, HeaderValue)>),
    /// The right answer with another body, announced as this media type when one is given.
    Body(Bytes, Option<String>),
    /// The right answer with these headers set.
    Headers(Vec<(HeaderName, HeaderValue)>),
    /// The right answer without this header.
    WithoutHeader(HeaderName),
    /// The right answer, but the connection breaks after so many bytes of the body.
    CutBody(usize),
    /// The right answer with the first byte of the body changed.
    Corrupt,
    /// The right answer, with this pause first.
    Slow(Duration),
    /// No answer.
    Hang,
}

impl Fault {
    /// A fault for every request, once.
    pub fn new(effect: Effect) -> Self {
        Self {
            method: None,
            path: String::new(),
            times: 1,
            effect,
        }
    }

    /// Applies to this method only.
    #[must_use]
    pub fn on(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// Applies only to requests whose path holds `part`.
    #[must_use]
    pub fn at(mut self, part: impl Into<String>) -> Self {
        self.path = part.into();
        self
    }

    /// Applies so many times.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// Applies from now on.
    #[must_use]
    pub fn always(self) -> Self {
        self.times(u32::MAX)
    }
}

/// Takes the first fault that applies, and forgets it once it is used up.
pub(crate) fn take(faults: &mut Vec<Fault>, method: &Method, path: &str) -> Option<Effect> {
    let at = faults.iter().position(|fault| {
        fault.times > 0
            && fault.method.as_ref().is_none_or(|wanted| wanted == method)
            && path.contains(&fault.path)
    })?;
    let fault = faults.get_mut(at)?;
    let effect = fault.effect.clone();
    if fault.times != u32::MAX {
        fault.times -= 1;
    }
    if fault.times == 0 {
        faults.remove(at);
    }
    Some(effect)
}

/// The answer before anything is done, when the fault has one.
pub(crate) async fn before(effect: &Effect) -> Option<Response> {
    let answer = |status: StatusCode| {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        response
    };
    match effect {
        Effect::Status(status) => Some(answer(*status)),
        Effect::Answer(status, headers) => {
            let mut response = answer(*status);
            response.headers_mut().extend(headers.iter().cloned());
            Some(response)
        }
        Effect::Slow(pause) => {
            tokio::time::sleep(*pause).await;
            None
        }
        Effect::Hang => std::future::pending().await,
        _ => None,
    }
}

/// Spoils the right answer.
pub(crate) async fn after(effect: Effect, response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let body = match effect {
        Effect::Body(bytes, media_type) => {
            parts.headers.remove(http::header::CONTENT_LENGTH);
            if let Some(value) = media_type.and_then(|kind| HeaderValue::from_str(&kind).ok()) {
                parts.headers.insert(http::header::CONTENT_TYPE, value);
            }
            Body::from(bytes)
        }
        Effect::Headers(headers) => {
            for (name, value) in headers {
                parts.headers.insert(name, value);
            }
            body
        }
        Effect::WithoutHeader(name) => {
            parts.headers.remove(name);
            body
        }
        Effect::CutBody(length) => {
            let whole = read(body).await;
            parts
                .headers
                .insert(http::header::CONTENT_LENGTH, HeaderValue::from(whole.len()));
            let part = whole.slice(..length.min(whole.len()));
            let broken = futures::stream::once(async {
                // The server sends what it has while the body makes it wait, and throws it away on an error.
                for _ in 0..16 {
                    tokio::task::yield_now().await;
                }
                Err(std::io::Error::other("cut"))
            });
            Body::from_stream(futures::stream::iter([Ok(part)]).chain(broken))
        }
        Effect::Corrupt => {
            let mut whole = read(body).await.to_vec();
            if let Some(first) = whole.first_mut() {
                *first ^= 1;
            }
            Body::from(whole)
        }
        _ => body,
    };
    Response::from_parts(parts, body)
}

async fn read(body: Body) -> Bytes {
    axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default()
}
