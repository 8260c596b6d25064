//! The controllers of sources. OCIRepository: resolve a tag once, verify the digest, store the artifact.
//!
//! A file a step, each taking the last one's type: `gather` reads the spec and what it refers to (`policy` what it asks of signatures), `resolve`
//! turns the reference into a digest, `admit` checks its signatures and is the only way to an
//! [`weir_verify::Admitted`] (`standing` remembers where a source is, for policies that let it go forward only), `fetch` pulls and packs the layer, `keep` stores it. `reconcile` strings them
//! together and reports. What fails verification is never stored, and a failure never takes the last artifact
//! away.
//!
//! Charts come from two kinds more. `helm_repository` downloads indexes; `helm_chart` chooses a version from one, or
//! from the tags of a registry, and stores the chart. `access` reads what a HelmRepository says of addresses and
//! Secrets, `turn` is what the turns of all three kinds begin with.
//!
//! `policies` are the cluster's VerificationPolicies: what they ask for is asked of every source that they are about, besides its own
//! `spec.verify`. `verification_policy` says in their status whether they can be used, and how the sources fare.
//!
//! It does not know who builds from the artifacts.

mod access;
mod admit;
mod fetch;
mod gather;
mod helm_chart;
mod helm_repository;
mod keep;
mod kept;
mod known;
mod policies;
mod policy;
mod reconcile;
mod resolve;
mod standing;
mod status;
mod turn;
mod verdicts;
mod verification_policy;

pub use helm_chart::HelmCharts;
pub use helm_repository::{HelmRepositories, StartError};
pub use known::Known;
pub use policies::{Labels, Place, Policies, PolicyReading, Said, Scope, Secrets, said};
pub use reconcile::OciRepositories;
pub use verification_policy::{AllSources, VerificationPolicies};
