//! Which Kustomizations read which ConfigMaps and Secrets, so that a change of one that is labelled wakes them
//! (flux-controllers.md §1.2).

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;
use weir_apis::{GroupVersionKind, Object};
use weir_cluster::pulse::Pulse;
use weir_cluster::{ApiError, Client};
use weir_runtime::{Index, Key};

/// Kind, namespace and name of a ConfigMap or Secret.
pub(crate) type Config = (String, String, String);

/// The ConfigMaps and Secrets that an object's spec names: for substitution, for another cluster, for decryption. All of
/// them lie in its own namespace.
pub(crate) fn configs_of(object: &Object) -> BTreeSet<Config> {
    let named = |kind: &str, path: &[&str]| {
        let name = object.get(path).and_then(Value::as_str)?;
        Some((kind.to_owned(), object.namespace().to_owned(), name.to_owned()))
    };
    let mut found: BTreeSet<Config> = [
        named("Secret", &["spec", "kubeConfig", "secretRef", "name"]),
        named("ConfigMap", &["spec", "kubeConfig", "configMapRef", "name"]),
        named("Secret", &["spec", "decryption", "secretRef", "name"]),
    ]
    .into_iter()
    .flatten()
    .collect();
    let from = object.get(&["spec", "postBuild", "substituteFrom"]);
    for source in from.and_then(Value::as_array).into_iter().flatten() {
        let field = |name: &str| source.get(name).and_then(Value::as_str).map(str::to_owned);
        if let (Some(kind), Some(name)) = (field("kind"), field("name")) {
            found.insert((kind, object.namespace().to_owned(), name));
        }
    }
    found
}

/// Watches the labelled ConfigMaps and Secrets and calls `wake` with those that read one that changed.
pub(crate) async fn watch(
    client: &Client,
    namespace: &str,
    selector: &str,
    users: &Arc<Index<Config>>,
    wake: impl Fn(&Key) + Clone + Send + Sync + 'static,
) -> Result<Vec<Pulse>, ApiError> {
    let mut pulses = Vec::new();
    for kind in ["ConfigMap", "Secret"] {
        let resource = client.resource(&GroupVersionKind::new("", "v1", kind)).await?;
        let (users, wake) = (users.clone(), wake.clone());
        let on_pulse = Arc::new(move |namespace: &str, name: &str| {
            let config = (kind.to_owned(), namespace.to_owned(), name.to_owned());
            users.users(&config).iter().for_each(&wake);
        });
        pulses.push(Pulse::start(client, &resource, namespace, selector, on_pulse));
    }
    Ok(pulses)
}
