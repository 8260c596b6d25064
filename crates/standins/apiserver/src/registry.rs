//! The resources being served: built-in ones and those of CustomResourceDefinitions.

use std::sync::Arc;

use serde_json::Value;
use weir_schema::{GroupVersionKind, Resource, Schemas, Subresource};

use crate::fields::FieldType;
use crate::object;
use crate::store::Key;

/// One resource in one version.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) resource: Arc<Resource>,
    pub(crate) list_kind: String,
    /// Where its objects are kept. Versions of one resource share it.
    pub(crate) key: Key,
    pub(crate) schemas: Arc<Schemas>,
    /// The version's part of the CustomResourceDefinition, for a custom resource.
    pub(crate) custom: Option<Arc<Custom>>,
}

/// What a CustomResourceDefinition says of one version.
#[derive(Debug)]
pub(crate) struct Custom {
    /// The entry of `spec.versions`.
    pub(crate) version: Value,
}

impl Custom {
    /// `openAPIV3Schema`.
    pub(crate) fn schema(&self) -> Option<&Value> {
        object::at(&self.version, &["schema", "openAPIV3Schema"])
    }

    pub(crate) fn has_status(&self) -> bool {
        object::at(&self.version, &["subresources", "status"]).is_some_and(|status| !status.is_null())
    }

    pub(crate) fn scale(&self) -> Option<&Value> {
        object::at(&self.version, &["subresources", "scale"]).filter(|scale| !scale.is_null())
    }
}

impl Served {
    pub(crate) fn gvk(&self) -> GroupVersionKind {
        self.resource.gvk()
    }

    pub(crate) fn api_version(&self) -> String {
        self.gvk().api_version()
    }

    pub(crate) fn group(&self) -> &str {
        &self.resource.group
    }

    pub(crate) fn plural(&self) -> &str {
        &self.resource.plural
    }

    /// The type of its objects, as merge rules see it.
    pub(crate) fn field_type(&self) -> FieldType<'_> {
        self.schemas
            .lookup(&self.gvk())
            .map_or(FieldType::Deduced, FieldType::root)
    }

    /// The object as this version shows it. Versions differ by their name only, for custom resources by the `None`
    /// conversion.
    pub(crate) fn present(&self, stored: &Arc<Value>) -> Arc<Value> {
        let api_version = self.api_version();
        if object::text(stored, &["apiVersion"]) == api_version
            && object::text(stored, &["kind"]) == self.resource.kind
        {
            return Arc::clone(stored);
        }
        Arc::new(crate::convert::to_version(self, stored))
    }

    /// Whether `status` is written through its own subresource only.
    pub(crate) fn has_status(&self) -> bool {
        self.resource.subresource("status").is_some()
    }
}

/// All served resources.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    builtin: Vec<Arc<Served>>,
    custom: Vec<Arc<Served>>,
}

impl Registry {
    /// The built-in resources.
    pub(crate) fn new(schemas: &Arc<Schemas>) -> Self {
        let builtin = schemas
            .resources()
            .iter()
            .map(|resource| {
                let storage_group = if resource.group == "events.k8s.io" {
                    ""
                } else {
                    resource.group.as_str()
                };
                Arc::new(Served {
                    list_kind: format!("{}List", resource.kind),
                    key: Key::new(storage_group, &resource.plural),
                    resource: Arc::clone(resource),
                    schemas: Arc::clone(schemas),
                    custom: None,
                })
            })
            .collect();
        Self {
            builtin,
            custom: Vec::new(),
        }
    }

    /// Replaces the custom resources.
    pub(crate) fn set_custom(&mut self, custom: Vec<Arc<Served>>) {
        self.custom = custom;
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Served>> {
        self.builtin.iter().chain(&self.custom)
    }

    pub(crate) fn find(&self, group: &str, version: &str, plural: &str) -> Option<&Arc<Served>> {
        self.all().find(|served| {
            served.resource.plural == plural
                && served.resource.group == group
                && served.resource.version == version
        })
    }

    /// Any version of the resource kept under `key`.
    pub(crate) fn by_key(&self, key: &Key) -> Option<&Arc<Served>> {
        self.all()
            .find(|served| served.key == *key && served.resource.group == key.group)
    }

    /// The resource of a kind, in the version asked for or else in any.
    pub(crate) fn by_kind(&self, api_version: &str, kind: &str) -> Option<&Arc<Served>> {
        let gvk = GroupVersionKind::from_api_version(api_version, kind);
        let same =
            |served: &&Arc<Served>| served.resource.kind == gvk.kind && served.resource.group == gvk.group;
        self.all()
            .find(|served| same(served) && served.resource.version == gvk.version)
            .or_else(|| self.all().find(same))
    }

    /// The group and version pairs being served.
    pub(crate) fn has_version(&self, group: &str, version: &str) -> bool {
        self.all()
            .any(|served| served.resource.group == group && served.resource.version == version)
    }

    /// Whether a group and version are built in.
    pub(crate) fn is_builtin_version(&self, group: &str, version: &str) -> bool {
        self.builtin
            .iter()
            .any(|served| served.resource.group == group && served.resource.version == version)
    }

    /// Every version of one resource.
    pub(crate) fn versions_of<'a>(&'a self, key: &'a Key) -> impl Iterator<Item = &'a Arc<Served>> {
        self.all().filter(move |served| served.key == *key)
    }
}

/// A subresource that every custom resource version has when asked for.
pub(crate) fn subresource(name: &str, response: GroupVersionKind) -> Subresource {
    Subresource {
        name: name.to_owned(),
        response,
        verbs: ["get", "patch", "update"].map(str::to_owned).to_vec(),
    }
}
