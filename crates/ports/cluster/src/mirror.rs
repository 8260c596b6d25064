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
    /// Why the last list or watch failed, if none has succeeded since.
    trouble: watch::Receiver<Option<String>>,
    task: JoinHandle<()>,
}

/// An object as JSON text. A tree of maps takes ten times the memory, and most objects of a mirror are looked at once in
/// an interval.
#[derive(Clone)]
struct Packed(Arc<(String, Box<[u8]>)>);

impl Packed {
    fn of(object: &Object) -> Self {
        let text = serde_json::to_vec(object.as_map()).unwrap_or_default();
        Self(Arc::new((
            object.resource_version().to_owned(),
            text.into_boxed_slice(),
        )))
    }

    fn version(&self) -> &str {
        &self.0.0
    }

    /// `None` never happens: the text was written by [`Packed::of`].
    fn open(&self) -> Option<Arc<Object>> {
        let value = serde_json::from_slice(&self.0.1).ok()?;
        Object::from_value(value).ok().map(Arc::new)
    }
}

/// The copy itself.
#[derive(Default)]
struct Objects {
    known: HashMap<Key, Packed>,
    /// The last objects that went, with the version they went at: a write of ours whose answer comes after the event of
    /// the deletion must not bring them back.
    gone: VecDeque<(Key, String)>,
}

/// Deletions that are remembered. An answer is late by a moment, not by more than this many deletions.
const REMEMBERED: usize = 1024;

impl Objects {
    fn remove(&mut self, key: Key, version: &str) {
        self.known.remove(&key);
        self.gone.truncate(REMEMBERED - 1);
        self.gone.push_front((key, version.to_owned()));
    }

    /// Whether the object went at this version or a later one.
    fn went(&self, key: &Key, version: &str) -> bool {
        self.gone
            .iter()
            .any(|(gone, last)| gone == key && is_newer(last, version))
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
        let (failing, trouble) = watch::channel(None);
        let subscribers: Subscribers = Arc::new(RwLock::new(vec![on_change]));
        let state = State {
            resource: resource.clone(),
            objects: objects.clone(),
            subscribers: subscribers.clone(),
            listed: HashMap::new(),
            told: HashMap::new(),
        };
        let task = tokio::spawn(follow(api, config, state, done, failing));
        Self {
            resource,
            objects,
            subscribers,
            synced,
            trouble,
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

    /// The same, calling `tell` each time with the reason for which there is no list yet.
    pub async fn synced_telling(&self, mut tell: impl FnMut(&str)) {
        let mut trouble = self.trouble.clone();
        let told = async {
            // An error means here, too, that the watch task is gone.
            while trouble.changed().await.is_ok() {
                if let Some(why) = trouble.borrow_and_update().as_deref() {
                    tell(why);
                }
            }
        };
        tokio::select! {
            () = self.synced() => {}
            () = told => {}
        }
    }

    /// What is known of one object.
    pub fn get(&self, namespace: &str, name: &str) -> Lookup {
        let objects = self.objects.read().unwrap_or_else(PoisonError::into_inner);
        let known = objects
            .known
            .get(&(namespace.to_owned(), name.to_owned()))
            .cloned();
        drop(objects);
        match known.map(|packed| packed.open()) {
            Some(Some(object)) => Lookup::Known(object),
            None if *self.synced.borrow() => Lookup::Absent,
            Some(None) | None => Lookup::Unsynced,
        }
    }

    /// Takes in an object that the API server has just returned from a write, so that the next look does not
    /// find the state before it. An older one is not taken, nor one that has gone meanwhile.
    pub fn note(&self, object: Object) {
        let key = (object.namespace().to_owned(), object.name().to_owned());
        let mut objects = self.objects.write().unwrap_or_else(PoisonError::into_inner);
        let newer = match objects.known.get(&key) {
            Some(old) => is_newer(object.resource_version(), old.version()),
            None => !objects.went(&key, object.resource_version()),
        };
        if newer {
            objects.known.insert(key, Packed::of(&object));
        }
    }

    /// All objects, by namespace and name.
    pub fn all(&self) -> Vec<Arc<Object>> {
        let objects = self.objects.read().unwrap_or_else(PoisonError::into_inner);
        let packed: Vec<Packed> = objects.known.values().cloned().collect();
        drop(objects);
        let mut list: Vec<_> = packed.iter().filter_map(Packed::open).collect();
        list.sort_by(|a, b| (a.namespace(), a.name()).cmp(&(b.namespace(), b.name())));
        list
    }
}

/// Resource versions are opaque by contract and integers in fact (and, since Kubernetes 1.35, by contract);
/// where they are not, the newcomer wins.
pub(crate) fn is_newer(new: &str, old: &str) -> bool {
    match (new.parse::<u64>(), old.parse::<u64>()) {
        (Ok(new), Ok(old)) => new >= old,
        _ => true,
    }
}

struct State {
    resource: Resource,
    objects: Arc<RwLock<Objects>>,
    subscribers: Subscribers,
    listed: HashMap<Key, Packed>,
    /// The objects as subscribers were last told of them. What a write of ours has put into the copy meanwhile is not told
    /// before its event comes, and hides no event before it.
    told: HashMap<Key, Packed>,
}

async fn follow(
    api: Api<DynamicObject>,
    config: watcher::Config,
    mut state: State,
    done: watch::Sender<bool>,
    failing: watch::Sender<Option<String>>,
) {
    let mut events = watcher(api, config).default_backoff().boxed();
    loop {
        match events.try_next().await {
            Ok(Some(event)) => {
                failing.send_if_modified(|why| why.take().is_some());
                state.take(event, &done);
            }
            Ok(None) => return,
            Err(error) => {
                failing.send_replace(Some(crate::chain(&error)));
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
                    self.listed.insert(key(&object), Packed::of(&object));
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
                let packed = Packed::of(&object);
                {
                    let mut objects = self.objects.write().unwrap_or_else(PoisonError::into_inner);
                    // A write of ours may have been noted before its event came.
                    let known = objects.known.get(&key(&object));
                    if known.is_none_or(|known| is_newer(packed.version(), known.version())) {
                        objects.known.insert(key(&object), packed.clone());
                    }
                }
                let old = self.told.insert(key(&object), packed);
                self.tell(&Change {
                    old: old.and_then(|old| old.open()),
                    new: Some(Arc::new(object)),
                });
            }
            watcher::Event::Delete(object) => {
                let Some(object) = self.convert(object) else {
                    return;
                };
                self.objects
                    .write()
                    .unwrap_or_else(PoisonError::into_inner)
                    .remove(key(&object), object.resource_version());
                let old = self.told.remove(&key(&object)).and_then(|old| old.open());
                self.tell(&Change {
                    old: Some(old.unwrap_or_else(|| Arc::new(object))),
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

    fn report(&self, mut old: HashMap<Key, Packed>, new: HashMap<Key, Packed>) {
        let mut new: Vec<_> = new.into_iter().collect();
        new.sort_by(|a, b| a.0.cmp(&b.0));
        for (key, object) in new {
            let old = old.remove(&key);
            if old.as_ref().is_some_and(|o| o.version() == object.version()) {
                continue;
            }
            self.tell(&Change {
                old: old.and_then(|old| old.open()),
                new: object.open(),
            });
        }
        let mut gone: Vec<_> = old.into_iter().collect();
        gone.sort_by(|a, b| a.0.cmp(&b.0));
        for (_, object) in gone {
            self.tell(&Change {
                old: object.open(),
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

    fn packed(version: &str) -> Packed {
        let value = json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "a", "namespace": "n", "resourceVersion": version}});
        Packed::of(&Object::from_value(value).unwrap())
    }

    #[test]
    fn an_object_is_unpacked_as_it_was() {
        let object = packed("10").open().unwrap();
        assert_eq!((object.name(), object.resource_version()), ("a", "10"));
    }

    #[test]
    fn what_has_gone_does_not_come_back_by_a_late_answer() {
        let mut objects = Objects::default();
        let key: Key = ("n".into(), "a".into());
        objects.known.insert(key.clone(), packed("10"));
        objects.remove(key.clone(), "11");
        assert!(objects.known.is_empty());
        assert!(objects.went(&key, "10") && objects.went(&key, "11"));
        assert!(!objects.went(&key, "12"));
        assert!(!objects.went(&("n".into(), "b".into()), "10"));
        for _ in 0..REMEMBERED {
            objects.remove(("n".into(), "c".into()), "11");
        }
        assert_eq!(objects.gone.len(), REMEMBERED);
        assert!(!objects.went(&key, "10"), "deletions long past are forgotten");
    }
}
