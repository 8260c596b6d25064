//! Where a value comes from, for messages.

use serde_json::Value;

use super::Table;

/// The layers that values were made of, the last one on top.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    layers: Vec<(String, Table)>,
}

impl Origins {
    /// Adds a layer on top: a name such as `-f prod.yaml` or `--set image.tag=1`, and what it sets.
    pub fn push(&mut self, name: impl Into<String>, values: Table) {
        self.layers.push((name.into(), values));
    }

    /// Adds a layer below all others.
    pub fn push_below(&mut self, name: impl Into<String>, values: Table) {
        self.layers.insert(0, (name.into(), values));
    }

    /// The topmost layer that sets a path, or a part of what lies below it.
    pub fn of(&self, path: &[&str]) -> Option<&str> {
        self.layers
            .iter()
            .rev()
            .find(|(_, values)| {
                let mut path = path.iter();
                let Some(mut value) = path.next().and_then(|first| values.get(*first)) else {
                    return false;
                };
                for part in path {
                    let next = match value {
                        Value::Object(table) => table.get(*part),
                        Value::Array(items) => part.parse().ok().and_then(|at: usize| items.get(at)),
                        // Something that is no table was set where a table is asked for: that is the origin.
                        _ => return true,
                    };
                    match next {
                        Some(next) => value = next,
                        None => return false,
                    }
                }
                true
            })
            .map(|(name, _)| name.as_str())
    }
}
