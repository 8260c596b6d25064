//! The Kustomization controller: build from a source's artifact, apply, prune, wait, report.
//!
//! A file a step. `spec` reads the object; `sources`, `variables` and `trees` gather; `build` is pure; `apply`
//! plans and carries out stage by stage; `deletion` and pruning take away; `health` waits; `reconcile` strings them
//! together and reports. `watched` follows what was applied, so that drift is put back when it happens and an
//! unchanged object costs no request.
//!
//! It reads sources from the API server and artifacts from the store; it does not know the source controller.

mod apply;
mod build;
mod deletion;
mod generate;
mod health;
mod history;
mod reconcile;
mod sources;
mod spec;
mod target;
mod trees;
mod variables;
mod watched;

pub use reconcile::Kustomizations;
