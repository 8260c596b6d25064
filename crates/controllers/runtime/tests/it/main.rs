//! The crate against the stand-in API server, in simulated time.

mod conclude;
mod events;
mod finalizer;
mod ground;
mod lease;
mod metrics;
mod probes;
