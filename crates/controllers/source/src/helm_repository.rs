//! The HelmRepository controller: download the index, read it, store it.

mod fetch;
mod reconcile;

pub use reconcile::{HelmRepositories, StartError};
