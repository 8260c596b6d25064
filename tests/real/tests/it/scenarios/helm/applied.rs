//! Who holds the fields of what was released: the server's way and the client's, and from one to the other.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use weir_apis::condition::{Conditions, REMEDIATED, Status};
use weir_apis::{ObjectRef, key};
use weir_real::{Ground, object};

use super::change;

/// Data that a value gives or leaves out.
const MORE: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\ndata:\n  always: there\n{{- with .Values.extra }}\n  extra: {{ . }}\n{{- end }}\n";

async fn stage(ground: &Ground, ns: &str, fields: Value) -> Result<ObjectRef> {
    ground.chart_stage(ns, &[("templates/more.yaml", MORE)]).await?;
    let web = ground.helm_release(ns, fields).await?;
    ground.until_revision(&web, 1).await?;
    Ok(web)
}

/// Upgrades with a value that does not touch what is looked at otherwise.
async fn upgrade(ground: &Ground, web: &ObjectRef, colour: &str, revision: i64) -> Result<()> {
    change(ground, web, json!({"values": {"colour": colour}})).await?;
    ground.until_revision(web, revision).await?;
    let found = ground.setting(&web.namespace, "colour").await?;
    ensure!(found == Some(json!(colour)), "{found:?}");
    Ok(())
}

/// How the controller holds fields of an object: `Apply` where the server merged, `Update` where the client did.
async fn operations(ground: &Ground, ns: &str, name: &str) -> Result<BTreeSet<String>> {
    let live = ground.get(&object("v1", "ConfigMap", ns, name)).await?;
    let entries = live.get(&["metadata", "managedFields"]).and_then(Value::as_array);
    let entries = entries.context("nobody holds fields")?.iter();
    let own = entries.filter(|entry| entry["manager"] == key::HELM_MANAGER);
    Ok(own
        .filter_map(|entry| entry["operation"].as_str())
        .map(str::to_owned)
        .collect())
}

async fn held_by(ground: &Ground, ns: &str, expected: &str) -> Result<()> {
    for name in ["web-settings", "more"] {
        let found = operations(ground, ns, name).await?;
        ensure!(found.iter().eq([expected]), "{name}: {found:?}, not {expected}");
    }
    Ok(())
}

async fn methods(ground: &Ground, ns: &str) -> Result<Vec<String>> {
    let records = ground.records(ns).await?;
    Ok(records.into_iter().map(|r| r.apply_method).collect())
}

pub(crate) async fn no_server_side_apply(ground: &Ground) -> Result<()> {
    let ns = "hr-applied-client";
    let web = stage(ground, ns, json!({"install": {"serverSideApply": false}})).await?;
    held_by(ground, ns, "Update").await?;
    upgrade(ground, &web, "red", 2).await?;
    held_by(ground, ns, "Update").await
}

pub(crate) async fn server_side_apply_throughout(ground: &Ground) -> Result<()> {
    let ns = "hr-applied-server";
    let web = stage(ground, ns, json!({})).await?;
    held_by(ground, ns, "Apply").await?;
    upgrade(ground, &web, "red", 2).await?;
    held_by(ground, ns, "Apply").await?;
    ensure!(methods(ground, ns).await? == ["ssa", "ssa"]);
    Ok(())
}

pub(crate) async fn no_ssa_install_ssa_upgrade(ground: &Ground) -> Result<()> {
    let ns = "hr-applied-to-server";
    let fields = json!({"install": {"serverSideApply": false}, "upgrade": {"serverSideApply": "enabled"},
        "values": {"extra": "first"}});
    let web = stage(ground, ns, fields).await?;
    held_by(ground, ns, "Update").await?;
    // What the chart leaves out now goes, although the client wrote it.
    change(ground, &web, json!({"values": {"colour": "red", "extra": null}})).await?;
    ground.until_revision(&web, 2).await?;
    held_by(ground, ns, "Apply").await?;
    let more = ground.get(&object("v1", "ConfigMap", ns, "more")).await?;
    ensure!(
        more.get(&["data"]) == Some(&json!({"always": "there"})),
        "{more:?}"
    );
    Ok(())
}

/// From the server's way to the client's, and a field that the chart leaves out then is gone.
pub(crate) async fn ssa_to_csa_field_removal(ground: &Ground) -> Result<()> {
    let ns = "hr-applied-to-client";
    let fields = json!({"upgrade": {"serverSideApply": "disabled"}, "values": {"extra": "first"}});
    let web = stage(ground, ns, fields).await?;
    held_by(ground, ns, "Apply").await?;
    let before = ground.get(&object("v1", "ConfigMap", ns, "more")).await?;
    ensure!(before.get(&["data", "extra"]) == Some(&json!("first")));
    change(ground, &web, json!({"values": {"colour": "red", "extra": null}})).await?;
    ground.until_revision(&web, 2).await?;
    let found = operations(ground, ns, "web-settings").await?;
    ensure!(found.contains("Update"), "{found:?}");
    let more = ground.get(&object("v1", "ConfigMap", ns, "more")).await?;
    ensure!(
        more.get(&["data"]) == Some(&json!({"always": "there"})),
        "{more:?}"
    );
    ensure!(methods(ground, ns).await? == ["ssa", "csa"]);
    Ok(())
}

pub(crate) async fn server_side_apply_rollback(ground: &Ground) -> Result<()> {
    let ns = "hr-applied-rollback";
    let fields = json!({"upgrade": {"serverSideApply": "enabled", "remediation": {"remediateLastFailure": true}},
        "rollback": {"serverSideApply": "enabled"}});
    let web = stage(ground, ns, fields).await?;
    change(ground, &web, json!({"values": {"broken": true}})).await?;
    let is_remediated = |live: &weir_apis::Object| Conditions::of(live).is(REMEDIATED, Status::True);
    ground.until(&web, is_remediated).await?;
    ground
        .has_records(ns, &[(1, "superseded"), (2, "failed"), (3, "deployed")])
        .await?;
    ensure!(methods(ground, ns).await? == ["ssa", "ssa", "ssa"]);
    held_by(ground, ns, "Apply").await
}
