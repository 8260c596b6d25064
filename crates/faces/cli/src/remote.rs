//! Registries, as commands reach them.

use std::path::{Path, PathBuf};

use clap::Args;
use weir_oci::{Reference, Repository};
use weir_redact::{RedactedUrl, SecretString};
use weir_registry::{Client, ClientOptions, Credential, DockerConfig, Keychain, PlainHttp, ProxyOptions};
use weir_verify::Target;

use crate::global::Context;
use crate::output::put;
use crate::{CommandError, Kind, run::Result};

/// Options of commands that talk to a registry.
#[derive(Debug, Clone, Args)]
pub(crate) struct Remote {
    /// Credentials: USER:PASSWORD, or a token alone [default: those of `docker login`]
    #[arg(long, value_name = "USER:PASSWORD", help_heading = "Registry options")]
    creds: Option<SecretString>,
    /// Allow plain HTTP where HTTPS does not answer; registries on this machine may always use it
    #[arg(long, help_heading = "Registry options")]
    insecure_registry: bool,
    /// Authorities (PEM) that vouch for servers, besides those of this machine: of registries, and of the services that sign
    #[arg(
        long,
        value_name = "FILE",
        hide_short_help = true,
        help_heading = "Registry options"
    )]
    ca_file: Option<PathBuf>,
}

/// Reads `oci://host/repository[:tag][@digest]`; the scheme may be left out.
pub(crate) fn read_reference(text: &str) -> std::result::Result<Reference, String> {
    text.parse()
        .map_err(|error: weir_oci::InvalidReference| chain(&error))
}

/// Reads `oci://host/repository`; the scheme may be left out.
pub(crate) fn read_repository(text: &str) -> std::result::Result<Repository, String> {
    let reference = read_reference(text)?;
    if reference.tag().is_some() || reference.digest().is_some() {
        return Err("expected a repository without tag and digest".to_owned());
    }
    Ok(reference.repository().clone())
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        put(&mut text, format_args!(": {source}"));
        next = source.source();
    }
    text
}

impl Remote {
    /// A client for the registry of `repository`.
    pub(crate) fn client(&self, cx: &Context<'_>, repository: &Repository) -> Result<Client> {
        let plain_http = if self.insecure_registry {
            PlainHttp::Any
        } else {
            PlainHttp::Loopback
        };
        let options = self.with_authorities(options(cx, plain_http)?)?;
        let keychain = match &self.creds {
            Some(creds) => {
                let credential = match creds.expose().split_once(':') {
                    Some((user, password)) => Credential::basic(user, password),
                    None => Credential::Bearer(creds.clone()),
                };
                Keychain::anonymous().with(repository.registry(), credential)
            }
            None => docker(cx)?,
        };
        Ok(Client::new(options)?.with_credentials(keychain))
    }

    /// The options with the authorities of `--ca-file`.
    pub(crate) fn with_authorities(&self, mut options: ClientOptions) -> Result<ClientOptions> {
        add_authorities(&mut options, self.ca_file.as_deref())?;
        Ok(options)
    }

    /// A client, and what a reference points to now, for those who are about to sign it.
    pub(crate) async fn target(
        &self,
        cx: &mut Context<'_>,
        reference: &Reference,
    ) -> Result<(Client, Target)> {
        let repository = reference.repository();
        let client = self.client(cx, repository)?;
        let digest = cx
            .in_time("resolving the artifact", async {
                Ok(client.resolve(reference).await?.digest)
            })
            .await?;
        if reference.digest().is_none() {
            cx.io.talk(&format!(
                "{reference} is {digest} now; a tag can move, so name the digest where you know it"
            ));
        }
        let target = Target::new(repository.clone(), digest);
        Ok((client, target))
    }
}

/// How registries are reached from this machine.
pub(crate) fn options(cx: &Context<'_>, plain_http: PlainHttp) -> Result<ClientOptions> {
    Ok(ClientOptions {
        plain_http,
        mirrors: cx.global.registry_mirror.iter().cloned().collect(),
        proxy: proxy(cx)?,
        ..ClientOptions::default()
    })
}

/// Trusts the authorities of a file (PEM), too, if there is one.
pub(crate) fn add_authorities(options: &mut ClientOptions, file: Option<&Path>) -> Result<()> {
    if let Some(path) = file {
        options.tls.extra_authorities =
            std::fs::read(path).map_err(|error| CommandError::file("read", path, &error))?;
    }
    Ok(())
}

/// What `docker login` has left on this machine.
pub(crate) fn docker(cx: &Context<'_>) -> Result<Keychain> {
    let folder = match (cx.io.env("DOCKER_CONFIG"), cx.io.env("HOME")) {
        (Some(folder), _) => PathBuf::from(folder),
        (None, Some(home)) => PathBuf::from(home).join(".docker"),
        (None, None) => return Ok(Keychain::anonymous()),
    };
    let path = folder.join("config.json");
    match std::fs::read(&path) {
        Ok(json) => {
            let config = DockerConfig::from_own_file(&json).map_err(|error| {
                CommandError::caused(Kind::Config, format!("cannot use {}", path.display()), &error)
                    .hint("give credentials with `--creds`, or log in again with `docker login`")
            })?;
            Ok(Keychain::anonymous().with_docker_config(config))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Keychain::anonymous()),
        Err(error) => Err(CommandError::caused(
            Kind::Config,
            format!("cannot read {}", path.display()),
            &error,
        )),
    }
}

fn proxy(cx: &Context<'_>) -> Result<ProxyOptions> {
    let read = |names: [&str; 2]| -> Result<Option<RedactedUrl>> {
        let Some((name, value)) = names.iter().find_map(|name| Some((*name, cx.io.env(name)?))) else {
            return Ok(None);
        };
        let value = if value.contains("://") {
            value.to_owned()
        } else {
            format!("http://{value}")
        };
        let url: url::Url = value.parse().map_err(|error| {
            CommandError::caused(Kind::Config, format!("the variable {name} holds no URL"), &error)
        })?;
        Ok(Some(RedactedUrl::new(url)))
    };
    Ok(ProxyOptions {
        https: read(["HTTPS_PROXY", "https_proxy"])?,
        // Only the small spelling: a web server sets the other one from a request's `Proxy` header.
        http: read(["http_proxy", "http_proxy"])?,
        no_proxy: cx
            .io
            .env("NO_PROXY")
            .or_else(|| cx.io.env("no_proxy"))
            .map(str::to_owned),
    })
}
