//! Helm's own tables of the `--set` languages.

use serde_json::{Map, Value};
use weir_helm::{Setter, Table, set_index};

use crate::support::{at, same, tables};

fn table(value: &Value) -> Table {
    value.as_object().cloned().unwrap_or_default()
}

/// Rows of a text, what it gives, and whether it fails.
fn parses(rows: &[Value], setter: Setter<'_>) -> usize {
    for row in rows {
        let text = row["str"].as_str().unwrap();
        match (setter.parse(text), row["err"].as_bool().unwrap()) {
            (Ok(found), false) => {
                let found = Value::Object(found);
                assert!(
                    same(&found, &row["expect"]),
                    "{text}: {found} instead of {}",
                    row["expect"]
                );
            }
            (Err(error), true) => {
                let wanted = row.get("errStr").and_then(Value::as_str).unwrap_or_default();
                assert!(error.to_string().contains(wanted), "{text}: {error}");
            }
            (result, _) => panic!("{text}: {result:?}"),
        }
    }
    rows.len()
}

/// Rows of one or two texts that are set in a table.
fn sets(rows: &[Value], setter: Setter<'_>) -> usize {
    for row in rows {
        let mut values = table(&row["got"]);
        let mut result = setter.set(row["input"].as_str().unwrap(), &mut values);
        if let Some(second) = row
            .get("input2")
            .and_then(Value::as_str)
            .filter(|second| !second.is_empty())
        {
            result = result.and_then(|()| setter.set(second, &mut values));
        }
        if row["err"].as_bool().unwrap() {
            assert!(result.is_err(), "{row}");
        } else {
            assert_eq!(result, Ok(()), "{row}");
            let found = Value::Object(values);
            assert!(same(&found, &row["expect"]), "{row}: {found}");
        }
    }
    rows.len()
}

#[test]
fn helms_tables_of_set() {
    let Some(tables) = tables("helm-strvals.json") else {
        return;
    };
    let mut count = parses(at(&tables, "literal_parser_test.go:27"), Setter::Literal);
    count += sets(at(&tables, "literal_parser_test.go:307"), Setter::Literal);
    count += parses(at(&tables, "literal_parser_test.go:430"), Setter::Literal);
    for row in at(&tables, "/parser_test.go:27") {
        let mut list = row["initial"].as_array().unwrap().clone();
        let result = set_index(&mut list, row["add"].as_i64().unwrap(), row["val"].clone());
        assert_eq!(result.is_err(), row["err"].as_bool().unwrap(), "{row}");
        assert!(same(&Value::Array(list), &row["expect"]), "{row}");
        count += 1;
    }
    count += parses(at(&tables, "/parser_test.go:105"), Setter::Text);
    count += parses(at(&tables, "/parser_test.go:131"), Setter::Typed);
    count += sets(at(&tables, "/parser_test.go:434"), Setter::Typed);
    count += sets(at(&tables, "/parser_test.go:581"), Setter::Json);
    count += parses(at(&tables, "/parser_test.go:769"), Setter::Typed);
    assert_eq!(count, 119);
}

#[test]
fn depth_is_bounded() {
    let deep = |levels: usize| format!("{}v=1", "a.".repeat(levels));
    assert!(Setter::Typed.parse(&deep(30)).is_ok());
    let error = Setter::Typed.parse(&deep(31)).unwrap_err().to_string();
    assert_eq!(
        error,
        "value name nested level is greater than maximum supported nested level of 30"
    );
    for setter in [Setter::Typed, Setter::Literal] {
        let lists = format!("a{}=1", "[0]".repeat(100_000));
        assert!(setter.parse(&lists).is_err());
        let mixed = format!("{}=1", "a[0].".repeat(100_000));
        assert!(setter.parse(&mixed).is_err());
    }
}

#[test]
fn settings_that_do_not_fit_what_is_there_are_errors() {
    for (line, expected) in [
        ("a.b=1", "interface {} is string, not map[string]interface {}"),
        ("a[0]=1", "interface {} is string, not []interface {}"),
        ("b[0][0]=1", "interface {} is string, not []interface {}"),
        ("c[x]=1", "error parsing index"),
        ("c[-1]=1", "negative -1 index not allowed"),
        ("c[65537]=1", "greater than maximum supported index of 65536"),
    ] {
        let mut values = Map::new();
        values.insert("a".into(), "text".into());
        values.insert("b".into(), Value::Array(vec!["text".into()]));
        let error = Setter::Typed.set(line, &mut values).unwrap_err().to_string();
        assert!(error.contains(expected), "{line}: {error}");
    }
}

/// Helm takes an index that never ends for the end of the text.
#[test]
fn an_index_that_never_ends_sets_nothing() {
    for setter in [Setter::Typed, Setter::Text, Setter::Literal] {
        for line in ["a[", "a[1", "b.c["] {
            assert_eq!(setter.parse(line).unwrap(), Map::new(), "{line}");
        }
    }
}
