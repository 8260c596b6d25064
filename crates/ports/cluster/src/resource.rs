//! Which URL serves a type: discovery, asked once a group version.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use weir_apis::GroupVersionKind;

use crate::ApiError;

/// Whether objects of a type live in namespaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// In a namespace each.
    Namespaced,
    /// In the cluster as a whole.
    Cluster,
}

/// A type as the API server serves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Group, version, kind.
    pub gvk: GroupVersionKind,
    /// Name in URLs.
    pub plural: String,
    /// Whether its objects live in namespaces.
    pub scope: Scope,
}

impl Resource {
    /// Path of the collection: of one namespace, or with an empty one of all.
    pub fn path(&self, namespace: &str) -> String {
        let mut path = if self.gvk.group.is_empty() {
            format!("/api/{}", self.gvk.version)
        } else {
            format!("/apis/{}/{}", self.gvk.group, self.gvk.version)
        };
        if self.scope == Scope::Namespaced && !namespace.is_empty() {
            path.push_str("/namespaces/");
            push_segment(&mut path, namespace);
        }
        path.push('/');
        path.push_str(&self.plural);
        path
    }

    /// Path of one object.
    pub fn object_path(&self, namespace: &str, name: &str) -> String {
        let mut path = self.path(namespace);
        path.push('/');
        push_segment(&mut path, name);
        path
    }
}

/// Appends a path segment; whatever is not plainly allowed is percent-encoded, so that a crafted name can't
/// name another resource.
fn push_segment(path: &mut String, segment: &str) {
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':') {
            path.push(char::from(byte));
        } else {
            // Writing to a String can't fail.
            let _ignored = write!(path, "%{byte:02X}");
        }
    }
}

/// What discovery has told so far.
#[derive(Debug, Default)]
pub(crate) struct Discovered(Mutex<HashMap<GroupVersionKind, Resource>>);

impl Discovered {
    pub(crate) fn get(&self, gvk: &GroupVersionKind) -> Option<Resource> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(gvk)
            .cloned()
    }

    /// Takes in an `APIResourceList` of one group version.
    pub(crate) fn learn(&self, group: &str, version: &str, list: &Value) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for entry in list
            .get("resources")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let text = |field: &str| entry.get(field).and_then(Value::as_str).unwrap_or_default();
            let plural = text("name");
            // `deployments/status` and its like are subresources.
            if plural.is_empty() || plural.contains('/') || text("kind").is_empty() {
                continue;
            }
            let gvk = GroupVersionKind::new(group, version, text("kind"));
            let namespaced = entry
                .get("namespaced")
                .and_then(Value::as_bool)
                .unwrap_or_default();
            let scope = if namespaced {
                Scope::Namespaced
            } else {
                Scope::Cluster
            };
            known.insert(
                gvk.clone(),
                Resource {
                    gvk,
                    plural: plural.into(),
                    scope,
                },
            );
        }
    }

    /// Forgets a type, for example because its CRD is gone.
    pub(crate) fn forget(&self, gvk: &GroupVersionKind) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(gvk);
    }
}

/// Adds the versions of an `APIGroupDiscoveryList`, each with its kinds.
pub(crate) fn aggregated(
    answer: &Value,
    what: &str,
    versions: &mut Vec<(String, Vec<String>)>,
) -> Result<(), ApiError> {
    if answer.get("kind").and_then(Value::as_str) != Some("APIGroupDiscoveryList") {
        return Err(ApiError::Answer {
            what: what.to_owned(),
            source: "it is no aggregated discovery, which Kubernetes 1.30 and newer have".into(),
        });
    }
    for group in list(answer, "items") {
        let name = group
            .pointer("/metadata/name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        for version in list(group, "versions") {
            let number = version.get("version").and_then(Value::as_str).unwrap_or_default();
            let mut kinds: Vec<String> = Vec::new();
            for resource in list(version, "resources") {
                for served in std::iter::once(resource).chain(list(resource, "subresources")) {
                    let kind = served.pointer("/responseKind/kind").and_then(Value::as_str);
                    kinds.extend(kind.filter(|kind| !kind.is_empty()).map(ToOwned::to_owned));
                }
            }
            kinds.sort();
            kinds.dedup();
            let gvk = GroupVersionKind::new(name, number, "");
            versions.push((gvk.api_version(), kinds));
        }
    }
    Ok(())
}

fn list<'v>(value: &'v Value, field: &str) -> impl Iterator<Item = &'v Value> {
    value.get(field).and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crafted_names_stay_one_segment() {
        let resource = Resource {
            gvk: GroupVersionKind::new("", "v1", "ConfigMap"),
            plural: "configmaps".into(),
            scope: Scope::Namespaced,
        };
        assert_eq!(
            resource.object_path("a/../b", "x?dryRun=All"),
            "/api/v1/namespaces/a%2F..%2Fb/configmaps/x%3FdryRun%3DAll"
        );
    }
}
