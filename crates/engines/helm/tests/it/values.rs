//! Helm's own tables of laying values over each other. What the charts of these tests hold stands here, since the
//! tables have only what is asked of them.

use serde_json::{Value, json};
use weir_gotmpl::NoHost;
use weir_helm::{
    Chart, Nulls, Options, RenderError, Table, coalesce_tables, coalesce_values, parse, render_files,
};

use crate::support::{at, keyed, memory, same, tables};

const USER: &str = "
top: yup
bottom: null
right: Null
left: NULL
front: ~
back: ''
nested: {boat: null}
global: {name: Ishmael, subject: Queequeg, nested: {boat: true}}
pequod:
  boat: null
  global: {name: Stinky, harpooner: Tashtego, nested: {boat: false, sail: true, foo2: null}}
  ahab: {scope: whale, boat: null, nested: {foo: true, boat: null}, object: null}
";

fn chart_yaml(name: &str) -> String {
    format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n")
}

/// The chart moby with pequod, which holds ahab, and spouter; with or without what the second of the tests leaves out.
fn moby(full: bool) -> Chart {
    let more = |text: &'static str| if full { text } else { "" };
    let files = [
        ("Chart.yaml".to_owned(), chart_yaml("moby")),
        (
            "values.yaml".to_owned(),
            format!(
                "{{back: exists, bottom: exists, front: exists, left: exists, name: moby, nested: {{boat: true}}, \
                 override: bad, right: exists, scope: moby, top: nope, global: {{nested2: {{l0: moby}}}}{}}}",
                more(", pequod: {boat: maybe, ahab: {boat: maybe, nested: {boat: maybe}}}")
            ),
        ),
        ("charts/pequod/Chart.yaml".to_owned(), chart_yaml("pequod")),
        (
            "charts/pequod/values.yaml".to_owned(),
            format!(
                "{{name: pequod, scope: pequod, global: {{nested2: {{l1: pequod}}}}{}}}",
                more(", boat: false, ahab: {boat: false, nested: {boat: false}}")
            ),
        ),
        (
            "charts/pequod/charts/ahab/Chart.yaml".to_owned(),
            chart_yaml("ahab"),
        ),
        (
            "charts/pequod/charts/ahab/values.yaml".to_owned(),
            format!(
                "{{global: {{nested: {{foo: bar{}}}, nested2: {{l2: ahab}}}}, scope: ahab, name: ahab, boat: true, {}}}",
                more(", foo2: bar2"),
                if full {
                    "nested: {foo: false, boat: true}, object: {foo: bar}"
                } else {
                    "nested: {foo: false, bar: true}"
                }
            ),
        ),
        ("charts/spouter/Chart.yaml".to_owned(), chart_yaml("spouter")),
        (
            "charts/spouter/values.yaml".to_owned(),
            "{scope: spouter, global: {nested2: {l1: spouter}}}".to_owned(),
        ),
    ];
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    memory(&files)
}

/// What `{{.a.b}}` prints.
fn print(values: &Table, template: &str) -> String {
    let path = template.trim_start_matches("{{.").trim_end_matches("}}");
    let mut value = Some(&Value::Null);
    for (depth, part) in path.split('.').enumerate() {
        value = if depth == 0 {
            values.get(part)
        } else {
            value.and_then(|value| value.get(part))
        };
    }
    match value {
        None | Some(Value::Null) => "<no value>".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn values(full: bool, nulls: Nulls, rows: &[Value]) -> (Value, usize) {
    let user = parse(USER).unwrap();
    let merged = coalesce_values(&moby(full), &user, nulls).unwrap();
    for row in rows {
        let template = row["tpl"].as_str().unwrap();
        assert_eq!(
            print(&merged, template),
            row["expect"].as_str().unwrap(),
            "{template}"
        );
    }
    (Value::Object(merged), rows.len())
}

#[test]
fn helms_tables_of_values() {
    let Some(tables) = tables("helm-values.json") else {
        return;
    };
    let at = |place| at(&tables, place);
    let (merged, mut count) = values(true, Nulls::Delete, at("coalesce_test.go:160"));
    for gone in [
        "/bottom",
        "/right",
        "/left",
        "/front",
        "/nested/boat",
        "/pequod/boat",
        "/pequod/ahab/boat",
        "/pequod/ahab/nested/boat",
        "/pequod/ahab/object",
    ] {
        assert_eq!(merged.pointer(gone), None, "{gone}");
    }
    let (merged, rows) = values(false, Nulls::Keep, at("coalesce_test.go:325"));
    count += rows;
    for kept in [
        "/bottom",
        "/right",
        "/left",
        "/front",
        "/nested/boat",
        "/pequod/boat",
        "/pequod/ahab/boat",
    ] {
        assert_eq!(merged.pointer(kept), Some(&Value::Null), "{kept}");
    }

    for (over, under, nulls, expected) in [
        (
            "coalesce_test.go:404",
            "coalesce_test.go:417",
            Nulls::Delete,
            json!({"address": {"city": "Nantucket", "state": "MA", "street": "123 Spouter Inn Ct."}, "boat": "pequod",
                "details": {"friends": ["Tashtego"]}, "name": "Ishmael", "occupation": "whaler"}),
        ),
        (
            "coalesce_test.go:532",
            "coalesce_test.go:545",
            Nulls::Keep,
            json!({"address": {"city": "Nantucket", "country": null, "state": "MA", "street": "123 Spouter Inn Ct."},
                "boat": "pequod", "details": {"friends": ["Tashtego"]}, "hole": null, "name": "Ishmael",
                "occupation": "whaler"}),
        ),
    ] {
        let (over, under) = (keyed(at(over)), keyed(at(under)));
        count += over.len() + under.len();
        let merged = Value::Object(coalesce_tables(&over, &under, nulls));
        assert!(same(&merged, &expected), "{merged}");
    }
    for (over, nulls, expected) in [
        (
            "coalesce_test.go:477",
            Nulls::Delete,
            json!({"address": {"city": "Nantucket", "country": "US", "street": "123 Spouter Inn Ct."}, "boat": "pequod",
                "details": {"friends": ["Tashtego"]}, "hole": "black", "name": "Ishmael"}),
        ),
        (
            "coalesce_test.go:609",
            Nulls::Keep,
            json!({"address": {"city": "Nantucket", "country": "US", "street": "123 Spouter Inn Ct."}, "boat": "pequod",
                "details": {"friends": ["Tashtego"]}, "hole": "black", "name": "Ishmael", "nilval": null}),
        ),
    ] {
        // Over nothing, everything stays.
        let over = keyed(at(over));
        count += over.len();
        let merged = Value::Object(coalesce_tables(&over, &Table::new(), nulls));
        assert!(same(&merged, &expected), "{merged}");
    }

    count += schemas(&at);
    let (over, under) = (keyed(at("values_test.go:37")), keyed(at("values_test.go:29")));
    let where_ = keyed(at("values_test.go:102"));
    count += over.len() + under.len() + where_.len();
    let yaml = serde_json::to_string(&under).unwrap();
    let chart = memory(&[
        ("Chart.yaml", &chart_yaml("test")),
        ("values.yaml", &yaml),
        ("charts/where/Chart.yaml", &chart_yaml("where")),
    ]);
    let merged = coalesce_values(&chart, &over, Nulls::Delete).unwrap();
    for (key, value) in &where_ {
        assert_eq!(merged["where"].get(key), Some(value));
    }
    assert_eq!(merged["name"], "Haroun");
    assert_eq!(count, 123);
}

const SCHEMA: &str = r#"{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "required": ["age"],
    "properties": {"age": {"type": "integer", "minimum": 0}}}"#;
const SCHEMA_2020: &str = r#"{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
    "properties": {"data": {"type": "array", "contains": {"type": "string"}, "unevaluatedItems": {"type": "number"}}}}"#;

fn schemas<'t>(at: &impl Fn(&'static str) -> &'t [Value]) -> usize {
    let mut count = 0;
    for (place, schema, expected) in [
        ("jsonschema_test.go:141", SCHEMA, None),
        (
            "jsonschema_test.go:168",
            SCHEMA,
            Some("subchart:\n- at '': missing property 'age'\n"),
        ),
        ("jsonschema_test.go:203", SCHEMA_2020, None),
        (
            "jsonschema_test.go:230",
            SCHEMA_2020,
            Some("subchart:\n- at '/data': no items match contains schema"),
        ),
        ("jsonschema_test.go:348", SCHEMA, None),
        ("jsonschema_test.go:376", SCHEMA, Some("subchart")),
    ] {
        let values = keyed(at(place));
        count += values.len();
        let chart = memory(&[
            ("Chart.yaml", &chart_yaml("chrt")),
            ("charts/subchart/Chart.yaml", &chart_yaml("subchart")),
            ("charts/subchart/values.schema.json", schema),
        ]);
        let result = weir_helm::render(&chart, &values, &Options::new("a", "b"), &mut NoHost, None);
        match (result, expected) {
            (Err(error), Some(expected)) => assert!(error.to_string().contains(expected), "{place}: {error}"),
            // Values of a subchart may be null here; coalescing makes a table of them first or refuses, as in Helm.
            (Err(RenderError::Values(error)), None) if values["subchart"].is_null() => {
                assert_eq!(error.chart, "subchart");
            }
            (result, None) => assert!(result.is_ok(), "{place}: {result:?}"),
            (result, Some(_)) => panic!("{place}: {result:?}"),
        }
    }
    count
}

#[test]
fn n12_schemas_read_nothing_and_end() {
    for (schema, expected) in [
        (r##"{"$ref": "#"}"##, "reference cycle"),
        (
            r##"{"$ref": "#/definitions/a", "definitions": {"a": {"$ref": "#/definitions/b"}, "b": {"$ref": "#/definitions/a"}}}"##,
            "reference cycle",
        ),
        (r#"{"$ref": "file:///dev/zero"}"#, "schemas are not fetched"),
        (
            r#"{"$ref": "http://127.0.0.1:1/schema.json"}"#,
            "schemas are not fetched",
        ),
        (r#"{"$ref": "other.json"}"#, "schemas are not fetched"),
        ("[", "values.schema.json"),
        (r#"{"type": 3}"#, "values.schema.json"),
        (
            r#"{"properties": {"a": {"pattern": "(a+)+$("}}}"#,
            "values.schema.json",
        ),
    ] {
        let chart = memory(&[
            ("Chart.yaml", &chart_yaml("app")),
            ("values.schema.json", schema),
            (
                "values.yaml",
                "a: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\n",
            ),
        ]);
        let error =
            weir_helm::render(&chart, &Table::new(), &Options::new("a", "b"), &mut NoHost, None).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("app:\n") && text.contains(expected),
            "{schema}: {text}"
        );
    }
    // A schema that describes trees by itself is no cycle.
    let tree = r##"{"type": "object", "properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}}"##;
    let deep = format!(
        "{}{}",
        "{\"left\": ".repeat(100),
        "{}".to_owned() + &"}".repeat(100)
    );
    let chart = memory(&[
        ("Chart.yaml", &chart_yaml("app")),
        ("values.schema.json", tree),
        ("values.yaml", &deep),
    ]);
    assert!(weir_helm::render(&chart, &Table::new(), &Options::new("a", "b"), &mut NoHost, None).is_ok());
    let urn = memory(&[
        ("Chart.yaml", &chart_yaml("app")),
        ("values.schema.json", r#"{"$ref": "urn:nobody:knows"}"#),
    ]);
    assert!(weir_helm::render(&urn, &Table::new(), &Options::new("a", "b"), &mut NoHost, None).is_ok());
}

#[test]
fn schema_errors_name_the_value_and_what_sets_it() {
    let chart = memory(&[("Chart.yaml", &chart_yaml("app")), ("values.schema.json", SCHEMA)]);
    let values = parse("age: -1\n").unwrap();
    let mut options = Options::new("a", "b");
    options.origins.push("base.yaml", parse("age: 3\n").unwrap());
    options.origins.push("prod.yaml", values.clone());
    let error = weir_helm::render(&chart, &values, &options, &mut NoHost, None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "values don't meet the specifications of the schema(s) in the following chart(s):\napp:\n- at '/age': minimum: got -1, want 0 (set by prod.yaml)\n"
    );
}

#[test]
fn a_table_over_something_else_is_refused() {
    let chart = memory(&[
        ("Chart.yaml", &chart_yaml("app")),
        ("charts/sub/Chart.yaml", &chart_yaml("sub")),
    ]);
    let error = render_files(
        &chart,
        &parse("sub: 3\n").unwrap(),
        &Options::new("a", "b"),
        &mut NoHost,
    );
    assert!(error.is_ok(), "nothing is coalesced there");
    let error = weir_helm::render(
        &chart,
        &parse("sub: 3\n").unwrap(),
        &Options::new("a", "b"),
        &mut NoHost,
        None,
    )
    .unwrap_err();
    assert!(error.to_string().contains("type mismatch on sub"), "{error}");
}

/// As `helm template` 4.2.4 reads a chart's values.yaml.
#[test]
fn documents_of_values_are_laid_over_each_other() {
    let read = |text: &str| parse(text).map(Value::Object).map_err(|error| error.to_string());
    let both = json!({"a": {"b": 1.0, "c": 2.0}});
    assert_eq!(read("a: {b: 1}\n--- # more\na: {c: 2}\n"), Ok(both.clone()));
    assert_eq!(read("---\na: {b: 1}\n---\n---\na: {c: 2}"), Ok(both));
    let refused = "error reading yaml document: invalid Yaml document separator: no";
    assert_eq!(read("a: 1\n--- no\nb: 2\n"), Err(refused.to_owned()));
}
