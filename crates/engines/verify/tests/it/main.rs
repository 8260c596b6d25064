//! Integration tests of weir-verify.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests stop on surprises and say what they skip"
)]

mod admitted;
mod attestations;
mod attested;
mod bundles;
mod cases;
mod conformance;
mod keyless;
mod keys;
mod onward;
mod payloads;
mod predicates;
mod promotions;
mod root_parts;
mod rules;
mod tiled;
