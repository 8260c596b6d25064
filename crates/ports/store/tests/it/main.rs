//! Archives, ignore rules, artifacts and the store, from outside.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests fail and speak as tests do"
)]

mod archives;
mod artifacts;
mod hostile;
mod ignore_rules;
mod properties;
mod serving;
mod storing;
mod support;
