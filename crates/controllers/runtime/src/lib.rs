//! What every reconcile loop shares: queue, watch, conditions, events.
//!
//! A controller is a [`Reconcile`] implementation run by [`Controller::start`]. It gets one object at a time and
//! answers with a [`Verdict`]; this crate turns that into conditions, an event and the next wake-up, in one place
//! ([`conclude()`]), so that all kinds behave alike. Nothing here is global: time, API server and settings come in
//! through [`Deps`], and many sets of controllers run side by side in one process.
//!
//! What several kinds have is here too: dependencies, other clusters and accounts to act as, artifacts of sources,
//! watched ConfigMaps and Secrets.
//!
//! It does not know any kind, and writes nothing but status, finalizers and events.

pub mod artifacts;
pub mod conclude;
pub mod configs;
pub mod controller;
pub mod dependencies;
pub mod events;
pub mod finalizer;
pub mod index;
pub mod lease;
pub mod metrics;
pub mod overlay;
pub mod probes;
pub mod queue;
pub mod remote;
pub mod sources;
pub mod verdict;

mod deps;

pub use conclude::{Draft, conclude};
pub use controller::{Controller, Reconcile, Waker};
pub use deps::{Deps, Settings};
pub use events::{Event, Recorder, Severity};
pub use index::Index;
pub use lease::{Election, Leader};
pub use metrics::Metrics;
pub use probes::Probes;
pub use queue::{Key, Queue};
pub use verdict::{Failure, Kind, Success, Verdict};
