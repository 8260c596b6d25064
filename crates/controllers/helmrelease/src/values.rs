//! The values of the release (flux-controllers.md §4.3).

use std::collections::BTreeMap;

use serde_json::Value;
use weir_apis::kind::HelmRelease;
use weir_apis::kind::helm_release::ValuesFrom;
use weir_apis::{GroupVersionKind, Object, ObjectRef, reason, secret};
use weir_cluster::Client;
use weir_helm::{Found, Origins, Reference, ReferenceError, ReferenceProblem, Table, from_references};
use weir_redact::Mask;
use weir_runtime::Failure;
use weir_runtime::verdict::chain;

/// Numbers from Secrets that are shorter than this are not hidden: ports and counts stand in too many messages.
const SHORTEST_NUMBER: usize = 4;

/// The values, and those among them that came from Secrets.
#[derive(Debug, Default)]
pub(crate) struct Values {
    pub(crate) table: Table,
    /// Which of them comes from where, for messages.
    pub(crate) origins: Origins,
    pub(crate) secrets: Mask,
}

/// What `valuesFrom` names, by kind and name.
type Objects = BTreeMap<(String, String), Object>;

/// Reads `valuesFrom`, with the controller's own rights and from the object's own namespace only, and lays the values over
/// each other.
pub(crate) async fn gather(client: &Client, own: &HelmRelease) -> Result<Values, Failure> {
    let namespace = &own.metadata.namespace;
    let mut objects = Objects::new();
    for from in &own.spec.values_from {
        let key = (from.kind.clone(), from.name.clone());
        if objects.contains_key(&key) || !is_readable(&from.kind) {
            continue;
        }
        let gvk = GroupVersionKind::new("", "v1", &*from.kind);
        let reference = ObjectRef::new(gvk, &**namespace, &*from.name);
        let found = client.get(&reference).await.map_err(|e| {
            let key = from.values_key.as_deref().unwrap_or("values.yaml");
            let message = format!(
                "could not resolve {} chart values reference '{namespace}/{}' with key '{key}': {}",
                from.kind,
                from.name,
                chain(&e)
            );
            Failure::retry(reason::VALUES_ERROR, message)
        })?;
        if let Some(object) = found {
            objects.insert(key, object);
        }
    }
    merge(own, &objects).map_err(|message| Failure::retry(reason::VALUES_ERROR, message))
}

/// `spec.values`, with numbers as values have them.
pub(crate) fn inline(own: &HelmRelease) -> Table {
    let values = own.spec.values.clone().unwrap_or_default();
    match weir_helm::from_json(Value::Object(values)) {
        Value::Object(table) => table,
        _ => Table::default(),
    }
}

fn is_readable(kind: &str) -> bool {
    matches!(kind, "ConfigMap" | "Secret")
}

/// Lays the values over each other.
fn merge(own: &HelmRelease, objects: &Objects) -> Result<Values, String> {
    let inline = inline(own);
    let references: Vec<Reference> = own.spec.values_from.iter().map(reference).collect();
    let mut secrets = Mask::default();
    let get = |reference: &Reference| {
        let key = (reference.kind.clone(), reference.name.clone());
        let Some(object) = objects.get(&key) else {
            return Found::NoObject;
        };
        let Some(data) = content(object, reference.key()) else {
            return Found::NoKey;
        };
        if object.kind() == "Secret" {
            hide(reference, &data, &mut secrets);
        }
        Found::Data(data)
    };
    let layered =
        from_references(&own.metadata.namespace, &inline, &references, get).map_err(|e| told(&e, own))?;
    Ok(Values {
        table: layered.values,
        origins: layered.origins,
        secrets,
    })
}

/// What is wrong with a reference. Errors show what they are about, which nobody may see of a Secret, not even in part.
fn told(error: &ReferenceError, own: &HelmRelease) -> String {
    let problem = match (&error.reason, error.kind.as_str()) {
        (ReferenceProblem::Values(_), "Secret") => {
            "its content is no YAML of a table (it is not shown, since it is a Secret's)"
        }
        (ReferenceProblem::Set(_), "Secret") => {
            "its content does not fit where it should go (it is not shown, since it is a Secret's)"
        }
        _ => return error.to_string(),
    };
    let optional = if error.optional { "optional " } else { "" };
    let target = own
        .spec
        .values_from
        .iter()
        .find(|from| error.name.ends_with(&format!("/{}", from.name)) && from.kind == error.kind)
        .and_then(|from| from.target_path.as_ref())
        .map(|path| format!(" for target path '{path}'"))
        .unwrap_or_default();
    format!(
        "could not resolve {optional}{} chart values reference '{}' with key '{}'{target}: {problem}",
        error.kind, error.name, error.key
    )
}

fn reference(from: &ValuesFrom) -> Reference {
    Reference {
        kind: from.kind.clone(),
        name: from.name.clone(),
        key: from.values_key.clone().unwrap_or_default(),
        target_path: from.target_path.clone().unwrap_or_default(),
        optional: from.optional,
        literal: from.literal,
    }
}

/// The content of a key of a ConfigMap or Secret.
fn content(object: &Object, key: &str) -> Option<Vec<u8>> {
    if object.kind() == "Secret" {
        return secret::value(object, key).map(|value| value.expose().clone());
    }
    let text = object.get(&["data", key])?.as_str()?;
    Some(text.as_bytes().to_vec())
}

/// Remembers what of a Secret's content must not be seen: all of it, and each value in it.
fn hide(reference: &Reference, data: &[u8], secrets: &mut Mask) {
    secrets.add_bytes(data);
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if reference.target_path.is_empty() {
        if let Ok(table) = weir_helm::parse(text) {
            table.values().for_each(|value| hide_values(value, secrets));
        }
    } else {
        secrets.add(text.trim_matches(['\'', '"']));
        text.split(',').for_each(|part| secrets.add(part));
    }
}

fn hide_values(value: &Value, secrets: &mut Mask) {
    match value {
        Value::String(text) => secrets.add(text),
        Value::Number(number) => {
            // From YAML text numbers are floats; people write them without `.0`.
            let text = number.to_string();
            let text = text.strip_suffix(".0").unwrap_or(&text);
            if text.len() >= SHORTEST_NUMBER {
                secrets.add(text);
                number
                    .as_f64()
                    .map(scientific)
                    .iter()
                    .for_each(|text| secrets.add(text));
            }
        }
        Value::Array(items) => items.iter().for_each(|item| hide_values(item, secrets)),
        Value::Object(table) => table.values().for_each(|item| hide_values(item, secrets)),
        Value::Null | Value::Bool(_) => {}
    }
}

/// `1.5e+09`: so templates print a number from a million on, as Go does.
fn scientific(number: f64) -> String {
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent:0>2}"),
        Some((digits, exponent)) => format!("{digits}e-{:0>2}", exponent.trim_start_matches('-')),
        None => text,
    }
}

/// Remembers what values of an earlier revision must not be seen: those that the object does not have any more, where it
/// names a Secret at all. Nothing tells which of them came from it before it changed.
pub(crate) fn hide_earlier(own: &HelmRelease, now: &Table, earlier: &Table, secrets: &mut Mask) {
    if own.spec.values_from.iter().any(|from| from.kind == "Secret") {
        hide_others(now, earlier, secrets);
    }
}

fn hide_others(now: &Table, earlier: &Table, secrets: &mut Mask) {
    for (key, value) in earlier {
        match (value, now.get(key)) {
            (Value::Object(earlier), Some(Value::Object(now))) => hide_others(now, earlier, secrets),
            (value, now) if Some(value) != now => hide_values(value, secrets),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
