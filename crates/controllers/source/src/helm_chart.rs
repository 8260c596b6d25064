//! The HelmChart controller: find the repository, choose a version, verify it, take it, perhaps pack it anew, store it.

mod build;
mod choose;
mod indexes;
mod reconcile;

pub use reconcile::HelmCharts;
pub(crate) use reconcile::address;
