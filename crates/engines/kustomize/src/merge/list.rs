//! Lists that are merged by key or by value.

use std::collections::HashSet;

use weir_yaml::{Data, Node};

use super::{Context, DIRECTIVE, Directive, Growth, Origin, Outcome, adopt, missing, take_directive};
use crate::error::{Error, Result};
use crate::ops::{self, Kind};
use crate::schema::TypeRef;

/// The key `name`, if some side's items have it; kyaml's guess for lists without a schema.
pub(super) fn inferred_keys(dest: Option<&Node>, origin: &Origin) -> Result<Option<Vec<String>>> {
    let sides: Vec<&Node> = [
        dest,
        match origin {
            Origin::Some(node) => Some(node),
            _ => None,
        },
    ]
    .into_iter()
    .flatten()
    .filter(|node| !node.is_null())
    .collect();
    let named = |node: &&Node| {
        node.items()
            .is_some_and(|items| items.iter().all(|item| item.get("name").is_some()))
    };
    if !sides.iter().any(named) {
        return Ok(None);
    }
    let mut filled = sides.iter().filter(|node| !node.is_null_or_empty());
    if filled.any(|node| !named(node)) {
        return Err(Error::invalid("conflicting merge keys for list"));
    }
    Ok(Some(vec!["name".into()]))
}

/// Items and their destinations while a list is being merged.
struct Lists {
    /// The destination's items; `None` only while one is being merged.
    dest: Vec<Option<Node>>,
    /// Those that were taken out of the destination's list. A merged item may still be one of
    /// them.
    removed: Vec<bool>,
    /// The patch's items; empty if it has none or is the destination.
    origin: Vec<Node>,
    same: bool,
}

/// A merged item: one of the destination's, by place, or a node of its own.
#[derive(Clone)]
enum Item {
    Dest(usize),
    Own(Node),
}

impl<'a> Context<'a> {
    pub(super) fn merge_list(
        self,
        dest: Option<Node>,
        origin: Origin,
        schema: Option<TypeRef<'a>>,
        keys: &[String],
    ) -> Result<Outcome> {
        let (mut node, origin) = match visit_list(dest, origin)? {
            Ok(pair) => pair,
            Err(outcome) => return Ok(outcome),
        };
        let Data::Sequence(items) = node.data_mut() else {
            return Ok(Outcome::dest(node));
        };
        let (origin, same) = match origin.into_data() {
            Origin::Some(Data::Sequence(items)) => (items.into_vec(), false),
            Origin::Same => (Vec::new(), true),
            _ => (Vec::new(), false),
        };
        let dest: Vec<Option<Node>> = std::mem::take(items).into_iter().map(Some).collect();
        let mut lists = Lists {
            removed: vec![false; dest.len()],
            dest,
            origin,
            same,
        };
        let primitive = [String::new()];
        let (keys, values) = if keys.is_empty() {
            (&primitive[..], lists.primitive_values(self.growth))
        } else {
            (keys, lists.key_values(keys, self.growth))
        };
        *items = self
            .merge_items(&mut lists, keys, values, schema.and_then(TypeRef::items))?
            .into();
        Ok(Outcome {
            node: Some(node),
            is_dest: false,
            keep_null: false,
        })
    }

    fn merge_items(
        self,
        lists: &mut Lists,
        keys: &[String],
        mut all_values: Vec<Vec<String>>,
        schema: Option<TypeRef<'a>>,
    ) -> Result<Vec<Node>> {
        if all_values.is_empty() {
            return Ok(lists.rest());
        }
        if keys.len() > 1 {
            unify(&mut all_values);
        }
        let mut valid_keys = Vec::new();
        let mut merged: Vec<Item> = Vec::new();
        for values in &all_values {
            let valid_values;
            (valid_keys, valid_values) = valid(&all_values, values, keys);
            let (search_keys, search_values) = {
                let own = std::slice::from_ref(&valid_values);
                valid(own, &valid_values, &valid_keys)
            };
            let at = lists.find_dest(&search_keys, &search_values);
            let (origin, met) = lists.origin_of(at, &search_keys, &search_values);
            let dest = at.and_then(|at| lists.dest.get_mut(at)).and_then(Option::take);
            // With several keys, one item of the patch may fit several rows.
            let met = met.filter(|_| keys.len() > 1);
            if let Some(own) = met.and_then(|own| lists.origin.get_mut(own)) {
                self.wear(dest.as_ref(), own, schema);
            }
            // What a patch puts in place of a whole item is undone when the destination's items
            // are appended below; kustomize behaves so.
            let replaced = match &origin {
                Origin::Some(node) => node.entries().is_none() || node.get(DIRECTIVE).is_some(),
                _ => false,
            };
            let deletes_itself = |item: &&Node| lists.same && item.get(DIRECTIVE).is_some();
            let original = match dest.as_ref().filter(deletes_itself) {
                // The directive is taken out even where the item then stays.
                Some(item) => {
                    let mut item = item.clone();
                    item.remove(DIRECTIVE);
                    Some(item)
                }
                None => dest.as_ref().filter(|_| replaced).cloned(),
            };
            let outcome = self.walk(dest, origin, schema)?;
            let Some(mut item) = outcome.node.filter(|node| !is_nothing(node)) else {
                // Deleted; what is left in the destination under this key goes too. An item that lacks one of the keys is
                // not found there, and stays.
                if let Some(slot) = at.and_then(|at| lists.dest.get_mut(at)) {
                    *slot = original;
                }
                lists.remove_dest(&valid_keys, &valid_values)?;
                continue;
            };
            for (key, value) in valid_keys.iter().zip(&valid_values) {
                if value.is_empty() {
                    continue;
                }
                if key.is_empty() {
                    if Kind::of(&item) == Kind::Scalar {
                        ops::set_scalar(&mut item, value, weir_yaml::Tag::None)?;
                    }
                } else if item.get(key).is_none() {
                    ops::set_field(&mut item, key, Node::plain(value.clone()))?;
                }
            }
            // To kyaml it is the patch's own item that was taken over, and has got its keys.
            if let Some(own) = met.filter(|_| !outcome.is_dest)
                && let Some(own) = lists.origin.get_mut(own)
            {
                own.clone_from(&item);
            }
            let item = match at {
                Some(at) if outcome.is_dest => {
                    if let Some(slot) = lists.dest.get_mut(at) {
                        *slot = Some(item);
                    }
                    Item::Dest(at)
                }
                _ => {
                    if let Some(slot) = at.and_then(|at| lists.dest.get_mut(at)) {
                        *slot = original;
                    }
                    Item::Own(item)
                }
            };
            put(&mut merged, lists, item, &valid_keys, &valid_values)?;
        }
        self.combine(lists, merged, &valid_keys)
    }

    /// Puts the merged items and the destination's together.
    fn combine(self, lists: &mut Lists, merged: Vec<Item>, keys: &[String]) -> Result<Vec<Node>> {
        let dest = (0..lists.dest.len())
            .filter(|at| lists.removed.get(*at) == Some(&false))
            .map(Item::Dest)
            .collect();
        let order = if self.growth == Growth::Prepend {
            append_list(merged, dest, lists, keys)?
        } else {
            append_list(dest, merged, lists, keys)?
        };
        // An item may stand in several places; it is copied there.
        Ok(order
            .into_iter()
            .filter_map(|item| match item {
                Item::Dest(at) => lists.dest.get(at).cloned().flatten(),
                Item::Own(node) => Some(node),
            })
            .collect())
    }
}

fn is_nothing(node: &Node) -> bool {
    node.is_null() || node.entries().is_some_and(<[_]>::is_empty)
}

fn visit_list(dest: Option<Node>, origin: Origin) -> Result<std::result::Result<(Node, Origin), Outcome>> {
    if missing(dest.as_ref()) {
        return Ok(match origin {
            Origin::Some(node) => Ok((node, Origin::Same)),
            _ => Err(Outcome::gone()),
        });
    }
    let Some(mut dest) = dest else {
        return Ok(Err(Outcome::gone()));
    };
    match origin {
        Origin::None => Ok(Ok((dest, Origin::None))),
        Origin::Same => Ok(match take_directive(&mut dest)? {
            Directive::Delete => Err(Outcome::gone()),
            _ => Ok((dest, Origin::Same)),
        }),
        Origin::Some(node) if node.is_null() => Ok(Err(Outcome::gone())),
        Origin::Some(mut node) => {
            adopt(&mut dest, &node);
            Ok(match take_directive(&mut node)? {
                Directive::Delete => Err(Outcome::gone()),
                Directive::Replace => Ok((node, Origin::Same)),
                Directive::Merge => Ok((dest, Origin::Some(node))),
            })
        }
    }
}

impl Lists {
    fn rest(&mut self) -> Vec<Node> {
        self.dest.drain(..).flatten().collect()
    }

    /// Both sides in the order in which they count.
    fn sides(&self, growth: Growth) -> impl Iterator<Item = &Node> {
        let (first, second): (Vec<&Node>, Vec<&Node>) =
            (self.origin.iter().collect(), self.dest.iter().flatten().collect());
        let (first, second) = match growth {
            Growth::Prepend => (first, second),
            Growth::Append => (second, first),
        };
        first.into_iter().chain(second)
    }

    fn key_values(&self, keys: &[String], growth: Growth) -> Vec<Vec<String>> {
        let mut seen = HashSet::new();
        self.sides(growth)
            .map(|item| {
                keys.iter()
                    .map(|key| match item.get(key) {
                        Some(value) if !value.is_null_or_empty() => {
                            value.as_str().unwrap_or_default().to_owned()
                        }
                        _ => String::new(),
                    })
                    .collect::<Vec<String>>()
            })
            .filter(|values| seen.insert(values.clone()))
            .collect()
    }

    fn primitive_values(&self, growth: Growth) -> Vec<Vec<String>> {
        let mut seen = HashSet::new();
        self.sides(growth)
            .map(|item| item.as_str().unwrap_or_default().to_owned())
            .filter(|value| seen.insert(value.clone()))
            .map(|value| vec![value])
            .collect()
    }

    fn find_dest(&self, keys: &[String], values: &[String]) -> Option<usize> {
        self.dest.iter().zip(&self.removed).position(|(item, removed)| {
            !removed && item.as_ref().is_some_and(|item| matches(item, keys, values))
        })
    }

    /// The patch's side of an item, and where in the patch it stands.
    fn origin_of(&self, dest: Option<usize>, keys: &[String], values: &[String]) -> (Origin, Option<usize>) {
        if self.same {
            let origin = dest.map_or(Origin::None, |_| Origin::Same);
            return (origin, None);
        }
        let mut items = self.origin.iter().enumerate();
        match items.find(|(_, item)| matches(item, keys, values)) {
            Some((at, item)) => (Origin::Some(item.clone()), Some(at)),
            None => (Origin::None, None),
        }
    }

    /// Drops the destination's items under a key, and its empty ones.
    fn remove_dest(&mut self, keys: &[String], values: &[String]) -> Result<()> {
        for (item, removed) in self.dest.iter().zip(&mut self.removed) {
            if let Some(item) = item
                && (is_nothing(item) || (comparable(item, keys, values) && holds(item, keys, values)?))
            {
                *removed = true;
            }
        }
        Ok(())
    }

    fn get<'b>(&'b self, item: &'b Item) -> Option<&'b Node> {
        match item {
            Item::Dest(at) => self.dest.get(*at)?.as_ref(),
            Item::Own(node) => Some(node),
        }
    }
}

/// Whether an item has all these fields with these values.
fn matches(item: &Node, keys: &[String], values: &[String]) -> bool {
    match (keys.first(), values.first()) {
        (Some(key), Some(value)) if key.is_empty() => item.as_str() == Some(value.as_str()),
        _ => {
            item.entries().is_some()
                && keys.len() == values.len()
                && keys
                    .iter()
                    .zip(values)
                    .all(|(key, value)| ops::item_matches(item, key, value))
        }
    }
}

/// Items of another kind are left alone by a setter that looks for fields.
fn comparable(item: &Node, keys: &[String], values: &[String]) -> bool {
    let by_field = keys.first().is_some_and(|key| !key.is_empty())
        && values.first().is_some_and(|value| !value.is_empty());
    item.entries().is_some() || !by_field
}

/// kyaml's comparison in its setter: an empty value matches any, a missing one none.
fn holds(item: &Node, keys: &[String], values: &[String]) -> Result<bool> {
    let mut last = false;
    for (number, key) in keys.iter().enumerate() {
        if let Some(value) = values.get(number) {
            last = if key.is_empty() {
                ops::expect(item, Kind::Scalar)?;
                ops::text(item) == value
            } else {
                ops::expect(item, Kind::Mapping)?;
                item.get(key)
                    .is_some_and(|field| value.is_empty() || field.as_str().unwrap_or_default() == value)
            };
        }
        if !last {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Puts an item into a list: in place of each that holds the same key, else at the end. Empty
/// items of the list go.
///
/// As an empty value holds any key, an item whose key is a collection takes the place of all others, once for each.
fn put(list: &mut Vec<Item>, lists: &Lists, item: Item, keys: &[String], values: &[String]) -> Result<()> {
    let mut kept = Vec::with_capacity(list.len() + 1);
    let mut found = false;
    for existing in std::mem::take(list) {
        let Some(node) = lists.get(&existing) else {
            continue;
        };
        if is_nothing(node) {
            continue;
        }
        if !comparable(node, keys, values) {
            kept.push(existing);
        } else if holds(node, keys, values)? {
            found = true;
            kept.push(item.clone());
        } else if !values.is_empty() {
            kept.push(existing);
        }
    }
    // Null takes places, but gets none of its own.
    if !found && !missing(lists.get(&item)) {
        kept.push(item);
    }
    *list = kept;
    Ok(())
}

/// Appends the items of one list to another, replacing those with the same keys.
fn append_list(mut into: Vec<Item>, from: Vec<Item>, lists: &Lists, keys: &[String]) -> Result<Vec<Item>> {
    for item in from {
        let Some(node) = lists.get(&item) else {
            continue;
        };
        if keys.first().is_none_or(String::is_empty) {
            let values = [node.as_str().unwrap_or_default().to_owned()];
            put(&mut into, lists, item, &[String::new()], &values)?;
            continue;
        }
        let mut values = Vec::with_capacity(keys.len());
        for key in keys {
            ops::expect(node, Kind::Mapping)?;
            if let Some(value) = node.get(key) {
                values.push(value.as_str().unwrap_or_default().to_owned());
            } else if let Item::Dest(at) = item {
                into.push(Item::Dest(at));
            }
        }
        if keys.len() > 1 {
            // kyaml first takes out what holds the key, then appends.
            let mut kept = Vec::with_capacity(into.len());
            for existing in std::mem::take(&mut into) {
                let Some(other) = lists.get(&existing) else {
                    continue;
                };
                if is_nothing(other) {
                    continue;
                }
                if !comparable(other, keys, &values) || (!holds(other, keys, &values)? && !values.is_empty())
                {
                    kept.push(existing);
                }
            }
            into = kept;
        }
        put(&mut into, lists, item, keys, &values)?;
    }
    Ok(into)
}

/// Keys for which some item has a value, and the values of one item for them; all keys if none.
fn valid(all: &[Vec<String>], values: &[String], keys: &[String]) -> (Vec<String>, Vec<String>) {
    let used: Vec<bool> = (0..keys.len())
        .map(|at| {
            all.iter()
                .any(|values| values.get(at).is_some_and(|v| !v.is_empty()))
        })
        .collect();
    if !used.contains(&true) {
        return (keys.to_vec(), values.to_vec());
    }
    keys.iter()
        .zip(values)
        .zip(&used)
        .filter(|(_, used)| **used)
        .map(|((key, value), _)| (key.clone(), value.clone()))
        .unzip()
}

/// Completes values of several keys by each other: a port without a protocol is the same as that
/// port with one.
fn unify(all: &mut [Vec<String>]) {
    for i in 0..all.len() {
        // What a row is compared with is what stood there before: an item without any key is so completed by the last
        // that has one, not by the first.
        let Some(a) = all.get(i).cloned() else {
            continue;
        };
        for j in 0..all.len() {
            let Some(both) = all.get(j).and_then(|b| common(&a, b)) else {
                continue;
            };
            for at in [i, j] {
                if let Some(values) = all.get_mut(at) {
                    values.clone_from(&both);
                }
            }
        }
    }
}

fn common(a: &[String], b: &[String]) -> Option<Vec<String>> {
    let mut shared = false;
    let mut both = Vec::with_capacity(a.len());
    for (a, b) in a.iter().zip(b) {
        if a == b {
            shared = true;
        } else if !a.is_empty() && !b.is_empty() {
            return None;
        }
        both.push(if a.is_empty() { b.clone() } else { a.clone() });
    }
    shared.then_some(both)
}
