//! Values from objects of a cluster, as a HelmRelease names them.

use serde_json::Value;

use super::shared::Map;
use super::{Origins, SetError, Setter, Table, ValuesError};

/// An entry of `spec.valuesFrom`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reference {
    /// `ConfigMap` or `Secret`.
    pub kind: String,
    /// Name of the object.
    pub name: String,
    /// Key in its data; empty means `values.yaml`.
    pub key: String,
    /// Where the content goes, as `--set` writes paths; empty means that it is YAML of its own.
    pub target_path: String,
    /// Whether the object and the key may be missing.
    pub optional: bool,
    /// Whether the content is set as it stands.
    pub literal: bool,
}

impl Reference {
    /// The key that is read.
    pub fn key(&self) -> &str {
        if self.key.is_empty() {
            "values.yaml"
        } else {
            &self.key
        }
    }
}

/// What is found behind a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// There is no such object.
    NoObject,
    /// It has no such key.
    NoKey,
    /// The content.
    Data(Vec<u8>),
}

/// A reference that gives no values. The words are Flux's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("could not resolve {optional}{kind} chart values reference '{name}' with key '{key}': {reason}", optional = if *.optional { "optional " } else { "" })]
pub struct ReferenceError {
    /// Kind of the object.
    pub kind: String,
    /// Its namespace and name.
    pub name: String,
    /// The key.
    pub key: String,
    /// Whether it may be missing.
    pub optional: bool,
    /// Why.
    pub reason: ReferenceProblem,
}

/// Why a reference gives no values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceProblem {
    /// There is no such object.
    #[error("resource not found")]
    NoObject,
    /// It has no such key.
    #[error("key not found")]
    NoKey,
    /// Values are in ConfigMaps and Secrets only.
    #[error("unsupported values reference kind")]
    Kind,
    /// The content holds no values.
    #[error("{0}")]
    Values(ValuesError),
    /// The content does not fit where it should go.
    #[error("{0}")]
    Set(SetError),
}

/// Values, and where they come from.
#[derive(Clone, Debug, Default)]
pub struct Layered {
    /// The values.
    pub values: Table,
    /// Which of them comes from where.
    pub origins: Origins,
}

/// Lays what the references name over each other, then the inline values over all of it.
///
/// What a target path sets goes into the very tables and lists of the inline values where no earlier reference has a
/// table in the same place, and so it wins over them there; elsewhere they win. That is how it is in Flux.
pub fn from_references(
    namespace: &str,
    inline: &Table,
    references: &[Reference],
    mut get: impl FnMut(&Reference) -> Found,
) -> Result<Layered, ReferenceError> {
    let mut values = Map::default();
    let mut layers = Vec::new();
    let own = inline;
    let inline = Map::of(inline.clone());
    for (at, reference) in references.iter().enumerate() {
        let fail = |reason| ReferenceError {
            kind: reference.kind.clone(),
            name: format!("{namespace}/{}", reference.name),
            key: reference.key().to_owned(),
            optional: reference.optional,
            reason,
        };
        if !matches!(reference.kind.as_str(), "ConfigMap" | "Secret") {
            return Err(fail(ReferenceProblem::Kind));
        }
        let data = match get(reference) {
            Found::Data(data) => data,
            _ if reference.optional => continue,
            Found::NoObject => return Err(fail(ReferenceProblem::NoObject)),
            Found::NoKey => return Err(fail(ReferenceProblem::NoKey)),
        };
        let text = String::from_utf8_lossy(&data);
        if reference.target_path.is_empty() {
            let layer = parse_single(&text).map_err(|error| fail(ReferenceProblem::Values(error)))?;
            values = Map::of(layer.clone()).over(&values);
            layers.push((name(namespace, at, reference), layer, false));
        } else {
            values = inline.over(&values);
            let (setter, line) = line(&reference.target_path, &text, reference.literal);
            setter
                .set_shared(&line, &values)
                .map_err(|error| fail(ReferenceProblem::Set(error)))?;
            let layer = Map::default();
            // Alone it may not fit where it fits among the others; then nothing is known about it.
            if setter.set_shared(&line, &layer).is_ok() {
                layers.push((name(namespace, at, reference), layer.table(), true));
            }
        }
    }
    let values = inline.over(&values).table();
    let origins = origins(layers, own, &values);
    Ok(Layered { values, origins })
}

/// A reference as messages name it.
fn name(namespace: &str, at: usize, reference: &Reference) -> String {
    let (kind, key) = (&reference.kind, reference.key());
    let target = match reference.target_path.as_str() {
        "" => String::new(),
        path => format!(", target path '{path}'"),
    };
    format!(
        "spec.valuesFrom[{at}] ({kind} {namespace}/{}, key '{key}'{target})",
        reference.name
    )
}

/// The layers in the order in which they count. What target paths set lies over the inline values where it has come
/// through.
fn origins(layers: Vec<(String, Table, bool)>, inline: &Table, values: &Table) -> Origins {
    let mut origins = Origins::default();
    let (above, below): (Vec<_>, Vec<_>) = layers.into_iter().partition(|(_, layer, is_set)| {
        *is_set
            && layer
                .iter()
                .all(|(key, value)| came_through(value, values.get(key)))
    });
    for (name, layer, _) in below {
        origins.push(name, layer);
    }
    origins.push("spec.values", inline.clone());
    for (name, layer, _) in above {
        origins.push(name, layer);
    }
    origins
}

fn came_through(set: &Value, found: Option<&Value>) -> bool {
    match (set, found) {
        // What lies before an index that was set.
        (Value::Null, _) => true,
        (Value::Object(set), Some(Value::Object(found))) => {
            set.iter().all(|(key, value)| came_through(value, found.get(key)))
        }
        (Value::Array(set), Some(Value::Array(found))) => set
            .iter()
            .enumerate()
            .all(|(at, value)| came_through(value, found.get(at))),
        (set, found) => Some(set) == found,
    }
}

/// Reads the first document only.
fn parse_single(text: &str) -> Result<Table, ValuesError> {
    super::load::parse_first(text)
}

/// Sets a path to what a text looks like; quotes around it make it a text.
pub fn set_path(values: &mut Table, path: &str, text: &str) -> Result<(), SetError> {
    let (setter, line) = line(path, text, false);
    setter.set(&line, values)
}

/// Sets a path, in which `\.` is a dot, to a text as it stands.
pub fn set_literal(values: &mut Table, path: &str, text: &str) -> Result<(), SetError> {
    let (setter, line) = line(path, text, true);
    setter.set(&line, values)
}

/// The setting that puts a text at a path.
fn line(path: &str, text: &str, literal: bool) -> (Setter<'static>, String) {
    if literal {
        let mut line = format!("{path}=");
        for c in text.chars() {
            if matches!(c, '\\' | ',' | '[' | ']' | '{' | '}') {
                line.push('\\');
            }
            line.push(c);
        }
        return (Setter::Text, line);
    }
    let is_quoted = |quote: char| text.starts_with(quote) && text.ends_with(quote);
    if is_quoted('\'') || is_quoted('"') {
        let text = text.trim_matches(['\'', '"']);
        return (Setter::Text, format!("{path}={text}"));
    }
    (Setter::Typed, format!("{path}={text}"))
}
