//! The VerificationPolicies of the cluster: what they ask of a source, and whom a change of them concerns.

mod expression;
mod read;
mod said;
mod scope;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use futures::future::join_all;
use weir_apis::kind::{PolicySecretRef, VerificationPolicy};
use weir_apis::{GroupVersionKind, Object, ObjectRef};
use weir_cluster::mirror::Change;
use weir_cluster::pulse::Pulse;
use weir_cluster::{ApiError, Client, Lookup, Mirror};
use weir_runtime::verdict::chain;
use weir_runtime::{Key, Settings, Waker};
use weir_verify::{Rule, TrustRoot};

use crate::known::Known;

pub(crate) use expression::Expression;
pub(crate) use read::Unusable;
pub use read::{PolicyReading, Secrets};
pub use said::{Said, said};
pub(crate) use said::{concerns, lines, message};
pub use scope::{Labels, Place, Scope};

/// The policies, kept fresh.
pub struct Policies {
    client: Client,
    public_good: TrustRoot,
    known: Known,
    /// Policies and namespaces; nothing where the cluster does not know the former.
    mirrors: Option<(Arc<Mirror>, Mirror)>,
    /// The watch of labelled Secrets, as long as it is asked for.
    _secrets: Option<Pulse>,
    judged: Arc<Judged>,
}

impl std::fmt::Debug for Policies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policies").finish_non_exhaustive()
    }
}

/// The sources that have asked what holds for them, by kind and key, with their addresses: whoever has asked is woken when the
/// answer may be another one.
#[derive(Default)]
struct Judged {
    sources: Mutex<BTreeMap<(&'static str, Key), String>>,
    wakers: RwLock<BTreeMap<&'static str, Arc<OnceLock<Waker>>>>,
}

impl Judged {
    fn wake(&self, concerned: impl Fn(&Place<'_>) -> bool) {
        let sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let wakers = self.wakers.read().unwrap_or_else(PoisonError::into_inner);
        for ((kind, (namespace, name)), url) in sources.iter() {
            let place = Place {
                kind,
                namespace,
                url,
                labels: None,
            };
            if !concerned(&place) {
                continue;
            }
            if let Some(waker) = wakers.get(kind).and_then(|waker| waker.get()) {
                waker.wake(namespace, name);
            }
        }
    }

    fn wake_one(&self, kind: &str, namespace: &str, name: &str) {
        let wakers = self.wakers.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(waker) = wakers.get(kind).and_then(|waker| waker.get()) {
            waker.wake(namespace, name);
        }
    }
}

/// Whether a change is one of what a policy asks for.
fn is_news(change: &Change) -> bool {
    match (&change.old, &change.new) {
        (Some(old), Some(new)) => old.generation() != new.generation() || old.uid() != new.uid(),
        _ => true,
    }
}

impl Policies {
    /// Starts to watch the policies, and waits until all are known: a source that is looked at earlier would be admitted without
    /// them. Each time that they cannot be listed, `tell` is called with the reason. A Secret that the settings choose by label acts at
    /// once on policies that name it, as on whatever else reads one.
    ///
    /// # Errors
    /// When the cluster does not know the kind. [`Policies::none`] is for whoever wants to go on without it.
    pub async fn start(
        client: &Client,
        settings: &Settings,
        tell: impl FnMut(&str),
    ) -> Result<Arc<Self>, ApiError> {
        let judged: Arc<Judged> = Arc::default();
        let on_policy = {
            let judged = judged.clone();
            Arc::new(move |change: Change| {
                if !is_news(&change) {
                    return;
                }
                let scopes: Vec<Scope> = [&change.old, &change.new]
                    .into_iter()
                    .flatten()
                    .map(|object| Scope::of(object))
                    .collect();
                judged.wake(|place| scopes.iter().any(|scope| scope.covers(place)));
            })
        };
        let on_namespace = {
            let judged = judged.clone();
            Arc::new(move |change: Change| {
                let labels = |object: &Option<Arc<Object>>| object.as_deref().map(Labels::of);
                if let (Some(old), Some(new)) = (labels(&change.old), labels(&change.new))
                    && old != new
                {
                    let name = change.new.as_deref().map(Object::name).unwrap_or_default();
                    judged.wake(|place| place.namespace == name);
                }
            })
        };
        let kind = GroupVersionKind::new(
            VerificationPolicy::GROUP,
            VerificationPolicy::VERSION,
            VerificationPolicy::KIND,
        );
        let resource = client.resource(&kind).await?;
        let mirror = Arc::new(Mirror::start(client, resource, "", "", on_policy));
        let resource = client
            .resource(&GroupVersionKind::new("", "v1", "Namespace"))
            .await?;
        let namespaces = Mirror::start(client, resource, "", "", on_namespace);
        mirror.synced_telling(tell).await;
        let secrets = watch_secrets(client, settings, &mirror, &judged).await?;
        Ok(Arc::new(Self {
            client: client.clone(),
            public_good: TrustRoot::public_good(),
            known: Known::default(),
            mirrors: Some((mirror, namespaces)),
            _secrets: secrets,
            judged,
        }))
    }

    /// No policies at all, for a cluster that does not know the kind.
    pub fn none(client: &Client) -> Arc<Self> {
        Arc::new(Self {
            client: client.clone(),
            public_good: TrustRoot::public_good(),
            known: Known::default(),
            mirrors: None,
            _secrets: None,
            judged: Arc::default(),
        })
    }

    /// Sources of this kind, or policies, are woken through `waker` from now on.
    pub(crate) fn attach(&self, kind: &'static str, waker: &Arc<OnceLock<Waker>>) {
        let mut wakers = self.judged.wakers.write().unwrap_or_else(PoisonError::into_inner);
        wakers.insert(kind, waker.clone());
    }

    /// A source is gone.
    pub(crate) fn forget(&self, kind: &'static str, key: &Key) {
        let mut sources = self.judged.sources.lock().unwrap_or_else(PoisonError::into_inner);
        sources.remove(&(kind, key.clone()));
    }

    /// Has the sources judged anew that a policy is about.
    pub(crate) fn wake_covered(&self, policy: &PolicyReading) {
        self.judged.wake(|place| policy.scope.covers(place));
    }

    /// What the policies ask of a source, in the order of their names.
    pub(crate) async fn rules_for(&self, kind: &'static str, key: &Key, url: &str) -> Vec<Rule> {
        {
            // Before the policies are read: one that changes while they are wakes the source.
            let mut sources = self.judged.sources.lock().unwrap_or_else(PoisonError::into_inner);
            sources.insert((kind, key.clone()), url.to_owned());
        }
        let mut place = Place {
            kind,
            namespace: &key.0,
            url,
            labels: None,
        };
        let mut found: Vec<PolicyReading> = self.readings();
        found.retain(|reading| reading.scope.covers(&place));
        if found.iter().any(|reading| reading.scope.asks_for_labels()) {
            place.labels = self.labels(&key.0).await;
            found.retain(|reading| reading.scope.covers(&place));
        }
        let secrets = self.secrets_of(&found).await;
        let mut rules = Vec::new();
        for reading in found {
            rules.push(reading.rule(&secrets, &self.public_good, &self.known).await);
        }
        rules
    }

    /// The Secrets that policies refer to, each asked for once and all at the same time. They are asked for at every reconcile: the
    /// watch of labelled ones is of their metadata, as all watches of Secrets here, and comes too late for whoever has taken a key
    /// back and asks for a reconcile.
    async fn secrets_of(&self, policies: &[PolicyReading]) -> Fetched {
        let named: BTreeSet<Key> = policies
            .iter()
            .flat_map(PolicyReading::secrets)
            .map(place_of)
            .collect();
        let get = |(namespace, name): Key| async move {
            let wanted = PolicySecretRef { name, namespace };
            let found = self.client.secret(&wanted).await;
            (place_of(&wanted), found)
        };
        Fetched(join_all(named.into_iter().map(get)).await.into_iter().collect())
    }

    /// Every policy, in the order of the names.
    pub(crate) fn readings(&self) -> Vec<PolicyReading> {
        let all = self.mirrors.as_ref().map(|(policies, _)| policies.all());
        all.iter()
            .flatten()
            .map(|object| PolicyReading::of(object))
            .collect()
    }

    /// The labels of a namespace; where they cannot be had, every selector takes it for its own.
    pub(crate) async fn labels(&self, namespace: &str) -> Option<Labels> {
        if let Some((_, namespaces)) = &self.mirrors
            && let Lookup::Known(object) = namespaces.get("", namespace)
        {
            return Some(Labels::of(&object));
        }
        let reference = ObjectRef::new(GroupVersionKind::new("", "v1", "Namespace"), "", namespace);
        match self.client.get(&reference).await {
            Ok(object) => object.as_ref().map(Labels::of),
            Err(error) => {
                tracing::warn!(namespace, error = %chain(&error), "cannot read the labels of a namespace");
                None
            }
        }
    }

    /// What was read before.
    pub(crate) fn known(&self) -> &Known {
        &self.known
    }

    /// The trust root of identities where a policy names none.
    pub(crate) fn public_good(&self) -> &TrustRoot {
        &self.public_good
    }
}

/// Watches the Secrets that the settings choose by label, and wakes those whom a change of one concerns that a policy names: the
/// policy, and the sources that it is about.
async fn watch_secrets(
    client: &Client,
    settings: &Settings,
    policies: &Arc<Mirror>,
    judged: &Arc<Judged>,
) -> Result<Option<Pulse>, ApiError> {
    let Some(selector) = &settings.watch_configs else {
        return Ok(None);
    };
    let resource = client
        .resource(&GroupVersionKind::new("", "v1", "Secret"))
        .await?;
    let namespace = settings.watch_namespace.as_deref().unwrap_or_default();
    let (policies, judged) = (policies.clone(), judged.clone());
    let on_secret = Arc::new(move |namespace: &str, name: &str| {
        for object in policies.all() {
            let policy = PolicyReading::of(&object);
            let mut named = policy.secrets();
            if !named.any(|secret| secret.namespace == namespace && secret.name == name) {
                continue;
            }
            judged.wake(|place| policy.scope.covers(place));
            judged.wake_one(VerificationPolicy::KIND, "", &policy.name);
        }
    });
    Ok(Some(Pulse::start(
        client, &resource, namespace, selector, on_secret,
    )))
}

impl Secrets for Policies {
    async fn secret(&self, wanted: &PolicySecretRef) -> Result<Arc<Object>, String> {
        self.client.secret(wanted).await
    }
}

/// Secrets that were asked for before.
struct Fetched(BTreeMap<Key, Result<Arc<Object>, String>>);

impl Secrets for Fetched {
    async fn secret(&self, wanted: &PolicySecretRef) -> Result<Arc<Object>, String> {
        let found = self.0.get(&place_of(wanted)).cloned();
        found.unwrap_or_else(|| Err("nobody has asked for it".to_owned()))
    }
}

/// Namespace and name.
fn place_of(wanted: &PolicySecretRef) -> Key {
    (wanted.namespace.clone(), wanted.name.clone())
}

/// Secrets as a cluster has them.
impl Secrets for Client {
    async fn secret(&self, wanted: &PolicySecretRef) -> Result<Arc<Object>, String> {
        let kind = GroupVersionKind::new("", "v1", "Secret");
        let reference = ObjectRef::new(kind, &wanted.namespace, &wanted.name);
        match self.get(&reference).await {
            Ok(Some(object)) => Ok(Arc::new(object)),
            Ok(None) => Err("it does not exist".to_owned()),
            Err(error) => Err(chain(&error)),
        }
    }
}
