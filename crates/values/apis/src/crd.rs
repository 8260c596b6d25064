//! CustomResourceDefinitions, made from the types in [`crate::kind`].
//!
//! Field docs become descriptions, schemars attributes become validation. Two things Kubernetes asks for
//! and JSON Schema generators do not do are done here: a *structural* schema has no references and no
//! `null` among its types, and Flux's kinds start with `status.observedGeneration: -1`, which a dependency
//! expression can tell from "reconciled once" (flux-controllers.md §1.1).

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::kind::{
    ExternalArtifact, ExternalArtifactSpec, ExternalArtifactStatus, HelmChart, HelmChartSpec,
    HelmChartStatus, HelmRelease, HelmReleaseSpec, HelmReleaseStatus, HelmRepository, HelmRepositorySpec,
    HelmRepositoryStatus, Kustomization, KustomizationSpec, KustomizationStatus, OciRepository,
    OciRepositorySpec, OciRepositoryStatus, VerificationPolicy, VerificationPolicySpec,
    VerificationPolicyStatus,
};

/// Every CustomResourceDefinition that weir installs, in the order in which they are written out.
pub fn all() -> Vec<Value> {
    vec![
        Definition {
            scope: "Namespaced",
            part_of: "flux",
            group: Kustomization::GROUP,
            version: Kustomization::VERSION,
            kind: Kustomization::KIND,
            plural: Kustomization::PLURAL,
            singular: "kustomization",
            short_names: &["ks"],
            categories: &["all", "fluxcd", "fluxcd-appliers"],
            columns: &[AGE, READY, STATUS],
            description: "Kustomization says what to build from a source and apply to a cluster.",
        }
        .with::<KustomizationSpec, KustomizationStatus>(),
        Definition {
            scope: "Namespaced",
            part_of: "flux",
            group: OciRepository::GROUP,
            version: OciRepository::VERSION,
            kind: OciRepository::KIND,
            plural: OciRepository::PLURAL,
            singular: "ocirepository",
            short_names: &["ocirepo"],
            categories: &["all", "fluxcd", "fluxcd-sources"],
            columns: &[("URL", "string", ".spec.url"), READY, STATUS, AGE],
            description: "OCIRepository is a source whose artifacts lie in an OCI registry.",
        }
        .with::<OciRepositorySpec, OciRepositoryStatus>(),
        Definition {
            scope: "Namespaced",
            part_of: "flux",
            group: HelmRelease::GROUP,
            version: HelmRelease::VERSION,
            kind: HelmRelease::KIND,
            plural: HelmRelease::PLURAL,
            singular: "helmrelease",
            short_names: &["hr"],
            categories: &["all", "fluxcd", "fluxcd-appliers"],
            columns: &[AGE, READY, STATUS],
            description: "HelmRelease says which chart to release, with which values, and how.",
        }
        .with::<HelmReleaseSpec, HelmReleaseStatus>(),
        Definition {
            scope: "Namespaced",
            part_of: "flux",
            group: HelmChart::GROUP,
            version: HelmChart::VERSION,
            kind: HelmChart::KIND,
            plural: HelmChart::PLURAL,
            singular: "helmchart",
            short_names: &["hc"],
            categories: &["all", "fluxcd", "fluxcd-sources"],
            columns: &[
                ("Chart", "string", ".spec.chart"),
                ("Version", "string", ".spec.version"),
                ("Source Kind", "string", ".spec.sourceRef.kind"),
                ("Source Name", "string", ".spec.sourceRef.name"),
                AGE,
                READY,
                STATUS,
            ],
            description: "HelmChart is one chart of a source, at one version.",
        }
        .with::<HelmChartSpec, HelmChartStatus>(),
        Definition {
            scope: "Namespaced",
            part_of: "flux",
            group: HelmRepository::GROUP,
            version: HelmRepository::VERSION,
            kind: HelmRepository::KIND,
            plural: HelmRepository::PLURAL,
            singular: "helmrepository",
            short_names: &["helmrepo"],
            categories: &["all", "fluxcd", "fluxcd-sources"],
            columns: &[("URL", "string", ".spec.url"), AGE, READY, STATUS],
            description: "HelmRepository is where charts are published, as an HTTP index or in an OCI registry.",
        }
        .with::<HelmRepositorySpec, HelmRepositoryStatus>(),
        Definition {
            scope: "Namespaced",
            part_of: "flux",
            group: ExternalArtifact::GROUP,
            version: ExternalArtifact::VERSION,
            kind: ExternalArtifact::KIND,
            plural: ExternalArtifact::PLURAL,
            singular: "externalartifact",
            short_names: &["ea"],
            categories: &["all", "fluxcd", "fluxcd-sources"],
            columns: &[AGE, READY, STATUS, ("Source", "string", ".spec.sourceRef.name")],
            description: "ExternalArtifact is a source that somebody else writes and serves.",
        }
        .passive::<ExternalArtifactSpec, ExternalArtifactStatus>(),
        Definition {
            scope: "Cluster",
            part_of: "weir",
            group: VerificationPolicy::GROUP,
            version: VerificationPolicy::VERSION,
            kind: VerificationPolicy::KIND,
            plural: VerificationPolicy::PLURAL,
            singular: "verificationpolicy",
            short_names: &["vpol"],
            categories: &["weir"],
            columns: &[
                ("Mode", "string", ".spec.mode"),
                ("Matched", "integer", ".status.sources.matched"),
                ("Verified", "integer", ".status.sources.verified"),
                ("Would fail", "integer", ".status.sources.wouldFail"),
                AGE,
                READY,
                STATUS,
            ],
            description: "VerificationPolicy says which signatures the artifacts of some sources must carry.",
        }
        .with::<VerificationPolicySpec, VerificationPolicyStatus>(),
    ]
}

type Column = (&'static str, &'static str, &'static str);
const AGE: Column = ("Age", "date", ".metadata.creationTimestamp");
const READY: Column = (
    "Ready",
    "string",
    ".status.conditions[?(@.type==\"Ready\")].status",
);
const STATUS: Column = (
    "Status",
    "string",
    ".status.conditions[?(@.type==\"Ready\")].message",
);

struct Definition {
    scope: &'static str,
    part_of: &'static str,
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
    singular: &'static str,
    short_names: &'static [&'static str],
    categories: &'static [&'static str],
    columns: &'static [Column],
    description: &'static str,
}

impl Definition {
    /// A kind that one of our controllers reconciles.
    fn with<Spec: JsonSchema, Status: JsonSchema>(self) -> Value {
        let mut status = structural::<Status>();
        if let Some(map) = status.as_object_mut() {
            map.insert("default".into(), json!({"observedGeneration": -1}));
        }
        self.of(&structural::<Spec>(), &status)
    }

    /// A kind that nobody reconciles: there is no generation to observe.
    fn passive<Spec: JsonSchema, Status: JsonSchema>(self) -> Value {
        self.of(&structural::<Spec>(), &structural::<Status>())
    }

    fn of(self, spec: &Value, status: &Value) -> Value {
        let columns: Vec<Value> = self
            .columns
            .iter()
            .map(|(name, kind, path)| json!({"name": name, "type": kind, "jsonPath": path}))
            .collect();
        json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {
                "name": format!("{}.{}", self.plural, self.group),
                // Substitution would read the `${…}` in descriptions (flux-controllers.md §1.1).
                "annotations": {crate::key::SUBSTITUTE: "disabled"},
                "labels": {"app.kubernetes.io/part-of": self.part_of},
            },
            "spec": {
                "group": self.group,
                "names": {
                    "kind": self.kind,
                    "listKind": format!("{}List", self.kind),
                    "plural": self.plural,
                    "singular": self.singular,
                    "shortNames": self.short_names,
                    "categories": self.categories,
                },
                "scope": self.scope,
                "versions": [{
                    "name": self.version,
                    "served": true,
                    "storage": true,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": columns,
                    "schema": {"openAPIV3Schema": {
                        "type": "object",
                        "description": self.description,
                        "properties": {
                            "apiVersion": {"type": "string", "description": "Version of the schema of this object."},
                            "kind": {"type": "string", "description": "Kind of this object."},
                            "metadata": {"type": "object"},
                            "spec": spec,
                            "status": status,
                        },
                    }},
                }],
            },
        })
    }
}

/// The structural schema of a type: everything inline, nothing nullable.
fn structural<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::openapi3();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let schema = settings.into_generator().into_root_schema_for::<T>();
    let mut value = schema.to_value();
    simplify(&mut value);
    if let Some(map) = value.as_object_mut() {
        map.remove("title");
    }
    value
}

fn simplify(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(simplify),
        Value::Object(map) => {
            simplify_schema(map);
            map.values_mut().for_each(simplify);
        }
        _ => {}
    }
}

fn simplify_schema(map: &mut Map<String, Value>) {
    map.remove("nullable");
    map.remove("$schema");
    // `serde(deny_unknown_fields)` writes this, which a structural schema cannot have beside `properties`: what is
    // unknown is refused when it is read.
    if map.get("additionalProperties") == Some(&Value::Bool(false)) {
        map.remove("additionalProperties");
    }
    // `Option<T>` with an attribute of its own comes out as `anyOf: [T, null]` or `allOf: [T]`.
    for word in ["anyOf", "allOf"] {
        let Some(Value::Array(alternatives)) = map.get(word) else {
            continue;
        };
        let real: Vec<Value> = alternatives
            .iter()
            .filter(|a| a.get("type") != Some(&Value::from("null")) && a.get("enum") != Some(&json!([null])))
            .cloned()
            .collect();
        if let [Value::Object(only)] = real.as_slice() {
            map.remove(word);
            for (key, inner) in only {
                map.entry(key.clone()).or_insert_with(|| inner.clone());
            }
        }
    }
    if let Some(Value::Array(types)) = map.get("type") {
        let real: Vec<Value> = types.iter().filter(|t| **t != "null").cloned().collect();
        if let [only] = real.as_slice() {
            let only = only.clone();
            map.insert("type".into(), only);
        }
    }
    // `serde(default)` writes the Rust default into the schema; only defaults asked for by `extend` are meant,
    // and those are never null or empty.
    let empty = |v: &Value| match v {
        Value::Null => true,
        Value::Array(a) => a.is_empty(),
        Value::Object(o) => o.is_empty(),
        _ => false,
    };
    if map.get("default").is_some_and(empty) {
        map.remove("default");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forbidden(value: &Value, path: &str, found: &mut Vec<String>) {
        // Below `properties` the names are those of fields.
        let are_fields = path.ends_with("/properties");
        match value {
            Value::Object(map) => {
                for (key, inner) in map {
                    if !are_fields
                        && ["$ref", "$defs", "definitions", "anyOf", "oneOf", "nullable"]
                            .contains(&key.as_str())
                    {
                        found.push(format!("{path}/{key}"));
                    }
                    if key == "additionalProperties" && map.contains_key("properties") {
                        found.push(format!("{path}/{key}"));
                    }
                    forbidden(inner, &format!("{path}/{key}"), found);
                }
            }
            Value::Array(list) => {
                for (i, inner) in list.iter().enumerate() {
                    forbidden(inner, &format!("{path}/{i}"), found);
                }
            }
            _ => {}
        }
    }

    #[test]
    fn schemas_are_structural() {
        for definition in all() {
            let mut found = Vec::new();
            forbidden(&definition, "", &mut found);
            assert_eq!(found, Vec::<String>::new());
        }
    }

    #[test]
    fn n45_unknown_fields_of_a_policy_stay_to_be_refused() {
        fn pruning(schema: &Value, path: &str, found: &mut Vec<String>) {
            if let Some(fields) = schema.get("properties").and_then(Value::as_object) {
                if schema.get("x-kubernetes-preserve-unknown-fields") != Some(&Value::Bool(true)) {
                    found.push(path.to_owned());
                }
                for (name, inner) in fields {
                    pruning(inner, &format!("{path}.{name}"), found);
                }
            }
            if let Some(items) = schema.get("items") {
                pruning(items, &format!("{path}[]"), found);
            }
        }
        let definitions = all();
        let policy = definitions
            .iter()
            .find(|d| d.pointer("/spec/names/kind") == Some(&json!(VerificationPolicy::KIND)))
            .unwrap();
        let spec = policy
            .pointer("/spec/versions/0/schema/openAPIV3Schema/properties/spec")
            .unwrap();
        let mut found = Vec::new();
        pruning(spec, "spec", &mut found);
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn status_starts_at_minus_one_where_somebody_observes() {
        for definition in all() {
            let default =
                definition.pointer("/spec/versions/0/schema/openAPIV3Schema/properties/status/default");
            let is_passive = definition.pointer("/spec/names/kind") == Some(&json!(ExternalArtifact::KIND));
            let wanted = json!({"observedGeneration": -1});
            assert_eq!(default, (!is_passive).then_some(&wanted), "{definition}");
        }
    }
}
