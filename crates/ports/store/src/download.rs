//! Artifacts that another process serves: those of Flux's source-controller, or of another weir.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::{StatusCode, Url};
use weir_oci::Digest;
use weir_registry::guard;

use crate::Limits;

/// Longest silence of a server.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Attempts before the caller is told.
const ATTEMPTS: u32 = 4;
/// Pause before the second attempt; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Why an artifact can't be downloaded.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The address is none, or none that may be asked (security case N59).
    #[error("'{url}' may not be downloaded: {why}")]
    Address {
        /// As the source's status has it.
        url: String,
        /// Why not.
        why: String,
    },
    /// No HTTP client can be made on this machine.
    #[error("cannot make an HTTP client")]
    Client(#[source] reqwest::Error),
    /// The server does not have it, which after a new artifact is so for a moment.
    #[error("{0} does not exist")]
    Absent(Url),
    /// The server refused.
    #[error("{url} answered {status}")]
    Refused {
        /// Asked for.
        url: Url,
        /// The answer.
        status: StatusCode,
    },
    /// The server can't be reached, or the connection broke.
    #[error("cannot download {url}")]
    Broken {
        /// Asked for.
        url: Url,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// More bytes came than the artifact has.
    #[error("{url} is larger than the {limit} bytes that it should have at most")]
    TooLarge {
        /// Asked for.
        url: Url,
        /// Most bytes allowed.
        limit: u64,
    },
    /// Other bytes came than the source's status promises.
    #[error("{url} has the digest {} and not {}", .digests.0, .digests.1)]
    Digest {
        /// Asked for.
        url: Url,
        /// Of what came, and of what should have come.
        digests: Box<(Digest, Digest)>,
    },
}

/// Downloads artifacts. Clones share connections.
#[derive(Debug, Clone)]
pub struct Downloader {
    http: reqwest::Client,
    limit: u64,
}

impl Downloader {
    /// A downloader that takes as many bytes as [`Limits`] lets an archive have. It follows no redirects, uses no proxy, and does not call
    /// link-local addresses, by whatever name.
    pub fn new() -> Result<Self, DownloadError> {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .dns_resolver(Arc::new(guard::GuardedResolver))
            .read_timeout(TIMEOUT)
            .connect_timeout(TIMEOUT)
            .build()
            .map_err(DownloadError::Client)?;
        Ok(Self {
            http,
            limit: Limits::default().bytes,
        })
    }

    /// The bytes at `url`, which have the digest and, where it is known, the size. What may pass is tried again.
    pub async fn get(&self, url: &str, digest: &Digest, size: Option<u64>) -> Result<Bytes, DownloadError> {
        let refused = |why: String| DownloadError::Address {
            url: url.to_owned(),
            why,
        };
        let address: Url = url.parse().map_err(|e| refused(format!("{e}")))?;
        guard::may_call(&address).map_err(refused)?;
        let limit = size.unwrap_or(self.limit).min(self.limit);
        let mut pause = FIRST_PAUSE;
        let mut attempt = 1;
        loop {
            match self.get_once(&address, digest, limit).await {
                Err(error) if attempt < ATTEMPTS && error.may_pass() => {
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    async fn get_once(&self, url: &Url, wanted: &Digest, limit: u64) -> Result<Bytes, DownloadError> {
        let broken = |source: reqwest::Error| DownloadError::Broken {
            url: url.clone(),
            source: source.without_url(),
        };
        let mut answer = self.http.get(url.clone()).send().await.map_err(broken)?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Err(DownloadError::Absent(url.clone())),
            status => {
                return Err(DownloadError::Refused {
                    url: url.clone(),
                    status,
                });
            }
        }
        let mut bytes = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(broken)? {
            if (bytes.len() + chunk.len()) as u64 > limit {
                return Err(DownloadError::TooLarge {
                    url: url.clone(),
                    limit,
                });
            }
            bytes.extend_from_slice(&chunk);
        }
        let bytes = bytes.freeze();
        let found = Digest::of(&bytes);
        if found != *wanted {
            return Err(DownloadError::Digest {
                url: url.clone(),
                digests: Box::new((found, *wanted)),
            });
        }
        Ok(bytes)
    }
}

impl DownloadError {
    fn may_pass(&self) -> bool {
        match self {
            Self::Broken { .. } => true,
            Self::Refused { status, .. } => {
                status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS
            }
            _ => false,
        }
    }
}
