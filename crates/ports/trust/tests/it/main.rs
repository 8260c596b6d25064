//! Integration tests of weir-trust.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests stop on surprises and say what they skip"
)]

mod attest;
mod attest_interop;
mod find;
mod interop;
mod keyless;
mod keys;
mod sign;
mod sign_keyless;
mod support;
mod tuf;
