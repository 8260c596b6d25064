//! Who merges, and what of others survives.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use weir_helm::action::Method;
use weir_releases::{InstallOptions, UpgradeOptions};

use crate::ground::{Ground, MANAGER, Stage, chart, configs, managers, template};

fn by(method: Method) -> UpgradeOptions {
    UpgradeOptions {
        method,
        ..UpgradeOptions::default()
    }
}

async fn data(stage: &Stage) -> Result<Value> {
    let live = stage.get(&stage.config("a")).await?;
    Ok(live.get(&["data"]).cloned().unwrap_or_default())
}

fn entries(entries: &[(&str, &str)]) -> std::collections::BTreeMap<String, Vec<String>> {
    let mut map = std::collections::BTreeMap::new();
    for (manager, operation) in entries {
        let operations: &mut Vec<String> = map.entry((*manager).to_owned()).or_default();
        operations.push((*operation).to_owned());
    }
    map
}

pub(crate) async fn a_client_puts_back_its_own_and_leaves_the_rest(ground: &Ground) -> Result<()> {
    let stage = ground.stage("merging-client").await?;
    let options = InstallOptions {
        client_side: true,
        ..InstallOptions::default()
    };
    let done = stage
        .install(configs("1.0.0", &[("a", "mine: one, gone: x")]), &options)
        .await?;
    ensure!(done.release.apply_method == "csa");
    let live = stage.get(&stage.config("a")).await?;
    ensure!(
        managers(&live) == entries(&[(MANAGER, "Update")]),
        "{:?}",
        managers(&live)
    );
    let edit = json!({"data": {"mine": "edited", "theirs": "y"}});
    stage
        .client
        .merge(&stage.config("a"), &edit, "kubectl-edit")
        .await?;
    // `auto`: as the last revision.
    let done = stage
        .upgrade(configs("1.0.1", &[("a", "mine: one")]), &by(Method::Auto))
        .await?;
    ensure!(done.release.apply_method == "csa");
    ensure!(
        data(&stage).await? == json!({"mine": "one", "theirs": "y"}),
        "{}",
        data(&stage).await?
    );

    let web = |image: &str| {
        chart(
            "1.1.0",
            &[(
                "templates/web.yaml",
                &format!(
                    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec:\n  selector: {{matchLabels: \
                     {{a: b}}}}\n  template:\n    metadata: {{labels: {{a: b}}}}\n    spec:\n      containers:\n      - \
                     {{name: web, image: '{image}'}}\n"
                ),
            )],
        )
    };
    stage
        .upgrade(template(&web("example/web:1"), json!({})), &by(Method::Auto))
        .await?;
    let deployment = stage.object("apps/v1", "Deployment", "web");
    let sidecar = json!({"spec": {"template": {"spec": {"containers": [{"name": "proxy", "image": "example/proxy:1"}]}}}});
    stage
        .client
        .strategic_merge(&deployment, &sidecar, "injector")
        .await?;
    stage
        .upgrade(template(&web("example/web:2"), json!({})), &by(Method::Auto))
        .await?;
    let live = stage.get(&deployment).await?;
    let mut images: Vec<&str> = live
        .get(&["spec", "template", "spec", "containers"])
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|container| container.get("image")?.as_str())
        .collect();
    images.sort_unstable();
    ensure!(images == ["example/proxy:1", "example/web:2"], "{images:?}");
    Ok(())
}

pub(crate) async fn the_server_takes_over_what_the_client_wrote(ground: &Ground) -> Result<()> {
    let stage = ground.stage("merging-to-server").await?;
    let options = InstallOptions {
        client_side: true,
        ..InstallOptions::default()
    };
    stage
        .install(configs("1.0.0", &[("a", "mine: one, gone: x")]), &options)
        .await?;
    let edit = json!({"data": {"theirs": "y", "mine": "edited"}});
    stage
        .client
        .merge(&stage.config("a"), &edit, "kubectl-edit")
        .await?;
    let done = stage
        .upgrade(configs("1.0.1", &[("a", "mine: two")]), &by(Method::Enabled))
        .await?;
    ensure!(done.release.apply_method == "ssa");
    // What only our client-side entry held goes, since it became ours by apply first.
    ensure!(
        data(&stage).await? == json!({"mine": "two", "theirs": "y"}),
        "{}",
        data(&stage).await?
    );
    let live = stage.get(&stage.config("a")).await?;
    ensure!(
        managers(&live) == entries(&[(MANAGER, "Apply"), ("kubectl-edit", "Update")]),
        "{:?}",
        managers(&live)
    );
    Ok(())
}

pub(crate) async fn the_client_goes_on_where_the_server_merged(ground: &Ground) -> Result<()> {
    let stage = ground.stage("merging-to-client").await?;
    stage
        .install(
            configs("1.0.0", &[("a", "mine: one, gone: x")]),
            &InstallOptions::default(),
        )
        .await?;
    let done = stage
        .upgrade(configs("1.0.1", &[("a", "mine: two")]), &by(Method::Disabled))
        .await?;
    ensure!(done.release.apply_method == "csa");
    ensure!(
        data(&stage).await? == json!({"mine": "two"}),
        "{}",
        data(&stage).await?
    );
    let done = stage
        .upgrade(configs("1.0.2", &[("a", "mine: three")]), &by(Method::Auto))
        .await?;
    ensure!(done.release.apply_method == "csa");
    ensure!(data(&stage).await? == json!({"mine": "three"}));
    // And back: what the client wrote is the server's again.
    stage
        .upgrade(configs("1.0.3", &[("a", "other: x")]), &by(Method::Enabled))
        .await?;
    ensure!(
        data(&stage).await? == json!({"other": "x"}),
        "{}",
        data(&stage).await?
    );
    Ok(())
}

pub(crate) async fn force_replaces_objects(ground: &Ground) -> Result<()> {
    let stage = ground.stage("merging-force").await?;
    let options = InstallOptions {
        client_side: true,
        ..InstallOptions::default()
    };
    stage
        .install(configs("1.0.0", &[("a", "mine: one")]), &options)
        .await?;
    let edit = json!({"data": {"theirs": "y"}});
    let object = stage.config("a");
    let merged = || stage.client.merge(&object, &edit, "kubectl-edit");
    merged().await?;
    let forced = UpgradeOptions {
        force: true,
        ..by(Method::Auto)
    };
    stage
        .upgrade(configs("1.0.1", &[("a", "mine: one")]), &forced)
        .await?;
    ensure!(
        data(&stage).await? == json!({"mine": "one"}),
        "{}",
        data(&stage).await?
    );
    merged().await?;
    // The server merges: force is without effect.
    let forced = UpgradeOptions {
        force: true,
        ..by(Method::Enabled)
    };
    stage
        .upgrade(configs("1.0.2", &[("a", "mine: two")]), &forced)
        .await?;
    ensure!(
        data(&stage).await? == json!({"mine": "two", "theirs": "y"}),
        "{}",
        data(&stage).await?
    );
    Ok(())
}
