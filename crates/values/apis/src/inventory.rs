//! The list of objects that a Kustomization has applied, in Flux's format.

use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{GroupVersionKind, ObjectRef};

/// `status.inventory`: what was applied, in the order of application.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Inventory {
    /// One entry an object.
    pub entries: Vec<Entry>,
}

/// One applied object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// `<namespace>_<name>_<group>_<kind>`; `:` in a name is written `__`.
    pub id: String,
    /// API version of the object when it was applied.
    pub v: String,
}

/// An inventory id that has not four parts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("inventory entry `{id}` is not of the form <namespace>_<name>_<group>_<kind>")]
pub struct InvalidEntry {
    /// The id as stored.
    pub id: String,
}

impl Entry {
    /// The entry of an object. Cluster-scoped objects must come with an empty namespace.
    pub fn new(object: &ObjectRef) -> Self {
        // RBAC names may hold colons, which the id's format (cli-utils object.ObjMetadata) writes as two underscores.
        let name = object.name.replace(':', "__");
        Self {
            id: format!(
                "{}_{}_{}_{}",
                object.namespace, name, object.gvk.group, object.gvk.kind
            ),
            v: object.gvk.version.clone(),
        }
    }

    /// The object of an entry.
    pub fn reference(&self) -> Result<ObjectRef, InvalidEntry> {
        let invalid = || InvalidEntry { id: self.id.clone() };
        let (namespace, rest) = self.id.split_once('_').ok_or_else(invalid)?;
        let (rest, kind) = rest.rsplit_once('_').ok_or_else(invalid)?;
        let (name, group) = rest.rsplit_once('_').ok_or_else(invalid)?;
        if name.is_empty() || kind.is_empty() {
            return Err(invalid());
        }
        let gvk = GroupVersionKind::new(group, self.v.clone(), kind);
        Ok(ObjectRef::new(gvk, namespace, name.replace("__", ":")))
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)
    }
}

impl Inventory {
    /// The inventory of objects in the order of application.
    pub fn of<'a>(objects: impl IntoIterator<Item = &'a ObjectRef>) -> Self {
        Self {
            entries: objects.into_iter().map(Entry::new).collect(),
        }
    }

    /// Entries of `self` that `newer` no longer has. Versions are not compared: the same object served
    /// under another version stays (flux-controllers.md §3.7).
    pub fn stale<'a>(&'a self, newer: &Self) -> Vec<&'a Entry> {
        let keep: BTreeSet<&str> = newer.entries.iter().map(|e| e.id.as_str()).collect();
        self.entries
            .iter()
            .filter(|e| !keep.contains(e.id.as_str()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_what_they_were_made_of() {
        for (group, kind, ns, name, id) in [
            ("apps", "Deployment", "apps", "web", "apps_web_apps_Deployment"),
            ("", "Namespace", "", "cert-manager", "_cert-manager__Namespace"),
            (
                "rbac.authorization.k8s.io",
                "ClusterRole",
                "",
                "a:b",
                "_a__b_rbac.authorization.k8s.io_ClusterRole",
            ),
        ] {
            let reference = ObjectRef::new(GroupVersionKind::new(group, "v1", kind), ns, name);
            let entry = Entry::new(&reference);
            assert_eq!(entry.id, id);
            assert_eq!(entry.reference().unwrap(), reference);
        }
    }

    #[test]
    fn broken_ids_are_errors() {
        for id in ["", "a", "a_b", "a_b_c", "___"] {
            assert!(
                Entry {
                    id: id.into(),
                    v: "v1".into()
                }
                .reference()
                .is_err(),
                "{id}"
            );
        }
    }
}
