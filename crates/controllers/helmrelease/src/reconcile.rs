//! One reconcile of a HelmRelease, step by step, and what follows from it.

mod act;
mod announce;
mod cycle;
mod run;
mod told;

use std::sync::{Arc, OnceLock};

use weir_apis::condition::{Conditions, READY, RECONCILING, Status};
use weir_apis::kind::{ExternalArtifact, HelmChart, HelmRelease};
use weir_apis::{GroupVersionKind, Object, key};
use weir_cluster::mirror::Change;
use weir_cluster::pulse::Pulse;
use weir_cluster::{ApiError, Lookup, Mirror};
use weir_releases::{Discovery, Records};
use weir_runtime::artifacts::Artifacts;
use weir_runtime::conclude::Who;
use weir_runtime::sources::has_new_artifact;
use weir_runtime::{
    Controller, Deps, Index, Key, Queue, Reconcile, Waker, conclude, configs, dependencies, finalizer,
    sources,
};

use crate::charts::Charts;
use crate::references::{configs_of, source_of};
use crate::template;
use run::Run;

const WHO: Who = Who {
    manager: key::HELM_MANAGER,
    component: key::HELM_MANAGER,
    stall_is_observed: true,
};

/// The HelmRelease controller.
#[derive(Debug)]
pub struct HelmReleases {
    deps: Deps,
    charts: Charts,
    sources: Sources,
    /// The HelmCharts that belong to HelmReleases, by owner.
    owned: Arc<Index<Key>>,
    /// Release records of the cluster that the objects are in.
    records: Arc<Records>,
    /// What that cluster can do; `None` where nothing outside one namespace may be watched.
    discovery: Option<Arc<Discovery>>,
    _configs: Vec<Pulse>,
}

/// Where charts come from: mirrors of the kinds of sources.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The OCIRepositories.
    pub repositories: Arc<Mirror>,
    /// The HelmCharts.
    pub charts: Arc<Mirror>,
    /// The ExternalArtifacts, where they may be released from.
    pub external: Option<Arc<Mirror>>,
}

impl Sources {
    /// The mirror of a kind.
    fn of(&self, kind: &str) -> &Arc<Mirror> {
        match (kind, &self.external) {
            (HelmChart::KIND, _) => &self.charts,
            (ExternalArtifact::KIND, Some(external)) => external,
            _ => &self.repositories,
        }
    }
}

impl HelmReleases {
    /// Starts the controller. A new artifact of a source wakes those who release it.
    pub async fn start(deps: Deps, artifacts: Artifacts, sources: Sources) -> Result<Controller, ApiError> {
        let waker: Arc<OnceLock<Waker>> = Arc::default();
        let users = Arc::new(Index::new(source_of));
        let dependents = Arc::new(Index::new(dependencies::of));
        let readers = Arc::new(Index::new(configs_of));
        let configs = {
            let waker = waker.clone();
            let wake = move |key: &Key| {
                if let Some(waker) = waker.get() {
                    waker.wake(&key.0, &key.1);
                }
            };
            configs::watch(&deps.client, &deps.settings, &readers, wake).await?
        };
        let namespace = deps.settings.watch_namespace.as_deref();
        let records = Records::follow(&deps.client, namespace.unwrap_or_default()).await?;
        let discovery = match namespace {
            None => Some(Arc::new(Discovery::follow(&deps.client).await?)),
            Some(_) => None,
        };
        let owned = Arc::new(Index::new(template::owner_of));
        let reconciler = Arc::new(Self {
            charts: Charts::new(artifacts),
            sources: sources.clone(),
            owned: owned.clone(),
            records: Arc::new(records),
            discovery,
            deps: deps.clone(),
            _configs: configs,
        });
        sources
            .charts
            .subscribe(Arc::new(move |change: Change| owned.notice(&change)));
        for chart in sources.charts.all() {
            reconciler.owned.notice(&Change {
                old: None,
                new: Some(chart),
            });
        }
        let gvk = GroupVersionKind::new(HelmRelease::GROUP, HelmRelease::VERSION, HelmRelease::KIND);
        let controller = Controller::start(&deps, &gvk, reconciler, &waker).await?;
        let own = controller.mirror();
        own.subscribe({
            let (users, dependents, readers) = (users.clone(), dependents.clone(), readers.clone());
            let (own, waker) = (Arc::downgrade(own), waker.clone());
            Arc::new(move |change: Change| {
                users.notice(&change);
                dependents.notice(&change);
                readers.notice(&change);
                dependencies::wake_dependents(&change, &dependents, &own, &waker);
            })
        });
        for object in own.all() {
            let change = Change {
                old: None,
                new: Some(object),
            };
            users.notice(&change);
            dependents.notice(&change);
            readers.notice(&change);
        }
        let external = sources.external.as_ref();
        for mirror in [&sources.repositories, &sources.charts]
            .into_iter()
            .chain(external)
        {
            let (users, waker, own) = (users.clone(), waker.clone(), Arc::downgrade(own));
            mirror.subscribe(Arc::new(move |change: Change| {
                let (true, Some(source), Some(waker), Some(own)) =
                    (has_new_artifact(&change), &change.new, waker.get(), own.upgrade())
                else {
                    return;
                };
                for key in users.users(&sources::key(source)) {
                    let is_known = match own.get(&key.0, &key.1) {
                        Lookup::Known(object) => has_tried(&object, source),
                        _ => false,
                    };
                    if !is_known {
                        waker.wake(&key.0, &key.1);
                    }
                }
            }));
        }
        Ok(controller)
    }

    async fn delete(&self, object: Arc<Object>, queue: &Queue) {
        let mut run = Run::new(self, object.clone(), queue);
        match run.take_away().await {
            Ok(()) => finalizer::let_go(&self.deps, &object, WHO.manager, queue).await,
            Err(failure) => {
                conclude(&self.deps, queue, WHO, run.into_draft(), &Err(failure), None).await;
            }
        }
    }
}

/// Whether an object is released from, or working on, the very revision that a source offers (pitfall 29).
fn has_tried(object: &Object, source: &Object) -> bool {
    let text = |object: &Object, path: &[&str]| object.get(path).and_then(|v| v.as_str()).map(str::to_owned);
    let Some(tried) = text(object, &["status", "lastAttemptedRevisionDigest"]) else {
        return false;
    };
    let conditions = Conditions::of(object);
    let offers = text(source, &["status", "artifact", "revision"]).is_some_and(|r| r.ends_with(&tried));
    offers && (conditions.is(READY, Status::True) || conditions.is(RECONCILING, Status::True))
}

impl Reconcile for HelmReleases {
    async fn reconcile(&self, object: Arc<Object>, queue: &Queue) {
        let taken = finalizer::take_up(&self.deps.client, object.clone(), queue, WHO.manager).await;
        let object = match taken {
            Ok(Some(object)) => object,
            Ok(None) => return,
            Err(error) => return finalizer::try_again(&self.deps, &object, &error, queue),
        };
        if object.is_being_deleted() {
            return self.delete(object, queue).await;
        }
        let mut run = Run::new(self, object, queue);
        let verdict = run.all().await;
        conclude(&self.deps, queue, WHO, run.into_draft(), &verdict, None).await;
    }

    fn gone(&self, _: &Key) {}
}
