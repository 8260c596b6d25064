//! The types of what is served, as OpenAPI v3 documents: one a group and version.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use weir_schema::openapi::{builtin_components, references};

use crate::object;
use crate::registry::Served;
use crate::reply::Reply;
use crate::request::ApiRequest;
use crate::state::State;

const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// Answers a request below `/openapi`.
pub(crate) fn answer(state: &State, request: &ApiRequest) -> Option<Reply> {
    let parts: Vec<&str> = request.parts.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["openapi", "v3"] => Some(index(state)),
        ["openapi", "v3", "api", version] => document(state, "", version),
        ["openapi", "v3", "apis", group, version] => document(state, group, version),
        _ => None,
    }
}

/// The path of a group and version below `/openapi/v3`.
fn path_of(group: &str, version: &str) -> String {
    if group.is_empty() {
        format!("api/{version}")
    } else {
        format!("apis/{group}/{version}")
    }
}

fn index(state: &State) -> Reply {
    let mut paths = Map::new();
    for served in state.registry.all() {
        let path = path_of(served.group(), &served.resource.version);
        // The hash tells clients when to read a document again: with the definitions, for custom resources.
        let stamp = if served.custom.is_some() {
            state.store.revision()
        } else {
            0
        };
        let url = format!("/openapi/v3/{path}?hash={stamp:016X}");
        paths.insert(path, json!({"serverRelativeURL": url}));
    }
    Reply::json(200, json!({"paths": paths}))
}

fn document(state: &State, group: &str, version: &str) -> Option<Reply> {
    let resources: Vec<_> = state
        .registry
        .all()
        .filter(|served| served.group() == group && served.resource.version == version)
        .collect();
    if resources.is_empty() {
        return None;
    }
    let builtin = state.components.get_or_init(builtin_components);
    let mut schemas = Map::new();
    let mut wanted: BTreeSet<String> = BTreeSet::new();
    let mut paths = Map::new();
    for served in &resources {
        if served.custom.is_some() {
            let (name, schema) = custom_schema(served, builtin);
            wanted.extend(references(&schema));
            schemas.insert(name, schema);
        } else {
            wanted.extend(served.schemas.type_name(&served.gvk()).map(str::to_owned));
            let list = weir_schema::GroupVersionKind {
                kind: served.list_kind.clone(),
                ..served.gvk()
            };
            wanted.extend(served.schemas.type_name(&list).map(str::to_owned));
        }
        add_paths(&mut paths, served);
    }
    wanted.insert("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions".to_owned());
    // Everything that is referred to comes along.
    while let Some(name) = wanted.pop_first() {
        if schemas.contains_key(&name) {
            continue;
        }
        let Some(schema) = builtin.get(&name) else {
            continue;
        };
        wanted.extend(
            references(schema)
                .into_iter()
                .filter(|name| !schemas.contains_key(name)),
        );
        schemas.insert(name, schema.clone());
    }
    Some(Reply::json(
        200,
        json!({
            "openapi": "3.0.0",
            "info": {"title": "Kubernetes", "version": "v1.34.2"},
            "paths": paths,
            "components": {"schemas": schemas},
        }),
    ))
}

/// A custom resource's type: its schema, completed with what all objects have. What a definition says of those fields is
/// replaced, as kube-apiserver does it.
fn custom_schema(served: &Served, builtin: &Map<String, Value>) -> (String, Value) {
    let mut schema = served
        .custom
        .as_ref()
        .and_then(|custom| custom.schema())
        .cloned()
        .unwrap_or_else(|| json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}));
    let reference = json!([{"$ref": format!("#/components/schemas/{OBJECT_META}")}]);
    for (field, what, value) in [
        ("apiVersion", "type", json!("string")),
        ("kind", "type", json!("string")),
        ("metadata", "allOf", reference),
    ] {
        let description = builtin
            .get("io.k8s.api.core.v1.ConfigMap")
            .map(|like| object::text(like, &["properties", field, "description"]));
        let property = json!({what: value, "description": description});
        object::set(&mut schema, &["properties", field], property);
    }
    let gvk = served.gvk();
    object::set(
        &mut schema,
        &["x-kubernetes-group-version-kind"],
        json!([{"group": gvk.group, "version": gvk.version, "kind": gvk.kind}]),
    );
    let reversed: Vec<&str> = gvk.group.rsplit('.').collect();
    (
        format!("{}.{}.{}", reversed.join("."), gvk.version, gvk.kind),
        schema,
    )
}

/// The operations of a resource, as far as clients look at them: what each is about, and which options it takes.
fn add_paths(paths: &mut Map<String, Value>, served: &Served) {
    let gvk = served.gvk();
    let base = if gvk.group.is_empty() {
        format!("/api/{}", gvk.version)
    } else {
        format!("/apis/{}/{}", gvk.group, gvk.version)
    };
    let home = if served.resource.namespaced {
        "/namespaces/{namespace}"
    } else {
        ""
    };
    let collection = format!("{base}{home}/{}", served.plural());
    let options = ["dryRun", "fieldManager", "fieldValidation", "force"]
        .map(|name| json!({"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": true}}));
    let mut operations = [Map::new(), Map::new()];
    for verb in &served.resource.verbs {
        let (on_object, method, action) = match verb.as_str() {
            "create" => (0, "post", "post"),
            "list" => (0, "get", "list"),
            "deletecollection" => (0, "delete", "deletecollection"),
            "get" => (1, "get", "get"),
            "update" => (1, "put", "put"),
            "patch" => (1, "patch", "patch"),
            "delete" => (1, "delete", "delete"),
            _ => continue,
        };
        let operation = json!({
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": {"group": gvk.group, "version": gvk.version, "kind": gvk.kind},
            "parameters": options,
            "responses": {"200": {"description": "OK"}},
        });
        if let Some(slot) = operations.get_mut(on_object) {
            slot.insert(method.to_owned(), operation);
        }
    }
    let [on_collection, on_object] = operations;
    paths.insert(format!("{collection}/{{name}}"), Value::Object(on_object));
    paths.insert(collection, Value::Object(on_collection));
}
