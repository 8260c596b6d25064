//! Plan and apply, stage by stage.

use std::time::Duration;

use tokio::sync::Notify;
use weir_apis::inventory::Inventory;
use weir_apis::{ObjectRef, reason};
use weir_cluster::Clock;
use weir_cluster::carry_out::{ApplyError, apply_stage};
use weir_cluster::{Targets, wait_until_ready};
use weir_plan::{
    ChangeSet, Desired, IgnoreRule, IgnoreRules, Marks, Options, Owner, Stage, Takeover, readiness,
};
use weir_runtime::verdict::chain;
use weir_runtime::{Failure, Settings};

use crate::build::Built;
use crate::spec::Spec;
use crate::target::Target;

/// Longest wait for definitions and classes before the next stage (flux-controllers.md §3.6).
const STAGE_TIMEOUT: Duration = Duration::from_mins(1);

/// What was applied, in order; also what was until something failed.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    pub(crate) changes: ChangeSet,
}

/// The objects with the owner's marks on them.
pub(crate) fn desired(spec: &Spec, built: Built) -> Vec<Desired> {
    let own = &spec.own;
    let mut marks = Marks::of(Owner::kustomization(
        &*own.metadata.namespace,
        &*own.metadata.name,
    ));
    if let Some(common) = &own.spec.common_metadata {
        marks.labels = common.labels.clone();
        marks.annotations = common.annotations.clone();
    }
    built
        .objects
        .into_iter()
        .map(|object| Desired::new(object, &marks))
        .collect()
}

/// How to apply: what to force, what to take over, which drift to leave alone.
pub(crate) fn options(spec: &Spec, settings: &Settings) -> Result<Options, Failure> {
    let rules: Vec<IgnoreRule> = spec.own.spec.ignore.iter().map(IgnoreRule::from).collect();
    let ignore = IgnoreRules::compile(&rules)
        .map_err(|e| Failure::stalled(reason::INVALID_SPEC, format!("spec.ignore: {}", chain(&e))))?;
    Ok(Options {
        force: spec.own.spec.force,
        takeover: Takeover::kustomize(&settings.override_managers),
        ignore,
    })
}

/// Applies stage by stage; definitions and classes must be there before what uses them.
pub(crate) async fn apply(
    target: &Target,
    clock: &dyn Clock,
    spec: &Spec,
    stages: Vec<Stage>,
    options: &Options,
    changed: &Notify,
    applied: &mut Applied,
) -> Result<(), Failure> {
    for stage in stages {
        let awaited = stage.kind.is_awaited();
        let before = applied.changes.entries().len();
        let references: Vec<ObjectRef> = stage.desired.iter().map(|d| d.reference().clone()).collect();
        target
            .watch(&references)
            .await
            .map_err(|e| Failure::retry_after(reason::RECONCILIATION_FAILED, spec.retry, chain(&e)))?;
        apply_stage(&target.client, &target.view, stage, options, &mut applied.changes)
            .await
            .map_err(|e| refused(spec, &e))?;
        if awaited {
            let objects: Vec<ObjectRef> = applied
                .changes
                .entries()
                .iter()
                .skip(before)
                .map(|e| e.object.clone())
                .collect();
            let targets = Targets {
                objects: &objects,
                judge: &readiness,
                may_be_absent: &|_| false,
            };
            let timeout = STAGE_TIMEOUT.min(spec.timeout);
            wait_until_ready(&target.client, &target.view, clock, &targets, changed, timeout)
                .await
                .map_err(|e| Failure::retry_after(reason::RECONCILIATION_FAILED, spec.retry, chain(&e)))?;
        }
    }
    Ok(())
}

fn refused(spec: &Spec, error: &ApplyError) -> Failure {
    Failure::retry_after(reason::RECONCILIATION_FAILED, spec.retry, chain(error))
}

/// The inventory with both: what was applied before, and what is about to be.
pub(crate) fn union(old: &Inventory, new: &Inventory) -> Inventory {
    let mut all = new.clone();
    for entry in old.stale(new) {
        all.entries.push(entry.clone());
    }
    all
}
