//! From an artifact to objects and back.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use weir_apis::Object;
use weir_apis::condition::{READY, Status};
use weir_real::{Ground, files, object};

const CONFIG: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  namespace: NS\ndata:\n  colour: blue\n";
const WEB: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  namespace: NS\nspec:\n  selector:\n    matchLabels: {app: web}\n  template:\n    metadata:\n      labels: {app: web}\n    spec:\n      containers:\n        - name: web\n          image: example/web:1\n";

fn in_namespace(text: &str, namespace: &str) -> String {
    text.replace("NS", namespace)
}

pub(crate) async fn an_artifact_becomes_objects(ground: &Ground) -> Result<()> {
    let ns = "walk-first";
    ground.namespace(ns).await?;
    let tree = files([
        ("config.yaml", &in_namespace(CONFIG, ns)),
        ("web.yaml", &in_namespace(WEB, ns)),
    ]);
    let digest = ground.publish(ns, "latest", &tree).await?;
    let source = ground.source(ns, ns).await?;
    let applied = ground.kustomization(ns, ns, json!({"wait": true})).await?;
    let live = ground.until_applied(&applied, digest).await?;
    let status = live.get(&["status"]).cloned().unwrap_or_default();
    ensure!(
        status["lastAppliedRevision"] == json!(format!("latest@{digest}")),
        "{status}"
    );
    ensure!(status["lastAppliedOriginRevision"] == "main@sha1:1", "{status}");
    let entries = status["inventory"]["entries"].clone();
    ensure!(
        entries
            == json!([{"id": format!("{ns}_settings__ConfigMap"), "v": "v1"}, {"id": format!("{ns}_web_apps_Deployment"), "v": "v1"}]),
        "{entries}"
    );
    let config = ground.get(&object("v1", "ConfigMap", ns, "settings")).await?;
    ensure!(config.label("kustomize.toolkit.fluxcd.io/name") == Some(ns));
    ensure!(config.label("kustomize.toolkit.fluxcd.io/namespace") == Some(ns));
    let source = ground.until_ready(&source).await?;
    let artifact = source.get(&["status", "artifact"]).cloned().unwrap_or_default();
    ensure!(
        artifact["path"] == json!(format!("ocirepository/{ns}/{ns}/{digest}.tar.gz")),
        "{artifact}"
    );
    Ok(())
}

pub(crate) async fn a_new_tag_rolls_out_and_prunes(ground: &Ground) -> Result<()> {
    let ns = "walk-second";
    ground.namespace(ns).await?;
    let tree = files([
        ("config.yaml", &in_namespace(CONFIG, ns)),
        ("web.yaml", &in_namespace(WEB, ns)),
    ]);
    let first = ground.publish(ns, "latest", &tree).await?;
    let source = ground.source(ns, ns).await?;
    let applied = ground.kustomization(ns, ns, json!({"wait": true})).await?;
    ground.until_applied(&applied, first).await?;
    let tree = files([(
        "web.yaml",
        &in_namespace(WEB, ns).replace("example/web:1", "example/web:2"),
    )]);
    let second = ground.publish(ns, "latest", &tree).await?;
    ground.reconcile(&source).await?;
    ground.until_applied(&applied, second).await?;
    ground
        .until_gone(&object("v1", "ConfigMap", ns, "settings"))
        .await?;
    let web = ground.get(&object("apps/v1", "Deployment", ns, "web")).await?;
    let image = web
        .as_map()
        .get("spec")
        .and_then(|s| s.pointer("/template/spec/containers/0/image"));
    ensure!(image == Some(&json!("example/web:2")), "{image:?}");
    Ok(())
}

pub(crate) async fn deleting_the_kustomization_deletes_its_objects(ground: &Ground) -> Result<()> {
    let ns = "walk-delete";
    ground.namespace(ns).await?;
    let digest = ground
        .publish(ns, "latest", &files([("config.yaml", &in_namespace(CONFIG, ns))]))
        .await?;
    ground.source(ns, ns).await?;
    let applied = ground.kustomization(ns, ns, json!({})).await?;
    ground.until_applied(&applied, digest).await?;
    ground
        .client
        .delete(&applied, weir_cluster::Propagation::Background, None)
        .await?;
    ground.until_gone(&applied).await?;
    ground
        .until_gone(&object("v1", "ConfigMap", ns, "settings"))
        .await
}

pub(crate) async fn substitution_reads_config_maps_and_secrets(ground: &Ground) -> Result<()> {
    let ns = "walk-substitution";
    ground.namespace(ns).await?;
    ground
        .apply_json(
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "vars", "namespace": ns},
            "data": {"colour": "green", "shape": "round"}}),
        )
        .await?;
    ground
        .apply_json(
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "vars", "namespace": ns},
            "stringData": {"shape": "square"}}),
        )
        .await?;
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: out\n  namespace: NS\ndata:\n  a: ${colour}\n  b: ${shape}\n  c: ${missing:=none}\n  d: $${kept}\n";
    let digest = ground
        .publish(ns, "latest", &files([("out.yaml", &in_namespace(text, ns))]))
        .await?;
    ground.source(ns, ns).await?;
    let from = json!([{"kind": "ConfigMap", "name": "vars"}, {"kind": "Secret", "name": "vars"}, {"kind": "ConfigMap", "name": "absent", "optional": true}]);
    let applied = ground
        .kustomization(ns, ns, json!({"postBuild": {"substituteFrom": from}}))
        .await?;
    ground.until_applied(&applied, digest).await?;
    let out = ground.get(&object("v1", "ConfigMap", ns, "out")).await?;
    let data = out.as_map().get("data").cloned().unwrap_or_default();
    ensure!(
        data == json!({"a": "green", "b": "square", "c": "none", "d": "${kept}"}),
        "{data}"
    );
    Ok(())
}

pub(crate) async fn a_failing_object_names_itself_and_leaves_the_rest(ground: &Ground) -> Result<()> {
    let ns = "walk-failing";
    ground.namespace(ns).await?;
    let broken = "apiVersion: v1\nkind: Service\nmetadata:\n  name: broken\n  namespace: NS\nspec:\n  ports:\n    - port: 99999999\n";
    let tree = files([
        ("config.yaml", &in_namespace(CONFIG, ns)),
        ("broken.yaml", &in_namespace(broken, ns)),
    ]);
    ground.publish(ns, "latest", &tree).await?;
    ground.source(ns, ns).await?;
    let applied = ground.kustomization(ns, ns, json!({})).await?;
    let message = ground
        .until_condition(&applied, READY, Status::False, "ReconciliationFailed")
        .await?;
    ensure!(
        message.contains(&format!("Service/{ns}/broken")) && message.contains("port"),
        "{message}"
    );
    // Nothing of a stage is applied when one of its objects can't be.
    let config = ground
        .client
        .get(&object("v1", "ConfigMap", ns, "settings"))
        .await?;
    ensure!(config.is_none());
    let fixed = files([("config.yaml", &in_namespace(CONFIG, ns))]);
    let digest = ground.publish(ns, "latest", &fixed).await?;
    ground.reconcile(&weir_real::source(ns, ns)).await?;
    let live = ground.until_applied(&applied, digest).await?;
    let history = live
        .get(&["status", "history"])
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    ensure!(history.len() == 2, "{history:?}");
    Ok(())
}

/// Also where one of them would be the first to be written.
pub(crate) async fn all_that_fail_are_named(ground: &Ground) -> Result<()> {
    let ns = "walk-all-failing";
    ground.namespace(ns).await?;
    let broken = |name: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\n  namespace: {ns}\nspec:\n  ports:\n    - port: 99999999\n"
        )
    };
    ground.source(ns, ns).await?;
    let applied = ground.kustomization(ns, ns, json!({})).await?;
    for names in [&["one"][..], &["one", "two"]] {
        let tree = names
            .iter()
            .map(|name| (format!("{name}.yaml"), broken(name)))
            .collect();
        let digest = ground.publish(ns, "latest", &tree).await?;
        ground.reconcile(&weir_real::source(ns, ns)).await?;
        let attempted = format!("latest@{digest}");
        let live = ground
            .until(&applied, |live| {
                live.get(&["status", "lastAttemptedRevision"]) == Some(&json!(attempted))
                    && message(live)
                        .is_some_and(|text| names.iter().all(|name| text.contains(&format!("{ns}/{name}"))))
            })
            .await?;
        let text = message(&live).unwrap_or_default();
        let expected = format!("Service/{ns}/one dry-run failed (Invalid)");
        ensure!(text.contains(&expected), "{text}");
    }
    // It would try again and again while later scenarios count requests.
    let suspend = json!({"spec": {"suspend": true}});
    ground.client.merge(&applied, &suspend, "administrator").await?;
    Ok(())
}

fn message(live: &Object) -> Option<&str> {
    let conditions = live.get(&["status", "conditions"])?.as_array()?;
    let ready = conditions.iter().find(|c| c["type"] == READY)?;
    ready["message"].as_str()
}

/// A dependency's `readyExpr` tells "never reconciled" from "reconciled once" by this default.
pub(crate) async fn a_status_begins_at_generation_minus_one(ground: &Ground) -> Result<()> {
    let ns = "walk-status";
    ground.namespace(ns).await?;
    let resting = ground.kustomization(ns, ns, json!({"suspend": true})).await?;
    let live = ground.get(&resting).await?;
    let observed = live.get(&["status", "observedGeneration"]);
    ensure!(observed == Some(&json!(-1)), "{observed:?}");
    Ok(())
}
