//! Downloads over HTTP.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, ETAG, IF_NONE_MATCH, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use url::Url;
use weir_redact::{SecretString, redact_url, redact_urls_in};
use weir_registry::{ClientOptions, guard, http_client};

use crate::repository::Repository;

/// Redirects that are followed, as in Go.
const MAX_REDIRECTS: usize = 10;

/// Media types of charts, as Helm asks for them.
const ARCHIVES: HeaderValue = HeaderValue::from_static("application/gzip,application/octet-stream");

/// A user name and a password.
#[derive(Clone, Debug)]
pub struct Login {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: SecretString,
}

/// What a server sent.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Content.
    Content {
        /// The bytes.
        bytes: Bytes,
        /// What the server calls this state of it, to be asked with again.
        etag: Option<String>,
    },
    /// What it sent before, by its etag, is still so.
    Unchanged,
}

/// Why something cannot be downloaded.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No client can be made with these certificates and proxies.
    #[error(transparent)]
    Options(#[from] weir_registry::Error),
    /// The server refused.
    #[error("failed to fetch {url} : {}", status_line(*.status))]
    Refused {
        /// Asked for.
        url: String,
        /// The answer.
        status: StatusCode,
    },
    /// A redirect that leads where it must not, or does not end.
    #[error("{url} redirects to {why}")]
    Redirect {
        /// Asked for.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// No connection, or one that broke.
    #[error("cannot fetch {url}: {why}")]
    Broken {
        /// Asked for.
        url: String,
        /// Why.
        why: String,
    },
    /// It took too long.
    #[error("cannot fetch {url} within {} s", .after.as_secs_f32())]
    Slow {
        /// Asked for.
        url: String,
        /// The longest time.
        after: Duration,
    },
    /// More bytes than are taken.
    #[error("{url} is larger than the maximum size of {limit} bytes")]
    TooLarge {
        /// Asked for.
        url: String,
        /// The most that is taken.
        limit: u64,
    },
}

impl FetchError {
    /// Whether credentials were missing or wrong, or certificates not trusted.
    pub fn is_access(&self) -> bool {
        match self {
            Self::Refused { status, .. } => {
                matches!(*status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
            }
            Self::Broken { why, .. } => why.contains("certificate") || why.contains("tls"),
            _ => false,
        }
    }
}

fn status_line(status: StatusCode) -> String {
    format!(
        "{} {}",
        status.as_u16(),
        status.canonical_reason().unwrap_or_default()
    )
    .trim_end()
    .to_owned()
}

/// Downloads. Clones share connections.
#[derive(Debug, Clone)]
pub struct Web {
    http: reqwest::Client,
    timeout: Duration,
}

impl Web {
    /// A client with certificates and proxies of these options; `timeout` is for a whole download.
    pub fn new(options: &ClientOptions, timeout: Duration) -> Result<Self, FetchError> {
        Ok(Self {
            http: http_client(options)?,
            timeout,
        })
    }

    /// The same client, with another longest time for a whole download.
    #[must_use]
    pub fn within(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// The index of a repository, unless it is still what the server called `etag`.
    pub async fn index(
        &self,
        repository: &Repository,
        etag: Option<&str>,
        limit: u64,
    ) -> Result<Answer, FetchError> {
        let url = repository.index().map_err(|error| FetchError::Broken {
            url: error.url,
            why: error.why,
        })?;
        let mut headers = HeaderMap::new();
        if let Some(etag) = etag.and_then(|etag| HeaderValue::from_str(etag).ok()) {
            headers.insert(IF_NONE_MATCH, etag);
        }
        self.get(&url, repository, headers, limit).await
    }

    /// A chart's archive, or whatever else an index names.
    pub async fn archive(&self, url: &Url, repository: &Repository, limit: u64) -> Result<Bytes, FetchError> {
        let headers = HeaderMap::from_iter([(ACCEPT, ARCHIVES)]);
        match self.get(url, repository, headers, limit).await? {
            Answer::Content { bytes, .. } => Ok(bytes),
            // Only an etag is answered so.
            Answer::Unchanged => Err(FetchError::Refused {
                url: redact_url(url.as_str()),
                status: StatusCode::NOT_MODIFIED,
            }),
        }
    }

    async fn get(
        &self,
        url: &Url,
        repository: &Repository,
        headers: HeaderMap,
        limit: u64,
    ) -> Result<Answer, FetchError> {
        let work = self.get_slowly(url, repository, headers, limit);
        match tokio::time::timeout(self.timeout, work).await {
            Ok(answer) => answer,
            Err(_) => Err(FetchError::Slow {
                url: redact_url(url.as_str()),
                after: self.timeout,
            }),
        }
    }

    async fn get_slowly(
        &self,
        first: &Url,
        repository: &Repository,
        headers: HeaderMap,
        limit: u64,
    ) -> Result<Answer, FetchError> {
        let name = || redact_url(first.as_str());
        let broken = |error: reqwest::Error| FetchError::Broken {
            url: name(),
            why: redact_urls_in(&chain(&error.without_url())),
        };
        let mut url = first.clone();
        let mut follows = 0;
        let mut answer = loop {
            let mut request = self.http.get(url.clone()).headers(headers.clone());
            if let Some(login) = credentials(repository, first, &url) {
                request = request.basic_auth(&login.username, Some(login.password.expose()));
            }
            let answer = request.send().await.map_err(broken)?;
            if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                break answer;
            }
            let refused = |why: String| FetchError::Redirect { url: name(), why };
            follows += 1;
            if follows > MAX_REDIRECTS {
                return Err(refused(format!(
                    "more than {MAX_REDIRECTS} addresses, one after the other"
                )));
            }
            let to = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok());
            let to = to.ok_or_else(|| refused("nowhere".to_owned()))?;
            let next = url
                .join(to)
                .map_err(|error| refused(format!("no address: {error}")))?;
            guard::may_follow(&url, &next).map_err(refused)?;
            url = next;
        };
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_MODIFIED if headers.contains_key(IF_NONE_MATCH) => return Ok(Answer::Unchanged),
            status => return Err(FetchError::Refused { url: name(), status }),
        }
        let etag = answer.headers().get(ETAG).and_then(|etag| etag.to_str().ok());
        let etag = etag.map(str::to_owned);
        let mut bytes = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(broken)? {
            if (bytes.len() + chunk.len()) as u64 > limit {
                return Err(FetchError::TooLarge { url: name(), limit });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Answer::Content {
            bytes: bytes.freeze(),
            etag,
        })
    }
}

/// The login for a request to `url`, which began as one to `first` (security case N21): it goes to the repository's own
/// scheme, host and port, to others only where that was asked for, and never along with a redirect to another host.
fn credentials<'r>(repository: &'r Repository, first: &Url, url: &Url) -> Option<&'r Login> {
    let own = repository.pass_credentials || guard::same_origin(repository.url(), first);
    let stayed = guard::same_origin(first, url);
    repository.login.as_ref().filter(|_| own && stayed)
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let part = source.to_string();
        if !text.contains(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        next = source.source();
    }
    text
}
