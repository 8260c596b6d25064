//! Another cluster, by a kubeconfig in a Secret.

use anyhow::{Result, ensure};
use serde_json::json;
use weir_apis::condition::{READY, Status};
use weir_real::{Ground, files, object};

use super::text::config;

pub(crate) async fn a_kubeconfig_names_the_cluster(ground: &Ground) -> Result<()> {
    let ns = "remote";
    ground.namespace(ns).await?;
    let kubeconfig = ground.kubeconfig().await?;
    ground
        .apply_json(
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "cluster", "namespace": ns},
            "stringData": {"value": kubeconfig}}),
        )
        .await?;
    let tree = files([
        ("a.yaml", &config(ns, "a", "blue")),
        ("b.yaml", &config(ns, "b", "blue")),
    ]);
    let first = ground.publish(ns, "latest", &tree).await?;
    let source = ground.source(ns, ns).await?;
    let fields = json!({"kubeConfig": {"secretRef": {"name": "cluster"}}, "wait": true});
    let applied = ground.kustomization(ns, ns, fields).await?;
    ground.until_applied(&applied, first).await?;
    ground.get(&object("v1", "ConfigMap", ns, "b")).await?;
    let second = ground
        .publish(ns, "latest", &files([("a.yaml", &config(ns, "a", "red"))]))
        .await?;
    ground.reconcile(&source).await?;
    ground.until_applied(&applied, second).await?;
    ground.until_gone(&object("v1", "ConfigMap", ns, "b")).await?;
    ground
        .client
        .delete(&applied, weir_cluster::Propagation::Background, None)
        .await?;
    ground.until_gone(&applied).await?;
    ground.until_gone(&object("v1", "ConfigMap", ns, "a")).await
}

pub(crate) async fn n51_a_kubeconfig_that_runs_a_program_is_refused(ground: &Ground) -> Result<()> {
    let ns = "remote-exec";
    ground.namespace(ns).await?;
    let kubeconfig = "apiVersion: v1\nkind: Config\ncurrent-context: a\nclusters:\n- name: a\n  cluster: {server: 'https://127.0.0.1:1'}\n\
        users:\n- name: a\n  user:\n    exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, args: ['-c', 'exit 1'], interactiveMode: Never}\n\
        contexts:\n- name: a\n  context: {cluster: a, user: a}\n";
    ground
        .apply_json(
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "cluster", "namespace": ns},
            "stringData": {"value": kubeconfig}}),
        )
        .await?;
    ground
        .publish(ns, "latest", &files([("a.yaml", &config(ns, "a", "blue"))]))
        .await?;
    ground.source(ns, ns).await?;
    let applied = ground
        .kustomization(ns, ns, json!({"kubeConfig": {"secretRef": {"name": "cluster"}}}))
        .await?;
    let message = ground
        .until_condition(&applied, READY, Status::False, "ReconciliationFailed")
        .await?;
    ensure!(message.contains("come from a program"), "{message}");
    ensure!(
        ground
            .client
            .get(&object("v1", "ConfigMap", ns, "a"))
            .await?
            .is_none()
    );
    Ok(())
}
