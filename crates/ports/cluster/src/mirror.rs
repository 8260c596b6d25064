//! A copy of all objects of one type, kept fresh by list and watch.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock};

use futures::{StreamExt, TryStreamExt};
use kube::api::{Api, DynamicObject};
use kube::core::ApiResource;
use kube::runtime::{WatchStreamExt, watcher};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use weir_apis::Object;

use crate::{Client, Resource};

type Key = (String, String);

/// What a mirror says about one object.
#[derive(Debug, Clone)]
pub enum Lookup {
    /// It exists, or existed when the last event came.
    Known(Arc<Object>),
    /// It does not exist, or does not match the mirror's selector.
    Absent,
    /// The first list is not complete yet.
    Unsynced,
}

/// An object that came, changed or went.
#[derive(Debug, Clone)]
pub struct Change {
    /// As it was.
    pub old: Option<Arc<Object>>,
    /// As it is; `None` when it is gone.
    pub new: Option<Arc<Object>>,
}

/// Called for each change, in order. Must not block.
pub type OnChange = Arc<dyn Fn(Change) + Send + Sync>;

/// A list-and-watch cache of one type. The watch ends when the mirror is dropped.
pub struct Mirror {
    resource: Resource,
    objects: Arc<RwLock<Objects>>,
    subscribers: Subscribers,
    synced: watch::Receiver<bool>,
    task: JoinHandle<()>,
}

/// The copy itself.
#[derive(Default)]
struct Objects {
    known: HashMap<Key, Arc<Object>>,
    /// The last objects that went, with the version they went at: a write of ours whose answer comes after the event of
    /// the deletion must not bring them back.
    gone: VecDeque<(Key, Arc<Object>)>,
}

/// Deletions that are remembered. An answer is late by a moment, not by more than this many deletions.
const REMEMBERED: usize = 1024;

impl Objects {
    fn remove(&mut self, key: Key, object: Arc<Object>) {
        self.known.remove(&key);
        self.gone.truncate(REMEMBERED - 1);
        self.gone.push_front((key, object));
    }

    /// Whether the object went at this version or a later one.
    fn went(&self, key: &Key, object: &Object) -> bool {
        self.gone
            .iter()
            .any(|(gone, last)| gone == key && is_newer(last, object))
    }
}

type Subscribers = Arc<RwLock<Vec<OnChange>>>;

impl std::fmt::Debug for Mirror {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mirror")
            .field("resource", &self.resource.gvk)
            .finish_non_exhaustive()
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Mirror {
    /// Starts to list and watch objects of a type, those of a namespace (empty: of all) that match a label selector
    /// (empty: all). Errors are logged and tried again with a growing pause; until the first list is complete the
    /// mirror says [`Lookup::Unsynced`] and callers must ask the API server.
    ///
    /// Must be called inside a tokio runtime.
    pub fn start(
        client: &Client,
        resource: Resource,
        namespace: &str,
        selector: &str,
        on_change: OnChange,
    ) -> Self {
        let api_resource = ApiResource {
            group: resource.gvk.group.clone(),
            version: resource.gvk.version.clone(),
            api_version: resource.gvk.api_version(),
            kind: resource.gvk.kind.clone(),
            plural: resource.plural.clone(),
        };
        let api: Api<DynamicObject> = if namespace.is_empty() {
            Api::all_with(client.kube(), &api_resource)
        } else {
            Api::namespaced_with(client.kube(), namespace, &api_resource)
        };
        let mut config = watcher::Config::default();
        if !selector.is_empty() {
            config = config.labels(selector);
        }
        let objects = Arc::new(RwLock::new(Objects::default()));
        let (done, synced) = watch::channel(false);
        let subscribers: Subscribers = Arc::new(RwLock::new(vec![on_change]));
        let state = State {
            resource: resource.clone(),
            objects: objects.clone(),
            subscribers: subscribers.clone(),
            listed: HashMap::new(),
            told: HashMap::new(),
        };
        let task = tokio::spawn(follow(api, config, state, done));
        Self {
            resource,
            objects,
            subscribers,
            synced,
            task,
        }
    }

    /// Calls `on_change` for every change from now on. What exists already is in [`Mirror::all`].
    pub fn subscribe(&self, on_change: OnChange) {
        self.subscribers
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(on_change);
    }

    /// The mirrored type.
    pub fn resource(&self) -> &Resource {
        &self.resource
    }

    /// Waits for the first complete list.
    pub async fn synced(&self) {
        // An error means that the watch task is gone, which happens only at shutdown.
        let _outcome = self.synced.clone().wait_for(|done| *done).await.map(|_| ());
    }

    /// What is known of one object.
    pub fn get(&self, namespace: &str, name: &str) -> Lookup {
        let objects = self.objects.read().unwrap_or_else(PoisonError::into_inner);
        match objects.known.get(&(namespace.to_owned(), name.to_owned())) {
            Some(object) => Lookup::Known(object.clone()),
            None if *self.synced.borrow() => Lookup::Absent,
            None => Lookup::Unsynced,
        }
    }

    /// Takes in an object that the API server has just returned from a write, so that the next look does not
    /// find the state before it. An older one is not taken, nor one that has gone meanwhile.
    pub fn note(&self, object: Object) {
        let key = (object.namespace().to_owned(), object.name().to_owned());
        let mut objects = self.objects.write().unwrap_or_else(PoisonError::into_inner);
        let newer = match objects.known.get(&key) {
            Some(old) => is_newer(&object, old),
            None => !objects.went(&key, &object),
        };
        if newer {
            objects.known.insert(key, Arc::new(object));
        }
    }

    /// All objects, by namespace and name.
    pub fn all(&self) -> Vec<Arc<Object>> {
        let objects = self.objects.read().unwrap_or_else(PoisonError::into_inner);
        let mut list: Vec<_> = objects.known.values().cloned().collect();
        list.sort_by(|a, b| (a.namespace(), a.name()).cmp(&(b.namespace(), b.name())));
        list
    }
}

/// Resource versions are opaque by contract and integers in fact (and, since Kubernetes 1.35, by contract);
/// where they are not, the newcomer wins.
fn is_newer(new: &Object, old: &Object) -> bool {
    match (
        new.resource_version().parse::<u64>(),
        old.resource_version().parse::<u64>(),
    ) {
        (Ok(new), Ok(old)) => new >= old,
        _ => true,
    }
}

struct State {
    resource: Resource,
    objects: Arc<RwLock<Objects>>,
    subscribers: Subscribers,
    listed: HashMap<Key, Arc<Object>>,
    /// The objects as subscribers were last told of them. What a write of ours has put into the copy meanwhile is not told
    /// before its event comes, and hides no event before it.
    told: HashMap<Key, Arc<Object>>,
}

async fn follow(
    api: Api<DynamicObject>,
    config: watcher::Config,
    mut state: State,
    done: watch::Sender<bool>,
) {
    let mut events = watcher(api, config).default_backoff().boxed();
    loop {
        match events.try_next().await {
            Ok(Some(event)) => state.take(event, &done),
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(kind = %state.resource.gvk, %error, "watch failed, starting it again");
            }
        }
    }
}

impl State {
    fn take(&mut self, event: watcher::Event<DynamicObject>, done: &watch::Sender<bool>) {
        match event {
            watcher::Event::Init => self.listed.clear(),
            watcher::Event::InitApply(object) => {
                if let Some(object) = self.convert(object) {
                    self.listed.insert(key(&object), Arc::new(object));
                }
            }
            watcher::Event::InitDone => {
                let new = std::mem::take(&mut self.listed);
                self.objects
                    .write()
                    .unwrap_or_else(PoisonError::into_inner)
                    .known
                    .clone_from(&new);
                let old = std::mem::replace(&mut self.told, new.clone());
                done.send_replace(true);
                self.report(old, new);
            }
            watcher::Event::Apply(object) => {
                let Some(object) = self.convert(object) else {
                    return;
                };
                let object = Arc::new(object);
                {
                    let mut objects = self.objects.write().unwrap_or_else(PoisonError::into_inner);
                    // A write of ours may have been noted before its event came.
                    let known = objects.known.get(&key(&object));
                    if known.is_none_or(|known| is_newer(&object, known)) {
                        objects.known.insert(key(&object), object.clone());
                    }
                }
                let old = self.told.insert(key(&object), object.clone());
                self.tell(&Change {
                    old,
                    new: Some(object),
                });
            }
            watcher::Event::Delete(object) => {
                let Some(object) = self.convert(object) else {
                    return;
                };
                let object = Arc::new(object);
                self.objects
                    .write()
                    .unwrap_or_else(PoisonError::into_inner)
                    .remove(key(&object), object.clone());
                let old = self.told.remove(&key(&object));
                self.tell(&Change {
                    old: Some(old.unwrap_or(object)),
                    new: None,
                });
            }
        }
    }

    fn tell(&self, change: &Change) {
        for subscriber in self
            .subscribers
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
        {
            subscriber(change.clone());
        }
    }

    fn report(&self, mut old: HashMap<Key, Arc<Object>>, new: HashMap<Key, Arc<Object>>) {
        let mut new: Vec<_> = new.into_iter().collect();
        new.sort_by(|a, b| a.0.cmp(&b.0));
        for (key, object) in new {
            let old = old.remove(&key);
            if old
                .as_ref()
                .is_some_and(|o| o.resource_version() == object.resource_version())
            {
                continue;
            }
            self.tell(&Change {
                old,
                new: Some(object),
            });
        }
        let mut gone: Vec<_> = old.into_iter().collect();
        gone.sort_by(|a, b| a.0.cmp(&b.0));
        for (_, object) in gone {
            self.tell(&Change {
                old: Some(object),
                new: None,
            });
        }
    }

    /// kube's dynamic object as ours. Items of a typed list come without their type, so it is set.
    fn convert(&self, object: DynamicObject) -> Option<Object> {
        let mut value = serde_json::to_value(object).ok()?;
        let map = value.as_object_mut()?;
        map.insert("apiVersion".into(), self.resource.gvk.api_version().into());
        map.insert("kind".into(), self.resource.gvk.kind.clone().into());
        Object::from_value(value).ok()
    }
}

fn key(object: &Object) -> Key {
    (object.namespace().to_owned(), object.name().to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(version: &str) -> Arc<Object> {
        let value = json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "a", "namespace": "n", "resourceVersion": version}});
        Arc::new(Object::from_value(value).unwrap())
    }

    #[test]
    fn what_has_gone_does_not_come_back_by_a_late_answer() {
        let mut objects = Objects::default();
        let (seen, gone, anew) = (object("10"), object("11"), object("12"));
        let key = key(&seen);
        objects.known.insert(key.clone(), seen.clone());
        objects.remove(key.clone(), gone.clone());
        assert!(objects.went(&key, &seen) && objects.went(&key, &gone));
        assert!(!objects.went(&key, &anew));
        assert!(!objects.went(&("n".into(), "b".into()), &seen));
        for _ in 0..REMEMBERED {
            objects.remove(("n".into(), "c".into()), gone.clone());
        }
        assert_eq!(objects.gone.len(), REMEMBERED);
        assert!(!objects.went(&key, &seen), "deletions long past are forgotten");
    }
}
