//! One question to a service: bounded in time and size, asked again where that is safe.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, RequestBuilder, StatusCode};
use url::{Host, Url};
use weir_redact::Mask;
use weir_registry::{ClientOptions, http_client};

/// For a whole request: a tiled log answers when the entry is in, which takes seconds.
const REQUEST: Duration = Duration::from_secs(45);
/// How often a request is made at most.
const ATTEMPTS: u32 = 3;
/// The wait before the second attempt; it doubles each time.
const PAUSE: Duration = Duration::from_millis(300);
/// The longest answer that is read, in bytes.
const MAX_BYTES: usize = 4 << 20;

/// Why a service gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// No HTTP client can be made with these options.
    #[error("make an HTTP client")]
    Client(#[source] weir_registry::Error),
    /// The service cannot be reached, or the connection broke.
    #[error("ask the {service} at {url}")]
    Broken {
        /// What kind of service.
        service: &'static str,
        /// Where.
        url: Box<Url>,
        /// Why.
        source: reqwest::Error,
    },
    /// The service refused.
    #[error("{service} at {url} answered {status}: {said}")]
    Refused {
        /// What kind of service.
        service: &'static str,
        /// Where.
        url: Box<Url>,
        /// The status.
        status: StatusCode,
        /// The beginning of what it said.
        said: String,
    },
    /// The answer has another shape than the protocol says, or is too long.
    #[error("answer of the {service} at {url} cannot be used ({why})")]
    Answer {
        /// What kind of service.
        service: &'static str,
        /// Where.
        url: Box<Url>,
        /// What is wrong.
        why: &'static str,
    },
}

/// The client of all services and mirrors: certificates and proxies as for registries. It follows no redirects, because a token
/// goes along, and reads no environment.
#[derive(Clone, Debug)]
pub(crate) struct Http(Client);

/// A service at an address.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) service: &'static str,
    pub(crate) url: Url,
}

impl Place {
    pub(crate) fn unusable(&self, why: &'static str) -> CallError {
        CallError::Answer {
            service: self.service,
            url: Box::new(self.url.clone()),
            why,
        }
    }
}

impl Http {
    pub(crate) fn new(options: &ClientOptions) -> Result<Self, CallError> {
        let mut options = options.clone();
        // Without TLS a service is on this machine, and its token must not leave it for a proxy.
        options.proxy.http = None;
        http_client(&options).map(Self).map_err(CallError::Client)
    }

    pub(crate) async fn post(
        &self,
        place: &Place,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Vec<u8>, CallError> {
        let request = || {
            self.0
                .post(place.url.clone())
                .headers(headers.clone())
                .body(body.clone())
        };
        ask(place, &secrets(&headers), MAX_BYTES, request).await
    }

    pub(crate) async fn get(&self, place: &Place, headers: HeaderMap) -> Result<Vec<u8>, CallError> {
        let request = || self.0.get(place.url.clone()).headers(headers.clone());
        ask(place, &secrets(&headers), MAX_BYTES, request).await
    }

    /// A file of at most `max_bytes`; nothing where there is none. Buckets that cannot be listed answer 403 for that.
    pub(crate) async fn file(&self, place: &Place, max_bytes: usize) -> Result<Option<Vec<u8>>, CallError> {
        let request = || self.0.get(place.url.clone());
        match ask(place, &Mask::default(), max_bytes, request).await {
            Ok(content) => Ok(Some(content)),
            Err(CallError::Refused { status, .. }) if matches!(status.as_u16(), 403 | 404) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What must not come back in an error: a service may repeat the token that it does not take.
fn secrets(headers: &HeaderMap) -> Mask {
    let sensitive = headers.values().filter(|value| value.is_sensitive());
    let texts = sensitive.filter_map(|value| value.to_str().ok());
    texts.map(|text| text.trim_start_matches("Bearer ")).collect()
}

async fn ask(
    place: &Place,
    secrets: &Mask,
    max_bytes: usize,
    request: impl Fn() -> RequestBuilder,
) -> Result<Vec<u8>, CallError> {
    let (mut attempt, mut pause) = (1, PAUSE);
    loop {
        match once(place, secrets, max_bytes, request()).await {
            Err(error) if attempt < ATTEMPTS && may_pass(&error) => {
                tokio::time::sleep(pause).await;
                attempt += 1;
                pause *= 2;
            }
            other => return other,
        }
    }
}

/// Only where the request was not acted on: a second entry in a log cannot be taken back.
fn may_pass(error: &CallError) -> bool {
    match error {
        CallError::Broken { source, .. } => source.is_connect(),
        CallError::Refused { status, .. } => matches!(status.as_u16(), 429 | 503),
        _ => false,
    }
}

async fn once(
    place: &Place,
    secrets: &Mask,
    max_bytes: usize,
    request: RequestBuilder,
) -> Result<Vec<u8>, CallError> {
    let broken = |source: reqwest::Error| CallError::Broken {
        service: place.service,
        url: Box::new(place.url.clone()),
        source: source.without_url(),
    };
    let mut answer = request.timeout(REQUEST).send().await.map_err(broken)?;
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(broken)? {
        if body.len().saturating_add(chunk.len()) > max_bytes {
            return Err(place.unusable("too long"));
        }
        body.extend_from_slice(&chunk);
    }
    if answer.status().is_success() {
        return Ok(body);
    }
    let said = String::from_utf8_lossy(&body);
    Err(CallError::Refused {
        service: place.service,
        url: Box::new(place.url.clone()),
        status: answer.status(),
        said: secrets
            .apply(&said)
            .chars()
            .filter(|c| !c.is_control())
            .take(300)
            .collect(),
    })
}

/// Whether a token may go there, and an answer be believed to be from there: over TLS, or not off this machine.
pub(crate) fn is_safe(url: &Url) -> bool {
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && local)
}
