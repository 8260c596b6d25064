//! Who applies objects: the field manager and the labels that say so.

use weir_apis::{Object, key};

/// One owner of applied objects, such as a Kustomization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Field manager of every server-side apply.
    pub manager: String,
    /// Label key whose value is the owner's name.
    pub name_label: String,
    /// Label key whose value is the owner's namespace.
    pub namespace_label: String,
    /// The owner's name.
    pub name: String,
    /// The owner's namespace.
    pub namespace: String,
}

impl Owner {
    /// A Kustomization, with Flux's labels and field manager.
    pub fn kustomization(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            manager: key::KUSTOMIZE_MANAGER.into(),
            name_label: key::KUSTOMIZATION_NAME.into(),
            namespace_label: key::KUSTOMIZATION_NAMESPACE.into(),
            name: name.into(),
            namespace: namespace.into(),
        }
    }

    /// Writes the owner's labels on an object.
    pub fn mark(&self, object: &mut Object) {
        object.set_label(&self.name_label, &self.name);
        object.set_label(&self.namespace_label, &self.namespace);
    }

    /// Whether an object carries this owner's labels.
    pub fn owns(&self, object: &Object) -> bool {
        object.label(&self.name_label) == Some(&self.name)
            && object.label(&self.namespace_label) == Some(&self.namespace)
    }
}
