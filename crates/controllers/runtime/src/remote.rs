//! Where to apply and with whose rights: another cluster by a kubeconfig in a Secret, or by a ConfigMap that names it
//! and an identity (flux-controllers.md §1.7, §3.10); and the ServiceAccount to act as.

use serde_json::{Value, json};
use weir_apis::kind::{KubeConfig, LocalRef, SecretKeyRef};
use weir_apis::{GroupVersionKind, Object, ObjectRef, reason, secret};
use weir_cluster::{Client, Identity, connect};

use crate::verdict::chain;
use crate::{Failure, Settings};

/// Why another cluster can't be reached.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// Only a change of the spec can help.
    #[error("{0}")]
    Spec(String),
    /// The spec asks for what is not built.
    #[error("{0}")]
    NotBuilt(String),
    /// The Secret or ConfigMap with the kubeconfig does not exist.
    #[error("{0}")]
    Absent(String),
    /// What the Secret or ConfigMap says is no good, or does not work now.
    #[error("{0}")]
    Failed(String),
}

impl RemoteError {
    /// What follows: what can't be mended by another try stalls, anything else is what `retry` makes of it.
    pub fn failure(self, retry: impl FnOnce(String) -> Failure) -> Failure {
        match self {
            Self::Spec(message) => Failure::stalled(reason::INVALID_SPEC, message),
            Self::NotBuilt(message) => Failure::stalled(reason::FEATURE_GATE_DISABLED, message),
            Self::Absent(message) | Self::Failed(message) => retry(message),
        }
    }
}

/// The client acting as the ServiceAccount that the spec names, else as the default one, else as itself. Never as itself
/// because an account is missing (security case N50).
pub fn acting_as(
    client: &Client,
    namespace: &str,
    account: Option<&String>,
    settings: &Settings,
) -> Result<Client, Failure> {
    match account.or(settings.default_service_account.as_ref()) {
        None => Ok(client.clone()),
        Some(name) => Identity::service_account(namespace, name)
            .map(|identity| client.acting_as(identity))
            .map_err(|e| Failure::stalled(reason::ACCESS_DENIED, format!("spec.serviceAccountName: {e}"))),
    }
}

/// A client with the rights of the kubeconfig; `None` where the spec names no other cluster. Secrets and ConfigMaps are
/// read with the controller's own rights, from the object's own namespace only.
pub async fn client(
    own: &Client,
    namespace: &str,
    config: Option<&KubeConfig>,
    settings: &Settings,
) -> Result<Option<Client>, RemoteError> {
    let Some(config) = config else {
        return Ok(None);
    };
    let kubeconfig = match (&config.secret_ref, &config.config_map_ref) {
        (Some(reference), _) => by_secret(own, namespace, reference).await?,
        (None, Some(reference)) => by_identity(own, namespace, settings, reference).await?,
        (None, None) => {
            let message = "spec.kubeConfig: one of secretRef and configMapRef must be set";
            return Err(RemoteError::Spec(message.into()));
        }
    };
    match connect::stored(&kubeconfig).await {
        Ok(client) => Ok(Some(client)),
        Err(error) => Err(RemoteError::Failed(format!("spec.kubeConfig: {}", chain(&error)))),
    }
}

/// Reads an object of the namespace. `place` is for messages.
async fn read(
    own: &Client,
    namespace: &str,
    kind: &str,
    name: &str,
    place: &str,
) -> Result<Object, RemoteError> {
    let reference = ObjectRef::new(GroupVersionKind::new("", "v1", kind), namespace, name);
    match own.get(&reference).await {
        Ok(Some(object)) => Ok(object),
        Ok(None) => Err(RemoteError::Absent(format!("{place}: not found"))),
        Err(error) => Err(RemoteError::Failed(format!("{place}: {}", chain(&error)))),
    }
}

async fn by_secret(own: &Client, namespace: &str, reference: &SecretKeyRef) -> Result<String, RemoteError> {
    let place = format!(
        "spec.kubeConfig.secretRef: Secret '{namespace}/{}'",
        reference.name
    );
    let wrong = |why: String| RemoteError::Failed(format!("{place}: {why}"));
    let object = read(own, namespace, "Secret", &reference.name, &place).await?;
    let keys: Vec<&str> = match &reference.key {
        Some(key) => vec![key.as_str()],
        None => vec!["value", "value.yaml"],
    };
    let text = keys
        .iter()
        .find_map(|key| secret::value(&object, key))
        .ok_or_else(|| wrong(format!("it has no key {}", keys.join(" or "))))?;
    std::str::from_utf8(text.expose())
        .map(str::to_owned)
        .map_err(|_| wrong("the kubeconfig is not text".into()))
}

/// A kubeconfig with a token of a ServiceAccount of the namespace, made for the other cluster's audience.
async fn by_identity(
    own: &Client,
    namespace: &str,
    settings: &Settings,
    reference: &LocalRef,
) -> Result<String, RemoteError> {
    let place = format!(
        "spec.kubeConfig.configMapRef: ConfigMap '{namespace}/{}'",
        reference.name
    );
    let wrong = |why: String| RemoteError::Failed(format!("{place}: {why}"));
    let object = read(own, namespace, "ConfigMap", &reference.name, &place).await?;
    let data = |key: &str| {
        object
            .get(&["data", key])
            .and_then(Value::as_str)
            .filter(|v| !v.is_empty())
    };
    match data("provider") {
        Some("generic") => {}
        Some(cloud @ ("aws" | "azure" | "gcp")) => {
            let message = format!(
                "{place}: clusters by cloud identity ({cloud}) are not built yet; use provider generic, or secretRef"
            );
            return Err(RemoteError::NotBuilt(message));
        }
        Some(other) => return Err(wrong(format!("provider '{other}' is not known"))),
        None => return Err(wrong("it has no key provider".into())),
    }
    let address = data("address").ok_or_else(|| wrong("it has no key address".into()))?;
    let account = data("serviceAccountName")
        .or(settings.default_kubeconfig_service_account.as_deref())
        .ok_or_else(|| wrong("it has no key serviceAccountName, and there is no default one".into()))?;
    let audiences: Vec<&str> = data("audiences")
        .unwrap_or(address)
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let account = ObjectRef::new(
        GroupVersionKind::new("", "v1", "ServiceAccount"),
        namespace,
        account,
    );
    let token = own
        .token(&account, &audiences)
        .await
        .map_err(|e| wrong(format!("no token for {account}: {}", chain(&e))))?;
    let mut cluster = json!({"server": address});
    if let (Some(authority), Some(map)) = (data("ca.crt"), cluster.as_object_mut()) {
        map.insert(
            "certificate-authority-data".into(),
            json!(secret::encode(authority.as_bytes())),
        );
    }
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "remote",
        "clusters": [{"name": "remote", "cluster": cluster}],
        "users": [{"name": "remote", "user": {"token": token}}],
        "contexts": [{"name": "remote", "context": {"cluster": "remote", "user": "remote"}}],
    });
    Ok(kubeconfig.to_string())
}
