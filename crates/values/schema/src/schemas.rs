//! The set of types and resources.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use crate::node::{Kind, Node};
use crate::{GroupVersionKind, Resource, TypeInfo};

/// The generated facts; see `examples/generate.rs`.
pub(crate) const BUILTIN: &str = include_str!("../data/builtin.json");

/// Name of the type of `metadata`.
const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// Why schema data could not be read.
#[derive(Debug, Error)]
pub enum ReadSchemaError {
    /// The text is not JSON of the expected form.
    #[error("schema data is malformed")]
    Malformed(#[from] serde_json::Error),
}

/// Types by name, types by group, version and kind, and the resources that serve them.
#[derive(Debug, Clone, Default)]
pub struct Schemas {
    types: BTreeMap<String, Arc<Node>>,
    kinds: BTreeMap<GroupVersionKind, String>,
    resources: Vec<Arc<Resource>>,
    /// Stands for a reference whose target is missing: anything goes.
    anything: Node,
}

/// The shape of `data/builtin.json`.
#[derive(Deserialize)]
struct Data {
    groups: Vec<GroupData>,
    types: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct GroupData {
    group: String,
    version: String,
    resources: Vec<Resource>,
}

impl Schemas {
    /// The types and resources of kube-apiserver v1.34.2 as it comes. Reading takes a few milliseconds: keep the value.
    ///
    /// # Panics
    ///
    /// Never: the data is part of the crate and a test reads it.
    pub fn builtin() -> Self {
        Self::read(BUILTIN).expect("the committed data is read by a test")
    }

    /// Reads data of the form that `examples/generate.rs` writes.
    pub fn read(text: &str) -> Result<Self, ReadSchemaError> {
        let data: Data = serde_json::from_str(text)?;
        let mut schemas = Self::default();
        for (name, schema) in &data.types {
            schemas.types.insert(name.clone(), Arc::new(Node::read(schema)));
            for gvk in schema.get("gvk").and_then(Value::as_array).into_iter().flatten() {
                let part = |index: usize| gvk.get(index).and_then(Value::as_str).unwrap_or_default();
                schemas
                    .kinds
                    .insert(GroupVersionKind::new(part(0), part(1), part(2)), name.clone());
            }
        }
        for group in data.groups {
            for mut resource in group.resources {
                resource.group.clone_from(&group.group);
                resource.version.clone_from(&group.version);
                schemas.resources.push(Arc::new(resource));
            }
        }
        Ok(schemas)
    }

    /// The types of one version of a custom resource: its `openAPIV3Schema`, completed with `apiVersion`, `kind` and
    /// `metadata`. `builtin` lends the type of `metadata`.
    pub fn from_crd_schema(builtin: &Self, gvk: GroupVersionKind, schema: Option<&Value>) -> Self {
        let mut root = match schema {
            Some(schema) => Node::read(schema),
            None => Node {
                kind: Kind::Object,
                preserve_unknown: true,
                ..Node::default()
            },
        };
        complete_object(&mut root);
        complete_embedded(&mut root);
        let name = format!("{}.{}.{}", gvk.group, gvk.version, gvk.kind);
        let mut types: BTreeMap<String, Arc<Node>> = builtin
            .types
            .iter()
            .filter(|(name, _)| name.starts_with("io.k8s.apimachinery.pkg.apis.meta.v1."))
            .map(|(name, node)| (name.clone(), Arc::clone(node)))
            .collect();
        types.insert(name.clone(), Arc::new(root));
        Self {
            types,
            kinds: BTreeMap::from([(gvk, name)]),
            ..Self::default()
        }
    }

    /// The type of objects with this `apiVersion` and `kind`.
    pub fn lookup(&self, gvk: &GroupVersionKind) -> Option<TypeInfo<'_>> {
        self.kinds.get(gvk).and_then(|name| self.type_named(name))
    }

    /// The type called `name`, as OpenAPI names it: `io.k8s.api.core.v1.PodSpec`.
    pub fn type_named(&self, name: &str) -> Option<TypeInfo<'_>> {
        self.types.get(name).map(|node| TypeInfo::new(self, node))
    }

    /// The OpenAPI name of the type with this `apiVersion` and `kind`.
    pub fn type_name(&self, gvk: &GroupVersionKind) -> Option<&str> {
        self.kinds.get(gvk).map(String::as_str)
    }

    /// All resources, in discovery's order.
    pub fn resources(&self) -> &[Arc<Resource>] {
        &self.resources
    }

    /// The resource that serves objects of this type.
    pub fn resource_of(&self, gvk: &GroupVersionKind) -> Option<&Arc<Resource>> {
        self.resources
            .iter()
            .find(|known| known.kind == gvk.kind && known.version == gvk.version && known.group == gvk.group)
    }

    /// Whether objects of this type live in a namespace; `None` for a type that is not built in.
    pub fn is_namespaced(&self, gvk: &GroupVersionKind) -> Option<bool> {
        self.resource_of(gvk).map(|resource| resource.namespaced)
    }

    pub(crate) fn resolve<'a>(&'a self, site: &'a Node) -> &'a Node {
        match &site.reference {
            Some(name) => self.types.get(name).map_or(&self.anything, Arc::as_ref),
            None => site,
        }
    }
}

/// Adds what every object has and a structural schema need not repeat.
fn complete_object(node: &mut Node) {
    let text = || Node {
        kind: Kind::String,
        ..Node::default()
    };
    node.properties
        .entry("apiVersion".to_owned())
        .or_insert_with(text);
    node.properties.entry("kind".to_owned()).or_insert_with(text);
    node.properties
        .insert("metadata".to_owned(), Node::reference_to(OBJECT_META));
}

fn complete_embedded(node: &mut Node) {
    if node.embedded {
        complete_object(node);
    }
    for field in node.properties.values_mut() {
        complete_embedded(field);
    }
    if let Some(items) = &mut node.items {
        complete_embedded(items);
    }
    if let crate::node::Additional::Schema(value) = &mut node.additional {
        complete_embedded(value);
    }
}
