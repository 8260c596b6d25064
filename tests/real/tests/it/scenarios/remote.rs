//! Another cluster, by a kubeconfig in a Secret.

use anyhow::{Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
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

pub(crate) async fn an_identity_and_an_address_name_the_cluster(ground: &Ground) -> Result<()> {
    let ns = "remote-identity";
    ground.namespace(ns).await?;
    let kubeconfig: Value = serde_json::from_str(&ground.kubeconfig().await?)?;
    let cluster = &kubeconfig["clusters"][0]["cluster"];
    // The stand-in's address has an administrator's token in its path, for kubectl; the identity must do without.
    let address = cluster["server"].as_str().unwrap_or_default();
    let address = address.split("/token/").next().unwrap_or_default();
    let authority = cluster["certificate-authority-data"].as_str().unwrap_or_default();
    let mut data = json!({
        "provider": "generic", "address": address, "serviceAccountName": "reach",
        "audiences": "https://kubernetes.default.svc\nhttps://kubernetes.default.svc.cluster.local\n",
        "ca.crt": String::from_utf8(STANDARD.decode(authority)?)?,
    });
    let map = |data: &Value| {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "data": data,
            "metadata": {"name": "cluster", "namespace": ns, "labels": {"reconcile.fluxcd.io/watch": "Enabled"}}})
    };
    let digest = ground
        .publish(ns, "latest", &files([("a.yaml", &config(ns, "a", "blue"))]))
        .await?;
    ground.source(ns, ns).await?;
    let mut cloud = data.clone();
    cloud["provider"] = json!("aws");
    ground.apply_json(map(&cloud)).await?;
    let fields = json!({"kubeConfig": {"configMapRef": {"name": "cluster"}}});
    let applied = ground.kustomization(ns, ns, fields).await?;
    let message = ground
        .until_condition(&applied, READY, Status::False, "FeatureGateDisabled")
        .await?;
    ensure!(
        message.contains("(aws)") && message.contains("'remote-identity/cluster'"),
        "{message}"
    );
    // The account does not exist yet, and then may do nothing.
    ground.apply_json(map(&data)).await?;
    let message = ground
        .until_condition(&applied, READY, Status::False, "ReconciliationFailed")
        .await?;
    ensure!(message.contains("reach"), "{message}");
    ground
        .apply_json(json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "reach", "namespace": ns}}))
        .await?;
    ground
        .until(&applied, |live| {
            weir_apis::condition::Conditions::of(live)
                .get(READY)
                .is_some_and(|c| c.message.contains("forbidden"))
        })
        .await?;
    ground
        .apply_json(json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "reach", "namespace": ns},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "ServiceAccount", "name": "reach", "namespace": ns}],
        }))
        .await?;
    ground.until_applied(&applied, digest).await?;
    ground.get(&object("v1", "ConfigMap", ns, "a")).await?;
    data["provider"] = json!("nobody");
    ground.apply_json(map(&data)).await?;
    let message = ground
        .until_condition(&applied, READY, Status::False, "ReconciliationFailed")
        .await?;
    ensure!(message.contains("provider 'nobody' is not known"), "{message}");
    Ok(())
}
