//! From one manifest to the next: what is new, what changes, what goes, what stays although it left.

use weir_apis::Object;

use crate::manifest::Head;

const POLICY: &str = "helm.sh/resource-policy";
const KEEP: &str = "keep";

/// The objects of `target` that `current` does not have. An object that comes in another version counts as new here,
/// so that its owner is asked for.
pub fn newcomers<'t>(current: &[Object], target: &'t [Object]) -> Vec<&'t Object> {
    let is_known = |object: &Object| current.iter().any(|old| old.reference() == object.reference());
    target.iter().filter(|object| !is_known(object)).collect()
}

/// What `originals` says about the object of `target`, in whatever version.
pub fn original_of<'o>(originals: &'o [Object], target: &Object) -> Option<&'o Object> {
    let reference = target.reference();
    originals
        .iter()
        .find(|original| original.reference().same_object(&reference))
}

/// The objects of `originals` that `targets` does not have in any version: a new version of an object is no new object.
pub fn removed<'o>(originals: &'o [Object], targets: &[Object]) -> Vec<&'o Object> {
    originals
        .iter()
        .filter(|original| original_of(targets, original).is_none())
        .collect()
}

/// Whether a live object stays when it leaves the manifest.
pub fn is_kept(live: &Object) -> bool {
    live.annotation(POLICY) == Some(KEEP)
}

/// What a removal of the release does to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is deleted.
    Delete,
    /// It is kept, and named among those that are.
    Keep,
    /// Its policy is none that Helm knows: Helm neither deletes it nor names it.
    Leave,
}

/// What becomes of an object of the manifest when the release is removed.
pub fn fate_of(head: &Head) -> Fate {
    match head.annotations.get(POLICY) {
        None => Fate::Delete,
        Some(policy) if policy.trim().eq_ignore_ascii_case(KEEP) => Fate::Keep,
        Some(_) => Fate::Leave,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(version: &str, name: &str) -> Object {
        Object::from_value(json!({
            "apiVersion": version, "kind": "Widget", "metadata": {"name": name, "namespace": "apps"},
        }))
        .unwrap()
    }

    fn names(objects: &[&Object]) -> Vec<String> {
        objects.iter().map(|object| object.name().to_owned()).collect()
    }

    #[test]
    fn a_new_version_of_an_object_is_asked_for_but_not_deleted() {
        let old = [object("x.io/v1", "a"), object("x.io/v1", "gone")];
        let new = [object("x.io/v2", "a"), object("x.io/v1", "new")];
        assert_eq!(names(&newcomers(&old, &new)), ["a", "new"]);
        assert_eq!(names(&removed(&old, &new)), ["gone"]);
        let original = original_of(&old, new.first().unwrap()).unwrap();
        assert_eq!(original.api_version(), "x.io/v1");
    }

    #[test]
    fn a_policy_decides_what_a_removal_does() {
        let head = |policy: Option<&str>| Head {
            annotations: policy
                .map(|policy| (POLICY.to_owned(), policy.to_owned()))
                .into_iter()
                .collect(),
            ..Head::default()
        };
        assert_eq!(fate_of(&head(None)), Fate::Delete);
        assert_eq!(fate_of(&head(Some(" Keep "))), Fate::Keep);
        assert_eq!(fate_of(&head(Some("delete"))), Fate::Leave);
    }
}
