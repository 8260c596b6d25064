//! Tests of the public API.

mod manifests;
mod references;
