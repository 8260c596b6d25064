use serde_json::json;

use super::*;

fn config(name: &str, key: &str, text: &str) -> Object {
    Object::from_value(json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "apps"}, "data": {key: text},
    }))
    .unwrap()
}

fn hidden(name: &str, key: &str, text: &str) -> Object {
    Object::from_value(json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "apps"},
        "data": {key: secret::encode(text.as_bytes())},
    }))
    .unwrap()
}

fn merged(values: Value, from: Value, objects: &[Object]) -> Result<Values, String> {
    let own: HelmRelease = serde_json::from_value(json!({
        "metadata": {"name": "web", "namespace": "apps"},
        "spec": {"interval": "1m", "values": values, "valuesFrom": from},
    }))
    .unwrap();
    let objects = objects
        .iter()
        .map(|o| ((o.kind().to_owned(), o.name().to_owned()), o.clone()))
        .collect();
    merge(&own, &objects)
}

fn table(values: Value, from: Value, objects: &[Object]) -> Value {
    Value::Object(merged(values, from, objects).unwrap().table)
}

#[test]
fn later_ones_win_and_inline_ones_win_over_all() {
    let objects = [
        config(
            "a",
            "values.yaml",
            "x: {one: a, two: a, three: a}\nlist: [1, 2]\n",
        ),
        hidden("b", "other", "x: {two: b, three: b}\nlist: [3]\n"),
    ];
    let from = json!([
        {"kind": "ConfigMap", "name": "a"},
        {"kind": "Secret", "name": "b", "valuesKey": "other"},
    ]);
    assert_eq!(
        table(json!({"x": {"three": "inline"}}), from, &objects),
        json!({"x": {"one": "a", "two": "b", "three": "inline"}, "list": [3.0]})
    );
}

#[test]
fn target_paths_are_settings() {
    let objects = [
        config("a", "k", "8080"),
        hidden("b", "k", "x,y={z}"),
        config("c", "k", "'80'"),
    ];
    let from = json!([
        {"kind": "ConfigMap", "name": "a", "valuesKey": "k", "targetPath": "service.port"},
        {"kind": "Secret", "name": "b", "valuesKey": "k", "targetPath": "word", "literal": true},
        {"kind": "ConfigMap", "name": "c", "valuesKey": "k", "targetPath": "text"},
    ]);
    assert_eq!(
        table(json!({}), from, &objects),
        json!({"service": {"port": 8080}, "word": "x,y={z}", "text": "80"})
    );
}

#[test]
fn what_is_missing_is_told_unless_it_is_optional() {
    let optional = json!([
        {"kind": "ConfigMap", "name": "no", "optional": true},
        {"kind": "ConfigMap", "name": "a", "valuesKey": "no", "optional": true},
    ]);
    let objects = [config("a", "values.yaml", "x: 1\n")];
    assert_eq!(table(json!({}), optional, &objects), json!({}));
    for (from, wanted) in [
        (
            json!([{"kind": "ConfigMap", "name": "no"}]),
            "could not resolve ConfigMap chart values reference 'apps/no' with key 'values.yaml': resource not found",
        ),
        (
            json!([{"kind": "ConfigMap", "name": "a", "valuesKey": "no"}]),
            "could not resolve ConfigMap chart values reference 'apps/a' with key 'no': key not found",
        ),
    ] {
        assert_eq!(merged(json!({}), from, &objects).unwrap_err(), wanted);
    }
}

#[test]
fn n56_no_error_shows_what_a_secret_holds() {
    let word = "correct-horse-battery";
    for (from, text) in [
        (json!([{"kind": "Secret", "name": "b"}]), word.to_owned()),
        (json!([{"kind": "Secret", "name": "b"}]), format!("- {word}\n")),
        (
            json!([{"kind": "Secret", "name": "b"}]),
            format!("a: {word}\n b: [\n"),
        ),
        (
            json!([{"kind": "Secret", "name": "b", "targetPath": "a[99999999]"}]),
            word.to_owned(),
        ),
    ] {
        let error = merged(json!({}), from, &[hidden("b", "values.yaml", &text)]).unwrap_err();
        for at in 0..word.len() - 6 {
            assert!(!error.contains(&word[at..at + 6]), "{error}");
        }
        assert!(
            error.contains("Secret chart values reference 'apps/b'"),
            "{error}"
        );
    }
}

#[test]
fn n56_what_came_from_secrets_is_known() {
    let text = "password: correct-horse\nnested:\n  list: [battery-staple]\nport: 123456\nreplicas: 2\n";
    let from = json!([{"kind": "Secret", "name": "b"}]);
    let values = merged(json!({}), from, &[hidden("b", "values.yaml", text)]).unwrap();
    let shown = values
        .secrets
        .apply("correct-horse battery-staple 123456 2 plain");
    assert_eq!(shown, "***** ***** ***** 2 plain");
    // Templates print a large number as Go does.
    let numbers = "pin: 48151623\nround: 5000000\nsmall: 0.00001234\n";
    let values = merged(
        json!({}),
        json!([{"kind": "Secret", "name": "b"}]),
        &[hidden("b", "values.yaml", numbers)],
    )
    .unwrap();
    let shown = values
        .secrets
        .apply("48151623 4.8151623e+07 5e+06 1.234e-05 5e+05 plain");
    assert_eq!(shown, "***** ***** ***** ***** 5e+05 plain");
    let from = json!([{"kind": "Secret", "name": "b", "valuesKey": "k", "targetPath": "a.b"}]);
    let values = merged(json!({}), from, &[hidden("b", "k", "'quoted-word'")]).unwrap();
    assert_eq!(values.secrets.apply("a quoted-word"), "a *****");
}

#[test]
fn n56_what_a_secret_held_before_is_known() {
    let table = |value: Value| value.as_object().cloned().unwrap();
    let own = |from: Value| -> HelmRelease {
        serde_json::from_value(json!({"metadata": {"name": "web", "namespace": "apps"},
            "spec": {"interval": "1m", "valuesFrom": from}}))
        .unwrap()
    };
    let earlier =
        table(json!({"a": {"password": "correct-horse", "name": "plain-name"}, "gone": "battery-staple"}));
    let now = table(json!({"a": {"password": "another-one", "name": "plain-name"}}));
    let shown = |from: Value| {
        let mut secrets = Mask::default();
        hide_earlier(&own(from), &now, &earlier, &mut secrets);
        secrets
            .apply("correct-horse battery-staple plain-name")
            .into_owned()
    };
    assert_eq!(
        shown(json!([{"kind": "Secret", "name": "s"}])),
        "***** ***** plain-name"
    );
    // Without a Secret nothing is secret, and messages stay as they are.
    let plain = shown(json!([{"kind": "ConfigMap", "name": "s"}]));
    assert_eq!(plain, "correct-horse battery-staple plain-name");
}
