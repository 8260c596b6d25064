//! How to reach what a HelmRepository names: its address, certificates and credentials.

use std::time::Duration;

use weir_apis::kind::HelmRepository;
use weir_apis::{Object, reason, secret};
use weir_charts::{FetchError, Login, Repository, UrlError, Web};
use weir_redact::SecretString;
use weir_registry::{Client, Credential, Keychain, PlainHttp, TlsOptions};
use weir_runtime::verdict::{chain, duration};
use weir_runtime::{Deps, Failure};

use crate::gather::{again, certificates, docker_config, invalid, read};
use crate::status::Failed;

/// Where a HelmRepository's charts are.
#[derive(Debug)]
pub(crate) enum Access {
    /// A server with an index.
    Http(Repository, Web),
    /// A registry: the repository that the charts are below, and who asks.
    Oci(weir_oci::Repository, Client),
}

/// Whether a HelmRepository names a registry: such an object is static, and nothing is reconciled.
pub(crate) fn is_oci(repository: &HelmRepository) -> bool {
    repository.spec.repository_type.as_deref() == Some("oci")
}

/// The longest time for one download.
pub(crate) fn timeout(repository: &HelmRepository) -> Result<Duration, Failed> {
    duration(
        "spec.timeout",
        repository.spec.timeout.as_deref().unwrap_or("60s"),
    )
    .map_err(Failed::fetch)
}

/// Clients that objects without certificates of their own share.
#[derive(Debug)]
pub(crate) struct Clients {
    pub(crate) registry: Client,
    web: Web,
}

impl Clients {
    pub(crate) fn new(registry: Client) -> Result<Self, FetchError> {
        Ok(Self {
            web: Web::new(registry.options(), Duration::from_mins(1))?,
            registry,
        })
    }

    /// Reads what a HelmRepository says of its address and how it refers to Secrets.
    pub(crate) async fn access(&self, deps: &Deps, repository: &HelmRepository) -> Result<Access, Failed> {
        let (spec, namespace) = (&repository.spec, repository.metadata.namespace.as_str());
        let is_oci = is_oci(repository);
        if let Some(provider) = spec.provider.as_deref().filter(|name| *name != "generic") {
            let message = format!(
                "spec.provider of HelmRepository '{namespace}/{}': '{provider}' is not built yet; give credentials with spec.secretRef, or remove the provider",
                repository.metadata.name
            );
            return Err(invalid(reason::FEATURE_GATE_DISABLED, message));
        }
        let mut tls = TlsOptions::default();
        let mut has_own_tls = false;
        if let Some(reference) = &spec.cert_secret_ref {
            let field = "spec.certSecretRef";
            let object = read(deps, namespace, "Secret", &reference.name, field).await?;
            has_own_tls = certificates(&object, &mut tls);
            if !has_own_tls {
                let message = format!(
                    "{field}: Secret '{}' has neither 'ca.crt' nor 'tls.crt' with 'tls.key'",
                    reference.name
                );
                return Err(again(reason::AUTHENTICATION_FAILED, message));
            }
        }
        let credentials = match &spec.secret_ref {
            None => None,
            Some(reference) => {
                let object = read(deps, namespace, "Secret", &reference.name, "spec.secretRef").await?;
                // Certificates here are of old; those of certSecretRef win.
                if !has_own_tls {
                    has_own_tls = certificates(&object, &mut tls);
                }
                Some(object)
            }
        };
        if is_oci {
            return self.oci(repository, credentials.as_ref(), has_own_tls.then_some(tls));
        }
        let wrong = |error: UrlError| {
            invalid(
                reason::URL_INVALID,
                format!("invalid Helm repository URL: {error}"),
            )
        };
        if spec.url.starts_with("oci://") {
            let message = "invalid Helm repository URL: 'oci' URL scheme cannot be used with 'default' HelmRepository type; set spec.type to 'oci'";
            return Err(invalid(reason::URL_INVALID, message));
        }
        let mut found = Repository::new(&spec.url).map_err(wrong)?;
        if let Some(login) = credentials.as_ref().map(login).transpose()?.flatten() {
            found = found.with_login(login, spec.pass_credentials);
        }
        let web = if has_own_tls {
            let mut options = self.registry.options().clone();
            options.tls = tls;
            Web::new(&options, timeout(repository)?)
                .map_err(|error| again(reason::AUTHENTICATION_FAILED, chain(&error)))?
        } else {
            self.web.clone().within(timeout(repository)?)
        };
        Ok(Access::Http(found, web))
    }

    fn oci(
        &self,
        repository: &HelmRepository,
        credentials: Option<&Object>,
        tls: Option<TlsOptions>,
    ) -> Result<Access, Failed> {
        let spec = &repository.spec;
        let wrong = |why: String| {
            let message = format!("invalid Helm repository URL: '{}': {why}", spec.url);
            invalid(reason::URL_INVALID, message)
        };
        let Some(rest) = spec.url.strip_prefix("oci://") else {
            return Err(wrong("it must begin with oci:// for the type 'oci'".to_owned()));
        };
        let reference: weir_oci::Reference = rest
            .trim_end_matches('/')
            .parse()
            .map_err(|error: weir_oci::InvalidReference| wrong(chain(&error)))?;
        if reference.tag().is_some() || reference.digest().is_some() {
            return Err(wrong("it must not name a tag or a digest".to_owned()));
        }
        let mut client = self.registry.clone();
        if spec.insecure || tls.is_some() {
            let mut options = client.options().clone();
            if spec.insecure {
                options.plain_http = PlainHttp::Any;
            }
            options.tls = tls.unwrap_or_default();
            client =
                Client::new(options).map_err(|error| again(reason::AUTHENTICATION_FAILED, chain(&error)))?;
        }
        let mut keychain = Keychain::anonymous();
        if let Some(object) = credentials {
            if secret::value(object, ".dockerconfigjson").is_some() {
                keychain = keychain.with_docker_config(docker_config(object, "spec.secretRef")?);
            } else if let Some(login) = login(object)? {
                let credential = Credential::basic(login.username, login.password.expose().clone());
                keychain = keychain.with(reference.repository().registry(), credential);
            }
        }
        Ok(Access::Oci(
            reference.repository().clone(),
            client.with_credentials(keychain),
        ))
    }
}

/// The user name and password in a Secret; `None` where it has neither.
fn login(object: &Object) -> Result<Option<Login>, Failed> {
    let text = |key: &str| {
        let value = secret::value(object, key)?;
        String::from_utf8(value.expose().clone()).ok()
    };
    match (text("username"), text("password")) {
        (None, None) => Ok(None),
        (Some(username), Some(password)) => Ok(Some(Login {
            username,
            password: SecretString::new(password),
        })),
        (username, _) => {
            let missing = if username.is_none() {
                "username"
            } else {
                "password"
            };
            let message = format!(
                "spec.secretRef: Secret '{}' has no '{missing}'; it needs both 'username' and 'password'",
                object.name()
            );
            Err(Failed::fetch(Failure::retry(
                reason::AUTHENTICATION_FAILED,
                message,
            )))
        }
    }
}
