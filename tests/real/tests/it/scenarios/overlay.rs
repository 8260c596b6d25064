//! The fields of a Kustomization that are laid over the tree.

use anyhow::{Result, ensure};
use serde_json::json;
use weir_real::{Ground, files, object};

use super::text::{config, web};

pub(crate) async fn a_spec_changes_what_the_tree_holds(ground: &Ground) -> Result<()> {
    let ns = "overlay";
    ground.namespace(ns).await?;
    let component =
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [extra.yaml]\n";
    let tree = files([
        ("base/kustomization.yaml", "resources: [config.yaml, web.yaml]\n"),
        ("base/config.yaml", &config("elsewhere", "settings", "blue")),
        ("base/web.yaml", &web("elsewhere", "web")),
        ("extra/kustomization.yaml", component),
        ("extra/extra.yaml", &config("elsewhere", "extra", "green")),
    ]);
    let digest = ground.publish(ns, "latest", &tree).await?;
    ground.source(ns, ns).await?;
    let patch = "- op: replace\n  path: /data/colour\n  value: red\n";
    let applied = ground
        .kustomization(
            ns,
            ns,
            json!({
                "path": "./base", "targetNamespace": ns, "namePrefix": "pre-", "nameSuffix": "-post",
                "components": ["../extra"],
                "images": [{"name": "example/web", "newName": "other/web", "newTag": "2"}],
                "patches": [{"patch": patch, "target": {"kind": "ConfigMap", "name": "settings"}}],
                "commonMetadata": {"labels": {"team": "shop"}, "annotations": {"example.com/owner": "us"}},
            }),
        )
        .await?;
    ground.until_applied(&applied, digest).await?;
    let settings = ground
        .get(&object("v1", "ConfigMap", ns, "pre-settings-post"))
        .await?;
    ensure!(
        settings.get(&["data"]) == Some(&json!({"colour": "red"})),
        "{:?}",
        settings.get(&["data"])
    );
    ensure!(settings.label("team") == Some("shop") && settings.annotation("example.com/owner") == Some("us"));
    let extra = ground
        .get(&object("v1", "ConfigMap", ns, "pre-extra-post"))
        .await?;
    ensure!(extra.get(&["data"]) == Some(&json!({"colour": "green"})));
    let web = ground
        .get(&object("apps/v1", "Deployment", ns, "pre-web-post"))
        .await?;
    let image = web
        .as_map()
        .get("spec")
        .and_then(|s| s.pointer("/template/spec/containers/0/image"));
    ensure!(image == Some(&json!("other/web:2")), "{image:?}");
    Ok(())
}

pub(crate) async fn a_definition_and_its_objects_come_in_one_artifact(ground: &Ground) -> Result<()> {
    let ns = "overlay-definition";
    ground.namespace(ns).await?;
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "gears.overlay.example"},
        "spec": {"group": "overlay.example", "scope": "Namespaced",
            "names": {"kind": "Gear", "listKind": "GearList", "plural": "gears", "singular": "gear"},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]},
    });
    let gear = json!({"apiVersion": "overlay.example/v1", "kind": "Gear", "metadata": {"name": "a", "namespace": ns},
        "spec": {"teeth": 12}});
    // The object's file comes first: order is the controller's business.
    let tree = files([("a.yaml", &gear.to_string()), ("b.yaml", &definition.to_string())]);
    let digest = ground.publish(ns, "latest", &tree).await?;
    ground.source(ns, ns).await?;
    let applied = ground.kustomization(ns, ns, json!({"wait": true})).await?;
    ground.until_applied(&applied, digest).await?;
    let live = ground.get(&object("overlay.example/v1", "Gear", ns, "a")).await?;
    ensure!(live.get(&["spec", "teeth"]) == Some(&json!(12)));
    ground
        .client
        .delete(&applied, weir_cluster::Propagation::Background, None)
        .await?;
    ground.until_gone(&applied).await?;
    ground
        .until_gone(&object(
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            "",
            "gears.overlay.example",
        ))
        .await
}
