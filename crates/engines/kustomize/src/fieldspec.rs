//! Field specs: which field of which objects a transformer writes.

use std::collections::HashMap;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use weir_yaml::{Data, Node, Tag, Text};

use crate::error::{Error, Result, Within};
use crate::id::{Gvk, split_api_version};
use crate::ops::{Kind, set_field_keeping_null};
use crate::path;
use crate::resource;

/// A path below objects of a type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct FieldSpec {
    /// The objects; empty parts match anything.
    #[serde(flatten)]
    pub(crate) gvk: Gvk,
    /// Names separated by `/`. `[]` behind a name says that it is a list; lists are entered anyway.
    pub(crate) path: String,
    /// Whether to make the field where it is missing.
    pub(crate) create: bool,
}

impl FieldSpec {
    /// A path in all objects, made where missing.
    pub(crate) fn created(path: &str) -> Self {
        Self {
            gvk: Gvk::default(),
            path: path.to_owned(),
            create: true,
        }
    }

    /// Whether the objects include this one.
    pub(crate) fn matches(&self, object: &Node) -> bool {
        let kind = resource::kind(object);
        let (group, version) = split_api_version(resource::api_version(object));
        crate::id::selects(&self.gvk.kind, kind)
            && crate::id::selects(&self.gvk.group, group)
            && crate::id::selects(&self.gvk.version, version)
    }
}

/// What a field becomes when it is made, or is null.
#[derive(Clone, Debug)]
pub(crate) struct Create {
    pub(crate) kind: Kind,
    pub(crate) tag: Tag,
}

impl Create {
    pub(crate) fn new(kind: Kind, tag: Tag) -> Self {
        Self { kind, tag }
    }
}

/// Calls `set` on each node at the spec's path, if the object is of its type.
pub(crate) fn apply(
    spec: &FieldSpec,
    object: &mut Node,
    create: Option<&Create>,
    set: &mut dyn FnMut(&mut Node) -> Result<()>,
) -> Result<()> {
    if !spec.matches(object) {
        return Ok(());
    }
    apply_matching(spec, &parts_of(&spec.path), object, create, set)
}

fn apply_matching(
    spec: &FieldSpec,
    parts: &[Text],
    object: &mut Node,
    create: Option<&Create>,
    set: &mut dyn FnMut(&mut Node) -> Result<()>,
) -> Result<()> {
    walk(&spec.path, parts, object, create.filter(|_| spec.create), set)
}

/// The names that a path leads through.
pub(crate) fn parts_of(path: &str) -> Vec<Text> {
    path::split(path, '/').into_iter().map(Text::from).collect()
}

/// Calls `set` on each node that is there at a path, given whole and in parts.
pub(crate) fn visit(
    path: &str,
    parts: &[Text],
    object: &mut Node,
    set: &mut dyn FnMut(&mut Node) -> Result<()>,
) -> Result<()> {
    walk(path, parts, object, None, set)
}

fn walk(
    path: &str,
    parts: &[Text],
    object: &mut Node,
    create: Option<&Create>,
    set: &mut dyn FnMut(&mut Node) -> Result<()>,
) -> Result<()> {
    let failed = Walk { create }.node(object, parts, set);
    failed.within(|| {
        format!(
            "considering field '{path}' of object {}",
            resource::loose_id(object)
        )
    })
}

/// Specs made ready for many objects: their paths taken apart, and for each type of object those
/// that are about it.
pub(crate) struct Specs<'a> {
    list: Vec<(&'a FieldSpec, Vec<Text>)>,
    /// By kind, then by `apiVersion`.
    by_type: HashMap<String, HashMap<String, Rc<[usize]>>>,
}

impl<'a> Specs<'a> {
    pub(crate) fn new(specs: impl IntoIterator<Item = &'a FieldSpec>) -> Self {
        Self {
            list: specs
                .into_iter()
                .map(|spec| (spec, parts_of(&spec.path)))
                .collect(),
            by_type: HashMap::new(),
        }
    }

    /// The numbers of the specs about an object's type, for [`Self::apply`].
    pub(crate) fn about(&mut self, object: &Node) -> Rc<[usize]> {
        let (kind, api_version) = (resource::kind(object), resource::api_version(object));
        let known = self.by_type.get(kind).and_then(|of| of.get(api_version));
        if let Some(known) = known {
            return Rc::clone(known);
        }
        let specs = self.list.iter().enumerate();
        let about: Rc<[usize]> = specs
            .filter(|(_, (spec, _))| spec.matches(object))
            .map(|(number, _)| number)
            .collect();
        self.by_type
            .entry(kind.to_owned())
            .or_default()
            .insert(api_version.to_owned(), Rc::clone(&about));
        about
    }

    /// Applies the specs of some numbers in order to an object of their type.
    pub(crate) fn apply(
        &self,
        numbers: &[usize],
        object: &mut Node,
        create: Option<&Create>,
        set: &mut dyn FnMut(&mut Node) -> Result<()>,
    ) -> Result<()> {
        numbers
            .iter()
            .filter_map(|number| self.list.get(*number))
            .try_for_each(|(spec, parts)| apply_matching(spec, parts, object, create, set))
    }

    /// Applies all specs about an object in order.
    pub(crate) fn apply_all(
        &mut self,
        object: &mut Node,
        create: Option<&Create>,
        set: &mut dyn FnMut(&mut Node) -> Result<()>,
    ) -> Result<()> {
        let about = self.about(object);
        self.apply(&about, object, create, set)
    }
}

struct Walk<'a> {
    /// Set if missing fields are to be made.
    create: Option<&'a Create>,
}

impl Walk<'_> {
    fn node(
        &self,
        node: &mut Node,
        parts: &[Text],
        set: &mut dyn FnMut(&mut Node) -> Result<()>,
    ) -> Result<()> {
        let Some((part, rest)) = parts.split_first() else {
            return set(node);
        };
        if node.is_null() {
            return Ok(());
        }
        match node.data_mut() {
            Data::Sequence(items) => items
                .iter_mut()
                .try_for_each(|item| self.node(item, parts, set))
                .within(|| format!("visit traversal on path: [{}]", parts.join(" "))),
            Data::Mapping(_) => self.field(node, part, rest, set),
            _ => Err(Error::invalid("expected sequence or mapping node")),
        }
    }

    fn field(
        &self,
        node: &mut Node,
        part: &Text,
        rest: &[Text],
        set: &mut dyn FnMut(&mut Node) -> Result<()>,
    ) -> Result<()> {
        let (name, is_list) = match part.strip_suffix("[]") {
            Some(name) => (name, true),
            None => (part.as_str(), false),
        };
        if name.is_empty() {
            return Err(Error::invalid("cannot set or create an empty field name"));
        }
        // The kind that a missing or null field takes.
        let (kind, tag, make) = match (self.create, is_list) {
            (_, true) => (Some(Kind::Sequence), Tag::None, false),
            (None, false) => (None, Tag::None, false),
            (Some(create), false) if rest.is_empty() => (Some(create.kind), create.tag, true),
            (Some(_), false) => (Some(Kind::Mapping), Tag::Map, true),
        };
        if node.get(name).is_none() {
            let (Some(kind), true) = (kind, make) else {
                return Ok(());
            };
            // All objects share the name; that of a list is never made.
            set_field_keeping_null(node, part, kind.create())?;
        }
        let Some(field) = node.get_mut(name) else {
            return Ok(());
        };
        if field.is_null()
            && let Some(kind) = kind
        {
            if kind == Kind::Scalar {
                field.set_tag(tag);
            } else {
                *field = kind.create();
                field.set_tag(tag);
            }
        }
        self.node(field, rest, set)
    }
}

/// Merges lists of specs as kustomize does: a spec that an existing one already covers is left
/// out, and the two must agree on `create`.
pub(crate) fn merge_one(list: &mut Vec<FieldSpec>, spec: &FieldSpec) -> Result<()> {
    let covering = list
        .iter()
        .find(|known| known.path == spec.path && known.gvk.is_selected_by(&spec.gvk));
    match covering {
        Some(known) if known.create != spec.create => Err(Error::invalid(format!(
            "conflicting fieldspecs for path '{}' of {}",
            spec.path, spec.gvk
        ))),
        Some(_) => Ok(()),
        None => {
            list.push(spec.clone());
            Ok(())
        }
    }
}

/// Merges all specs of a list into another.
pub(crate) fn merge_all(list: &mut Vec<FieldSpec>, specs: &[FieldSpec]) -> Result<()> {
    specs.iter().try_for_each(|spec| merge_one(list, spec))
}
