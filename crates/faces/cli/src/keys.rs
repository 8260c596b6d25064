//! Keys that are named on the command line.

mod program;

use std::path::Path;

use weir_apis::{GroupVersionKind, ObjectRef, secret};
use weir_redact::SecretString;
use weir_trust::{KeyError, KeySigner, PUBLIC_KEY_ENTRY, SigningKey};
use weir_verify::PublicKey;

use crate::global::Context;
use crate::{CommandError, Kind, run::Result};

/// Where cosign takes the password of a private key from.
const PASSWORD: &str = "COSIGN_PASSWORD";

/// Where a key is: `k8s://NAMESPACE/NAME`, `env://VARIABLE`, `exec://PROGRAM#KEY`, or a file.
enum Place<'t> {
    Secret {
        namespace: &'t str,
        name: &'t str,
    },
    Variable(&'t str),
    /// Behind a program: the whole reference.
    Program(&'t str),
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
    if text.starts_with(program::SCHEME) {
        return Ok(Place::Program(text));
    }
    if let Some((scheme, _)) = text.split_once("://") {
        return Err(
            CommandError::usage(format!("keys of `{scheme}://` are not known here"))
                .hint("a key is a file, env://VARIABLE or k8s://NAMESPACE/NAME")
                .hint(
                    "a key in a service or a device is reached by a small program of yours, exec://PROGRAM#KEY: \
                     see docs/guides/keys.md",
                ),
        );
    }
    Ok(Place::File(Path::new(text)))
}

/// Reads a public key.
pub(crate) async fn public(cx: &Context<'_>, text: &str) -> Result<PublicKey> {
    let pem = match place(text)? {
        Place::Program(reference) => {
            let work = program::Program::open(reference);
            return Ok(cx
                .in_time("asking for the public key", work)
                .await?
                .into_public_key());
        }
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

/// A key to sign with: a private key, with the password of `COSIGN_PASSWORD` or of standard input, or one behind a program.
pub(crate) async fn signer(
    cx: &mut Context<'_>,
    text: &str,
    password_stdin: bool,
) -> Result<Box<dyn KeySigner>> {
    let pem = match place(text)? {
        Place::Program(_) if password_stdin => {
            return Err(
                CommandError::usage(format!("`--password-stdin` is of no use for {text}"))
                    .hint("a program asks for what it needs itself"),
            );
        }
        Place::Program(reference) => {
            let work = program::Program::open(reference);
            return Ok(Box::new(cx.in_time("asking for the public key", work).await?));
        }
        Place::File(path) => {
            std::fs::read_to_string(path).map_err(|error| CommandError::file("read the key", path, &error))?
        }
        Place::Variable(name) => variable(cx, name)?.to_owned(),
        Place::Secret { namespace, name } => {
            let secret = read_secret(cx, namespace, name).await?;
            let data = secret::values(&secret)
                .filter_map(|(entry, value)| Some((entry.to_owned(), value?)))
                .collect();
            let key = SigningKey::from_secret_data(&data).map_err(|error| {
                CommandError::caused(
                    Kind::User,
                    format!("cannot use the key in Secret {namespace}/{name}"),
                    &error,
                )
            })?;
            return Ok(Box::new(key));
        }
    };
    let pem = SecretString::new(pem);
    let key = match SigningKey::from_pem(pem.expose(), None) {
        Err(KeyError::PasswordNeeded) => {
            let password = password(cx, password_stdin)?;
            SigningKey::from_pem(pem.expose(), Some(&password))
        }
        other => other,
    };
    Ok(Box::new(key.map_err(|error| unusable(text, error))?))
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
