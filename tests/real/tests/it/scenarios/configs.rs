//! ConfigMaps and Secrets that change.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use weir_real::{Ground, files, object};

const OUT: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: out\n  namespace: NS\ndata:\n  a: ${a:=none}\n  b: ${b:=none}\n";

/// The interval is an hour, so that what is seen at once is seen by the watch.
pub(crate) async fn a_labelled_one_is_acted_on_at_once(ground: &Ground) -> Result<()> {
    let ns = "configs-labelled";
    ground.namespace(ns).await?;
    let config = |kind: &str, name: &str, label: &str, field: &str, data: Value| {
        json!({"apiVersion": "v1", "kind": kind, field: data,
            "metadata": {"name": name, "namespace": ns, "labels": {"reconcile.fluxcd.io/watch": label}}})
    };
    let plain = |value: &str| config("ConfigMap", "vars", "Enabled", "data", json!({"a": value}));
    let secret = |value: &str| config("Secret", "vars", "Enabled", "stringData", json!({"b": value}));
    ground.apply_json(plain("one")).await?;
    let digest = ground
        .publish(ns, "latest", &files([("out.yaml", &OUT.replace("NS", ns))]))
        .await?;
    ground.source(ns, ns).await?;
    let from =
        json!([{"kind": "ConfigMap", "name": "vars"}, {"kind": "Secret", "name": "vars", "optional": true}]);
    let applied = ground
        .kustomization(ns, ns, json!({"postBuild": {"substituteFrom": from}}))
        .await?;
    ground.until_applied(&applied, digest).await?;
    let out = object("v1", "ConfigMap", ns, "out");
    let says = |wanted: Value| move |live: &weir_apis::Object| live.as_map().get("data") == Some(&wanted);
    ground.until(&out, says(json!({"a": "one", "b": "none"}))).await?;
    ground.apply_json(plain("two")).await?;
    ground.until(&out, says(json!({"a": "two", "b": "none"}))).await?;
    ground.apply_json(secret("three")).await?;
    ground
        .until(&out, says(json!({"a": "two", "b": "three"})))
        .await?;
    ground
        .client
        .delete(
            &object("v1", "Secret", ns, "vars"),
            weir_cluster::Propagation::Background,
            None,
        )
        .await?;
    ground.until(&out, says(json!({"a": "two", "b": "none"}))).await?;
    Ok(())
}

pub(crate) async fn one_without_the_label_waits_for_the_interval(ground: &Ground) -> Result<()> {
    let ns = "configs-plain";
    ground.namespace(ns).await?;
    let plain = |value: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "vars", "namespace": ns}, "data": {"a": value}});
    ground.apply_json(plain("one")).await?;
    let digest = ground
        .publish(ns, "latest", &files([("out.yaml", &OUT.replace("NS", ns))]))
        .await?;
    ground.source(ns, ns).await?;
    let from = json!([{"kind": "ConfigMap", "name": "vars"}]);
    let applied = ground
        .kustomization(ns, ns, json!({"postBuild": {"substituteFrom": from}}))
        .await?;
    ground.until_applied(&applied, digest).await?;
    ground.apply_json(plain("two")).await?;
    // Whatever the watch would have started is done by the time that another change has gone all the way.
    let other = "configs-plain-other";
    let from = json!([{"kind": "ConfigMap", "name": "labelled", "optional": true}]);
    let second = ground
        .kustomization(
            ns,
            other,
            json!({"sourceRef": {"kind": "OCIRepository", "name": ns},
            "nameSuffix": "-other", "postBuild": {"substituteFrom": from}}),
        )
        .await?;
    ground.until_applied(&second, digest).await?;
    let labelled = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "three"},
        "metadata": {"name": "labelled", "namespace": ns, "labels": {"reconcile.fluxcd.io/watch": "Enabled"}}});
    ground.apply_json(labelled).await?;
    let out = |name: &str| object("v1", "ConfigMap", ns, name);
    ground
        .until(&out("out-other"), |live| {
            live.get(&["data", "a"]) == Some(&json!("three"))
        })
        .await?;
    let live = ground.get(&out("out")).await?;
    ensure!(live.get(&["data", "a"]) == Some(&json!("one")), "{live:?}");
    ground.reconcile(&applied).await?;
    ground
        .until(&out("out"), |live| {
            live.get(&["data", "a"]) == Some(&json!("two"))
        })
        .await?;
    Ok(())
}
