//! Integration tests of the YAML layer.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests are tests"
)]

mod comments;
mod emit;
mod limits;
mod refused;
mod sigs;
mod suite;
mod support;
mod tree;
