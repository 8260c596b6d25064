//! Another cluster: by a kubeconfig in a Secret, or by a ConfigMap that names it and an identity
//! (flux-controllers.md §1.7, §3.10).

use serde_json::{Value, json};
use weir_apis::kind::{LocalRef, SecretKeyRef};
use weir_apis::{GroupVersionKind, Object, ObjectRef, reason, secret};
use weir_cluster::{Client, connect};
use weir_runtime::verdict::chain;
use weir_runtime::{Failure, Settings};

use crate::spec::Spec;

/// A client with the rights of the kubeconfig; `None` where the spec names no other cluster. Secrets and ConfigMaps are
/// read with the controller's own rights, from the object's own namespace only.
pub(crate) async fn client(
    own: &Client,
    spec: &Spec,
    settings: &Settings,
) -> Result<Option<Client>, Failure> {
    let Some(config) = &spec.own.spec.kube_config else {
        return Ok(None);
    };
    let kubeconfig = match (&config.secret_ref, &config.config_map_ref) {
        (Some(reference), _) => by_secret(own, spec, reference).await?,
        (None, Some(reference)) => by_identity(own, spec, settings, reference).await?,
        (None, None) => {
            let message = "spec.kubeConfig: one of secretRef and configMapRef must be set";
            return Err(Failure::stalled(reason::INVALID_SPEC, message));
        }
    };
    match connect::stored(&kubeconfig).await {
        Ok(client) => Ok(Some(client)),
        Err(error) => {
            let message = format!("spec.kubeConfig: {}", chain(&error));
            Err(Failure::retry_after(
                reason::RECONCILIATION_FAILED,
                spec.retry,
                message,
            ))
        }
    }
}

/// Reads an object of the Kustomization's namespace.
async fn read(own: &Client, spec: &Spec, kind: &str, name: &str) -> Result<Object, String> {
    let reference = ObjectRef::new(
        GroupVersionKind::new("", "v1", kind),
        &*spec.own.metadata.namespace,
        name,
    );
    match own.get(&reference).await {
        Ok(Some(object)) => Ok(object),
        Ok(None) => Err("not found".into()),
        Err(error) => Err(chain(&error)),
    }
}

async fn by_secret(own: &Client, spec: &Spec, reference: &SecretKeyRef) -> Result<String, Failure> {
    let wrong = |why: String| {
        let message = format!(
            "spec.kubeConfig.secretRef: Secret '{}/{}': {why}",
            spec.own.metadata.namespace, reference.name
        );
        Failure::retry_after(reason::RECONCILIATION_FAILED, spec.retry, message)
    };
    let object = read(own, spec, "Secret", &reference.name).await.map_err(wrong)?;
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

/// A kubeconfig with a token of a ServiceAccount of the Kustomization's namespace, made for the other cluster's audience.
async fn by_identity(
    own: &Client,
    spec: &Spec,
    settings: &Settings,
    reference: &LocalRef,
) -> Result<String, Failure> {
    let namespace = &spec.own.metadata.namespace;
    let place = format!(
        "spec.kubeConfig.configMapRef: ConfigMap '{namespace}/{}'",
        reference.name
    );
    let wrong = |why: String| {
        Failure::retry_after(
            reason::RECONCILIATION_FAILED,
            spec.retry,
            format!("{place}: {why}"),
        )
    };
    let object = read(own, spec, "ConfigMap", &reference.name)
        .await
        .map_err(wrong)?;
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
            return Err(Failure::stalled(reason::FEATURE_GATE_DISABLED, message));
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
        &**namespace,
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
