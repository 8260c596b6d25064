//! The scenarios. Each works in a namespace of its own.

mod charts;
mod configs;
mod d2;
mod dependencies;
mod drift;
mod elsewhere;
pub(crate) mod external;
pub(crate) mod fleet;
mod health;
pub(crate) mod helm;
mod keyless;
pub(crate) mod monotonic;
mod overlay;
mod policy;
mod proxies;
mod quiet;
mod refusals;
mod remote;
mod rights;
mod sources;
pub(crate) mod text;
mod verification;
mod walk;

use std::pin::Pin;

use anyhow::Result;
use weir_real::Ground;

type Outcome<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;
type Scenario = for<'a> fn(&'a Ground) -> Outcome<'a>;

macro_rules! scenarios {
    ($($module:ident::$name:ident $(::$more:ident)?),* $(,)?) => {
        /// Every scenario by name.
        pub(crate) const ALL: &[(&str, Scenario)] = &[$((
            concat!(stringify!($module), "::", stringify!($name) $(, "::", stringify!($more))?),
            |ground| Box::pin($module::$name$(::$more)?(ground)),
        )),*];
    };
}

scenarios![
    walk::an_artifact_becomes_objects,
    walk::a_new_tag_rolls_out_and_prunes,
    walk::deleting_the_kustomization_deletes_its_objects,
    walk::substitution_reads_config_maps_and_secrets,
    walk::a_failing_object_names_itself_and_leaves_the_rest,
    walk::all_that_fail_are_named,
    walk::a_status_begins_at_generation_minus_one,
    configs::a_labelled_one_is_acted_on_at_once,
    configs::one_without_the_label_waits_for_the_interval,
    elsewhere::n59_an_artifact_of_others_is_checked_and_its_address_too,
    external::what_others_offer_is_refused_unless_that_is_allowed,
    drift::an_edited_object_is_put_back,
    drift::a_deleted_object_comes_back,
    quiet::nothing_changed_writes_nothing,
    quiet::what_is_new_is_asked_about_once_less,
    quiet::what_is_there_unseen_is_looked_at_first,
    dependencies::order_is_kept,
    refusals::unsigned_and_strange_and_tampered_artifacts_are_refused,
    refusals::a_verdict_on_another_revision_does_not_count,
    refusals::n42_n45_a_policy_that_cannot_be_checked_admits_nothing,
    keyless::n38_an_artifact_must_be_signed_by_an_identity_of_the_list,
    keyless::n45_a_trust_root_or_pattern_that_cannot_be_read_admits_nothing,
    refusals::n65_an_empty_source_prunes_nothing,
    refusals::n65_no_more_is_pruned_at_once_than_the_budget_allows,
    rights::n50_a_tenant_cannot_leave_its_namespace,
    policy::force_makes_an_object_anew_where_a_field_cannot_change,
    policy::annotations_choose_how_an_object_is_applied,
    policy::annotations_keep_an_object_that_left,
    policy::fields_of_kubectl_are_taken_over,
    policy::deletion_policy_orphan_leaves_objects,
    policy::a_suspended_kustomization_rests_until_it_is_resumed,
    overlay::a_spec_changes_what_the_tree_holds,
    overlay::a_definition_and_its_objects_come_in_one_artifact,
    health::a_stalled_object_ends_the_wait_at_once,
    health::expressions_say_when_an_object_is_healthy,
    health::a_newer_artifact_is_not_kept_waiting_by_a_sick_one,
    sources::a_range_takes_the_highest_version_and_follows_it,
    sources::a_digest_stays_whatever_tags_do,
    sources::a_copied_layer_is_kept_as_it_is,
    sources::n22_n43_a_tag_that_moves_after_the_check_is_not_followed,
    verification::an_enforced_policy_refuses_and_an_audited_one_tells,
    verification::a_policy_holds_besides_the_source_s_own,
    verification::n45_a_policy_that_cannot_be_used_admits_nothing,
    verification::a_namespace_comes_under_a_policy_by_its_labels,
    verification::charts_come_under_policies_and_those_without_signatures_are_refused,
    verification::an_audit_that_says_nothing_new_writes_nothing,
    verification::n37_what_a_policy_wants_stated_must_be_stated,
    verification::n23_what_is_stated_counts_no_more_when_its_time_is_over,
    verification::a_key_that_is_withdrawn_counts_no_more_where_its_secret_is_watched,
    fleet::n40_an_artifact_that_was_rebuilt_is_not_the_one_that_was_signed,
    fleet::n38_the_right_workflow_on_another_branch_is_refused,
    fleet::n38_another_repository_s_workflow_is_refused,
    fleet::n36_what_nobody_signed_is_refused,
    fleet::n38_a_key_is_no_identity,
    fleet::n38_production_takes_nothing_that_staging_signed,
    fleet::n50_a_source_outside_the_allow_list_is_refused_by_the_api_server,
    fleet::n50_a_tenant_s_tree_reaches_nothing_outside_its_namespace,
    fleet::n17_a_remote_base_is_not_fetched,
    monotonic::n26_a_tag_goes_forward_only_whatever_the_registry_answers,
    monotonic::n26_a_version_goes_up_only_but_for_a_held_rollback,
    monotonic::n26_a_chart_s_version_goes_up_only,
    proxies::a_source_goes_through_the_proxy_of_its_secret,
    charts::an_index_is_stored_and_a_chart_follows_it,
    charts::values_files_become_a_charts_defaults,
    charts::n22_a_chart_of_a_registry_is_taken_by_the_digest_that_was_verified,
    charts::what_cannot_be_is_refused_with_the_reason,
    remote::a_kubeconfig_names_the_cluster,
    remote::an_identity_and_an_address_name_the_cluster,
    remote::n51_a_kubeconfig_that_runs_a_program_is_refused,
    d2::components_and_their_releases_live,
    helm::flux::install_from_ocirepo_source,
    helm::flux::upgrade_from_ocirepo_source,
    helm::flux::valuesfrom,
    helm::flux::install_fail,
    helm::flux::install_fail_remediate,
    helm::flux::install_fail_retry,
    helm::flux::install_test_fail,
    helm::flux::install_test_fail_ignore,
    helm::flux::upgrade_fail,
    helm::flux::upgrade_fail_remediate,
    helm::flux::upgrade_fail_remediate_uninstall,
    helm::flux::upgrade_fail_retry,
    helm::flux::upgrade_test_fail,
    helm::flux::install_create_target_ns,
    helm::flux::post_renderer_kustomize,
    helm::flux::server_side_apply,
    helm::flux::upgrade_chart_name_change,
    helm::flux::crds_upgrade,
    helm::flux::dependencies,
    helm::flux::status_defaults,
    helm::lifecycle::install_fail_while_waiting,
    helm::lifecycle::install_fail_remediate_keep_history,
    helm::lifecycle::install_fail_retries,
    helm::lifecycle::upgrade_test_fail_stays,
    helm::lifecycle::upgrade_fail_remediate_last,
    helm::lifecycle::upgrade_fail_retries,
    helm::lifecycle::upgrade_fail_remediate_by_uninstall,
    helm::lifecycle::job_ttl,
    helm::applied::no_server_side_apply,
    helm::applied::server_side_apply_throughout,
    helm::applied::no_ssa_install_ssa_upgrade,
    helm::applied::ssa_to_csa_field_removal,
    helm::applied::server_side_apply_rollback,
    helm::tenants::impersonation,
    helm::tenants::delete_ns,
    helm::access::credentials_go_to_other_hosts_only_where_that_is_wanted,
    helm::access::an_authority_of_one_s_own_is_trusted,
    helm::life::a_suspended_one_rests_and_leaves_its_release,
    helm::life::a_deleted_one_takes_its_release_with_it,
    helm::life::a_deleted_one_does_not_wait_for_an_account_that_is_gone,
    helm::life::n15_templates_look_up_with_the_tenant_s_rights,
    helm::life::what_others_did_with_helm_is_taken_over,
    helm::life::a_pending_one_is_unlocked,
    helm::life::requests_revive_what_is_exhausted,
    helm::life::nothing_changed_writes_nothing,
    helm::life::another_cluster_is_released_to,
    helm::drift::drift_is_told_and_left,
    helm::drift::drift_is_put_back,
    helm::drift::what_is_ignored_is_no_drift,
    helm::sources::install_from_hc_source,
    helm::sources::a_template_becomes_a_helm_chart,
    helm::sources::a_source_that_is_not_there_or_not_ready_is_told,
    helm::sources::a_tag_must_be_the_chart_s_version,
    helm::repository::versions_of_an_index_are_released,
    helm::repository::versions_of_a_registry_are_released,
    helm::fields::names_and_namespaces_are_those_that_are_asked_for,
    helm::fields::hooks_and_tests_may_be_left_out,
    helm::fields::what_is_somebody_else_s_may_be_refused,
    helm::fields::a_failed_upgrade_may_tidy_up,
    helm::fields::hooks_are_post_rendered_as_the_strategy_says,
    helm::fields::what_goes_takes_or_leaves_its_dependents,
    helm::values::values_are_laid_over_each_other,
    helm::values::kept_values_stay_under_new_ones,
    helm::values::an_unknown_field_is_refused_by_the_api_server,
    helm::values::a_schema_is_asked_unless_it_is_passed_over,
    helm::values::an_error_names_where_a_value_comes_from,
    helm::secrecy::n56_secret_values_stay_out_of_status_and_events,
];
