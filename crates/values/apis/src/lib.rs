//! Custom resource types, conditions and reasons: the wire format of the Flux APIs, and nothing else.
//!
//! One file a kind under `kind/`. The types hold what the API server stores; what a field *means* is
//! decided by the controller that reads it. Nothing here knows a client, a clock or a queue.
//!
//! Objects travel through weir as [`Object`]: the JSON the API server sent, with accessors for the
//! metadata every kind has. A controller reads its own kind out of it with [`Object::parse`], one
//! object at a time, so that one malformed object never hides its siblings (security case N13).
//!
//! Start with [`Object`] and [`ObjectRef`], then [`condition`].
//!
//! ```
//! use weir_apis::{Object, kind::Kustomization};
//! let object = Object::from_value(serde_json::json!({
//!     "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
//!     "metadata": {"name": "apps", "namespace": "flux-system"},
//!     "spec": {"interval": "10m", "prune": true, "sourceRef": {"kind": "OCIRepository", "name": "apps"}},
//! })).unwrap();
//! let kustomization: Kustomization = object.parse().unwrap();
//! assert_eq!(kustomization.spec.interval, "10m");
//! ```

pub mod artifact;
pub mod condition;
pub mod crd;
pub mod gvk;
pub mod inventory;
pub mod key;
pub mod kind;
pub mod object;
pub mod reason;
pub mod secret;
pub mod time;

pub use gvk::{GroupKind, GroupVersionKind, ObjectRef};
pub use object::{InvalidObject, Object};
