//! An object as the API server sends it.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{GroupVersionKind, ObjectRef};

/// A Kubernetes object: JSON with at least `apiVersion`, `kind` and a `metadata` object.
///
/// The three are checked when the value is made, so the accessors are total.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Object(Map<String, Value>);

/// Why a JSON value is no Kubernetes object, or not of the kind that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum InvalidObject {
    /// The value is a list, a string or another non-object.
    #[error("a Kubernetes object must be a mapping, this is {found}")]
    NotAMapping {
        /// JSON type that was found.
        found: &'static str,
    },
    /// A field that every object has is absent or of the wrong type.
    #[error("object has no `{field}` of type {expected}")]
    MissingField {
        /// Path of the field.
        field: &'static str,
        /// JSON type that it must have.
        expected: &'static str,
    },
    /// The object does not have the shape of its kind.
    #[error("{object} is malformed{}", place(.field))]
    Shape {
        /// Which object.
        object: Box<ObjectRef>,
        /// Where in it, as `spec.dependsOn[0].name`; the place around a field that is missing, `.` at the top.
        field: String,
        /// What serde says about it.
        #[source]
        source: serde_json::Error,
    },
}

fn place(field: &str) -> String {
    if field == "." {
        String::new()
    } else {
        format!(" at {field}")
    }
}

impl Object {
    /// Takes a JSON value that has `apiVersion`, `kind` and `metadata`.
    pub fn from_value(value: Value) -> Result<Self, InvalidObject> {
        let Value::Object(mut map) = value else {
            return Err(InvalidObject::NotAMapping {
                found: type_name(&value),
            });
        };
        for field in ["apiVersion", "kind"] {
            if map.get(field).and_then(Value::as_str).is_none_or(str::is_empty) {
                return Err(InvalidObject::MissingField {
                    field,
                    expected: "string",
                });
            }
        }
        match map.get("metadata") {
            Some(Value::Object(_)) => {}
            None | Some(Value::Null) => {
                map.insert("metadata".into(), Value::Object(Map::new()));
            }
            Some(_) => {
                return Err(InvalidObject::MissingField {
                    field: "metadata",
                    expected: "mapping",
                });
            }
        }
        Ok(Self(map))
    }

    /// A new object with nothing but type, namespace (empty for cluster scope) and name.
    pub fn new(reference: &ObjectRef) -> Self {
        let mut metadata = Map::new();
        metadata.insert("name".into(), reference.name.clone().into());
        if !reference.namespace.is_empty() {
            metadata.insert("namespace".into(), reference.namespace.clone().into());
        }
        let mut map = Map::new();
        map.insert("apiVersion".into(), reference.gvk.api_version().into());
        map.insert("kind".into(), reference.gvk.kind.clone().into());
        map.insert("metadata".into(), Value::Object(metadata));
        Self(map)
    }

    /// The whole object.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The whole object, to change it. Taking `apiVersion`, `kind` or `metadata` away makes the
    /// accessors return empty values.
    pub fn as_map_mut(&mut self) -> &mut Map<String, Value> {
        &mut self.0
    }

    /// The object as a JSON value.
    pub fn into_value(self) -> Value {
        Value::Object(self.0)
    }

    /// A copy of the object as a JSON value.
    pub fn to_value(&self) -> Value {
        Value::Object(self.0.clone())
    }

    /// Reads the object as one kind's type.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, InvalidObject> {
        serde_path_to_error::deserialize(&self.0).map_err(|error| InvalidObject::Shape {
            object: Box::new(self.reference()),
            field: error.path().to_string(),
            source: error.into_inner(),
        })
    }

    fn text(&self, field: &str) -> &str {
        self.0.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    fn meta(&self, field: &str) -> &str {
        self.metadata()
            .and_then(|m| m.get(field))
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// `apiVersion`.
    pub fn api_version(&self) -> &str {
        self.text("apiVersion")
    }

    /// `kind`.
    pub fn kind(&self) -> &str {
        self.text("kind")
    }

    /// Group, version and kind.
    pub fn gvk(&self) -> GroupVersionKind {
        GroupVersionKind::from_api_version(self.api_version(), self.kind())
    }

    /// Type, namespace and name.
    pub fn reference(&self) -> ObjectRef {
        ObjectRef::new(self.gvk(), self.namespace(), self.name())
    }

    /// `metadata`.
    pub fn metadata(&self) -> Option<&Map<String, Value>> {
        self.0.get("metadata").and_then(Value::as_object)
    }

    /// `metadata`, to change it; put back if it was taken away.
    pub fn metadata_mut(&mut self) -> &mut Map<String, Value> {
        let slot = self
            .0
            .entry("metadata")
            .or_insert_with(|| Value::Object(Map::new()));
        if !slot.is_object() {
            *slot = Value::Object(Map::new());
        }
        slot.as_object_mut().expect("made an object on the line above")
    }

    /// `metadata.name`.
    pub fn name(&self) -> &str {
        self.meta("name")
    }

    /// `metadata.namespace`; empty for cluster-scoped objects.
    pub fn namespace(&self) -> &str {
        self.meta("namespace")
    }

    /// Sets or (with an empty string) removes `metadata.namespace`.
    pub fn set_namespace(&mut self, namespace: &str) {
        if namespace.is_empty() {
            self.metadata_mut().remove("namespace");
        } else {
            self.metadata_mut().insert("namespace".into(), namespace.into());
        }
    }

    /// `metadata.uid`; empty before the object is stored.
    pub fn uid(&self) -> &str {
        self.meta("uid")
    }

    /// `metadata.resourceVersion`; empty before the object is stored.
    pub fn resource_version(&self) -> &str {
        self.meta("resourceVersion")
    }

    /// `metadata.generation`; 0 where the kind has none.
    pub fn generation(&self) -> i64 {
        self.metadata()
            .and_then(|m| m.get("generation"))
            .and_then(Value::as_i64)
            .unwrap_or_default()
    }

    /// Whether the object waits for its finalizers to be deleted.
    pub fn is_being_deleted(&self) -> bool {
        !self.meta("deletionTimestamp").is_empty()
    }

    /// One label's value.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.metadata()?.get("labels")?.get(key)?.as_str()
    }

    /// One annotation's value.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.metadata()?.get("annotations")?.get(key)?.as_str()
    }

    /// Sets a label.
    pub fn set_label(&mut self, key: &str, value: &str) {
        self.set_meta_entry("labels", key, value);
    }

    /// Sets an annotation.
    pub fn set_annotation(&mut self, key: &str, value: &str) {
        self.set_meta_entry("annotations", key, value);
    }

    fn set_meta_entry(&mut self, field: &str, key: &str, value: &str) {
        let slot = self
            .metadata_mut()
            .entry(field)
            .or_insert_with(|| Value::Object(Map::new()));
        if !slot.is_object() {
            *slot = Value::Object(Map::new());
        }
        if let Some(map) = slot.as_object_mut() {
            map.insert(key.into(), value.into());
        }
    }

    /// The finalizers that hold the object.
    pub fn finalizers(&self) -> impl Iterator<Item = &str> {
        self.metadata()
            .and_then(|m| m.get("finalizers"))
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
    }

    /// The value at a path of field names.
    pub fn get(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter()
            .try_fold(self.0.get(*first)?, |value, field| value.get(field))
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value(Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_without_kind_is_refused() {
        assert!(Object::from_value(json!({"apiVersion": "v1", "metadata": {"name": "x"}})).is_err());
        assert!(Object::from_value(json!([1])).is_err());
        assert!(Object::from_value(json!({"apiVersion": "v1", "kind": "A", "metadata": 3})).is_err());
    }

    #[test]
    fn a_malformed_spec_names_the_field() {
        let parsed = |spec: Value| {
            let object = Object::from_value(
                json!({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
                "metadata": {"name": "app", "namespace": "team"}, "spec": spec}),
            )
            .unwrap();
            object
                .parse::<crate::kind::Kustomization>()
                .unwrap_err()
                .to_string()
        };
        let source = json!({"kind": "OCIRepository", "name": "app"});
        let depends_on = json!([{"name": "a"}, {"name": 3}]);
        let wrong = json!({"interval": "1m", "prune": true, "sourceRef": source, "dependsOn": depends_on});
        assert_eq!(
            parsed(wrong),
            "Kustomization/team/app is malformed at spec.dependsOn[1].name"
        );
        assert_eq!(
            parsed(json!({"prune": true})),
            "Kustomization/team/app is malformed at spec"
        );
        assert_eq!(parsed(json!(3)), "Kustomization/team/app is malformed at spec");
    }

    #[test]
    fn metadata_of_the_wrong_type_never_panics() {
        let mut object =
            Object::from_value(json!({"apiVersion": "v1", "kind": "A", "metadata": {"labels": 3}})).unwrap();
        assert_eq!(object.label("a"), None);
        object.set_label("a", "b");
        assert_eq!(object.label("a"), Some("b"));
    }
}
