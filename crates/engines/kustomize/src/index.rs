//! Where the objects of a build are, by their ids and names.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

use weir_yaml::List;

use crate::id::IdRef;
use crate::resource::Resource;
use crate::schema::Schema;

/// Places by id and by name, of the ids that objects have and those they had.
///
/// It is a superset: it may still hold an id that an object no longer has, and two ids may share a
/// hash. Who asks looks at the objects themselves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    state: RandomState,
    ids: HashMap<u64, Places, Identity>,
    names: HashMap<u64, Places, Identity>,
}

impl Index {
    /// An index of all objects of a list.
    pub(crate) fn of(list: &[Resource], schema: &Schema) -> Self {
        let mut index = Self::default();
        index.ids.reserve(list.len());
        index.names.reserve(list.len());
        for (at, resource) in list.iter().enumerate() {
            index.add(at, resource, schema);
        }
        index
    }

    /// Adds the ids of an object.
    pub(crate) fn add(&mut self, at: usize, resource: &Resource, schema: &Schema) {
        for id in resource.all_refs(schema) {
            let (hash, name) = (self.hash(&id), self.state.hash_one(id.name));
            self.ids.entry(hash).or_default().add(at);
            self.names.entry(name).or_default().add(at);
        }
    }

    fn hash(&self, id: &IdRef<'_>) -> u64 {
        self.state.hash_one(id.parts())
    }

    /// Places, in order, of the objects that may have or have had an id.
    pub(crate) fn with_id(&self, id: &IdRef<'_>) -> &[usize] {
        self.ids.get(&self.hash(id)).map_or(&[], Places::as_slice)
    }

    /// Places, in order, of the objects that may have or have had a name.
    pub(crate) fn with_name(&self, name: &str) -> &[usize] {
        self.names
            .get(&self.state.hash_one(name))
            .map_or(&[], Places::as_slice)
    }

    /// Follows a list out of which some places, in order, were taken.
    pub(crate) fn remove(&mut self, gone: &[usize]) {
        for map in [&mut self.ids, &mut self.names] {
            map.retain(|_, places| places.remove(gone));
        }
    }
}

/// Places in order; nearly always one.
#[derive(Clone, Debug, Default)]
enum Places {
    #[default]
    None,
    One([usize; 1]),
    Many(List<usize>),
}

impl Places {
    fn as_slice(&self) -> &[usize] {
        match self {
            Self::None => &[],
            Self::One(one) => one,
            Self::Many(many) => many,
        }
    }

    fn add(&mut self, at: usize) {
        match self {
            Self::None => *self = Self::One([at]),
            Self::One([one]) if *one == at => {}
            Self::One([one]) => *self = Self::Many([(*one).min(at), (*one).max(at)].into_iter().collect()),
            Self::Many(many) => {
                if let Err(place) = many.binary_search(&at) {
                    many.insert(place, at);
                }
            }
        }
    }

    /// Whether any are left.
    fn remove(&mut self, gone: &[usize]) -> bool {
        let moved = |at: usize| match gone.binary_search(&at) {
            Ok(_) => None,
            Err(before) => Some(at - before),
        };
        match self {
            Self::None => false,
            Self::One([one]) => match moved(*one) {
                Some(at) => {
                    *one = at;
                    true
                }
                None => false,
            },
            Self::Many(many) => {
                *many = many.iter().copied().filter_map(moved).collect();
                !many.is_empty()
            }
        }
    }
}

/// The keys are hashes already.
#[derive(Clone, Copy, Debug, Default)]
struct Identity;

impl BuildHasher for Identity {
    type Hasher = Hash;

    fn build_hasher(&self) -> Hash {
        Hash(0)
    }
}

struct Hash(u64);

impl Hasher for Hash {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
