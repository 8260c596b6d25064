//! Objects that are there before.

use anyhow::{Result, ensure};
use serde_json::json;
use weir_releases::{InstallOptions, Reason, UpgradeOptions};

use crate::ground::{Failing as _, Ground, Stage, configs, managers};

async fn strangers(stage: &Stage, name: &str) -> Result<()> {
    stage
        .apply(json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": stage.namespace},
            "data": {"a": "old", "theirs": "x"},
        }))
        .await
        .map(drop)
}

pub(crate) async fn objects_of_others_are_refused_or_taken(ground: &Ground) -> Result<()> {
    let stage = ground.stage("adoption").await?;
    strangers(&stage, "a").await?;
    let first = || configs("1.0.0", &[("a", "a: new"), ("b", "b: b")]);
    let refused = stage
        .install(first(), &InstallOptions::default())
        .await
        .failure()?;
    ensure!(refused.reason == Reason::Ownership && refused.release.is_none());
    let message = "unable to continue with install: ConfigMap \"a\" in namespace \"adoption\" exists and cannot be \
                   imported into the current release: invalid ownership metadata; label validation error: missing key \
                   \"app.kubernetes.io/managed-by\": must be set to \"Helm\"; ";
    ensure!(refused.to_string().starts_with(message), "{refused}");
    ensure!(stage.configs().await? == ["a"] && stage.revisions().await?.is_empty());

    let taking = InstallOptions {
        take_ownership: true,
        ..InstallOptions::default()
    };
    stage.install(first(), &taking).await?;
    let live = stage.get(&stage.config("a")).await?;
    ensure!(
        live.get(&["data"]) == Some(&json!({"a": "new", "theirs": "x"})),
        "{live:?}"
    );
    ensure!(live.annotation("meta.helm.sh/release-name") == Some("web"));
    ensure!(managers(&live).len() == 2, "{:?}", managers(&live));

    strangers(&stage, "c").await?;
    let second = || configs("1.1.0", &[("a", "a: new"), ("c", "a: mine")]);
    let refused = stage
        .upgrade(second(), &UpgradeOptions::default())
        .await
        .failure()?;
    ensure!(refused.reason == Reason::Ownership && refused.release.is_none());
    ensure!(
        refused
            .to_string()
            .starts_with("unable to continue with update: ConfigMap \"c\" in namespace"),
        "{refused}"
    );
    stage.has_revisions(&[(1, "deployed")]).await?;
    let taking = UpgradeOptions {
        take_ownership: true,
        ..UpgradeOptions::default()
    };
    stage.upgrade(second(), &taking).await?;
    ensure!(stage.configs().await? == ["a", "c"]);
    Ok(())
}

pub(crate) async fn a_namespace_is_created(ground: &Ground) -> Result<()> {
    let stage = ground.stage("adoption-home").await?;
    let namespace = "adoption-away";
    let context = weir_releases::Context {
        namespace,
        ..stage.context()
    };
    let first = || configs("1.0.0", &[("a", "a: b")]);
    let refused = weir_releases::install(&context, first(), &InstallOptions::default())
        .await
        .failure()?;
    ensure!(refused.release.is_some(), "{refused}");
    let options = InstallOptions {
        create_namespace: true,
        replace: true,
        ..InstallOptions::default()
    };
    weir_releases::install(&context, first(), &options).await?;
    let away = stage.object("v1", "Namespace", namespace);
    let away = weir_apis::ObjectRef {
        namespace: String::new(),
        ..away
    };
    ensure!(stage.get(&away).await?.label("name") == Some(namespace));
    // The release is recorded where it is kept, and lives where its objects are.
    let record = stage.storage.last("web").await?.expect("a record");
    ensure!(record.namespace == namespace && record.version == 2);
    weir_releases::upgrade(
        &stage.context(),
        configs("1.0.1", &[("a", "a: c")]),
        &UpgradeOptions::default(),
    )
    .await?;
    let object = weir_apis::ObjectRef {
        namespace: namespace.to_owned(),
        ..stage.config("a")
    };
    ensure!(stage.get(&object).await?.get(&["data", "a"]) == Some(&json!("c")));
    Ok(())
}
