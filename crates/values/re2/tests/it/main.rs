//! Integration tests of weir-re2.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod limits;
mod reference;
