//! The scenarios. Each works in a namespace of its own.

mod d2;
mod dependencies;
mod drift;
mod quiet;
mod refusals;
mod rights;
mod walk;

use std::pin::Pin;

use anyhow::Result;
use weir_real::Ground;

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
    walk::an_artifact_becomes_objects,
    walk::a_new_tag_rolls_out_and_prunes,
    walk::deleting_the_kustomization_deletes_its_objects,
    walk::substitution_reads_config_maps_and_secrets,
    walk::a_failing_object_names_itself_and_leaves_the_rest,
    drift::an_edited_object_is_put_back,
    drift::a_deleted_object_comes_back,
    quiet::nothing_changed_writes_nothing,
    dependencies::order_is_kept,
    refusals::unsigned_and_strange_and_tampered_artifacts_are_refused,
    refusals::n45_a_policy_that_cannot_be_checked_admits_nothing,
    refusals::n65_an_empty_source_prunes_nothing,
    rights::n50_a_tenant_cannot_leave_its_namespace,
    d2::entry_points_are_applied,
];
