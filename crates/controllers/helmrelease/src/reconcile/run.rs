//! The steps of one reconcile up to the release itself (flux-controllers.md §4.2).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use weir_apis::artifact::Artifact;
use weir_apis::condition::{Conditions, READY, STALLED, Status};
use weir_apis::kind::helm_release::HelmReleaseStatus;
use weir_apis::kind::{
    ExternalArtifact, ExternalArtifactStatus, HelmChart, HelmChartStatus, HelmRelease, OciRepository,
    OciRepositoryStatus,
};
use weir_apis::time::Time;
use weir_apis::{GroupVersionKind, Object, ObjectRef, key, reason};
use weir_cluster::{Client, Lookup, Propagation, Write};
use weir_helm::{Chart, Origins, Table, config_digest};
use weir_redact::Mask;
use weir_releases::{Discovery, Storage};
use weir_runtime::remote::RemoteError;
use weir_runtime::verdict::chain;
use weir_runtime::{Draft, Event, Failure, Queue, Severity, Verdict, dependencies, remote};

use super::announce::Announcement;
use super::{HelmReleases, WHO};
use crate::digests::Digests;
use crate::spec::{Spec, allows};
use crate::{history, template, token, values, version};

/// Fields of the status that are kept in [`Run::status`]; the others are the runtime's.
const FIELDS: [&str; 18] = [
    "failures",
    "helmChart",
    "history",
    "installFailures",
    "inventory",
    "lastAttemptedConfigDigest",
    "lastAttemptedGeneration",
    "lastAttemptedReleaseAction",
    "lastAttemptedReleaseActionDuration",
    "lastAttemptedRevision",
    "lastAttemptedRevisionDigest",
    "lastAttemptedValuesChecksum",
    "lastHandledForceAt",
    "lastHandledResetAt",
    "lastReleaseRevision",
    "observedCommonMetadataDigest",
    "observedPostRenderersDigest",
    "storageNamespace",
];
const UPGRADE_FAILURES: &str = "upgradeFailures";

/// One reconcile.
pub(super) struct Run<'a> {
    pub(super) house: &'a HelmReleases,
    queue: &'a Queue,
    pub(super) draft: Draft,
    /// The status with what this reconcile found out, conditions aside.
    pub(super) status: HelmReleaseStatus,
    /// Whether `status` was read: an object that cannot be read keeps the status that it has.
    is_read: bool,
}

/// What the release is made of, and where it goes.
pub(super) struct Work {
    pub(super) spec: Spec,
    pub(super) chart: Arc<Chart>,
    pub(super) values: Arc<Table>,
    pub(super) origins: Origins,
    pub(super) secrets: Mask,
    pub(super) config_digest: String,
    pub(super) digests: Digests,
    /// Acts as the ServiceAccount of the spec.
    pub(super) client: Client,
    pub(super) storage: Storage,
    pub(super) discovery: Option<Arc<Discovery>>,
}

/// The chart's source, as far as it is ready.
struct Source {
    kind: String,
    artifact: Artifact,
}

impl<'a> Run<'a> {
    pub(super) fn new(house: &'a HelmReleases, object: Arc<Object>, queue: &'a Queue) -> Self {
        Self {
            house,
            queue,
            draft: Draft::of(object),
            status: HelmReleaseStatus::default(),
            is_read: false,
        }
    }

    /// All steps in order; the first failure ends it.
    pub(super) async fn all(&mut self) -> Verdict {
        let own = self.read()?;
        let settings = &self.house.deps.settings;
        let spec = Spec::read(own, settings)?;
        self.chart_template(&spec).await?;
        let needed = &spec.own.spec.depends_on;
        let client = &self.house.deps.client;
        dependencies::check(client, settings, &self.draft.object, needed, |_| Ok(())).await?;
        let source = self.source(&spec)?;
        let values = values::gather(client, &spec.own).await?;
        let (chart, digest) = self.chart(&source).await?;
        let client = self.target(&spec).await?;
        self.leave_old_target(&spec, &client, chart.name()).await?;
        self.status.storage_namespace = Some(spec.names.storage.clone());
        let config_digest = config_digest(&values.table);
        self.count_anew(&chart.metadata.version, &config_digest);
        self.status.last_attempted_generation = Some(self.draft.generation());
        self.status.last_attempted_revision = Some(chart.metadata.version.clone());
        self.status.last_attempted_revision_digest = digest;
        self.status.last_attempted_config_digest = Some(config_digest.clone());
        self.status.last_attempted_values_checksum = None;
        self.status.last_release_revision = None;
        let storage = self.storage(&spec, &client, &spec.names.storage);
        let work = Work {
            discovery: self.discovery(&spec),
            digests: Digests::of(&spec.own.spec),
            spec,
            chart,
            values: Arc::new(values.table),
            origins: values.origins,
            secrets: values.secrets,
            config_digest,
            client,
            storage,
        };
        self.cycle(work).await
    }

    /// Reads the object; its status becomes that of this run.
    pub(super) fn read(&mut self) -> Result<HelmRelease, Failure> {
        let own: HelmRelease = self
            .draft
            .object
            .parse()
            .map_err(|e| Failure::stalled(reason::INVALID_SPEC, chain(&e)))?;
        self.status = own.status.clone();
        self.is_read = true;
        Ok(own)
    }

    /// The status as it is to be stored.
    pub(super) fn into_draft(mut self) -> Draft {
        self.fill();
        self.draft
    }

    /// The status as it would be stored now.
    pub(super) fn filled(&mut self) -> &Draft {
        self.fill();
        &self.draft
    }

    /// Ends an announcement; what it has written is what the status is compared with from now on.
    pub(super) async fn settle(&mut self, announcement: Announcement) {
        if let Some(stored) = announcement.end().await {
            self.take_stored(stored);
        }
    }

    fn take_stored(&mut self, stored: Object) {
        self.queue.wrote(&stored);
        self.draft.object = Arc::new(stored);
    }

    fn fill(&mut self) {
        if !self.is_read {
            return;
        }
        let status = serde_json::to_value(&self.status).unwrap_or_default();
        for name in FIELDS.iter().chain([&UPGRADE_FAILURES]) {
            let value = status.get(*name).cloned().unwrap_or(Value::Null);
            self.draft.field(name, value);
        }
    }

    /// Writes the status now: what follows must not be forgotten if the process dies.
    pub(super) async fn save(&mut self) -> Result<(), Failure> {
        self.fill();
        match self.draft.write(&self.house.deps, WHO.manager).await {
            Ok(Some(stored)) => {
                self.take_stored(stored);
                Ok(())
            }
            Ok(None) => Ok(()),
            Err(error) => {
                let message = format!("cannot write the status: {}", chain(&error));
                Err(Failure::retry(reason::STATE_ERROR, message))
            }
        }
    }

    pub(super) fn now(&self) -> Time {
        Time::new(self.house.deps.clock.now())
    }

    pub(super) fn set(&mut self, kind: &str, status: Status, reason: &str, message: &str) {
        let now = self.now();
        self.draft.set(kind, status, reason, message, now);
    }

    pub(super) fn tell(&self, event: Event) {
        let events = &self.house.deps.events;
        events.record(&self.draft.object, event, WHO.component);
    }

    /// Makes, changes or removes the HelmChart that belongs to the object (§4.1).
    async fn chart_template(&mut self, spec: &Spec) -> Result<(), Failure> {
        let wanted = spec.own.spec.chart.as_ref();
        let reference = wanted.map(|template| template::of_template(&spec.own, template));
        let name = reference.as_ref().map(named);
        for known in self.owned_charts(&spec.own) {
            if Some(&known) != name.as_ref() {
                self.delete_chart(&spec.own, &known).await?;
            }
        }
        let (Some(template), Some(reference)) = (wanted, reference) else {
            return Ok(());
        };
        self.status.helm_chart = name;
        let failed = |message: String| Failure::retry(reason::HELM_CHART_SYNC_ERR, message);
        let chart = template::build(&spec.own, template).map_err(|e| failed(chain(&e)))?;
        let live = match self
            .house
            .sources
            .charts
            .get(&reference.namespace, &reference.name)
        {
            Lookup::Known(live) => Some(live),
            _ => None,
        };
        if !live
            .as_ref()
            .is_some_and(|live| template::is_as_wanted(live, &chart))
        {
            let write = Write {
                manager: key::HELM_MANAGER,
                force: true,
                dry_run: false,
            };
            let stored = self
                .house
                .deps
                .client
                .apply(&chart, write)
                .await
                .map_err(|e| failed(format!("cannot apply {reference}: {}", chain(&e))))?;
            let source = &template.spec.source_ref;
            let what = |verb: &str| {
                format!(
                    "{verb} {reference} with SourceRef '{}/{}/{}'",
                    source.kind, reference.namespace, source.name
                )
            };
            match live {
                None => self.tell(Event::new(
                    Severity::Normal,
                    reason::HELM_CHART_CREATED,
                    what("Created"),
                )),
                Some(live) if live.resource_version() != stored.resource_version() => {
                    let event = Event::new(
                        Severity::Normal,
                        reason::HELM_CHART_CONFIGURED,
                        what("Configured"),
                    );
                    self.tell(event);
                }
                Some(_) => {}
            }
            self.house.sources.charts.note(stored);
        }
        Ok(())
    }

    /// The HelmCharts that were made for the object: the one that the status names, and those that say so themselves, since
    /// the status may not have been written yet.
    fn owned_charts(&self, own: &HelmRelease) -> BTreeSet<String> {
        let owner = (own.metadata.namespace.clone(), own.metadata.name.clone());
        let may_be_elsewhere = !self.house.deps.settings.no_cross_namespace_refs;
        let found = self.house.owned.users(&owner).into_iter();
        found
            .filter(|(namespace, _)| may_be_elsewhere || *namespace == own.metadata.namespace)
            .map(|(namespace, name)| format!("{namespace}/{name}"))
            .chain(self.status.helm_chart.clone())
            .collect()
    }

    /// The same, and what was made a moment ago, which the watch may not have shown yet.
    fn all_owned_charts(&self, own: &HelmRelease) -> BTreeSet<String> {
        let mut found = self.owned_charts(own);
        if let Some(template) = &own.spec.chart {
            let reference = template::of_template(own, template);
            let charts = &self.house.sources.charts;
            if let Lookup::Known(chart) = charts.get(&reference.namespace, &reference.name)
                && template::owner_of(&chart)
                    .contains(&(own.metadata.namespace.clone(), own.metadata.name.clone()))
            {
                found.insert(named(&reference));
            }
        }
        found
    }

    /// Deletes a HelmChart that was made for the object.
    async fn delete_chart(&mut self, own: &HelmRelease, known: &str) -> Result<(), Failure> {
        if let Some(reference) = template::of_status(known) {
            allows(
                own,
                &self.house.deps.settings,
                HelmChart::KIND,
                &reference.namespace,
                &reference.name,
            )?;
            let client = &self.house.deps.client;
            let deleted = client.delete(&reference, Propagation::Background, None).await;
            match deleted {
                Ok(()) => {
                    let message = format!("deleted HelmChart '{known}'");
                    self.tell(Event::new(Severity::Normal, reason::HELM_CHART_DELETED, message));
                }
                Err(error) if error.is_not_found() => {}
                Err(error) => {
                    let message = format!("failed to delete HelmChart '{known}': {}", chain(&error));
                    return Err(Failure::retry(reason::HELM_CHART_SYNC_ERR, message));
                }
            }
        }
        self.status.helm_chart = None;
        Ok(())
    }

    /// The source with its artifact. Whether it is Ready is not asked: its last good artifact stays in use.
    fn source(&self, spec: &Spec) -> Result<Source, Failure> {
        let (kind, namespace, name) = spec.source();
        let Lookup::Known(found) = self.house.sources.of(&kind).get(&namespace, &name) else {
            let message = format!("could not get Source object: {kind} '{namespace}/{name}' not found");
            return Err(Failure::retry(reason::ARTIFACT_FAILED, message));
        };
        let conditions = Conditions::of(&found);
        let after = self.house.deps.settings.requeue_dependency;
        // A source that is new is being fetched right now, and its artifact wakes us.
        let being_fetched = kind != ExternalArtifact::KIND
            && conditions.get(READY).is_none()
            && self.is_newer_than(&found, after);
        let waits = |why: &str| {
            let message = format!("{kind} '{namespace}/{name}' is not ready: {why}");
            let failure = Failure::waiting(reason::SOURCE_NOT_READY, after, message);
            if being_fetched { failure.quietly() } else { failure }
        };
        let (artifact, observed) = status_of(&found).map_err(|why| waits(&why))?;
        // Nobody observes generations of what others write.
        if kind != ExternalArtifact::KIND && observed != Some(found.generation()) {
            let why = conditions
                .get(READY)
                .filter(|ready| ready.status == Status::False);
            return Err(waits(why.map_or(
                "latest generation of object has not been reconciled",
                |ready| ready.message.as_str(),
            )));
        }
        if let Some(stalled) = conditions.get(STALLED).filter(|c| c.status == Status::True) {
            return Err(waits(&stalled.message));
        }
        let artifact = artifact.ok_or_else(|| waits("does not have an artifact"))?;
        Ok(Source { kind, artifact })
    }

    /// Whether an object was made less than so long ago.
    fn is_newer_than(&self, object: &Object, age: Duration) -> bool {
        let made: Option<Timestamp> = object
            .get(&["metadata", "creationTimestamp"])
            .and_then(Value::as_str)
            .and_then(|text| text.parse().ok());
        made.is_some_and(|made| {
            let age = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
            self.house.deps.clock.now().as_second() - made.as_second() < age
        })
    }

    /// The chart, with the digest of its artifact in its version where the source has one; and the digest.
    async fn chart(&self, source: &Source) -> Result<(Arc<Chart>, Option<String>), Failure> {
        let artifact = &source.artifact;
        let chart = self.house.charts.open(artifact).await.map_err(|e| {
            if e.is_absent() {
                let after = self.house.deps.settings.requeue_dependency;
                let message = format!(
                    "Source not ready: artifact not found. Retrying in {} s",
                    after.as_secs()
                );
                return Failure::waiting(reason::ARTIFACT_FAILED, after, message);
            }
            Failure::retry(
                reason::ARTIFACT_FAILED,
                format!("Could not load chart: {}", chain(&e)),
            )
        })?;
        let has_digest = match source.kind.as_str() {
            OciRepository::KIND => true,
            ExternalArtifact::KIND => version::digest_of(&artifact.revision).is_some(),
            _ => false,
        };
        if !has_digest {
            return Ok((chart, None));
        }
        let mutated = version::mutate(&chart.metadata.version, &artifact.revision)
            .map_err(|e| Failure::retry(reason::CHART_MUTATE_ERROR, e.to_string()))?;
        let mut chart = Chart::clone(&chart);
        chart.metadata.version = mutated.version;
        Ok((Arc::new(chart), Some(mutated.digest)))
    }

    /// The cluster to release to, with the rights of the spec's ServiceAccount.
    async fn target(&self, spec: &Spec) -> Result<Client, Failure> {
        let retry = |message: String| Failure::retry(reason::REST_CLIENT_ERROR, message);
        self.remote(spec).await.map_err(|e| e.failure(retry))?
    }

    async fn remote(&self, spec: &Spec) -> Result<Result<Client, Failure>, RemoteError> {
        let (client, settings) = (&self.house.deps.client, &self.house.deps.settings);
        let (own, namespace) = (&spec.own.spec, &spec.own.metadata.namespace);
        let remote = remote::client(client, namespace, own.kube_config.as_ref(), settings).await?;
        let account = own.service_account_name.as_ref();
        Ok(remote::acting_as(
            remote.as_ref().unwrap_or(client),
            namespace,
            account,
            settings,
        ))
    }

    /// Where records are kept. Those of the cluster that the object is in are remembered.
    pub(super) fn storage(&self, spec: &Spec, client: &Client, namespace: &str) -> Storage {
        let storage = Storage::new(client.clone(), namespace, key::HELM_MANAGER);
        if spec.own.spec.kube_config.is_some() {
            return storage;
        }
        storage.remembering(self.house.records.clone())
    }

    /// What is remembered of what the cluster can do: nothing of another cluster, and nothing where `persistentClient` is
    /// off, for charts that bring definitions in ways that no watch shows in time.
    fn discovery(&self, spec: &Spec) -> Option<Arc<Discovery>> {
        let own = &spec.own.spec;
        if own.kube_config.is_some() || own.persistent_client == Some(false) {
            return None;
        }
        self.house.discovery.clone()
    }

    /// Removes the release that the history tells of where the object now names another one.
    async fn leave_old_target(&mut self, spec: &Spec, client: &Client, chart: &str) -> Result<(), Failure> {
        let (Some(storage), Some(current)) = (
            self.status.storage_namespace.clone(),
            history::latest(&self.status.history).cloned(),
        ) else {
            return Ok(());
        };
        let in_place = spec
            .own
            .spec
            .upgrade
            .as_ref()
            .is_some_and(|u| u.chart_name_change_strategy.as_deref() == Some("InPlaceUpdate"));
        let names = &spec.names;
        let changed = if names.storage != storage {
            "storage namespace"
        } else if names.namespace != current.namespace {
            "release namespace"
        } else if names.release != current.name {
            "release name"
        } else if chart != current.chart_name && !in_place {
            "chart name"
        } else {
            return Ok(());
        };
        tracing::info!(
            "release target configuration changed ({changed}): running uninstall for current release"
        );
        self.uninstall(spec, client, &storage).await?;
        self.status.history.clear();
        self.clear_failures();
        self.status.storage_namespace = None;
        self.save().await
    }

    pub(super) fn clear_failures(&mut self) {
        self.status.failures = 0;
        self.status.install_failures = 0;
        self.status.upgrade_failures = 0;
    }

    /// Forgets the failures that were counted, where what failed has changed or somebody asks for it.
    fn count_anew(&mut self, chart_version: &str, config_digest: &str) {
        // Asked first, so that a request counts as handled also where something has changed.
        let is_asked = token::take(
            &self.draft.object,
            key::RESET_AT,
            &mut self.status.last_handled_reset_at,
        );
        let status = &self.status;
        let was_tried =
            status.last_attempted_config_digest.is_some() || status.last_attempted_values_checksum.is_some();
        let has_changed = status.last_attempted_generation != Some(self.draft.generation())
            || status.last_attempted_revision.as_deref() != Some(chart_version)
            || (was_tried && status.last_attempted_config_digest.as_deref() != Some(config_digest));
        if has_changed || is_asked {
            self.clear_failures();
        }
    }

    /// The object is being deleted: its release is removed, unless it is suspended or there is nobody left to do it as.
    pub(super) async fn take_away(&mut self) -> Result<(), Failure> {
        let own = self.read()?;
        if own.spec.suspend {
            return Ok(());
        }
        let spec = Spec::of_deleted(own);
        if let Some(storage) = self.status.storage_namespace.clone() {
            if let Some(client) = self.target_of_deleted(&spec).await? {
                self.uninstall(&spec, &client, &storage).await?;
            }
            self.status.history.clear();
            self.status.storage_namespace = None;
        }
        for known in self.all_owned_charts(&spec.own) {
            self.delete_chart(&spec.own, &known).await?;
        }
        Ok(())
    }

    /// As [`Self::target`]; `None` where the kubeconfig or the ServiceAccount is gone, so that nothing can be done.
    async fn target_of_deleted(&self, spec: &Spec) -> Result<Option<Client>, Failure> {
        let object = self.draft.object.reference();
        let retry = |message: String| Failure::retry(reason::UNINSTALL_FAILED, message);
        let client = match self.remote(spec).await {
            Ok(client) => client?,
            Err(RemoteError::Absent(why)) => {
                tracing::warn!(%object, why, "the release is not uninstalled: its cluster is not known any more");
                return Ok(None);
            }
            Err(error) => return Err(error.failure(retry)),
        };
        let account = spec.own.spec.service_account_name.as_ref().or(self
            .house
            .deps
            .settings
            .default_service_account
            .as_ref());
        let Some(account) = account.filter(|_| spec.own.spec.kube_config.is_none()) else {
            return Ok(Some(client));
        };
        let gvk = GroupVersionKind::new("", "v1", "ServiceAccount");
        let reference = ObjectRef::new(gvk, &*spec.own.metadata.namespace, &**account);
        match self.house.deps.client.get(&reference).await {
            Ok(Some(_)) => Ok(Some(client)),
            Ok(None) => {
                tracing::warn!(%object, %reference, "the release is not uninstalled: the ServiceAccount to do it as is gone");
                Ok(None)
            }
            Err(error) => Err(retry(format!(
                "failed to confirm that {reference} can be used to uninstall the release: {}",
                chain(&error)
            ))),
        }
    }
}

/// `<namespace>/<name>`, as the status has it.
fn named(reference: &ObjectRef) -> String {
    format!("{}/{}", reference.namespace, reference.name)
}

/// The artifact and the observed generation of a source.
fn status_of(source: &Object) -> Result<(Option<Artifact>, Option<i64>), String> {
    let status = source.get(&["status"]).cloned().unwrap_or_else(|| json!({}));
    let malformed = |e: serde_json::Error| format!("it is malformed: {e}");
    if source.kind() == HelmChart::KIND {
        let status: HelmChartStatus = serde_json::from_value(status).map_err(malformed)?;
        return Ok((status.artifact, status.observed_generation));
    }
    if source.kind() == ExternalArtifact::KIND {
        let status: ExternalArtifactStatus = serde_json::from_value(status).map_err(malformed)?;
        return Ok((status.artifact, None));
    }
    let status: OciRepositoryStatus = serde_json::from_value(status).map_err(malformed)?;
    Ok((status.artifact, status.observed_generation))
}
