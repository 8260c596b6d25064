//! Where an identity token is found.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use weir_redact::SecretString;
use weir_registry::ClientOptions;
use weir_trust::{CallError, IdentityToken, InvalidToken, TokenError, github_actions_token};

use super::keyless::call_kind;
use crate::global::Context;
use crate::{CommandError, Kind, run::Result};

/// Where cosign and the CI systems that know Sigstore keep a token.
const TOKEN: &str = "SIGSTORE_ID_TOKEN";
/// Where a job of GitHub Actions asks for one.
const REQUEST_URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
/// What it asks with.
const REQUEST_TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

/// Where the path of a file with a token is, as cosign has it.
const TOKEN_FILE: &str = "SIGSTORE_OIDC_TOKEN_FILE";
/// Where Pods find the token of their ServiceAccount, as cosign has it.
const PROJECTED: &str = "/var/run/sigstore/cosign/oidc-token";

/// How the name of a variable is given.
const VARIABLE: &str = "env://";

/// What to try when nobody answers.
pub(super) const NETWORK: &str = "check the network, HTTPS_PROXY, NO_PROXY and `--ca-file`";

/// Options that say where the token is.
#[derive(Debug, Args)]
pub(super) struct TokenArgs {
    /// The variable of the environment with the token, as env://NAME; or the token itself, which other processes of this
    /// machine can see there
    #[arg(
        long,
        value_name = "TOKEN",
        conflicts_with_all = ["key", "identity_token_file"],
        help_heading = "Keyless options"
    )]
    identity_token: Option<SecretString>,
    /// File with the token [default: what `$SIGSTORE_ID_TOKEN` holds, then what GitHub Actions gives the job, then the file
    /// that `$SIGSTORE_OIDC_TOKEN_FILE` names, then `/var/run/sigstore/cosign/oidc-token`]
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "key",
        help_heading = "Keyless options"
    )]
    identity_token_file: Option<PathBuf>,
}

impl TokenArgs {
    /// The first token of: `--identity-token` or `--identity-token-file`, `SIGSTORE_ID_TOKEN`, the token service of
    /// GitHub Actions, the file that `SIGSTORE_OIDC_TOKEN_FILE` names, the file where Pods have it. One that is there and cannot
    /// be used is an error: nobody wants to sign as somebody else.
    pub(super) async fn find(&self, cx: &mut Context<'_>, options: &ClientOptions) -> Result<IdentityToken> {
        let now = cx.io.now();
        if let Some(text) = &self.identity_token {
            if let Some(name) = text.expose().strip_prefix(VARIABLE) {
                let value = cx.io.env(name).ok_or_else(|| {
                    CommandError::usage(format!("the variable {name} of `--identity-token` is not set"))
                        .hint("in GitLab the job's `id_tokens` name it, with `aud: sigstore`")
                })?;
                return usable(name, SecretString::from(value), now);
            }
            cx.io.talk(&format!(
                "warning: other processes can see a token on the command line; give it in {TOKEN}, with \
                 `--identity-token env://NAME` or with `--identity-token-file`"
            ));
            return usable("`--identity-token`", text.clone(), now);
        }
        if let Some(path) = &self.identity_token_file {
            return from_file(path, now);
        }
        if let Some(text) = cx.io.env(TOKEN) {
            return usable(TOKEN, SecretString::from(text), now);
        }
        if let Some((url, secret)) = cx.io.env(REQUEST_URL).zip(cx.io.env(REQUEST_TOKEN)) {
            return from_actions(cx, url, &SecretString::from(secret), options).await;
        }
        if let Some(path) = cx.io.env(TOKEN_FILE) {
            return from_file(Path::new(path), now);
        }
        let projected = Path::new(PROJECTED);
        if projected.exists() {
            return from_file(projected, now);
        }
        Err(nowhere(cx))
    }
}

fn from_file(path: &Path, now: Timestamp) -> Result<IdentityToken> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| CommandError::file("read the identity token", path, &error))?;
    usable(&path.display().to_string(), SecretString::new(text), now)
}

fn usable(place: &str, text: SecretString, now: Timestamp) -> Result<IdentityToken> {
    let token = IdentityToken::new(text).and_then(|token| token.check(now).map(|()| token));
    token.map_err(|why| {
        let error = CommandError::caused(
            Kind::User,
            format!("cannot use the identity token of {place}"),
            &why,
        );
        match hint(&why) {
            Some(hint) => error.hint(hint),
            None => error,
        }
    })
}

/// What to try with a token that cannot be used.
pub(super) fn hint(why: &InvalidToken) -> Option<&'static str> {
    match why {
        InvalidToken::Malformed => Some(
            "give the token itself, three parts with dots between; a file with it is named with \
             `--identity-token-file`",
        ),
        InvalidToken::Missing(_) => Some("use an OpenID Connect identity token; an access token is none"),
        InvalidToken::Audience(_) => Some("ask the issuer for a token with the audience `sigstore`"),
        InvalidToken::Expired { .. } => {
            Some("get a new token right before signing: most live for some minutes only")
        }
        _ => None,
    }
}

async fn from_actions(
    cx: &Context<'_>,
    url: &str,
    secret: &SecretString,
    options: &ClientOptions,
) -> Result<IdentityToken> {
    let now = cx.io.now();
    let work = async {
        github_actions_token(url, secret, options)
            .await
            .and_then(|token| token.check(now).map(|()| token).map_err(TokenError::Token))
            .map_err(|error| {
                let (kind, hint) = match &error {
                    TokenError::Address => (
                        Kind::Config,
                        Some("GitHub sets it; if you do, it must be an https URL"),
                    ),
                    TokenError::Call(call @ CallError::Refused { .. }) => (
                        call_kind(call),
                        Some("the job needs `permissions: id-token: write`"),
                    ),
                    TokenError::Call(call) => (call_kind(call), Some(NETWORK)),
                    TokenError::Token(why) => (Kind::Outside, hint(why)),
                    _ => (Kind::Outside, None),
                };
                let message = format!("cannot get an identity token from {REQUEST_URL}");
                let error = CommandError::caused(kind, message, &error);
                match hint {
                    Some(hint) => error.hint(hint),
                    None => error,
                }
            })
    };
    cx.in_time("asking GitHub Actions for an identity token", work)
        .await
}

/// There is no token: where it was looked for.
fn nowhere(cx: &Context<'_>) -> CommandError {
    let error = CommandError::usage("there is no identity token to sign with")
        .cause("neither `--identity-token` nor `--identity-token-file` is given")
        .cause(format!("the variable {TOKEN} is not set"))
        .cause(format!(
            "the variables {REQUEST_URL} and {REQUEST_TOKEN} are not both set"
        ))
        .cause(format!(
            "the variable {TOKEN_FILE} is not set, and there is no {PROJECTED}"
        ));
    if cx.io.env("GITHUB_ACTIONS").is_some() {
        error.hint("give the job `permissions: id-token: write`")
    } else if cx.io.env("GITLAB_CI").is_some() {
        error.hint(format!(
            "give the job `id_tokens: {{ {TOKEN}: {{ aud: sigstore }} }}`"
        ))
    } else if cx.io.env("KUBERNETES_SERVICE_HOST").is_some() {
        error.hint(format!(
            "mount a projected `serviceAccountToken` with the audience `sigstore` as {PROJECTED}"
        ))
    } else {
        error.hint(format!(
            "put a token of your OpenID Connect issuer, made for the audience `sigstore`, into {TOKEN}; \
             or sign with a key: `--key`"
        ))
    }
}
