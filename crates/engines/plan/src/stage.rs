//! The order in which objects are applied and deleted (flux-controllers.md §3.6).

use std::cmp::Ordering;
use std::collections::BTreeSet;

use weir_apis::{GroupKind, ObjectRef};

use crate::desired::Desired;

/// Kinds that come first within a stage, in this order.
const FIRST: [&str; 23] = [
    "CustomResourceDefinition",
    "Namespace",
    "ClusterRole",
    "ClusterClass",
    "RuntimeClass",
    "PriorityClass",
    "StorageClass",
    "VolumeSnapshotClass",
    "IngressClass",
    "GatewayClass",
    "ClusterRoleBinding",
    "ResourceQuota",
    "ServiceAccount",
    "Role",
    "RoleBinding",
    "ConfigMap",
    "Secret",
    "Service",
    "LimitRange",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

/// Kinds that come last within a stage, in this order: a webhook must not judge what it depends on.
const LAST: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// Which objects a stage holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StageKind {
    /// CustomResourceDefinitions, Namespaces and ClusterRoles.
    Definitions,
    /// Kinds whose name ends in `Class`.
    Classes,
    /// Kinds that the operator of the controller named.
    Custom,
    /// Everything else.
    Rest,
}

impl StageKind {
    /// The stage an object belongs to.
    pub fn of(object: &ObjectRef, custom: &BTreeSet<GroupKind>) -> Self {
        let gvk = &object.gvk;
        let definition = match gvk.kind.to_ascii_lowercase().as_str() {
            "customresourcedefinition" => gvk.group == "apiextensions.k8s.io",
            "clusterrole" => gvk.group == "rbac.authorization.k8s.io",
            "namespace" => gvk.group.is_empty() && gvk.version == "v1",
            _ => false,
        };
        if definition {
            Self::Definitions
        } else if gvk.kind.ends_with("Class") {
            Self::Classes
        } else if custom.contains(&gvk.group_kind()) {
            Self::Custom
        } else {
            Self::Rest
        }
    }

    /// Whether the stage's objects must be current before the next stage starts.
    pub fn is_awaited(self) -> bool {
        matches!(self, Self::Definitions | Self::Classes)
    }
}

/// Objects that are dry-run and applied together, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// Which objects these are.
    pub kind: StageKind,
    /// The objects, in the order of application.
    pub desired: Vec<Desired>,
}

/// Splits a desired set into its stages, each sorted. Stages without objects are left out.
pub fn stages(desired: Vec<Desired>, custom: &BTreeSet<GroupKind>) -> Vec<Stage> {
    let mut sorted = desired;
    sorted.sort_by_cached_key(|d| {
        let reference = d.reference();
        (StageKind::of(reference, custom), Key::of(reference))
    });
    let mut stages: Vec<Stage> = Vec::new();
    for desired in sorted {
        let kind = StageKind::of(desired.reference(), custom);
        match stages.last_mut() {
            Some(last) if last.kind == kind => last.desired.push(desired),
            _ => stages.push(Stage {
                kind,
                desired: vec![desired],
            }),
        }
    }
    stages
}

/// The total order of objects within a stage: rank of the kind, group, kind, namespace, name, version.
pub fn order(a: &ObjectRef, b: &ObjectRef) -> Ordering {
    Key::of(a).cmp(&Key::of(b))
}

/// Sorts objects for deletion: the reverse of the order of application.
pub fn sort_for_deletion(objects: &mut [ObjectRef]) {
    objects.sort_by(|a, b| order(b, a));
}

/// What the order looks at. The version is Flux's tie (the same object twice), broken here so that the order
/// is total.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    rank: usize,
    group: String,
    kind: String,
    namespace: String,
    name: String,
    version: String,
}

impl Key {
    fn of(object: &ObjectRef) -> Self {
        Self {
            rank: rank(&object.gvk.kind),
            group: object.gvk.group.clone(),
            kind: object.gvk.kind.clone(),
            namespace: object.namespace.clone(),
            name: object.name.clone(),
            version: object.gvk.version.clone(),
        }
    }
}

fn rank(kind: &str) -> usize {
    if let Some(at) = FIRST.iter().position(|k| *k == kind) {
        return at;
    }
    match LAST.iter().position(|k| *k == kind) {
        Some(at) => FIRST.len() + 1 + at,
        None => FIRST.len(),
    }
}
