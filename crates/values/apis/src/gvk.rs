//! What identifies a type and an object in the Kubernetes API.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Group and kind, without a version: what Kubernetes compares when it asks "is this the same type".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GroupKind {
    /// API group; empty for the core group.
    pub group: String,
    /// Kind, as in the object's `kind` field.
    pub kind: String,
}

impl GroupKind {
    /// A group and kind from their two strings.
    pub fn new(group: impl Into<String>, kind: impl Into<String>) -> Self {
        Self {
            group: group.into(),
            kind: kind.into(),
        }
    }
}

impl fmt::Display for GroupKind {
    /// `Deployment.apps`, or `Service` for the core group, as kubectl prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.group.is_empty() {
            f.write_str(&self.kind)
        } else {
            write!(f, "{}.{}", self.kind, self.group)
        }
    }
}

/// Group, version and kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GroupVersionKind {
    /// API group; empty for the core group.
    pub group: String,
    /// Version within the group, such as `v1`.
    pub version: String,
    /// Kind, as in the object's `kind` field.
    pub kind: String,
}

impl GroupVersionKind {
    /// A type from its three strings.
    pub fn new(group: impl Into<String>, version: impl Into<String>, kind: impl Into<String>) -> Self {
        Self {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
        }
    }

    /// Reads `apps/v1` or `v1` and a kind.
    pub fn from_api_version(api_version: &str, kind: impl Into<String>) -> Self {
        match api_version.split_once('/') {
            Some((group, version)) => Self::new(group, version, kind),
            None => Self::new("", api_version, kind),
        }
    }

    /// `group/version`, or the version alone for the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// The type without its version.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind::new(self.group.clone(), self.kind.clone())
    }
}

impl fmt::Display for GroupVersionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.api_version(), self.kind)
    }
}

/// One object: its type, namespace and name. A cluster-scoped object has an empty namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectRef {
    /// The object's type.
    #[serde(flatten)]
    pub gvk: GroupVersionKind,
    /// Namespace; empty for cluster-scoped objects.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl ObjectRef {
    /// A reference from a type, a namespace (empty for cluster scope) and a name.
    pub fn new(gvk: GroupVersionKind, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            gvk,
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// Equality as Kubernetes sees it: another version of the same object is the same object.
    pub fn same_object(&self, other: &Self) -> bool {
        self.gvk.group == other.gvk.group
            && self.gvk.kind == other.gvk.kind
            && self.namespace == other.namespace
            && self.name == other.name
    }
}

impl fmt::Display for ObjectRef {
    /// `Deployment/apps/frontend`, or `Namespace/apps` without a namespace: the form that Flux uses in
    /// events and error texts (fluxcd/pkg `ssa.FmtObjMetadata`).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{}/{}", self.gvk.kind, self.name)
        } else {
            write!(f, "{}/{}/{}", self.gvk.kind, self.namespace, self.name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_group_has_a_bare_version() {
        let gvk = GroupVersionKind::from_api_version("v1", "Service");
        assert_eq!((gvk.group.as_str(), gvk.api_version().as_str()), ("", "v1"));
        assert_eq!(
            GroupVersionKind::from_api_version("apps/v1", "Deployment").api_version(),
            "apps/v1"
        );
    }

    #[test]
    fn references_print_as_flux_prints_them() {
        let deployment = GroupVersionKind::new("apps", "v1", "Deployment");
        assert_eq!(
            ObjectRef::new(deployment, "apps", "web").to_string(),
            "Deployment/apps/web"
        );
        assert_eq!(
            ObjectRef::new(GroupVersionKind::new("", "v1", "Namespace"), "", "apps").to_string(),
            "Namespace/apps"
        );
    }
}
