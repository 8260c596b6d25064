//! How a client changes a live object: what it wrote last, what it wants now, and what is there. Nothing is asked here.

use std::sync::LazyLock;

use serde_json::{Map, Value};
use weir_apis::{GroupVersionKind, Object};
use weir_plan::strategic::{self, PatchError};
use weir_schema::Schemas;

/// Facts about built-in types.
static BUILTIN: LazyLock<Schemas> = LazyLock::new(Schemas::builtin);

/// A patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Patch {
    /// Nothing is to be changed.
    Nothing,
    /// For types whose lists have keys.
    Strategic(Value),
    /// RFC 7386, for all others.
    Merge(Value),
}

/// The patch that Helm makes.
///
/// Built-in types get a three-way strategic merge: what others added stays, what was ours and is no longer wanted goes,
/// and where others changed what we want, we win. For custom resources it is the difference of the two manifests alone,
/// so that what others changed is neither seen nor put back; a release that takes objects over looks at the live object
/// there too (`three_way_for_custom`).
pub(crate) fn make(
    original: &Object,
    target: &Object,
    live: &Object,
    three_way_for_custom: bool,
) -> Result<Patch, PatchError> {
    let gvk = target.gvk();
    let (old, new, now) = (original.as_map(), target.as_map(), live.as_map());
    if let Some(ty) = strategic_type(&gvk) {
        return Ok(some(strategic::three_way(old, new, now, ty)?, Patch::Strategic));
    }
    let patch = if three_way_for_custom {
        strategic::json_three_way(old, new, now)?
    } else {
        strategic::json_two_way(old, new)
    };
    Ok(some(patch, Patch::Merge))
}

fn some(patch: Map<String, Value>, kind: fn(Value) -> Patch) -> Patch {
    if patch.is_empty() {
        Patch::Nothing
    } else {
        kind(Value::Object(patch))
    }
}

/// The facts about a type, where Helm knows it: what Kubernetes' own client scheme holds, and
/// CustomResourceDefinitions. APIServices are not in there.
fn strategic_type(gvk: &GroupVersionKind) -> Option<weir_schema::TypeInfo<'static>> {
    if gvk.group == "apiregistration.k8s.io" {
        return None;
    }
    BUILTIN.lookup(&weir_schema::GroupVersionKind::new(
        &gvk.group,
        &gvk.version,
        &gvk.kind,
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Object {
        Object::from_value(value).unwrap()
    }

    fn widget(spec: Value) -> Object {
        object(json!({"apiVersion": "x.io/v1", "kind": "Widget", "metadata": {"name": "a"}, "spec": spec}))
    }

    fn config(data: Value) -> Object {
        object(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data}))
    }

    #[test]
    fn built_in_types_keep_what_others_added_and_put_back_what_they_changed() {
        let patch = make(
            &config(json!({"a": "1", "gone": "x"})),
            &config(json!({"a": "1"})),
            &config(json!({"a": "edited", "gone": "x", "added": "y"})),
            false,
        );
        assert_eq!(
            patch,
            Ok(Patch::Strategic(json!({"data": {"a": "1", "gone": null}})))
        );
    }

    #[test]
    fn custom_resources_get_the_difference_of_the_manifests() {
        let (old, new) = (
            widget(json!({"a": 1, "gone": true})),
            widget(json!({"a": 1, "b": [1]})),
        );
        let live = widget(json!({"a": 7, "gone": true}));
        assert_eq!(
            make(&old, &new, &live, false),
            Ok(Patch::Merge(json!({"spec": {"gone": null, "b": [1]}})))
        );
        assert_eq!(
            make(&old, &new, &live, true),
            Ok(Patch::Merge(json!({"spec": {"a": 1, "gone": null, "b": [1]}})))
        );
        assert_eq!(make(&new, &new, &live, false), Ok(Patch::Nothing));
    }

    #[test]
    fn keyed_lists_merge_by_their_key() {
        let deployment = |containers: Value| {
            object(json!({
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"},
                "spec": {"template": {"spec": {"containers": containers}}},
            }))
        };
        let patch = make(
            &deployment(json!([{"name": "web", "image": "a:1"}])),
            &deployment(json!([{"name": "web", "image": "a:2"}])),
            &deployment(json!([{"name": "web", "image": "a:1"}, {"name": "proxy", "image": "p:1"}])),
            false,
        )
        .unwrap();
        let Patch::Strategic(patch) = patch else {
            panic!("{patch:?}")
        };
        assert_eq!(
            patch.pointer("/spec/template/spec/containers"),
            Some(&json!([{"name": "web", "image": "a:2"}]))
        );
    }
}
