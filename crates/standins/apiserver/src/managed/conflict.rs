//! What an apply runs into.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::entries::Manager;
use crate::fields::{PathElement, write_path};
use crate::status::Failure;

/// A field that another manager owns with another value.
pub(super) struct Conflict {
    pub(super) manager: Manager,
    pub(super) path: Vec<PathElement>,
}

/// The 409 of a conflicting apply, worded as the reference does.
pub(super) fn conflict_failure(conflicts: &[Conflict]) -> Failure {
    let describe = |manager: &Manager| {
        let mut out = format!("{:?}", manager.name);
        if !manager.subresource.is_empty() {
            write!(out, " with subresource {:?}", manager.subresource).ok();
        }
        if !manager.applied {
            write!(out, " using {}", manager.api_version).ok();
        }
        out
    };
    let causes: Vec<Value> = conflicts
        .iter()
        .map(|conflict| {
            json!({
                "reason": "FieldManagerConflict",
                "message": format!("conflict with {}", describe(&conflict.manager)),
                "field": write_path(&conflict.path),
            })
        })
        .collect();
    let message = if let [only] = conflicts {
        format!(
            "conflict with {}: {}",
            describe(&only.manager),
            write_path(&only.path)
        )
    } else {
        let mut by_manager: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for conflict in conflicts {
            by_manager
                .entry(describe(&conflict.manager))
                .or_default()
                .push(write_path(&conflict.path));
        }
        let mut lines = Vec::new();
        for (manager, paths) in by_manager {
            lines.push(format!("conflicts with {manager}:"));
            lines.extend(paths.iter().map(|path| format!("- {path}")));
        }
        lines.join("\n")
    };
    let plural = if conflicts.len() == 1 {
        "conflict"
    } else {
        "conflicts"
    };
    Failure::new(
        409,
        "Conflict",
        format!("Apply failed with {} {plural}: {message}", conflicts.len()),
    )
    .with_details(json!({"causes": causes}))
}
