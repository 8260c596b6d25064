//! What is waited for is watched.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use tokio::time::{Instant, sleep};
use weir_cluster::Identity;
use weir_plan::{HealthExprs, HealthRules};
use weir_releases::{InstallOptions, Reason, Storage, UninstallOptions};

use crate::ground::{Failing as _, Ground, MANAGER, Stage, chart, config, configs, template};

/// How soon a change must be noticed. Whoever asks at intervals asks every two seconds.
const SOON: Duration = Duration::from_millis(700);

/// ConfigMaps say themselves how far they are.
pub(crate) async fn stage(ground: &Ground, namespace: &str) -> Result<Stage> {
    let exprs = HealthExprs {
        api_version: "v1".into(),
        kind: "ConfigMap".into(),
        current: "data.ready == 'yes'".into(),
        failed: "data.ready == 'never'".into(),
        in_progress: String::new(),
    };
    let mut stage = ground.stage(namespace).await?;
    stage.health = HealthRules::compile(&[exprs])?;
    Ok(stage)
}

/// Lets some time pass in which nothing is asked, and says when it was over.
async fn nothing_is_asked(stage: &Stage) -> Result<()> {
    sleep(Duration::from_millis(1500)).await;
    let before = stage.client.counter().total();
    sleep(Duration::from_secs(3)).await;
    let asked = stage.client.counter().total() - before;
    ensure!(asked == 0, "{asked} requests while nothing happened");
    Ok(())
}

pub(crate) async fn an_object_is_watched_until_it_is_ready(ground: &Ground) -> Result<()> {
    let stage = stage(ground, "watched-object").await?;
    let b = stage.config("b");
    let getting_there = async {
        stage.until(&b, |_| true).await?;
        nothing_is_asked(&stage).await?;
        let patch = json!({"data": {"ready": "yes"}});
        stage.client.merge(&b, &patch, "somebody").await?;
        anyhow::Ok(Instant::now())
    };
    let template = configs("1.0.0", &[("a", "ready: 'yes'"), ("b", "ready: 'no'")]);
    let options = InstallOptions::default();
    let (done, ready) = tokio::join!(
        async { (stage.install(template, &options).await, Instant::now()) },
        getting_there
    );
    let ready = ready?;
    done.0?;
    ensure!(done.1 - ready < SOON, "{:?}", done.1 - ready);
    Ok(())
}

pub(crate) async fn a_hook_that_fails_is_noticed_at_once(ground: &Ground) -> Result<()> {
    let stage = ground.stage("watched-hook").await?;
    let pod = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: check\n  annotations: {helm.sh/hook: pre-install}\nspec:\n  \
               restartPolicy: Never\n  nodeName: nowhere\n  containers:\n  - {name: check, image: 'example/check:1'}\n";
    let chart = chart(
        "1.0.0",
        &[
            ("templates/a.yaml", &config("object", "a: b")),
            ("templates/b.yaml", pod),
        ],
    );
    let check = stage.object("v1", "Pod", "check");
    let failing = async {
        stage.until(&check, |_| true).await?;
        sleep(Duration::from_secs(4)).await;
        let patch = json!({"status": {"phase": "Failed"}});
        stage.client.merge_status(&check, &patch, "kubelet").await?;
        anyhow::Ok(Instant::now())
    };
    let options = InstallOptions::default();
    let (done, failed) = tokio::join!(
        async {
            (
                stage.install(template(&chart, json!({})), &options).await,
                Instant::now(),
            )
        },
        failing
    );
    let failed = failed?;
    let error = done.0.failure()?;
    ensure!(error.reason == Reason::Hook, "{error}");
    ensure!(done.1 - failed < SOON, "{:?}", done.1 - failed);
    Ok(())
}

pub(crate) async fn an_object_is_watched_until_it_is_gone(ground: &Ground) -> Result<()> {
    let stage = ground.stage("watched-end").await?;
    let held = config("held", "a: b").replace("\ndata", "\n  finalizers: [example.com/held]\ndata");
    let chart = chart("1.0.0", &[("templates/a.yaml", &held)]);
    stage
        .install(template(&chart, json!({})), &InstallOptions::default())
        .await?;
    let held = stage.config("held");
    let letting_go = async {
        stage.until(&held, weir_apis::Object::is_being_deleted).await?;
        nothing_is_asked(&stage).await?;
        let patch = json!({"metadata": {"finalizers": null}});
        stage.client.merge(&held, &patch, "somebody").await?;
        anyhow::Ok(Instant::now())
    };
    let options = UninstallOptions::default();
    let (done, gone) = tokio::join!(
        async { (stage.uninstall(&options).await, Instant::now()) },
        letting_go
    );
    let gone = gone?;
    done.0?;
    ensure!(done.1 - gone < SOON, "{:?}", done.1 - gone);
    ensure!(stage.revisions().await?.is_empty());
    Ok(())
}

/// Who may not watch asks now and then.
pub(crate) async fn who_may_read_and_not_watch_waits_all_the_same(ground: &Ground) -> Result<()> {
    let namespace = "watched-not";
    let mut stage = stage(ground, namespace).await?;
    let group = "rbac.authorization.k8s.io";
    let about = json!({"name": "tenant", "namespace": namespace});
    stage
        .apply(json!({"apiVersion": format!("{group}/v1"), "kind": "Role", "metadata": about, "rules": [
            {"apiGroups": [""], "resources": ["secrets"], "verbs": ["*"]},
            {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "create", "update", "patch", "delete"]},
        ]}))
        .await?;
    stage
        .apply(
            json!({"apiVersion": format!("{group}/v1"), "kind": "RoleBinding", "metadata": about,
            "roleRef": {"apiGroup": group, "kind": "Role", "name": "tenant"},
            "subjects": [{"kind": "ServiceAccount", "name": "tenant", "namespace": namespace}]}),
        )
        .await?;
    let administrator = stage.client.clone();
    stage.client = administrator.acting_as(Identity::service_account(namespace, "tenant")?);
    stage.storage = Storage::new(stage.client.clone(), namespace, MANAGER);
    let b = stage.config("b");
    let getting_there = async {
        stage.until(&b, |_| true).await?;
        sleep(Duration::from_secs(1)).await;
        let patch = json!({"data": {"ready": "yes"}});
        administrator.merge(&b, &patch, "somebody").await?;
        anyhow::Ok(())
    };
    let options = InstallOptions::default();
    let (done, ready) = tokio::join!(
        stage.install(configs("1.0.0", &[("b", "ready: 'no'")]), &options),
        getting_there
    );
    ready?;
    done?;
    Ok(())
}
