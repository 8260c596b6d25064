//! One reconcile of a HelmChart, step by step, and what follows from it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::json;
use weir_apis::artifact::Artifact;
use weir_apis::condition::{BUILD_FAILED, Status};
use weir_apis::kind::{HelmChart, HelmRepository, Verify};
use weir_apis::time::Time;
use weir_apis::{GroupVersionKind, Object, reason};
use weir_charts::tag_of;
use weir_cluster::mirror::Change;
use weir_cluster::{Lookup, Mirror};
use weir_oci::Digest;
use weir_oci::choice::Spelling;
use weir_runtime::verdict::{chain, duration};
use weir_runtime::{
    Controller, Deps, Draft, Event, Failure, Index, Key, Queue, Reconcile, Severity, Success, Verdict, Waker,
    conclude,
};
use weir_store::Store;
use weir_verify::{Standing, Target};

use super::build::build;
use super::choose::{Chosen, Place as Origin, choose, resolve, values_files};
use super::indexes::Indexes;
use crate::access::{Access, Clients, is_oci, timeout};
use crate::admit::{Asked, Candidate, Passed, admit, admit_unsigned, is_admitted, is_judged, news};
use crate::gather::invalid;
use crate::helm_repository::StartError;
use crate::keep::{Keeper, LATEST, Place};
use crate::policies::Policies;
use crate::policy::{Own, policy};
use crate::standing::{self, Course, Followed};
use crate::status::{self, At, Failed};
use crate::turn::{WHO, prepare, within};
use crate::verdicts::Verdicts;

/// The HelmChart controller.
#[derive(Debug)]
pub struct HelmCharts {
    deps: Deps,
    clients: Clients,
    keeper: Keeper,
    repositories: Arc<Mirror>,
    indexes: Indexes,
    policies: Arc<Policies>,
    verdicts: Verdicts,
}

/// A chart that was made just now, or found to be the stored one.
#[derive(Debug)]
struct Made {
    artifact: Option<Artifact>,
    reason: &'static str,
    summary: String,
    /// When to look again at the latest.
    at_latest: Option<Duration>,
}

impl HelmCharts {
    /// Starts the controller. Charts are kept in `store` and served under `artifacts_url`. `repositories` mirrors the
    /// HelmRepositories; a new index in one wakes the charts that come from it. What `policies` ask for is asked of each chart,
    /// besides its own `spec.verify`.
    pub async fn start(
        deps: Deps,
        registry: weir_registry::Client,
        store: Arc<Store>,
        artifacts_url: String,
        repositories: Arc<Mirror>,
        policies: Arc<Policies>,
    ) -> Result<Controller, StartError> {
        let gvk = GroupVersionKind::new(HelmChart::GROUP, HelmChart::VERSION, HelmChart::KIND);
        let waker: Arc<OnceLock<Waker>> = Arc::default();
        policies.attach(HelmChart::KIND, &waker);
        let reconciler = Arc::new(Self {
            deps: deps.clone(),
            clients: Clients::new(registry)?,
            keeper: Keeper::new(store, artifacts_url),
            repositories: repositories.clone(),
            indexes: Indexes::default(),
            policies,
            verdicts: Verdicts::default(),
        });
        let controller = Controller::start(&deps, &gvk, reconciler, &waker).await?;
        let users = Arc::new(Index::new(repository_of));
        let own = controller.mirror();
        own.subscribe({
            let users = users.clone();
            Arc::new(move |change: Change| users.notice(&change))
        });
        for object in own.all() {
            users.notice(&Change {
                old: None,
                new: Some(object),
            });
        }
        repositories.subscribe(Arc::new(move |change: Change| {
            if let (true, Some(source), Some(waker)) = (is_news(&change), &change.new, waker.get()) {
                for key in users.users(&(source.namespace().to_owned(), source.name().to_owned())) {
                    waker.wake(&key.0, &key.1);
                }
            }
        }));
        Ok(controller)
    }

    /// The repository that a chart comes from.
    fn repository(&self, own: &HelmChart) -> Result<HelmRepository, Failed> {
        let (kind, name) = (
            own.spec.source_ref.kind.as_str(),
            own.spec.source_ref.name.as_str(),
        );
        if kind != HelmRepository::KIND {
            let message = format!(
                "failed to get source: charts from a {kind} are not built yet; publish the chart in a HelmRepository, or use an OCIRepository in the HelmRelease's chartRef"
            );
            return Err(invalid(reason::UNSUPPORTED_SOURCE_KIND, message));
        }
        let namespace = own.metadata.namespace.as_str();
        match self.repositories.get(namespace, name) {
            Lookup::Known(object) => object.parse().map_err(|error| {
                invalid(
                    reason::SOURCE_UNAVAILABLE,
                    format!("failed to get source: {}", chain(&error)),
                )
            }),
            found => {
                let why = match found {
                    Lookup::Unsynced => "is not known yet",
                    _ => "does not exist",
                };
                let after = self.deps.settings.requeue_dependency;
                let message = format!("failed to get source: HelmRepository '{namespace}/{name}' {why}");
                Err(Failed::fetch(Failure::retry_after(
                    reason::SOURCE_UNAVAILABLE,
                    after,
                    message,
                )))
            }
        }
    }

    async fn run(&self, draft: &mut Draft, made: &mut Option<Made>) -> Result<Success, Failed> {
        let own: HelmChart = draft
            .object
            .parse()
            .map_err(|e| Failed::fetch(Failure::stalled(reason::INVALID_SPEC, chain(&e))))?;
        let interval = duration("spec.interval", &own.spec.interval).map_err(Failed::fetch)?;
        let repository = self.repository(&own)?;
        let index = self.index(&repository).await?;
        if let Some(artifact) = &index {
            draft.field("observedSourceArtifactRevision", json!(artifact.revision));
        }
        let timeout = timeout(&repository)?;
        let access = self.clients.access(&self.deps, &repository).await?;
        let asked = self.asked(&own, &repository, &access).await?;
        status::begin(draft);
        let now = Time::new(self.deps.clock.now());
        let generation = draft.object.generation();
        let choosing = choose(
            &own.spec,
            generation,
            access,
            index.as_ref(),
            &self.indexes,
            &self.keeper,
        );
        let chosen = within(timeout, reason::CHART_PULL_ERROR, "choose a version", choosing).await?;
        let times = (interval, timeout);
        let one = self.make(&own, &chosen, &asked, times, draft, now).await?;
        let success = Success {
            reason: one.reason,
            message: one.summary.clone(),
            again: Some(interval),
            at_latest: one.at_latest,
        };
        status::stored(draft, one.reason, &one.summary, now);
        *made = Some(one);
        Ok(success)
    }

    /// The stored index of a repository that has one.
    async fn index(&self, repository: &HelmRepository) -> Result<Option<Artifact>, Failed> {
        if is_oci(repository) {
            return Ok(None);
        }
        if let Some(artifact) = &repository.status.artifact
            && (self.indexes.has(artifact).await || self.keeper.holds(Some(artifact)).await)
        {
            return Ok(Some(artifact.clone()));
        }
        let message = format!(
            "no artifact available for HelmRepository source '{}'",
            repository.metadata.name
        );
        let after = self.deps.settings.requeue_dependency;
        Err(Failed::fetch(Failure::waiting(
            reason::NO_SOURCE_ARTIFACT,
            after,
            message,
        )))
    }

    /// Reads `spec.verify`; charts that cannot carry signatures are refused where it is there.
    async fn own(&self, own: &HelmChart, access: &Access) -> Result<Option<Own>, Failed> {
        let verify = own.spec.verify.as_ref().map(|verify| Verify {
            match_oidc_identity: verify.match_oidc_identity.clone(),
            provider: verify.provider.clone(),
            secret_ref: verify.secret_ref.clone(),
            trusted_root_secret_ref: None,
        });
        if verify.is_some() && matches!(access, Access::Http(..)) {
            let message = "spec.verify: charts of a HelmRepository with an index carry no signatures, so nothing can be admitted; use one of type 'oci'";
            return Err(Failed {
                at: At::Verify,
                failure: Failure::stalled(reason::VERIFICATION_ERROR, message),
            });
        }
        policy(
            &self.deps,
            self.policies.public_good(),
            self.policies.known(),
            &own.metadata.namespace,
            verify.as_ref(),
        )
        .await
        .map_err(|failed| Failed {
            at: At::Verify,
            ..failed
        })
    }

    /// What the chart asks for itself, and what the cluster's policies ask of it.
    async fn asked(
        &self,
        own: &HelmChart,
        repository: &HelmRepository,
        access: &Access,
    ) -> Result<Asked, Failed> {
        let verify = self.own(own, access).await?;
        let key = (own.metadata.namespace.clone(), own.metadata.name.clone());
        let url = address(&repository.spec.url, is_oci(repository), &own.spec.chart);
        let rules = self.policies.rules_for(HelmChart::KIND, &key, &url).await;
        Ok(Asked::new(verify, rules))
    }

    async fn make(
        &self,
        own: &HelmChart,
        chosen: &Chosen,
        asked: &Asked,
        (interval, timeout): (Duration, Duration),
        draft: &mut Draft,
        now: Time,
    ) -> Result<Made, Failed> {
        let spec = &own.spec;
        let artifact = own.status.artifact.as_ref();
        let is_packaged = !values_files(spec).is_empty();
        let unchanged = artifact.is_some_and(|artifact| artifact.revision == chosen.version)
            && own.status.observed_chart_name.as_deref() == Some(&spec.chart)
            && own.status.observed_generation == Some(draft.object.generation())
            && self.keeper.holds(artifact).await;
        // A verdict is about a digest, which the status has in the verdict's message.
        let digest = match (&chosen.place, asked.demands.is_empty(), unchanged) {
            (Origin::Http { .. }, ..) | (Origin::Oci { .. }, true, true) => None,
            (Origin::Oci { repository, registry }, ..) => {
                let resolving = resolve(registry, repository, &chosen.published);
                Some(within(timeout, reason::CHART_PULL_ERROR, "look up the tag", resolving).await?)
            }
        };
        let name = match digest {
            Some(digest) => format!("version {}@{digest}", chosen.published),
            None => format!("version {}", chosen.published),
        };
        let was_admitted = is_admitted(draft, asked, &name);
        let as_stored = || {
            let used = if own.status.observed_values_files.is_empty() {
                values_files(spec)
            } else {
                &own.status.observed_values_files
            };
            summary(None, spec.chart.as_str(), &chosen.version, is_packaged, used)
        };
        if unchanged && was_admitted {
            return Ok(as_stored());
        }
        let was_judged = unchanged && is_judged(draft, &name);
        if artifact.is_some() && !was_judged {
            let message = format!("new '{}' chart with version '{}'", spec.chart, chosen.version);
            status::outdated(draft, reason::NEW_CHART, &message, now);
        }
        let passed: Option<Passed> =
            if let (Origin::Oci { repository, registry }, Some(digest)) = (&chosen.place, digest) {
                let candidate = Candidate {
                    asked,
                    registry,
                    target: Target::new(repository.clone(), digest),
                    name: &name,
                    course: course(own, repository, chosen, digest),
                    interval,
                };
                let work = admit(&candidate, &self.verdicts, draft, now);
                Some(within(timeout, reason::CHART_PULL_ERROR, "verify the signature", work).await?)
            } else {
                admit_unsigned(asked, &name, UNSIGNED, draft, now)?;
                None
            };
        let at_latest = passed.as_ref().and_then(|passed| passed.at_latest);
        let (admitted, standing) = passed.map(|passed| (passed.admitted, passed.standing)).unzip();
        let standing: Option<Standing> = standing.flatten();
        if was_judged {
            if let (Some(stored), Some(standing)) = (artifact, &standing) {
                let mut changed = stored.clone();
                standing::note(&mut changed.metadata, Some(standing));
                if changed != *stored {
                    draft.field("artifact", json!(changed));
                }
            }
            return Ok(Made {
                at_latest,
                ..as_stored()
            });
        }
        let building = build(spec, chosen, admitted, now.timestamp());
        let built = within(timeout, reason::CHART_PULL_ERROR, "download the chart", building).await?;
        let merged = built.get().merged.clone();
        let mut metadata = BTreeMap::new();
        standing::note(&mut metadata, standing.as_ref());
        let place = Place {
            file: format!("{}-{}.tgz", built.get().name, chosen.version),
            latest: LATEST,
            revision: chosen.version.clone(),
            metadata,
        };
        let stored = self.keeper.keep(&draft.object, place, built, now).await?;
        draft.field("artifact", json!(stored));
        draft.field("url", json!(self.keeper.link(&stored, LATEST)));
        draft.field("observedChartName", json!(spec.chart));
        let observed = (spec.ignore_missing_values_files && !merged.is_empty()).then_some(&merged);
        draft.field("observedValuesFiles", json!(observed));
        let is_new = artifact.is_none_or(|artifact| artifact.digest != stored.digest);
        let new = is_new.then_some(stored);
        Ok(Made {
            at_latest,
            ..summary(new, &spec.chart, &chosen.version, is_packaged, &merged)
        })
    }
}

/// Where a chart is and where it is to go.
fn course(
    own: &HelmChart,
    repository: &weir_oci::Repository,
    chosen: &Chosen,
    digest: Digest,
) -> Option<Course> {
    let tag = tag_of(&chosen.published).ok()?;
    let artifact = own.status.artifact.as_ref();
    let stands = standing::remembered(artifact).or_else(|| {
        // What was stored without a policy: its version, if the spec is still the one that it was stored by.
        let same_spec = own.status.observed_generation == Some(own.metadata.generation);
        let artifact = artifact.filter(|_| same_spec)?;
        Some(Standing {
            repository: repository.clone(),
            tag: tag_of(&artifact.revision).ok()?,
            digest: None,
            promotion: None,
        })
    });
    let followed = Followed::Versions(Spelling::Helm);
    Some(Course::new(stands, repository, (&tag, digest), followed))
}

/// Why a chart of a server has no signatures.
const UNSIGNED: &str =
    "charts of a HelmRepository with an index carry no signatures; publish the chart to a registry";

/// Where a chart is: in a registry each has a repository of its own.
pub(crate) fn address(repository: &str, is_oci: bool, chart: &str) -> String {
    if is_oci {
        format!("{}/{chart}", repository.trim_end_matches('/'))
    } else {
        repository.to_owned()
    }
}

/// What Flux says of a chart.
fn summary(
    artifact: Option<Artifact>,
    name: &str,
    version: &str,
    is_packaged: bool,
    merged: &[String],
) -> Made {
    let (done, reason) = if is_packaged {
        ("packaged", reason::CHART_PACKAGE_SUCCEEDED)
    } else {
        ("pulled", reason::CHART_PULL_SUCCEEDED)
    };
    let mut summary = format!("{done} '{name}' chart with version '{version}'");
    if !merged.is_empty() {
        summary.push_str(" and merged values files [");
        summary.push_str(&merged.join(" "));
        summary.push(']');
    }
    Made {
        artifact,
        reason,
        summary,
        at_latest: None,
    }
}

/// Namespace and name of the repository that a chart comes from.
fn repository_of(object: &Object) -> BTreeSet<Key> {
    let field = |name: &str| object.get(&["spec", "sourceRef", name]).and_then(|v| v.as_str());
    match (field("kind"), field("name")) {
        (Some(HelmRepository::KIND), Some(name)) => {
            BTreeSet::from([(object.namespace().to_owned(), name.to_owned())])
        }
        _ => BTreeSet::new(),
    }
}

/// Whether a repository has another index or another spec than before.
fn is_news(change: &Change) -> bool {
    let Some(new) = &change.new else { return false };
    let index = |object: &Object| object.get(&["status", "artifact", "digest"]).cloned();
    match &change.old {
        None => true,
        Some(old) => old.generation() != new.generation() || index(new).is_some() && index(old) != index(new),
    }
}

impl Reconcile for HelmCharts {
    async fn reconcile(&self, object: Arc<Object>, queue: &Queue) {
        let Some(object) = prepare(&self.deps, &self.keeper, object, queue).await else {
            return;
        };
        let mut draft = Draft::of(object);
        let mut made = None;
        let outcome = self.run(&mut draft, &mut made).await;
        let now = Time::new(self.deps.clock.now());
        let verdict: Verdict = match outcome {
            Ok(success) => Ok(success),
            Err(failed) => {
                failed.mark(&mut draft, now);
                if failed.at == At::Verify {
                    let message = format!("chart verification error: {}", failed.failure.message);
                    draft.set(
                        BUILD_FAILED,
                        Status::True,
                        reason::CHART_VERIFICATION_ERROR,
                        &message,
                        now,
                    );
                }
                Err(failed.failure)
            }
        };
        let event = made.and_then(|made| {
            let Some(artifact) = made.artifact else {
                return news(&draft);
            };
            Some(
                Event::new(Severity::Normal, made.reason, made.summary)
                    .with("revision", &artifact.revision)
                    .with("digest", &artifact.digest),
            )
        });
        conclude(&self.deps, queue, WHO, draft, &verdict, event).await;
    }

    fn gone(&self, key: &Key) {
        self.policies.forget(HelmChart::KIND, key);
    }
}
