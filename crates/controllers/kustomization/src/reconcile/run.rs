//! The steps of one reconcile, and what they leave for the report.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use weir_apis::artifact::Artifact;
use weir_apis::condition::{Conditions, HEALTHY, READY, RECONCILING, Status};
use weir_apis::inventory::Inventory;
use weir_apis::kind::{ExternalArtifact, Kustomization, OciRepository};
use weir_apis::time::Time;
use weir_apis::{InvalidObject, Object, ObjectRef, key, reason};
use weir_cluster::carry_out::{View, prune};
use weir_cluster::{Lookup, Memory};
use weir_plan::{ChangeSet, Desired, EmptySet, Guard, Outcome, Owner, PrunePlan, may_vanish, stages};
use weir_runtime::verdict::chain;
use weir_runtime::{Draft, Failure, Queue, Success, Verdict, dependencies, remote};

use super::{Kustomizations, WHO, key_of};
use crate::apply::{self, Applied};
use crate::spec::Spec;
use crate::target::{Sight, Target};
use crate::{build, deletion, health, history, sources, variables};

/// How long health may take before the status says that it is being waited for: most of the time it is there at once,
/// and a write for that would be noise.
const QUIET: Duration = Duration::from_secs(2);

/// One reconcile.
pub(super) struct Run<'a> {
    queue: &'a Queue,
    pub(super) draft: Draft,
    pub(super) changes: ChangeSet,
    pub(super) artifact: Option<Artifact>,
    built: Option<String>,
}

impl<'a> Run<'a> {
    pub(super) fn new(object: Arc<Object>, queue: &'a Queue) -> Self {
        Self {
            queue,
            draft: Draft::of(object),
            changes: ChangeSet::default(),
            artifact: None,
            built: None,
        }
    }

    /// All steps in order; the first failure ends it.
    pub(super) async fn all(&mut self, house: &Kustomizations) -> Verdict {
        let own: Kustomization = self
            .draft
            .object
            .parse()
            .map_err(|e| Failure::stalled(reason::INVALID_SPEC, chain(&e)))?;
        let settings = &house.deps.settings;
        let spec = Spec::read(own, settings)?;
        let artifact = house.source(&spec)?;
        self.artifact = Some(artifact.clone());
        let also = |found: &Object| sources::has_applied(found, &spec.own, &artifact.revision);
        let needed = &spec.own.spec.depends_on;
        dependencies::check(&house.deps.client, settings, &self.draft.object, needed, also).await?;
        self.draft
            .field("lastAttemptedRevision", json!(artifact.revision));

        let failed = |reason, e: &(dyn std::error::Error + 'static)| {
            Failure::retry_after(reason, spec.retry, chain(e))
        };
        let tree = house.trees.open(&artifact).await.map_err(|e| {
            if e.is_absent() {
                let after = settings.requeue_dependency;
                return Failure::waiting(reason::ARTIFACT_FAILED, after, chain(&e));
            }
            failed(reason::ARTIFACT_FAILED, &e)
        })?;
        let known = variables::gather(&house.deps.client, &spec).await?;
        let cache = house.parsed.clone();
        let built = build::build(tree, cache, &spec, known, settings.strict_substitution).await?;
        self.built = Some(built.digest.clone());

        let target = house.target(&spec).await?;
        let old = spec.own.status.inventory.clone().unwrap_or_default();
        if spec.own.status.observed_generation != Some(self.draft.object.generation()) {
            // Ignore rules and force may differ now: what was settled before is open again.
            forget(target.view.memory(), &old);
        }
        self.apply_and_prune(house, &spec, &target, &old, built).await?;
        self.wait(house, &spec, &target).await?;

        self.draft.field("lastAppliedRevision", json!(artifact.revision));
        self.draft.field(
            "lastAppliedOriginRevision",
            json!(artifact.metadata.get(key::OCI_REVISION)),
        );
        Ok(Success {
            reason: reason::RECONCILIATION_SUCCEEDED,
            message: format!("Applied revision: {}", artifact.revision),
            again: Some(spec.interval),
            at_latest: None,
        })
    }

    async fn apply_and_prune(
        &mut self,
        house: &Kustomizations,
        spec: &Spec,
        target: &Target,
        old: &Inventory,
        built: build::Built,
    ) -> Result<(), Failure> {
        let options = apply::options(spec, &house.deps.settings)?;
        let desired = apply::desired(spec, built);
        self.write_ahead(house, target, old, &desired).await?;
        let changed = house.watched.changes(&key_of(&self.draft.object));
        let mut applied = Applied::default();
        let outcome = apply::apply(
            target,
            &*house.deps.clock,
            spec,
            stages(desired, &house.deps.settings.custom_stage_kinds),
            &options,
            &changed,
            &mut applied,
        )
        .await;
        self.changes = applied.changes;
        outcome?;
        let mut inventory = self.changes.inventory();
        if spec.own.spec.prune {
            // A tree without objects is a mistake upstream far more often than a wish (security case N65). Whoever
            // wants everything gone deletes the Kustomization.
            let guard = Guard {
                empty: EmptySet::Refuse,
                budget: spec.max_prune,
            };
            let plan = PrunePlan::new(old, &inventory, guard)
                .map_err(|e| Failure::retry_after(reason::PRUNE_FAILED, spec.retry, deletion::refused(&e)))?;
            let owner = Owner::kustomization(&*spec.own.metadata.namespace, &*spec.own.metadata.name);
            let pruned = prune(&target.client, &target.view, &plan, &owner).await;
            plan.carry_over(&mut inventory);
            for (object, _) in &pruned.failed {
                inventory.entries.push(weir_apis::inventory::Entry::new(object));
            }
            let failure = deletion::failure(spec, &pruned);
            self.changes.append(pruned.changes);
            self.draft.field("inventory", json!(inventory));
            if let Some(failure) = failure {
                return Err(failure);
            }
        } else {
            self.draft.field("inventory", json!(inventory));
        }
        Ok(())
    }

    /// Writes the inventory before the objects, if it will hold new ones: a process that dies in between must not leave
    /// anything that nobody remembers.
    async fn write_ahead(
        &mut self,
        house: &Kustomizations,
        target: &Target,
        old: &Inventory,
        desired: &[Desired],
    ) -> Result<(), Failure> {
        let mut references = Vec::new();
        for one in desired {
            // Scope as the API server has it; a kind that is not there yet is taken at its manifest's word.
            let reference = target
                .client
                .scoped(one.reference())
                .await
                .unwrap_or_else(|_| one.reference().clone());
            references.push(reference);
        }
        let intended = Inventory::of(&references);
        if intended.stale(old).is_empty() {
            return Ok(());
        }
        self.draft.field("inventory", json!(apply::union(old, &intended)));
        self.write_now(house).await
    }

    async fn write_now(&mut self, house: &Kustomizations) -> Result<(), Failure> {
        match self.draft.write(&house.deps, WHO.manager).await {
            Ok(Some(stored)) => {
                self.queue.wrote(&stored);
                self.draft.object = Arc::new(stored);
                Ok(())
            }
            Ok(None) => Ok(()),
            Err(error) => Err(Failure::retry(
                reason::RECONCILIATION_FAILED,
                format!("cannot write the status: {error}"),
            )),
        }
    }

    async fn wait(&mut self, house: &Kustomizations, spec: &Spec, target: &Target) -> Result<(), Failure> {
        let Some(objects) = health::targets(spec, &self.changes) else {
            self.draft.conditions.remove(HEALTHY);
            return Ok(());
        };
        let owner = key_of(&self.draft.object);
        let changed = house.watched.changes(&owner);
        let superseded = house.watched.superseded(&owner);
        let vanishing: BTreeSet<ObjectRef> = vanishing(&self.changes, target);
        let clock = &*house.deps.clock;
        let quiet = QUIET.min(spec.timeout);
        let mut outcome = health::wait(target, clock, spec, &objects, &vanishing, &changed, quiet).await;
        if matches!(&outcome, Err(f) if f.timed_out) && spec.timeout > quiet {
            let now = Time::new(clock.now());
            let message = format!(
                "Running health checks for {} with a timeout of {} s",
                objects.len(),
                spec.timeout.as_secs()
            );
            self.draft
                .set(READY, Status::Unknown, reason::PROGRESSING, &message, now);
            self.draft
                .set(RECONCILING, Status::True, reason::PROGRESSING, &message, now);
            self.draft
                .set(HEALTHY, Status::Unknown, reason::PROGRESSING, &message, now);
            self.write_now(house).await?;
            let rest = spec.timeout.saturating_sub(quiet);
            outcome = tokio::select! {
                outcome = health::wait(target, clock, spec, &objects, &vanishing, &changed, rest) => outcome,
                () = superseded.notified() => Err(health::Unhealthy::superseded()),
            };
        }
        let now = Time::new(clock.now());
        match outcome {
            Ok(()) => {
                self.draft.set(
                    HEALTHY,
                    Status::True,
                    reason::SUCCEEDED,
                    "Health check passed",
                    now,
                );
                Ok(())
            }
            Err(unhealthy) => {
                self.draft
                    .set(HEALTHY, Status::False, unhealthy.reason, &unhealthy.message, now);
                Err(Failure::retry_after(
                    unhealthy.reason,
                    unhealthy.again(spec.retry),
                    unhealthy.message,
                ))
            }
        }
    }

    /// Adds this reconcile to the history, unless it repeats the last entry and changed nothing: then the count would be
    /// all that a write is for.
    pub(super) fn record(&mut self, verdict: &Verdict, now: Time, took: Duration) {
        let (Some(digest), Some(artifact)) = (&self.built, &self.artifact) else {
            return;
        };
        let Ok(own) = self.draft.object.parse::<Kustomization>() else {
            return;
        };
        let status = verdict.as_ref().map_or_else(|f| f.reason, |s| s.reason);
        let repeats = own.status.history.first().is_some_and(|h| {
            h.digest == *digest
                && h.last_reconciled_status == status
                && h.metadata.get("revision") == Some(&artifact.revision)
        });
        if repeats && self.changes.changed().is_empty() {
            return;
        }
        let attempt = history::Attempt {
            digest,
            status,
            artifact,
            now,
            took,
        };
        let history = history::with(&own.status.history, &attempt);
        self.draft.field("history", json!(history));
    }
}

/// Jobs that may be gone because they finished.
fn vanishing(changes: &ChangeSet, target: &Target) -> BTreeSet<ObjectRef> {
    let jobs = changes
        .entries()
        .iter()
        .filter(|e| e.object.gvk.kind == "Job" && e.outcome != Outcome::Deleted);
    jobs.filter(|e| match target.view.look(&e.object) {
        Lookup::Known(live) => may_vanish(&live),
        _ => true,
    })
    .map(|e| e.object.clone())
    .collect()
}

fn forget(memory: &Memory, inventory: &Inventory) {
    for entry in &inventory.entries {
        if let Ok(reference) = entry.reference() {
            memory.forget(&reference);
        }
    }
}

impl Kustomizations {
    /// The artifact of the source. Whether the source is Ready is not asked: its last good artifact stays in use.
    fn source(&self, spec: &Spec) -> Result<Artifact, Failure> {
        let own = &spec.own;
        let source = &own.spec.source_ref;
        let namespace = source.namespace.as_deref().unwrap_or(&own.metadata.namespace);
        let name = format!("{}/{namespace}/{}", source.kind, source.name);
        let mirror = match &self.external {
            Some(external) if source.kind == ExternalArtifact::KIND => external,
            _ => &self.sources,
        };
        let Lookup::Known(found) = mirror.get(namespace, &source.name) else {
            let message = format!("source '{name}' not found");
            return Err(Failure::retry_after(reason::ARTIFACT_FAILED, spec.retry, message));
        };
        let waits = |why: &str| {
            let message = format!("source '{name}' {why}");
            Failure::waiting(
                reason::ARTIFACT_FAILED,
                self.deps.settings.requeue_dependency,
                message,
            )
        };
        let malformed = |e: InvalidObject| waits(&format!("is malformed: {}", chain(&e)));
        let artifact = match source.kind.as_str() {
            ExternalArtifact::KIND => found
                .parse::<ExternalArtifact>()
                .map(|found| found.status.artifact),
            _ => found.parse::<OciRepository>().map(|found| found.status.artifact),
        };
        // A source that was never reconciled is being fetched right now, and its artifact wakes us.
        let being_fetched = source.kind == OciRepository::KIND && Conditions::of(&found).get(READY).is_none();
        artifact.map_err(malformed)?.ok_or_else(|| {
            let failure = waits("is not ready, artifact not found");
            if being_fetched { failure.quietly() } else { failure }
        })
    }

    /// The cluster to apply to, with the rights of the spec's ServiceAccount.
    pub(super) async fn target(&self, spec: &Spec) -> Result<Target, Failure> {
        let settings = &self.deps.settings;
        let namespace = &spec.own.metadata.namespace;
        let account = spec.own.spec.service_account_name.as_ref();
        let kube_config = spec.own.spec.kube_config.as_ref();
        let retry = |message| Failure::retry_after(reason::RECONCILIATION_FAILED, spec.retry, message);
        let remote = remote::client(&self.deps.client, namespace, kube_config, settings)
            .await
            .map_err(|e| e.failure(retry))?;
        let Some(remote) = remote else {
            let client = remote::acting_as(&self.deps.client, namespace, account, settings)?;
            // A process that is kept to one namespace may not be allowed to watch what its Kustomizations apply.
            let view = match settings.watch_namespace {
                None => Sight::Watched(self.watched.clone()),
                Some(_) => Sight::Blind(Memory::default()),
            };
            return Ok(Target { client, view });
        };
        let client = remote::acting_as(&remote, namespace, account, settings)?;
        Ok(Target {
            client,
            view: Sight::Blind(Memory::default()),
        })
    }
}
