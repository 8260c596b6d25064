//! Integration tests of weir-subst.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests stop on surprises and say what they skip"
)]

mod conformance;
mod forms;
