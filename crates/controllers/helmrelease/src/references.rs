//! What a HelmRelease refers to: its chart's source, and ConfigMaps and Secrets.

use std::collections::BTreeSet;

use weir_apis::Object;
use weir_apis::kind::HelmRelease;
use weir_runtime::configs::{Config, named};
use weir_runtime::sources::Source;

use crate::spec;

/// The source of an object's chart.
pub(crate) fn source_of(object: &Object) -> BTreeSet<Source> {
    // What cannot be read is not reconciled either.
    let own: Option<HelmRelease> = object.parse().ok();
    own.map(|own| spec::source_of(&own)).into_iter().collect()
}

/// The ConfigMaps and Secrets that an object's spec names: for values, and for another cluster.
pub(crate) fn configs_of(object: &Object) -> BTreeSet<Config> {
    named(object, &[], &["spec", "valuesFrom"])
}
