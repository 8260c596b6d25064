//! First contact: which scheme a registry speaks and what it asks for.

use http::StatusCode;
use weir_oci::Repository;

use crate::auth::{Challenge, Scopes};
use crate::client::{Client, Contact};
use crate::endpoint::Endpoint;
use crate::error::{ErrorKind, Operation, Target};
use crate::transport::Call;
use crate::{Result, address};

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
}
