//! The Kubernetes API as weir uses it: a client, a mirror of what is watched, and the hands that carry out a plan.
//!
//! Everything works on [`weir_apis::Object`], because what is applied is not known at compile time. The crate
//! decides nothing: which objects to write is the plan engine's business, and what a failure means to a
//! reconcile is the controllers'. It also holds the one clock that controllers may read.
//!
//! - [`Client`]: requests, retries, discovery; [`Client::acting_as`] adds impersonation to each request
//!   without a connection of its own.
//! - [`Mirror`]: a list-and-watch cache of one type, shared by all that ask for it.
//! - [`pulse::Pulse`]: a watch that tells which objects changed and keeps nothing of them.
//! - [`connect`]: a client for a kubeconfig, or for a service in this process.
//! - [`follow`]: one object as it changes, seen with the rights of whoever the client acts for.
//! - [`carry_out`]: executes a stage plan made by `weir-plan`, and nothing else writes applied objects.
//! - [`notify::Endpoint`]: where events are told outside the cluster.
//!
//! It does not know Flux's kinds and keeps no global state: two clusters in one process are two clients.

pub mod carry_out;
pub mod clock;
pub mod connect;
pub mod mirror;
pub mod notify;
pub mod pulse;

mod client;
mod error;
mod follow;
mod identity;
mod log;
pub mod memory;
mod metrics;
mod observe;
mod resource;
mod wait;

pub use client::{Applied, Client, Propagation, Write};
pub use clock::{Clock, SystemClock, TokioClock};
pub use error::{ApiError, chain};
pub use follow::{Seen, follow};
pub use identity::Identity;
pub use log::LogOptions;
pub use memory::Memory;
pub use metrics::RequestCounter;
pub use mirror::{Lookup, Mirror};
pub use resource::{Resource, Scope};
pub use wait::{NotReady, Targets, pods_of, wait_until_ready};
