//! Whose an object is: the marks that Helm puts on every object of a release, and looks for before it takes one.

use weir_apis::Object;

const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
const HELM: &str = "Helm";
const NAME: &str = "meta.helm.sh/release-name";
const NAMESPACE: &str = "meta.helm.sh/release-namespace";

/// An object that is not the release's, in Helm's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid ownership metadata; {}", .0.join("; "))]
pub struct NotOwned(Vec<String>);

/// Puts the marks of a release on one of its objects, over any others.
pub fn own(object: &mut Object, release: &str, namespace: &str) {
    object.set_label(MANAGED_BY, HELM);
    object.set_annotation(NAME, release);
    object.set_annotation(NAMESPACE, namespace);
}

/// Whether a live object has the marks of a release.
pub fn owned_by(live: &Object, release: &str, namespace: &str) -> Result<(), NotOwned> {
    let wanted = [
        ("label", live.label(MANAGED_BY), MANAGED_BY, HELM),
        ("annotation", live.annotation(NAME), NAME, release),
        ("annotation", live.annotation(NAMESPACE), NAMESPACE, namespace),
    ];
    let wrong: Vec<String> = wanted
        .into_iter()
        .filter_map(|(sort, found, key, value)| match found {
            Some(found) if found == value => None,
            Some(found) => Some(format!(
                "{sort} validation error: key {key:?} must equal {value:?}: current value is {found:?}"
            )),
            None => Some(format!(
                "{sort} validation error: missing key {key:?}: must be set to {value:?}"
            )),
        })
        .collect();
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(NotOwned(wrong))
    }
}

/// An object as messages about ownership name it.
pub fn describe(object: &Object) -> String {
    format!(
        "{} {:?} in namespace {:?}",
        object.kind(),
        object.name(),
        object.namespace()
    )
}

/// Whether the API server makes up the object's name, so that none can be there yet. Both names at once are an error.
pub fn uses_generated_name(object: &Object) -> Result<bool, &'static str> {
    let generated = object
        .get(&["metadata", "generateName"])
        .and_then(serde_json::Value::as_str)
        .is_some_and(|name| !name.is_empty());
    match (generated, object.name().is_empty()) {
        (true, false) => Err("metadata.name and metadata.generateName cannot both be set"),
        (generated, _) => Ok(generated),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object() -> Object {
        Object::from_value(json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "apps"},
        }))
        .unwrap()
    }

    #[test]
    fn what_is_marked_is_owned() {
        let mut marked = object();
        marked.set_label(MANAGED_BY, "kubectl");
        own(&mut marked, "web", "apps");
        assert_eq!(owned_by(&marked, "web", "apps"), Ok(()));
        assert_eq!(
            owned_by(&marked, "web", "other").unwrap_err().to_string(),
            "invalid ownership metadata; annotation validation error: key \"meta.helm.sh/release-namespace\" must \
             equal \"other\": current value is \"apps\""
        );
    }

    #[test]
    fn what_is_not_marked_says_all_that_is_missing() {
        assert_eq!(
            owned_by(&object(), "web", "apps").unwrap_err().to_string(),
            "invalid ownership metadata; label validation error: missing key \"app.kubernetes.io/managed-by\": must be \
             set to \"Helm\"; annotation validation error: missing key \"meta.helm.sh/release-name\": must be set to \
             \"web\"; annotation validation error: missing key \"meta.helm.sh/release-namespace\": must be set to \
             \"apps\""
        );
        assert_eq!(describe(&object()), "ConfigMap \"a\" in namespace \"apps\"");
    }

    #[test]
    fn a_generated_name_excludes_a_given_one() {
        let mut both = object();
        assert_eq!(uses_generated_name(&both), Ok(false));
        both.metadata_mut().insert("generateName".into(), json!("a-"));
        assert!(uses_generated_name(&both).is_err());
        both.metadata_mut().remove("name");
        assert_eq!(uses_generated_name(&both), Ok(true));
    }
}
