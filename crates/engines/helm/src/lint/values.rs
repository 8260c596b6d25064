//! values.yaml and values.schema.json.

use serde_json::Value;

use super::{Findings, Folder, LintOptions, Problem, Severity, Verdict};
use crate::coalesce::{Nulls, coalesce_tables};
use crate::schema;
use crate::values::{Table, ValuesError, parse_first};

const FILE: &str = "values.yaml";

pub(super) fn check(folder: &dyn Folder, given: &Table, options: &LintOptions, findings: &mut Findings) {
    let exists = match folder.node(FILE) {
        Some(_) => Ok(()),
        None => Err("file does not exist".into()),
    };
    if findings.rule(Severity::Info, FILE, exists) {
        let verdict = values(folder, given, options.skip_schema);
        findings.rule(Severity::Error, FILE, verdict);
    }
}

/// Only the chart's own values are looked at, without those of its subcharts.
fn values(folder: &dyn Folder, given: &Table, skip_schema: bool) -> Verdict {
    let unreadable = |problem: Problem| problem.behind("unable to parse YAML: ");
    let text = folder.read(FILE).map_err(|message| unreadable(message.into()))?;
    let own = parse_first(&String::from_utf8_lossy(&text)).map_err(|error| {
        let (ValuesError::Yaml(message) | ValuesError::Stream(message) | ValuesError::Json(message)) = error;
        unreadable(Problem::located(&message))
    })?;
    let given = coalesce_tables(&Table::new(), given, Nulls::Delete);
    let values = coalesce_tables(&given, &own, Nulls::Delete);
    let schema = folder.read("values.schema.json").unwrap_or_default();
    if schema.is_empty() || skip_schema {
        return Ok(());
    }
    schema::check_one(&schema, &Value::Object(values)).map_err(Problem::from)
}
