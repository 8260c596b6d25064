//! `kustomize build` as a pure library.
//!
//! [`build`] turns a directory with a kustomization file into objects, byte for byte as kustomize
//! v5.8.1 prints them. It reads through [`Files`] only.
//!
//! What it does not do, on purpose: it fetches nothing (remote resources are refused), it runs
//! nothing (no exec or container plugins; charts are rendered by whoever implements [`Charts`]), and it reads nothing outside the tree it is
//! given.
//!
//! ```
//! use weir_kustomize::{MemoryFiles, Options, build};
//!
//! let files: MemoryFiles = [
//!     ("/app/kustomization.yaml", "namePrefix: dev-\nresources: [config.yaml]\n"),
//!     ("/app/config.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n"),
//! ]
//! .into_iter()
//! .collect();
//! let resources = build(&files, "/app", &Options::default())?;
//! assert!(resources.to_yaml().contains("name: dev-settings"));
//! # Ok::<(), weir_kustomize::Error>(())
//! ```

mod accumulator;
mod build;
mod cache;
mod charts;
mod config;
mod crds;
mod decode;
mod effects;
mod error;
mod fieldspec;
mod files;
pub mod flux;
mod generate;
mod hash;
mod id;
mod index;
mod jsonpatch;
mod kustomization;
pub mod lint;
mod load;
mod loader;
mod marshal;
mod merge;
pub mod near;
mod ops;
mod origin;
mod path;
mod pattern;
mod place;
mod plugins;
mod resmap;
mod resource;
mod schema;
mod selector;
mod shape;
mod shared;
mod target;
mod transform;
mod twins;

pub use build::{
    Object, Options, Printed, Reorder, Resources, build, build_cached, build_with_charts, print,
};
pub use cache::Cache;
pub use charts::{ChartError, ChartFile, ChartRequest, Charts};
pub use error::{Error, ErrorKind};
pub use files::{Entry, FileError, FileKind, Files, Found, MemoryFiles, clean};
pub use id::Gvk;
pub use jsonpatch::json_patch;
pub use kustomization::{FILE_NAMES, Image, Patch, PatchOptions};
pub use loader::LoadRestrictions;
pub use merge::{Growth, merge_with};
pub use origin::Origin;
pub use place::{Place, Step};
pub use selector::Selector;
