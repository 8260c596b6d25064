//! One reconcile of an OCIRepository, step by step, and what follows from it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::json;
use weir_apis::condition::{ARTIFACT_OUTDATED, SOURCE_VERIFIED, Status};
use weir_apis::kind::{LayerSelector, OciRepository};
use weir_apis::time::Time;
use weir_apis::{GroupVersionKind, Object, key, reason};
use weir_cluster::ApiError;
use weir_runtime::conclude::Who;
use weir_runtime::verdict::chain;
use weir_runtime::{
    Controller, Deps, Draft, Event, Failure, Key, Queue, Reconcile, Severity, Success, Verdict, Waker,
    conclude, finalizer,
};
use weir_store::Store;
use weir_verify::TrustRoot;

use crate::gather::{Gathered, gather};
use crate::keep::Keeper;
use crate::policy::Policy;
use crate::resolve::resolve;
use crate::status::{self, Failed};
use crate::verdicts::Verdicts;
use crate::{admit, fetch};

const WHO: Who = Who {
    manager: key::SOURCE_MANAGER,
    component: key::SOURCE_MANAGER,
    stall_is_observed: true,
};

/// The OCIRepository controller.
#[derive(Debug)]
pub struct OciRepositories {
    deps: Deps,
    registry: weir_registry::Client,
    keeper: Keeper,
    /// Whom keyless signatures are trusted by where the object names no trust root.
    public_good: TrustRoot,
    verdicts: Verdicts,
}

/// What one reconcile found out, for the event.
#[derive(Debug, Default)]
struct Found {
    /// The artifact that was stored just now.
    stored: Option<weir_apis::artifact::Artifact>,
}

impl OciRepositories {
    /// Starts the controller. Artifacts are kept in `store` and served under `artifacts_url`.
    pub async fn start(
        deps: Deps,
        registry: weir_registry::Client,
        store: Arc<Store>,
        artifacts_url: String,
    ) -> Result<Controller, ApiError> {
        let gvk = GroupVersionKind::new(OciRepository::GROUP, OciRepository::VERSION, OciRepository::KIND);
        let waker: OnceLock<Waker> = OnceLock::new();
        let reconciler = Arc::new(Self {
            deps: deps.clone(),
            registry,
            keeper: Keeper::new(store, artifacts_url),
            public_good: TrustRoot::public_good(),
            verdicts: Verdicts::default(),
        });
        Controller::start(&deps, &gvk, reconciler, &waker).await
    }

    /// The object, held by our finalizer; `None` when there is nothing more to do with it.
    async fn prepare(&self, object: Arc<Object>, queue: &Queue) -> Result<Option<Arc<Object>>, ApiError> {
        let client = &self.deps.client;
        if object.is_being_deleted() {
            if finalizer::is_held(&object) {
                self.keeper.remove(&object).await;
                finalizer::release(client, &object, WHO.manager).await?;
            }
            return Ok(None);
        }
        if object
            .get(&["spec", "suspend"])
            .and_then(serde_json::Value::as_bool)
            == Some(true)
        {
            return Ok(None);
        }
        if finalizer::is_held(&object) {
            return Ok(Some(object));
        }
        let held = finalizer::hold(client, &object, WHO.manager).await?;
        queue.wrote(&held);
        Ok(Some(Arc::new(held)))
    }

    async fn run(&self, draft: &mut Draft, found: &mut Found) -> Result<Success, Failed> {
        let own: OciRepository = draft
            .object
            .parse()
            .map_err(|e| Failed::fetch(Failure::stalled(reason::INVALID_SPEC, chain(&e))))?;
        let gathered = gather(&self.deps, &self.registry, &self.public_good, &own).await?;
        status::begin(draft);
        let now = Time::new(self.deps.clock.now());
        let resolved = within(gathered.timeout, "look up the reference", resolve(&gathered)).await?;
        let artifact = own.status.artifact.as_ref();
        let same_revision = artifact.is_some_and(|a| a.revision == resolved.revision);
        if !same_revision && artifact.is_some() {
            let message = format!("new revision '{}'", resolved.revision);
            draft.set(
                ARTIFACT_OUTDATED,
                Status::True,
                reason::NEW_REVISION,
                &message,
                now,
            );
        }
        let verified = is_verified(draft, &gathered, &resolved.revision);
        let unchanged = same_revision
            && own.status.observed_ignore == own.spec.ignore
            && own.status.observed_layer_selector == own.spec.layer_selector
            && self.keeper.holds(artifact).await;
        if !(unchanged && verified) {
            let admitted = within(
                gathered.timeout,
                "verify the signature",
                admit::admit(&gathered, &resolved, &self.verdicts, draft, now),
            )
            .await?;
            if !unchanged {
                let pulled = within(
                    gathered.timeout,
                    "pull the artifact",
                    fetch::fetch(&gathered, admitted),
                )
                .await?;
                let artifact = self
                    .keeper
                    .keep(&draft.object, &resolved.revision, pulled, now)
                    .await?;
                record(draft, &own, &artifact);
                found.stored = Some(artifact);
            }
        }
        status::stored(draft, &resolved.revision, now);
        Ok(Success {
            reason: reason::SUCCEEDED,
            message: status::stored_message(&resolved.revision),
            again: Some(gathered.interval),
        })
    }

    fn event(draft: &Draft, found: &Found) -> Option<Event> {
        let artifact = found.stored.as_ref()?;
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

/// Whether the verdict in the status still holds: it was given for this very revision, generation and policy. A newer
/// revision may have been verified and then not pulled, which says nothing of the stored one.
fn is_verified(draft: &Draft, gathered: &Gathered, revision: &str) -> bool {
    let verdict = draft.conditions.get(SOURCE_VERIFIED);
    match gathered.policy {
        // Dropping the condition of a policy that is gone is done where the absence is noticed.
        Policy::None => verdict.is_none(),
        Policy::Asked { ref policy, .. } => verdict.is_some_and(|c| {
            c.status == Status::True
                && c.observed_generation == Some(draft.object.generation())
                && c.message
                    .starts_with(&admit::verdict_on(revision, policy.fingerprint()))
        }),
    }
}

fn record(draft: &mut Draft, own: &OciRepository, artifact: &weir_apis::artifact::Artifact) {
    draft.field("artifact", json!(artifact));
    draft.field("url", json!(artifact.url));
    draft.field("observedIgnore", json!(own.spec.ignore));
    let selector: Option<&LayerSelector> = own.spec.layer_selector.as_ref();
    draft.field("observedLayerSelector", json!(selector));
}

async fn within<T>(
    timeout: Duration,
    what: &str,
    work: impl Future<Output = Result<T, Failed>>,
) -> Result<T, Failed> {
    if let Ok(result) = tokio::time::timeout(timeout, work).await {
        return result;
    }
    let message = format!(
        "could not {what} within spec.timeout ({} s)",
        timeout.as_secs_f32()
    );
    Err(Failed::fetch(Failure::retry(
        reason::OCI_ARTIFACT_PULL_FAILED,
        message,
    )))
}

impl Reconcile for OciRepositories {
    async fn reconcile(&self, object: Arc<Object>, queue: &Queue) {
        let object = match self.prepare(object.clone(), queue).await {
            Ok(Some(object)) => object,
            Ok(None) => return,
            Err(error) => {
                tracing::debug!(object = %object.reference(), %error, "cannot hold or release the object, trying again");
                let key = (object.namespace().to_owned(), object.name().to_owned());
                let settings = &self.deps.settings;
                queue.add_after_failure(key, settings.min_retry_delay, settings.max_retry_delay);
                return;
            }
        };
        let mut draft = Draft::of(object);
        let mut found = Found::default();
        let outcome = self.run(&mut draft, &mut found).await;
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

    fn gone(&self, _key: &Key) {}
}
