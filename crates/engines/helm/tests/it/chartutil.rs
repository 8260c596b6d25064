//! Flux's own tables of values from ConfigMaps and Secrets, and of their digest.

use serde_json::{Map, Value};
use weir_helm::{Found, Reference, Table, config_digest, from_references, parse, set_literal, set_path};

use crate::support::{at, same, tables};

fn table(value: &Value) -> Table {
    let mut table = value.as_object().cloned().unwrap_or_default();
    table.remove("$type");
    table
}

fn text(value: &Value, key: &str) -> String {
    value
        .get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// The data of an object under a key.
fn find(resources: &[Value], reference: &Reference) -> Found {
    let Some(object) = resources.iter().find(|object| {
        text(&object["TypeMeta"], "Kind") == reference.kind
            && text(&object["ObjectMeta"], "Name") == reference.name
    }) else {
        return Found::NoObject;
    };
    match object["Data"].get(reference.key()).and_then(Value::as_str) {
        Some(data) => Found::Data(data.as_bytes().to_vec()),
        None => Found::NoKey,
    }
}

fn reference(row: &Value) -> Reference {
    Reference {
        kind: text(row, "Kind"),
        name: text(row, "Name"),
        key: text(row, "ValuesKey"),
        target_path: text(row, "TargetPath"),
        optional: row.get("Optional").and_then(Value::as_bool).unwrap_or_default(),
        literal: row.get("Literal").and_then(Value::as_bool).unwrap_or_default(),
    }
}

type Set = fn(&mut Table, &str, &str) -> Result<(), weir_helm::SetError>;

#[test]
fn fluxs_tables_of_values() {
    let Some(tables) = tables("flux-chartutil.json") else {
        return;
    };
    let mut count = 0;
    for row in at(&tables, "digest_test.go:27") {
        let algorithm = row["algo"]["$const"].as_str().unwrap();
        // Flux has a switch for other digests; the status of a HelmRelease always holds this one.
        if algorithm == "digest.SHA256" {
            assert_eq!(
                config_digest(&table(&row["values"])),
                row["want"].as_str().unwrap(),
                "{row}"
            );
        }
        count += 1;
    }
    for row in at(&tables, "digest_test.go:141") {
        let is_same = config_digest(&table(&row["values"])) == text(row, "digest");
        assert_eq!(is_same, row["want"].as_bool().unwrap(), "{row}");
        count += 1;
    }
    for row in at(&tables, "encode_test.go:28") {
        assert_eq!(weir_yaml::emit::sigs_by_bytes(&row["input"]), text(row, "want"));
        count += 1;
    }
    for row in at(&tables, "sort_test.go:28") {
        // Sorted is how they are printed; the values stay the same.
        assert_eq!(
            weir_yaml::emit::sigs_by_bytes(&row["input"]),
            weir_yaml::emit::sigs_by_bytes(&row["want"])
        );
        count += 1;
    }
    for row in at(&tables, "values_fuzz_test.go:39") {
        let inline = parse(&text(row, "hrValues")).unwrap();
        let references = [
            Reference {
                kind: "ConfigMap".into(),
                name: "values".into(),
                ..Reference::default()
            },
            Reference {
                kind: "Secret".into(),
                name: "values".into(),
                key: text(row, "valuesKey"),
                target_path: text(row, "targetPath"),
                ..Reference::default()
            },
        ];
        // Whatever comes of it, it ends.
        let result = from_references("ns", &inline, &references, |reference| {
            let data = if reference.kind == "Secret" {
                "secretData"
            } else {
                "configData"
            };
            Found::Data(text(row, data).into_bytes())
        });
        if let Ok(found) = result {
            assert_eq!(found.values["other"], "values");
        }
        count += 1;
    }
    for row in at(&tables, "values_test.go:37") {
        let references: Vec<Reference> = row["references"]
            .as_array()
            .unwrap()
            .iter()
            .map(reference)
            .collect();
        let inline = parse(&text(row, "values")).unwrap();
        let resources = row["resources"].as_array().cloned().unwrap_or_default();
        let result = from_references(&text(row, "namespace"), &inline, &references, |reference| {
            find(&resources, reference)
        });
        match (result, row["wantErr"].as_bool().unwrap()) {
            (Ok(found), false) => {
                let found = Value::Object(found.values);
                assert!(
                    same(&found, &Value::Object(table(&row["want"]))),
                    "{row}: {found}"
                );
            }
            (Err(error), true) => assert!(error.to_string().starts_with("could not resolve"), "{error}"),
            (result, _) => panic!("{row}: {result:?}"),
        }
        count += 1;
    }
    for (place, set) in [
        ("values_test.go:447", set_path as Set),
        ("values_test.go:549", set_literal as Set),
    ] {
        for row in at(&tables, place) {
            let mut values = Map::new();
            let result = set(&mut values, &text(row, "path"), &text(row, "value"));
            assert_eq!(
                result.is_err(),
                row["wantErr"].as_bool().unwrap(),
                "{row}: {result:?}"
            );
            if result.is_ok() {
                let found = Value::Object(values);
                assert!(
                    same(&found, &Value::Object(table(&row["want"]))),
                    "{row}: {found}"
                );
            }
            count += 1;
        }
    }
    assert_eq!(count, 65);
}

#[test]
fn messages_are_fluxs() {
    let reference = Reference {
        kind: "ConfigMap".into(),
        name: "v".into(),
        ..Reference::default()
    };
    let error = from_references("ns", &Table::new(), std::slice::from_ref(&reference), |_| {
        Found::NoKey
    })
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "could not resolve ConfigMap chart values reference 'ns/v' with key 'values.yaml': key not found"
    );
}

#[test]
fn each_value_names_the_reference_that_set_it() {
    let reference = |kind: &str, name: &str, path: &str| Reference {
        kind: kind.into(),
        name: name.into(),
        target_path: path.into(),
        ..Reference::default()
    };
    let references = [
        reference("ConfigMap", "a", ""),
        reference("Secret", "b", "image.tag"),
        reference("Secret", "c", "list[1]"),
        reference("ConfigMap", "d", "late"),
    ];
    let inline = parse("image: {name: web, tag: inline}\nlate: inline\nown: 1\n").unwrap();
    let found = from_references("ns", &inline, &references, |reference| {
        let text = match reference.name.as_str() {
            "a" => "image: {registry: x}\nlow: 1\nlate: a\n",
            _ => "set",
        };
        Found::Data(text.as_bytes().to_vec())
    })
    .unwrap();
    for (path, wanted) in [
        (
            &["low"][..],
            Some("spec.valuesFrom[0] (ConfigMap ns/a, key 'values.yaml')"),
        ),
        (
            &["image", "registry"],
            Some("spec.valuesFrom[0] (ConfigMap ns/a, key 'values.yaml')"),
        ),
        (
            &["list", "1"],
            Some("spec.valuesFrom[2] (Secret ns/c, key 'values.yaml', target path 'list[1]')"),
        ),
        (&["own"], Some("spec.values")),
        (&["image", "name"], Some("spec.values")),
        (&["none"], None),
    ] {
        assert_eq!(found.origins.of(path), wanted, "{path:?}");
    }
    // Who wins between a target path and the inline values depends on what else there is; the origin follows.
    for (path, value) in [
        (&["image", "tag"][..], &found.values["image"]["tag"]),
        (&["late"], &found.values["late"]),
    ] {
        let origin = found.origins.of(path).unwrap();
        assert_eq!(
            value == "inline",
            origin == "spec.values",
            "{path:?}: {value} of {origin}"
        );
    }
}
