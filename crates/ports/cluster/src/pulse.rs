//! A watch that tells which objects changed, and keeps nothing of what is in them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use kube::api::{Api, DynamicObject, PartialObjectMeta};
use kube::core::ApiResource;
use kube::runtime::watcher;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::mirror::is_newer;
use crate::{Client, Resource};

/// Called with namespace and name of an object that came, changed or went. Must not block.
pub type OnPulse = Arc<dyn Fn(&str, &str) + Send + Sync>;

/// Pause after the first failure of a watch; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long after a list its versions are not relied upon: a write of ours that was made while the list was under way is
/// not in it, and its event is about to come.
const SETTLING: Duration = Duration::from_secs(1);

/// A watch of metadata: for ConfigMaps and Secrets, whose content nobody needs until it is used. It ends when dropped.
#[derive(Debug)]
pub struct Pulse {
    task: JoinHandle<()>,
    state: Arc<State>,
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Namespace and name.
type Key = (String, String);

#[derive(Debug, Default)]
struct State(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    versions: BTreeMap<Key, String>,
    /// Since when the watch has shown everything; `None` before the first list, and while the watch is broken.
    live: Option<Instant>,
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        let state: Arc<State> = Arc::default();
        let follower = Follower {
            state: state.clone(),
            listed: BTreeMap::new(),
            has_listed: false,
            on_pulse,
        };
        Self {
            task: tokio::spawn(follow(api, config, resource.gvk.kind.clone(), follower)),
            state,
        }
    }

    /// Whether everything that changes is told within a moment: the first list is complete, and the watch is not broken.
    pub fn is_live(&self) -> bool {
        self.state.lock().live.is_some()
    }

    /// Names and versions of the objects of a namespace whose names begin like this, by name. `None` where the watch cannot
    /// tell: it has just begun, or is broken.
    pub fn versions(&self, namespace: &str, prefix: &str) -> Option<Vec<(String, String)>> {
        let known = self.state.lock();
        if known.live? + SETTLING > Instant::now() {
            return None;
        }
        let from = (namespace.to_owned(), prefix.to_owned());
        let found = known
            .versions
            .range(from..)
            .take_while(|((ns, name), _)| ns == namespace && name.starts_with(prefix));
        Some(
            found
                .map(|((_, name), version)| (name.clone(), version.clone()))
                .collect(),
        )
    }

    /// Takes in that a write of ours has made this version of an object, so that [`Pulse::versions`] knows it before its
    /// event comes.
    pub fn note(&self, namespace: &str, name: &str, version: &str) {
        let key = (namespace.to_owned(), name.to_owned());
        self.state.lock().take(key, version.to_owned());
    }

    /// Takes in that we have deleted an object.
    pub fn note_gone(&self, namespace: &str, name: &str) {
        let key = (namespace.to_owned(), name.to_owned());
        self.state.lock().versions.remove(&key);
    }
}

impl Known {
    /// A version, unless a later one is known.
    fn take(&mut self, key: Key, version: String) {
        let known = self.versions.get(&key);
        if known.is_none_or(|known| is_newer(&version, known)) {
            self.versions.insert(key, version);
        }
    }
}

/// What a watch has shown so far.
struct Follower {
    state: Arc<State>,
    listed: BTreeMap<Key, String>,
    has_listed: bool,
    on_pulse: OnPulse,
}

async fn follow(
    api: Api<PartialObjectMeta<DynamicObject>>,
    config: watcher::Config,
    kind: String,
    mut follower: Follower,
) {
    let mut pause = FIRST_PAUSE;
    loop {
        let mut events = watcher(api.clone(), config.clone()).boxed();
        let error = loop {
            match events.try_next().await {
                Ok(Some(event)) => {
                    if matches!(event, watcher::Event::InitDone) {
                        pause = FIRST_PAUSE;
                    }
                    follower.take(event);
                }
                Ok(None) => return,
                Err(error) => break error,
            }
        };
        // It begins with a list again: only that tells for sure that nothing was missed.
        follower.state.lock().live = None;
        tracing::warn!(kind, %error, "watch failed, starting it again");
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

impl Follower {
    fn take(&mut self, event: watcher::Event<PartialObjectMeta<DynamicObject>>) {
        match event {
            watcher::Event::Init => {
                self.listed.clear();
                self.state.lock().live = None;
            }
            watcher::Event::InitApply(object) => {
                let (key, version) = read(object);
                self.listed.insert(key, version);
            }
            watcher::Event::InitDone => {
                let new = std::mem::take(&mut self.listed);
                let old = {
                    let mut known = self.state.lock();
                    known.live = Some(Instant::now());
                    std::mem::replace(&mut known.versions, new.clone())
                };
                if std::mem::replace(&mut self.has_listed, true) {
                    let changed = new
                        .iter()
                        .filter(|(key, version)| old.get(*key) != Some(*version));
                    let gone = old.iter().filter(|(key, _)| !new.contains_key(*key));
                    for ((namespace, name), _) in changed.chain(gone) {
                        (self.on_pulse)(namespace, name);
                    }
                }
            }
            watcher::Event::Apply(object) => {
                let (key, version) = read(object);
                self.state.lock().take(key.clone(), version);
                (self.on_pulse)(&key.0, &key.1);
            }
            watcher::Event::Delete(object) => {
                let (key, _) = read(object);
                self.state.lock().versions.remove(&key);
                (self.on_pulse)(&key.0, &key.1);
            }
        }
    }
}

fn read(object: PartialObjectMeta<DynamicObject>) -> (Key, String) {
    let metadata = object.metadata;
    (
        (
            metadata.namespace.unwrap_or_default(),
            metadata.name.unwrap_or_default(),
        ),
        metadata.resource_version.unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(namespace: &str, name: &str) -> Key {
        (namespace.into(), name.into())
    }

    #[tokio::test(start_paused = true)]
    async fn versions_are_told_while_the_watch_lives() {
        let pulse = Pulse {
            task: tokio::spawn(std::future::pending()),
            state: Arc::default(),
        };
        {
            let mut known = pulse.state.lock();
            known.take(key("a", "web.v1"), "10".into());
            known.take(key("a", "web.v2"), "11".into());
            known.take(key("a", "wet"), "12".into());
            known.take(key("b", "web.v1"), "13".into());
        }
        assert_eq!(pulse.versions("a", "web"), None, "there was no list yet");
        pulse.state.lock().live = Some(Instant::now());
        assert!(pulse.is_live());
        assert_eq!(pulse.versions("a", "web"), None, "a write may be on its way");
        sleep(SETTLING).await;
        let told = |pulse: &Pulse| pulse.versions("a", "web").unwrap();
        assert_eq!(
            told(&pulse),
            [("web.v1".into(), "10".into()), ("web.v2".into(), "11".into())]
        );
        // A write of ours, and an event from before it.
        pulse.note("a", "web.v2", "20");
        pulse.state.lock().take(key("a", "web.v2"), "15".into());
        pulse.note_gone("a", "web.v1");
        assert_eq!(told(&pulse), [("web.v2".into(), "20".into())]);
    }
}
