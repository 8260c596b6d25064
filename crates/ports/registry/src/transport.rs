//! One request: redirects, retries, and a second try with other credentials.

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, LOCATION};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use url::Url;

use crate::auth::{Challenge, Scopes};
use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::error::{ErrorKind, Problem, Target};
use crate::{Result, address, retry};

/// How much of an error body is read.
const PROBLEM_BYTES: u64 = 64 << 10;

/// A request before it is sent. It can be made several times, so its body can be made anew.
pub(crate) struct Call<'a> {
    pub(crate) target: &'a Target,
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Payload,
    pub(crate) scopes: Scopes,
    /// For the whole exchange, the answer's body included; none for blobs, which have their own rule.
    pub(crate) timeout: Option<Duration>,
}

/// The body of a request.
#[derive(Debug, Clone)]
pub(crate) enum Payload {
    None,
    Bytes(Bytes),
    /// A part of a file, opened again for each attempt.
    File {
        path: std::path::PathBuf,
        offset: u64,
        length: u64,
    },
}

/// An answer with the address it finally came from.
pub(crate) struct Answer {
    pub(crate) response: reqwest::Response,
    pub(crate) url: Url,
}

impl Answer {
    pub(crate) fn status(&self) -> StatusCode {
        self.response.status()
    }

    pub(crate) fn header(&self, name: impl http::header::AsHeaderName) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }
}

impl Client {
    /// Sends `call` with the right credentials. Any status but a 401 that new credentials could cure comes
    /// back as an answer.
    pub(crate) async fn send(&self, call: &Call<'_>) -> Result<Answer> {
        let host = self.shared.host(&host_key(call)?);
        let challenge = host.current_challenge().unwrap_or(Challenge::None);
        let authorization = self.authorization(call, &challenge, None).await?;
        let answer = self.retried(call, authorization.as_ref()).await?;
        if answer.status() != StatusCode::UNAUTHORIZED
            || !address::same_origin(&answer.url, &call.endpoint.base)
        {
            return Ok(answer);
        }
        // The token may have ended early, or this path asks for more than the first contact said.
        let Some(asked) = Challenge::parse(answer.response.headers()) else {
            return Ok(answer);
        };
        let retry = self.authorization(call, &asked, authorization.as_ref()).await?;
        if retry.is_none() || retry == authorization {
            return Ok(answer);
        }
        host.learn(match asked {
            Challenge::Bearer { realm, service, .. } => Challenge::Bearer {
                realm,
                service,
                scope: None,
            },
            other => other,
        });
        self.retried(call, retry.as_ref()).await
    }

    /// Follows redirects; each leg is retried by itself.
    pub(crate) async fn retried(
        &self,
        call: &Call<'_>,
        authorization: Option<&HeaderValue>,
    ) -> Result<Answer> {
        let mut leg = call.copy();
        for _ in 0..=self.shared.options.limits.redirects {
            // Credentials go to the registry's own origin only.
            let own = address::same_origin(&leg.url, &call.endpoint.base);
            let answer = self.attempted(&leg, authorization.filter(|_| own)).await?;
            if !is_followed(&call.method, answer.status()) {
                return Ok(answer);
            }
            let Some(next) = answer.header(LOCATION).and_then(|to| leg.url.join(to).ok()) else {
                return Err(call
                    .target
                    .error(ErrorKind::Protocol("a redirect without a location".to_owned())));
            };
            // Measured from the registry too, so that a first hop cannot launder a second one.
            address::may_follow(&leg.url, &next)
                .and_then(|()| address::may_follow(&call.endpoint.base, &next))
                .map_err(|why| call.target.error(ErrorKind::Insecure(why)))?;
            leg.url = next;
        }
        Err(call.target.error(ErrorKind::TooLarge {
            what: "redirects",
            limit: self.shared.options.limits.redirects as u64,
        }))
    }

    /// Sends one leg until it gets an answer worth having.
    pub(crate) async fn attempted(
        &self,
        call: &Call<'_>,
        authorization: Option<&HeaderValue>,
    ) -> Result<Answer> {
        let options = &self.shared.options.retry;
        let mut attempt = 1;
        loop {
            let outcome = self.once(call, authorization).await;
            let asked = match &outcome {
                Ok(answer) if retry::is_worth_it(answer.status()) => retry::after(answer.response.headers()),
                Ok(_) => {
                    self.shared.budget.earn();
                    return outcome;
                }
                Err(err) if err.is_transient() => None,
                Err(_) => return outcome,
            };
            attempt += 1;
            if attempt > options.attempts || !self.shared.budget.take() {
                return outcome;
            }
            let Some(wait) = retry::delay(options, attempt, asked) else {
                return outcome;
            };
            tracing::debug!(target = %call.target.text, attempt, ?wait, "asking the registry again");
            tokio::time::sleep(wait).await;
        }
    }

    async fn once(&self, call: &Call<'_>, authorization: Option<&HeaderValue>) -> Result<Answer> {
        let mut request = self
            .shared
            .http
            .request(call.method.clone(), call.url.clone())
            .headers(call.headers.clone());
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        if let Some(timeout) = call.timeout {
            request = request.timeout(timeout);
        }
        request = match &call.body {
            Payload::None => request,
            Payload::Bytes(bytes) => request.body(bytes.clone()),
            Payload::File { path, offset, length } => {
                let body = crate::push_blob::file_body(path, *offset, *length)
                    .await
                    .map_err(|err| call.target.error(ErrorKind::File(err)))?;
                request.header(http::header::CONTENT_LENGTH, *length).body(body)
            }
        };
        match request.send().await {
            Ok(response) => Ok(Answer {
                response,
                url: call.url.clone(),
            }),
            Err(err) => Err(call.target.error(ErrorKind::of_http(err))),
        }
    }

    /// Reads a body into memory, up to `limit`.
    pub(crate) async fn read(
        &self,
        target: &Target,
        answer: Answer,
        limit: u64,
        what: &'static str,
    ) -> Result<Bytes> {
        let mut response = answer.response;
        let too_large = || target.error(ErrorKind::TooLarge { what, limit });
        if response.content_length().is_some_and(|length| length > limit) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|err| target.error(ErrorKind::of_http(err)))?
        {
            if (body.len() as u64).saturating_add(chunk.len() as u64) > limit {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.into())
    }

    /// The error for an answer that is no success.
    pub(crate) async fn refusal(&self, target: &Target, answer: Answer) -> crate::Error {
        let status = answer.status();
        let after = retry::after(answer.response.headers());
        target.error(ErrorKind::of_status(status, after, self.problem(answer).await))
    }

    /// What the body says, in the time of one request: a server must not hold us up with its excuses.
    pub(crate) async fn problem(&self, answer: Answer) -> Problem {
        let mut response = answer.response;
        let read = async {
            let mut body = Vec::new();
            while let Ok(Some(chunk)) = response.chunk().await {
                body.extend_from_slice(&chunk);
                if body.len() as u64 > PROBLEM_BYTES {
                    return Problem::default();
                }
            }
            Problem::parse(&body)
        };
        tokio::time::timeout(self.shared.options.timeouts.request, read)
            .await
            .unwrap_or_default()
    }
}

/// Hosts are known under the address first asked for, which differs from the one in use after a fall-back.
fn host_key(call: &Call<'_>) -> Result<Url> {
    let mut key = call.endpoint.base.clone();
    if call.endpoint.may_fall_back && key.set_scheme("https").is_err() {
        return Err(call
            .target
            .error(ErrorKind::Protocol("an address without a scheme".to_owned())));
    }
    Ok(key)
}

/// Reads follow every redirect; writes only those that keep method and body.
fn is_followed(method: &Method, status: StatusCode) -> bool {
    let read = method == Method::GET || method == Method::HEAD;
    match status.as_u16() {
        301..=303 => read,
        307 | 308 => true,
        _ => false,
    }
}

impl<'a> Call<'a> {
    /// A plain GET that ends in one time-out.
    pub(crate) fn get(
        target: &'a Target,
        endpoint: &'a Endpoint,
        url: Url,
        scopes: Scopes,
        client: &Client,
    ) -> Self {
        Self {
            target,
            endpoint,
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            body: Payload::None,
            scopes,
            timeout: Some(client.shared.options.timeouts.request),
        }
    }

    pub(crate) fn method(self, method: Method) -> Self {
        Self { method, ..self }
    }

    pub(crate) fn header(mut self, name: http::HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    pub(crate) fn body(self, body: Payload) -> Self {
        Self { body, ..self }
    }

    fn copy(&self) -> Self {
        Self {
            target: self.target,
            endpoint: self.endpoint,
            method: self.method.clone(),
            url: self.url.clone(),
            headers: self.headers.clone(),
            body: self.body.clone(),
            scopes: self.scopes.clone(),
            timeout: self.timeout,
        }
    }
}
