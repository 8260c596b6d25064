//! One reconcile of a Kustomization, step by step, and what follows from it.

mod run;

use std::sync::{Arc, OnceLock};

use tokio::time::Instant;
use weir_apis::condition::{Conditions, READY, Status};
use weir_apis::kind::Kustomization;
use weir_apis::time::Time;
use weir_apis::{GroupVersionKind, Object, key, reason};
use weir_cluster::mirror::{Change, OnChange};
use weir_cluster::pulse::Pulse;
use weir_cluster::{ApiError, Mirror};
use weir_kustomize::Cache;
use weir_runtime::artifacts::Artifacts;
use weir_runtime::conclude::Who;
use weir_runtime::sources::has_new_artifact;
use weir_runtime::verdict::chain;
use weir_runtime::{
    Controller, Deps, Draft, Event, Failure, Index, Key, Queue, Reconcile, Severity, Verdict, Waker,
    conclude, configs, dependencies, finalizer, sources,
};

use crate::deletion::{self, Fate};
use crate::sources::{configs_of, source_of};
use crate::spec::Spec;
use crate::trees::Trees;
use crate::watched::Watched;
use run::Run;

const WHO: Who = Who {
    manager: key::KUSTOMIZE_STATUS_MANAGER,
    component: key::KUSTOMIZE_MANAGER,
    stall_is_observed: false,
};

/// Memory for parsed files that builds share: some thousand objects, a twentieth of what a thousand Kustomizations need.
const PARSED_BYTES: usize = 8 << 20;

/// The Kustomization controller.
#[derive(Debug)]
pub struct Kustomizations {
    deps: Deps,
    trees: Trees,
    /// What builds share: many Kustomizations build the same bases.
    parsed: Arc<Cache>,
    sources: Arc<Mirror>,
    /// The ExternalArtifacts, where they may be built from.
    external: Option<Arc<Mirror>>,
    watched: Arc<Watched>,
    _configs: Vec<Pulse>,
}

impl Kustomizations {
    /// Starts the controller. `sources` mirrors the OCIRepositories, `external` the ExternalArtifacts where they may be built
    /// from; a new artifact in one wakes those who build from it.
    pub async fn start(
        deps: Deps,
        artifacts: Artifacts,
        sources: Arc<Mirror>,
        external: Option<Arc<Mirror>>,
    ) -> Result<Controller, ApiError> {
        let waker: Arc<OnceLock<Waker>> = Arc::default();
        let users = Arc::new(Index::new(source_of));
        let dependents = Arc::new(Index::new(dependencies::of));
        let readers = Arc::new(Index::new(configs_of));
        let watched = Arc::new(Watched::new(deps.client.clone(), waker.clone()));
        let configs = {
            let (watched, waker) = (watched.clone(), waker.clone());
            let wake = move |key: &Key| {
                watched.supersede(key);
                if let Some(waker) = waker.get() {
                    waker.wake(&key.0, &key.1);
                }
            };
            configs::watch(&deps.client, &deps.settings, &readers, wake).await?
        };
        let reconciler = Arc::new(Self {
            trees: Trees::new(artifacts),
            parsed: Arc::new(Cache::new(PARSED_BYTES)),
            sources: sources.clone(),
            external: external.clone(),
            watched: watched.clone(),
            deps: deps.clone(),
            _configs: configs,
        });
        let gvk = GroupVersionKind::new(Kustomization::GROUP, Kustomization::VERSION, Kustomization::KIND);
        let controller = Controller::start(&deps, &gvk, reconciler, &waker).await?;
        let own = controller.mirror();
        own.subscribe({
            let (users, watched, waker) = (users.clone(), watched.clone(), waker.clone());
            let (dependents, readers, own) = (dependents.clone(), readers.clone(), Arc::downgrade(own));
            Arc::new(move |change: Change| {
                users.notice(&change);
                dependents.notice(&change);
                readers.notice(&change);
                dependencies::wake_dependents(&change, &dependents, &own, &waker);
                if let (Some(old), Some(new)) = (&change.old, &change.new)
                    && old.generation() != new.generation()
                {
                    watched.supersede(&key_of(new));
                }
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
        let on_change: OnChange = Arc::new(move |change: Change| {
            if let (true, Some(source), Some(waker)) = (has_new_artifact(&change), &change.new, waker.get()) {
                for key in users.users(&sources::key(source)) {
                    watched.supersede(&key);
                    waker.wake(&key.0, &key.1);
                }
            }
        });
        for mirror in [Some(sources), external].into_iter().flatten() {
            mirror.subscribe(on_change.clone());
        }
        Ok(controller)
    }

    async fn delete(&self, object: Arc<Object>, queue: &Queue) {
        let outcome = self.take_away(&object).await;
        match outcome {
            Ok(()) => finalizer::let_go(&self.deps, &object, WHO.manager, queue).await,
            Err(failure) => {
                let draft = Draft::of(object);
                conclude(&self.deps, queue, WHO, draft, &Err(failure), None).await;
            }
        }
    }

    /// Deletes what was applied, if the spec wants that.
    async fn take_away(&self, object: &Object) -> Result<(), Failure> {
        let own: Kustomization = object
            .parse()
            .map_err(|e| Failure::stalled(reason::INVALID_SPEC, chain(&e)))?;
        let fate = deletion::fate(&own.spec);
        let Some(inventory) = own.status.inventory.clone().filter(|i| !i.entries.is_empty()) else {
            return Ok(());
        };
        if fate == Fate::Keep {
            return Ok(());
        }
        let spec = Spec::of_deleted(own);
        let target = self.target(&spec).await?;
        deletion::delete_all(&target, &spec, &inventory, fate == Fate::DeleteAndWait).await
    }
}

impl Reconcile for Kustomizations {
    async fn reconcile(&self, object: Arc<Object>, queue: &Queue) {
        let prepared = finalizer::take_up(&self.deps.client, object.clone(), queue, WHO.manager).await;
        let object = match prepared {
            Ok(Some(object)) => object,
            Ok(None) => return,
            Err(error) => return finalizer::try_again(&self.deps, &object, &error, queue),
        };
        if object.is_being_deleted() {
            return self.delete(object, queue).await;
        }
        let mut run = Run::new(object, queue);
        let begun = Instant::now();
        let verdict = run.all(self).await;
        run.record(&verdict, Time::new(self.deps.clock.now()), begun.elapsed());
        let event = event(&run, &verdict);
        conclude(&self.deps, queue, WHO, run.draft, &verdict, event).await;
    }

    fn gone(&self, key: &Key) {
        self.watched.forget(key);
    }
}

/// A success is told when something changed: objects, the revision, or that it had failed before. Nothing is told of a
/// reconcile that found everything in place.
fn event(run: &Run<'_>, verdict: &Verdict) -> Option<Event> {
    let success = verdict.as_ref().ok()?;
    let artifact = run.artifact.as_ref()?;
    let changed = run.changes.changed();
    let was_ready = Conditions::of(&run.draft.object).is(READY, Status::True);
    let same_revision = run
        .draft
        .object
        .get(&["status", "lastAppliedRevision"])
        .and_then(|v| v.as_str())
        == Some(&artifact.revision);
    if changed.is_empty() && same_revision && was_ready {
        return None;
    }
    let message = if changed.is_empty() {
        success.message.clone()
    } else {
        changed.to_string()
    };
    let mut event = Event::new(Severity::Normal, success.reason, message)
        .with("revision", &artifact.revision)
        .with("commit_status", "update");
    if let Some(origin) = artifact.metadata.get(key::OCI_REVISION) {
        event = event.with("originRevision", origin);
    }
    Some(event)
}

fn key_of(object: &Object) -> Key {
    (object.namespace().to_owned(), object.name().to_owned())
}
