//! Defaults of jobs.

use serde_json::{Value, json};

use super::{set_text, workloads};
use crate::object::{self, at, set_default};

/// Fills in an object of the `batch` group.
pub(crate) fn apply(kind: &str, object: &mut Value) {
    match kind {
        "Job" => {
            workloads::template(object, &["spec", "template"]);
            if at(object, &["metadata", "labels"])
                .and_then(Value::as_object)
                .is_none_or(serde_json::Map::is_empty)
                && let Some(labels) = at(object, &["spec", "template", "metadata", "labels"]).cloned()
            {
                object::set(object, &["metadata", "labels"], labels);
            }
            let both_absent = at(object, &["spec", "completions"]).is_none()
                && at(object, &["spec", "parallelism"]).is_none();
            if both_absent {
                set_default(object, &["spec", "completions"], json!(1));
            }
            set_default(object, &["spec", "parallelism"], json!(1));
            // Unlimited retries when each index counts its own.
            let limit = if at(object, &["spec", "backoffLimitPerIndex"]).is_some() {
                i32::MAX
            } else {
                6
            };
            set_default(object, &["spec", "backoffLimit"], json!(limit));
            set_text(object, &["spec", "completionMode"], "NonIndexed");
            set_default(object, &["spec", "suspend"], json!(false));
            let policy = if at(object, &["spec", "podFailurePolicy"]).is_some() {
                "Failed"
            } else {
                "TerminatingOrFailed"
            };
            set_text(object, &["spec", "podReplacementPolicy"], policy);
            set_default(object, &["spec", "manualSelector"], json!(false));
        }
        "CronJob" => {
            workloads::template(object, &["spec", "jobTemplate", "spec", "template"]);
            set_text(object, &["spec", "concurrencyPolicy"], "Allow");
            set_default(object, &["spec", "suspend"], json!(false));
            set_default(object, &["spec", "successfulJobsHistoryLimit"], json!(3));
            set_default(object, &["spec", "failedJobsHistoryLimit"], json!(1));
        }
        _ => {}
    }
}
