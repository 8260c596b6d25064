//! What identifies an object: group, version, kind, name, namespace.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// Group, version, kind. In a selector an empty part matches anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Gvk {
    /// API group, empty for the core group.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// API version.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Kind.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
}

impl Gvk {
    /// From the two fields of an object.
    pub fn new(api_version: &str, kind: &str) -> Self {
        let (group, version) = split_api_version(api_version);
        Self {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
        }
    }

    /// `group/version`, or `version` in the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Whether a selector, whose empty parts match anything, selects this.
    pub(crate) fn is_selected_by(&self, selector: &Self) -> bool {
        selects(&selector.group, &self.group)
            && selects(&selector.version, &self.version)
            && selects(&selector.kind, &self.kind)
    }

    /// kustomize's order of field specs: important kinds first.
    pub(crate) fn order(&self) -> (i64, String) {
        (rank(&self.kind), self.sort_text())
    }

    /// The text by which legacy orders compare.
    pub(crate) fn sort_text(&self) -> String {
        let or = |text: &str, none: &str| {
            if text.is_empty() {
                none.to_owned()
            } else {
                text.to_owned()
            }
        };
        format!(
            "{}_{}_{}",
            or(&self.group, "~G"),
            or(&self.version, "~V"),
            or(&self.kind, "~K")
        )
    }
}

pub(crate) fn selects(selector: &str, value: &str) -> bool {
    selector.is_empty() || selector == value
}

/// Group and version of an `apiVersion`.
pub(crate) fn split_api_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

impl fmt::Display for Gvk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |text: &'_ String, none: &str| {
            if text.is_empty() {
                none.to_owned()
            } else {
                text.clone()
            }
        };
        write!(
            f,
            "{}.{}.{}",
            part(&self.kind, "[noKind]"),
            part(&self.version, "[noVer]"),
            part(&self.group, "[noGrp]")
        )
    }
}

/// Kinds that come first, and last, in kustomize's legacy order.
pub(crate) const ORDER_FIRST: [&str; 22] = [
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];
/// See [`ORDER_FIRST`].
pub(crate) const ORDER_LAST: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// The place of a kind among those: below zero first, above zero last.
pub(crate) fn rank_in<T: AsRef<str>>(kind: &str, first: &[T], last: &[T]) -> i64 {
    // A later mention wins, as it does in a map that is filled in order.
    let position = |list: &[T]| {
        list.iter()
            .rposition(|name| name.as_ref() == kind)
            .and_then(|at| i64::try_from(at).ok())
    };
    if let Some(at) = position(last) {
        return at + 1;
    }
    let length = i64::try_from(first.len()).unwrap_or(i64::MAX);
    position(first).map_or(0, |at| at - length)
}

fn rank(kind: &str) -> i64 {
    rank_in(kind, &ORDER_FIRST, &ORDER_LAST)
}

/// Whether kinds are cluster-scoped, by `apiVersion` and kind, as far as kustomize knows.
static SCOPES: LazyLock<HashMap<(&'static str, &'static str), bool>> = LazyLock::new(|| {
    include_str!("../data/scopes.txt")
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(scope, _)| *scope != "#")
        .filter_map(|(scope, of)| Some((of.split_once(' ')?, scope == "cluster")))
        .collect()
});

/// Whether kustomize's embedded schema says that a kind is cluster-scoped; `None` if it does not
/// know the kind.
pub(crate) fn builtin_cluster_scope(api_version: &str, kind: &str) -> Option<bool> {
    SCOPES.get(&(api_version, kind)).copied()
}

/// The namespace of an object without one.
pub(crate) const DEFAULT_NAMESPACE: &str = "default";
/// Stands where a cluster-scoped object's namespace would.
pub(crate) const NO_NAMESPACE: &str = "_non_namespaceable_";

/// Identity of an object at some point of the build.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct ResId {
    /// Type.
    pub(crate) gvk: Gvk,
    /// `metadata.name`
    pub(crate) name: String,
    /// `metadata.namespace`, empty if not set.
    pub(crate) namespace: String,
    /// Whether the type is known to be cluster-scoped.
    pub(crate) cluster_scoped: bool,
}

impl ResId {
    /// The namespace that counts in comparisons.
    pub(crate) fn effective_namespace(&self) -> &str {
        if self.cluster_scoped {
            NO_NAMESPACE
        } else if self.namespace.is_empty() {
            DEFAULT_NAMESPACE
        } else {
            &self.namespace
        }
    }
}

/// A [`ResId`] that owns nothing, for looking and comparing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IdRef<'a> {
    pub(crate) group: &'a str,
    pub(crate) version: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) name: &'a str,
    /// Empty if not set.
    pub(crate) namespace: &'a str,
    pub(crate) cluster_scoped: bool,
}

impl<'a> IdRef<'a> {
    /// See [`ResId::effective_namespace`].
    pub(crate) fn effective_namespace(&self) -> &'a str {
        if self.cluster_scoped {
            NO_NAMESPACE
        } else if self.namespace.is_empty() {
            DEFAULT_NAMESPACE
        } else {
            self.namespace
        }
    }

    /// What [`ResId::same`] compares.
    pub(crate) fn parts(&self) -> [&'a str; 5] {
        [
            self.name,
            self.kind,
            self.group,
            self.version,
            self.effective_namespace(),
        ]
    }

    /// The same id, owned.
    pub(crate) fn to_res_id(self) -> ResId {
        ResId {
            gvk: self.to_gvk(),
            name: self.name.to_owned(),
            namespace: self.namespace.to_owned(),
            cluster_scoped: self.cluster_scoped,
        }
    }

    /// The type alone.
    pub(crate) fn to_gvk(self) -> Gvk {
        Gvk {
            group: self.group.to_owned(),
            version: self.version.to_owned(),
            kind: self.kind.to_owned(),
        }
    }

    /// Whether a selector, whose empty parts match anything, selects the type.
    pub(crate) fn is_selected_by(&self, selector: &Gvk) -> bool {
        selects(&selector.kind, self.kind)
            && selects(&selector.group, self.group)
            && selects(&selector.version, self.version)
    }
}

impl ResId {
    /// The same id, borrowed.
    pub(crate) fn as_ref(&self) -> IdRef<'_> {
        IdRef {
            group: &self.gvk.group,
            version: &self.gvk.version,
            kind: &self.gvk.kind,
            name: &self.name,
            namespace: &self.namespace,
            cluster_scoped: self.cluster_scoped,
        }
    }
}

impl fmt::Display for ResId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() {
            "[noName]"
        } else {
            &self.name
        };
        let namespace = if self.namespace.is_empty() {
            "[noNs]"
        } else {
            &self.namespace
        };
        write!(f, "{}/{name}.{namespace}", self.gvk)
    }
}
