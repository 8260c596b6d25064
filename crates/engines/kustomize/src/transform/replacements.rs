//! `replacements`: values copied from one field to others.

mod structured;
mod visit;

use std::collections::HashMap;

use weir_yaml::{Data, Node};

use crate::decode;
use crate::effects::Effects;
use crate::error::{Error, Result, Within};
use crate::id::{Gvk, IdRef, ResId};
use crate::kustomization::{FieldOptions, Replacement, Source, Target};
use crate::loader::Loader;
use crate::near;
use crate::ops::{self, Kind};
use crate::path;
use crate::resmap::ResMap;
use crate::resource::{Resource, loose_id};
use crate::selector::SelectorMatcher;
use crate::shape::REPLACEMENT;
use crate::twins::unmark;

/// Replaces entries that name a file by the file's replacements.
pub(crate) fn load(list: &[Replacement], loader: &Loader<'_>) -> Result<Vec<Replacement>> {
    let mut loaded = Vec::new();
    for replacement in list {
        if replacement.path.is_empty() {
            loaded.push(replacement.clone());
            continue;
        }
        if replacement.source.is_some() || replacement.targets.is_some() {
            return Err(Error::invalid("cannot specify both path and inline replacement"));
        }
        let value = decode::yaml(&loader.load_text(&replacement.path)?)?;
        let items = match value {
            serde_json::Value::Array(items) => items,
            value @ serde_json::Value::Object(_) => vec![value],
            _ => {
                return Err(Error::invalid(format!(
                    "unsupported replacement type encountered within replacement path '{}'",
                    replacement.path
                )));
            }
        };
        for item in items {
            loaded.push(decode::from_value(item, &REPLACEMENT, false)?);
        }
    }
    Ok(loaded)
}

/// Copies values.
pub(super) fn run(list: &[Replacement], map: &mut ResMap, effects: &mut Effects) -> Result<()> {
    if !list.is_empty() {
        map.iter().try_for_each(Resource::check_previous)?;
    }
    let mut names = Names::of(map);
    for (number, replacement) in list.iter().enumerate() {
        let targets = match (
            &replacement.targets,
            &replacement.source,
            &replacement.source_value,
        ) {
            (Some(targets), Some(_), None) | (Some(targets), None, Some(_)) => targets,
            (Some(_), Some(_), Some(_)) => {
                return Err(Error::invalid(
                    "value and resource selectors are mutually exclusive",
                ));
            }
            _ => {
                return Err(Error::invalid(
                    "replacements must specify a source and at least one target",
                ));
            }
        };
        let mut value = match (&replacement.source, &replacement.source_value) {
            (Some(source), _) => source_value(source, map, &names)?,
            (None, text) => Original::of(Node::plain(text.clone().unwrap_or_default())),
        };
        for (at, target) in targets.iter().enumerate() {
            let count = copy(&mut value, target, map, &mut names)?;
            let select = target.select.as_ref();
            effects.reached((number, at), count, || select?.near(map.list()));
        }
    }
    Ok(())
}

/// The ids by which replacements know an object: the current one, then the earlier ones.
fn ids(resource: &Resource) -> impl Iterator<Item = IdRef<'_>> {
    std::iter::once(resource.loose_ref()).chain(resource.previous_refs())
}

/// The places of the objects that have, or had, a name. It may hold names that an object lost.
struct Names(HashMap<String, Vec<usize>>);

impl Names {
    fn of(map: &ResMap) -> Self {
        let mut names = Self(HashMap::new());
        for (at, resource) in map.iter().enumerate() {
            names.add(at, resource);
        }
        names
    }

    fn add(&mut self, at: usize, resource: &Resource) {
        for id in ids(resource) {
            let Some(places) = self.0.get_mut(id.name) else {
                self.0.insert(id.name.to_owned(), vec![at]);
                continue;
            };
            if let Err(place) = places.binary_search(&at) {
                places.insert(place, at);
            }
        }
    }

    /// Places, in order, where a name may be; all of `count` if any name will do.
    fn places(&self, name: Option<&str>, count: usize) -> Vec<usize> {
        match name {
            Some(name) => self.0.get(name).cloned().unwrap_or_default(),
            None => (0..count).collect(),
        }
    }
}

/// What is copied. kustomize has no copy of it, but the node itself: what a target writes into it is part of what the next
/// one gets.
struct Original {
    value: Node,
    /// The object and the path that it is at, if it is a node of one.
    place: Option<(usize, Vec<String>)>,
}

impl Original {
    fn of(value: Node) -> Self {
        Self { value, place: None }
    }

    /// Takes note of what was written to a path of an object.
    fn written(&mut self, at: usize, path: &[String], node: &Node) -> Result<()> {
        let Some((_, own)) = self.place.as_ref().filter(|(own, _)| *own == at) else {
            return Ok(());
        };
        if path.len() < own.len() && own.starts_with(path) {
            // It was cut off from the object.
            self.place = None;
        } else if let Ok(Some(now)) = ops::lookup(node, own) {
            if count(now) > LARGEST {
                return Err(Error::invalid(format!(
                    "the source at {} grows beyond {LARGEST} nodes by being copied into itself",
                    own.join(".")
                )));
            }
            self.value = now.clone();
            unmark(&mut self.value);
        }
        Ok(())
    }
}

/// Nodes that a source may have once something was written into it: it doubles each time that it is copied into itself
/// (N10). No object of a cluster has as many.
const LARGEST: usize = 100_000;

fn count(node: &Node) -> usize {
    1 + match node.data() {
        Data::Scalar(_) | Data::Alias(_) => 0,
        Data::Sequence(items) => items.iter().map(count).sum(),
        Data::Mapping(entries) => entries.iter().map(|(_, value)| 1 + count(value)).sum(),
    }
}

fn source_value(source: &Source, map: &ResMap, names: &Names) -> Result<Original> {
    let mut found: Option<(usize, &Resource)> = None;
    let name = Some(source.name.as_str()).filter(|name| !name.is_empty());
    let places = names.places(name, map.list().len());
    for (at, resource) in places.iter().filter_map(|at| Some((*at, map.list().get(*at)?))) {
        if ids(resource).any(|id| selects(source, &id)) {
            if found.is_some() {
                return Err(Error::invalid(format!(
                    "multiple matches for selector {}",
                    describe(source)
                )));
            }
            found = Some((at, resource));
        }
    }
    let Some((at, resource)) = found else {
        let error = Error::invalid(format!("nothing selected by {}", describe(source)));
        return Err(error.helped(near::selected(map.list(), &source_id(source).as_ref())));
    };
    let path = if source.field_path.is_empty() {
        DEFAULT_PATH
    } else {
        &source.field_path
    };
    let parts = path::split_dotted(path);
    let node = ops::lookup(resource.node(), &parts)
        .within(|| "error looking up replacement source".into())?
        .filter(|node| !node.is_null_or_empty())
        .ok_or_else(|| {
            Error::invalid(format!(
                "fieldPath `{path}` is missing for replacement source {}",
                describe(source)
            ))
            .helped(near::field(resource.node(), &parts))
        })?;
    let value = refine(source.options.as_ref(), node)?;
    let is_part = source
        .options
        .as_ref()
        .is_some_and(|options| !options.delimiter.is_empty());
    Ok(Original {
        value,
        place: (!is_part).then_some((at, parts)),
    })
}

const DEFAULT_PATH: &str = "metadata.name";

fn selects(source: &Source, id: &IdRef<'_>) -> bool {
    let namespace = ResId {
        namespace: source.namespace.clone(),
        ..ResId::default()
    };
    (source.name.is_empty() || source.name == id.name)
        && (source.namespace.is_empty() || namespace.effective_namespace() == id.effective_namespace())
        && id.is_selected_by(&source.gvk)
}

fn source_id(source: &Source) -> ResId {
    ResId {
        gvk: source.gvk.clone(),
        name: source.name.clone(),
        namespace: source.namespace.clone(),
        ..ResId::default()
    }
}

fn describe(source: &Source) -> String {
    let id = source_id(source);
    if source.field_path.is_empty() {
        id.to_string()
    } else {
        format!("{id}:{}", source.field_path)
    }
}

/// One part of a delimited value.
fn refine(options: Option<&FieldOptions>, node: &Node) -> Result<Node> {
    let Some(options) = options.filter(|options| !options.delimiter.is_empty()) else {
        let mut copy = node.clone();
        unmark(&mut copy);
        return Ok(copy);
    };
    let Some(text) = node.as_str() else {
        return Err(Error::invalid(
            "delimiter option can only be used with scalar nodes",
        ));
    };
    let part = usize::try_from(options.index)
        .ok()
        .and_then(|index| text.split(options.delimiter.as_str()).nth(index))
        .ok_or_else(|| {
            Error::invalid(format!(
                "options.index {} is out of bounds for value {text}",
                options.index
            ))
        })?;
    let mut value = node.clone();
    value.set_data(Data::Scalar(part.into()));
    Ok(value)
}

/// Copies a value into the fields of a target's objects. Returns how many objects there were.
fn copy(original: &mut Original, target: &Target, map: &mut ResMap, names: &mut Names) -> Result<usize> {
    let select = target
        .select
        .as_ref()
        .ok_or_else(|| Error::invalid("target must specify resources to select"))?;
    let matcher = SelectorMatcher::new(select).within(|| "error creating target selector".into())?;
    let rejects = target
        .reject
        .iter()
        .map(|reject| Ok((reject, SelectorMatcher::new(reject)?)))
        .collect::<Result<Vec<_>>>()?;
    let default = [DEFAULT_PATH.to_owned()];
    let paths = if target.field_paths.is_empty() {
        &default
    } else {
        target.field_paths.as_slice()
    };
    let mut count = 0;
    let list = map.list_mut();
    // A selector that cannot be read fails at the first object that it is held against, whatever that is called.
    let name = matcher.whole_name().filter(|_| matcher.is_readable());
    for at in names.places(name, list.len()) {
        let Some(resource) = list.get_mut(at) else {
            continue;
        };
        if !(matcher.annotations(resource)? && matcher.labels(resource)?) {
            continue;
        }
        let mut rejected = false;
        for (reject, matcher) in &rejects {
            let by_labels = !(reject.annotation_selector.is_empty() && reject.label_selector.is_empty());
            let by_id =
                reject.gvk != Gvk::default() || !reject.name.is_empty() || !reject.namespace.is_empty();
            rejected = rejected
                || (by_labels && matcher.annotations(resource)? && matcher.labels(resource)?)
                || (by_id && ids(resource).any(|id| matcher.id(&id)));
        }
        if rejected || !ids(resource).any(|id| matcher.id(&id)) {
            continue;
        }
        let id = loose_id(resource.node());
        if paths.iter().any(|path| path.starts_with("metadata.annotations")) {
            resource.open_annotations();
        }
        if let Some(node) = &mut resource.node {
            for path in paths {
                let parts = path::split_dotted(path);
                copy_to(&original.value, path, &parts, target.options.as_ref(), node)
                    .within(|| format!("replacement target {id}"))?;
                original.written(at, &parts, node)?;
            }
            names.add(at, resource);
            count += 1;
        }
    }
    Ok(count)
}

fn copy_to(
    value: &Node,
    path: &str,
    parts: &[String],
    options: Option<&FieldOptions>,
    node: &mut Node,
) -> Result<()> {
    let create = options.filter(|options| options.create).map(|_| Kind::of(value));
    if structured::set(node, parts, value, create) {
        return Ok(());
    }
    let missing = || {
        let or_create = if create.is_some() {
            "find or create"
        } else {
            "find"
        };
        format!("unable to {or_create} field \"{path}\" in replacement target")
    };
    let count =
        visit::fields(node, parts, create, &mut |field| set(options, field, value)).within(missing)?;
    if count == 0 {
        return Err(Error::invalid(missing()).helped(near::field(node, parts)));
    }
    Ok(())
}

fn set(options: Option<&FieldOptions>, field: &mut Node, value: &Node) -> Result<()> {
    let mut value = value.clone();
    if let Some(options) = options.filter(|options| !options.delimiter.is_empty()) {
        let Some(old) = field.as_str() else {
            return Err(Error::invalid(
                "delimiter option can only be used with scalar nodes",
            ));
        };
        let mut parts: Vec<&str> = old.split(options.delimiter.as_str()).collect();
        let new = ops::text(&value).to_owned();
        match usize::try_from(options.index) {
            Err(_) => parts.insert(0, &new),
            Ok(index) => match parts.get_mut(index) {
                Some(part) => *part = &new,
                None => parts.push(&new),
            },
        }
        let joined = parts.join(&options.delimiter);
        value.set_data(Data::Scalar(joined.into()));
    }
    put(field, value);
    Ok(())
}

/// Replaces a field; a scalar keeps its type and style and takes only the text.
fn put(field: &mut Node, value: Node) {
    if let Data::Scalar(text) = field.data_mut() {
        *text = match value.into_data() {
            Data::Scalar(new) => new,
            _ => "".into(),
        };
        return;
    }
    let span = field.span();
    *field = value;
    field.set_span(span);
}
