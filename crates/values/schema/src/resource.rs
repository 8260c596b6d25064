//! What discovery says about a resource.

use serde::{Deserialize, Serialize};

use crate::GroupVersionKind;

/// One resource in one version, as discovery lists it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Resource {
    /// API group, empty for the core group.
    #[serde(skip)]
    pub group: String,
    /// API version.
    #[serde(skip)]
    pub version: String,
    /// Plural name, as in paths: `deployments`.
    pub plural: String,
    /// Singular name: `deployment`.
    pub singular: String,
    /// Kind of its objects.
    pub kind: String,
    /// Whether objects live in a namespace.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub namespaced: bool,
    /// Verbs the resource answers, sorted.
    pub verbs: Vec<String>,
    /// Short names: `deploy`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub short_names: Vec<String>,
    /// Categories: `all`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// Subresources in discovery's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subresources: Vec<Subresource>,
    /// Group, version and kind of what create answers with, when it is not this resource's own (`Binding`, reviews).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<GroupVersionKind>,
}

impl Resource {
    /// The type of the resource's objects.
    pub fn gvk(&self) -> GroupVersionKind {
        GroupVersionKind::new(&self.group, &self.version, &self.kind)
    }

    /// Whether the resource answers `verb`.
    pub fn has_verb(&self, verb: &str) -> bool {
        self.verbs.iter().any(|known| known == verb)
    }

    /// The subresource called `name`.
    pub fn subresource(&self, name: &str) -> Option<&Subresource> {
        self.subresources.iter().find(|sub| sub.name == name)
    }
}

/// A subresource: `status`, `scale`, `token`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Subresource {
    /// Last part of its path.
    pub name: String,
    /// Type of its objects; an empty group and version mean the resource's own.
    pub response: GroupVersionKind,
    /// Verbs it answers, sorted.
    pub verbs: Vec<String>,
}
