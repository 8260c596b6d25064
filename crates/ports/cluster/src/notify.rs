//! Events told to an HTTP endpoint, such as Flux's notification-controller (flux-controllers.md §1.9).

use std::time::Duration;

use reqwest::{StatusCode, Url, header};
use serde_json::Value;

/// Longest time for one attempt.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Attempts before an event is given up.
const ATTEMPTS: u32 = 5;
/// Pause before the second attempt; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Why an event did not arrive.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// The address is no URL, or not of the web.
    #[error("'{0}' is no http:// or https:// address")]
    Address(String),
    /// No HTTP client can be made on this machine.
    #[error("cannot make an HTTP client")]
    Client(#[source] reqwest::Error),
    /// The endpoint can't be reached.
    #[error("cannot reach {endpoint}")]
    Unreachable {
        /// The endpoint.
        endpoint: Url,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The endpoint refused the event.
    #[error("{endpoint} answered {status}")]
    Refused {
        /// The endpoint.
        endpoint: Url,
        /// Its answer.
        status: StatusCode,
    },
}

/// An endpoint that takes events.
#[derive(Debug, Clone)]
pub struct Endpoint {
    url: Url,
    http: reqwest::Client,
}

impl Endpoint {
    /// An endpoint at an address such as `http://notification-controller.flux-system.svc.cluster.local./`.
    pub fn new(address: &str) -> Result<Self, NotifyError> {
        let wrong = || NotifyError::Address(address.to_owned());
        let url: Url = address.parse().map_err(|_| wrong())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong());
        }
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .build()
            .map_err(NotifyError::Client)?;
        Ok(Self { url, http })
    }

    /// Posts an event. What may pass is tried again: a broken connection, an answer from 500 up. That there were too
    /// many events of the kind (429) does not pass soon, so that one is dropped.
    pub async fn post(&self, event: &Value) -> Result<(), NotifyError> {
        let mut pause = FIRST_PAUSE;
        let mut attempt = 1;
        loop {
            match self.post_once(event).await {
                Err(error) if attempt < ATTEMPTS && error.may_pass() => {
                    tracing::debug!(%error, attempt, "event not delivered, trying again");
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    async fn post_once(&self, event: &Value) -> Result<(), NotifyError> {
        let endpoint = || self.url.clone();
        let answer = self
            .http
            .post(self.url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .body(event.to_string())
            .send()
            .await
            .map_err(|source| NotifyError::Unreachable {
                endpoint: endpoint(),
                source: source.without_url(),
            })?;
        let status = answer.status();
        if status.is_client_error() || status.is_server_error() {
            return Err(NotifyError::Refused {
                endpoint: endpoint(),
                status,
            });
        }
        Ok(())
    }
}

impl NotifyError {
    fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { status, .. } => {
                status.is_server_error() && *status != StatusCode::NOT_IMPLEMENTED
            }
            Self::Address(_) | Self::Client(_) => false,
        }
    }
}
