//! What will be done to each object of a stage, decided from what was seen.

use std::fmt;

use weir_apis::{Object, ObjectRef};
use weir_redact::Mask;

use crate::change::Change;
use crate::changeset::{ChangeSet, Outcome};
use crate::desired::{Desired, Next};
use crate::drift::compare;
use crate::failure::ApiFailure;
use crate::fingerprint::Fingerprint;
use crate::ignore::IgnoreRules;
use crate::normalize::is_secret;
use crate::policy::{Policy, SkipReason};
use crate::secret::add_secret_values;
use crate::stage::StageKind;
use crate::takeover::{CleanupPatch, Takeover};

/// What an apply is remembered by, so that the next one can be spared.
///
/// Forget it when anything but the object itself may have changed what an apply does: the owner's spec
/// (ignore rules, force) or the controller's options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastApplied {
    /// Fingerprint of what was applied.
    pub fingerprint: Fingerprint,
    /// `metadata.uid` of the live object after it.
    pub uid: String,
    /// `metadata.resourceVersion` of the live object after it.
    pub resource_version: String,
}

impl LastApplied {
    /// Remembers what was applied and what the API server answered.
    pub fn new(desired: &Desired, answer: &Object) -> Self {
        Self {
            fingerprint: desired.fingerprint(),
            uid: answer.uid().into(),
            resource_version: answer.resource_version().into(),
        }
    }

    /// Proof that an apply would change nothing: neither side has changed since the last one.
    pub fn still_holds(&self, desired: &Desired, live: &Object) -> Option<KnownUnchanged> {
        let same_live = !self.resource_version.is_empty()
            && self.resource_version == live.resource_version()
            && self.uid == live.uid();
        (same_live && self.fingerprint == desired.fingerprint()).then_some(KnownUnchanged(()))
    }
}

/// Proof that a dry run was not needed; only [`LastApplied::still_holds`] gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownUnchanged(());

/// How a dry run of an apply ended.
#[derive(Clone, PartialEq)]
pub enum DryRun {
    /// The object as it would be stored. Without a `resourceVersion` it would be new.
    Applied(Object),
    /// The API server refused.
    Failed(ApiFailure),
    /// There was no need to ask.
    Spared(KnownUnchanged),
    /// Nobody asked, because [`Desired::next`] said to skip the object.
    NotAsked,
    /// Nobody asked: there seems to be no such object, and its creation, on the condition that there is none, will
    /// tell. Only the first object of a stage that is written may be left to it. Holds the object in the API server's
    /// scope.
    LeftToWrite(ObjectRef),
}

/// What was seen of one object.
#[derive(Clone, PartialEq)]
pub struct Observed {
    /// The live object, if there is one.
    pub live: Option<Object>,
    /// How the dry run ended.
    pub dry_run: DryRun,
}

impl fmt::Debug for DryRun {
    /// Names the object and never shows it: it may be a Secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Applied(object) => write!(f, "Applied({})", object.reference()),
            Self::Failed(failure) => write!(f, "Failed({} {})", failure.code, failure.reason),
            Self::Spared(_) => f.write_str("Spared"),
            Self::NotAsked => f.write_str("NotAsked"),
            Self::LeftToWrite(object) => write!(f, "LeftToWrite({object})"),
        }
    }
}

impl fmt::Debug for Observed {
    /// Names the objects and never shows them: they may be Secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observed")
            .field("live", &self.live.as_ref().map(Object::reference))
            .field("dry_run", &self.dry_run)
            .finish()
    }
}

/// What holds for every object of one apply.
#[derive(Debug, Clone)]
pub struct Options {
    /// `spec.force`: recreate whatever has an immutable change.
    pub force: bool,
    /// Whose fields become ours.
    pub takeover: Takeover,
    /// Drift to leave alone.
    pub ignore: IgnoreRules,
}

/// What to do with one object. Bodies are what to send with server-side apply, forced.
#[derive(Clone, PartialEq)]
pub enum Action {
    /// The object does not exist: apply the body.
    Create {
        /// What to apply.
        body: Object,
    },
    /// The object seems not to exist, and this is the first write of its stage: apply it on the condition that it does
    /// not exist. If that fails nothing was written; dry-run it then, and plan it anew.
    CreateFirst {
        /// What to apply.
        desired: Box<Desired>,
    },
    /// The object differs, or its metadata must be cleaned up: patch first where there is a patch, then apply.
    Apply {
        /// The clean-up to do before.
        cleanup: Option<CleanupPatch>,
        /// What to apply.
        body: Object,
        /// What will change.
        changes: Vec<Change>,
    },
    /// An immutable field differs: delete the object (background), wait until it is gone, then apply.
    Recreate {
        /// The live object's uid, as the precondition of the deletion.
        uid: String,
        /// What to apply.
        body: Object,
        /// What the API server said about the field.
        cause: ApiFailure,
    },
    /// Leave the object alone because someone asked for it.
    Skip {
        /// Why.
        reason: SkipReason,
    },
    /// Nothing to do. No write is made.
    Unchanged,
}

impl fmt::Debug for Action {
    /// Shows what is done and where, never the object or a value: they may be a Secret's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { body } => write!(f, "Create({})", body.reference()),
            Self::CreateFirst { desired } => write!(f, "CreateFirst({})", desired.reference()),
            Self::Recreate { body, .. } => write!(f, "Recreate({})", body.reference()),
            Self::Apply {
                cleanup,
                body,
                changes,
            } => {
                write!(f, "Apply({}, {cleanup:?}, {changes:?})", body.reference())
            }
            Self::Skip { reason } => write!(f, "Skip({reason:?})"),
            Self::Unchanged => f.write_str("Unchanged"),
        }
    }
}

impl Action {
    /// The word for it in a change set.
    pub fn outcome(&self) -> Outcome {
        match self {
            // Flux calls a recreated object created: its second dry run has no resource version.
            Self::Create { .. } | Self::CreateFirst { .. } | Self::Recreate { .. } => Outcome::Created,
            Self::Apply { .. } => Outcome::Configured,
            Self::Skip { .. } => Outcome::Skipped,
            Self::Unchanged => Outcome::Unchanged,
        }
    }

    /// Whether carrying it out writes to the cluster.
    pub fn writes(&self) -> bool {
        !matches!(self, Self::Skip { .. } | Self::Unchanged)
    }
}

/// One object's part of a plan. Only [`StagePlan::new`] makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    reference: ObjectRef,
    desired: ObjectRef,
    fingerprint: Fingerprint,
    action: Action,
}

impl Step {
    /// The object, in the scope the API server gives it: a cluster-scoped object has no namespace here even
    /// where its manifest carries one (pitfall 15).
    pub fn reference(&self) -> &ObjectRef {
        &self.reference
    }

    /// The object as its manifest names it.
    pub fn desired_reference(&self) -> &ObjectRef {
        &self.desired
    }

    /// The fingerprint of the manifest.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// What to do.
    pub fn action(&self) -> &Action {
        &self.action
    }

    /// Takes the action out.
    pub fn into_action(self) -> Action {
        self.action
    }
}

/// What will be done in a stage, in order. It exists only when every dry run of the stage succeeded or has
/// an answer that force allows: no stage is applied in part because of an object that was known to fail.
/// One dry run may be missing, that of the object which is written first: its write fails before any other.
#[derive(Debug, Clone, PartialEq)]
pub struct StagePlan {
    kind: StageKind,
    steps: Vec<Step>,
}

/// One object whose dry run failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DryRunFailure {
    /// Which object.
    pub object: ObjectRef,
    /// What the API server said; the object's own secret values are masked.
    pub failure: ApiFailure,
}

impl fmt::Display for DryRunFailure {
    /// As Flux words it, so that alerts and searches that match on it go on matching.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { object, failure } = self;
        let message = &failure.message;
        if failure.is_not_found() {
            return if object.namespace.is_empty() {
                write!(f, "{object} namespace not specified: {message}")
            } else {
                write!(f, "{object} not found: {message}")
            };
        }
        if failure.reason.is_empty() {
            write!(f, "{object} dry-run failed: {message}")
        } else {
            write!(f, "{object} dry-run failed ({}): {message}", failure.reason)
        }
    }
}

/// A stage of which nothing may be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StageError {
    /// Dry runs failed; all of them are listed, in the order of the stage.
    #[error("{}", lines(.0))]
    DryRun(Vec<DryRunFailure>),
    /// The caller gave no dry run for an object that needs one. This is a defect of the caller.
    #[error("{0} was not dry-run")]
    NotObserved(ObjectRef),
}

fn lines(failures: &[DryRunFailure]) -> String {
    let lines: Vec<String> = failures.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

impl StagePlan {
    /// Decides what to do with each object of a stage.
    pub fn new(
        kind: StageKind,
        objects: Vec<(Desired, Observed)>,
        options: &Options,
    ) -> Result<Self, StageError> {
        let mut steps = Vec::with_capacity(objects.len());
        let mut failures = Vec::new();
        for (desired, observed) in objects {
            let left = matches!(observed.dry_run, DryRun::LeftToWrite(_));
            if left && steps.iter().any(|s: &Step| s.action.writes()) {
                return Err(StageError::NotObserved(desired.reference().clone()));
            }
            match step(desired, observed, options) {
                Ok(step) => steps.push(step),
                Err(StageError::DryRun(some)) => failures.extend(some),
                Err(other) => return Err(other),
            }
        }
        if failures.is_empty() {
            Ok(Self { kind, steps })
        } else {
            Err(StageError::DryRun(failures))
        }
    }

    /// Which stage this is.
    pub fn kind(&self) -> StageKind {
        self.kind
    }

    /// The steps, in the order of application.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Takes the steps out.
    pub fn into_steps(self) -> Vec<Step> {
        self.steps
    }

    /// Whether carrying the plan out writes nothing.
    pub fn is_quiet(&self) -> bool {
        !self.steps.iter().any(|s| s.action.writes())
    }

    /// What the stage's change set is once every step is carried out.
    pub fn change_set(&self) -> ChangeSet {
        self.steps
            .iter()
            .map(|s| (s.reference.clone(), s.action.outcome()))
            .collect()
    }
}

fn step(desired: Desired, observed: Observed, options: &Options) -> Result<Step, StageError> {
    let Observed { live, dry_run } = observed;
    let manifest = desired.reference().clone();
    let fingerprint = desired.fingerprint();
    // What the API server has stored, or would store, knows the scope better than the manifest.
    let seen = |object: &Object| ObjectRef {
        namespace: object.namespace().into(),
        ..manifest.clone()
    };
    let stored = live.as_ref().map(seen);
    let (reference, action) = match (desired.next(live.as_ref()), dry_run) {
        (Next::Skip(reason), _) => (stored, Action::Skip { reason }),
        (Next::DryRun, DryRun::Spared(_)) => (stored, Action::Unchanged),
        (Next::DryRun, DryRun::LeftToWrite(_)) if live.is_some() => {
            return Err(StageError::NotObserved(manifest));
        }
        (Next::DryRun, DryRun::NotAsked) => return Err(StageError::NotObserved(manifest)),
        (Next::DryRun, DryRun::LeftToWrite(object)) => {
            let desired = Box::new(desired);
            (Some(object), Action::CreateFirst { desired })
        }
        (Next::DryRun, DryRun::Applied(answer)) => (
            Some(seen(&answer)),
            applied(desired, live.as_ref(), &answer, options),
        ),
        (Next::DryRun, DryRun::Failed(failure)) => match live {
            Some(live) if failure.is_immutable() && allows_force(&desired, &live, options) => {
                let cause = masked(failure, &desired);
                let uid = live.uid().to_owned();
                let body = desired.into_object();
                (stored, Action::Recreate { uid, body, cause })
            }
            _ => {
                return Err(StageError::DryRun(vec![DryRunFailure {
                    failure: masked(failure, &desired),
                    object: manifest,
                }]));
            }
        },
    };
    Ok(Step {
        reference: reference.unwrap_or_else(|| manifest.clone()),
        desired: manifest,
        fingerprint,
        action,
    })
}

fn allows_force(desired: &Desired, live: &Object, options: &Options) -> bool {
    options.force || desired.policy().force || Policy::of(live).force
}

fn applied(desired: Desired, live: Option<&Object>, answer: &Object, options: &Options) -> Action {
    let merge = desired.policy().merge;
    let mut body = desired.into_object();
    let Some(live) = live.filter(|_| !answer.resource_version().is_empty()) else {
        return Action::Create { body };
    };
    let cleanup = if merge || Policy::of(live).merge {
        None
    } else {
        options.takeover.patch(live)
    };
    let changes = match options.ignore.strip(live, answer) {
        Some((live, answer)) => compare(&live, &answer),
        None => compare(live, answer),
    };
    if cleanup.is_none() && changes.is_empty() {
        return Action::Unchanged;
    }
    options
        .ignore
        .adopt(&mut body, live, answer, &options.takeover.manager);
    Action::Apply {
        cleanup,
        body,
        changes,
    }
}

/// A server's message may repeat the value it refuses.
fn masked(failure: ApiFailure, desired: &Desired) -> ApiFailure {
    if !is_secret(&desired.reference().gvk) {
        return failure;
    }
    let mut mask = Mask::default();
    add_secret_values(desired.object(), &mut mask);
    ApiFailure {
        message: mask.apply(&failure.message).into_owned(),
        ..failure
    }
}
