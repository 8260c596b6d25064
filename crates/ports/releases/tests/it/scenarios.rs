//! The scenarios. Each works in a namespace of its own.

mod adoption;
mod definitions;
mod hooks;
mod merging;
mod refusals;
mod rollback;
mod uninstall;
mod upgrade;
mod wait;
pub(crate) mod watched;

use std::pin::Pin;

use anyhow::Result;

use crate::ground::Ground;

type Outcome<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;
type Scenario = for<'a> fn(&'a Ground) -> Outcome<'a>;

macro_rules! scenarios {
    ($($module:ident::$name:ident),* $(,)?) => {
        /// Every scenario by name.
        pub(crate) const ALL: &[(&str, Scenario)] = &[$((
            concat!(stringify!($module), "::", stringify!($name)),
            |ground| Box::pin($module::$name(ground)),
        )),*];
    };
}

scenarios![
    upgrade::an_installation_leaves_objects_and_a_record,
    upgrade::an_upgrade_creates_changes_deletes_and_keeps,
    upgrade::history_is_pruned_and_what_is_deployed_stays,
    upgrade::a_failed_upgrade_is_recorded_and_cleaned_up,
    upgrade::a_name_is_taken_unless_it_may_be_replaced,
    upgrade::an_interrupted_release_is_unlocked,
    upgrade::of_two_who_write_one_record_one_fails,
    adoption::objects_of_others_are_refused_or_taken,
    adoption::a_namespace_is_created,
    hooks::hooks_run_by_weight_and_go_by_policy,
    hooks::a_failing_hook_fails_the_release,
    hooks::jobs_are_waited_for,
    hooks::tests_run_when_they_are_asked_for,
    wait::a_wait_that_is_not_over_in_time_fails_the_release,
    wait::an_object_that_failed_ends_the_wait_at_once,
    wait::a_cancelled_action_is_recorded_as_failed,
    wait::nobody_waits_when_it_is_not_wanted,
    watched::an_object_is_watched_until_it_is_ready,
    watched::a_hook_that_fails_is_noticed_at_once,
    watched::an_object_is_watched_until_it_is_gone,
    watched::who_may_read_and_not_watch_waits_all_the_same,
    rollback::a_rollback_brings_an_earlier_revision_back,
    rollback::a_rollback_to_nowhere_changes_nothing,
    uninstall::a_removal_keeps_what_asks_for_it_and_forgets_the_release,
    uninstall::a_removal_may_be_remembered,
    definitions::definitions_come_first_and_by_their_policy,
    merging::a_client_puts_back_its_own_and_leaves_the_rest,
    merging::the_server_takes_over_what_the_client_wrote,
    merging::the_client_goes_on_where_the_server_merged,
    merging::force_replaces_objects,
    refusals::n15_lookups_are_made_in_the_tenants_name,
    refusals::n56_secrets_do_not_show,
    refusals::a_record_that_is_too_large_says_so,
    refusals::what_the_cluster_does_not_know_is_refused_before_anything_is_recorded,
];
