//! The `Authorization` of a call: a credential, or a token got with one.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use url::Url;

use crate::auth::{self, Challenge, Scopes};
use crate::client::Client;
use crate::credentials::{Credential, CredentialError};
use crate::error::ErrorKind;
use crate::transport::{Call, Payload};
use crate::{Result, address};

impl Client {
    /// What `call` should carry for `challenge`; none when there is nothing to carry. `wrong` is what the
    /// registry has just refused, so that a token is not taken from the cache again.
    pub(crate) async fn authorization(
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
}
