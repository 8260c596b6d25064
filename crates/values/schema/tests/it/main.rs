//! Facts about built-in and custom types, asked through the public API.

use serde_json::json;
use weir_schema::{Element, GoField, GroupVersionKind, Kind, ListType, Schemas, openapi};

fn gvk(api_version: &str, kind: &str) -> GroupVersionKind {
    GroupVersionKind::from_api_version(api_version, kind)
}

#[test]
fn every_served_kind_has_a_type() {
    let schemas = Schemas::builtin();
    assert!(schemas.resources().len() > 60);
    for resource in schemas.resources() {
        let is_typed = schemas.lookup(&resource.gvk()).is_some();
        assert!(is_typed, "{} has no type", resource.gvk());
    }
}

#[test]
fn discovery_facts_are_there() {
    let schemas = Schemas::builtin();
    let deployment = schemas
        .resource_of(&gvk("apps/v1", "Deployment"))
        .expect("served");
    assert_eq!(deployment.plural, "deployments");
    assert_eq!(deployment.singular, "deployment");
    assert_eq!(deployment.short_names, ["deploy"]);
    assert_eq!(deployment.categories, ["all"]);
    assert!(deployment.has_verb("deletecollection"));
    let scale = deployment.subresource("scale").expect("has a scale");
    assert_eq!(scale.response, gvk("autoscaling/v1", "Scale"));
    assert_eq!(schemas.is_namespaced(&gvk("v1", "Namespace")), Some(false));
    assert_eq!(schemas.is_namespaced(&gvk("v1", "ConfigMap")), Some(true));
    assert_eq!(schemas.is_namespaced(&gvk("example.com/v1", "Thing")), None);
}

#[test]
fn fields_say_how_they_merge() {
    let schemas = Schemas::builtin();
    let pod = schemas.lookup(&gvk("v1", "Pod")).expect("built in");
    let containers = pod.at(&["spec", "containers"]).expect("declared");
    assert_eq!(containers.list_type(), ListType::Map(&["name".to_owned()]));
    assert_eq!(containers.patch_merge_key(), Some("name"));
    assert_eq!(containers.patch_strategies(), ["merge"]);
    let ports = pod.at(&["spec", "containers", "ports"]).expect("declared");
    assert_eq!(
        ports.list_type(),
        ListType::Map(&["containerPort".to_owned(), "protocol".to_owned()])
    );
    let protocol = pod
        .at(&["spec", "containers", "ports", "protocol"])
        .expect("declared");
    assert_eq!(protocol.default(), Some(&json!("TCP")));
    let args = pod.at(&["spec", "containers", "args"]).expect("declared");
    assert_eq!(args.list_type(), ListType::Atomic);
    let finalizers = pod.at(&["metadata", "finalizers"]).expect("declared");
    assert_eq!(finalizers.list_type(), ListType::Set);
    let volumes = pod.at(&["spec", "volumes"]).expect("declared");
    assert_eq!(volumes.patch_strategies(), ["merge", "retainKeys"]);
    let service = schemas.lookup(&gvk("v1", "Service")).expect("built in");
    assert!(
        service
            .at(&["spec", "selector"])
            .expect("declared")
            .is_atomic_map()
    );
    assert_eq!(
        service
            .at(&["spec", "ports", "targetPort"])
            .expect("declared")
            .kind(),
        Kind::IntOrString
    );
    assert!(pod.at(&["spec", "nothing"]).is_none());
}

#[test]
fn maps_have_values_and_structs_have_none_beyond_their_fields() {
    let schemas = Schemas::builtin();
    let map = schemas.lookup(&gvk("v1", "ConfigMap")).expect("built in");
    let Element::Typed(value) = map.at(&["data"]).expect("declared").additional() else {
        panic!("data is a map of texts");
    };
    assert_eq!(value.kind(), Kind::String);
    assert!(matches!(map.additional(), Element::Undeclared));
}

#[test]
fn fields_say_what_they_are_in_go() {
    let schemas = Schemas::builtin();
    let spec = schemas
        .type_named("io.k8s.api.apps.v1.DeploymentSpec")
        .expect("a type");
    let go = |name: &str| spec.field(name).expect("declared").go_field();
    assert_eq!(go("replicas"), GoField::Pointer);
    assert_eq!(go("strategy"), GoField::Struct);
    assert_eq!(go("paused"), GoField::OmitZero);
    assert_eq!(go("selector"), GoField::Zero);
    let event = schemas.lookup(&gvk("v1", "Event")).expect("built in");
    assert_eq!(
        event.field("eventTime").expect("declared").go_field(),
        GoField::Time
    );
    let metadata = event.field("metadata").expect("declared");
    assert_eq!(
        metadata.field("labels").expect("declared").go_field(),
        GoField::OmitEmpty
    );
}

#[test]
fn a_custom_schema_gives_the_same_view() {
    let builtin = Schemas::builtin();
    let schema = json!({
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    "items": {
                        "type": "array",
                        "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": ["name"],
                        "items": {"type": "object", "properties": {"name": {"type": "string"}}},
                    },
                    "port": {"x-kubernetes-int-or-string": true},
                    "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                    "template": {"type": "object", "x-kubernetes-embedded-resource": true},
                },
            },
        },
    });
    let kind = gvk("example.com/v1", "Thing");
    let schemas = Schemas::from_crd_schema(&builtin, kind.clone(), Some(&schema));
    let thing = schemas.lookup(&kind).expect("the type itself");
    assert_eq!(
        thing.at(&["spec", "items"]).expect("declared").list_type(),
        ListType::Map(&["name".to_owned()])
    );
    assert_eq!(
        thing.at(&["spec", "port"]).expect("declared").kind(),
        Kind::IntOrString
    );
    assert!(matches!(
        thing.at(&["spec", "free"]).expect("declared").additional(),
        Element::Free
    ));
    let owners = thing
        .at(&["metadata", "ownerReferences"])
        .expect("typed metadata");
    assert_eq!(owners.list_type(), ListType::Map(&["uid".to_owned()]));
    assert!(thing.at(&["spec", "template", "metadata", "labels"]).is_some());
}

#[test]
fn a_custom_type_without_a_schema_takes_anything() {
    let kind = gvk("example.com/v1", "Thing");
    let schemas = Schemas::from_crd_schema(&Schemas::builtin(), kind.clone(), None);
    let thing = schemas.lookup(&kind).expect("the type itself");
    assert!(thing.preserves_unknown());
    assert!(matches!(thing.additional(), Element::Free));
}

#[test]
fn broken_data_is_an_error() {
    assert!(Schemas::read("{").is_err());
    assert!(Schemas::read("{}").is_err());
    assert!(Schemas::read(r#"{"groups":[],"types":{}}"#).is_ok());
}

#[test]
fn components_are_openapi_again() {
    let components = openapi::builtin_components();
    let deployment = &components["io.k8s.api.apps.v1.Deployment"];
    assert_eq!(
        deployment["x-kubernetes-group-version-kind"],
        json!([{"group": "apps", "version": "v1", "kind": "Deployment"}])
    );
    assert_eq!(
        deployment["properties"]["spec"]["allOf"][0]["$ref"],
        "#/components/schemas/io.k8s.api.apps.v1.DeploymentSpec"
    );
    for (name, schema) in &components {
        for target in openapi::references(schema) {
            assert!(
                components.contains_key(&target),
                "{name} refers to {target}, which is not there"
            );
        }
    }
}

#[test]
fn api_versions_are_read_and_written() {
    assert_eq!(gvk("apps/v1", "Deployment").api_version(), "apps/v1");
    assert_eq!(gvk("v1", "Pod").api_version(), "v1");
    assert_eq!(
        gvk("apps/v1", "Deployment").to_string(),
        "apps/v1, Kind=Deployment"
    );
}
