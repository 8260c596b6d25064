//! An object on its way through the build.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use weir_yaml::{Data, List, Node, Tag, Text};

use crate::error::{Error, Result};
use crate::id::{DEFAULT_NAMESPACE, Gvk, IdRef, ResId, split_api_version};
use crate::merge;
use crate::ops::{self, Kind};
use crate::origin::Origin;
use crate::schema::Schema;
use crate::twins::Twins;

/// What a generated object does to one that is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Behavior {
    #[default]
    Unspecified,
    Create,
    Replace,
    Merge,
}

impl Behavior {
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "create" => Self::Create,
            "replace" => Self::Replace,
            "merge" => Self::Merge,
            _ => Self::Unspecified,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Merge => "merge",
        }
    }
}

/// An earlier identity; group and version are always the current ones. Identities of one object share what they have in
/// common, and what the object has still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Previous {
    pub(crate) kind: Text,
    pub(crate) name: Text,
    /// Effective namespace.
    pub(crate) namespace: Text,
}

/// An object, and what the build knows about its past. Most lists are empty, so that they take a pointer each.
///
/// kustomize keeps this knowledge in annotations that it removes at the end.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    /// The object; `None` once a patch deleted it.
    pub(crate) node: Option<Node>,
    /// Oldest first.
    pub(crate) previous: List<Previous>,
    /// Innermost first.
    pub(crate) prefixes: List<Text>,
    pub(crate) suffixes: List<Text>,
    pub(crate) behavior: Behavior,
    pub(crate) needs_hash: bool,
    /// A generator made it.
    pub(crate) generated: bool,
    pub(crate) allow_name_change: bool,
    pub(crate) allow_kind_change: bool,
    /// Names of vars that read from this object.
    pub(crate) vars: List<String>,
    pub(crate) origin: Option<Box<Origin>>,
    pub(crate) transformations: List<Origin>,
    pub(crate) twins: Twins,
}

/// Annotations that only kustomize itself and its plugins may carry; they never reach the output.
const INTERNAL_ANNOTATIONS: [&str; 18] = [
    "internal.config.kubernetes.io/previousKinds",
    "internal.config.kubernetes.io/previousNames",
    "internal.config.kubernetes.io/prefixes",
    "internal.config.kubernetes.io/suffixes",
    "internal.config.kubernetes.io/previousNamespaces",
    "internal.config.kubernetes.io/allowNameChange",
    "internal.config.kubernetes.io/allowKindChange",
    "internal.config.kubernetes.io/refBy",
    "internal.config.kubernetes.io/generatorBehavior",
    "internal.config.kubernetes.io/needsHashSuffix",
    "internal.config.kubernetes.io/path",
    "internal.config.kubernetes.io/index",
    "internal.config.kubernetes.io/seqindent",
    "internal.config.kubernetes.io/id",
    "internal.config.kubernetes.io/annotations-migration-resource-id",
    "config.kubernetes.io/path",
    "config.kubernetes.io/index",
    HELM_GENERATED,
];

/// Annotation of what a chart rendered: its namespace was Helm's business, and stays.
pub(crate) const HELM_GENERATED: &str = "internal.config.kubernetes.io/helm-generated";

/// Annotation that holds an object's origin.
pub(crate) const ORIGIN: &str = "config.kubernetes.io/origin";
/// Annotation that holds the transformations of an object.
pub(crate) const TRANSFORMATIONS: &str = "alpha.config.kubernetes.io/transformations";
/// Annotation that keeps an object out of the output.
pub(crate) const LOCAL_CONFIG: &str = "config.kubernetes.io/local-config";

/// `kind` of an object, or nothing.
pub(crate) fn kind(node: &Node) -> &str {
    node.get("kind").and_then(Node::as_str).unwrap_or_default()
}

/// `apiVersion` of an object, or nothing.
pub(crate) fn api_version(node: &Node) -> &str {
    node.get("apiVersion").and_then(Node::as_str).unwrap_or_default()
}

fn meta<'a>(node: &'a Node, field: &str) -> &'a str {
    node.get("metadata")
        .and_then(|meta| meta.get(field))
        .and_then(Node::as_str)
        .unwrap_or_default()
}

/// `metadata.name` of an object, or nothing.
pub(crate) fn name(node: &Node) -> &str {
    meta(node, "name")
}

/// `metadata.namespace` of an object, or nothing.
pub(crate) fn namespace(node: &Node) -> &str {
    meta(node, "namespace")
}

/// The id of an object as messages show it.
pub(crate) fn loose_id(node: &Node) -> ResId {
    ResId {
        gvk: Gvk::new(api_version(node), kind(node)),
        name: name(node).to_owned(),
        namespace: namespace(node).to_owned(),
        cluster_scoped: false,
    }
}

/// A string map below `metadata`: the texts of its values, whatever their types.
pub(crate) fn meta_map(node: &Node, field: &str) -> BTreeMap<String, String> {
    let entries = node
        .get("metadata")
        .and_then(|meta| meta.get(field))
        .and_then(Node::entries)
        .unwrap_or_default();
    let mut map = BTreeMap::new();
    for (key, value) in entries {
        if let Some(key) = key.as_str() {
            map.insert(key.to_owned(), value.as_str().unwrap_or_default().to_owned());
        }
    }
    map
}

/// Sets a string map below `metadata`; an empty one is removed.
pub(crate) fn set_meta_map(node: &mut Node, field: &str, map: &BTreeMap<String, String>) -> Result<()> {
    let meta = ops::lookup_create(node, &["metadata"], Kind::Mapping)?;
    ops::expect(meta, Kind::Mapping)?;
    meta.remove(field);
    if map.is_empty() {
        return Ok(());
    }
    let entries = map
        .iter()
        .map(|(key, value)| (Node::plain(key.clone()), Node::string(value.clone())))
        .collect();
    ops::set_field(meta, field, Node::mapping(entries))
}

impl Resource {
    pub(crate) fn new(node: Node) -> Self {
        let annotation = |name| {
            node.at(&["metadata", "annotations"])
                .and_then(|annotations| annotations.get(name))
                .and_then(Node::as_str)
        };
        let needs_hash = annotation("internal.config.kubernetes.io/needsHashSuffix") == Some("enabled");
        let behavior = annotation("internal.config.kubernetes.io/generatorBehavior")
            .map(Behavior::parse)
            .unwrap_or_default();
        Self {
            node: Some(node),
            previous: List::new(),
            prefixes: List::new(),
            suffixes: List::new(),
            behavior,
            needs_hash,
            generated: false,
            allow_name_change: false,
            allow_kind_change: false,
            vars: List::new(),
            origin: None,
            transformations: List::new(),
            twins: Twins::default(),
        }
    }

    /// Brings scalars in line that kustomize holds once for several places. Says whether anything changed.
    pub(crate) fn align_twins(&mut self) -> bool {
        self.node.as_mut().is_some_and(|node| self.twins.align(node))
    }

    /// Whether kustomize would have annotations of its own on it.
    pub(crate) fn is_tracked(&self) -> bool {
        self.generated
            || self.needs_hash
            || !self.previous.is_empty()
            || self.origin.is_some()
            || !self.transformations.is_empty()
    }

    /// The object, an empty one if it was deleted.
    pub(crate) fn node(&self) -> &Node {
        static EMPTY: LazyLock<Node> = LazyLock::new(|| Node::new(Data::Mapping(List::new()), Tag::Null));
        self.node.as_ref().unwrap_or_else(|| &EMPTY)
    }

    /// Whether there is nothing left of it.
    pub(crate) fn is_empty(&self) -> bool {
        self.node.as_ref().is_none_or(Node::is_null_or_empty)
    }

    pub(crate) fn kind(&self) -> &str {
        kind(self.node())
    }

    pub(crate) fn api_version(&self) -> &str {
        api_version(self.node())
    }

    pub(crate) fn name(&self) -> &str {
        name(self.node())
    }

    /// The name, shared with the object.
    pub(crate) fn name_text(&self) -> Text {
        match self.node().at(&["metadata", "name"]).map(Node::data) {
            Some(Data::Scalar(name)) => name.clone(),
            _ => "".into(),
        }
    }

    pub(crate) fn namespace(&self) -> &str {
        namespace(self.node())
    }

    pub(crate) fn gvk(&self) -> Gvk {
        Gvk::new(self.api_version(), self.kind())
    }

    pub(crate) fn annotations(&self) -> BTreeMap<String, String> {
        meta_map(self.node(), "annotations")
    }

    pub(crate) fn labels(&self) -> BTreeMap<String, String> {
        meta_map(self.node(), "labels")
    }

    pub(crate) fn id(&self, schema: &Schema) -> ResId {
        ResId {
            gvk: self.gvk(),
            name: self.name().to_owned(),
            namespace: self.namespace().to_owned(),
            cluster_scoped: schema.is_cluster_scoped(self.api_version(), self.kind()),
        }
    }

    /// The id it has, borrowed.
    pub(crate) fn id_ref(&self, schema: &Schema) -> IdRef<'_> {
        let (api_version, kind) = (self.api_version(), self.kind());
        let (group, version) = split_api_version(api_version);
        IdRef {
            group,
            version,
            kind,
            name: self.name(),
            namespace: self.namespace(),
            cluster_scoped: schema.is_cluster_scoped(api_version, kind),
        }
    }

    /// The id it has, borrowed, whatever the scope of its type.
    pub(crate) fn loose_ref(&self) -> IdRef<'_> {
        let (group, version) = split_api_version(self.api_version());
        IdRef {
            group,
            version,
            kind: self.kind(),
            name: self.name(),
            namespace: self.namespace(),
            cluster_scoped: false,
        }
    }

    /// Earlier ids, oldest first, borrowed.
    pub(crate) fn previous_refs(&self) -> impl Iterator<Item = IdRef<'_>> {
        let (group, version) = split_api_version(self.api_version());
        // kustomize notes no empty names, and without a name there is no id.
        let known = self.previous.iter().any(|previous| !previous.name.is_empty());
        let previous = if known { self.previous.as_slice() } else { &[] };
        previous.iter().map(move |previous| IdRef {
            group,
            version,
            kind: &previous.kind,
            name: &previous.name,
            namespace: &previous.namespace,
            cluster_scoped: false,
        })
    }

    /// Every id it has had, and the one it has, borrowed.
    pub(crate) fn all_refs(&self, schema: &Schema) -> impl Iterator<Item = IdRef<'_>> {
        self.previous_refs().chain(std::iter::once(self.id_ref(schema)))
    }

    /// The first id it had, borrowed.
    pub(crate) fn original_ref(&self, schema: &Schema) -> IdRef<'_> {
        self.previous_refs().next().unwrap_or_else(|| self.id_ref(schema))
    }

    /// Earlier ids, oldest first.
    pub(crate) fn previous_ids(&self) -> impl Iterator<Item = ResId> + '_ {
        self.previous_refs().map(|id| ResId {
            gvk: Gvk {
                group: id.group.to_owned(),
                version: id.version.to_owned(),
                kind: id.kind.to_owned(),
            },
            name: id.name.to_owned(),
            namespace: id.namespace.to_owned(),
            cluster_scoped: false,
        })
    }

    /// Refuses an object that had a name for a part of its past only, as after a replacement that emptied it: kustomize
    /// notes names and kinds apart, no empty ones, and cannot tell any more which belong together.
    pub(crate) fn check_previous(&self) -> Result<()> {
        let count = |of: fn(&Previous) -> &str| self.previous.iter().filter(|id| !of(id).is_empty()).count();
        let names = count(|id| &id.name);
        if names == 0 || names == self.previous.len() && count(|id| &id.kind) == names {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "number of previous names, number of previous namespaces, number of previous kinds not equal: \
             {} had no name at some time",
            loose_id(self.node())
        )))
    }

    /// What an annotation of kustomize's own makes of a null: the map that it is put into.
    pub(crate) fn open_annotations(&mut self) {
        if self.is_tracked()
            && let Some(meta) = self.node.as_mut().and_then(|node| node.get_mut("metadata"))
            && let Some(annotations) = meta.get_mut("annotations")
            && annotations.is_null()
        {
            *annotations = Node::mapping(Vec::new());
        }
    }

    /// The first id it had.
    pub(crate) fn original_id(&self, schema: &Schema) -> ResId {
        self.previous_ids().next().unwrap_or_else(|| self.id(schema))
    }

    /// Remembers the id it has now.
    pub(crate) fn store_previous(&mut self, schema: &Schema) {
        /// Where most objects are at first.
        static DEFAULT: LazyLock<Text> = LazyLock::new(|| DEFAULT_NAMESPACE.into());
        let id = self.id_ref(schema);
        let last = self.previous.last();
        let shared = |text: &str, path: &[&str], of: fn(&Previous) -> &Text| {
            let own = match self.node().at(path).map(Node::data) {
                Some(Data::Scalar(own)) => Some(own),
                _ => None,
            };
            let mut known = own.into_iter().chain(last.map(of)).chain([&*DEFAULT]);
            let known = known.find(|known| *known == text);
            known.cloned().unwrap_or_else(|| text.into())
        };
        let previous = Previous {
            namespace: shared(id.effective_namespace(), &["metadata", "namespace"], |last| {
                &last.namespace
            }),
            kind: shared(id.kind, &["kind"], |last| &last.kind),
            name: shared(id.name, &["metadata", "name"], |last| &last.name),
        };
        self.previous.add(previous);
    }

    pub(crate) fn set_name(&mut self, name: &str) -> Result<()> {
        self.set_meta("name", name)
    }

    /// Sets the namespace; an empty one removes the field.
    pub(crate) fn set_namespace(&mut self, namespace: &str) -> Result<()> {
        if namespace.is_empty() {
            if let Some(meta) = self.node.as_mut().and_then(|node| node.get_mut("metadata")) {
                meta.remove("namespace");
            }
            return Ok(());
        }
        self.set_meta("namespace", namespace)
    }

    fn set_meta(&mut self, field: &str, value: &str) -> Result<()> {
        let Some(node) = &mut self.node else {
            return Ok(());
        };
        let meta = ops::lookup_create(node, &["metadata"], Kind::Mapping)?;
        ops::set_field(meta, field, Node::plain(value))
    }

    pub(crate) fn set_kind(&mut self, kind: &str) -> Result<()> {
        match &mut self.node {
            Some(node) => ops::set_field(node, "kind", Node::plain(kind)),
            None => Ok(()),
        }
    }

    fn set_api_version(&mut self, api_version: &str) -> Result<()> {
        match &mut self.node {
            Some(node) => ops::set_field(node, "apiVersion", Node::plain(api_version)),
            None => Ok(()),
        }
    }

    /// Lays a strategic merge patch over it.
    pub(crate) fn apply_patch(&mut self, patch: &Self, schema: &Schema) -> Result<()> {
        if patch.allow_name_change || patch.allow_kind_change {
            self.store_previous(schema);
        }
        let (Some(node), Some(overlay)) = (self.node.take(), &patch.node) else {
            return Ok(());
        };
        let (name, namespace, kind) = (
            name(&node).to_owned(),
            namespace(&node).to_owned(),
            kind(&node).to_owned(),
        );
        self.node = merge::merge_object(overlay, node, schema)?;
        if self.is_empty() {
            return Ok(());
        }
        if !patch.allow_kind_change {
            self.set_kind(&kind)?;
        }
        if !patch.allow_name_change {
            self.set_name(&name)?;
        }
        self.set_namespace(&namespace)
    }

    /// The patch as it is laid over one of several targets.
    pub(crate) fn patch_for(&self, target: &Self) -> Result<Self> {
        let mut patch = self.clone();
        let kind = self.kind().to_owned();
        if let Some(node) = &mut patch.node {
            for field in ["labels", "annotations"] {
                let map = meta_map(node, field);
                set_meta_map(node, field, &map)?;
            }
        }
        patch.set_name(self.name())?;
        patch.set_namespace(self.namespace())?;
        patch.set_api_version(target.api_version())?;
        patch.set_kind(&kind)?;
        Ok(patch)
    }

    /// Takes over an older object's metadata where it has none of its own.
    pub(crate) fn inherit(&mut self, old: &Self) -> Result<()> {
        if let Some(node) = &mut self.node {
            for field in ["labels", "annotations"] {
                let mut map = meta_map(old.node(), field);
                map.extend(meta_map(node, field));
                set_meta_map(node, field, &map)?;
            }
        }
        self.set_name(old.name())?;
        self.set_namespace(old.namespace())?;
        self.previous.clone_from(&old.previous);
        self.prefixes.clone_from(&old.prefixes);
        self.suffixes.clone_from(&old.suffixes);
        self.behavior = old.behavior;
        self.needs_hash = self.needs_hash && old.needs_hash;
        self.vars.clone_from(&old.vars);
        self.origin = old.origin.clone().or_else(|| self.origin.take());
        if self.transformations.is_empty() {
            self.transformations.clone_from(&old.transformations);
        }
        Ok(())
    }

    /// Adds an older object's data below its own.
    pub(crate) fn merge_data(&mut self, old: &Self) -> Result<()> {
        for field in ["data", "binaryData"] {
            let texts = |node: &Node| -> BTreeMap<String, String> {
                node.get(field)
                    .and_then(Node::entries)
                    .unwrap_or_default()
                    .iter()
                    .filter_map(|(key, value)| Some((key.as_str()?.to_owned(), ops::text(value).to_owned())))
                    .collect()
            };
            let mut map = texts(old.node());
            map.extend(texts(self.node()));
            if let Some(node) = &mut self.node {
                node.remove(field);
                if !map.is_empty() {
                    let entries = map
                        .into_iter()
                        .map(|(key, value)| (Node::plain(key), crate::generate::value_node(value)))
                        .collect();
                    ops::set_field(node, field, Node::mapping(entries))?;
                }
            }
        }
        Ok(())
    }

    /// Makes each annotation a text without a style, as kustomize does where it notes an origin or a transformation among
    /// them.
    pub(crate) fn rewrite_annotations(&mut self) -> Result<()> {
        let annotations = self.annotations();
        match &mut self.node {
            Some(node) if !annotations.is_empty() => set_meta_map(node, "annotations", &annotations),
            _ => Ok(()),
        }
    }

    /// Gives annotations the form that they have in the output.
    pub(crate) fn finish(&mut self, origins: bool, transformations: bool) -> Result<()> {
        let mut annotations = self.annotations();
        annotations.retain(|name, _| !INTERNAL_ANNOTATIONS.contains(&name.as_str()));
        if !origins {
            annotations.remove(ORIGIN);
        } else if let Some(origin) = &self.origin {
            annotations.insert(ORIGIN.into(), origin.to_yaml());
        }
        if !transformations {
            annotations.remove(TRANSFORMATIONS);
        } else if !self.transformations.is_empty() {
            annotations.insert(
                TRANSFORMATIONS.into(),
                Origin::list_to_yaml(&self.transformations),
            );
        }
        match &mut self.node {
            Some(node) => set_meta_map(node, "annotations", &annotations),
            None => Ok(()),
        }
    }
}

/// Whether one list ends as the other does; an empty one matches only an empty one.
pub(crate) fn same_ending(a: &[Text], b: &[Text]) -> bool {
    if a.is_empty() || b.is_empty() {
        return a.is_empty() && b.is_empty();
    }
    a.iter().rev().zip(b.iter().rev()).all(|(a, b)| a == b)
}
