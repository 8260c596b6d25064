//! Integration tests of the stand-in API server.

mod behaviour;
mod client;
mod scenario;
mod scenarios;
