//! How a HelmRelease installs, upgrades, tests, rolls back and uninstalls.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How to install.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Install {
    /// What to do with the chart's `crds/` folder. Default: `Create`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["Skip", "Create", "CreateReplace"]))]
    pub crds: Option<String>,
    /// Creates the target namespace if it does not exist.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub create_namespace: bool,
    /// Runs no hooks.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disable_hooks: bool,
    /// Sends the manifests without asking the API server to validate their fields.
    #[serde(
        rename = "disableOpenAPIValidation",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub disable_open_api_validation: bool,
    /// Takes values that the chart's values.schema.json refuses.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disable_schema_validation: bool,
    /// Refuses objects that exist already and belong to no release or to another one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disable_take_ownership: bool,
    /// Does not wait until the objects are ready.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disable_wait: bool,
    /// Does not wait until Jobs are complete.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disable_wait_for_jobs: bool,
    /// What to do when it fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remediation: Option<InstallRemediation>,
    /// Uses a name that a deleted release in the history has.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub replace: bool,
    /// Lets the API server merge. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_side_apply: Option<bool>,
    /// Old spelling of `crds: Skip`.
    #[serde(rename = "skipCRDs", skip_serializing_if = "std::ops::Not::not")]
    pub skip_crds: bool,
    /// Whether to remediate or to try again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<InstallStrategy>,
    /// Longest time for one Kubernetes operation, hooks included. Default: `spec.timeout`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"))]
    pub timeout: Option<String>,
}

/// How to upgrade.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Upgrade {
    /// What a new chart name means: `Reinstall` uninstalls first. Default: `Reinstall`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["InPlaceUpdate", "Reinstall"]))]
    pub chart_name_change_strategy: Option<String>,
    /// Deletes new objects when the action fails.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cleanup_on_fail: bool,
    /// What to do with the chart's `crds/` folder. Default: `Create`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["Skip", "Create", "CreateReplace"]))]
    pub crds: Option<String>,
    /// Runs no hooks.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disable_hooks: bool,
    /// Sends the manifests without asking the API server to validate their fields.
    #[serde(
        rename = "disableOpenAPIValidation",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub disable_open_api_validation: bool,
    /// Takes values that the chart's values.schema.json refuses.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disable_schema_validation: bool,
    /// Refuses objects that exist already and belong to no release or to another one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disable_take_ownership: bool,
    /// Does not wait until the objects are ready.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disable_wait: bool,
    /// Does not wait until Jobs are complete.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disable_wait_for_jobs: bool,
    /// Deletes and creates objects that can't be changed. Only with client-side apply.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
    /// Starts from the values of the last release.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub preserve_values: bool,
    /// What to do when it fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remediation: Option<UpgradeRemediation>,
    /// Who merges: `enabled` the API server, `disabled` the client, `auto` whoever did for the last release. Default: `auto`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["enabled", "disabled", "auto"]))]
    pub server_side_apply: Option<String>,
    /// Whether to remediate or to try again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<UpgradeStrategy>,
    /// Longest time for one Kubernetes operation, hooks included. Default: `spec.timeout`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"))]
    pub timeout: Option<String>,
}

/// How to roll back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Rollback {
    /// Deletes new objects when the action fails.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cleanup_on_fail: bool,
    /// Runs no hooks.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disable_hooks: bool,
    /// Does not wait until the objects are ready.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disable_wait: bool,
    /// Does not wait until Jobs are complete.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disable_wait_for_jobs: bool,
    /// Deletes and creates objects that can't be changed. Only with client-side apply.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
    /// Has no effect; Helm dropped it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub recreate: bool,
    /// Who merges: `enabled` the API server, `disabled` the client, `auto` whoever did for the last release. Default: `auto`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["enabled", "disabled", "auto"]))]
    pub server_side_apply: Option<String>,
    /// Longest time for one Kubernetes operation, hooks included. Default: `spec.timeout`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"))]
    pub timeout: Option<String>,
}

/// How to uninstall.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Uninstall {
    /// Whether an object's dependents go after it, before it, or stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["background", "foreground", "orphan"], "default" = "background"))]
    pub deletion_propagation: Option<String>,
    /// Runs no hooks.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disable_hooks: bool,
    /// Does not wait until the objects are ready.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disable_wait: bool,
    /// Keeps the release records.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub keep_history: bool,
    /// Longest time for one Kubernetes operation, hooks included. Default: `spec.timeout`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"))]
    pub timeout: Option<String>,
}

/// Whether to run the chart's tests, and which.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Test {
    /// Runs the tests after each install and upgrade.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub enable: bool,
    /// Which tests to run. Default: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<Filter>,
    /// A failed test does not make the release fail.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ignore_failures: bool,
    /// Longest time for one Kubernetes operation, hooks included. Default: `spec.timeout`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"))]
    pub timeout: Option<String>,
}

/// Which test is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Filter {
    /// Leaves the test out, instead of leaving out all others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exclude: bool,
    /// Name of the test.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// What to do when an install fails: uninstall, then try again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct InstallRemediation {
    /// Failed tests do not count as a failure of the action. Default: `spec.test.ignoreFailures`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore_test_failures: Option<bool>,
    /// Remediates the last failure too, when no retries are left. Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remediate_last_failure: Option<bool>,
    /// How often to try again; negative means without end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<i64>,
}

/// What to do when an upgrade fails.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct UpgradeRemediation {
    /// Failed tests do not count as a failure of the action. Default: `spec.test.ignoreFailures`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore_test_failures: Option<bool>,
    /// Remediates the last failure too, when no retries are left. Default: true if there are retries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remediate_last_failure: Option<bool>,
    /// How often to try again; negative means without end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<i64>,
    /// How to get back. Default: `rollback`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["rollback", "uninstall"]))]
    pub strategy: Option<String>,
}

/// Whether to remediate a failed install or to try again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "!has(self.retryInterval) || self.name != 'RemediateOnFailure'", "message": ".retryInterval can only be set when .name is 'RetryOnFailure'"},
]))]
pub struct InstallStrategy {
    /// `RemediateOnFailure` gets back to what was, `RetryOnFailure` upgrades again.
    #[schemars(extend("enum" = ["RemediateOnFailure", "RetryOnFailure"]))]
    pub name: String,
    /// When to try again. Default: `5m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"))]
    pub retry_interval: Option<String>,
}

/// Whether to remediate a failed upgrade or to try again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {"rule": "!has(self.retryInterval) || self.name == 'RetryOnFailure'", "message": ".retryInterval can only be set when .name is 'RetryOnFailure'"},
]))]
pub struct UpgradeStrategy {
    /// `RemediateOnFailure` gets back to what was, `RetryOnFailure` upgrades again.
    #[schemars(extend("enum" = ["RemediateOnFailure", "RetryOnFailure"]))]
    pub name: String,
    /// When to try again. Default: `5m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"))]
    pub retry_interval: Option<String>,
}
