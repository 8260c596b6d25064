//! values.yaml and values.schema.json.

use serde_json::Value;
use weir_gotmpl::Map;

use super::{Findings, Folder, LintOptions, Problem, Severity, Verdict};
use crate::coalesce::{self, Nulls};
use crate::schema;
use crate::values::{Table, ValuesError, parse_first};

const FILE: &str = "values.yaml";

pub(super) fn check(folder: &dyn Folder, given: &mut Table, options: &LintOptions, findings: &mut Findings) {
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
fn values(folder: &dyn Folder, given: &mut Table, skip_schema: bool) -> Verdict {
    let unreadable = |problem: Problem| problem.behind("unable to parse YAML: ");
    let text = folder.read(FILE).map_err(|message| unreadable(message.into()))?;
    let own = parse_first(&String::from_utf8_lossy(&text)).map_err(|error| {
        let (ValuesError::Yaml(message) | ValuesError::Stream(message) | ValuesError::Json(message)) = error;
        unreadable(Problem::located(&message))
    })?;
    // Only the top of the user's values is copied: what lies deeper is shared, and takes what values.yaml says.
    let users = coalesce::table(given);
    let values: Map = users.entries().into_iter().collect();
    coalesce::tables(&values, &coalesce::table(&own), Nulls::Delete, &mut Vec::new());
    *given = coalesce::to_table(&users);
    let schema = folder.read("values.schema.json").unwrap_or_default();
    if schema.is_empty() || skip_schema {
        return Ok(());
    }
    let values = Value::Object(coalesce::to_table(&values));
    schema::check_one(&schema, &values).map_err(Problem::from)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Node;
    use super::*;
    use crate::chart::Chart;

    /// A folder with nothing in it but values.yaml.
    struct Own(&'static str);

    impl Folder for Own {
        fn path(&self) -> &'static str {
            "/chart"
        }

        fn node(&self, name: &str) -> Option<Node> {
            (name == FILE).then_some(Node::File)
        }

        fn read(&self, name: &str) -> Result<Vec<u8>, String> {
            match name {
                FILE => Ok(self.0.as_bytes().to_vec()),
                _ => Err("no such file".to_owned()),
            }
        }

        fn chart(&self) -> Result<Chart, String> {
            Err("no chart".to_owned())
        }
    }

    /// As the templates of Helm 4.2.4 print what they see while they are linted, and those of a chart linted afterwards.
    #[test]
    fn tables_of_the_user_take_what_the_chart_says() {
        let Value::Object(mut given) = json!({"t": {"x": null, "y": 3}, "top": null}) else {
            unreachable!("it is a table");
        };
        assert_eq!(
            values(
                &Own("t: {x: 1, own: {z: ~}}\ntop: 1\nother: 2\n"),
                &mut given,
                false
            ),
            Ok(())
        );
        assert_eq!(
            Value::Object(given),
            json!({"t": {"y": 3, "own": {"z": null}}, "top": null})
        );
    }
}
