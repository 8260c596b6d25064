//! One reconcile of a HelmRepository, step by step, and what follows from it.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};
use tokio::sync::{Mutex, Semaphore};
use weir_apis::artifact::Artifact;
use weir_apis::condition::Conditions;
use weir_apis::kind::HelmRepository;
use weir_apis::time::Time;
use weir_apis::{GroupVersionKind, Object, reason};
use weir_charts::FetchError;
use weir_cluster::ApiError;
use weir_runtime::verdict::{chain, duration};
use weir_runtime::{
    Controller, Deps, Draft, Event, Failure, Key, Queue, Reconcile, Severity, Success, Verdict, Waker,
    conclude, finalizer,
};
use weir_store::Store;
use weir_verify::Admitted;

use super::fetch::{Etags, fetch, rewrite};
use crate::access::{Access, Clients};
use crate::keep::{Keeper, Place};
use crate::status::{self, At, Failed};
use crate::turn::{WHO, prepare};

/// The link to the newest index.
const INDEX: &str = "index.yaml";

/// Indexes that are in memory at once, as they came: fifty million bytes each at most.
const AT_ONCE: usize = 4;

/// The HelmRepository controller.
#[derive(Debug)]
pub struct HelmRepositories {
    deps: Deps,
    clients: Clients,
    keeper: Keeper,
    etags: Etags,
    /// Who may have an index in memory.
    room: Semaphore,
    /// Who may rewrite one, which takes some times what it has on the wire.
    rewriting: Mutex<()>,
}

/// Why controllers of sources cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The API server does not serve the kind, or cannot be asked.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The API server does not serve the kind of the policies, so nobody can tell what is asked of sources.
    #[error(
        "the cluster does not know VerificationPolicies, so it cannot be told what signatures it asks of sources"
    )]
    NoPolicies(#[source] ApiError),
    /// No HTTP client can be made.
    #[error(transparent)]
    Client(#[from] FetchError),
}

impl HelmRepositories {
    /// Starts the controller. Indexes are kept in `store` and served under `artifacts_url`.
    pub async fn start(
        deps: Deps,
        registry: weir_registry::Client,
        store: Arc<Store>,
        artifacts_url: String,
    ) -> Result<Controller, StartError> {
        let gvk = GroupVersionKind::new(
            HelmRepository::GROUP,
            HelmRepository::VERSION,
            HelmRepository::KIND,
        );
        let waker: OnceLock<Waker> = OnceLock::new();
        let reconciler = Arc::new(Self {
            deps: deps.clone(),
            clients: Clients::new(registry)?,
            keeper: Keeper::new(store, artifacts_url),
            etags: Etags::default(),
            room: Semaphore::new(AT_ONCE),
            rewriting: Mutex::default(),
        });
        Ok(Controller::start(&deps, &gvk, reconciler, &waker).await?)
    }

    /// An object of type `oci` is static: what an earlier type has left goes, and nothing else happens.
    async fn settle(&self, object: &Object, queue: &Queue) {
        if finalizer::is_suspended(object) && !object.is_being_deleted() {
            return;
        }
        let has_status =
            object.get(&["status", "artifact"]).is_some() || !Conditions::of(object).sorted().is_empty();
        if !finalizer::is_held(object) && !has_status {
            return;
        }
        self.keeper.remove(object).await;
        let client = &self.deps.client;
        let cleared = async {
            if has_status {
                let gone = [
                    "artifact",
                    "conditions",
                    "url",
                    "observedGeneration",
                    "lastHandledReconcileAt",
                ];
                let fields: serde_json::Map<String, Value> = gone
                    .iter()
                    .map(|field| ((*field).to_owned(), Value::Null))
                    .collect();
                let patch = json!({"status": fields});
                client
                    .merge_status(&object.reference(), &patch, WHO.manager)
                    .await?;
            }
            if finalizer::is_held(object) {
                // The write above has moved the object on.
                if let Some(now) = client.get(&object.reference()).await? {
                    finalizer::release(client, &now, WHO.manager).await?;
                }
            }
            Ok(())
        };
        if let Err(error) = cleared.await {
            finalizer::try_again(&self.deps, object, &error, queue);
        }
    }

    async fn run(
        &self,
        draft: &mut Draft,
        stored: &mut Option<(Artifact, String)>,
    ) -> Result<Success, Failed> {
        let own: HelmRepository = draft
            .object
            .parse()
            .map_err(|e| Failed::fetch(Failure::stalled(reason::INVALID_SPEC, chain(&e))))?;
        let interval =
            duration("spec.interval", own.spec.interval.as_deref().unwrap_or("1m")).map_err(Failed::fetch)?;
        let Access::Http(repository, web) = self.clients.access(&self.deps, &own).await? else {
            // Objects of that type do not come here.
            return Err(Failed::fetch(Failure::stalled(
                reason::INVALID_SPEC,
                "spec.type: 'oci' has no index",
            )));
        };
        status::begin(draft);
        let now = Time::new(self.deps.clock.now());
        let key: Key = (own.metadata.namespace.clone(), own.metadata.name.clone());
        let mut held = own.status.artifact.as_ref();
        if !self.keeper.holds(held).await {
            held = None;
        }
        let revision = {
            // Never closed.
            let _room = self.room.acquire().await;
            match (fetch(&web, &repository, &self.etags, &key, held).await?, held) {
                (None, Some(artifact)) => artifact.revision.clone(),
                (None, None) => {
                    let message =
                        "failed to fetch Helm repository index: the server says that nothing has changed";
                    return Err(Failed::fetch(Failure::retry(reason::FAILED, message)));
                }
                (Some(fetched), _) => {
                    let revision = fetched.digest.to_string();
                    if own.status.artifact.is_some() {
                        let message = format!("new index revision '{revision}'");
                        status::outdated(draft, reason::NEW_REVISION, &message, now);
                    }
                    // Indexes are not signed.
                    let admitted = Admitted::without_policy(fetched.digest);
                    let place = Place {
                        file: format!("index-{}.yaml", fetched.digest.hex()),
                        latest: INDEX,
                        revision: revision.clone(),
                        metadata: BTreeMap::new(),
                    };
                    let _alone = self.rewriting.lock().await;
                    let written = rewrite(fetched).await?;
                    let admitted = admitted.bind(written).map_err(|error| Failed {
                        at: At::Store,
                        failure: Failure::retry(reason::ARCHIVE_OPERATION_FAILED, chain(&error)),
                    })?;
                    let artifact = self.keeper.keep(&draft.object, place, admitted, now).await?;
                    draft.field("artifact", json!(artifact));
                    draft.field("url", json!(self.keeper.link(&artifact, INDEX)));
                    let is_new = held.is_none_or(|held| held.digest != artifact.digest);
                    *stored = is_new.then(|| (artifact, own.spec.url.clone()));
                    revision
                }
            }
        };
        let message = format!("stored artifact: revision '{revision}'");
        status::stored(draft, reason::SUCCEEDED, &message, now);
        Ok(Success {
            reason: reason::SUCCEEDED,
            message,
            again: Some(interval),
            at_latest: None,
        })
    }
}

fn event(artifact: &Artifact, url: &str) -> Event {
    let size = artifact.size.map_or_else(
        || "unknown size".to_owned(),
        |size| format!("size {}", human_size(size)),
    );
    let message = format!(
        "stored fetched index of {size} from '{}'",
        weir_redact::redact_url(url)
    );
    Event::new(Severity::Normal, reason::NEW_ARTIFACT, message)
        .with("revision", &artifact.revision)
        .with("digest", &artifact.digest)
}

/// Bytes in units of a thousand, with four digits that count, as Flux's events have them.
#[expect(clippy::cast_precision_loss, reason = "four digits are shown")]
fn human_size(bytes: i64) -> String {
    let mut size = bytes as f64;
    let mut units = ["B", "kB", "MB", "GB", "TB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    for larger in units {
        if size < 1000.0 {
            break;
        }
        size /= 1000.0;
        unit = larger;
    }
    let decimals = match size {
        size if size < 10.0 => 3,
        size if size < 100.0 => 2,
        size if size < 1000.0 => 1,
        _ => 0,
    };
    let text = format!("{size:.decimals$}");
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    format!("{text}{unit}")
}

impl Reconcile for HelmRepositories {
    async fn reconcile(&self, object: Arc<Object>, queue: &Queue) {
        if object.get(&["spec", "type"]).and_then(Value::as_str) == Some("oci") {
            self.settle(&object, queue).await;
            return;
        }
        let Some(object) = prepare(&self.deps, &self.keeper, object, queue).await else {
            return;
        };
        let mut draft = Draft::of(object);
        let mut stored = None;
        let outcome = self.run(&mut draft, &mut stored).await;
        let now = Time::new(self.deps.clock.now());
        let verdict: Verdict = match outcome {
            Ok(success) => Ok(success),
            Err(failed) => {
                failed.mark(&mut draft, now);
                Err(failed.failure)
            }
        };
        let event = stored.map(|(artifact, url)| event(&artifact, &url));
        conclude(&self.deps, queue, WHO, draft, &verdict, event).await;
    }

    fn gone(&self, key: &Key) {
        self.etags.forget(key);
    }
}

#[cfg(test)]
mod tests {
    use super::human_size;

    #[test]
    fn sizes_look_as_in_fluxs_events() {
        for (bytes, expected) in [
            (0, "0B"),
            (999, "999B"),
            (1000, "1kB"),
            (1234, "1.234kB"),
            (40_890, "40.89kB"),
            (123_456, "123.5kB"),
            (52_428_800, "52.43MB"),
        ] {
            assert_eq!(human_size(bytes), expected);
        }
    }
}
