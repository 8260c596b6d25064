//! The part of the OpenAPI schema that merging needs: which lists are merged, and by which keys.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::id::builtin_cluster_scope;

/// Types by number, and the kinds that have them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schema {
    types: Vec<Type>,
    kinds: HashMap<String, usize>,
    /// Types of the embedded definitions, which a custom schema may refer to.
    definitions: HashMap<String, usize>,
    /// Scope by `apiVersion kind`, from the paths of a custom schema.
    namespaced: HashMap<String, bool>,
}

#[derive(Clone, Debug, Default)]
struct Type {
    fields: HashMap<Box<str>, usize>,
    values: Option<usize>,
    items: Option<usize>,
    /// Keys of a list with the strategy `merge`; empty for a list of plain values.
    merge: Option<Vec<String>>,
}

/// A type within a schema.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TypeRef<'a> {
    schema: &'a Schema,
    index: usize,
}

impl<'a> TypeRef<'a> {
    fn get(self) -> Option<&'a Type> {
        self.schema.types.get(self.index)
    }

    fn to(self, index: usize) -> Self {
        Self { index, ..self }
    }

    /// The type of a field.
    pub(crate) fn field(self, name: &str) -> Option<Self> {
        let of = self.get()?;
        of.fields
            .get(name)
            .copied()
            .or(of.values)
            .map(|index| self.to(index))
    }

    /// The type of a list's items.
    pub(crate) fn items(self) -> Option<Self> {
        self.get()?.items.map(|index| self.to(index))
    }

    /// The keys by which a list is merged, if it is merged at all.
    pub(crate) fn merge_keys(self) -> Option<&'a [String]> {
        self.get()?.merge.as_deref()
    }
}

/// What becomes of the embedded schema where a custom one comes.
///
/// kustomize keeps all that it has read, and what is read last counts. It reads its own schema when a merge first asks
/// for one; it remembers that it will have to when a kind's scope is not in its table, and then reads it after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Embedded {
    /// It was never needed, and is left out.
    Absent,
    /// It stays, and the custom schema decides what both define.
    Yields,
    /// It stays, and decides what both define.
    Decides,
}

static BUILTIN: LazyLock<Schema> = LazyLock::new(|| parse_builtin(include_str!("../data/merge-schema.txt")));

impl Schema {
    /// The schema that kustomize embeds.
    pub(crate) fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// The type of a kind.
    pub(crate) fn kind(&self, api_version: &str, kind: &str) -> Option<TypeRef<'_>> {
        if api_version.is_empty() || kind.is_empty() {
            return None;
        }
        let index = *self.kinds.get(&format!("{api_version} {kind}"))?;
        Some(TypeRef { schema: self, index })
    }

    /// Whether a kind is known to be cluster-scoped.
    pub(crate) fn is_cluster_scoped(&self, api_version: &str, kind: &str) -> bool {
        if let Some(known) = builtin_cluster_scope(api_version, kind) {
            return known;
        }
        !self.namespaced.is_empty() && self.namespaced.get(&format!("{api_version} {kind}")) == Some(&false)
    }

    /// Reads an OpenAPI document that replaces the embedded one (`openapi: {path: …}`), or is added to it.
    pub(crate) fn parse(document: &Value, embedded: Embedded) -> Result<Self> {
        let base = match embedded {
            Embedded::Absent => Self::default(),
            Embedded::Yields | Embedded::Decides => BUILTIN.clone(),
        };
        let decides = embedded == Embedded::Decides;
        let mut reader = Reader {
            definitions: document.get("definitions").and_then(Value::as_object),
            done: if decides {
                base.definitions.clone()
            } else {
                HashMap::new()
            },
            schema: base,
        };
        if let Some(definitions) = reader.definitions {
            for (name, definition) in definitions {
                let index = reader.definition(name, 0)?;
                for kind in gvks(definition) {
                    if decides {
                        reader.schema.kinds.entry(kind).or_insert(index);
                    } else {
                        reader.schema.kinds.insert(kind, index);
                    }
                }
            }
        }
        if let Some(paths) = document.get("paths").and_then(Value::as_object) {
            for (path, item) in paths {
                let Some(kind) = item.pointer("/get/x-kubernetes-group-version-kind").and_then(gvk) else {
                    continue;
                };
                let in_namespace = path.contains("namespaces/{namespace}");
                *reader.schema.namespaced.entry(kind).or_default() |= in_namespace;
            }
        }
        Ok(reader.schema)
    }
}

fn gvks(definition: &Value) -> Vec<String> {
    definition
        .get("x-kubernetes-group-version-kind")
        .and_then(Value::as_array)
        .map(|list| list.iter().filter_map(gvk).collect())
        .unwrap_or_default()
}

fn gvk(value: &Value) -> Option<String> {
    let text = |key| value.get(key).and_then(Value::as_str);
    let (version, kind) = (text("version")?, text("kind")?);
    Some(match text("group").unwrap_or_default() {
        "" => format!("{version} {kind}"),
        group => format!("{group}/{version} {kind}"),
    })
}

/// Inline schemas within each other; references do not count.
const DEPTH: usize = 200;

struct Reader<'a> {
    definitions: Option<&'a serde_json::Map<String, Value>>,
    schema: Schema,
    done: HashMap<String, usize>,
}

impl Reader<'_> {
    fn definition(&mut self, name: &str, depth: usize) -> Result<usize> {
        if let Some(index) = self.done.get(name) {
            return Ok(*index);
        }
        // What refers to a definition by its name gets the one that was read last.
        let index = self.schema.definitions.get(name).copied().unwrap_or_else(|| {
            self.schema.types.push(Type::default());
            self.schema.types.len() - 1
        });
        self.done.insert(name.to_owned(), index);
        if let Some(definition) = self.definitions.and_then(|all| all.get(name)) {
            let read = self.read(definition, depth)?;
            if let Some(slot) = self.schema.types.get_mut(index) {
                *slot = read;
            }
        }
        Ok(index)
    }

    fn index(&mut self, schema: &Value, depth: usize) -> Result<usize> {
        if depth > DEPTH {
            return Err(Error::invalid("openapi schema is nested too deep"));
        }
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let name = reference.rsplit('/').next().unwrap_or(reference);
            return self.definition(name, depth + 1);
        }
        let read = self.read(schema, depth + 1)?;
        self.schema.types.push(read);
        Ok(self.schema.types.len() - 1)
    }

    fn read(&mut self, schema: &Value, depth: usize) -> Result<Type> {
        let mut of = Type::default();
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            for (name, property) in properties {
                let index = self.index(property, depth)?;
                of.fields.insert(name.as_str().into(), index);
            }
        }
        if let Some(values) = schema.get("additionalProperties").filter(|v| v.is_object()) {
            of.values = Some(self.index(values, depth)?);
        }
        if schema.get("type").and_then(Value::as_str) == Some("array")
            && let Some(items) = schema.get("items").filter(|v| v.is_object())
        {
            of.items = Some(self.index(items, depth)?);
        }
        let strategy = schema
            .get("x-kubernetes-patch-strategy")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if strategy.split(',').any(|part| part == "merge") {
            let keys = schema.get("x-kubernetes-list-map-keys").and_then(Value::as_array);
            let key = schema.get("x-kubernetes-patch-merge-key").and_then(Value::as_str);
            of.merge = Some(match (keys, key) {
                (Some(keys), _) => keys.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
                (None, Some(key)) => vec![key.to_owned()],
                (None, None) => Vec::new(),
            });
        }
        Ok(of)
    }
}

/// Reads the generated table; see data/README.md.
fn parse_builtin(text: &str) -> Schema {
    let mut schema = Schema::default();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some(kind) = line.strip_prefix('@') {
            if let Some((kind, index)) = kind.rsplit_once(' ') {
                schema
                    .kinds
                    .insert(kind.to_owned(), index.parse().unwrap_or(usize::MAX));
            }
            continue;
        }
        if let Some(definition) = line.strip_prefix('=') {
            if let Some((name, index)) = definition.rsplit_once(' ') {
                schema
                    .definitions
                    .insert(name.to_owned(), index.parse().unwrap_or(usize::MAX));
            }
            continue;
        }
        let mut of = Type::default();
        for word in line.split(' ').skip(1) {
            if let Some(keys) = word.strip_prefix('!') {
                of.merge = Some(
                    keys.split(',')
                        .filter(|k| !k.is_empty())
                        .map(str::to_owned)
                        .collect(),
                );
            } else if let Some((name, index)) = word.split_once('=') {
                let index = index.parse().unwrap_or(usize::MAX);
                match name {
                    "{}" => of.values = Some(index),
                    "[]" => of.items = Some(index),
                    _ => {
                        of.fields.insert(name.into(), index);
                    }
                }
            }
        }
        schema.types.push(of);
    }
    schema
}
