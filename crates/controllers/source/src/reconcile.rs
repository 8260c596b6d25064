//! One reconcile of an OCIRepository, step by step, and what follows from it.

use std::sync::{Arc, OnceLock};

use serde_json::json;
use weir_apis::condition::SOURCE_VERIFIED;
use weir_apis::kind::{LayerSelector, OciRepository};
use weir_apis::time::Time;
use weir_apis::{GroupVersionKind, Object, key, reason};
use weir_cluster::ApiError;
use weir_oci::choice::{Choice, Spelling};
use weir_runtime::verdict::chain;
use weir_runtime::{
    Controller, Deps, Draft, Event, Failure, Key, Queue, Reconcile, Severity, Success, Verdict, Waker,
    conclude,
};
use weir_store::Store;
use weir_verify::{Standing, Target};

use crate::admit::{Candidate, admit, is_admitted, news};
use crate::fetch;
use crate::gather::{Gathered, asked, gather};
use crate::keep::{Keeper, LATEST, Place};
use crate::policies::Policies;
use crate::resolve::{Resolved, resolve};
use crate::standing::{self, Course, Followed};
use crate::status::{self, Failed};
use crate::turn::{WHO, prepare, within};
use crate::verdicts::Verdicts;

/// The OCIRepository controller.
#[derive(Debug)]
pub struct OciRepositories {
    deps: Deps,
    registry: weir_registry::Client,
    keeper: Keeper,
    policies: Arc<Policies>,
    verdicts: Verdicts,
}

/// What one reconcile found out, for the event.
#[derive(Debug, Default)]
struct Found {
    /// The artifact that was stored just now.
    stored: Option<weir_apis::artifact::Artifact>,
}

impl OciRepositories {
    /// Starts the controller. Artifacts are kept in `store` and served under `artifacts_url`; what `policies` ask for is asked of
    /// each, besides its own `spec.verify`.
    pub async fn start(
        deps: Deps,
        registry: weir_registry::Client,
        store: Arc<Store>,
        artifacts_url: String,
        policies: Arc<Policies>,
    ) -> Result<Controller, ApiError> {
        let gvk = GroupVersionKind::new(OciRepository::GROUP, OciRepository::VERSION, OciRepository::KIND);
        let waker: Arc<OnceLock<Waker>> = Arc::default();
        policies.attach(OciRepository::KIND, &waker);
        let reconciler = Arc::new(Self {
            deps: deps.clone(),
            registry,
            keeper: Keeper::new(store, artifacts_url),
            policies,
            verdicts: Verdicts::default(),
        });
        Controller::start(&deps, &gvk, reconciler, &waker).await
    }

    async fn run(&self, draft: &mut Draft, found: &mut Found) -> Result<Success, Failed> {
        let own: OciRepository = draft
            .object
            .parse()
            .map_err(|e| Failed::fetch(Failure::stalled(reason::INVALID_SPEC, chain(&e))))?;
        let gathered = gather(&self.deps, &self.registry, &own).await?;
        let now = Time::new(self.deps.clock.now());
        // At the same time: neither needs the other, and both wait for somebody.
        let (asked, resolved) = tokio::join!(
            asked(&self.deps, &self.policies, &own),
            within(
                gathered.timeout,
                reason::OCI_ARTIFACT_PULL_FAILED,
                "look up the reference",
                resolve(&gathered),
            )
        );
        let asked = asked?;
        status::begin(draft);
        let resolved = resolved?;
        let artifact = own.status.artifact.as_ref();
        let same_revision = artifact.is_some_and(|a| a.revision == resolved.revision);
        if !same_revision && artifact.is_some() {
            let message = format!("new revision '{}'", resolved.revision);
            status::outdated(draft, reason::NEW_REVISION, &message, now);
        }
        let name = format!("revision {}", resolved.revision);
        let verified = is_admitted(draft, &asked, &name);
        let unchanged = same_revision
            && own.status.observed_ignore == own.spec.ignore
            && own.status.observed_layer_selector == own.spec.layer_selector
            && self.keeper.holds(artifact).await;
        let mut at_latest = None;
        if !(unchanged && verified) {
            let candidate = Candidate {
                asked: &asked,
                registry: &gathered.registry,
                target: Target::new(gathered.repository.clone(), resolved.digest),
                name: &name,
                course: course(&own, &gathered, &resolved),
                interval: gathered.interval,
            };
            let passed = within(
                gathered.timeout,
                reason::OCI_ARTIFACT_PULL_FAILED,
                "verify the signature",
                admit(&candidate, &self.verdicts, draft, now),
            )
            .await?;
            at_latest = passed.at_latest;
            let standing = passed.standing.as_ref();
            if unchanged {
                remember(draft, &own, standing);
            } else {
                let pulled = within(
                    gathered.timeout,
                    reason::OCI_ARTIFACT_PULL_FAILED,
                    "pull the artifact",
                    fetch::fetch(&gathered, passed.admitted),
                )
                .await?;
                let mut metadata = pulled.get().metadata.clone();
                standing::note(&mut metadata, standing);
                let place = Place {
                    // As source-controller names it, also for a copied layer: by the digest that was resolved.
                    file: format!("{}.tar.gz", resolved.digest),
                    latest: LATEST,
                    revision: resolved.revision.clone(),
                    metadata,
                };
                let artifact = self.keeper.keep(&draft.object, place, pulled, now).await?;
                record(draft, &own, &artifact);
                found.stored = Some(artifact);
            }
        }
        let message = status::stored_message(&resolved.revision);
        status::stored(draft, reason::SUCCEEDED, &message, now);
        Ok(Success {
            reason: reason::SUCCEEDED,
            message,
            again: Some(gathered.interval),
            at_latest,
        })
    }

    fn event(draft: &Draft, found: &Found) -> Option<Event> {
        let Some(artifact) = found.stored.as_ref() else {
            return news(draft);
        };
        let mut message = format!("stored artifact with revision '{}'", artifact.revision);
        if let Some(source) = artifact.metadata.get(key::OCI_SOURCE) {
            message = format!("{message} from '{source}'");
        }
        if let Some(origin) = artifact.metadata.get(key::OCI_REVISION) {
            message = format!("{message}, origin revision '{origin}'");
        }
        match draft.conditions.get(SOURCE_VERIFIED) {
            Some(condition) => message = format!("{message}; {}", condition.message),
            None => message.push_str("; unverified: no policy asks for a signature"),
        }
        let event = Event::new(Severity::Normal, reason::NEW_ARTIFACT, message);
        Some(
            event
                .with("revision", &artifact.revision)
                .with("digest", &artifact.digest),
        )
    }
}

/// Where the source is and where it is to go, for one that follows a tag or versions.
fn course(own: &OciRepository, gathered: &Gathered, resolved: &Resolved) -> Option<Course> {
    let tag = resolved.tag.as_ref()?;
    let followed = match &gathered.choice {
        Choice::Semver(_) => Followed::Versions(Spelling::of_layer(gathered.layer.media_type.as_deref())),
        Choice::Tag(_) | Choice::Digest(_) => Followed::Tag,
    };
    let artifact = own.status.artifact.as_ref();
    let stands = standing::remembered(artifact).or_else(|| {
        // By the spec of today, if it is the one that it was stored by.
        let same_spec = own.status.observed_generation == Some(own.metadata.generation);
        let artifact = artifact.filter(|_| same_spec);
        standing::stored(artifact, &gathered.repository)
    });
    let offered = (tag, resolved.digest);
    Some(Course::new(stands, &gathered.repository, offered, followed))
}

/// Writes down where the source is beside what it has stored already.
fn remember(draft: &mut Draft, own: &OciRepository, standing: Option<&Standing>) {
    let (Some(artifact), Some(standing)) = (&own.status.artifact, standing) else {
        return;
    };
    let mut artifact = artifact.clone();
    standing::note(&mut artifact.metadata, Some(standing));
    if own.status.artifact.as_ref() != Some(&artifact) {
        draft.field("artifact", json!(artifact));
    }
}

fn record(draft: &mut Draft, own: &OciRepository, artifact: &weir_apis::artifact::Artifact) {
    draft.field("artifact", json!(artifact));
    draft.field("url", json!(artifact.url));
    draft.field("observedIgnore", json!(own.spec.ignore));
    let selector: Option<&LayerSelector> = own.spec.layer_selector.as_ref();
    draft.field("observedLayerSelector", json!(selector));
}

impl Reconcile for OciRepositories {
    async fn reconcile(&self, object: Arc<Object>, queue: &Queue) {
        let Some(object) = prepare(&self.deps, &self.keeper, object, queue).await else {
            return;
        };
        let mut draft = Draft::of(object);
        let mut found = Found::default();
        // On the heap: it is large, and the queue's own future would hold it.
        let outcome = Box::pin(self.run(&mut draft, &mut found)).await;
        let now = Time::new(self.deps.clock.now());
        let verdict: Verdict = match outcome {
            Ok(success) => Ok(success),
            Err(failed) => {
                failed.mark(&mut draft, now);
                Err(failed.failure)
            }
        };
        let event = Self::event(&draft, &found);
        conclude(&self.deps, queue, WHO, draft, &verdict, event).await;
    }

    fn gone(&self, key: &Key) {
        self.policies.forget(OciRepository::KIND, key);
    }
}
