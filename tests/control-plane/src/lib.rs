//! A real Kubernetes control plane on loopback, for tests.
//!
//! [`tools`] builds the reference programs from their pinned Go modules, [`ControlPlane::start`] runs etcd,
//! kube-apiserver and kube-controller-manager in a temporary folder, and [`nodes`] marks workloads ready, since
//! there are no nodes. [`Helm`] runs a real helm on it. It knows nothing of weir. Everything stops when the value is
//! dropped.

pub mod nodes;
pub mod tools;

mod control_plane;
mod helm;

pub use control_plane::ControlPlane;
pub use helm::{Helm, Revision};
