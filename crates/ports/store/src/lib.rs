//! Archives, ignore rules, Flux artifacts, and the store that a cluster reads from.
//!
//! - [`archive`] packs a folder or a [`Tree`] into the bytes that Flux packs it into; the same content gives
//!   the same digest on any machine. [`ignore`] says what to leave out.
//! - [`extract`] unpacks what came from outside, within [`Limits`], into memory or onto a disk, and refuses every
//!   archive that two programs could read differently.
//! - [`flux`] is the artifact around an archive: its configuration, manifest and annotations; how to push one
//!   and what to take from one.
//! - [`Store`] keeps artifacts on a disk; [`serve`] hands them out over HTTP.
//!
//! It does not decide whether an artifact may be trusted: the store takes only what is
//! [`Admitted`](weir_verify::Admitted).
//!
//! ```
//! use weir_store::{Limits, Tree, archive, extract};
//!
//! let mut tree = Tree::default();
//! tree.insert("app/deployment.yaml", b"kind: Deployment\n".as_slice())?;
//! let packed = archive::pack_tree(&tree, archive::Form::Push)?;
//! let again = extract::tree(&packed.bytes[..], &Limits::default(), extract::Symlinks::Refuse)?;
//! assert_eq!(tree, again);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod archive;
pub mod extract;
pub mod flux;
pub mod ignore;
pub mod serve;

pub mod download;

mod limits;
mod path;
mod store;
mod tar;
mod tree;

pub use limits::{LimitExceeded, Limits};
pub use path::InvalidPath;
pub use store::{InvalidLocation, Location, Retention, Storable, Store, StoreError, Stored};
pub use tree::{Entry, InsertError, Tree};
