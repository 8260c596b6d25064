//! The HelmRelease controller: a chart and values, released as Flux's helm-controller releases them.
//!
//! A file a step. `spec` reads the object, `template` makes its HelmChart, `values` and `charts` gather; `state` compares
//! the records of the release with what the object asks for, `choice` says what to do about it; `reconcile` strings them
//! together, does it through `weir-releases` and reports. `strategy`, `history`, `summary`, `digests`, `version`, `token`
//! are the rules that these use; `drift` compares live objects with the release, `inventory` lists them.
//!
//! Everything of the release, its records and what templates look up included, is done as the ServiceAccount of the spec
//! (security case N15). What values from Secrets hold is hidden in conditions, events and logs (N56).
//!
//! It reads charts' sources from the API server and artifacts from the store; it does not know the source controller.

mod charts;
mod choice;
mod digests;
mod drift;
mod history;
mod inventory;
mod options;
mod postrender;
mod reconcile;
mod references;
mod spec;
mod state;
mod strategy;
mod summary;
mod template;
mod token;
mod values;
mod version;

pub use reconcile::{HelmReleases, Sources};
