//! Which objects read which ConfigMaps and Secrets, so that a change of one that is labelled wakes them
//! (flux-controllers.md §1.2).

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;
use weir_apis::{GroupVersionKind, Object};
use weir_cluster::pulse::Pulse;
use weir_cluster::{ApiError, Client};

use crate::{Index, Key, Settings};

/// Kind, namespace and name of a ConfigMap or Secret.
pub type Config = (String, String, String);

/// The ConfigMaps and Secrets that an object's spec names: for another cluster, each of `single` by kind and path to its
/// name, and those of the list at `list`, whose entries have `kind` and `name`. All of them lie in its own namespace.
pub fn named(object: &Object, single: &[(&str, &[&str])], list: &[&str]) -> BTreeSet<Config> {
    const CLUSTER: [(&str, &[&str]); 2] = [
        ("Secret", &["spec", "kubeConfig", "secretRef", "name"]),
        ("ConfigMap", &["spec", "kubeConfig", "configMapRef", "name"]),
    ];
    let config = |kind: &str, name: &str| (kind.to_owned(), object.namespace().to_owned(), name.to_owned());
    let mut found: BTreeSet<Config> = CLUSTER
        .iter()
        .chain(single)
        .filter_map(|(kind, path)| Some(config(kind, object.get(path)?.as_str()?)))
        .collect();
    let entries = object.get(list).and_then(Value::as_array);
    found.extend(entries.into_iter().flatten().filter_map(|source| {
        let field = |name: &str| source.get(name).and_then(Value::as_str);
        Some(config(field("kind")?, field("name")?))
    }));
    found
}

/// Watches the ConfigMaps and Secrets that the settings choose by label, and calls `wake` with those that read one that
/// changed. The watches end when what is returned is dropped.
pub async fn watch(
    client: &Client,
    settings: &Settings,
    users: &Arc<Index<Config>>,
    wake: impl Fn(&Key) + Clone + Send + Sync + 'static,
) -> Result<Vec<Pulse>, ApiError> {
    let Some(selector) = &settings.watch_configs else {
        return Ok(Vec::new());
    };
    let namespace = settings.watch_namespace.as_deref().unwrap_or_default();
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
