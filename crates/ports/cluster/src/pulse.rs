//! A watch that tells which objects changed, and keeps nothing of what is in them.

use std::collections::HashMap;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use kube::api::{Api, DynamicObject, PartialObjectMeta};
use kube::core::ApiResource;
use kube::runtime::{WatchStreamExt, watcher};
use tokio::task::JoinHandle;

use crate::{Client, Resource};

/// Called with namespace and name of an object that came, changed or went. Must not block.
pub type OnPulse = Arc<dyn Fn(&str, &str) + Send + Sync>;

/// A watch of metadata: for ConfigMaps and Secrets, whose content nobody needs until it is used. It ends when dropped.
#[derive(Debug)]
pub struct Pulse(JoinHandle<()>);

impl Drop for Pulse {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Pulse {
    /// Starts to watch objects of a type, those of a namespace (empty: of all) that match a label selector. What the first list holds
    /// is not told. Errors are logged and tried again with a growing pause; nothing that changes meanwhile is missed.
    ///
    /// Must be called inside a tokio runtime.
    pub fn start(
        client: &Client,
        resource: &Resource,
        namespace: &str,
        selector: &str,
        on_pulse: OnPulse,
    ) -> Self {
        let api_resource = ApiResource {
            group: resource.gvk.group.clone(),
            version: resource.gvk.version.clone(),
            api_version: resource.gvk.api_version(),
            kind: resource.gvk.kind.clone(),
            plural: resource.plural.clone(),
        };
        let api: Api<PartialObjectMeta<DynamicObject>> = if namespace.is_empty() {
            Api::all_with(client.kube(), &api_resource)
        } else {
            Api::namespaced_with(client.kube(), namespace, &api_resource)
        };
        let config = watcher::Config::default().labels(selector);
        Self(tokio::spawn(follow(
            api,
            config,
            resource.gvk.kind.clone(),
            on_pulse,
        )))
    }
}

/// Versions by namespace and name.
type Versions = HashMap<(String, String), String>;

async fn follow(
    api: Api<PartialObjectMeta<DynamicObject>>,
    config: watcher::Config,
    kind: String,
    on_pulse: OnPulse,
) {
    // `None` until the first list is complete.
    let mut known: Option<Versions> = None;
    let mut listed = Versions::new();
    let mut events = watcher(api, config).default_backoff().boxed();
    loop {
        match events.try_next().await {
            Ok(Some(watcher::Event::Init)) => listed.clear(),
            Ok(Some(watcher::Event::InitApply(object))) => {
                let (key, version) = read(object);
                listed.insert(key, version);
            }
            Ok(Some(watcher::Event::InitDone)) => {
                let new = std::mem::take(&mut listed);
                if let Some(old) = known.replace(new.clone()) {
                    let changed = new
                        .iter()
                        .filter(|(key, version)| old.get(*key) != Some(*version));
                    let gone = old.iter().filter(|(key, _)| !new.contains_key(*key));
                    for ((namespace, name), _) in changed.chain(gone) {
                        on_pulse(namespace, name);
                    }
                }
            }
            Ok(Some(watcher::Event::Apply(object))) => {
                let (key, version) = read(object);
                on_pulse(&key.0, &key.1);
                known.get_or_insert_default().insert(key, version);
            }
            Ok(Some(watcher::Event::Delete(object))) => {
                let (key, _) = read(object);
                on_pulse(&key.0, &key.1);
                if let Some(known) = &mut known {
                    known.remove(&key);
                }
            }
            Ok(None) => return,
            Err(error) => tracing::warn!(kind, %error, "watch failed, starting it again"),
        }
    }
}

fn read(object: PartialObjectMeta<DynamicObject>) -> ((String, String), String) {
    let metadata = object.metadata;
    (
        (
            metadata.namespace.unwrap_or_default(),
            metadata.name.unwrap_or_default(),
        ),
        metadata.resource_version.unwrap_or_default(),
    )
}
