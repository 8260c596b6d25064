//! Where an object came from, for `buildMetadata`.

use weir_yaml::{Node, emit};

use crate::files::clean;

/// A file, or the generator or transformer that made or changed an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Path from the directory being built.
    pub path: String,
    /// Path of the configuration of the generator or transformer.
    pub configured_in: String,
    /// `apiVersion` of the generator or transformer.
    pub api_version: String,
    /// `kind` of the generator or transformer.
    pub kind: String,
    /// `metadata.name` of the generator or transformer.
    pub name: String,
    /// `metadata.namespace` of the generator or transformer.
    pub namespace: String,
}

impl Origin {
    /// This origin, further down a path.
    pub(crate) fn append(&self, path: &str) -> Self {
        Self {
            path: join_relative(&self.path, path),
            ..self.clone()
        }
    }

    /// Something that a kustomization file's own field made.
    pub(crate) fn builtin(&self, file: &str, kind: &str) -> Self {
        Self {
            configured_in: join_relative(&self.path, file),
            api_version: "builtin".into(),
            kind: kind.into(),
            ..Self::default()
        }
    }

    fn to_node(&self) -> Node {
        let mut configured_by = Node::mapping(Vec::new());
        for (key, value) in [
            ("apiVersion", &self.api_version),
            ("kind", &self.kind),
            ("name", &self.name),
            ("namespace", &self.namespace),
        ] {
            if !value.is_empty() {
                configured_by.set(key, Node::string(value.clone()));
            }
        }
        let mut node = Node::mapping(Vec::new());
        if !self.path.is_empty() {
            node.set("path", Node::string(self.path.clone()));
        }
        if !self.configured_in.is_empty() {
            node.set("configuredIn", Node::string(self.configured_in.clone()));
        }
        if !configured_by.is_null_or_empty() {
            node.set("configuredBy", configured_by);
        }
        node
    }

    /// The annotation's text.
    pub fn to_yaml(&self) -> String {
        emit::kyaml(&self.to_node())
    }

    /// The annotation's text for several.
    pub(crate) fn list_to_yaml(list: &[Self]) -> String {
        emit::kyaml(&Node::sequence(list.iter().map(Self::to_node).collect()))
    }
}

/// Joins two relative paths; `..` may lead above the start.
fn join_relative(base: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let text = format!("{base}/{path}");
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    if base.is_empty() && path.starts_with('/') {
        return clean(path);
    }
    parts.join("/")
}
