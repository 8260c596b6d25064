//! CEL expressions and health by CEL.

use serde_json::{Map, Value, json};
use weir_apis::GroupKind;
use weir_plan::{Expr, HealthExprs, HealthRule};

use super::{rows, text, whole};

const FILE: &str = "flux-celstatus.json";

fn data(row: &Value) -> Map<String, Value> {
    row["data"].as_object().cloned().unwrap_or_default()
}

/// Rows where both sides of `&&` fail: cel-go tells of the left one, the interpreter here of the right one.
const OTHER_SIDE: &[&str] = &["object without status with inProgress expression"];

/// cel-go names the whole path of a missing variable, we name the variable: `status` for `status.conditions`.
fn same_error(ours: &str, wanted: &str, case: &str) {
    if OTHER_SIDE.contains(&case) {
        let start = |text: &str| text.rsplit_once("': ").map(|(start, _)| start.to_owned());
        assert_eq!(start(ours), start(wanted), "{case}");
        return;
    }
    assert!(!wanted.is_empty(), "{case}: {ours}");
    assert!(
        wanted.starts_with(ours) || ours.starts_with(wanted),
        "{case}: {ours:?} is not {wanted:?}"
    );
}

#[test]
fn expressions_are_read_or_refused() {
    for (name, row) in rows(FILE, "TestNewExpression") {
        let parsed = Expr::parse(text(&row, "expr"));
        assert_eq!(parsed.is_err(), !text(&row, "err").is_empty(), "{name}");
        if let Err(error) = parsed {
            let start = format!("failed to parse the CEL expression '{}'", text(&row, "expr"));
            assert!(error.to_string().starts_with(&start), "{error}");
        }
    }
}

#[test]
fn booleans_are_evaluated_as_by_flux() {
    for (name, row) in rows(FILE, "TestExpression_EvaluateBoolean") {
        match Expr::parse(text(&row, "expr"))
            .unwrap()
            .evaluate_bool(&data(&row))
        {
            Ok(value) => {
                assert_eq!(text(&row, "err"), "", "{name}");
                assert_eq!(Value::from(value), row["result"], "{name}");
            }
            Err(error) => same_error(&error.to_string(), text(&row, "err"), &name),
        }
    }
}

#[test]
fn values_are_evaluated_as_by_flux() {
    for table in [
        "TestExpression_Evaluate",
        "TestExpression_EvaluateString",
        "TestExpression_EvaluateStringSlice",
    ] {
        for (name, row) in rows(FILE, table) {
            let fits = |value: &Value| match table {
                "TestExpression_EvaluateString" => value.is_string(),
                "TestExpression_EvaluateStringSlice" => value
                    .as_array()
                    .is_some_and(|list| list.iter().all(Value::is_string)),
                _ => true,
            };
            match Expr::parse(text(&row, "expr")).unwrap().evaluate(&data(&row)) {
                Ok(value) if fits(&value) => assert_eq!(value, row["result"], "{table} {name}"),
                Ok(_) => assert_ne!(text(&row, "err"), "", "{table} {name}"),
                Err(error) => same_error(&error.to_string(), text(&row, "err"), &name),
            }
        }
    }
}

fn rule_of(row: &Value) -> Result<HealthRule, weir_plan::InvalidHealthExprs> {
    let exprs = &row["exprs"];
    HealthRule::compile(&HealthExprs {
        api_version: "test/v1".into(),
        kind: "Test".into(),
        current: text(exprs, "Current").into(),
        failed: text(exprs, "Failed").into(),
        in_progress: text(exprs, "InProgress").into(),
    })
}

#[test]
fn health_expressions_are_read_or_refused() {
    for (name, row) in rows(FILE, "TestNewStatusEvaluator") {
        match rule_of(&row) {
            Ok(_) => assert_eq!(text(&row, "err"), "", "{name}"),
            Err(error) => same_error(&error.to_string(), text(&row, "err"), &name),
        }
    }
}

#[test]
fn health_expressions_give_the_status_flux_gives() {
    for (name, row) in rows(FILE, "TestStatusEvaluator_Evaluate") {
        match rule_of(&row).unwrap().status(&without_type(&row["obj"])) {
            Ok(status) => {
                assert_eq!(text(&row, "err"), "", "{name}");
                let wanted = row["result"]["Status"]["$const"].as_str().unwrap();
                assert_eq!(format!("status.{status}Status"), wanted, "{name}");
            }
            Err(error) => same_error(&error.to_string(), text(&row, "err"), &name),
        }
    }
}

fn without_type(value: &Value) -> weir_apis::Object {
    whole(value.clone())
}

#[test]
fn rules_support_their_kind_or_their_whole_group() {
    let kind = |value: &Value| GroupKind::new(text(value, "Group"), text(value, "Kind"));
    for (name, row) in rows(FILE, "TestStatusReader_Supports") {
        let about = kind(&row["supportedGK"]);
        let rule = HealthRule::compile(&HealthExprs {
            api_version: format!("{}/v1", about.group),
            kind: about.kind,
            current: "true".into(),
            ..HealthExprs::default()
        });
        let supports = rule.unwrap().supports(&kind(&row["gk"]));
        assert_eq!(Value::from(supports), row["result"], "{name}");
    }
}

/// The objects of these two tables stand in the test's code: a ConfigMap whose `data` says `current`,
/// `inProgress` or `failed`, with the others false.
#[test]
fn rules_read_the_objects_of_the_status_readers() {
    for (table, quoted) in [
        ("TestStatusReader_ReadStatus", true),
        ("TestStatusReader_ReadStatusForObject", false),
    ] {
        for (name, row) in rows(FILE, table) {
            let wanted = row["status"]["$const"].as_str().unwrap();
            let holds = |status: &str| -> Value {
                let yes = wanted == status;
                if quoted {
                    yes.to_string().into()
                } else {
                    yes.into()
                }
            };
            let object = whole(json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {
                "current": holds("status.CurrentStatus"),
                "inProgress": holds("status.InProgressStatus"),
                "failed": holds("status.FailedStatus"),
            }}));
            let status = rule_of(&row).unwrap().status(&object).unwrap();
            assert_eq!(format!("status.{status}Status"), wanted, "{table} {name}");
        }
    }
}
