//! CustomResourceDefinitions: what they serve.

mod prune;
mod rules;
mod validate;

use std::sync::Arc;

use serde_json::{Value, json};
use weir_schema::{GroupVersionKind, Resource, Schemas};

use crate::object;
use crate::registry::{Custom, Served, subresource};
use crate::state::State;
use crate::status::Cause;
use crate::store::Key;

pub(crate) use prune::{default, prune};

/// Serves what the CustomResourceDefinitions in the store ask for.
pub(crate) fn refresh(state: &mut State) {
    let key = Key::new("apiextensions.k8s.io", "customresourcedefinitions");
    let mut custom = Vec::new();
    for definition in state.store.all(&key) {
        let established = object::list(definition, &["status", "conditions"])
            .iter()
            .any(|condition| {
                object::text(condition, &["type"]) == "Established"
                    && object::text(condition, &["status"]) == "True"
            });
        if established {
            custom.extend(serve(&state.schemas, definition));
        }
    }
    state.registry.set_custom(custom);
}

/// Puts a new definition into its first state: nothing is accepted yet.
pub(crate) fn prepare_create(definition: &mut Value) {
    object::set(
        definition,
        &["status"],
        json!({"conditions": null, "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": stored(definition)}),
    );
}

/// Keeps the list of versions that objects were ever stored in.
pub(crate) fn prepare_update(definition: &mut Value) {
    let mut versions = object::list(definition, &["status", "storedVersions"]).to_vec();
    for version in stored(definition) {
        if !versions.contains(&version) {
            versions.push(version);
        }
    }
    object::set(definition, &["status", "storedVersions"], Value::Array(versions));
}

fn stored(definition: &Value) -> Vec<Value> {
    object::list(definition, &["spec", "versions"])
        .iter()
        .filter(|version| version.get("storage") == Some(&json!(true)))
        .filter_map(|version| version.get("name").cloned())
        .collect()
}

/// What is wrong with a definition itself.
pub(crate) fn check_definition(definition: &Value) -> Vec<Cause> {
    let spec = |path: &[&str]| {
        object::at(definition, path)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let (plural, group) = (spec(&["spec", "names", "plural"]), spec(&["spec", "group"]));
    let mut causes = Vec::new();
    if object::name(definition) != format!("{plural}.{group}") {
        causes.push(crate::validation::invalid(
            "metadata.name",
            &json!(object::name(definition)),
            "must be spec.names.plural+\".\"+spec.group",
        ));
    }
    if group.is_empty() {
        causes.push(crate::validation::required("spec.group", ""));
    }
    if stored(definition).len() != 1 {
        let versions = object::at(definition, &["spec", "versions"])
            .cloned()
            .unwrap_or_default();
        causes.push(crate::validation::invalid(
            "spec.versions",
            &versions,
            "must have exactly one version marked as storage version",
        ));
    }
    for (index, version) in object::list(definition, &["spec", "versions"]).iter().enumerate() {
        if object::at(version, &["schema", "openAPIV3Schema"]).is_none() {
            let field = format!("spec.versions[{index}].schema.openAPIV3Schema");
            causes.push(crate::validation::required(field, "schemas are required"));
        }
    }
    causes
}

fn serve(builtin: &Schemas, definition: &Value) -> Vec<Arc<Served>> {
    let spec = |path: &[&str]| {
        let mut full = vec!["spec"];
        full.extend(path);
        object::text(definition, &full).to_owned()
    };
    let strings = |path: &[&str]| -> Vec<String> {
        object::list(definition, path)
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    };
    let group = spec(&["group"]);
    let plural = spec(&["names", "plural"]);
    let served: Vec<&Value> = object::list(definition, &["spec", "versions"])
        .iter()
        .filter(|version| version.get("served") == Some(&json!(true)))
        .collect();
    served
        .into_iter()
        .map(|version| {
            let name = object::text(version, &["name"]);
            let kind = spec(&["names", "kind"]);
            let gvk = GroupVersionKind::new(&group, name, &kind);
            let custom = Custom {
                version: version.clone(),
            };
            let mut subresources = Vec::new();
            if custom.has_status() {
                subresources.push(subresource("status", GroupVersionKind::new("", "", &kind)));
            }
            if custom.scale().is_some() {
                subresources.push(subresource(
                    "scale",
                    GroupVersionKind::new("autoscaling", "v1", "Scale"),
                ));
            }
            let verbs = [
                "delete",
                "deletecollection",
                "get",
                "list",
                "patch",
                "create",
                "update",
                "watch",
            ];
            let resource = Resource {
                group: group.clone(),
                version: name.to_owned(),
                plural: plural.clone(),
                singular: spec(&["names", "singular"]),
                kind: kind.clone(),
                namespaced: spec(&["scope"]) == "Namespaced",
                verbs: verbs.map(str::to_owned).to_vec(),
                short_names: strings(&["spec", "names", "shortNames"]),
                categories: strings(&["spec", "names", "categories"]),
                subresources,
                response: None,
            };
            Arc::new(Served {
                list_kind: spec(&["names", "listKind"]),
                key: Key::new(&group, &plural),
                schemas: Arc::new(Schemas::from_crd_schema(builtin, gvk, custom.schema())),
                resource: Arc::new(resource),
                custom: Some(Arc::new(custom)),
            })
        })
        .collect()
}

/// All that is wrong with a custom resource, by schema and rules. `live` is what it replaces.
pub(crate) fn validate(custom: &Custom, object: &Value, live: Option<&Value>) -> Vec<Cause> {
    let Some(schema) = custom.schema() else {
        return Vec::new();
    };
    let mut causes = validate::validate(schema, object);
    if causes.is_empty() {
        return rules::check(schema, object, live);
    }
    // Rules are not asked about an object whose shape is wrong.
    let blocking = |cause: &Cause| {
        matches!(
            cause.reason,
            "FieldValueRequired"
                | "FieldValueTooMany"
                | "FieldValueTooLong"
                | "FieldValueNotSupported"
                | "FieldValueTypeInvalid"
        )
    };
    if !rules::has_rules(schema) {
        return causes;
    }
    if causes.iter().any(blocking) {
        causes.push(Cause {
            reason: "FieldValueInvalid",
            message: "Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation".to_owned(),
            field: "<nil>".to_owned(),
        });
    } else {
        causes.extend(rules::check(schema, object, live));
    }
    causes
}
