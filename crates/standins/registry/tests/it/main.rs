//! The registry as a client sees it: plain HTTP, without our own client in between.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod faults;
mod protocol;
