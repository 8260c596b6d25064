//! Keys that are named on the command line.

use std::path::Path;

use weir_apis::{GroupVersionKind, ObjectRef, secret};
use weir_redact::SecretString;
use weir_trust::{KeyError, PUBLIC_KEY_ENTRY, SigningKey};
use weir_verify::PublicKey;

use crate::global::Context;
use crate::{CommandError, Kind, run::Result};

/// Where cosign takes the password of a private key from.
const PASSWORD: &str = "COSIGN_PASSWORD";

/// Where a key is: `k8s://NAMESPACE/NAME`, `env://VARIABLE`, or a file.
enum Place<'t> {
    Secret { namespace: &'t str, name: &'t str },
    Variable(&'t str),
    File(&'t Path),
}

fn place(text: &str) -> Result<Place<'_>> {
    if let Some(rest) = text.strip_prefix("k8s://") {
        return match rest.split_once('/') {
            Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() && !name.contains('/') => {
                Ok(Place::Secret { namespace, name })
            }
            _ => {
                Err(CommandError::usage(format!("`{text}` is no key"))
                    .hint("write it as k8s://NAMESPACE/NAME"))
            }
        };
    }
    if let Some(name) = text.strip_prefix("env://") {
        return Ok(Place::Variable(name));
    }
    if let Some((scheme, _)) = text.split_once("://") {
        return Err(
            CommandError::usage(format!("keys of `{scheme}://` are not known here"))
                .hint("a key is a file, env://VARIABLE or k8s://NAMESPACE/NAME"),
        );
    }
    Ok(Place::File(Path::new(text)))
}

/// Reads a public key.
pub(crate) async fn public(cx: &Context<'_>, text: &str) -> Result<PublicKey> {
    let pem = match place(text)? {
        Place::File(path) => {
            std::fs::read_to_string(path).map_err(|error| CommandError::file("read the key", path, &error))?
        }
        Place::Variable(name) => variable(cx, name)?.to_owned(),
        Place::Secret { namespace, name } => {
            let secret = read_secret(cx, namespace, name).await?;
            let value = secret::value(&secret, PUBLIC_KEY_ENTRY).ok_or_else(|| {
                CommandError::user(format!("the Secret {namespace}/{name} has no {PUBLIC_KEY_ENTRY}"))
            })?;
            String::from_utf8_lossy(value.expose()).into_owned()
        }
    };
    PublicKey::from_pem(&pem).map_err(|error| {
        CommandError::caused(Kind::User, format!("{text} is no public key"), &error)
            .hint("a public key is the `.pub` file of `weir key generate` or `cosign generate-key-pair`")
    })
}

/// Reads a private key, with the password of `COSIGN_PASSWORD` or of standard input.
pub(crate) async fn private(cx: &mut Context<'_>, text: &str, password_stdin: bool) -> Result<SigningKey> {
    let pem = match place(text)? {
        Place::File(path) => {
            std::fs::read_to_string(path).map_err(|error| CommandError::file("read the key", path, &error))?
        }
        Place::Variable(name) => variable(cx, name)?.to_owned(),
        Place::Secret { namespace, name } => {
            let secret = read_secret(cx, namespace, name).await?;
            let data = secret::values(&secret)
                .filter_map(|(entry, value)| Some((entry.to_owned(), value?)))
                .collect();
            return SigningKey::from_secret_data(&data).map_err(|error| {
                CommandError::caused(
                    Kind::User,
                    format!("cannot use the key in Secret {namespace}/{name}"),
                    &error,
                )
            });
        }
    };
    let pem = SecretString::new(pem);
    match SigningKey::from_pem(pem.expose(), None) {
        Err(KeyError::PasswordNeeded) => {}
        other => return other.map_err(|error| unusable(text, error)),
    }
    let password = password(cx, password_stdin)?;
    SigningKey::from_pem(pem.expose(), Some(&password)).map_err(|error| unusable(text, error))
}

fn unusable(text: &str, error: KeyError) -> CommandError {
    CommandError::caused(Kind::User, format!("cannot use the private key {text}"), &error)
}

/// The password of `COSIGN_PASSWORD`, which may be empty, or the first line of standard input.
pub(crate) fn password(cx: &mut Context<'_>, from_stdin: bool) -> Result<SecretString> {
    if from_stdin {
        let line = cx
            .io
            .read_stdin_line()
            .map_err(|error| CommandError::caused(Kind::Outside, "cannot read standard input", &error))?;
        let text = String::from_utf8(line).map_err(|_| CommandError::user("the password is not UTF-8"))?;
        return Ok(SecretString::new(text));
    }
    cx.io
        .env_or_empty(PASSWORD)
        .map(SecretString::new)
        .ok_or_else(|| {
            CommandError::usage("the private key needs a password").hint(format!(
                "set {PASSWORD}, or give the password on standard input with `--password-stdin`"
            ))
        })
}

fn variable<'c>(cx: &'c Context<'_>, name: &str) -> Result<&'c str> {
    cx.io
        .env(name)
        .ok_or_else(|| CommandError::new(Kind::Config, format!("the variable {name} is not set")))
}

async fn read_secret(cx: &Context<'_>, namespace: &str, name: &str) -> Result<weir_apis::Object> {
    let cluster = cx.cluster().await?;
    let reference = ObjectRef::new(GroupVersionKind::new("", "v1", "Secret"), namespace, name);
    cluster
        .client
        .get(&reference)
        .await?
        .ok_or_else(|| CommandError::user(format!("there is no Secret {namespace}/{name}")))
}
