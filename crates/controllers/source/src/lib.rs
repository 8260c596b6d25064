//! The OCIRepository controller: resolve a tag once, verify the digest, store the artifact.
//!
//! A file a step, each taking the last one's type: `gather` reads the spec and what it refers to (`policy` what it asks of signatures), `resolve`
//! turns the reference into a digest, `admit` checks its signatures and is the only way to an
//! [`weir_verify::Admitted`], `fetch` pulls and packs the layer, `keep` stores it. `reconcile` strings them
//! together and reports. What fails verification is never stored, and a failure never takes the last artifact
//! away.
//!
//! It does not know who builds from the artifacts.

mod admit;
mod fetch;
mod gather;
mod keep;
mod policy;
mod reconcile;
mod resolve;
mod status;
mod verdicts;

pub use reconcile::OciRepositories;
