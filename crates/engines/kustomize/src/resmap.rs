//! The objects of a build, in order.

use std::collections::{HashMap, HashSet};

use weir_yaml::Node;

use crate::error::{Error, Result};
use crate::id::{Gvk, ResId};
use crate::resource::{Behavior, Resource};
use crate::schema::Schema;
use crate::selector::{Selector, SelectorMatcher};

type Key = (Gvk, String, String);

/// Objects in the order in which they were accumulated.
#[derive(Clone, Debug, Default)]
pub(crate) struct ResMap {
    pub(crate) list: Vec<Resource>,
}

impl ResMap {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Resource> {
        self.list.iter()
    }

    /// The objects' trees, to change; deleted ones are left out.
    pub(crate) fn nodes_mut(&mut self) -> impl Iterator<Item = &mut Node> {
        self.list.iter_mut().filter_map(|resource| resource.node.as_mut())
    }

    /// Appends objects; two with one id are an error.
    pub(crate) fn append_all(&mut self, more: Vec<Resource>, schema: &Schema) -> Result<()> {
        let mut known: HashSet<Key> = self.list.iter().map(|r| r.id(schema).key()).collect();
        for resource in more {
            let id = resource.id(schema);
            if !known.insert(id.key()) {
                return Err(Error::invalid(format!(
                    "may not add resource with an already registered id: {id}"
                )));
            }
            self.list.push(resource);
        }
        Ok(())
    }

    /// Appends, replaces or merges generated objects as their behaviour says.
    pub(crate) fn absorb_all(&mut self, more: Vec<Resource>, schema: &Schema) -> Result<()> {
        if more.is_empty() {
            return Ok(());
        }
        let mut index: HashMap<Key, Vec<usize>> = HashMap::new();
        for (at, resource) in self.list.iter().enumerate() {
            note(&mut index, resource, at, schema);
        }
        for resource in more {
            self.absorb(resource, &mut index, schema)?;
        }
        Ok(())
    }

    fn absorb(
        &mut self,
        mut resource: Resource,
        index: &mut HashMap<Key, Vec<usize>>,
        schema: &Schema,
    ) -> Result<()> {
        let id = resource.id(schema);
        let matches = index.get(&id.key()).cloned().unwrap_or_default();
        match (matches.as_slice(), resource.behavior) {
            ([], Behavior::Merge | Behavior::Replace) => Err(Error::invalid(format!(
                "id {id} does not exist; cannot merge or replace"
            ))),
            ([], _) => {
                note(index, &resource, self.list.len(), schema);
                self.list.push(resource);
                Ok(())
            }
            ([at], behavior @ (Behavior::Merge | Behavior::Replace)) => {
                let at = *at;
                let Some(old) = self.list.get(at) else {
                    return Err(Error::invalid(format!("lost track of {id}")));
                };
                if behavior == Behavior::Replace {
                    let own = resource.origin.take();
                    resource.inherit(old)?;
                    resource.origin = own.or(resource.origin.take());
                } else {
                    resource.inherit(old)?;
                    resource.merge_data(old)?;
                }
                note(index, &resource, at, schema);
                if let Some(slot) = self.list.get_mut(at) {
                    *slot = resource;
                }
                Ok(())
            }
            ([_], behavior) => Err(Error::invalid(format!(
                "id {id} exists; can not use behavior: '{}', behavior must be merge or replace",
                behavior.name()
            ))),
            _ => Err(Error::invalid(format!(
                "found multiple objects that could accept merge of {id}"
            ))),
        }
    }

    /// Places of the objects that have, or had, an id that satisfies a condition.
    pub(crate) fn by_any_id(&self, schema: &Schema, condition: impl Fn(&ResId) -> bool) -> Vec<usize> {
        self.list
            .iter()
            .enumerate()
            .filter(|(_, r)| !r.is_empty() && r.all_ids(schema).iter().any(&condition))
            .map(|(at, _)| at)
            .collect()
    }

    /// The place of the one object that has, or had, an id.
    pub(crate) fn by_id(&self, id: &ResId, schema: &Schema) -> Result<usize> {
        let found = self.by_any_id(schema, |other| id.same(other));
        match found.as_slice() {
            [at] => Ok(*at),
            [] => Err(Error::invalid(format!(
                "no matches for Id {id}; failed to find unique target for patch {id}{}",
                self.near(id, schema)
            ))),
            _ => Err(Error::invalid(format!(
                "multiple matches for Id {id}; failed to find unique target for patch {id}"
            ))),
        }
    }

    /// Objects that an id may have meant.
    fn near(&self, id: &ResId, schema: &Schema) -> String {
        let near: Vec<String> = self
            .list
            .iter()
            .map(|resource| resource.id(schema))
            .filter(|other| {
                other.name == id.name
                    || (other.gvk.kind == id.gvk.kind && crate::shape::is_close(&other.name, &id.name))
            })
            .take(3)
            .map(|other| other.to_string())
            .collect();
        if near.is_empty() {
            return String::new();
        }
        format!(" (there is {})", near.join(", "))
    }

    /// Places of the objects that a selector selects.
    pub(crate) fn select(&self, selector: &Selector, schema: &Schema) -> Result<Vec<usize>> {
        let matcher = SelectorMatcher::new(selector)?;
        let mut found = Vec::new();
        for (at, resource) in self.list.iter().enumerate() {
            let current = resource.id(schema);
            let original = resource.original_id(schema);
            let matches = (matcher.namespace(original.effective_namespace())
                || matcher.namespace(current.effective_namespace()))
                && (matcher.name(&original.name) || matcher.name(&current.name))
                && matcher.gvk(&current.gvk)
                && matcher.labels(resource)?
                && matcher.annotations(resource)?;
            if matches {
                found.push(at);
            }
        }
        Ok(found)
    }

    /// Lays a patch over the objects at some places; afterwards no two may have one id.
    pub(crate) fn apply_patch(&mut self, places: &[usize], patch: &Resource, schema: &Schema) -> Result<()> {
        for at in places {
            if let Some(resource) = self.list.get_mut(*at) {
                let patch = patch.patch_for(resource)?;
                resource.apply_patch(&patch, schema)?;
            }
        }
        self.drop_empty();
        let list = std::mem::take(&mut self.list);
        self.append_all(list, schema)
    }

    /// Drops what patches deleted.
    pub(crate) fn drop_empty(&mut self) {
        self.list.retain(|resource| !resource.is_empty());
    }
}

fn note(index: &mut HashMap<Key, Vec<usize>>, resource: &Resource, at: usize, schema: &Schema) {
    for id in resource.all_ids(schema) {
        let places = index.entry(id.key()).or_default();
        if !places.contains(&at) {
            places.push(at);
        }
    }
}
