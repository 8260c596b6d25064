//! The objects of a build, in order.

use std::hash::{BuildHasher, RandomState};

use weir_yaml::Node;

use crate::error::{Error, Result};
use crate::id::{IdRef, ResId};
use crate::index::Index;
use crate::near;
use crate::resource::{Behavior, Resource};
use crate::schema::Schema;
use crate::selector::{Selector, SelectorMatcher};

/// Objects in the order in which they were accumulated.
#[derive(Clone, Debug, Default)]
pub(crate) struct ResMap {
    list: Vec<Resource>,
    /// Made when it is asked for; gone once objects may have changed without its knowledge.
    index: Option<Index>,
    /// Whether no two objects are known to have one id.
    unique: bool,
    /// Whether a patch may have deleted an object that is still in the list.
    emptied: bool,
    /// The objects whose twins may be out of line.
    touched: Touched,
}

/// Objects that were written to.
#[derive(Clone, Debug)]
enum Touched {
    /// Any.
    All,
    /// Those at some places.
    These(Vec<usize>),
}

impl Default for Touched {
    fn default() -> Self {
        Self::These(Vec::new())
    }
}

impl ResMap {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Resource> {
        self.list.iter()
    }

    /// The objects in order.
    pub(crate) fn list(&self) -> &[Resource] {
        &self.list
    }

    /// The objects, to change in any way.
    pub(crate) fn list_mut(&mut self) -> &mut Vec<Resource> {
        self.forget();
        &mut self.list
    }

    /// The objects, to change in ways that leave their ids alone.
    pub(crate) fn notes_mut(&mut self) -> impl Iterator<Item = &mut Resource> {
        self.list.iter_mut()
    }

    /// Brings scalars in line that kustomize holds once for several places.
    pub(crate) fn align_twins(&mut self, schema: &Schema) {
        match std::mem::take(&mut self.touched) {
            Touched::All => {
                let changed = self
                    .list
                    .iter_mut()
                    .filter_map(|r| r.align_twins().then_some(()))
                    .count();
                if changed > 0 {
                    self.forget();
                    self.touched = Touched::default();
                }
            }
            Touched::These(places) => {
                for at in places {
                    if self.list.get_mut(at).is_some_and(Resource::align_twins) {
                        self.note(at, schema);
                    }
                }
            }
        }
    }

    /// The objects alone.
    pub(crate) fn into_list(self) -> Vec<Resource> {
        self.list
    }

    /// The objects' trees, to change; deleted ones are left out.
    pub(crate) fn nodes_mut(&mut self) -> impl Iterator<Item = &mut Node> {
        self.forget();
        self.list.iter_mut().filter_map(|resource| resource.node.as_mut())
    }

    /// Changes one object; its new id may be that of another.
    pub(crate) fn change<T>(
        &mut self,
        at: usize,
        schema: &Schema,
        change: impl FnOnce(&mut Resource) -> Result<T>,
    ) -> Result<Option<T>> {
        let Some(resource) = self.list.get_mut(at) else {
            return Ok(None);
        };
        let result = change(resource)?;
        if let Touched::These(places) = &mut self.touched {
            places.push(at);
        }
        self.emptied |= resource.is_empty();
        self.note(at, schema);
        Ok(Some(result))
    }

    /// Takes note of the id that an object has now.
    fn note(&mut self, at: usize, schema: &Schema) {
        if let (Some(index), Some(resource)) = (&mut self.index, self.list.get(at)) {
            index.add(at, resource, schema);
        }
        self.unique = self.unique && self.twin(at, schema).is_none();
    }

    fn forget(&mut self) {
        self.index = None;
        self.unique = false;
        self.emptied = true;
        self.touched = Touched::All;
    }

    fn index(&mut self, schema: &Schema) -> &mut Index {
        self.index.get_or_insert_with(|| Index::of(&self.list, schema))
    }

    /// The other object, if there is one, that has the id of the object at a place. Deleted ones have none.
    fn twin(&mut self, at: usize, schema: &Schema) -> Option<usize> {
        self.index(schema);
        let (index, list) = (self.index.as_ref()?, &self.list);
        let id = list
            .get(at)
            .filter(|resource| !resource.is_empty())?
            .id_ref(schema);
        let is_twin = |other: &usize| {
            *other != at
                && list
                    .get(*other)
                    .is_some_and(|other| !other.is_empty() && other.id_ref(schema).parts() == id.parts())
        };
        index.with_id(&id).iter().copied().find(is_twin)
    }

    /// Appends objects; two with one id are an error.
    pub(crate) fn append_all(&mut self, more: Vec<Resource>, schema: &Schema) -> Result<()> {
        if self.list.is_empty() {
            self.list = more;
            self.forget();
            return self.check(schema);
        }
        self.list.reserve(more.len());
        for resource in more {
            let at = self.list.len();
            self.index(schema).add(at, &resource, schema);
            self.list.push(resource);
            if self.twin(at, schema).is_some() {
                return Err(self.registered(at, schema));
            }
        }
        Ok(())
    }

    /// As [`Self::append_all`], with all that another map knows.
    pub(crate) fn append_map(&mut self, more: Self, schema: &Schema) -> Result<()> {
        if self.list.is_empty() {
            *self = more;
            return self.check(schema);
        }
        self.append_all(more.list, schema)
    }

    /// Refuses two objects with one id.
    fn check(&mut self, schema: &Schema) -> Result<()> {
        if self.unique {
            return Ok(());
        }
        if let Some(at) = self.first_twin(schema) {
            return Err(self.registered(at, schema));
        }
        self.unique = true;
        Ok(())
    }

    /// The first object that has the id of one before it. An index knows earlier ids, too, which is more than this
    /// question is worth: at the end of a build it would be most of what is above the objects themselves.
    fn first_twin(&self, schema: &Schema) -> Option<usize> {
        let state = RandomState::new();
        let there = self
            .list
            .iter()
            .enumerate()
            .filter(|(_, resource)| !resource.is_empty());
        let mut ids: Vec<(u64, usize)> = there
            .map(|(at, resource)| (state.hash_one(resource.id_ref(schema).parts()), at))
            .collect();
        ids.sort_unstable();
        let same = |a: usize, b: usize| {
            let (Some(a), Some(b)) = (self.list.get(a), self.list.get(b)) else {
                return false;
            };
            a.id_ref(schema).parts() == b.id_ref(schema).parts()
        };
        let twin_in = |alike: &[(u64, usize)]| {
            let mut before: Vec<usize> = Vec::new();
            for (_, at) in alike {
                if before.iter().any(|other| same(*other, *at)) {
                    return Some(*at);
                }
                before.push(*at);
            }
            None
        };
        ids.chunk_by(|a, b| a.0 == b.0)
            .filter(|alike| alike.len() > 1)
            .filter_map(twin_in)
            .min()
    }

    fn registered(&self, at: usize, schema: &Schema) -> Error {
        let id = self
            .list
            .get(at)
            .map(|resource| resource.id(schema))
            .unwrap_or_default();
        Error::invalid(format!(
            "may not add resource with an already registered id: {id}"
        ))
    }

    /// Appends, replaces or merges generated objects as their behaviour says.
    pub(crate) fn absorb_all(&mut self, more: Vec<Resource>, schema: &Schema) -> Result<()> {
        more.into_iter()
            .try_for_each(|resource| self.absorb(resource, schema))
    }

    fn absorb(&mut self, mut resource: Resource, schema: &Schema) -> Result<()> {
        let id = resource.id(schema);
        let matches = self.with_id(&id.as_ref(), schema, true);
        match (matches.as_slice(), resource.behavior) {
            ([], Behavior::Merge | Behavior::Replace) => Err(Error::invalid(format!(
                "id {id} does not exist; cannot merge or replace"
            ))
            .helped(near::exact(&self.list, &id.as_ref()))),
            ([], _) => {
                let at = self.list.len();
                self.index(schema).add(at, &resource, schema);
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
                if let Some(slot) = self.list.get_mut(at) {
                    *slot = resource;
                }
                self.note(at, schema);
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

    /// Places of the objects that have, or had, an id; deleted ones only if asked for.
    fn with_id(&mut self, id: &IdRef<'_>, schema: &Schema, deleted: bool) -> Vec<usize> {
        self.index(schema);
        let places = self.index.as_ref().map_or(&[][..], |index| index.with_id(id));
        let has = |at: &usize| {
            self.list.get(*at).is_some_and(|resource| {
                (deleted || !resource.is_empty())
                    && resource.all_refs(schema).any(|other| other.parts() == id.parts())
            })
        };
        places.iter().copied().filter(has).collect()
    }

    /// Places of the objects that have, or had, a name and an id that satisfies a condition.
    pub(crate) fn named(
        &mut self,
        name: &str,
        schema: &Schema,
        condition: impl Fn(&IdRef<'_>) -> bool,
    ) -> Vec<usize> {
        self.index(schema);
        let places = self.index.as_ref().map_or(&[][..], |index| index.with_name(name));
        let has = |at: &usize| {
            self.list.get(*at).is_some_and(|resource| {
                !resource.is_empty()
                    && resource
                        .all_refs(schema)
                        .any(|id| id.name == name && condition(&id))
            })
        };
        places.iter().copied().filter(has).collect()
    }

    /// The place of the one object that has, or had, an id.
    pub(crate) fn by_id(&mut self, id: &ResId, schema: &Schema) -> Result<usize> {
        let found = self.with_id(&id.as_ref(), schema, false);
        match found.as_slice() {
            [at] => Ok(*at),
            [] => Err(Error::invalid(format!(
                "no matches for Id {id}; failed to find unique target for patch {id}"
            ))
            .helped(near::exact(&self.list, &id.as_ref()))),
            _ => Err(Error::invalid(format!(
                "multiple matches for Id {id}; failed to find unique target for patch {id}"
            ))),
        }
    }

    /// Places of the objects that a selector selects; none of them is deleted.
    pub(crate) fn select(&mut self, selector: &Selector, schema: &Schema) -> Result<Vec<usize>> {
        let matcher = SelectorMatcher::new(selector)?;
        if matcher.whole_name().is_some() {
            self.index(schema);
        }
        let named = matcher
            .whole_name()
            .and_then(|name| Some(self.index.as_ref()?.with_name(name)));
        let matches = |resource: &Resource| {
            let current = resource.id_ref(schema);
            let original = resource.original_ref(schema);
            Ok::<_, Error>(
                matcher.gvk(&current)
                    && (matcher.name(original.name) || matcher.name(current.name))
                    && (matcher.namespace(original.effective_namespace())
                        || matcher.namespace(current.effective_namespace()))
                    && matcher.labels(resource)?
                    && matcher.annotations(resource)?,
            )
        };
        let mut found = Vec::new();
        let mut consider = |at: usize| {
            if let Some(resource) = self.list.get(at)
                && !resource.is_empty()
                && matches(resource)?
            {
                found.push(at);
            }
            Ok::<_, Error>(())
        };
        match named {
            Some(places) => places.iter().copied().try_for_each(&mut consider)?,
            None => (0..self.list.len()).try_for_each(&mut consider)?,
        }
        Ok(found)
    }

    /// Lays a patch over the objects at some places; afterwards no two may have one id.
    pub(crate) fn apply_patch(&mut self, places: &[usize], patch: &Resource, schema: &Schema) -> Result<()> {
        for at in places {
            self.change(*at, schema, |resource| {
                let patch = patch.patch_for(resource)?;
                resource.apply_patch(&patch, schema)
            })?;
        }
        self.check(schema)
    }

    /// Drops what patches deleted.
    pub(crate) fn drop_empty(&mut self) {
        if !std::mem::take(&mut self.emptied) {
            return;
        }
        let gone: Vec<usize> = self
            .list
            .iter()
            .enumerate()
            .filter(|(_, resource)| resource.is_empty())
            .map(|(at, _)| at)
            .collect();
        if gone.is_empty() {
            return;
        }
        self.list.retain(|resource| !resource.is_empty());
        if matches!(&self.touched, Touched::These(places) if !places.is_empty()) {
            self.touched = Touched::All;
        }
        if let Some(index) = &mut self.index {
            index.remove(&gone);
        }
    }
}
