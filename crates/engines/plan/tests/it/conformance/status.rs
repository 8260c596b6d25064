//! Readiness of built-in kinds.

use weir_plan::{Readiness, Status, readiness};

use super::{manifest, rows, text};

/// The table's own cases where Flux asks for more than kstatus does: a Job that runs is not current yet.
const FLUX_DIFFERS: &[(&str, &str)] = &[("jobInProgress", "InProgress")];

#[test]
fn built_in_kinds_have_the_status_kstatus_gives_them() {
    let mut run = 0;
    for table in [
        "TestPodStatus",
        "TestPVCStatus",
        "TestStsStatus",
        "TestDaemonsetStatus",
        "TestDeploymentStatus",
        "TestReplicasetStatus",
        "TestPDBStatus",
        "TestCRDGenericStatus",
        "TestJobStatus",
        "TestCronJobStatus",
        "TestServiceStatus",
        "TestCRDStatus",
    ] {
        for (name, row) in rows("kstatus.json", table) {
            let found = readiness(&manifest(text(&row, "spec")), crate::now());
            let differs = FLUX_DIFFERS.iter().find(|(case, _)| *case == name);
            let wanted = differs.map_or(text(&row, "expectedStatus"), |(_, status)| *status);
            assert_eq!(found.status.to_string(), wanted, "{table} {name}: {found:?}");
            if differs.is_none() {
                check_conditions(&name, &row["expectedConditions"], &found);
            }
            run += 1;
        }
    }
    assert!(run == 0 || run >= 52, "only {run} rows");
}

#[test]
fn reasons_are_those_that_kstatus_writes_into_conditions() {
    for (name, row) in rows("kstatus.json", "TestAugmentConditions") {
        let found = readiness(&manifest(text(&row, "manifest")), crate::now());
        check_conditions(&name, &row["expectedConditions"], &found);
    }
}

/// kstatus gives a status as a condition as well; we give its reason.
fn check_conditions(name: &str, conditions: &serde_json::Value, found: &Readiness) {
    for condition in conditions.as_array().into_iter().flatten() {
        assert_eq!(found.reason, text(condition, "Reason"), "{name}: {found:?}");
        let status = match text(condition, "Type") {
            "Reconciling" => Status::InProgress,
            _ => Status::Failed,
        };
        assert_eq!(found.status, status, "{name}");
    }
}
