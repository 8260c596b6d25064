//! The repositories that `helm repo add` has written down on this machine.

use std::path::PathBuf;

use serde_json::Value;
use weir_charts::{Login, Repository, Web};
use weir_redact::SecretString;
use weir_registry::ClientIdentity;
use weir_yaml::Dialect;

use super::super::location::{Asking, PATIENCE};
use crate::global::Context;
use crate::{CommandError, Kind, run::Result};

/// A repository with a name.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) name: String,
    pub(super) url: String,
    entry: Value,
}

impl Known {
    fn text(&self, field: &str) -> &str {
        self.entry.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    fn flag(&self, field: &str) -> bool {
        self.entry.get(field).and_then(Value::as_bool) == Some(true)
    }

    /// How to reach it, with its own credentials and certificates.
    pub(super) fn reach(&self, cx: &Context<'_>, asking: &Asking) -> Result<(Repository, Web)> {
        let mut options = asking.options(cx)?;
        let read = |field: &str| -> Result<Option<Vec<u8>>> {
            let path = self.text(field);
            if path.is_empty() {
                return Ok(None);
            }
            let content = std::fs::read(path);
            content
                .map(Some)
                .map_err(|error| CommandError::file("read", path.as_ref(), &error))
        };
        if let Some(authorities) = read("caFile")? {
            options.tls.extra_authorities = authorities;
        }
        if let (Some(certificate), Some(key)) = (read("certFile")?, read("keyFile")?) {
            let key = key.into();
            options.tls.identity = Some(ClientIdentity { certificate, key });
        }
        options.tls.danger_accept_invalid_certificates |= self.flag("insecure_skip_tls_verify");
        let mut repository = Repository::new(&self.url)?;
        let (username, password) = (self.text("username"), self.text("password"));
        if !username.is_empty() && !password.is_empty() {
            let login = Login {
                username: username.to_owned(),
                password: SecretString::from(password),
            };
            repository = repository.with_login(login, self.flag("pass_credentials_all"));
        }
        Ok((repository, Web::new(&options, PATIENCE)?))
    }
}

/// All of them, in the order of the file; none without a file.
pub(super) fn read(cx: &Context<'_>) -> Result<Vec<Known>> {
    let Some(path) = path(cx) else {
        return Ok(Vec::new());
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(CommandError::file("read", &path, &error)),
    };
    let wrong =
        |why: String| CommandError::new(Kind::Config, format!("cannot use {}: {why}", path.display()));
    let node = weir_yaml::parse_one(&text).map_err(|error| wrong(error.to_string()))?;
    let value = weir_yaml::to_json(&node, Dialect::Sigs).map_err(|error| wrong(error.to_string()))?;
    let entries = value.get("repositories").and_then(Value::as_array);
    let entries = entries.into_iter().flatten();
    Ok(entries
        .filter_map(|entry| {
            let text = |field: &str| entry.get(field).and_then(Value::as_str).map(str::to_owned);
            Some(Known {
                name: text("name")?,
                url: text("url")?,
                entry: entry.clone(),
            })
        })
        .collect())
}

/// Where Helm keeps the file.
fn path(cx: &Context<'_>) -> Option<PathBuf> {
    if let Some(path) = cx.io.env("HELM_REPOSITORY_CONFIG") {
        return Some(path.into());
    }
    let folder = if let Some(folder) = cx.io.env("HELM_CONFIG_HOME") {
        PathBuf::from(folder)
    } else if let Some(folder) = cx.io.env("XDG_CONFIG_HOME") {
        PathBuf::from(folder).join("helm")
    } else {
        let below = if cfg!(target_os = "macos") {
            "Library/Preferences/helm"
        } else {
            ".config/helm"
        };
        PathBuf::from(cx.io.env("HOME")?).join(below)
    };
    Some(folder.join("repositories.yaml"))
}
