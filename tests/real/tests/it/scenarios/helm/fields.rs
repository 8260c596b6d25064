//! Fields of the spec that change how actions are done, seen from the cluster.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use weir_apis::condition::{READY, Status};
use weir_cluster::Propagation;
use weir_real::{Ground, object};
use weir_releases::Storage;

use super::{change, test_hook, until_exhausted};

pub(crate) async fn names_and_namespaces_are_those_that_are_asked_for(ground: &Ground) -> Result<()> {
    let (ns, target, storage) = ("hr-names", "hr-names-target", "hr-names-storage");
    ground.namespace(target).await?;
    ground.namespace(storage).await?;
    ground.chart_stage(ns, &[]).await?;
    let fields = json!({"releaseName": "other", "targetNamespace": target, "storageNamespace": storage,
        "maxHistory": 2, "uninstall": {"keepHistory": true}});
    let web = ground.helm_release(ns, fields).await?;
    ground.until_revision(&web, 1).await?;
    for (revision, colour) in [(2, "red"), (3, "green")] {
        change(ground, &web, json!({"values": {"colour": colour}})).await?;
        ground.until_revision(&web, revision).await?;
    }
    let settings = ground
        .get(&object("v1", "ConfigMap", target, "other-settings"))
        .await?;
    ensure!(settings.get(&["data", "colour"]) == Some(&json!("green")));
    let records = Storage::new(ground.client.clone(), storage, "administrator");
    let kept = async || {
        let history = records.history("other").await?;
        let kept: Vec<(i64, String)> = history
            .iter()
            .map(|r| (r.version, r.status().as_str().to_owned()))
            .collect();
        anyhow::Ok(kept)
    };
    let expected = [(2, "superseded".to_owned()), (3, "deployed".to_owned())];
    ensure!(kept().await? == expected, "{:?}", kept().await?);
    // Of what goes the history may stay.
    ground.client.delete(&web, Propagation::Background, None).await?;
    ground.until_gone(&web).await?;
    let left = kept().await?;
    ensure!(left.last() == Some(&(3, "uninstalled".to_owned())), "{left:?}");
    ground.until_gone(&settings.reference()).await
}

pub(crate) async fn hooks_and_tests_may_be_left_out(ground: &Ground) -> Result<()> {
    let ns = "hr-no-hooks";
    let hook = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: before\n  annotations: {helm.sh/hook: \"pre-install,pre-upgrade\"}\n";
    let files = [
        ("templates/hook.yaml", hook.to_owned()),
        ("templates/good.yaml", test_hook("good", false)),
        ("templates/bad.yaml", test_hook("bad", true)),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    ground.chart_stage(ns, &files).await?;
    let test = json!({"enable": true, "filters": [{"name": "bad", "exclude": true}]});
    let web = ground
        .helm_release(ns, json!({"install": {"disableHooks": true}, "test": test}))
        .await?;
    let live = ground.until_revision(&web, 1).await?;
    let tested = live
        .get(&["status", "history"])
        .and_then(|h| h.pointer("/0/testHooks"))
        .and_then(Value::as_object)
        .context("tests")?;
    let tested: Vec<&String> = tested.keys().collect();
    ensure!(tested == ["good"], "{tested:?}");
    let before = object("v1", "ConfigMap", ns, "before");
    ensure!(ground.client.get(&before).await?.is_none());
    // An upgrade has a switch of its own.
    change(ground, &web, json!({"values": {"colour": "red"}})).await?;
    ground.until_revision(&web, 2).await?;
    ground.get(&before).await?;
    Ok(())
}

pub(crate) async fn what_is_somebody_else_s_may_be_refused(ground: &Ground) -> Result<()> {
    let ns = "hr-ownership";
    ground.chart_stage(ns, &[]).await?;
    let theirs = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web-settings", "namespace": ns},
        "data": {"colour": "theirs"}});
    ground.apply_json(theirs).await?;
    let web = ground
        .helm_release(ns, json!({"install": {"disableTakeOwnership": true}}))
        .await?;
    let text = ground
        .until_condition(&web, READY, Status::False, "InstallFailed")
        .await?;
    ensure!(text.contains("web-settings") && text.contains("exists"), "{text}");
    ensure!(ground.setting(ns, "colour").await? == Some(json!("theirs")));
    change(ground, &web, json!({"install": {"disableTakeOwnership": false}})).await?;
    ground.until_revision(&web, 1).await?;
    ensure!(ground.setting(ns, "colour").await? == Some(json!("blue")));
    Ok(())
}

pub(crate) async fn a_failed_upgrade_may_tidy_up(ground: &Ground) -> Result<()> {
    let ns = "hr-cleanup";
    let more = "{{ if .Values.more }}\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: none}\nspec: {ports: [{port: no-number}]}\n{{ end }}\n";
    ground.chart_stage(ns, &[("templates/more.yaml", more)]).await?;
    let web = ground
        .helm_release(ns, json!({"upgrade": {"cleanupOnFail": true}}))
        .await?;
    ground.until_revision(&web, 1).await?;
    change(ground, &web, json!({"values": {"more": true}})).await?;
    until_exhausted(ground, &web, READY).await?;
    ground.until_gone(&object("v1", "ConfigMap", ns, "more")).await
}

pub(crate) async fn hooks_are_post_rendered_as_the_strategy_says(ground: &Ground) -> Result<()> {
    let hook = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: hook\n  annotations: {helm.sh/hook: \"pre-install,pre-upgrade\"}\n";
    let patch = json!([{"op": "add", "path": "/metadata/labels/patched", "value": "yes"}]).to_string();
    let renderers = json!([{"kustomize": {"patches": [{"target": {"kind": "ConfigMap"}, "patch": patch}]}}]);
    for (strategy, is_hook_patched) in [
        (None, true),
        (Some("combined"), true),
        (Some("separate"), true),
        (Some("nohooks"), false),
    ] {
        let ns = &format!("hr-render-{}", strategy.unwrap_or("default"));
        // The patch wants labels that are there.
        let hook = hook.replace("  annotations", "  labels: {a: b}\n  annotations");
        let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map, labels: {a: b}}\n";
        let settings = "{{/* No labels here. */}}";
        let files = [
            ("templates/hook.yaml", hook.as_str()),
            ("templates/map.yaml", map),
            ("templates/settings.yaml", settings),
        ];
        ground.chart_stage(ns, &files).await?;
        let fields = json!({"postRenderStrategy": strategy, "postRenderers": renderers});
        let web = ground.helm_release(ns, fields).await?;
        ground.until_revision(&web, 1).await?;
        for (name, is_patched) in [("map", true), ("hook", is_hook_patched)] {
            let live = ground.get(&object("v1", "ConfigMap", ns, name)).await?;
            let found = live.label("patched").is_some();
            ensure!(found == is_patched, "{strategy:?}: {name} is patched: {found}");
            // Labels that say whose it is are a post-renderer's, too.
            let is_named = live.label("helm.toolkit.fluxcd.io/name").is_some();
            ensure!(is_named == is_patched, "{strategy:?}: {name}: {live:?}");
        }
    }
    Ok(())
}

pub(crate) async fn what_goes_takes_or_leaves_its_dependents(ground: &Ground) -> Result<()> {
    for (propagation, stays) in [
        (None, false),
        (Some("background"), false),
        (Some("foreground"), false),
        (Some("orphan"), true),
    ] {
        let ns = &format!("hr-propagation-{}", propagation.unwrap_or("default"));
        ground.chart_stage(ns, &[]).await?;
        let uninstall = propagation.map(|word| json!({"deletionPropagation": word}));
        let fields = json!({"uninstall": uninstall});
        let web = ground.helm_release(ns, fields).await?;
        ground.until_revision(&web, 1).await?;
        let owner = object("v1", "ConfigMap", ns, "web-settings");
        let uid = ground.get(&owner).await?.uid().to_owned();
        let owners = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "web-settings", "uid": uid,
            "blockOwnerDeletion": true}]);
        let dependent = json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "dependent", "namespace": ns, "ownerReferences": owners}});
        let dependent = ground.apply_json(dependent).await?.reference();
        ground.client.delete(&web, Propagation::Background, None).await?;
        ground.until_gone(&web).await?;
        ground.until_gone(&owner).await?;
        if stays {
            ground
                .until(&dependent, |live| {
                    live.get(&["metadata", "ownerReferences"]).is_none()
                })
                .await?;
        } else {
            ground
                .until_gone(&dependent)
                .await
                .with_context(|| format!("{propagation:?}"))?;
        }
    }
    Ok(())
}
