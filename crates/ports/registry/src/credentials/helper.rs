//! Docker's credential helpers: programs called `docker-credential-<name>`.
//!
//! The program is started directly, never through a shell, with the word `get` and the registry's name on its
//! standard input.

use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use weir_redact::SecretString;

use super::{Credential, CredentialError};

/// Cloud helpers make a network call or two.
const TIMEOUT: Duration = Duration::from_secs(30);
/// More than any token.
const MAX_OUTPUT: u64 = 64 << 10;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    username: SecretString,
    secret: SecretString,
}

/// Why a helper gave nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HelperError {
    /// The name is no plain word.
    #[error("its name is no plain word")]
    Name,
    /// It could not be started or talked to.
    #[error("it could not be run")]
    Run(#[source] std::io::Error),
    /// It took too long.
    #[error("it took longer than {} s", TIMEOUT.as_secs())]
    Timeout,
    /// It reported failure. What it printed is not repeated: it may hold secrets.
    #[error("it reported failure")]
    Failed,
    /// What it printed is no answer.
    #[error("its answer cannot be read")]
    Answer,
}

/// A helper's name must be one that cannot leave the folders of `PATH`.
pub(super) fn check_name(name: &str) -> Result<(), HelperError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > 64 || name.starts_with('.') || !name.chars().all(plain) {
        return Err(HelperError::Name);
    }
    Ok(())
}

/// Asks helper `name` for `registry`; none when it does not know it.
pub(super) async fn get(name: &str, registry: &str) -> Result<Option<Credential>, CredentialError> {
    // Docker's own key for its hub.
    let server = if registry == "index.docker.io" {
        "https://index.docker.io/v1/"
    } else {
        registry
    };
    let failed = |source| CredentialError::Helper {
        name: name.to_owned(),
        registry: registry.to_owned(),
        source,
    };
    check_name(name).map_err(failed)?;
    match tokio::time::timeout(TIMEOUT, run(name, server)).await {
        Ok(answer) => answer.map_err(failed),
        Err(_) => Err(failed(HelperError::Timeout)),
    }
}

async fn run(name: &str, server: &str) -> Result<Option<Credential>, HelperError> {
    let mut child = tokio::process::Command::new(format!("docker-credential-{name}"))
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(HelperError::Run)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that answers without reading closes its end first.
        drop(stdin.write_all(server.as_bytes()).await);
    }
    let mut output = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout
            .take(MAX_OUTPUT)
            .read_to_end(&mut output)
            .await
            .map_err(HelperError::Run)?;
    }
    let status = child.wait().await.map_err(HelperError::Run)?;
    read(status.success(), &output)
}

fn read(success: bool, output: &[u8]) -> Result<Option<Credential>, HelperError> {
    if !success {
        // The helpers' protocol tells "not known" from failure by this text alone.
        let text = String::from_utf8_lossy(output);
        return if text.contains("credentials not found") {
            Ok(None)
        } else {
            Err(HelperError::Failed)
        };
    }
    let answer: Answer = serde_json::from_slice(output).map_err(|_| HelperError::Answer)?;
    Ok(match answer.username.expose().as_str() {
        "<token>" => Some(Credential::Identity(answer.secret)),
        "" if answer.secret.expose().is_empty() => None,
        _ => Some(Credential::Basic {
            username: answer.username,
            password: answer.secret,
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_be_paths_are_refused() {
        assert!(check_name("ecr-login").is_ok());
        for name in ["", ".", "..", "a/b", "/bin/sh", "a b", "a;b", "$(x)", ".hidden"] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn answers_are_told_apart() {
        assert!(matches!(
            read(true, br#"{"Username":"<token>","Secret":"t"}"#),
            Ok(Some(Credential::Identity(_)))
        ));
        assert!(matches!(
            read(true, br#"{"Username":"u","Secret":"p"}"#),
            Ok(Some(Credential::Basic { .. }))
        ));
        assert!(matches!(
            read(false, b"credentials not found in native keychain\n"),
            Ok(None)
        ));
        assert!(matches!(read(false, b"boom"), Err(HelperError::Failed)));
        assert!(matches!(read(true, b"boom"), Err(HelperError::Answer)));
    }
}
