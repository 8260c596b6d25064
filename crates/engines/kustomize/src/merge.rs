//! Strategic merge as kustomize does it: a patch laid over an object, lists merged by the keys that
//! the schema names, `$patch` directives obeyed.
//!
//! The walk follows kyaml's, whose results hang on details: what happens to nulls, which of two
//! equal items survives, that merged lists put the patch's items first.

mod again;
mod list;

use std::collections::{BTreeSet, HashMap};

use weir_yaml::{Comments, Data, Node, Style, Tag};

use crate::error::{Error, Result};
use crate::ops::{self, Kind};
use crate::resource;
use crate::schema::{Schema, TypeRef};

/// Where items that only the patch has go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Growth {
    /// In front of the existing ones, as `kustomize build` does.
    #[default]
    Prepend,
    /// Behind them.
    Append,
}

/// What a walk consults.
#[derive(Clone, Copy)]
struct Context<'a> {
    schema: &'a Schema,
    growth: Growth,
    /// Merge lists without a schema by `name`, if all items have it.
    infer: bool,
}

/// Lays a patch over an object; `None` if the patch deletes it.
///
/// A patch that is to replace the whole object changes nothing: kustomize makes the new object, and then does not take
/// it up.
pub(crate) fn merge_object(patch: &Node, object: Node, schema: &Schema) -> Result<Option<Node>> {
    let context = Context {
        schema,
        growth: Growth::Prepend,
        infer: false,
    };
    let replaces = patch.get(DIRECTIVE).and_then(Node::as_str) == Some("replace");
    let kept = replaces.then(|| object.clone());
    let outcome = context.walk(Some(object), Origin::Some(patch.clone()), None)?;
    Ok(match (outcome.node, outcome.is_dest, kept) {
        (Some(_), false, Some(mut kept)) => {
            adopt(&mut kept, patch);
            Some(kept)
        }
        (node, ..) => node,
    })
}

/// Lays a patch over an object with kustomize's embedded schema and kyaml's options.
///
/// `infer` merges lists that the schema does not know by the key `name`, where all items have it.
/// Returns `None` if the patch deletes the object.
pub fn merge_with(patch: Node, object: Node, growth: Growth, infer: bool) -> Result<Option<Node>, Error> {
    let context = Context {
        schema: Schema::builtin(),
        growth,
        infer,
    };
    Ok(context.walk(Some(object), Origin::Some(patch), None)?.node)
}

/// The patch's side of a walk.
enum Origin<T = Node> {
    /// The patch has nothing here.
    None,
    /// The patch's node.
    Some(T),
    /// The destination came from the patch: both sides are one node.
    Same,
}

impl Origin {
    /// What its node holds.
    fn into_data(self) -> Origin<Data> {
        match self {
            Self::None => Origin::None,
            Self::Some(node) => Origin::Some(node.into_data()),
            Self::Same => Origin::Same,
        }
    }
}

/// What a walk makes of a place.
struct Outcome {
    node: Option<Node>,
    /// The node is the destination's own, perhaps changed.
    is_dest: bool,
    /// A null that is to stay.
    keep_null: bool,
}

impl Outcome {
    fn gone() -> Self {
        Self {
            node: None,
            is_dest: false,
            keep_null: false,
        }
    }

    fn dest(node: Node) -> Self {
        Self {
            node: Some(node),
            is_dest: true,
            keep_null: false,
        }
    }

    fn origin(node: Node) -> Self {
        Self {
            node: Some(node),
            is_dest: false,
            keep_null: false,
        }
    }
}

fn missing(node: Option<&Node>) -> bool {
    node.is_none_or(Node::is_null)
}

impl<'a> Context<'a> {
    fn walk(self, dest: Option<Node>, origin: Origin, schema: Option<TypeRef<'a>>) -> Result<Outcome> {
        let other = match &origin {
            Origin::Some(node) => Some(node),
            _ => None,
        };
        let kind = [dest.as_ref(), other]
            .into_iter()
            .flatten()
            .find(|node| !node.is_null())
            .map(Kind::of);
        let schema = schema.or_else(|| {
            [dest.as_ref(), other].into_iter().flatten().find_map(|node| {
                self.schema
                    .kind(resource::api_version(node), resource::kind(node))
            })
        });
        if let Some(kind) = kind {
            for node in [dest.as_ref(), other].into_iter().flatten() {
                ops::expect(node, kind)?;
            }
        }
        match kind {
            None | Some(Kind::Mapping) => self.map(dest, origin, schema),
            Some(Kind::Sequence) => self.sequence(dest, origin, schema),
            Some(Kind::Scalar) => Ok(match (dest, origin) {
                (_, Origin::Some(node)) => Outcome::origin(node),
                (Some(dest), _) => Outcome::dest(dest),
                (None, _) => Outcome::gone(),
            }),
        }
    }

    fn map(self, dest: Option<Node>, origin: Origin, schema: Option<TypeRef<'a>>) -> Result<Outcome> {
        let (mut node, origin, is_dest) = match visit_map(dest, origin)? {
            Visit::Done(outcome) => return Ok(outcome),
            Visit::Go {
                node,
                origin,
                is_dest,
            } => (node, origin, is_dest),
        };
        let mut patch = match origin.into_data() {
            Origin::Some(Data::Mapping(entries)) => {
                let mut fields = HashMap::with_capacity(entries.len());
                for (key, value) in entries {
                    if let Some(name) = key.as_str().map(str::to_owned) {
                        // Here too the first of repeated keys counts.
                        fields.entry(name).or_insert((key, value));
                    }
                }
                Patch::Fields(fields)
            }
            Origin::Same => Patch::Same,
            _ => Patch::Nothing,
        };
        let Some(entries) = node.entries_mut() else {
            return Ok(Outcome {
                node: Some(node),
                is_dest,
                keep_null: false,
            });
        };
        // The first of repeated keys is the one that counts.
        let mut index: HashMap<String, usize> = HashMap::new();
        let mut names: BTreeSet<String> = BTreeSet::new();
        for (at, (key, _)) in entries.iter().enumerate() {
            if let Some(name) = key.as_str() {
                index.entry(name.to_owned()).or_insert(at);
                names.insert(name.to_owned());
            }
        }
        if let Patch::Fields(fields) = &patch {
            names.extend(fields.keys().cloned());
        }
        let mut removed = BTreeSet::new();
        for name in names {
            let at = index.get(&name).copied();
            let old = at.and_then(|at| entries.get_mut(at)).map(|(_, value)| {
                let kept = (value.style(), value.span());
                (std::mem::replace(value, Node::null()), kept)
            });
            let kept = old.as_ref().map(|(_, kept)| *kept);
            let dest = old.map(|(value, _)| value);
            let (key_style, origin) = match &mut patch {
                Patch::Fields(fields) => match fields.remove(&name) {
                    Some((key, value)) => (key.style(), Origin::Some(value)),
                    None => (Style::Plain, Origin::None),
                },
                Patch::Same if dest.is_some() => (Style::Plain, Origin::Same),
                _ => (Style::Plain, Origin::None),
            };
            let field_type = schema.and_then(|schema| schema.field(&name));
            let outcome = self.walk(dest, origin, field_type)?;
            match (outcome.node, at) {
                (Some(value), at) if value.is_null() && !outcome.keep_null => {
                    removed.extend(at);
                }
                (None, at) => removed.extend(at),
                (Some(mut value), Some(at)) => {
                    if let (Some((style, span)), false) = (kept, outcome.is_dest) {
                        value.set_style(style);
                        value.set_span(span);
                    } else {
                        // kyaml sets the field to what it is, and its setter does this.
                        ops::quote_if_ambiguous(&mut value);
                    }
                    if let Some((_, slot)) = entries.get_mut(at) {
                        *slot = value;
                    }
                }
                (Some(mut value), None) => {
                    ops::quote_if_ambiguous(&mut value);
                    let mut key = Node::plain(name);
                    key.set_style(key_style);
                    entries.add((key, value));
                }
            }
        }
        if !removed.is_empty() {
            let mut at = 0;
            entries.retain(|_| {
                at += 1;
                !removed.contains(&(at - 1))
            });
        }
        Ok(Outcome {
            node: Some(node),
            is_dest,
            keep_null: false,
        })
    }

    fn sequence(self, dest: Option<Node>, origin: Origin, schema: Option<TypeRef<'a>>) -> Result<Outcome> {
        let keys = match schema {
            Some(schema) => schema.merge_keys().map(<[String]>::to_vec),
            None if self.infer => list::inferred_keys(dest.as_ref(), &origin)?,
            None => None,
        };
        match keys {
            Some(keys) => self.merge_list(dest, origin, schema, &keys),
            None => Ok(match (dest, origin) {
                (_, Origin::Some(node)) => Outcome::origin(node),
                (Some(dest), _) => Outcome::dest(dest),
                (None, _) => Outcome::gone(),
            }),
        }
    }
}

/// The fields of the patch, while they are being used up.
enum Patch {
    Nothing,
    Same,
    Fields(HashMap<String, (Node, Node)>),
}

/// A decision about a mapping as a whole.
enum Visit {
    Done(Outcome),
    Go {
        node: Node,
        origin: Origin,
        is_dest: bool,
    },
}

fn visit_map(dest: Option<Node>, origin: Origin) -> Result<Visit> {
    if missing(dest.as_ref()) {
        return Ok(match origin {
            // A null that is written out stays; one that is left empty goes.
            Origin::None => Visit::Done(match dest {
                Some(node) if node.as_str().is_some_and(|text| !text.is_empty()) => Outcome {
                    node: Some(node),
                    is_dest: true,
                    keep_null: true,
                },
                _ => Outcome::gone(),
            }),
            Origin::Same => Visit::Done(Outcome {
                node: dest,
                is_dest: true,
                keep_null: false,
            }),
            Origin::Some(mut node) => match take_directive(&mut node) {
                Ok(Directive::Delete) => Visit::Done(Outcome::gone()),
                _ => Visit::Go {
                    node,
                    origin: Origin::Same,
                    is_dest: false,
                },
            },
        });
    }
    let Some(mut dest) = dest else {
        return Ok(Visit::Done(Outcome::gone()));
    };
    match origin {
        Origin::None => Ok(Visit::Go {
            node: dest,
            origin: Origin::None,
            is_dest: true,
        }),
        Origin::Same => Ok(match take_directive(&mut dest)? {
            Directive::Delete => Visit::Done(Outcome::gone()),
            _ => Visit::Go {
                node: dest,
                origin: Origin::Same,
                is_dest: true,
            },
        }),
        Origin::Some(node) if node.is_null() => Ok(Visit::Done(Outcome::gone())),
        Origin::Some(mut node) => {
            adopt(&mut dest, &node);
            Ok(match take_directive(&mut node)? {
                Directive::Delete => Visit::Done(Outcome::gone()),
                Directive::Replace => Visit::Go {
                    node,
                    origin: Origin::Same,
                    is_dest: false,
                },
                Directive::Merge => Visit::Go {
                    node: dest,
                    origin: Origin::Some(node),
                    is_dest: true,
                },
            })
        }
    }
}

/// Comments and, for an empty collection, style go from the patch to the destination.
fn adopt(dest: &mut Node, origin: &Node) {
    if dest.is_null_or_empty() {
        dest.set_style(origin.style());
    }
    if let Some(comments) = origin.comments() {
        copy_comments(comments, dest);
    }
}

fn copy_comments(from: &Comments, to: &mut Node) {
    let own = &mut to.rare_mut().comments;
    for (from, to) in [
        (&from.head, &mut own.head),
        (&from.line, &mut own.line),
        (&from.foot, &mut own.foot),
    ] {
        if !from.is_empty() {
            to.clone_from(from);
        }
    }
}

/// The `$patch` directive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

const DIRECTIVE: &str = "$patch";

fn directive(text: &str) -> Result<Directive> {
    match text {
        "merge" => Ok(Directive::Merge),
        "replace" => Ok(Directive::Replace),
        "delete" => Ok(Directive::Delete),
        _ => Err(Error::invalid(format!("unknown patch strategy '{text}'"))),
    }
}

/// Finds the directive of a patch node, and takes it out.
fn take_directive(patch: &mut Node) -> Result<Directive> {
    match patch.data_mut() {
        Data::Mapping(_) => {
            let Some(value) = patch.get(DIRECTIVE).filter(|value| value.tag() != Tag::Null) else {
                return Ok(Directive::Merge);
            };
            let found = directive(value.as_str().unwrap_or_default())?;
            patch.remove(DIRECTIVE);
            Ok(found)
        }
        Data::Sequence(items) => {
            let Some(item) = items.iter().find(|item| item.get(DIRECTIVE).is_some()) else {
                return Ok(Directive::Merge);
            };
            // With more fields the directive is the item's own.
            if item.entries().is_some_and(|entries| entries.len() > 1) {
                return Ok(Directive::Merge);
            }
            let text = item.get(DIRECTIVE).map(ops::text).unwrap_or_default().to_owned();
            let found = directive(&text)?;
            items.retain(|item| item.get(DIRECTIVE).is_none_or(|value| ops::text(value) != text));
            Ok(found)
        }
        _ => Err(Error::invalid(format!(
            "no implemented strategic merge patch strategy for '{}'",
            patch.tag_text()
        ))),
    }
}
