//! Integration tests of the engine.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests are tests"
)]

mod cases;
mod charts;
mod conformance;
mod d2;
mod flux;
mod flux_conformance;
mod json_patch;
mod lint;
mod merge2;
mod near;
mod security;
mod support;
