//! Helm charts from where they are published: HTTP repositories with an index, and OCI registries.
//!
//! - [`Web`] downloads over HTTP, within limits; credentials go to the repository's own host and nowhere else, unless
//!   that was asked for. [`Repository`] is where an index and its charts are.
//! - [`pull`] and [`push`] take a chart from a registry and put one there, the same bytes as Helm.
//! - [`Tgz`] opens a chart's archive for the engine, and [`pack`] makes one.
//!
//! It does not choose versions (the engine does), keeps nothing, and decides nothing about trust.

mod http;
mod oci;
mod pack;
mod repository;
mod unpack;

pub use http::{Answer, FetchError, Login, Web};
pub use oci::{MAX_ARCHIVE, MAX_PROVENANCE, Pulled, Pushed, RegistryError, pull, push, tag_of, version_of};
pub use pack::{PackError, pack};
pub use repository::{MAX_INDEX, Repository, UrlError};
pub use unpack::Tgz;
