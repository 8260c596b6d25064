//! What values a release is made with, and who checks them.

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use weir_apis::condition::{READY, Status};
use weir_real::Ground;

use super::{change, reconciled};

/// Several keys of one object, each over the one before; paths into lists, and with dots in a name; inline values last.
pub(crate) async fn values_are_laid_over_each_other(ground: &Ground) -> Result<()> {
    let ns = "hr-values-order";
    ground.chart_stage(ns, &[]).await?;
    let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "values", "namespace": ns}, "data": {
        "limits": "resources:\n  limits: {cpu: 200m, memory: 128Mi}\n",
        "requests": "resources:\n  requests: {cpu: 100m, memory: 64Mi}\n",
        "limits.cpu": "400m",
        "letters": "{a,b,c}",
        "letter": "d",
        "annotation": "demo",
        "count": "3",
        "text": "'3'",
    }});
    ground.apply_json(config).await?;
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "values", "namespace": ns},
        "stringData": {"values.yaml": "account: {enabled: true}\nreplicas: 1\n"}});
    ground.apply_json(secret).await?;
    let from = |key: &str, path: Option<&str>| {
        let mut from = json!({"kind": "ConfigMap", "name": "values", "valuesKey": key});
        if let Some(path) = path {
            from["targetPath"] = json!(path);
        }
        from
    };
    let fields = json!({
        "valuesFrom": [
            from("limits", None),
            from("requests", None),
            from("limits.cpu", Some("resources.limits.cpu")),
            from("letters", Some("list.letters")),
            from("letter", Some("list.letters[2]")),
            from("annotation", Some(r"annotations.some\.example\.com\/env")),
            from("count", Some("count")),
            from("text", Some("text")),
            {"kind": "Secret", "name": "values"},
            {"kind": "Secret", "name": "none", "optional": true},
        ],
        "values": {"replicas": 2},
    });
    let web = ground.helm_release(ns, fields).await?;
    ground.until_revision(&web, 1).await?;
    let records = ground.records(ns).await?;
    let config = json!(records.last().and_then(|r| r.config.clone()).context("values")?);
    let wanted = json!({
        "account": {"enabled": true},
        "annotations": {"some.example.com/env": "demo"},
        "count": 3,
        "list": {"letters": ["a", "b", "d"]},
        "replicas": 2,
        "resources": {"limits": {"cpu": "400m", "memory": "128Mi"}, "requests": {"cpu": "100m", "memory": "64Mi"}},
        "text": "3",
    });
    // Numbers of YAML are floats.
    let normal = |value: &serde_json::Value| value.to_string().replace(".0", "");
    ensure!(normal(&config) == normal(&wanted), "{config}, not {wanted}");
    Ok(())
}

pub(crate) async fn kept_values_stay_under_new_ones(ground: &Ground) -> Result<()> {
    let ns = "hr-preserve";
    ground.chart_stage(ns, &[]).await?;
    let fields = json!({"upgrade": {"preserveValues": true}, "values": {"colour": "red", "a": {"b": "c"}}});
    let web = ground.helm_release(ns, fields).await?;
    ground.until_revision(&web, 1).await?;
    // What the object says no more stays all the same.
    change(
        ground,
        &web,
        json!({"values": {"colour": null, "a": {"b": null, "d": "e"}}}),
    )
    .await?;
    ground.until_revision(&web, 2).await?;
    ensure!(ground.setting(ns, "colour").await? == Some(json!("red")));
    let records = ground.records(ns).await?;
    let config = json!(records.last().and_then(|r| r.config.clone()).context("values")?);
    ensure!(
        config == json!({"colour": "red", "a": {"b": "c", "d": "e"}}),
        "{config}"
    );
    // Which is no reason to upgrade for ever.
    reconciled(ground, &web).await?;
    reconciled(ground, &web).await?;
    ground
        .has_records(ns, &[(1, "superseded"), (2, "deployed")])
        .await?;
    // A new chart's defaults give way too.
    let defaults = "colour: pink\nbroken: false\n";
    ground
        .publish_chart(ns, "1.1.0", &[("values.yaml", defaults)])
        .await?;
    ground.reconcile(&weir_real::source(ns, ns)).await?;
    ground.until_revision(&web, 3).await?;
    ensure!(ground.setting(ns, "colour").await? == Some(json!("red")));
    // Until nothing is kept any more.
    change(ground, &web, json!({"upgrade": {"preserveValues": false}})).await?;
    ground.until_revision(&web, 4).await?;
    ensure!(ground.setting(ns, "colour").await? == Some(json!("pink")));
    Ok(())
}

pub(crate) async fn an_unknown_field_is_refused_by_the_api_server(ground: &Ground) -> Result<()> {
    let ns = "hr-fields";
    let template = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: odd}\ndatum: {a: b}\n";
    ground
        .chart_stage(ns, &[("templates/odd.yaml", template)])
        .await?;
    // As with Helm 4 the switch is the client's, and the server checks whatever it says.
    let web = ground
        .helm_release(ns, json!({"install": {"disableOpenAPIValidation": true}}))
        .await?;
    let text = ground
        .until_condition(&web, READY, Status::False, "InstallFailed")
        .await?;
    ensure!(text.contains("datum"), "{text}");
    Ok(())
}

pub(crate) async fn a_schema_is_asked_unless_it_is_passed_over(ground: &Ground) -> Result<()> {
    let ns = "hr-schema";
    let schema = r#"{"type": "object", "properties": {"colour": {"enum": ["blue", "green"]}}}"#;
    ground.chart_stage(ns, &[("values.schema.json", schema)]).await?;
    let web = ground
        .helm_release(ns, json!({"values": {"colour": "red"}}))
        .await?;
    let text = ground
        .until_condition(&web, READY, Status::False, "InstallFailed")
        .await?;
    ensure!(text.contains("colour") && text.contains("spec.values"), "{text}");
    change(
        ground,
        &web,
        json!({"install": {"disableSchemaValidation": true}}),
    )
    .await?;
    ground.until_revision(&web, 1).await?;
    // An upgrade has a switch of its own.
    change(ground, &web, json!({"values": {"colour": "pink"}})).await?;
    ground
        .until_condition(&web, READY, Status::False, "UpgradeFailed")
        .await?;
    change(
        ground,
        &web,
        json!({"upgrade": {"disableSchemaValidation": true}}),
    )
    .await?;
    ground.until_revision(&web, 2).await?;
    ensure!(ground.setting(ns, "colour").await? == Some(json!("pink")));
    Ok(())
}

pub(crate) async fn an_error_names_where_a_value_comes_from(ground: &Ground) -> Result<()> {
    let ns = "hr-origin";
    let template =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: deep}\ndata:\n  a: {{ include \"deep\" . }}\n";
    let helpers = "{{- define \"deep\" -}}\n{{ .Values.image.tag.deep }}\n{{- end -}}\n";
    let files = [
        (
            "values.yaml",
            "colour: blue\nbroken: false\nimage: {tag: {deep: x}}\n",
        ),
        ("templates/deep.yaml", template),
        ("templates/_helpers.tpl", helpers),
    ];
    ground.chart_stage(ns, &files).await?;
    for (kind, data) in [("ConfigMap", "data"), ("Secret", "stringData")] {
        let value = json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": "values", "namespace": ns},
            data: {"values.yaml": "image: {tag: not-to-be-seen}\n", "tag": "not-to-be-seen"}});
        ground.apply_json(value).await?;
    }
    let web = ground
        .helm_release(ns, json!({"values": {"image": {"tag": "v1"}}}))
        .await?;
    let place = [
        "web/templates/_helpers.tpl, line 2",
        "web/templates/deep.yaml, line 5",
        "chart web",
    ];
    for (spec, origin) in [
        (json!({}), "spec.values".to_owned()),
        (
            json!({"values": null, "valuesFrom": [{"kind": "ConfigMap", "name": "values"}]}),
            format!("spec.valuesFrom[0] (ConfigMap {ns}/values, key 'values.yaml')"),
        ),
        (
            json!({"valuesFrom": [{"kind": "Secret", "name": "values", "valuesKey": "tag", "targetPath": "image.tag"}]}),
            format!("spec.valuesFrom[0] (Secret {ns}/values, key 'tag', target path 'image.tag')"),
        ),
    ] {
        let generation = change(ground, &web, spec).await?.generation();
        let live = ground
            .until(&web, |live| {
                let conditions = weir_apis::condition::Conditions::of(live);
                conditions
                    .get(READY)
                    .is_some_and(|c| c.reason == "InstallFailed" && c.observed_generation == Some(generation))
            })
            .await?;
        let text = super::message(&live, READY)?;
        let said = format!(".Values.image.tag.deep is set by {origin}");
        ensure!(text.contains(&said), "{said:?} is not in {text}");
        for part in place {
            ensure!(text.contains(part), "{part:?} is not in {text}");
        }
        ensure!(
            !text.contains("not-to-be-seen") || origin.contains("ConfigMap"),
            "{text}"
        );
    }
    Ok(())
}
