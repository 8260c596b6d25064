//! Step one: the spec, and the Secrets that it refers to.

use std::time::Duration;

use serde_json::Value;
use url::Url;
use weir_apis::kind::{LayerSelector, OciRepository, OciRepositoryRef};
use weir_apis::{GroupVersionKind, Object, ObjectRef, reason, secret};
use weir_oci::Repository;
use weir_oci::choice::Choice;
use weir_re2::Pattern;
use weir_redact::RedactedUrl;
use weir_registry::{Client, ClientIdentity, DockerConfig, Keychain, PlainHttp, TlsOptions};
use weir_runtime::verdict::{chain, duration};
use weir_runtime::{Deps, Failure};

use crate::admit::Asked;
use crate::policies::Policies;
use crate::policy::policy;
use crate::status::Failed;

/// Everything that the later steps need to know.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub(crate) repository: Repository,
    pub(crate) choice: Choice,
    /// `ref.semverFilter`, where given.
    pub(crate) filter: Option<Pattern>,
    pub(crate) layer: LayerSelector,
    pub(crate) ignore: Option<String>,
    pub(crate) registry: Client,
    pub(crate) interval: Duration,
    /// Longest time for one remote operation.
    pub(crate) timeout: Duration,
}

/// Reads the spec and what it refers to. What can't be read because it is malformed stalls; what may appear later
/// (a Secret) is tried again.
pub(crate) async fn gather(deps: &Deps, registry: &Client, own: &OciRepository) -> Result<Gathered, Failed> {
    let spec = &own.spec;
    let interval = duration("spec.interval", &spec.interval).map_err(Failed::fetch)?;
    let timeout =
        duration("spec.timeout", spec.timeout.as_deref().unwrap_or("60s")).map_err(Failed::fetch)?;
    let repository = repository(&spec.url)?;
    let default = OciRepositoryRef::default();
    let wanted = spec.reference.as_ref().unwrap_or(&default);
    let choice = Choice::new(
        wanted.digest.as_deref(),
        wanted.semver.as_deref(),
        wanted.tag.as_deref(),
    )
    .map_err(|e| invalid(reason::OCI_ARTIFACT_PULL_FAILED, chain(&e)))?;
    let filter = match wanted.semver_filter.as_deref().filter(|f| !f.is_empty()) {
        Some(text) => Some(Pattern::new(text).map_err(|e| {
            invalid(
                reason::OCI_ARTIFACT_PULL_FAILED,
                format!("spec.ref.semverFilter is wrong: {}", chain(&e)),
            )
        })?),
        None => None,
    };
    if let Some(provider) = spec.provider.as_deref().filter(|p| *p != "generic") {
        let message = format!(
            "spec.provider: '{provider}' is not built yet; weir reads registry credentials from spec.secretRef and from image \
             pull secrets. Use one of these, or remove the provider."
        );
        return Err(invalid(reason::FEATURE_GATE_DISABLED, message));
    }
    let registry = client(deps, registry, own)
        .await?
        .with_credentials(keychain(deps, own).await?);
    Ok(Gathered {
        repository,
        choice,
        filter,
        layer: spec.layer_selector.clone().unwrap_or_default(),
        ignore: spec.ignore.clone(),
        registry,
        interval,
        timeout,
    })
}

/// What the source asks for itself, and what the cluster's policies ask of it, with the Secrets that they refer to.
pub(crate) async fn asked(deps: &Deps, policies: &Policies, own: &OciRepository) -> Result<Asked, Failed> {
    let (spec, metadata) = (&own.spec, &own.metadata);
    let key = (metadata.namespace.clone(), metadata.name.clone());
    let (public_good, known) = (policies.public_good(), policies.known());
    let (own, rules) = tokio::join!(
        policy(
            deps,
            public_good,
            known,
            &metadata.namespace,
            spec.verify.as_ref()
        ),
        policies.rules_for(OciRepository::KIND, &key, &spec.url),
    );
    Ok(Asked::new(own?, rules))
}

pub(crate) fn invalid(reason: &'static str, message: impl Into<String>) -> Failed {
    Failed::fetch(Failure::stalled(reason, message))
}

pub(crate) fn again(reason: &'static str, message: impl Into<String>) -> Failed {
    Failed::fetch(Failure::retry(reason, message))
}

/// `spec.url`: a repository, and nothing that names a version.
fn repository(url: &str) -> Result<Repository, Failed> {
    let wrong = |why: String| {
        invalid(
            reason::URL_INVALID,
            format!("spec.url: '{url}' cannot be used: {why}"),
        )
    };
    let Some(rest) = url.strip_prefix("oci://") else {
        return Err(wrong("it must begin with oci://".into()));
    };
    let reference: weir_oci::Reference = rest
        .parse()
        .map_err(|e: weir_oci::InvalidReference| wrong(chain(&e)))?;
    if reference.tag().is_some() || reference.digest().is_some() {
        return Err(wrong(
            "it must not name a tag or a digest; put that into spec.ref".into(),
        ));
    }
    Ok(reference.repository().clone())
}

/// Reads an object that a field of the spec refers to.
pub(crate) async fn read(
    deps: &Deps,
    namespace: &str,
    kind: &str,
    name: &str,
    field: &str,
) -> Result<Object, Failed> {
    let reference = ObjectRef::new(GroupVersionKind::new("", "v1", kind), namespace, name);
    let failed = |why: String| {
        again(
            reason::AUTHENTICATION_FAILED,
            format!("{field}: cannot read {kind} '{namespace}/{name}': {why}"),
        )
    };
    match deps.client.get(&reference).await {
        Ok(Some(object)) => Ok(object),
        Ok(None) => Err(failed("it does not exist".into())),
        Err(error) => Err(failed(chain(&error))),
    }
}

/// Credentials: `secretRef` first, then the image pull secrets of the ServiceAccount.
async fn keychain(deps: &Deps, own: &OciRepository) -> Result<Keychain, Failed> {
    let namespace = own.metadata.namespace.as_str();
    let mut names = Vec::new();
    if let Some(reference) = &own.spec.secret_ref {
        names.push(("spec.secretRef", reference.name.clone()));
    }
    if let Some(account) = &own.spec.service_account_name {
        let account = read(
            deps,
            namespace,
            "ServiceAccount",
            account,
            "spec.serviceAccountName",
        )
        .await?;
        let pull_secrets = account
            .get(&["imagePullSecrets"])
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        for entry in pull_secrets.filter_map(|e| e.get("name")?.as_str()) {
            names.push(("spec.serviceAccountName", entry.to_owned()));
        }
    }
    let mut keychain = Keychain::anonymous();
    for (field, name) in names {
        let object = read(deps, namespace, "Secret", &name, field).await?;
        keychain = keychain.with_docker_config(docker_config(&object, field)?);
    }
    Ok(keychain)
}

/// The registry credentials in a pull secret.
pub(crate) fn docker_config(object: &Object, field: &str) -> Result<DockerConfig, Failed> {
    let name = object.name();
    let Some(config) = secret::value(object, ".dockerconfigjson") else {
        let message = format!(
            "{field}: Secret '{name}' has no key '.dockerconfigjson'; its type must be kubernetes.io/dockerconfigjson"
        );
        return Err(again(reason::AUTHENTICATION_FAILED, message));
    };
    DockerConfig::from_secret(config.expose()).map_err(|e| {
        again(
            reason::AUTHENTICATION_FAILED,
            format!("{field}: Secret '{name}': {}", chain(&e)),
        )
    })
}

/// The shared client, or one of its own where the spec asks for other certificates, a proxy or plain HTTP.
async fn client(deps: &Deps, base: &Client, own: &OciRepository) -> Result<Client, Failed> {
    let (spec, namespace) = (&own.spec, own.metadata.namespace.as_str());
    if !spec.insecure && spec.cert_secret_ref.is_none() && spec.proxy_secret_ref.is_none() {
        return Ok(base.clone());
    }
    let mut options = base.options().clone();
    if spec.insecure {
        options.plain_http = PlainHttp::Any;
        options.tls.danger_accept_invalid_certificates = spec.cert_secret_ref.is_none();
    }
    if let Some(reference) = &spec.cert_secret_ref {
        let object = read(deps, namespace, "Secret", &reference.name, "spec.certSecretRef").await?;
        certificates(&object, &mut options.tls);
    }
    if let Some(reference) = &spec.proxy_secret_ref {
        let object = read(deps, namespace, "Secret", &reference.name, "spec.proxySecretRef").await?;
        let proxy = proxy(&object).map_err(|why| {
            let message = format!("spec.proxySecretRef: Secret '{}': {why}", reference.name);
            again(reason::AUTHENTICATION_FAILED, message)
        })?;
        options.proxy.https = Some(proxy.clone());
        options.proxy.http = Some(proxy);
    }
    Client::new(options).map_err(|e| again(reason::AUTHENTICATION_FAILED, chain(&e)))
}

/// The certificates in a Secret, under the names of today and of old. Whether there are any.
pub(crate) fn certificates(object: &Object, tls: &mut TlsOptions) -> bool {
    let first = |names: [&str; 2]| names.iter().find_map(|n| secret::value(object, n));
    let mut found = false;
    if let Some(authority) = first(["ca.crt", "caFile"]) {
        tls.extra_authorities.clone_from(authority.expose());
        found = true;
    }
    if let (Some(certificate), Some(key)) = (first(["tls.crt", "certFile"]), first(["tls.key", "keyFile"])) {
        tls.identity = Some(ClientIdentity {
            certificate: certificate.expose().clone(),
            key,
        });
        found = true;
    }
    found
}

/// The proxy that a Secret describes: `address`, with `username` and `password` where it asks for them.
fn proxy(object: &Object) -> Result<RedactedUrl, &'static str> {
    let text = |key| secret::value(object, key).and_then(|v| String::from_utf8(v.expose().clone()).ok());
    let address = text("address").ok_or("it has no key 'address'")?;
    let mut url = Url::parse(&address).map_err(|_| "'address' is not a URL")?;
    if let Some(name) = text("username") {
        url.set_username(&name)
            .map_err(|()| "'address' takes no user name")?;
        url.set_password(text("password").as_deref())
            .map_err(|()| "'address' takes no password")?;
    }
    Ok(RedactedUrl::new(url))
}
