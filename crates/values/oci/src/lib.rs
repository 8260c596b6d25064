//! OCI references, digests, media types, manifests and the choice of a tag.
//!
//! Plain data: nothing here talks to a registry. A tag is resolved to a [`Digest`] once, by the registry
//! client, and everything after works by digest; the types keep the two apart. Manifests are *read* with
//! [`Manifest::parse`], which is strict about what the bytes say they are; whoever needs a manifest's digest
//! takes it from the bytes as they came, never from a re-serialisation.
//!
//! Start with [`Reference`], [`Digest`] and [`Manifest`]; [`choice`] is how an `OCIRepository` names a version.
//!
//! ```
//! use weir_oci::{Digest, Reference};
//!
//! let reference: Reference = "oci://ghcr.io/stefanprodan/podinfo:6.9.0".parse()?;
//! assert_eq!(reference.repository().registry(), "ghcr.io");
//! assert_eq!(reference.tag().map(|tag| tag.as_str()), Some("6.9.0"));
//!
//! let digest = Digest::of(b"hello");
//! assert!(digest.to_string().starts_with("sha256:2cf24d"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod annotation;
pub mod choice;
pub mod media_type;

mod descriptor;
mod digest;
mod manifest;
mod reference;
mod repository;
mod tag;

pub use descriptor::{Descriptor, Platform};
pub use digest::{Digest, Hasher, InvalidDigest};
pub use manifest::{ImageIndex, ImageManifest, InvalidManifest, Manifest};
pub use reference::{InvalidReference, Reference};
pub use repository::{InvalidRepository, Repository};
pub use tag::{InvalidTag, Tag};
