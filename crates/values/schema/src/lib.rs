//! Facts about Kubernetes types: which resources an API server serves, and how each field of their objects merges.
//!
//! The facts about built-in types are generated from a real kube-apiserver (v1.34.2, the groups it serves by default)
//! into `data/builtin.json`, one type a line; `examples/generate.rs` writes that file and says how to run it. Custom
//! resources give the same view through [`Schemas::from_crd_schema`].
//!
//! What it does not do: it validates and defaults nothing, and it knows nothing of the defaults that
//! kube-apiserver fills in by code rather than by schema.
//!
//! Start at [`Schemas::builtin`]; [`Schemas::lookup`] gives a [`TypeInfo`] to walk.
//!
//! ```
//! use weir_schema::{GroupVersionKind, ListType, Schemas};
//!
//! let schemas = Schemas::builtin();
//! let deployment = schemas.lookup(&GroupVersionKind::new("apps", "v1", "Deployment")).expect("built in");
//! let containers = deployment.at(&["spec", "template", "spec", "containers"]).expect("declared");
//! assert_eq!(containers.list_type(), ListType::Map(&["name".to_owned()]));
//! let resource = schemas.resource_of(&GroupVersionKind::new("apps", "v1", "Deployment")).expect("served");
//! assert_eq!(resource.plural, "deployments");
//! assert!(resource.namespaced);
//! ```

mod gvk;
mod info;
mod node;
pub mod openapi;
mod resource;
mod schemas;

pub use gvk::GroupVersionKind;
pub use info::{Element, ListType, TypeInfo};
pub use node::{GoField, Kind, Node};
pub use resource::{Resource, Subresource};
pub use schemas::{ReadSchemaError, Schemas};
