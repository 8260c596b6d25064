//! What must not happen.

use anyhow::{Result, ensure};
use serde_json::json;
use weir_cluster::Identity;
use weir_releases::{InstallOptions, Reason};

use crate::ground::{Failing as _, Ground, Stage, chart, configs, template};

pub(crate) async fn n15_lookups_are_made_in_the_tenants_name(ground: &Ground) -> Result<()> {
    let home = ground.stage("refusals-tenant").await?;
    ground.stage("refusals-other").await?;
    for value in [
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "tenant", "namespace": home.namespace}}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": "tenant", "namespace": home.namespace},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"},
            "subjects": [{"kind": "ServiceAccount", "name": "tenant", "namespace": home.namespace}]}),
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a", "namespace": "refusals-other"},
            "stringData": {"word": "theirs"}}),
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a", "namespace": home.namespace},
            "stringData": {"word": "own"}}),
    ] {
        home.apply(value).await?;
    }
    let identity = Identity::service_account(&home.namespace, "tenant")?;
    let tenant = Stage::new(ground.client.acting_as(identity), &home.namespace);
    let found = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: found\ndata:\n  word: {{ (lookup \"v1\" \"Secret\" \
                 .Values.where \"a\").data.word | b64dec }}\n  nothing: {{ lookup \"v1\" \"Secret\" .Release.Namespace \
                 \"none\" | len | quote }}\n  all: {{ len (lookup \"v1\" \"ServiceAccount\" .Release.Namespace \
                 \"\").items | quote }}\n";
    let chart = chart("1.0.0", &[("templates/a.yaml", found)]);
    let refused = tenant
        .install(
            template(&chart, json!({"where": "refusals-other"})),
            &InstallOptions::default(),
        )
        .await
        .failure()?;
    ensure!(
        refused.reason == Reason::Render && refused.release.is_none(),
        "{refused}"
    );
    ensure!(
        refused.to_string().contains("forbidden") && refused.to_string().contains("refusals-tenant:tenant"),
        "{refused}"
    );
    tenant
        .install(
            template(&chart, json!({"where": home.namespace})),
            &InstallOptions::default(),
        )
        .await?;
    let live = home.get(&home.config("found")).await?;
    ensure!(live.get(&["data", "word"]) == Some(&json!("own")), "{live:?}");
    ensure!(live.get(&["data", "nothing"]) == Some(&json!("0")), "{live:?}");
    ensure!(
        live.get(&["data", "all"])
            .and_then(serde_json::Value::as_str)
            .is_some_and(|n| n != "0"),
        "{live:?}"
    );
    Ok(())
}

pub(crate) async fn n56_secrets_do_not_show(ground: &Ground) -> Result<()> {
    let stage = ground.stage("refusals-secrets").await?;
    // The caller knows of one secret value; that of the Secret is learned from the manifest.
    let chart = chart(
        "1.0.0",
        &[
            (
                "templates/a.yaml",
                "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\nstringData:\n  word: swordfish-9\n",
            ),
            (
                "templates/b.yaml",
                "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\n  labels:\n    x: \"{{ .Values.password }} !\"\n    \
                 y: swordfish-9 !\n",
            ),
        ],
    );
    let error = stage
        .install(
            template(&chart, json!({"password": "hunter2-long"})),
            &InstallOptions::default(),
        )
        .await
        .failure()?;
    let mut told = vec![error.to_string()];
    told.extend(stage.log.lines().iter().map(ToString::to_string));
    let record = stage.storage.last("web").await?.expect("a record");
    told.push(record.info.unwrap_or_default().description);
    ensure!(error.to_string().contains("*****"), "{error}");
    for text in &told {
        ensure!(
            !text.contains("hunter2-long") && !text.contains("swordfish-9"),
            "{text}"
        );
    }
    Ok(())
}

pub(crate) async fn a_record_that_is_too_large_says_so(ground: &Ground) -> Result<()> {
    let stage = ground.stage("refusals-large").await?;
    // Digits of a sum that grows do not shrink much.
    let mut noise = String::new();
    let mut state: u64 = 7;
    while noise.len() < 2_500_000 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        noise += &state.to_string();
    }
    let chart = chart("1.0.0", &[("files/noise.txt", &noise), ("templates/a.yaml", "")]);
    let error = stage
        .install(template(&chart, json!({})), &InstallOptions::default())
        .await
        .failure()?;
    ensure!(
        error.reason == Reason::Storage && error.release.is_none(),
        "{error}"
    );
    ensure!(
        error
            .to_string()
            .starts_with("the record \"sh.helm.release.v1.web.v1\" takes ")
            && error.to_string().contains("a Secret holds 1048576 at most"),
        "{error}"
    );
    Ok(())
}

pub(crate) async fn what_the_cluster_does_not_know_is_refused_before_anything_is_recorded(
    ground: &Ground,
) -> Result<()> {
    let stage = ground.stage("refusals-unknown").await?;
    let chart = chart(
        "1.0.0",
        &[(
            "templates/a.yaml",
            "apiVersion: none.example/v1\nkind: Nothing\nmetadata:\n  name: a\n",
        )],
    );
    let error = stage
        .install(template(&chart, json!({})), &InstallOptions::default())
        .await
        .failure()?;
    ensure!(
        error.reason == Reason::Objects && error.release.is_none(),
        "{error}"
    );
    // A field that the type does not have is refused by the API server.
    let chart = configs("1.0.0", &[("a", "a: b}\nnonsense: {x: y")]);
    let error = stage.install(chart, &InstallOptions::default()).await.failure()?;
    ensure!(
        error.reason == Reason::Apply && error.to_string().contains("nonsense"),
        "{error}"
    );
    Ok(())
}
