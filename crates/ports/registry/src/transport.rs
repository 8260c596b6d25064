//! One request: credentials, redirects, retries.

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use url::Url;
use weir_oci::Repository;

use crate::auth::{self, Challenge, Scopes};
use crate::client::{Client, Contact};
use crate::credentials::{Credential, CredentialError};
use crate::endpoint::Endpoint;
use crate::error::{ErrorKind, Operation, Problem, Target};
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
    /// The endpoint of `repository`, after first contact: its scheme is settled and its challenge known.
    pub(crate) async fn endpoint(&self, target: &Target, repository: &Repository) -> Result<Endpoint> {
        let mut endpoint = Endpoint::new(&self.shared.options, repository)
            .map_err(|why| target.error(ErrorKind::Options(why)))?;
        if address::reach(&endpoint.base) == address::Reach::LinkLocal {
            let host = endpoint.base.host_str().unwrap_or_default();
            return Err(target.error(ErrorKind::Insecure(format!(
                "a registry at {host}, which is link-local"
            ))));
        }
        let host = self.shared.host(&endpoint.base);
        let contact = host
            .contact
            .get_or_try_init(|| self.contact(target, &endpoint))
            .await?;
        endpoint.base = contact.base.clone();
        Ok(endpoint)
    }

    async fn contact(&self, target: &Target, endpoint: &Endpoint) -> Result<Contact> {
        match self.greet(target, endpoint).await {
            Ok(challenge) => Ok(Contact {
                base: endpoint.base.clone(),
                challenge,
            }),
            Err(err) if endpoint.may_fall_back && matches!(err.kind(), ErrorKind::Connect(_)) => {
                let mut plain = endpoint.clone();
                if plain.base.set_scheme("http").is_err() {
                    return Err(err);
                }
                let challenge = self.greet(target, &plain).await?;
                Ok(Contact {
                    base: plain.base,
                    challenge,
                })
            }
            Err(err) => Err(err),
        }
    }

    /// Asks `/v2/`. A server that refuses without a challenge, or does not know the path, is asked directly
    /// later: its answers to real requests say more.
    async fn greet(&self, target: &Target, endpoint: &Endpoint) -> Result<Challenge> {
        let call = Call::get(target, endpoint, endpoint.ping(), Scopes::default(), self);
        let answer = self.retried(&call, None).await?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            return Ok(Challenge::parse(answer.response.headers()).unwrap_or(Challenge::None));
        }
        if answer.status().is_server_error() || answer.status() == StatusCode::TOO_MANY_REQUESTS {
            return Err(self.refusal(target, answer).await);
        }
        Ok(Challenge::None)
    }

    /// Asks `/v2/` with the credentials there are, to see that the registry can be used.
    ///
    /// # Errors
    /// When it cannot be reached or refuses the credentials.
    pub async fn ping(&self, repository: &Repository) -> Result<()> {
        let target = Target::repository(Operation::Ping, repository);
        let endpoint = self.endpoint(&target, repository).await?;
        let scopes = Scopes::default();
        let call = Call::get(&target, &endpoint, endpoint.ping(), scopes, self);
        let answer = self.send(&call).await?;
        if answer.status().is_success() {
            Ok(())
        } else {
            Err(self.refusal(&target, answer).await)
        }
    }

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

    async fn authorization(
        &self,
        call: &Call<'_>,
        challenge: &Challenge,
        wrong: Option<&HeaderValue>,
    ) -> Result<Option<HeaderValue>> {
        let wrap = |err| call.target.error(ErrorKind::Credentials(err));
        if *challenge == Challenge::None {
            return Ok(None);
        }
        let credential = self
            .identity
            .credential(&call.endpoint.wire)
            .await
            .map_err(wrap)?;
        match (challenge, credential) {
            (Challenge::None, _) => Ok(None),
            (Challenge::Basic, credential) => Ok(credential.as_ref().and_then(auth::direct)),
            (Challenge::Bearer { .. }, Some(Credential::Bearer(token))) => Ok(auth::bearer(&token)),
            (
                Challenge::Bearer {
                    realm,
                    service,
                    scope,
                },
                credential,
            ) => {
                self.token(
                    call,
                    realm,
                    service.as_deref(),
                    scope.as_deref(),
                    credential,
                    wrong,
                )
                .await
            }
        }
    }

    async fn token(
        &self,
        call: &Call<'_>,
        realm: &Url,
        service: Option<&str>,
        scope: Option<&str>,
        credential: Option<Credential>,
        wrong: Option<&HeaderValue>,
    ) -> Result<Option<HeaderValue>> {
        let options = &self.shared.options;
        let trusted = realm
            .host_str()
            .is_some_and(|host| options.trusted_realms.contains(host));
        address::may_be_realm(&call.endpoint.base, realm, trusted)
            .map_err(|why| call.target.error(ErrorKind::Insecure(why)))?;
        let key = format!("{} {}", call.endpoint.base, call.endpoint.wire);
        let slot = self.identity.tokens.slot(&key, &call.scopes);
        let mut held = slot.lock().await;
        if let Some(token) = held.as_ref().filter(|token| token.is_fresh()) {
            let header = auth::bearer(&token.secret);
            if header.is_none() || header.as_ref() != wrong {
                return Ok(header);
            }
        }
        let mut scopes = call.scopes.words();
        if let Some(scope) = scope
            && scopes.is_empty()
        {
            scopes.push(scope.to_owned());
        }
        let token = self
            .fetch_token(call, realm, service, &scopes, credential)
            .await?;
        let header = auth::bearer(&token.secret);
        *held = Some(token);
        Ok(header)
    }

    async fn fetch_token(
        &self,
        call: &Call<'_>,
        realm: &Url,
        service: Option<&str>,
        scopes: &[String],
        credential: Option<Credential>,
    ) -> Result<auth::Token> {
        let mut headers = HeaderMap::new();
        let (method, url, body) = match &credential {
            Some(Credential::Identity(refresh)) => {
                headers.insert(
                    CONTENT_TYPE,
                    HeaderValue::from_static("application/x-www-form-urlencoded"),
                );
                let form = auth::refresh_form(refresh, service, scopes);
                (
                    Method::POST,
                    realm.clone(),
                    Payload::Bytes(Bytes::copy_from_slice(form.expose().as_bytes())),
                )
            }
            _ => (Method::GET, auth::get_url(realm, service, scopes), Payload::None),
        };
        let authorization = credential.as_ref().and_then(auth::direct);
        let request = Call {
            target: call.target,
            endpoint: call.endpoint,
            method,
            url,
            headers,
            body,
            scopes: Scopes::default(),
            timeout: Some(self.shared.options.timeouts.request),
        };
        let answer = self.attempted(&request, authorization.as_ref()).await?;
        let host = realm.host_str().unwrap_or_default().to_owned();
        let failed = |err| call.target.error(ErrorKind::Credentials(err));
        let status = answer.status();
        if status.is_success() {
            let limit = self.shared.options.limits.answer_bytes;
            let body = self.read(call.target, answer, limit, "bytes of a token").await?;
            let token = serde_json::from_slice::<auth::TokenAnswer>(&body)
                .ok()
                .and_then(auth::TokenAnswer::token);
            return token.ok_or_else(|| failed(CredentialError::NoToken(host)));
        }
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            return Err(self.refusal(call.target, answer).await);
        }
        let problem = self.problem(answer).await;
        Err(failed(CredentialError::Token {
            service: host,
            status: status.as_u16(),
            problem,
        }))
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
    async fn attempted(&self, call: &Call<'_>, authorization: Option<&HeaderValue>) -> Result<Answer> {
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
    async fn problem(&self, answer: Answer) -> Problem {
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
