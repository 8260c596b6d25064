//! The client against the registry stand-in, honest and hostile.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod auth;
mod config_helpers;
mod hostile;
mod lists;
mod proxy;
mod pull;
mod push;
mod retries;
mod support;
mod tls;
