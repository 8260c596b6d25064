//! The HelmChart that is made of `spec.chart` (flux-controllers.md §4.1).

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use weir_apis::kind::helm_release::ChartTemplate;
use weir_apis::kind::{HelmChart, HelmRelease};
use weir_apis::{GroupVersionKind, InvalidObject, Object, ObjectRef, key};
use weir_runtime::Key;

/// The HelmChart of a name.
pub(crate) fn reference(namespace: &str, name: &str) -> ObjectRef {
    let gvk = GroupVersionKind::new(HelmChart::GROUP, HelmChart::VERSION, HelmChart::KIND);
    ObjectRef::new(gvk, namespace, name)
}

/// The one that the status names as `<namespace>/<name>`.
pub(crate) fn of_status(text: &str) -> Option<ObjectRef> {
    let (namespace, name) = text.split_once('/')?;
    Some(reference(namespace, name))
}

/// The one that the template asks for: in the namespace of its source.
pub(crate) fn of_template(own: &HelmRelease, template: &ChartTemplate) -> ObjectRef {
    let source = &template.spec.source_ref;
    let namespace = source.namespace.as_deref().unwrap_or(&own.metadata.namespace);
    let name = format!("{}-{}", own.metadata.namespace, own.metadata.name);
    reference(namespace, &name)
}

/// The HelmRelease that a HelmChart belongs to, by its labels and its name.
pub(crate) fn owner_of(chart: &Object) -> BTreeSet<Key> {
    let (Some(name), Some(namespace)) = (
        chart.label(key::HELM_RELEASE_NAME),
        chart.label(key::HELM_RELEASE_NAMESPACE),
    ) else {
        return BTreeSet::new();
    };
    if chart.name() != format!("{namespace}-{name}") {
        return BTreeSet::new();
    }
    BTreeSet::from([(namespace.to_owned(), name.to_owned())])
}

/// The HelmChart to apply. It comes with the finalizer that its controller would add.
pub(crate) fn build(own: &HelmRelease, template: &ChartTemplate) -> Result<Object, InvalidObject> {
    let reference = of_template(own, template);
    let chart = &template.spec;
    let mut spec = Map::new();
    let mut set = |name: &str, value: Value| {
        if !value.is_null() {
            spec.insert(name.to_owned(), value);
        }
    };
    set("chart", json!(chart.chart));
    set("version", json!(chart.version));
    set(
        "sourceRef",
        json!({"kind": chart.source_ref.kind, "name": chart.source_ref.name}),
    );
    set(
        "interval",
        json!(chart.interval.as_ref().unwrap_or(&own.spec.interval)),
    );
    set("reconcileStrategy", json!(chart.reconcile_strategy));
    if !chart.values_files.is_empty() {
        set("valuesFiles", json!(chart.values_files));
    }
    if chart.ignore_missing_values_files {
        set("ignoreMissingValuesFiles", json!(true));
    }
    if let Some(verify) = &chart.verify {
        let mut wanted = json!({"provider": verify.provider});
        if let Some(secret) = &verify.secret_ref {
            wanted["secretRef"] = json!({"name": secret.name});
        }
        set("verify", wanted);
    }
    let mut metadata = json!({
        "name": reference.name, "namespace": reference.namespace, "finalizers": [key::FINALIZER],
    });
    let template = template.metadata.clone().unwrap_or_default();
    let mut labels = template.labels;
    labels.insert(key::HELM_RELEASE_NAME.into(), own.metadata.name.clone());
    labels.insert(key::HELM_RELEASE_NAMESPACE.into(), own.metadata.namespace.clone());
    metadata["labels"] = json!(labels);
    if !template.annotations.is_empty() {
        metadata["annotations"] = json!(template.annotations);
    }
    Object::from_value(json!({
        "apiVersion": reference.gvk.api_version(), "kind": reference.gvk.kind,
        "metadata": metadata, "spec": spec,
    }))
}

/// Whether a live HelmChart is what is to be applied. What the API server fills in counts as asked for, and whether it is
/// suspended is somebody else's business.
pub(crate) fn is_as_wanted(live: &Object, wanted: &Object) -> bool {
    let spec = |object: &Object| object.get(&["spec"]).and_then(Value::as_object).cloned();
    let (Some(mut is), Some(mut should)) = (spec(live), spec(wanted)) else {
        return false;
    };
    is.remove("suspend");
    for (field, default) in [("version", "*"), ("reconcileStrategy", "ChartVersion")] {
        should.entry(field).or_insert_with(|| default.into());
    }
    let has_all = |field: &str| {
        let map = |object: &Object| {
            object
                .get(&["metadata", field])
                .and_then(Value::as_object)
                .cloned()
        };
        let is = map(live).unwrap_or_default();
        map(wanted)
            .iter()
            .flatten()
            .all(|(key, value)| is.get(key) == Some(value))
    };
    is == should && has_all("labels") && has_all("annotations")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(chart: &Value) -> HelmRelease {
        serde_json::from_value(json!({
            "metadata": {"name": "web", "namespace": "apps"},
            "spec": {"interval": "10m", "chart": chart},
        }))
        .unwrap()
    }

    #[test]
    fn a_small_template_has_the_release_s_interval_and_owner() {
        let own = own(
            &json!({"spec": {"chart": "podinfo", "sourceRef": {"kind": "HelmRepository", "name": "charts"}}}),
        );
        let chart = build(&own, own.spec.chart.as_ref().unwrap()).unwrap();
        assert_eq!(
            chart.into_value(),
            json!({
                "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmChart",
                "metadata": {"name": "apps-web", "namespace": "apps", "finalizers": ["finalizers.fluxcd.io"], "labels": {
                    "helm.toolkit.fluxcd.io/name": "web", "helm.toolkit.fluxcd.io/namespace": "apps",
                }},
                "spec": {"chart": "podinfo", "interval": "10m", "sourceRef": {"kind": "HelmRepository", "name": "charts"}},
            })
        );
    }

    #[test]
    fn what_the_api_server_fills_in_is_no_difference() {
        let own = own(
            &json!({"spec": {"chart": "podinfo", "sourceRef": {"kind": "HelmRepository", "name": "charts"}}}),
        );
        let wanted = build(&own, own.spec.chart.as_ref().unwrap()).unwrap();
        let mut live = wanted.to_value();
        live["spec"]["version"] = "*".into();
        live["spec"]["reconcileStrategy"] = "ChartVersion".into();
        live["spec"]["suspend"] = true.into();
        live["metadata"]["labels"]["theirs"] = "1".into();
        let mut other = live.clone();
        assert!(is_as_wanted(&Object::from_value(live).unwrap(), &wanted));
        other["spec"]["valuesFiles"] = json!(["prod.yaml"]);
        assert!(!is_as_wanted(&Object::from_value(other).unwrap(), &wanted));
    }

    #[test]
    fn a_full_template_goes_to_the_namespace_of_its_source() {
        let own = own(&json!({
            "metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}},
            "spec": {
                "chart": "podinfo", "version": "6.x", "interval": "1m", "reconcileStrategy": "Revision",
                "sourceRef": {"kind": "GitRepository", "name": "charts", "namespace": "flux-system"},
                "valuesFiles": ["prod.yaml"], "ignoreMissingValuesFiles": true,
                "verify": {"provider": "cosign", "secretRef": {"name": "keys"}},
            },
        }));
        let template = own.spec.chart.as_ref().unwrap();
        assert_eq!(
            of_status("flux-system/apps-web"),
            Some(of_template(&own, template))
        );
        let chart = build(&own, template).unwrap();
        assert_eq!(
            chart.into_value(),
            json!({
                "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmChart",
                "metadata": {"name": "apps-web", "namespace": "flux-system", "finalizers": ["finalizers.fluxcd.io"],
                    "annotations": {"c": "d"}, "labels": {"a": "b", "helm.toolkit.fluxcd.io/name": "web", "helm.toolkit.fluxcd.io/namespace": "apps",
                }},
                "spec": {
                    "chart": "podinfo", "version": "6.x", "interval": "1m", "reconcileStrategy": "Revision",
                    "sourceRef": {"kind": "GitRepository", "name": "charts"},
                    "valuesFiles": ["prod.yaml"], "ignoreMissingValuesFiles": true,
                    "verify": {"provider": "cosign", "secretRef": {"name": "keys"}},
                },
            })
        );
    }
}
