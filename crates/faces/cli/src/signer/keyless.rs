//! Signing with an identity: its options, and what to try when it fails.

use std::path::PathBuf;

use clap::Args;
use weir_registry::PlainHttp;
use weir_trust::{CallError, IdentityToken, Keyless, KeylessError, SigningConfig};
use weir_verify::{Identity, TrustRoot};

use super::token::{self, TokenArgs};
use crate::global::Context;
use crate::remote::{self, Remote};
use crate::{CommandError, Kind, run::Result, trust};

/// Options of signing with an identity.
#[derive(Debug, Args)]
pub(super) struct KeylessArgs {
    #[command(flatten)]
    token: TokenArgs,
    /// Where to sign: Sigstore's signing configuration, version 0.2 [default: Sigstore's public-good instance, whose
    /// log everybody can read]
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "key",
        help_heading = "Keyless options"
    )]
    signing_config: Option<PathBuf>,
    /// The authorities and logs that verifiers will trust, as Sigstore's JSON; what they would refuse is not stored
    /// [default: those of Sigstore's public-good instance]
    // Without services of its own, a private trust root would refuse what is in the public log by then.
    #[arg(
        long,
        value_name = "FILE",
        requires = "signing_config",
        conflicts_with = "key",
        help_heading = "Keyless options"
    )]
    trusted_root: Option<PathBuf>,
    /// Sign only if the certificate names this signer, exactly
    #[arg(
        long,
        value_name = "SUBJECT",
        conflicts_with = "key",
        requires = "certificate_oidc_issuer",
        help_heading = "Keyless options"
    )]
    certificate_identity: Option<String>,
    /// Sign only if the certificate names this issuer, exactly
    #[arg(
        long,
        value_name = "URL",
        requires = "certificate_identity",
        conflicts_with = "key",
        help_heading = "Keyless options"
    )]
    certificate_oidc_issuer: Option<String>,
}

/// Somebody who can sign with an identity.
pub(crate) struct Holder {
    pub(crate) keyless: Keyless,
    pub(crate) token: IdentityToken,
}

impl KeylessArgs {
    pub(super) async fn holder(&self, cx: &mut Context<'_>, remote: &Remote) -> Result<Holder> {
        let config = self.config()?;
        let (root, expected) = (self.root()?, self.expected()?);
        let options = remote.with_authorities(remote::options(cx, PlainHttp::Loopback)?)?;
        let token = self.token.find(cx, &options).await?;
        let keyless = Keyless::new(config, root, cx.io.clock(), &options)
            .map_err(|error| CommandError::of(Kind::Config, &error))?;
        let keyless = match expected {
            Some(identity) => keyless.expecting(identity),
            None => keyless,
        };
        Ok(Holder { keyless, token })
    }

    pub(super) fn root(&self) -> Result<TrustRoot> {
        match &self.trusted_root {
            Some(path) => trust::read_root(path),
            None => Ok(TrustRoot::public_good()),
        }
    }

    pub(super) fn expected(&self) -> Result<Option<Identity>> {
        let names = self
            .certificate_identity
            .as_ref()
            .zip(self.certificate_oidc_issuer.as_ref());
        names
            .map(|(subject, issuer)| Identity::exact(issuer, subject))
            .transpose()
            .map_err(|error| CommandError::of(Kind::Usage, &error))
    }

    fn config(&self) -> Result<SigningConfig> {
        let Some(path) = &self.signing_config else {
            return Ok(SigningConfig::public_good());
        };
        let json = std::fs::read(path)
            .map_err(|error| CommandError::file("read the signing configuration", path, &error))?;
        SigningConfig::from_json(&json).map_err(|error| {
            CommandError::caused(
                Kind::User,
                format!("cannot use the signing configuration {}", path.display()),
                &error,
            )
            .hint("`cosign signing-config create` writes one")
        })
    }

    /// Why the work failed, and what to try.
    pub(super) fn explain(&self, failure: String, error: &KeylessError) -> CommandError {
        let (kind, hint) = match error {
            KeylessError::Token(why) => (Kind::User, token::hint(why).map(str::to_owned)),
            KeylessError::NoService(_) => (Kind::Config, Some(self.other_services())),
            KeylessError::Call(call) => (call_kind(call), Some(self.other_call(call))),
            KeylessError::OtherIdentity(_) => (
                Kind::Rejected,
                Some(
                    "sign with a token of that identity, or correct `--certificate-identity` and \
                      `--certificate-oidc-issuer`"
                        .to_owned(),
                ),
            ),
            KeylessError::WouldNotVerify(_) => (
                Kind::Rejected,
                Some(
                    "give the `--trusted-root` that belongs to the services of `--signing-config`; the log \
                      keeps its entry"
                        .to_owned(),
                ),
            ),
            _ => (Kind::Outside, None),
        };
        let error = CommandError::caused(kind, failure, error);
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }

    fn services(&self) -> String {
        match &self.signing_config {
            Some(path) => path.display().to_string(),
            None => "the public-good instance; name others with `--signing-config`".to_owned(),
        }
    }

    fn other_services(&self) -> String {
        format!(
            "see which services are in their time, and of which version, in {}",
            self.services()
        )
    }

    fn other_call(&self, call: &CallError) -> String {
        match call {
            CallError::Refused { service, status, .. }
                if service.starts_with("certificate authority") && status.is_client_error() =>
            {
                "the authority must know the issuer of the token, and the token must be fresh".to_owned()
            }
            _ => format!(
                "{}, and the address, which is from {}",
                token::NETWORK,
                self.services()
            ),
        }
    }
}

/// Whose fault a call that failed is.
pub(super) fn call_kind(error: &CallError) -> Kind {
    match error {
        CallError::Client(_) => Kind::Config,
        CallError::Refused { status, .. } if status.is_client_error() => Kind::Rejected,
        _ => Kind::Outside,
    }
}
