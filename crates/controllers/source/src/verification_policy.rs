//! The controller of VerificationPolicies: whether each can be used, and what the sources say of it.
//!
//! Sources read the policies themselves; nothing here decides what is admitted.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::{Value, json};
use weir_apis::condition::READY;
use weir_apis::kind::{HelmChart, HelmRepository, OciRepository, PolicyCounts, VerificationPolicy};
use weir_apis::{GroupVersionKind, Object, key, reason};
use weir_cluster::mirror::Change;
use weir_cluster::{ApiError, Lookup, Mirror};
use weir_runtime::conclude::Who;
use weir_runtime::{
    Controller, Deps, Draft, Failure, Key, Queue, Reconcile, Success, Verdict, Waker, conclude,
};

use crate::helm_chart::address;
use crate::policies::{Place, Policies, PolicyReading, Unusable, said};

/// How often Secrets are read again that a policy refers to.
const AGAIN: Duration = Duration::from_mins(10);

/// Sources that conclude at the same time are counted together: once in this time for each policy.
const PAUSE: Duration = Duration::from_millis(500);

const WHO: Who = Who {
    manager: key::SOURCE_MANAGER,
    component: key::SOURCE_MANAGER,
    stall_is_observed: true,
};

/// Every source, whoever reconciles it.
#[derive(Debug, Clone)]
pub struct AllSources {
    /// OCIRepositories.
    pub oci: Arc<Mirror>,
    /// HelmCharts.
    pub charts: Arc<Mirror>,
    /// HelmRepositories, which charts come from.
    pub repositories: Arc<Mirror>,
}

/// The VerificationPolicy controller.
#[derive(Debug)]
pub struct VerificationPolicies {
    deps: Deps,
    policies: Arc<Policies>,
    sources: AllSources,
}

impl VerificationPolicies {
    /// Starts the controller. Policies belong to no namespace and to no share of the work: each process says the same of them.
    ///
    /// # Errors
    /// When the cluster does not know the kind.
    pub async fn start(
        deps: &Deps,
        policies: Arc<Policies>,
        sources: AllSources,
    ) -> Result<Controller, ApiError> {
        let mut deps = deps.clone();
        deps.settings.watch_labels = String::new();
        deps.settings.watch_namespace = None;
        let gvk = GroupVersionKind::new(
            VerificationPolicy::GROUP,
            VerificationPolicy::VERSION,
            VerificationPolicy::KIND,
        );
        let waker: Arc<OnceLock<Waker>> = Arc::default();
        policies.attach(VerificationPolicy::KIND, &waker);
        for mirror in [&sources.oci, &sources.charts] {
            let (policies, waker) = (policies.clone(), waker.clone());
            mirror.subscribe(Arc::new(move |change: Change| {
                if let (true, Some(waker)) = (is_news(&change), waker.get()) {
                    for reading in policies.readings() {
                        waker.wake("", &reading.name);
                    }
                }
            }));
        }
        let reconciler = Arc::new(Self {
            deps: deps.clone(),
            policies,
            sources,
        });
        Controller::start(&deps, &gvk, reconciler, &waker).await
    }

    async fn run(&self, draft: &mut Draft) -> Verdict {
        let reading = PolicyReading::of(&draft.object);
        let counts = self.count(&reading).await;
        draft.field("sources", json!(counts));
        let (public_good, known) = (self.policies.public_good(), self.policies.known());
        let usable = reading.asks(&*self.policies, public_good, known).await;
        let reason = reason::POLICY_UNUSABLE;
        // A Secret that comes or goes is no change of the policy, and few are watched: sources have not heard of it.
        let before = draft.conditions.get(READY);
        if before.is_some_and(|ready| (ready.reason != reason) != usable.is_ok()) {
            self.policies.wake_covered(&reading);
        }
        let unusable = |why: &str| format!("nothing meets this policy, since it cannot be used: {why}");
        match usable {
            Ok(_) => {
                let mut message = format!("the policy is in force with mode {}", mode(&reading));
                for warning in reading.warnings(known) {
                    message.push_str("; warning: ");
                    message.push_str(&warning);
                }
                Ok(Success {
                    reason: reason::SUCCEEDED,
                    message,
                    again: Some(AGAIN),
                    at_latest: None,
                })
            }
            Err(Unusable::Written(why)) => Err(Failure::stalled(reason, unusable(&why))),
            Err(Unusable::Secret(why)) => Err(Failure::retry(reason, unusable(&why))),
        }
    }

    async fn count(&self, policy: &PolicyReading) -> PolicyCounts {
        let mut counts = PolicyCounts::default();
        let sources = [
            (OciRepository::KIND, &self.sources.oci),
            (HelmChart::KIND, &self.sources.charts),
        ];
        for (kind, mirror) in sources {
            for source in mirror.all() {
                let url = self.url(&source);
                let mut place = Place {
                    kind,
                    namespace: source.namespace(),
                    url: &url,
                    labels: None,
                };
                if !policy.scope.covers(&place) {
                    continue;
                }
                place.labels = self.policies.labels(source.namespace()).await;
                if !policy.scope.covers(&place) {
                    continue;
                }
                let said = said(&source);
                counts.matched += 1;
                counts.verified += u32::from(said.met.contains_key(&policy.name));
                counts.would_fail += u32::from(said.unmet.contains_key(&policy.name));
            }
        }
        counts
    }

    /// The address that a source takes artifacts from; nothing where it is not known, which counts as any.
    fn url(&self, source: &Object) -> String {
        let text = |path: &[&str]| source.get(path).and_then(Value::as_str).unwrap_or_default();
        if source.kind() == OciRepository::KIND {
            return text(&["spec", "url"]).to_owned();
        }
        let name = text(&["spec", "sourceRef", "name"]);
        let Lookup::Known(repository) = self.sources.repositories.get(source.namespace(), name) else {
            return String::new();
        };
        let Ok(repository) = repository.parse::<HelmRepository>() else {
            return String::new();
        };
        let is_oci = crate::access::is_oci(&repository);
        address(&repository.spec.url, is_oci, text(&["spec", "chart"]))
    }
}

fn mode(reading: &PolicyReading) -> &'static str {
    match reading.mode {
        weir_verify::Mode::Enforce => "enforce",
        weir_verify::Mode::Audit => "audit",
    }
}

/// Whether a source counts differently than before.
fn is_news(change: &Change) -> bool {
    let (Some(old), Some(new)) = (&change.old, &change.new) else {
        return true;
    };
    old.generation() != new.generation() || said(old) != said(new)
}

impl Reconcile for VerificationPolicies {
    async fn reconcile(&self, object: Arc<Object>, queue: &Queue) {
        if object.is_being_deleted() {
            return;
        }
        let mut draft = Draft::of(object);
        let verdict = self.run(&mut draft).await;
        conclude(&self.deps, queue, WHO, draft, &verdict, None).await;
        tokio::time::sleep(PAUSE).await;
    }

    fn gone(&self, _key: &Key) {}
}
