//! The objects that a manifest holds.

use serde_json::Value;
use weir_apis::{InvalidObject, Object};
use weir_yaml::{Dialect, to_json};

use crate::chart::decode;
use crate::manifest::split;

/// A document that is no object.
#[derive(Debug, thiserror::Error)]
pub enum ManifestObjectError {
    /// It is no YAML.
    #[error("{0}")]
    Yaml(String),
    /// It lacks what every object has.
    #[error("{0}")]
    Object(#[from] InvalidObject),
}

/// The objects of a manifest as a release keeps it, in its order.
pub fn from_manifest(manifest: &str) -> Result<Vec<Object>, ManifestObjectError> {
    let mut objects = Vec::new();
    for document in split(manifest) {
        add(document, &mut objects)?;
    }
    Ok(objects)
}

/// The objects of one document: one, or what a List holds, or none where only comments stand.
pub fn from_document(document: &str) -> Result<Vec<Object>, ManifestObjectError> {
    let mut objects = Vec::new();
    add(document, &mut objects)?;
    Ok(objects)
}

fn add(document: &str, objects: &mut Vec<Object>) -> Result<(), ManifestObjectError> {
    let Some(root) = decode::document(document).map_err(ManifestObjectError::Yaml)? else {
        return Ok(());
    };
    let value =
        to_json(&root, Dialect::Sigs).map_err(|error| ManifestObjectError::Yaml(error.to_string()))?;
    flatten(value, objects)
}

/// Whatever has `items` is a list, as Kubernetes' unstructured decoder sees it.
fn flatten(mut value: Value, objects: &mut Vec<Object>) -> Result<(), ManifestObjectError> {
    if let Some(Value::Array(items)) = value.get_mut("items") {
        let items = std::mem::take(items);
        return items.into_iter().try_for_each(|item| flatten(item, objects));
    }
    objects.push(Object::from_value(value)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_lists_and_comments_become_objects_in_their_order() {
        let manifest = "---\n# Source: a\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n\
                        ---\n# Source: b\n# nothing\n\
                        ---\n# Source: c\napiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: b}\n";
        let names: Vec<String> = from_manifest(manifest)
            .unwrap()
            .iter()
            .map(|object| object.reference().to_string())
            .collect();
        assert_eq!(names, ["ConfigMap/a", "Secret/b"]);
    }

    #[test]
    fn what_is_no_object_says_so() {
        assert!(from_manifest("- a").is_err());
        assert_eq!(
            from_document("kind: ConfigMap").unwrap_err().to_string(),
            "object has no `apiVersion` of type string"
        );
    }
}
