//! CustomResourceDefinitions in `crds/`.

use anyhow::{Result, ensure};
use serde_json::json;
use weir_apis::{GroupVersionKind, ObjectRef};
use weir_helm::Chart;
use weir_releases::{Crds, CrdsPolicy, InstallOptions, Reason, UninstallOptions, UpgradeOptions};

use crate::ground::{Failing as _, Ground, chart, template};

fn with_definition(version: &str, note: &str) -> Chart {
    let definition = format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: \
         widgets.releases.example\n  annotations: {{note: {note}}}\nspec:\n  group: releases.example\n  scope: \
         Namespaced\n  names: {{kind: Widget, plural: widgets}}\n  versions:\n  - name: v1\n    served: true\n    \
         storage: true\n    schema:\n      openAPIV3Schema:\n        type: object\n        \
         x-kubernetes-preserve-unknown-fields: true\n"
    );
    let widget = "apiVersion: releases.example/v1\nkind: Widget\nmetadata:\n  name: a\nspec:\n  known: {{ \
                  .Capabilities.APIVersions.Has \"releases.example/v1/Widget\" }}\n";
    let stray = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: stray\n";
    chart(
        version,
        &[
            ("crds/widgets.yaml", &definition),
            ("crds/stray.yaml", stray),
            ("templates/a.yaml", widget),
        ],
    )
}

pub(crate) async fn definitions_come_first_and_by_their_policy(ground: &Ground) -> Result<()> {
    let stage = ground.stage("definitions").await?;
    let crds = |policy| Crds {
        policy,
        labels: [("helm.toolkit.fluxcd.io/name".to_owned(), "web".to_owned())].into(),
    };
    let first = with_definition("1.0.0", "first");
    let skipping = InstallOptions {
        crds: crds(CrdsPolicy::Skip),
        ..InstallOptions::default()
    };
    let refused = stage
        .install(template(&first, json!({})), &skipping)
        .await
        .failure()?;
    ensure!(
        refused.reason == Reason::Objects && refused.release.is_none(),
        "{refused}"
    );
    ensure!(
        refused.to_string()
            == "unable to build kubernetes objects from release manifest: resource mapping not found for name: \"a\" \
                namespace: \"definitions\" from \"\": no matches for kind \"Widget\" in version \
                \"releases.example/v1\"\nensure CRDs are installed first",
        "{refused}"
    );
    let creating = InstallOptions {
        crds: crds(CrdsPolicy::Create),
        ..InstallOptions::default()
    };
    stage.install(template(&first, json!({})), &creating).await?;
    let widget = stage.object("releases.example/v1", "Widget", "a");
    let live = stage.get(&widget).await?;
    ensure!(live.get(&["spec"]) == Some(&json!({"known": true})), "{live:?}");
    let gvk = GroupVersionKind::new("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
    let definition = ObjectRef::new(gvk, "", "widgets.releases.example");
    let live = stage.get(&definition).await?;
    ensure!(live.label("helm.toolkit.fluxcd.io/name") == Some("web"));
    ensure!(live.label("app.kubernetes.io/managed-by").is_none());
    ensure!(
        stage.configs().await?.is_empty(),
        "what else lies in crds/ was applied"
    );

    let second = with_definition("2.0.0", "second");
    for (policy, client_side, note) in [
        (CrdsPolicy::Skip, false, "first"),
        (CrdsPolicy::Create, false, "first"),
        (CrdsPolicy::Create, true, "first"),
        (CrdsPolicy::CreateReplace, false, "second"),
    ] {
        let options = UpgradeOptions {
            crds: crds(policy),
            method: if client_side {
                weir_helm::action::Method::Disabled
            } else {
                weir_helm::action::Method::Enabled
            },
            ..UpgradeOptions::default()
        };
        stage.upgrade(template(&second, json!({})), &options).await?;
        let live = stage.get(&definition).await?;
        ensure!(
            live.annotation("note") == Some(note),
            "{policy:?}: {:?}",
            live.annotation("note")
        );
    }
    let replacing = UpgradeOptions {
        crds: crds(CrdsPolicy::CreateReplace),
        method: weir_helm::action::Method::Disabled,
        ..UpgradeOptions::default()
    };
    let third = with_definition("3.0.0", "third");
    stage.upgrade(template(&third, json!({})), &replacing).await?;
    ensure!(stage.get(&definition).await?.annotation("note") == Some("third"));
    stage.uninstall(&UninstallOptions::default()).await?;
    ensure!(!stage.exists(&widget).await?);
    ensure!(stage.exists(&definition).await?, "definitions are never deleted");
    Ok(())
}
