//! What helm-controller's own cases ask for.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use weir_apis::condition::{READY, RELEASED, REMEDIATED, Status, TEST_SUCCESS};
use weir_real::{Ground, object, source};

use super::{change, message, test_hook, until_exhausted};

pub(crate) async fn install_from_ocirepo_source(ground: &Ground) -> Result<()> {
    let ns = "hr-install";
    let digest = ground.chart_stage(ns, &[]).await?.to_string();
    let web = ground.helm_release(ns, json!({})).await?;
    let live = ground.until_revision(&web, 1).await?;
    let version = format!("1.0.0+{}", &digest[7..19]);
    let wanted = format!(
        "True InstallSucceeded: Helm install succeeded for release {ns}/web.v1 with chart web@{version}"
    );
    ensure!(message(&live, READY)? == wanted, "{}", message(&live, READY)?);
    ensure!(message(&live, RELEASED)? == wanted);
    let status = live.get(&["status"]).cloned().unwrap_or_default();
    let snapshot = &status["history"][0];
    for (field, value) in [
        ("apiVersion", "v2"),
        ("action", "install"),
        ("status", "deployed"),
        ("chartVersion", version.as_str()),
        ("appVersion", "7"),
        ("ociDigest", digest.as_str()),
    ] {
        ensure!(snapshot[field] == value, "{field}: {snapshot}");
    }
    for (field, value) in [
        ("lastAttemptedRevision", version.as_str()),
        ("lastAttemptedRevisionDigest", digest.as_str()),
        ("lastAttemptedReleaseAction", "install"),
        ("storageNamespace", ns),
    ] {
        ensure!(status[field] == value, "{field}: {status}");
    }
    ensure!(
        status["inventory"]["entries"] == json!([{"id": format!("{ns}_web-settings__ConfigMap"), "v": "v1"}]),
        "{status}"
    );
    let settings = ground.get(&object("v1", "ConfigMap", ns, "web-settings")).await?;
    ensure!(settings.label("helm.toolkit.fluxcd.io/name") == Some("web"));
    ensure!(settings.label("helm.toolkit.fluxcd.io/namespace") == Some(ns));
    ensure!(settings.label("app.kubernetes.io/managed-by") == Some("Helm"));
    ensure!(settings.annotation("meta.helm.sh/release-name") == Some("web"));
    let secret = ground
        .get(&object("v1", "Secret", ns, "sh.helm.release.v1.web.v1"))
        .await?;
    ensure!(secret.label("status") == Some("deployed") && secret.label("owner") == Some("helm"));
    Ok(())
}

pub(crate) async fn upgrade_from_ocirepo_source(ground: &Ground) -> Result<()> {
    let ns = "hr-upgrade";
    ground.chart_stage(ns, &[]).await?;
    let web = ground.helm_release(ns, json!({})).await?;
    ground.until_revision(&web, 1).await?;
    // The same version under the same tag, but other bytes.
    let added = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n";
    let digest = ground
        .publish_chart(ns, "1.0.0", &[("templates/more.yaml", added)])
        .await?;
    ground.reconcile(&source(ns, ns)).await?;
    let live = ground.until_revision(&web, 2).await?;
    let history = live.get(&["status", "history"]).cloned().unwrap_or_default();
    ensure!(history[0]["ociDigest"] == digest.to_string(), "{history}");
    ensure!(history[1]["status"] == "superseded", "{history}");
    ground.get(&object("v1", "ConfigMap", ns, "more")).await?;
    ground
        .has_records(ns, &[(1, "superseded"), (2, "deployed")])
        .await
}

pub(crate) async fn valuesfrom(ground: &Ground) -> Result<()> {
    let ns = "hr-values";
    ground.chart_stage(ns, &[]).await?;
    let config = |colour: &str| {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "values", "namespace": ns},
            "data": {"values.yaml": format!("colour: {colour}\nother: 1\n")}})
    };
    let secret = |colour: &str| {
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "values", "namespace": ns,
            "labels": {"reconcile.fluxcd.io/watch": "Enabled"}}, "stringData": {"colour": colour}})
    };
    ground.apply_json(config("red")).await?;
    let from = json!([
        {"kind": "ConfigMap", "name": "values"},
        {"kind": "Secret", "name": "values", "valuesKey": "colour", "targetPath": "colour"},
    ]);
    let web = ground.helm_release(ns, json!({"valuesFrom": from})).await?;
    let text = ground
        .until_condition(&web, READY, Status::False, "ValuesError")
        .await?;
    ensure!(
        text == format!(
            "could not resolve Secret chart values reference '{ns}/values' with key 'colour': resource not found"
        ),
        "{text}"
    );
    ground.apply_json(secret("green")).await?;
    ground.until_revision(&web, 1).await?;
    ensure!(ground.setting(ns, "colour").await? == Some(json!("green")));
    // The label makes a change be noticed at once.
    ground.apply_json(secret("yellow")).await?;
    ground.until_revision(&web, 2).await?;
    ensure!(ground.setting(ns, "colour").await? == Some(json!("yellow")));
    // Inline values win.
    change(ground, &web, json!({"values": {"colour": "black"}})).await?;
    ground.until_revision(&web, 3).await?;
    ensure!(ground.setting(ns, "colour").await? == Some(json!("black")));
    Ok(())
}

pub(crate) async fn install_fail(ground: &Ground) -> Result<()> {
    let ns = "hr-install-fail";
    ground.chart_stage(ns, &[]).await?;
    let web = ground
        .helm_release(ns, json!({"values": {"broken": true}}))
        .await?;
    let ready = until_exhausted(ground, &web, READY).await?;
    ensure!(
        ready.starts_with(&format!(
            "False InstallFailed: Helm install failed for release {ns}/web with chart web@1.0.0+"
        )),
        "{ready}"
    );
    let live = ground.get(&web).await?;
    let status = live.get(&["status"]).cloned().unwrap_or_default();
    ensure!(
        status["installFailures"] == 1 && status["failures"] == 1,
        "{status}"
    );
    ensure!(status["history"][0]["status"] == "failed", "{status}");
    ensure!(message(&live, "Stalled")? == "True RetriesExceeded: Failed to install after 1 attempt(s)");
    // Other values are another chance: an upgrade, since there is a revision.
    change(ground, &web, json!({"values": {"broken": false}})).await?;
    let live = ground.until_revision(&web, 2).await?;
    ensure!(live.get(&["status", "installFailures"]).is_none());
    Ok(())
}

pub(crate) async fn install_fail_remediate(ground: &Ground) -> Result<()> {
    let ns = "hr-install-remediate";
    ground.chart_stage(ns, &[]).await?;
    let install = json!({"remediation": {"retries": 1, "remediateLastFailure": true}});
    let web = ground
        .helm_release(ns, json!({"values": {"broken": true}, "install": install}))
        .await?;
    let remediated = until_exhausted(ground, &web, REMEDIATED).await?;
    ensure!(
        remediated.starts_with(&format!(
            "True UninstallSucceeded: Helm uninstall remediation for release {ns}/web.v1 with chart web@1.0.0+"
        )) && remediated.ends_with(" succeeded"),
        "{remediated}"
    );
    let live = ground.get(&web).await?;
    let status = live.get(&["status"]).cloned().unwrap_or_default();
    ensure!(status["installFailures"] == 2, "{status}");
    ensure!(
        status["history"][0]["action"] == "uninstall-remediation",
        "{status}"
    );
    ground.has_records(ns, &[]).await
}

pub(crate) async fn install_fail_retry(ground: &Ground) -> Result<()> {
    let ns = "hr-install-retry";
    ground.chart_stage(ns, &[]).await?;
    let values = |broken: bool| {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "values", "namespace": ns},
            "data": {"values.yaml": format!("broken: {broken}\n")}})
    };
    ground.apply_json(values(true)).await?;
    let fields = json!({
        "valuesFrom": [{"kind": "ConfigMap", "name": "values"}],
        "install": {"strategy": {"name": "RetryOnFailure", "retryInterval": "1s"}},
        "upgrade": {"strategy": {"name": "RetryOnFailure", "retryInterval": "1s"}},
    });
    let web = ground.helm_release(ns, fields).await?;
    let live = ground
        .until(&web, |live| {
            live.get(&["status", "failures"]).and_then(Value::as_i64) >= Some(2)
        })
        .await?;
    ensure!(
        message(&live, "Reconciling")?.ends_with("retrying after 1s")
            || message(&live, "Reconciling")?.contains("Running 'upgrade' action"),
        "{}",
        message(&live, "Reconciling")?
    );
    ground.apply_json(values(false)).await?;
    let live = ground.until_ready(&web).await?;
    let status = live.get(&["status"]).cloned().unwrap_or_default();
    // Every further attempt was an upgrade, and none was undone.
    ensure!(status["lastAttemptedReleaseAction"] == "upgrade", "{status}");
    ensure!(
        status.get("failures").is_none() && status.get("upgradeFailures").is_none(),
        "{status}"
    );
    ensure!(status["history"][0]["version"].as_i64() >= Some(3), "{status}");
    Ok(())
}

pub(crate) async fn install_test_fail(ground: &Ground) -> Result<()> {
    let ns = "hr-install-test-fail";
    let hook = test_hook("broken", true);
    ground.chart_stage(ns, &[("templates/test.yaml", &hook)]).await?;
    let web = ground.helm_release(ns, json!({"test": {"enable": true}})).await?;
    let tested = until_exhausted(ground, &web, TEST_SUCCESS).await?;
    ensure!(
        tested.starts_with(&format!(
            "False TestFailed: Helm test failed for release {ns}/web.v1 with chart web@1.0.0+"
        )),
        "{tested}"
    );
    let live = ground.get(&web).await?;
    ensure!(message(&live, READY)? == tested);
    let phase = live
        .get(&["status", "history"])
        .and_then(|h| h.pointer("/0/testHooks/broken/phase"));
    ensure!(phase == Some(&json!("Failed")), "{phase:?}");
    Ok(())
}

pub(crate) async fn install_test_fail_ignore(ground: &Ground) -> Result<()> {
    let ns = "hr-install-test-ignore";
    let hook = test_hook("broken", true);
    ground.chart_stage(ns, &[("templates/test.yaml", &hook)]).await?;
    let web = ground
        .helm_release(ns, json!({"test": {"enable": true, "ignoreFailures": true}}))
        .await?;
    let live = ground.until_revision(&web, 1).await?;
    ensure!(message(&live, TEST_SUCCESS)?.starts_with("False TestFailed"));
    ensure!(message(&live, READY)?.starts_with("True InstallSucceeded"));
    Ok(())
}

pub(crate) async fn upgrade_fail(ground: &Ground) -> Result<()> {
    let ns = "hr-upgrade-fail";
    ground.chart_stage(ns, &[]).await?;
    let web = ground.helm_release(ns, json!({})).await?;
    ground.until_revision(&web, 1).await?;
    change(ground, &web, json!({"values": {"broken": true}})).await?;
    let ready = until_exhausted(ground, &web, READY).await?;
    ensure!(
        ready.starts_with(&format!(
            "False UpgradeFailed: Helm upgrade failed for release {ns}/web with chart web@1.0.0+"
        )),
        "{ready}"
    );
    ground.has_records(ns, &[(1, "deployed"), (2, "failed")]).await
}

pub(crate) async fn upgrade_fail_remediate(ground: &Ground) -> Result<()> {
    let ns = "hr-upgrade-remediate";
    ground.chart_stage(ns, &[]).await?;
    let upgrade = json!({"remediation": {"retries": 1}});
    let web = ground.helm_release(ns, json!({"upgrade": upgrade})).await?;
    ground.until_revision(&web, 1).await?;
    change(ground, &web, json!({"values": {"broken": true, "colour": "red"}})).await?;
    let remediated = until_exhausted(ground, &web, REMEDIATED).await?;
    ensure!(
        remediated.starts_with("True RollbackSucceeded: Helm rollback to previous release"),
        "{remediated}"
    );
    let live = ground.get(&web).await?;
    ensure!(message(&live, READY)?.starts_with("False RollbackSucceeded"));
    ensure!(ground.setting(ns, "colour").await? == Some(json!("blue")));
    let statuses: Vec<String> = ground
        .records(ns)
        .await?
        .iter()
        .map(|r| r.status().as_str().to_owned())
        .collect();
    ensure!(
        statuses.last().map(String::as_str) == Some("deployed")
            && statuses.iter().filter(|s| *s == "failed").count() == 2,
        "{statuses:?}"
    );
    // What was gone back to is asked for: it needs no release.
    change(ground, &web, json!({"values": null})).await?;
    let live = ground.until_ready(&web).await?;
    ensure!(message(&live, READY)?.starts_with("True UpgradeSucceeded"));
    Ok(())
}

pub(crate) async fn upgrade_fail_remediate_uninstall(ground: &Ground) -> Result<()> {
    let ns = "hr-upgrade-uninstall";
    ground.chart_stage(ns, &[]).await?;
    let upgrade = json!({"remediation": {"strategy": "uninstall", "retries": 1}});
    let web = ground.helm_release(ns, json!({"upgrade": upgrade})).await?;
    ground.until_revision(&web, 1).await?;
    change(ground, &web, json!({"values": {"broken": true}})).await?;
    // What follows the removal is an installation, which fails too.
    let ready = until_exhausted(ground, &web, READY).await?;
    ensure!(ready.starts_with("False InstallFailed"), "{ready}");
    ground.has_records(ns, &[(1, "failed")]).await
}

pub(crate) async fn upgrade_fail_retry(ground: &Ground) -> Result<()> {
    let ns = "hr-upgrade-retry";
    ground.chart_stage(ns, &[]).await?;
    let upgrade = json!({"strategy": {"name": "RetryOnFailure", "retryInterval": "1s"}});
    let web = ground.helm_release(ns, json!({"upgrade": upgrade})).await?;
    ground.until_revision(&web, 1).await?;
    change(ground, &web, json!({"values": {"broken": true}})).await?;
    ground
        .until(&web, |live| {
            live.get(&["status", "upgradeFailures"]).and_then(Value::as_i64) >= Some(2)
        })
        .await?;
    change(
        ground,
        &web,
        json!({"values": {"broken": false, "colour": "red"}}),
    )
    .await?;
    let live = ground.until_ready(&web).await?;
    ensure!(message(&live, READY)?.starts_with("True UpgradeSucceeded"));
    ensure!(ground.setting(ns, "colour").await? == Some(json!("red")));
    Ok(())
}

pub(crate) async fn upgrade_test_fail(ground: &Ground) -> Result<()> {
    let ns = "hr-upgrade-test-fail";
    let good = test_hook("check", false);
    ground.chart_stage(ns, &[("templates/test.yaml", &good)]).await?;
    let fields =
        json!({"test": {"enable": true}, "upgrade": {"remediation": {"remediateLastFailure": true}}});
    let web = ground.helm_release(ns, fields).await?;
    let live = ground.until_revision(&web, 1).await?;
    let tested = message(&live, TEST_SUCCESS)?;
    ensure!(
        tested.starts_with("True TestSucceeded") && tested.ends_with(": 1 test hook completed successfully"),
        "{tested}"
    );
    ensure!(message(&live, READY)? == tested);
    let broken = test_hook("check", true);
    ground
        .publish_chart(ns, "1.0.0", &[("templates/test.yaml", &broken)])
        .await?;
    ground.reconcile(&source(ns, ns)).await?;
    let live = ground
        .until(&web, |live| {
            message(live, "Stalled").is_ok_and(|m| m.contains("RetriesExceeded"))
        })
        .await?;
    ensure!(
        message(&live, REMEDIATED)?.starts_with("True RollbackSucceeded"),
        "{}",
        message(&live, REMEDIATED)?
    );
    ground
        .has_records(ns, &[(1, "superseded"), (2, "superseded"), (3, "deployed")])
        .await
}

pub(crate) async fn install_create_target_ns(ground: &Ground) -> Result<()> {
    let (ns, target) = ("hr-target", "hr-target-made");
    ground.chart_stage(ns, &[]).await?;
    let fields = json!({"targetNamespace": target, "install": {"createNamespace": true}});
    let web = ground.helm_release(ns, fields).await?;
    let live = ground.until_ready(&web).await?;
    let name = format!("{target}-web");
    ensure!(
        message(&live, READY)?.contains(&format!("for release {target}/{name}.v1")),
        "{}",
        message(&live, READY)?
    );
    ground
        .get(&object("v1", "ConfigMap", target, &format!("{name}-settings")))
        .await?;
    // Records stay with the object.
    ground
        .get(&object(
            "v1",
            "Secret",
            ns,
            &format!("sh.helm.release.v1.{name}.v1"),
        ))
        .await?;
    Ok(())
}

pub(crate) async fn post_renderer_kustomize(ground: &Ground) -> Result<()> {
    let ns = "hr-post-render";
    ground.chart_stage(ns, &[]).await?;
    let patch = "- op: add\n  path: /data/patched\n  value: \"yes\"\n";
    // A strategic merge patch names its target itself.
    let merge = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web-settings\n  labels: {xxxx: yyyy}\n";
    let fields = json!({
        "postRenderers": [{"kustomize": {"patches": [{"patch": merge}, {"target": {"kind": "ConfigMap"}, "patch": patch}]}}],
        "commonMetadata": {"labels": {"team": "web"}, "annotations": {"why": "test"}},
    });
    let web = ground.helm_release(ns, fields).await?;
    ground.until_revision(&web, 1).await?;
    ensure!(ground.setting(ns, "patched").await? == Some(json!("yes")));
    let live = ground.get(&object("v1", "ConfigMap", ns, "web-settings")).await?;
    ensure!(live.label("team") == Some("web") && live.annotation("why") == Some("test"));
    ensure!(live.label("xxxx") == Some("yyyy"));
    // Another patch of the same chart and values is another release.
    change(
        ground,
        &web,
        json!({"commonMetadata": {"labels": {"team": "other"}}}),
    )
    .await?;
    ground.until_revision(&web, 2).await?;
    let live = ground.get(&object("v1", "ConfigMap", ns, "web-settings")).await?;
    ensure!(live.label("team") == Some("other"));
    Ok(())
}

pub(crate) async fn server_side_apply(ground: &Ground) -> Result<()> {
    let ns = "hr-apply";
    ground.chart_stage(ns, &[]).await?;
    let fields = json!({"install": {"serverSideApply": false}});
    let web = ground.helm_release(ns, fields).await?;
    ground.until_revision(&web, 1).await?;
    // What was not said stays as it was; what is said changes it.
    for (revision, colour, upgrade) in [
        (2, "red", json!({})),
        (3, "green", json!({"serverSideApply": "enabled"})),
        (4, "black", json!({"serverSideApply": "disabled"})),
    ] {
        change(
            ground,
            &web,
            json!({"values": {"colour": colour}, "upgrade": upgrade}),
        )
        .await?;
        ground.until_revision(&web, revision).await?;
        ensure!(ground.setting(ns, "colour").await? == Some(json!(colour)));
    }
    let methods: Vec<String> = ground
        .records(ns)
        .await?
        .into_iter()
        .map(|r| r.apply_method)
        .collect();
    ensure!(methods == ["csa", "csa", "ssa", "csa"], "{methods:?}");
    Ok(())
}

pub(crate) async fn upgrade_chart_name_change(ground: &Ground) -> Result<()> {
    let ns = "hr-chart-name";
    ground.chart_stage(ns, &[]).await?;
    let web = ground.helm_release(ns, json!({})).await?;
    ground.until_revision(&web, 1).await?;
    let rename = |to: &str| {
        weir_real::files([
            (
                "web/Chart.yaml",
                format!("apiVersion: v2\nname: {to}\nversion: 1.0.0\n").as_str(),
            ),
            (
                "web/templates/settings.yaml",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web-settings}\ndata: {colour: other}\n",
            ),
        ])
    };
    ground.publish(ns, "latest", &rename("renamed")).await?;
    ground.reconcile(&source(ns, ns)).await?;
    // Another chart is another release: the old one goes first.
    ground
        .until(&web, |live| {
            message(live, READY)
                .is_ok_and(|m| m.starts_with("True InstallSucceeded") && m.contains("renamed@"))
        })
        .await?;
    ground.has_records(ns, &[(1, "deployed")]).await?;
    // So it is where that is said.
    let strategy = |word: &str| json!({"upgrade": {"chartNameChangeStrategy": word}});
    change(ground, &web, strategy("Reinstall")).await?;
    ground.until_ready(&web).await?;
    let settings = object("v1", "ConfigMap", ns, "web-settings");
    let uid = ground.get(&settings).await?.uid().to_owned();
    ground.publish(ns, "latest", &rename("anew")).await?;
    ground.reconcile(&source(ns, ns)).await?;
    ground
        .until(&web, |live| {
            message(live, READY).is_ok_and(|m| m.starts_with("True InstallSucceeded") && m.contains("anew@"))
        })
        .await?;
    ground.has_records(ns, &[(1, "deployed")]).await?;
    let anew = ground.get(&settings).await?.uid().to_owned();
    ensure!(anew != uid, "the objects of another chart are made anew");
    change(ground, &web, strategy("InPlaceUpdate")).await?;
    ground.until_ready(&web).await?;
    ground.publish(ns, "latest", &rename("again")).await?;
    ground.reconcile(&source(ns, ns)).await?;
    ground.until_revision(&web, 2).await?;
    let kept = ground.get(&settings).await?.uid().to_owned();
    ensure!(kept == anew, "the objects of an upgrade stay");
    Ok(())
}

pub(crate) async fn crds_upgrade(ground: &Ground) -> Result<()> {
    let ns = "hr-crds";
    let definition = |group: &str, field: &str| {
        format!(
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: things.{group}\nspec:\n  group: {group}\n  names: {{kind: Thing, plural: things, singular: thing, listKind: ThingList}}\n  scope: Namespaced\n  versions:\n  - name: v1\n    served: true\n    storage: true\n    schema:\n      openAPIV3Schema:\n        type: object\n        properties:\n          {field}: {{type: string}}\n"
        )
    };
    let group = "hr-crds.example.com";
    let thing = format!("apiVersion: {group}/v1\nkind: Thing\nmetadata: {{name: one}}\none: a\n");
    ground
        .chart_stage(
            ns,
            &[
                ("crds/thing.yaml", &definition(group, "one")),
                ("templates/thing.yaml", &thing),
            ],
        )
        .await?;
    let web = ground.helm_release(ns, json!({})).await?;
    let live = ground.until_revision(&web, 1).await?;
    let reference = object(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "",
        &format!("things.{group}"),
    );
    let crd = ground.get(&reference).await?;
    ensure!(crd.label("helm.toolkit.fluxcd.io/name") == Some("web"));
    let entries = live
        .get(&["status", "inventory", "entries"])
        .cloned()
        .unwrap_or_default();
    ensure!(
        entries.to_string().contains("CustomResourceDefinition"),
        "{entries}"
    );
    let has = async |field: &str| {
        let crd = ground.get(&reference).await?;
        let schema = crd.get(&["spec", "versions"]).cloned().unwrap_or_default();
        anyhow::Ok(
            schema
                .pointer(&format!("/0/schema/openAPIV3Schema/properties/{field}"))
                .is_some(),
        )
    };
    ground
        .publish_chart(ns, "1.1.0", &[("crds/thing.yaml", &definition(group, "two"))])
        .await?;
    ground.reconcile(&source(ns, ns)).await?;
    ground.until_revision(&web, 2).await?;
    ensure!(!has("two").await?, "Create changes nothing that is there");
    change(
        ground,
        &web,
        json!({"upgrade": {"crds": "CreateReplace"}, "values": {"colour": "red"}}),
    )
    .await?;
    ground.until_revision(&web, 3).await?;
    ensure!(
        has("two").await?,
        "CreateReplace brings it to what the chart says"
    );
    Ok(())
}

pub(crate) async fn dependencies(ground: &Ground) -> Result<()> {
    let ns = "hr-depends";
    ground.chart_stage(ns, &[]).await?;
    let web = ground
        .helm_release(
            ns,
            json!({"dependsOn": [{"name": "backend"}], "releaseName": "web"}),
        )
        .await?;
    let text = ground
        .until_condition(&web, READY, Status::False, "DependencyNotReady")
        .await?;
    ensure!(text == format!("dependency '{ns}/backend' not found"), "{text}");
    let backend = json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": "backend", "namespace": ns},
        "spec": {"interval": "1h", "chartRef": {"kind": "OCIRepository", "name": ns}},
    });
    ground.apply_json(backend).await?;
    ground.until_revision(&web, 1).await?;
    Ok(())
}

pub(crate) async fn status_defaults(ground: &Ground) -> Result<()> {
    let ns = "hr-defaults";
    ground.namespace(ns).await?;
    let web = ground.helm_release(ns, json!({"suspend": true})).await?;
    let live = ground.get(&web).await?;
    ensure!(
        live.get(&["status"]) == Some(&json!({"observedGeneration": -1})),
        "{live:?}"
    );
    Ok(())
}
