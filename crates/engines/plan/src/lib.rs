//! Desired state, live state and inventory in; a plan out.
//!
//! This crate decides what an apply does, as kustomize-controller decides it: what is normalised, in which
//! order objects go, which ones are left alone, whether a live object has drifted, whose fields are taken
//! over, what is deleted, and when what was applied is healthy. It reads nothing and writes nothing: the
//! cluster port asks, this crate answers, and the types [`StagePlan`], [`Delete`] and [`KnownUnchanged`] can
//! be made only here, so that nothing is written that was not decided.
//!
//! The path of a set of objects: [`Desired::new`] for each, [`stages`], then stage by stage read the live
//! objects, ask [`Desired::next`], dry-run, and put all to [`StagePlan::new`]; carry the steps out, collect
//! the [`ChangeSet`], and at the end [`PrunePlan::new`] and [`Deletion::decide`].
//!
//! ```
//! use weir_apis::Object;
//! use weir_plan::{Desired, Marks, Next, Owner};
//! use serde_json::json;
//!
//! let manifest = Object::from_value(json!({
//!     "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a", "namespace": "apps"},
//!     "stringData": {"word": "hello"},
//! })).unwrap();
//! let desired = Desired::new(manifest, &Marks::of(Owner::kustomization("flux-system", "apps")));
//! assert_eq!(desired.object().get(&["data", "word"]), Some(&json!("aGVsbG8=")));
//! assert_eq!(desired.next(None), Next::DryRun);
//! ```

mod cel;
mod change;
mod changeset;
mod desired;
mod diff;
mod drift;
mod failure;
mod fingerprint;
mod health;
mod ignore;
mod labels;
mod managed;
mod normalize;
mod owner;
mod plan;
mod pointer;
mod policy;
mod prune;
mod readiness;
mod secret;
mod selector;
mod stage;
pub mod strategic;
mod takeover;
mod wait;

pub use cel::{EvaluationError, Expr, InvalidExpression};
pub use change::{Change, ChangeKind};
pub use changeset::{ChangeSet, ChangeSetEntry, Outcome};
pub use desired::{Desired, Marks, Next};
pub use diff::diff;
pub use drift::compare;
pub use failure::ApiFailure;
pub use fingerprint::Fingerprint;
pub use health::{HealthExprs, HealthRule, HealthRules, InvalidHealthExprs};
pub use ignore::{IgnoreRule, IgnoreRules, InvalidRule};
pub use labels::{InvalidLabelSelector, LabelSelector};
pub use managed::Operation;
pub use normalize::normalize;
pub use owner::Owner;
pub use plan::{
    Action, DryRun, DryRunFailure, KnownUnchanged, LastApplied, Observed, Options, StageError, StagePlan,
    Step,
};
pub use policy::{Policy, SkipReason, says};
pub use prune::{Budget, Delete, Deletion, EmptySet, Guard, InvalidBudget, PrunePlan, PruneRefused};
pub use readiness::{Readiness, Status, has_pods, may_vanish, readiness, with_pods};
pub use secret::{add_secret_values, mask_secret_changes, mask_secret_pair};
pub use selector::{CompiledSelector, InvalidSelector, Selector};
pub use stage::{Stage, StageKind, order, sort_for_deletion, stages};
pub use takeover::{CleanupPatch, FieldManager, Takeover, client_side_to_apply};
pub use wait::{Checked, HealthReport, Unhealthy, Verdict};
