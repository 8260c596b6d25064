//! What values from Secrets hold is seen nowhere.

use anyhow::{Result, ensure};
use serde_json::json;
use weir_apis::GroupVersionKind;
use weir_apis::condition::{READY, Status};
use weir_real::Ground;

use super::change;

const WORD: &str = "correct-horse-battery-staple";

pub(crate) async fn n56_secret_values_stay_out_of_status_and_events(ground: &Ground) -> Result<()> {
    let ns = "hr-secrecy";
    // Each of these says the word in the error that it makes.
    let templates = [
        (
            "fail",
            "{{ if eq .Values.mode \"fail\" }}{{ fail .Values.word }}{{ end }}\n",
        ),
        (
            "yaml",
            "{{ if eq .Values.mode \"yaml\" }}\nkind: [{{ .Values.word }}\n{{ end }}\n",
        ),
        (
            "kind",
            "{{ if eq .Values.mode \"kind\" }}\napiVersion: v1\nkind: {{ .Values.word }}\nmetadata: {name: a}\n{{ end }}\n",
        ),
        (
            "apply",
            "{{ if eq .Values.mode \"apply\" }}\napiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  ports: [{port: {{ .Values.word }}}]\n{{ end }}\n",
        ),
        (
            "name",
            "{{ if eq .Values.mode \"name\" }}\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"{{ .Values.word }}_\"}\n{{ end }}\n",
        ),
        (
            "secret",
            "{{ if eq .Values.mode \"secret\" }}\napiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {a: {b: {{ .Values.word }} }}\n{{ end }}\n",
        ),
    ];
    let files: Vec<(String, &str)> = templates
        .iter()
        .map(|(name, text)| (format!("templates/{name}.yaml"), *text))
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(p, t)| (p.as_str(), *t)).collect();
    ground.chart_stage(ns, &files).await?;
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "values", "namespace": ns},
        "stringData": {"values.yaml": format!("word: {WORD}\n")}});
    ground.apply_json(secret).await?;
    let web = ground
        .helm_release(
            ns,
            json!({"valuesFrom": [{"kind": "Secret", "name": "values"}], "values": {"mode": "none"}}),
        )
        .await?;
    ground.until_revision(&web, 1).await?;
    for (mode, _) in templates {
        let generation = change(ground, &web, json!({"values": {"mode": mode}}))
            .await?
            .generation();
        ground
            .until(&web, |live| {
                let conditions = weir_apis::condition::Conditions::of(live);
                conditions.get(READY).is_some_and(|c| {
                    c.status == Status::False
                        && c.reason == "UpgradeFailed"
                        && c.observed_generation == Some(generation)
                })
            })
            .await?;
        let mut status = ground.get(&web).await?.to_value()["status"].take();
        // An object's name is no secret, whatever it was made of: the inventory has it.
        status["inventory"].take();
        ensure!(!status.to_string().contains(WORD), "{mode}: {status}");
    }
    // Nor a broken Secret, and no part of it.
    let broken = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "values", "namespace": ns},
        "stringData": {"values.yaml": WORD}});
    ground.apply_json(broken).await?;
    ground.reconcile(&web).await?;
    let text = ground
        .until_condition(&web, READY, Status::False, "ValuesError")
        .await?;
    ensure!(!text.contains("correct"), "{text}");
    let events = ground
        .client
        .list(&GroupVersionKind::new("", "v1", "Event"), ns, "")
        .await?;
    ensure!(!events.is_empty());
    for event in events {
        let text = event.to_value().to_string();
        ensure!(!text.contains(WORD) && !text.contains("correct-h"), "{text}");
    }
    Ok(())
}
