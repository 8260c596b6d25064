//! Tables by name.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// A table whose keys are short and asked for all the time. Like std's it is seeded by chance, so that nobody can choose
/// names that collide.
pub(crate) type Table<K, V> = HashMap<K, V, RandomState>;
